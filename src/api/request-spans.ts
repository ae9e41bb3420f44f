import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { customerIdSchema } from '../domain/customer.js';
import { idsOf } from '../temporal/tracing.js';

const tracer = trace.getTracer('mimamori');
const routeSchema = z.object({ path: z.string() });
const paramsSchema = z.object({
  id: z.string().optional().catch(undefined),
  customerId: customerIdSchema.optional().catch(undefined),
});
const METHODS = ['GET', 'POST', 'DELETE'];

/** Each request as a span, by its route as it is written in the code; what a caller has put into path and query is not shown. */
export const requestSpans: RequestHandler = (request, response, next) => {
  const method = METHODS.find((known) => known === request.method) ?? '_OTHER';
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes: { 'http.request.method': method } });
  response.once('close', () => {
    const route = routeSchema.safeParse(request.route).data?.path;
    if (route !== undefined) {
      span.updateName(`${method} ${route}`);
      span.setAttribute('http.route', route);
    }
    // Of what was refused the path is whatever the caller has made up.
    if (response.statusCode < 400) {
      const { id, customerId } = paramsSchema.parse(request.params);
      span.setAttributes(idsOf(id));
      if (customerId !== undefined) span.setAttribute('mimamori.customer_id', customerId);
    }
    span.setAttribute('mimamori.request_id', response.get('X-Request-Id') ?? '');
    if (response.writableFinished) span.setAttribute('http.response.status_code', response.statusCode);
    if (!response.writableFinished || response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  context.with(trace.setSpan(context.active(), span), next);
};
