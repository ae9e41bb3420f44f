import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { ArchiveError } from '../domain/archive/entry.js';
import { keyErrorIn } from '../domain/sealing.js';
import { rejectionStatus, type InputError, type Rejection, type RejectionCode } from '../domain/errors.js';

/** The codes that belong to the HTTP side alone. */
const httpStatus = {
  unauthenticated: 401,
  forbidden: 403,
  'not-json': 400,
  'too-large': 413,
  'not-found': 404,
  'too-many-requests': 429,
  'temporal-unavailable': 503,
  'worker-unavailable': 503,
  'sign-in-unavailable': 503,
  'key-missing': 503,
  'archive-unavailable': 503,
  'internal-error': 500,
} as const;

export type ProblemCode = RejectionCode | keyof typeof httpStatus;

const statusOf: Record<ProblemCode, number> = { ...rejectionStatus, ...httpStatus };

/** What callers read; some faults share a code and differ in status. */
const publicCode: Partial<Record<ProblemCode, string>> = {
  'not-json': 'invalid-input',
  'too-large': 'invalid-input',
  'too-late': 'worker-unavailable',
};

const RETRY_AFTER_SECONDS = 5;

export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly errors: InputError[] = [],
  ) {
    super(message);
    this.name = 'Problem';
  }

  static of({ code, message, errors }: Rejection): Problem {
    return new Problem(code, message, errors);
  }
}

const codesSent = new WeakMap<Response, string>();

/** The code of the problem that was answered; undefined where none was. */
export function problemCodeOf(response: Response): string | undefined {
  return codesSent.get(response);
}

/** RFC 9457 `application/problem+json` with a stable `code`, and for bad input the fields. */
export function sendProblem(response: Response, problem: Problem): void {
  const status = statusOf[problem.code];
  if (status === 503) response.set('Retry-After', String(RETRY_AFTER_SECONDS));
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  const code = publicCode[problem.code] ?? problem.code;
  codesSent.set(response, code);
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:mimamori:problem:${code}`,
        title: code.replaceAll('-', ' '),
        status,
        code,
        detail: problem.message,
        instance: response.req.path,
        requestId: response.get('X-Request-Id'),
        ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
      }),
    );
}

/** Express and its body parser say with a 4xx status what the caller did wrong. */
function requestProblem(error: unknown): Problem | undefined {
  if (error instanceof URIError) return new Problem('not-found', 'The path cannot be decoded.');
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  const { status } = error;
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return status === 413
    ? new Problem('too-large', 'The body is too large.')
    : new Problem('not-json', 'The body cannot be read.');
}

/** What is kept cannot be read, and no second try will help until somebody has seen to the keys. */
function keyProblem(error: unknown): Problem | undefined {
  const keyError = keyErrorIn(error);
  return keyError && new Problem('key-missing', `What is kept of it cannot be read: ${keyError.message}.`);
}

/** What the archive holds cannot be had: it is away, or not as it was written. */
function archiveProblem(error: unknown): Problem | undefined {
  return error instanceof ArchiveError ? new Problem('archive-unavailable', `${error.message}.`) : undefined;
}

/** What a line in the log names the incident by. Paths that cannot be decoded never come to an incident. */
function incidentIn(path: string): string | undefined {
  const [, id] = /^\/v1\/incidents\/([^/]+)/.exec(path) ?? [];
  return id === undefined ? undefined : decodeURIComponent(id);
}

export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof Problem) {
      sendProblem(response, error);
      return;
    }
    const badRequest = requestProblem(error);
    if (badRequest !== undefined) {
      sendProblem(response, badRequest);
      return;
    }
    const incidentId = incidentIn(request.path);
    log.error({ err: error, requestId: response.get('X-Request-Id'), incidentId }, 'request failed');
    const withoutKey = archiveProblem(error) ?? keyProblem(error);
    if (withoutKey !== undefined) {
      sendProblem(response, withoutKey);
      return;
    }
    sendProblem(response, new Problem('internal-error', 'Something went wrong; the log has it under this requestId.'));
  };
}
