import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startSimulator, type Credentials } from '../../simulator/index.js';

const mailSchema = z.object({
  from: z.string(),
  to: z.array(z.string()),
  cc: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  headers: z.record(z.string(), z.string()),
  envelope: z.object({ from: z.string(), to: z.array(z.string()) }),
});
const callSchema = z.object({ sid: z.string(), to: z.string(), status: z.string(), said: z.array(z.string()) });

/** A simulator of one's own, and what tests tell and ask it. */
export interface World {
  httpUrl: string;
  smtpUrl: string;
  tokenEndpoint: string;
  credentials: Credentials;
  reset(): Promise<void>;
  stop(): Promise<void>;
  fault(fault: { target: string; times: number } & Record<string, unknown>): Promise<void>;
  tenant(tenantId: string, changes: Record<string, unknown>): Promise<void>;
  machine(tenantId: string, machineId: string, changes: Record<string, unknown>): Promise<void>;
  machineActions(tenantId: string): Promise<unknown[]>;
  requests(target: string): Promise<unknown[]>;
  mails(): Promise<z.infer<typeof mailSchema>[]>;
  mailbox(address: string, refusal: { rejects: number; message: string }): Promise<void>;
  phone(number: string, behaviour: Record<string, unknown>): Promise<void>;
  calls(): Promise<z.infer<typeof callSchema>[]>;
}

export async function startWorld(options: Partial<Credentials> = {}): Promise<World> {
  const simulator = await startSimulator(options);

  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${simulator.url}/sim${path}`, { method, body: JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async function list<T>(path: string, item: z.ZodType<T>): Promise<T[]> {
    return z.object({ items: z.array(item) }).parse(await ask('GET', path)).items;
  }

  async function tell(method: string, path: string, body?: unknown): Promise<void> {
    await ask(method, path, body);
  }

  return {
    httpUrl: simulator.url,
    smtpUrl: simulator.smtpUrl,
    tokenEndpoint: `${simulator.url}/{tenantid}/oauth2/v2.0/token`,
    credentials: simulator.credentials,
    reset: () => tell('POST', '/reset'),
    stop: () => simulator.stop(),
    fault: (fault) => tell('POST', '/faults', fault),
    tenant: (tenantId, changes) => tell('PATCH', `/tenants/${tenantId}`, changes),
    machine: (tenantId, machineId, changes) =>
      tell('PATCH', `/tenants/${tenantId}/machines/${encodeURIComponent(machineId)}`, changes),
    machineActions: (tenantId) => list(`/tenants/${tenantId}/machineactions`, z.unknown()),
    requests: (target) => list(`/requests?target=${target}`, z.unknown()),
    mails: () => list('/mails', mailSchema),
    mailbox: (address, refusal) => tell('PUT', `/mailboxes/${address}`, refusal),
    phone: (number, behaviour) => tell('PUT', `/phones/${encodeURIComponent(number)}`, behaviour),
    calls: () => list('/calls', callSchema),
  };
}

/** Resolves as soon as the condition holds; fails after 5 s. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadlineMs, `not within 5 s: ${holds.toString()}`);
    await sleep(20);
  }
}
