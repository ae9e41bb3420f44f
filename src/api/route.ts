import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Archive } from '../domain/archive/entry.js';
import type { Command } from '../domain/commands.js';
import { inputErrors } from '../domain/input.js';
import { parseIncidentId } from '../domain/incident/record.js';
import type { Policy } from '../domain/policy.js';
import type { Sealing } from '../domain/sealing.js';
import type { Operator } from '../operators.js';
import type { Policies } from '../policy.js';
import { commandDeadline, type Gateway } from './gateway.js';
import type { AuditLog } from './audit-log.js';
import { maySee, type Access } from './operators.js';
import { Problem } from './problem.js';

export interface ApiDeps extends Gateway {
  policies: Policies;
  audit: AuditLog;
  /** Undefined: nothing is encrypted. */
  sealing: Sealing | undefined;
  archive: Archive;
}

export interface Call<Body, Query> {
  deps: ApiDeps;
  operator: Operator;
  params: Record<string, string>;
  body: Body;
  query: Query;
  request: Request;
}

export interface Answer {
  status: number;
  body: unknown;
  revision?: number;
}

/** One row of the API: what express serves and what the OpenAPI document says, made from the same schemas. */
export interface Route {
  method: 'get' | 'post' | 'delete';
  /** With express's `:name` parameters. */
  path: string;
  summary: string;
  access: Access;
  body?: z.ZodType;
  query?: z.ZodType;
  /** Commands take an Idempotency-Key. */
  isCommand: boolean;
  takesIfMatch: boolean;
  /** Of a body, as in `2mb`. */
  bodyLimit: string;
  /** Asked by Temporal's Web UI from within a browser, to read. */
  isForWebUi: boolean;
  answers: Record<number, { description: string; schema: z.ZodType }>;
  serve(deps: ApiDeps, operator: Operator, request: Request, response: Response): Promise<void>;
}

const BODY_LIMIT = '2mb';

interface RouteDefinition<Body, Query> {
  method: 'get' | 'post' | 'delete';
  path: string;
  summary: string;
  access: Access;
  body?: z.ZodType<Body>;
  query?: z.ZodType<Query>;
  isCommand?: boolean;
  takesIfMatch?: boolean;
  bodyLimit?: string;
  isForWebUi?: boolean;
  answers: Route['answers'];
  handle: (call: Call<Body, Query>) => Promise<Answer>;
}

function parse<T>(schema: z.ZodType<T> | undefined, value: unknown, what: string): T {
  const parsed = (schema ?? z.custom<T>()).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Problem('invalid-input', `The ${what} was not understood.`, inputErrors(parsed.error));
}

function pathParams(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  );
}

export function route<Body = undefined, Query = undefined>(definition: RouteDefinition<Body, Query>): Route {
  const { body, query, handle } = definition;
  return {
    ...definition,
    isCommand: definition.isCommand ?? false,
    takesIfMatch: definition.takesIfMatch ?? false,
    bodyLimit: definition.bodyLimit ?? BODY_LIMIT,
    isForWebUi: definition.isForWebUi ?? false,
    async serve(deps, operator, request, response) {
      const answer = await handle({
        deps,
        operator,
        request,
        params: pathParams(request),
        body: parse(body, body === undefined ? undefined : request.body, 'body'),
        query: parse(query, query === undefined ? undefined : request.query, 'query'),
      });
      if (answer.revision !== undefined) response.set('ETag', `"${answer.revision}"`);
      response.status(answer.status).json(answer.body);
    },
  };
}

/** Whose a request is, as far as its path says. */
export function customerInPath(request: Request): string | undefined {
  const { customerId, id = '' } = pathParams(request);
  return customerId ?? /^(?:incident|exclusion|inquiry):([a-z0-9-]{1,40}):/.exec(id)?.[1];
}

/** A customer that the operator may not see does not exist for them. */
export function policyOf(deps: ApiDeps, operator: Operator, customerId: string): Policy {
  const policy = maySee(operator, customerId) ? deps.policies.find(customerId) : undefined;
  if (policy === undefined) throw new Problem('unknown-customer', `There is no customer ${customerId}.`);
  return policy;
}

/** The incident id of the path, which the operator may see. Incidents of customers that have left the file stay readable. */
export function incidentIdIn({ operator, params }: Pick<Call<unknown, unknown>, 'operator' | 'params'>): string {
  const id = params['id'] ?? '';
  const parts = parseIncidentId(id);
  if (parts === undefined || !maySee(operator, parts.customerId)) {
    throw new Problem('unknown-incident', `There is no incident ${id}.`);
  }
  return id;
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function revisionIn(request: Request): number | undefined {
  const value = header(request, 'if-match');
  if (value === undefined) return undefined;
  const revision = /^(?:W\/)?"(\d{1,9})"$/.exec(value.trim())?.[1];
  if (revision !== undefined) return Number(revision);
  throw new Problem('invalid-input', 'If-Match is not understood.', [
    { path: 'If-Match', message: 'must be the ETag of the incident that was read' },
  ]);
}

function keyIn(request: Request): string | undefined {
  const key = header(request, 'idempotency-key');
  if (key === undefined) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new Problem('invalid-input', 'Idempotency-Key is not understood.', [
    { path: 'Idempotency-Key', message: 'must be 1 to 200 printable characters without blanks' },
  ]);
}

/** The command as a workflow takes it. The name is part of the hash: a key is good for one command only. */
export function commandOf<Body>(
  name: string,
  { body, operator, request }: Call<Body, unknown>,
): { command: Command<Body>; deadlineMs: number } {
  const { deadlineMs, notAfter } = commandDeadline();
  const key = keyIn(request);
  const ifMatch = revisionIn(request);
  const bodyHash = createHash('sha256')
    .update(JSON.stringify([name, body]))
    .digest('hex');
  return {
    deadlineMs,
    command: {
      body,
      actor: operator.id,
      notAfter,
      ...(key === undefined ? {} : { idempotency: { key, bodyHash } }),
      ...(ifMatch === undefined ? {} : { ifMatch }),
    },
  };
}
