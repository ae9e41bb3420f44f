import { createServer, type Server } from 'node:http';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { requestMetrics } from './request-metrics.js';
import type { ApiDeps } from './route.js';
import { stateMetrics } from './state-metrics.js';

export interface ApiMetrics {
  registry: Registry;
  /** Counts the API's requests. */
  watch: RequestHandler;
  /** All of it, as Prometheus reads it. */
  scrape: () => Promise<string>;
}

export function createApiMetrics(deps: ApiDeps, log: Logger): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const refresh = stateMetrics(registry, deps, log);
  return {
    registry,
    watch: requestMetrics(registry),
    scrape: async () => {
      await refresh();
      return registry.metrics();
    },
  };
}

/** A port of its own: whoever may reach the API may not read this, and there is no token to ask for. */
export function metricsServer({ registry, scrape }: ApiMetrics, log: Logger): Server {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    scrape().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'the metrics cannot be shown');
        response.writeHead(500).end();
      },
    );
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  return server;
}
