import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { House, Reply, SimMail } from './house.js';

/* What the service did to the world outside, as tests ask for it. */

interface SimRequest {
  target: string;
  method: string;
  path: string;
  tenantId?: string;
}

async function requests(house: House): Promise<SimRequest[]> {
  return (await house.control('GET', '/sim/requests')).items;
}

/** The POSTs that ask Defender to isolate, or to release, in the customer's tenant: answered or not. */
export async function asked(house: House, customerId: string, what: 'isolate' | 'unisolate'): Promise<string[]> {
  const tenantId = house.tenantOf(customerId);
  return (await requests(house))
    .filter((request) => request.method === 'POST' && request.tenantId === tenantId)
    .flatMap(({ path }) => {
      const [, machineId, verb] = /\/machines\/([^/]+)\/(isolate|unisolate)$/.exec(path) ?? [];
      return verb === what && machineId !== undefined ? [machineId] : [];
    });
}

const CALM_MS = 600;

/** Waits until for a while nothing has left the house: no mail, no call, no request that changes anything. */
export async function calm(house: House, timeoutMs = 15_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  const leaving = async () =>
    (await requests(house)).filter(({ target, method }) => target !== 'entra' && method !== 'GET').length;
  let count = await leaving();
  let sinceMs = Date.now();
  while (Date.now() - sinceMs < CALM_MS) {
    assert.ok(Date.now() < deadlineMs, 'the house never comes to rest');
    await pause(50);
    const now = await leaving();
    if (now !== count) sinceMs = Date.now();
    count = now;
  }
}

/** A changed verdict, by somebody who has read the incident as it is now. */
export async function judgeAgain(house: House, id: string, body: unknown): Promise<Reply['body']> {
  const { revision } = await house.incident(id);
  return house.command(id, 'triage', body, { headers: { 'If-Match': `"${revision}"` } });
}

/** A command on an incident, with whatever it answers. */
export function tried(house: House, id: string, name: string, body: unknown): Promise<Reply> {
  return house.post(`/v1/incidents/${encodeURIComponent(id)}/${name}`, body);
}

/** Asserts a refusal: its status, its code, and the path of what is wrong with the input. */
export function assertRefused(reply: Reply, status: number, code: string, path?: string): void {
  assert.deepEqual([reply.status, reply.body.code], [status, code], JSON.stringify(reply.body).slice(0, 500));
  assert.match(reply.headers.get('content-type') ?? '', /application\/problem\+json/);
  if (path === undefined) return;
  const errors: { path: string }[] = reply.body.errors;
  assert.ok(
    errors.some((error) => error.path === path),
    `${code} does not name ${path}: ${JSON.stringify(errors)}`,
  );
}

/** What the customer got of an incident, without the SOC's own mails. */
export async function customerMails(house: House, id: string): Promise<SimMail[]> {
  const all = await house.mails(id);
  return all.filter(({ headers }) => headers['x-mimamori-kind']?.startsWith('soc-') === false);
}

export async function mailOf(house: House, id: string, kind: string, index = 0): Promise<SimMail> {
  const found = (await house.mails(id)).filter(({ headers }) => headers['x-mimamori-kind'] === kind)[index];
  assert.ok(found, `${id} has no ${kind} mail ${index}: ${(await house.mailKinds(id)).join(', ')}`);
  return found;
}

/** Every mail but the first answers the one before it and names all before it: mail programs show one thread. */
export function assertOneThread(mails: readonly SimMail[]): void {
  const before: string[] = [];
  for (const { headers } of mails) {
    const references = (headers['references'] ?? '').split(/\s+/).filter((text) => text !== '');
    assert.deepEqual(references, before);
    assert.equal(headers['in-reply-to'], before.at(-1));
    const own = headers['message-id'];
    assert.ok(own !== undefined && !before.includes(own), 'every mail has a Message-ID of its own');
    before.push(own);
  }
}

export function duty(incident: Reply['body'], id: string): Record<string, unknown> | undefined {
  const duties: { id: string }[] = incident.duties;
  return duties.find((entry) => entry.id === id);
}

export function timelineOf(incident: Reply['body'], type: string): { text: { en: string }; data?: Reply['body'] }[] {
  const entries: { type: string; text: { en: string }; data?: Reply['body'] }[] = incident.timeline;
  return entries.filter((entry) => entry.type === type);
}

/** A customer of one's own, with a telephone of its own. */
export function englishCustomer(id: string, serial: number, more: Record<string, unknown> = {}) {
  const number = String(serial).padStart(4, '0');
  return {
    id,
    name: 'Globex Ltd',
    language: 'en' as const,
    timeZone: 'Europe/London',
    defender: { tenantId: `22222222-2222-4222-8222-22222222${number}` },
    mail: { to: [`security-${number}@globex.example`] },
    contacts: [
      { id: 'jones', name: 'Alex Jones', phone: `+44207946${number}`, mayInstruct: true, ringOrder: 1 },
      { id: 'smith', name: 'Kim Smith', phone: `+44207947${number}`, mayInstruct: false, ringOrder: 2 },
    ],
    ...more,
  };
}

/** An instruction of the person who may give one at such a customer. */
export function jones(more: Record<string, unknown> = {}) {
  return {
    by: 'jones',
    channel: 'mail',
    receivedAt: new Date().toISOString(),
    words: 'Please release it.',
    ...more,
  };
}
