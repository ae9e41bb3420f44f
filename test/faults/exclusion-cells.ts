import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defenderScope, send } from '../../simulator/testing.js';
import { DAY_MS, plus, toInstant } from '../../src/domain/time.js';
import { englishCustomer } from '../support/effects.js';
import { House, SMTP_PASSWORD, type HouseOptions, type Reply, type SimMail } from '../support/house.js';
import { eventually } from './fault-scenes.js';

/*
 * One exclusion of a customer of its own: our own filter and an indicator in Defender, for a customer who asked for it.
 * What people do to it, and what can be seen of it from outside.
 */

export type Exclusion = Reply['body'];

interface Indicator {
  id: string;
  title: string;
  action: string;
  indicatorType: string;
  indicatorValue: string;
  expirationTime: string | null;
}

export interface Cell {
  house: House;
  customer: string;
  tenantId: string;
  /** Where the customer's mails go. */
  address: string;
  sha256: string;
  /** The exclusion; empty before there is one. */
  id: string;
  /** The tenant's indicators that are nobody's business here. */
  others: Indicator[];
}

export interface Opened {
  house: House;
  cells: Cell[];
}

/** A house with a customer, and a tenant, for each cell. */
export async function openCells(count: number, options: HouseOptions): Promise<Opened> {
  const suffix = randomUUID().slice(0, 8);
  const customers = Array.from({ length: count }, (_, index) => englishCustomer(`cell${index}-${suffix}`, index));
  const house = await House.open({ ...options, customers });
  const cells = customers.map(({ id, defender, mail }) => ({
    house,
    customer: id,
    tenantId: defender.tenantId,
    address: mail.to.join(),
    sha256: randomBytes(32).toString('hex'),
    id: '',
    others: [],
  }));
  return { house, cells };
}

const tokenSchema = z.object({ access_token: z.string() });

/** What the tenant has of others: one that blocks, and one of an exclusion that was made elsewhere. */
async function othersIn({ house, tenantId }: Cell): Promise<void> {
  const { defenderClientId, defenderClientSecret } = house.sim.credentials;
  const form = new URLSearchParams({
    client_id: defenderClientId,
    client_secret: defenderClientSecret,
    grant_type: 'client_credentials',
    scope: defenderScope,
  });
  const answer = await send('POST', `${house.sim.url}/${tenantId}/oauth2/v2.0/token`, { form });
  const headers = { authorization: `Bearer ${answer.json(tokenSchema).access_token}` };
  const description = 'by hand';
  const Indicators = [
    {
      indicatorType: 'FileSha256',
      indicatorValue: randomBytes(32).toString('hex'),
      action: 'Block',
      title: 'A dropper',
      description,
    },
    {
      indicatorType: 'DomainName',
      indicatorValue: 'backup.globex.example',
      action: 'Allowed',
      title: 'Mimamori exclusion:other:1',
      description,
    },
  ];
  const imported = await send('POST', `${house.sim.url}/api/indicators/import`, { headers, json: { Indicators } });
  assert.equal(imported.status, 200, imported.text);
}

export async function indicatorsOf({ house, tenantId }: Cell): Promise<Indicator[]> {
  return (await house.control('GET', `/sim/tenants/${tenantId}/indicators`)).items;
}

const isOwn =
  ({ id }: Cell) =>
  ({ title }: Indicator) =>
    title === `Mimamori ${id}`;

export async function ownIndicators(cell: Cell): Promise<Indicator[]> {
  return (await indicatorsOf(cell)).filter(isOwn(cell));
}

// What people do

const pathOf = ({ id }: Cell, rest = '') => `/v1/exclusions/${encodeURIComponent(id)}${rest}`;

/** Proposed by one operator, on the customer's request. */
export async function propose(cell: Cell, { ownFilter = true } = {}): Promise<void> {
  const { house, customer, sha256 } = cell;
  await othersIn(cell);
  cell.others = await indicatorsOf(cell);
  const now = toInstant(Date.now());
  const body = {
    conditions: { sha256 },
    reason: 'The customer’s own backup',
    expiresAt: plus(now, 30 * DAY_MS),
    set: { ownFilter, defenderIndicator: true },
    customerRequest: { by: 'Alex Jones', channel: 'mail', receivedAt: now, words: 'Please leave our backup alone.' },
  };
  const options = { headers: { 'Idempotency-Key': randomUUID() } };
  const reply = await patiently('proposed', () => house.post(`/v1/customers/${customer}/exclusions`, body, options));
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  cell.id = reply.body.id;
}

/** A caller who is told 503 by a busy house sends the same again, with the same key. */
function patiently(what: string, ask: () => Promise<Reply>): Promise<Reply> {
  return eventually(what, async () => {
    const reply = await ask();
    return reply.status === 503 ? undefined : reply;
  });
}

/** A command by another operator, with whatever it answers. */
export function tried(cell: Cell, command: string, body: unknown): Promise<Reply> {
  const options = { as: 'second' as const, headers: { 'Idempotency-Key': randomUUID() } };
  return patiently(command, () => cell.house.post(pathOf(cell, `/${command}`), body, options));
}

async function give(cell: Cell, command: string, body: unknown): Promise<void> {
  const reply = await tried(cell, command, body);
  assert.equal(reply.status, 200, `${command}: ${JSON.stringify(reply.body).slice(0, 500)}`);
}

export const approve = (cell: Cell) => give(cell, 'approve', { reason: 'known software' });
export const retry = (cell: Cell) => give(cell, 'retry', { reason: 'mended' });
export const withdraw = (cell: Cell) => give(cell, 'withdraw', { reason: 'a mistake' });
export const endNow = (cell: Cell) =>
  give(cell, 'shorten', { expiresAt: toInstant(Date.now()), reason: 'no longer needed' });

/** Up to where the customer has been told that it holds. */
export async function confirmed(cell: Cell): Promise<void> {
  await propose(cell);
  await approve(cell);
  await when(cell, 'confirmed', ({ state }) => state === 'confirmed');
}

// What can be seen

export async function when(
  cell: Cell,
  what: string,
  holds: (exclusion: Exclusion) => boolean,
  timeoutMs?: number,
): Promise<Exclusion> {
  let last: Exclusion;
  try {
    return await eventually(
      what,
      async () => {
        const reply = await cell.house.get(pathOf(cell));
        // What is shown of it while nobody can be asked says less than is asked for here.
        if (reply.status !== 200 || reply.body.partial === true) return undefined;
        last = reply.body;
        return holds(last) ? last : undefined;
      },
      timeoutMs,
    );
  } catch (error) {
    const { state, parts, attention, confirmation, endMail } = last ?? {};
    throw new Error(
      `${cell.id}: ${String(error)}\n${JSON.stringify({ state, parts, attention, confirmation, endMail }, null, 1)}`,
    );
  }
}

export type Part = 'own-filter' | 'defender-indicator';

export function partOf({ parts }: Exclusion, wanted: Part): { status: string; reason: string | null } {
  const found = parts.find(({ part }: { part: string }) => part === wanted);
  assert.ok(found, `no ${wanted}`);
  return found;
}

export async function mailsOf({ house, id }: Cell, kind: string): Promise<SimMail[]> {
  const all = await house.mails();
  return all.filter(({ headers, text }) => headers['x-mimamori-kind'] === kind && text.includes(id));
}

/** It takes long, and goes on. Where the machine is slow the SOC may hear so before it hears what came of it. */
const isTriedOn = ({ text }: SimMail): boolean => /\((defender-request-failing|mail-delayed)\)/.test(text);

/** What the SOC is told: that something takes long, and what has failed. */
export async function failuresTold(cell: Cell): Promise<{ triedOn: SimMail[]; failed: SimMail[] }> {
  const byId = new Map<string | undefined, SimMail>();
  for (const mail of await mailsOf(cell, 'soc-failure')) {
    const id = mail.headers['message-id'];
    // A worker that dies as the server takes a mail has it sent again: mail programs show it once, so it must be the same.
    assert.equal((byId.get(id) ?? mail).text, mail.text, 'a mail with the id of another is dropped by a mail program');
    byId.set(id, mail);
  }
  const told = [...byId.values()];
  return { triedOn: told.filter(isTriedOn), failed: told.filter((mail) => !isTriedOn(mail)) };
}

/** The mail to the SOC that says so. */
export function failureMail(cell: Cell, says: RegExp): Promise<SimMail> {
  return eventually(`the SOC is told of ${cell.id}: ${String(says)}`, async () => {
    const { triedOn, failed } = await failuresTold(cell);
    assert.ok(failed.length <= 1, 'the SOC is told once');
    return [...triedOn, ...failed].find(({ text }) => says.test(text));
  });
}

/** An alert that it means, and what has become of it. */
export async function alertOf(cell: Cell): Promise<string> {
  const { house, customer, sha256 } = cell;
  const evidence = [{ entityType: 'File', fileName: 'backup.exe', filePath: 'C:\\Backup', sha256 }];
  const { id } = await house.alert(customer, { evidence });
  const incident = await eventually(`${id} is judged by nobody, or excluded`, async () => {
    const seen = await house.incident(id);
    return seen.stage === 'awaiting-triage' || seen.stage === 'closed' ? seen : undefined;
  });
  return incident.closeReason ?? incident.stage;
}

/** Nothing is tried or told any more, or will be before somebody or time does something. */
export function atRest({ house, id }: Cell): Promise<true> {
  return eventually(`${id} is at rest`, async () => {
    const { raw } = await house.client.workflow.getHandle(id).describe();
    return (raw.pendingActivities ?? []).length === 0 && raw.pendingWorkflowTask == null ? true : undefined;
  });
}

/** Has Defender been asked about indicators, answered or not? */
export async function wasAsked({ house, tenantId }: Cell, method: string): Promise<boolean> {
  const { items } = await house.control('GET', '/sim/requests?target=defender');
  return items.some(
    (request: { method: string; path: string; tenantId?: string }) =>
      request.method === method && request.path.startsWith('/api/indicators') && request.tenantId === tenantId,
  );
}

const SECRETS = [SMTP_PASSWORD, 'Bearer ', 'eyJ'];

/**
 * What must be true in the end, whatever failed: so many indicators and so many mails of each kind, nobody else's
 * indicator touched, no step of the workflow failed, no secret told.
 */
export async function assertEnd(
  cell: Cell,
  { indicators, socMails, mails }: { indicators: 0 | 1; socMails: number; mails: Record<string, 0 | 1 | 2> },
): Promise<void> {
  const { house, id, sha256, address, others } = cell;
  await atRest(cell);
  const all = await indicatorsOf(cell);
  assert.deepEqual(
    all.filter((indicator) => !isOwn(cell)(indicator)),
    others,
    'those of others are as they were',
  );
  assert.deepEqual(
    all.filter(isOwn(cell)).map(({ action, indicatorValue }) => [action, indicatorValue]),
    indicators === 0 ? [] : [['Allowed', sha256]],
  );
  for (const [kind, count] of Object.entries(mails)) {
    const sent = await mailsOf(cell, kind);
    // The same mail may come twice where the connection was cut: mail programs show it once.
    assert.equal(new Set(sent.map(({ headers }) => headers['message-id'])).size, count, `${kind}: ${sent.length}`);
    assert.ok(new Set(sent.map(({ text }) => text)).size <= count, `${kind}: the same words each time`);
    for (const { to } of sent) assert.deepEqual(to, [address]);
  }
  const { triedOn, failed } = await failuresTold(cell);
  const told = [...triedOn, ...failed];
  const isRight = told.length === socMails || (failed.length === socMails && triedOn.length === 1);
  assert.ok(isRight, `told ${told.length} times, not ${socMails}: ${told.map(({ text }) => text).join('\n')}`);
  const text = JSON.stringify([(await house.get(pathOf(cell))).body, told]);
  for (const secret of [...SECRETS, house.sim.credentials.defenderClientSecret])
    assert.ok(!text.includes(secret), `a secret is told: ${secret.slice(0, 12)}`);
  const { events } = await house.client.workflow.getHandle(id).fetchHistory();
  const failedTasks = (events ?? []).filter(({ workflowTaskFailedEventAttributes: failure }) => failure != null);
  assert.equal(failedTasks.length, 0, 'a workflow task failed');
}
