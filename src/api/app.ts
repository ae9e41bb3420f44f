import { randomUUID } from 'node:crypto';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { Operator } from '../operators.js';
import { alertRoutes } from './alerts.js';
import { customerRoutes } from './customers.js';
import { deviceRoutes } from './devices.js';
import { docsPage } from './docs.js';
import { feedRoutes } from './feeds.js';
import { healthRoutes } from './health.js';
import { incidentRoutes } from './incidents.js';
import { listRoutes } from './lists.js';
import { openApiDocument } from './openapi.js';
import { authenticate, authorise } from './operators.js';
import { Problem, problemHandler, sendProblem } from './problem.js';
import type { Route } from './route.js';
import { twilioWebhooks, type WebhookDeps } from './webhooks.js';

export interface AppDeps extends WebhookDeps {
  operators: readonly Operator[];
  log: Logger;
  version: string;
}

export const routes: readonly Route[] = [
  ...alertRoutes,
  ...listRoutes,
  ...incidentRoutes,
  ...deviceRoutes,
  ...feedRoutes,
  ...customerRoutes,
];

const BODY_LIMIT = '2mb';
const WINDOW_MS = 10_000;
const REQUESTS_PER_WINDOW = 5_000;
const FAILURES_PER_WINDOW = 50;

function tooMany(limit: number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => ipKeyGenerator(request.ip ?? ''),
    handler: (_request, response) => sendProblem(response, new Problem('too-many-requests', 'Too many requests.')),
  });
}

/** Express serves what the routes say: the caller's token, their rights, the body's schema, one message, one answer. */
export function createApp(deps: AppDeps): Express {
  const { log, operators } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    response.set('X-Request-Id', id);
    request.id = id;
    next();
  });
  app.use(
    pinoHttp({
      logger: log,
      genReqId: (request) => request.id,
      // What went wrong inside is logged where it is known; a 503 says itself what is missing.
      customLogLevel: () => 'debug',
      serializers: {
        req: ({ id, method, url }: { id: unknown; method: unknown; url: unknown }) => ({ id, method, url }),
        res: ({ statusCode }: { statusCode: unknown }) => ({ statusCode }),
      },
    }),
  );
  // Whether the API is reached by HTTPS is the reverse proxy's matter; a browser must not guess it.
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(healthRoutes(deps));
  app.use(docsPage(openApiDocument(routes, deps.publicUrl, deps.version)));
  app.use(tooMany(REQUESTS_PER_WINDOW));
  app.use(twilioWebhooks(deps));

  const json = express.json({ limit: BODY_LIMIT, type: () => true, strict: true });
  const failures = tooMany(FAILURES_PER_WINDOW);
  const callers = new WeakMap<Request, Operator>();
  for (const route of routes) {
    const admit: RequestHandler = async (request, response, next) => {
      let operator: Operator;
      try {
        operator = authenticate(operators, request);
      } catch (error) {
        // Only strangers are counted: whoever has a token is let in, however much is guessed beside them.
        await failures(request, response, (limit?: unknown) => next(limit ?? error));
        return;
      }
      authorise(operator, route.access);
      callers.set(request, operator);
      response.set('Cache-Control', 'no-store');
      next();
    };
    const serve: RequestHandler = async (request, response) => {
      const operator = callers.get(request);
      if (operator === undefined) throw new Problem('unauthenticated', 'A bearer token is needed.');
      await route.serve(deps, operator, request, response);
    };
    // The body is read only for somebody who may send one.
    app[route.method](route.path, admit, ...(route.body === undefined ? [] : [json]), serve);
  }
  app.use((_request, _response, next) => next(new Problem('not-found', 'There is nothing at this path.')));
  app.use(problemHandler(log));
  return app;
}
