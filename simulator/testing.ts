import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startSimulator, type Simulator, type SimulatorOptions } from './index.js';

const pollMs = 10;

/** Waits for what `probe` finds; fails with `what` was waited for. */
export const until = async <T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 10_000,
): Promise<T> => {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadlineMs) assert.fail(`Waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(pollMs);
  }
};

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body, with the fields that the test looks at. */
  json: <S extends z.ZodType>(schema: S) => z.output<S>;
}

export const send = async (
  method: string,
  url: string,
  options: { headers?: Record<string, string>; json?: unknown; form?: URLSearchParams } = {},
): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    headers: options.headers ?? {},
    body: options.form ?? (options.json === undefined ? null : JSON.stringify(options.json)),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: (schema) => schema.parse(JSON.parse(text)),
  };
};

export const defenderScope = 'https://api.securitycenter.microsoft.com/.default';

export const listOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item) });

export const machineActionSchema = z.object({
  id: z.guid(),
  type: z.string(),
  status: z.string(),
  machineId: z.string(),
  scope: z.string().nullable(),
  errorHResult: z.number(),
  requestorComment: z.string(),
  lastUpdateDateTimeUtc: z.string(),
  cancellationComment: z.string().nullable(),
});

export const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), target: z.string() }),
});

/** What tests do over and over with one simulator and one tenant. */
export class Bench {
  private constructor(
    readonly simulator: Simulator,
    readonly tenantId: string,
  ) {}

  static async start(options: SimulatorOptions = {}): Promise<Bench> {
    return new Bench(await startSimulator(options), '11111111-1111-4111-8111-111111111111');
  }

  async control(method: string, path: string, json?: unknown): Promise<Answer> {
    return send(method, `${this.simulator.url}/sim${path}`, { json });
  }

  async tenantControl(method: string, path: string, json?: unknown): Promise<Answer> {
    return this.control(method, `/tenants/${this.tenantId}${path}`, json);
  }

  async requestToken(changes: Record<string, string> = {}, tenantId = this.tenantId): Promise<Answer> {
    const form = new URLSearchParams({
      client_id: this.simulator.credentials.defenderClientId,
      client_secret: this.simulator.credentials.defenderClientSecret,
      grant_type: 'client_credentials',
      scope: defenderScope,
      ...changes,
    });
    return send('POST', `${this.simulator.url}/${tenantId}/oauth2/v2.0/token`, { form });
  }

  async token(tenantId = this.tenantId): Promise<string> {
    const answer = await this.requestToken({}, tenantId);
    return answer.json(z.object({ access_token: z.string() })).access_token;
  }

  /** With a fresh token, so that roles changed in the meantime are in it. */
  async defender(method: string, path: string, json?: unknown, tenantId = this.tenantId): Promise<Answer> {
    const headers = { authorization: `Bearer ${await this.token(tenantId)}` };
    return send(method, `${this.simulator.url}${path}`, { headers, json });
  }

  async isolate(machineId: string): Promise<string> {
    const answer = await this.defender('POST', `/api/machines/${machineId}/isolate`, {
      Comment: 'A test',
      IsolationType: 'Full',
    });
    assert.equal(answer.status, 201, answer.text);
    return answer.json(machineActionSchema).id;
  }

  async actionIn(status: string, id: string): Promise<z.output<typeof machineActionSchema>> {
    return until(`machine action ${status}`, async () => {
      const answer = await this.tenantControl('GET', '/machineactions');
      return answer.json(listOf(machineActionSchema)).items.find((item) => item.id === id && item.status === status);
    });
  }
}
