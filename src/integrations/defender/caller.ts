import axios from 'axios';
import { z } from 'zod';
import { connectionFailure, httpDefaults } from '../http.js';
import { outside, pathTemplate } from '../outside.js';
import { refusal, retryAfterMs, type Answer } from './answer.js';
import { DefenderError } from './errors.js';
import type { Share, Shares } from '../allowance.js';
import { createGate, LONGEST_WAIT_MS, TurnRefused } from '../gate.js';
import type { SignIn } from './sign-in.js';

/** A customer's tenant and the host that serves it (never mixed: an action may be unknown on another host). */
export interface Tenant {
  tenantId: string;
  /** E.g. `https://api.security.microsoft.com`. */
  apiBase: string;
}

/** What a call is for, the most urgent first: a tenant's calls are counted together, whoever makes them. */
const urgencies = ['isolation', 'following', 'look-up', 'feed'] as const;
export type Urgency = (typeof urgencies)[number];

export interface Call {
  urgency: Urgency;
  method: 'GET' | 'POST' | 'DELETE';
  /** Below `apiBase`, its segments encoded. */
  path: string;
  query?: Record<string, string>;
  body?: Record<string, unknown>;
}

/** Sends a call and returns whatever was answered, except 401, 403 and 429 that can be helped at once. */
export type Caller = (tenant: Tenant, call: Call, signal: AbortSignal | undefined) => Promise<Answer>;

/** What Defender allows one application in each tenant; its 1,500 an hour are as many as 15 such minutes. */
const CALLS_PER_MINUTE = 100;

/** The code where a call has to leave room for what is more urgent. */
export const USED_UP = 'KeptForIsolations';

const MAX_THROTTLED_REPEATS = 3;
const MAX_ANSWER_BYTES = 16_000_000;

const headersSchema = z.looseObject({
  'retry-after': z.string().optional().catch(undefined),
  'mise-correlation-id': z.string().optional().catch(undefined),
});

export interface CallerOptions {
  signIn: SignIn;
  /** For one request, from its start to the end of its answer. */
  timeoutMs: number;
  maxInFlightPerTenant: number;
  /** What this client may count on in each tenant. Default: all that Defender allows. */
  callsPerMinute?: number;
}

/**
 * Isolations take what they need. Of the hundred calls a minute and 1,500 an hour, feeds use up to 24 and 850, look-ups up to
 * 52 and 760, what follows actions up to 54 and 880, and all of these together 94 and 1,270.
 */
function sharesOf(callsPerMinute: number): Shares {
  const share = (atOnce: number, perMinute: number): Share => ({
    atOnce: Math.max(1, Math.floor(atOnce * callsPerMinute)),
    perMinute: perMinute * callsPerMinute,
  });
  const own: Record<Urgency, Share | undefined> = {
    isolation: undefined,
    following: share(0.4, 0.14),
    'look-up': share(0.4, 0.12),
    feed: share(0.1, 0.14),
  };
  return { own: urgencies.map((urgency) => own[urgency]), common: share(0.5, 0.2) };
}

export function createCaller({
  signIn,
  timeoutMs,
  maxInFlightPerTenant,
  callsPerMinute = CALLS_PER_MINUTE,
}: CallerOptions): Caller {
  const gate = createGate({ maxInFlight: maxInFlightPerTenant, shares: sharesOf(callsPerMinute) });
  const client = axios.create({
    ...httpDefaults({ maxAnswerBytes: MAX_ANSWER_BYTES }),
    responseType: 'text',
    transformResponse: [(data: unknown) => data],
    headers: { Accept: 'application/json' },
  });

  async function send(tenant: Tenant, call: Call, token: string, signal: AbortSignal | undefined): Promise<Answer> {
    signal?.throwIfAborted();
    const changes = call.method !== 'GET';
    const limit = AbortSignal.timeout(timeoutMs);
    const asked = () =>
      client.request<unknown>({
        method: call.method,
        url: tenant.apiBase.replace(/\/+$/, '') + call.path,
        params: call.query,
        data: call.body,
        headers: { Authorization: `Bearer ${token}` },
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
    const response = await outside(
      `Defender ${call.method}`,
      { 'http.request.method': call.method, 'url.template': pathTemplate(call.path) },
      asked,
      ({ status }) => ({ 'http.response.status_code': status }),
    ).catch((error: unknown) => {
      signal?.throwIfAborted();
      const { code, sent } = connectionFailure(error);
      throw new DefenderError(`Defender gave no answer (${code})`, {
        kind: 'transient',
        code,
        mayHaveWorked: changes && sent,
      });
    });
    const headers = headersSchema.parse(response.headers);
    return {
      status: response.status,
      text: z.string().catch('').parse(response.data),
      retryAfter: headers['retry-after'],
      trackingId: headers['mise-correlation-id'],
      changes,
    };
  }

  /** Sends it when its turn has come: every try of a call waits for its own, so that what is more urgent goes before. */
  async function inTurn(tenant: Tenant, request: Call, renew: boolean, signal: AbortSignal | undefined) {
    const turn = { rank: urgencies.indexOf(request.urgency), ...(signal === undefined ? {} : { signal }) };
    return gate
      .run(tenant.tenantId, turn, async () =>
        send(tenant, request, await signIn.token(tenant.tenantId, { renew }), signal),
      )
      .catch((error: unknown) => {
        throw error instanceof TurnRefused ? noTurn(tenant, error) : error;
      });
  }

  return async (tenant, request, signal) => {
    let renew = false;
    let throttled = 0;
    for (;;) {
      const answer = await inTurn(tenant, request, renew, signal);
      if (answer.status === 429) {
        const durationMs = retryAfterMs(answer, Date.now());
        gate.close(tenant.tenantId, durationMs);
        throttled += 1;
        if (durationMs > LONGEST_WAIT_MS || throttled > MAX_THROTTLED_REPEATS) {
          throw refusal(answer, gate.closedForMs(tenant.tenantId, urgencies.indexOf(request.urgency)));
        }
      } else if ((answer.status === 401 || answer.status === 403) && !renew) {
        // A token carries the roles of the moment in which it was given out: one that was consented since is in a fresh one.
        renew = true;
      } else {
        return answer;
      }
    }
  };
}

function noTurn({ tenantId }: Tenant, { why, retryAfterMs: waitMs }: TurnRefused): DefenderError {
  const forSeconds = `for another ${Math.ceil(waitMs / 1_000)} s`;
  const words =
    why === 'closed'
      ? `Defender wants no calls for tenant ${tenantId} ${forSeconds}`
      : `the calls for tenant ${tenantId} are kept for isolations ${forSeconds}`;
  return new DefenderError(words, {
    kind: 'throttled',
    ...(why === 'closed' ? {} : { code: USED_UP }),
    retryAfterMs: waitMs,
    mayHaveWorked: false,
  });
}
