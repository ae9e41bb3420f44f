import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import { parseIncidentId } from '../domain/incident/record.js';
import { scopeOfWorkflow, SERVICE_SCOPE } from '../domain/sealing.js';
import { parseTraceparent, TRACE_HEADER, traceparentOf } from '../domain/trace.js';
import type { TraceSinks } from '../workflows/interceptors.js';

/*
 * What is under way, from a request through Temporal to the call outside, as OpenTelemetry sees it. The context goes from message
 * to message in a header, which no codec encrypts: it names a trace and a span, and nothing else may be in it.
 */

const tracer = trace.getTracer('mimamori');

/** Has the next span get this id: a workflow's step has its own from the workflow. */
export interface SpanIds {
  nextSpanId: string | undefined;
}

export interface Tracing {
  client: WorkflowClientInterceptor;
  worker: { activity: ActivityInterceptorsFactory[] };
  sinks: InjectedSinks<TraceSinks>;
}

/** Whose and what it is, by our own ids. */
export function idsOf(workflowId: string | undefined): Attributes {
  const scope = scopeOfWorkflow(workflowId);
  return {
    ...(scope === SERVICE_SCOPE ? {} : { 'mimamori.customer_id': scope }),
    ...(workflowId === undefined || parseIncidentId(workflowId) === undefined
      ? {}
      : { 'mimamori.incident_id': workflowId }),
  };
}

function endWith(span: Span, error: unknown): void {
  // The kind alone: messages quote alerts and what the other side has said.
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type ?? (error instanceof Error ? error.name : 'unknown'));
}

/** Runs it with the span as what is under way. */
export async function during<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    endWith(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Something that nobody has asked for, and that begins a trace: what follows from it is found by it. */
export function asTrace<T>(name: string, work: () => Promise<T>): Promise<T> {
  return during(tracer.startSpan(name, { root: true }), work);
}

type Headers = Record<string, Payload>;

function headersOf(span: Span): Headers {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const traceparent = traceparentOf({ traceId, spanId, isSampled: (traceFlags & 1) === 1 });
  return { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

function sent<T>(name: string, workflowId: string | undefined, send: (headers: Headers) => Promise<T>): Promise<T> {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: idsOf(workflowId) });
  return during(span, () => send(headersOf(span)));
}

const client: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    sent(`StartWorkflow ${input.workflowType}`, input.options.workflowId, (headers) =>
      next({ ...input, headers: { ...input.headers, ...headers } }),
    ),
  signal: (input, next) =>
    sent(`SignalWorkflow ${input.signalName}`, input.workflowExecution.workflowId, (headers) =>
      next({ ...input, headers: { ...input.headers, ...headers } }),
    ),
  signalWithStart: (input, next) =>
    sent(`SignalWithStartWorkflow ${input.signalName}`, input.options.workflowId, (headers) =>
      next({ ...input, headers: { ...input.headers, ...headers } }),
    ),
  startUpdate: (input, next) =>
    sent(`UpdateWorkflow ${input.updateName}`, input.workflowExecution.workflowId, (headers) =>
      next({ ...input, headers: { ...input.headers, ...headers } }),
    ),
  startUpdateWithStart: (input, next) =>
    sent(`UpdateWithStartWorkflow ${input.updateName}`, input.workflowStartOptions.workflowId, (headers) =>
      next({
        ...input,
        workflowStartHeaders: { ...input.workflowStartHeaders, ...headers },
        updateHeaders: { ...input.updateHeaders, ...headers },
      }),
    ),
  query: (input, next) =>
    sent(`QueryWorkflow ${input.queryType}`, input.workflowExecution.workflowId, () => next(input)),
};

/** The context of whoever has caused it; undefined where nobody has who traces. */
function causeIn(headers: Headers) {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const carrier = defaultPayloadConverter.fromPayload<unknown>(payload);
  const isCarrier = typeof carrier === 'object' && carrier !== null && 'traceparent' in carrier;
  return isCarrier ? remote(carrier.traceparent) : undefined;
}

function remote(traceparent: unknown) {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, isSampled } = parsed;
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: isSampled ? 1 : 0, isRemote: true });
}

/** One for each activity that runs. */
const activity: ActivityInterceptorsFactory = ({ info }) => {
  // The SDK logs of an activity from outside of what is under way in it.
  let traceId: string | undefined;
  return {
    inbound: {
      execute: async (input, next) => {
        const cause = causeIn(input.headers);
        // What begins by itself and never ends, such as a feed's poll, is no trace.
        if (cause === undefined) return next(input);
        const attributes = {
          ...idsOf(info.workflowExecution?.workflowId),
          'temporal.workflow_type': info.workflowType,
          'temporal.attempt': info.attempt,
        };
        const span = tracer.startSpan(`RunActivity ${info.activityType}`, { attributes }, cause);
        ({ traceId } = span.spanContext());
        return during(span, () => next(input));
      },
    },
    outbound: {
      getLogAttributes: (input, next) => next(traceId === undefined ? input : { ...input, traceId }),
    },
  };
};

/** For a worker that does not trace: another process may all the same, and the SDK complains of a sink that nobody has. */
export const silentSinks: InjectedSinks<TraceSinks> = { traces: { step: { fn: () => undefined } } };

/** For clients and workers of a process that traces. */
export function createTracing(ids: SpanIds): Tracing {
  return {
    client,
    worker: { activity: [activity] },
    sinks: {
      traces: {
        step: {
          fn: ({ workflowId, workflowType }, { traceparent, spanId, name }) => {
            const attributes = { ...idsOf(workflowId), 'temporal.workflow_type': workflowType };
            ids.nextSpanId = spanId;
            tracer
              .startSpan(name === 'RunWorkflow' ? `${name} ${workflowType}` : name, { attributes }, remote(traceparent))
              .end();
          },
        },
      },
    },
  };
}
