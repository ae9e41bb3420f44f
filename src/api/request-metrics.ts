import type { RequestHandler } from 'express';
import { Counter, Histogram, type Registry } from 'prom-client';
import { z } from 'zod';
import { SECOND_MS } from '../domain/time.js';

const routeSchema = z.object({ path: z.string() });
const METHODS = ['GET', 'POST', 'DELETE'];
const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts every answer by its route as it is written in the code: what a caller has put into the path is no label. */
export function requestMetrics(registry: Registry): RequestHandler {
  const registers = [registry];
  const requests = new Counter({
    name: 'mimamori_api_requests_total',
    help: 'Requests to the API by route and status; status `gone`: the caller did not wait for the answer.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'mimamori_api_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer.',
    labelNames: ['method'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  return (request, response, next) => {
    const startedMs = performance.now();
    response.once('close', () => {
      const method = METHODS.find((known) => known === request.method)?.toLowerCase() ?? 'other';
      const route = routeSchema.safeParse(request.route).data?.path ?? 'none';
      const status = response.writableFinished ? String(response.statusCode) : 'gone';
      requests.inc({ method, route, status });
      duration.observe({ method }, (performance.now() - startedMs) / SECOND_MS);
    });
    next();
  };
}
