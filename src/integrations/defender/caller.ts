import axios from 'axios';
import { z } from 'zod';
import { connectionFailure, httpDefaults } from '../http.js';
import { refusal, retryAfterMs, type Answer } from './answer.js';
import { DefenderError } from './errors.js';
import { createGate, pause } from '../gate.js';
import type { SignIn } from './sign-in.js';

/** A customer's tenant and the host that serves it (never mixed: an action may be unknown on another host). */
export interface Tenant {
  tenantId: string;
  /** E.g. `https://api.security.microsoft.com`. */
  apiBase: string;
}

export interface Call {
  method: 'GET' | 'POST' | 'DELETE';
  /** Below `apiBase`, its segments encoded. */
  path: string;
  query?: Record<string, string>;
  body?: Record<string, unknown>;
}

/** Sends a call and returns whatever was answered, except 401 and 429 that can be helped at once. */
export type Caller = (tenant: Tenant, call: Call, signal: AbortSignal | undefined) => Promise<Answer>;

/** A pause up to this long is waited for here; a longer one is the caller's, who can wait durably. */
const LONGEST_WAIT_MS = 5_000;
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
}

export function createCaller({ signIn, timeoutMs, maxInFlightPerTenant }: CallerOptions): Caller {
  const gate = createGate({ maxInFlight: maxInFlightPerTenant });
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
    const response = await client
      .request<unknown>({
        method: call.method,
        url: tenant.apiBase.replace(/\/+$/, '') + call.path,
        params: call.query,
        data: call.body,
        headers: { Authorization: `Bearer ${token}` },
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      })
      .catch((error: unknown) => {
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

  /** Returns when the tenant takes calls again, if that is soon. */
  async function untilOpen(tenantId: string, signal: AbortSignal | undefined): Promise<void> {
    const closedForMs = gate.closedForMs(tenantId);
    if (closedForMs === 0) return;
    if (closedForMs > LONGEST_WAIT_MS) {
      const seconds = Math.ceil(closedForMs / 1_000);
      throw new DefenderError(`Defender wants no calls for tenant ${tenantId} for another ${seconds} s`, {
        kind: 'throttled',
        retryAfterMs: closedForMs,
        mayHaveWorked: false,
      });
    }
    await pause(closedForMs, signal);
  }

  async function call(tenant: Tenant, request: Call, signal: AbortSignal | undefined): Promise<Answer> {
    let renew = false;
    let throttled = 0;
    for (;;) {
      await untilOpen(tenant.tenantId, signal);
      const token = await signIn.token(tenant.tenantId, { renew });
      const answer = await send(tenant, request, token, signal);
      if (answer.status === 429) {
        const durationMs = retryAfterMs(answer, Date.now());
        gate.close(tenant.tenantId, durationMs);
        throttled += 1;
        if (durationMs > LONGEST_WAIT_MS || throttled > MAX_THROTTLED_REPEATS) throw refusal(answer);
      } else if (answer.status === 401 && !renew) {
        renew = true;
      } else {
        return answer;
      }
    }
  }

  return (tenant, request, signal) => gate.run(tenant.tenantId, signal, () => call(tenant, request, signal));
}
