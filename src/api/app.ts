import { randomUUID } from 'node:crypto';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { ipKeyGenerator, rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { Operator } from '../operators.js';
import { KeyMissing, keyErrorIn } from '../domain/sealing.js';
import { toInstant } from '../domain/time.js';
import { alertRoutes } from './alerts.js';
import { auditRoutes } from './audit.js';
import { codecRoutes } from './codec.js';
import { customerRoutes } from './customers.js';
import { deviceRoutes } from './devices.js';
import { docsPage } from './docs.js';
import { exclusionRoutes } from './exclusions.js';
import { feedRoutes } from './feeds.js';
import { alive, ready } from './health.js';
import { incidentRoutes } from './incidents.js';
import { inquiryRoutes } from './inquiries.js';
import { mailWebhook, type MailWebhookDeps } from './mail-webhook.js';
import { mailboxRoutes } from './mailbox.js';
import { listRoutes } from './lists.js';
import { openApiDocument } from './openapi.js';
import { authorise, rolesOf } from './operators.js';
import { Problem, problemCodeOf, problemHandler, sendProblem, type ProblemCode } from './problem.js';
import { customerInPath, type Route } from './route.js';
import type { OperatorSignIn } from './sign-in.js';
import { authorizationIn, crossOrigin, signInPage } from './web-ui.js';
import { twilioWebhooks, type WebhookDeps } from './webhooks.js';

export interface AppDeps extends WebhookDeps, MailWebhookDeps {
  signIn: OperatorSignIn;
  /** Addresses and networks whose `X-Forwarded-For` says who calls. */
  trustedProxies: readonly string[];
  log: Logger;
  version: string;
  /** Where Temporal's Web UI is, such as `https://temporal.example`; undefined where no browser is to ask for what it shows. */
  webUiOrigin: string | undefined;
  /** Sees every request; undefined where nobody asks for metrics. */
  watch?: RequestHandler;
  /** Makes a span of every request; undefined where nobody traces. */
  trace?: RequestHandler;
}

export const routes: readonly Route[] = [
  ...alertRoutes,
  ...listRoutes,
  ...incidentRoutes,
  ...deviceRoutes,
  ...feedRoutes,
  ...customerRoutes,
  ...exclusionRoutes,
  ...inquiryRoutes,
  ...mailboxRoutes,
  ...auditRoutes,
  ...codecRoutes,
];

/** An alert with all its evidence has five levels. */
const BODY_DEPTH = 32;
const WINDOW_MS = 10_000;
const REQUESTS_PER_WINDOW = 5_000;
const FAILURES_PER_WINDOW = 50;
const REFUSALS_PER_WINDOW = 20;
const LOCKED_MS = 60_000;

function limiter(
  limit: number,
  windowMs: number,
  keyGenerator: (request: Request) => string = (request) => ipKeyGenerator(request.ip ?? ''),
): RateLimitRequestHandler {
  return rateLimit({
    windowMs,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator,
    handler: (_request, response) => sendProblem(response, new Problem('too-many-requests', 'Too many requests.')),
  });
}

/** Level by level: the value decides nothing about how deep this calls itself. */
function isDeeperThan(most: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((each): unknown[] => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}

const UNKNOWN: Readonly<Record<string, ProblemCode>> = {
  incidents: 'unknown-incident',
  devices: 'unknown-device',
  exclusions: 'unknown-exclusion',
  inquiries: 'unknown-inquiry',
};

/** A message that cannot even be encrypted, since there never was such a customer: nothing of theirs can be there. */
function ofNobody({ policies }: AppDeps, request: Request, error: unknown): Problem | undefined {
  const keyError = keyErrorIn(error);
  if (!(keyError instanceof KeyMissing && keyError.hasNone)) return undefined;
  const customerId = customerInPath(request);
  if (customerId === undefined || policies.find(customerId) !== undefined) return undefined;
  return new Problem(UNKNOWN[request.path.split('/')[2] ?? ''] ?? 'unknown-customer', 'There is nothing at this path.');
}

/** Express serves what the routes say: the caller's token, their rights, the body's schema, one message, one answer. */
export function createApp(deps: AppDeps): Express {
  const { log, signIn, audit } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.trustedProxies);
  if (deps.trace !== undefined) app.use(deps.trace);
  if (deps.watch !== undefined) app.use(deps.watch);
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
  // Browsers heed Strict-Transport-Security where it came by HTTPS, from here or through a proxy, and there alone.
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  // Before the limits: whoever restarts what does not answer must not be turned away.
  app.get('/healthz', alive);
  app.use(limiter(REQUESTS_PER_WINDOW, WINDOW_MS));
  app.get('/readyz', ready(deps));
  app.use(docsPage(openApiDocument(routes, deps.publicUrl, deps.version)));
  app.use(twilioWebhooks(deps));
  app.use(mailWebhook(deps));

  const failures = limiter(FAILURES_PER_WINDOW, WINDOW_MS);
  app.use(signInPage(signIn, failures, deps.publicUrl));
  const callers = new WeakMap<Request, Operator>();
  const operatorOf = (request: Request) => callers.get(request)?.id ?? '';
  const refusals = limiter(REFUSALS_PER_WINDOW, LOCKED_MS, operatorOf);
  // Also from many addresses one token is worth no more than this.
  const ofOperator = limiter(REQUESTS_PER_WINDOW, WINDOW_MS, operatorOf);

  /** Whoever is refused again and again is locked out for a while; who may act never is: they may be alone at night. */
  function isLockable({ role }: Operator): boolean {
    return !rolesOf('act').includes(role);
  }

  async function isLockedOut(operator: Operator): Promise<boolean> {
    return isLockable(operator) && ((await refusals.getKey(operator.id))?.totalHits ?? 0) >= REFUSALS_PER_WINDOW;
  }

  function writeDown(route: Route, request: Request, response: Response, customerId: string | null): void {
    const operator = callers.get(request);
    const { statusCode: status } = response;
    const code = problemCodeOf(response) ?? null;
    // Those are many, and nothing was looked at.
    if (code === 'too-many-requests') return;
    const refused = status >= 400 ? 'refused' : 'accepted';
    audit.write({
      at: toInstant(Date.now()),
      requestId: response.get('X-Request-Id') ?? '',
      operator: operator?.id ?? null,
      role: operator?.role ?? null,
      from: request.ip ?? '',
      command: `${route.method.toUpperCase()} ${route.path}`,
      path: request.path,
      customerId,
      outcome: response.writableFinished ? refused : 'unknown',
      status,
      code,
    });
  }

  /** What is nested without end would end whoever walks through it. */
  const shallow: RequestHandler = (request, _response, next) => {
    if (isDeeperThan(BODY_DEPTH, request.body)) throw new Problem('invalid-input', 'The body is nested too deeply.');
    next();
  };

  for (const route of routes) {
    const admit: RequestHandler = async (request, response, next) => {
      if (route.method !== 'get' && !route.isForWebUi) {
        const customerId = customerInPath(request) ?? null;
        response.once('close', () => writeDown(route, request, response, customerId));
      }
      let operator: Operator;
      try {
        const { authorization, cookie } = request.headers;
        operator = await signIn(authorization ?? (route.isForWebUi ? authorizationIn(cookie) : undefined));
      } catch (error) {
        // Only strangers are counted: whoever has a token is let in, however much is guessed beside them.
        await failures(request, response, (limit?: unknown) => next(limit ?? error));
        return;
      }
      callers.set(request, operator);
      response.set('Cache-Control', 'no-store');
      if (await isLockedOut(operator)) {
        throw new Problem(
          'too-many-requests',
          `${operator.id} was refused too often; the lock is off within a minute.`,
        );
      }
      try {
        authorise(operator, route.access);
      } catch (error) {
        if (!isLockable(operator)) throw error;
        await refusals(request, response, () => next(error));
        return;
      }
      next();
    };
    const serve: RequestHandler = async (request, response) => {
      const operator = callers.get(request);
      if (operator === undefined) throw new Problem('unauthenticated', 'A bearer token is needed.');
      try {
        await route.serve(deps, operator, request, response);
      } catch (error) {
        throw ofNobody(deps, request, error) ?? error;
      }
    };
    // The body is read only for somebody who may send one.
    const json = express.json({ limit: route.bodyLimit, type: () => true, strict: true });
    if (route.isForWebUi) app.use(route.path, crossOrigin(deps.webUiOrigin));
    app[route.method](route.path, admit, ofOperator, ...(route.body === undefined ? [] : [json, shallow]), serve);
  }
  app.use((_request, _response, next) => next(new Problem('not-found', 'There is nothing at this path.')));
  app.use(problemHandler(log));
  return app;
}
