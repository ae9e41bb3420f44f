import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../simulator/testing.js';
import { duty, jones } from '../support/effects.js';
import { verdict, type House, type Reply } from '../support/house.js';
import type { Fault, HttpEndpoint } from './fault-table.js';

/* For each endpoint: how the service comes to call it, and what has to be true in the end. */

export interface Cell {
  house: House;
  customer: string;
  tenantId: string;
  machineId: string;
  number: string;
  /** The incident; empty before there is one. */
  id: string;
}

type Incident = Reply['body'];

/** Generous: a busy machine makes a short timeout fail several tries, and each waits longer before the next. */
export const SOON_MS = 150_000;
const LOOK_EVERY_MS = 500;

/** Waits for what `probe` finds, seldom enough that many can wait at once. */
export function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = SOON_MS): Promise<T> {
  return until(
    what,
    async () => {
      const found = await probe();
      if (found === undefined) await pause(LOOK_EVERY_MS);
      return found;
    },
    timeoutMs,
  );
}

/** The whole incident; undefined while a busy house cannot say it all. */
async function whole({ house, id }: Cell): Promise<Incident> {
  const { status, body } = await house.get(`/v1/incidents/${encodeURIComponent(id)}`);
  if (status === 503 || body.partial !== undefined) return undefined;
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
  return body;
}

export async function incidentWhen(
  cell: Cell,
  what: string,
  holds: (incident: Incident) => boolean,
  timeoutMs = SOON_MS,
): Promise<Incident> {
  let last: Incident;
  try {
    return await eventually(
      what,
      async () => {
        const seen = await whole(cell);
        if (seen === undefined) return undefined;
        last = seen;
        return holds(last) ? last : undefined;
      },
      timeoutMs,
    );
  } catch (error) {
    const { stage, attention, duties } = last ?? {};
    throw new Error(`${cell.id}: ${String(error)}\n${JSON.stringify({ stage, attention, duties }, null, 1)}`);
  }
}

export interface Scene {
  /** Which requests: those of this cell alone. */
  where(cell: Cell): Fault;
  /** Up to where the fault begins. */
  before(cell: Cell): Promise<void>;
  /** What makes the service call the endpoint. */
  provoke(cell: Cell): Promise<void>;
  /** After a failure: the fault is mended, and an analyst has it tried again. */
  again(cell: Cell): Promise<void>;
  isDone(cell: Cell, incident: Incident): boolean;
  /** What has to work while the fault goes on. */
  meanwhile?(cell: Cell): Promise<void>;
  /** The machine actions there must have been, and no others. */
  actions: readonly string[];
  /** Primary escalations; 1 where it is left out. */
  mails?: number;
}

const statusOf = (incident: Incident, id: string) => duty(incident, id)?.['status'];

const isolated = ({ machineId }: Cell, incident: Incident) => statusOf(incident, `isolate:${machineId}`) === 'done';

/** The device begins in a world of its own. */
export async function alerted(cell: Cell): Promise<void> {
  const { house, customer, machineId } = cell;
  cell.id = (await house.alert(customer, { machineId, computerDnsName: `${machineId.slice(0, 8)}.globex.example` })).id;
}

async function known(cell: Cell): Promise<void> {
  await alerted(cell);
  await incidentWhen(cell, 'the device is known', ({ timeline }) =>
    timeline.some(({ type }: { type: string }) => type === 'device-known'),
  );
}

/** A command as a patient analyst gives it: told 503 by a busy house, the same again with the same key. */
async function command({ house, id }: Cell, name: string, body: unknown, headers = {}): Promise<void> {
  const options = { headers: { 'Idempotency-Key': randomUUID(), ...headers } };
  const reply = await eventually(name, async () => {
    const answer = await house.post(`/v1/incidents/${encodeURIComponent(id)}/${name}`, body, options);
    return answer.status === 503 ? undefined : answer;
  });
  assert.equal(reply.status, 200, `${name}: ${JSON.stringify(reply.body).slice(0, 500)}`);
}

const judge = (level: 2 | 3 | 4) => (cell: Cell) => command(cell, 'triage', verdict(level));

async function lower(cell: Cell): Promise<void> {
  const { revision } = await incidentWhen(cell, 'readable', () => true);
  await command(cell, 'triage', verdict(2), { 'If-Match': `"${revision}"` });
}

async function isolatedFirst(cell: Cell): Promise<void> {
  await known(cell);
  await judge(3)(cell);
  await incidentWhen(cell, 'isolated', (incident) => isolated(cell, incident));
}

async function requested(cell: Cell): Promise<void> {
  await incidentWhen(cell, 'requested', ({ timeline }) =>
    timeline.some(({ text }: { text: { en: string } }) => text.en.includes('requested from Defender')),
  );
}

const order = (cell: Cell) => command(cell, 'release', { instruction: jones() });

const defender = (path: string, method: string) => (cell: Cell) => ({
  target: 'defender',
  path,
  method,
  tenantId: cell.tenantId,
});

const isolation: Omit<Scene, 'where' | 'before' | 'provoke'> = {
  again: judge(3),
  isDone: isolated,
  actions: ['Isolate Succeeded'],
};

/** A call that nobody answers is called off while it rings. */
const calledOff: Omit<Scene, 'where'> = {
  async before(cell) {
    const { house, number } = cell;
    await house.control('PUT', `/sim/phones/${number}`, { answers: 'nobody' });
    await known(cell);
    await judge(4)(cell);
    await incidentWhen(cell, 'isolated', (incident) => isolated(cell, incident));
    await incidentWhen(cell, 'told', (incident) => statusOf(incident, 'mail:primary') === 'done');
  },
  provoke: lower,
  again: () => Promise.resolve(),
  isDone: (_, incident) => statusOf(incident, 'phone') === 'cancelled',
  /** A telephone that was left in the lurch rings all the same for the next incident. */
  async meanwhile(cell) {
    const { house, number } = cell;
    await house.control('PUT', `/sim/phones/${number}`, { answers: 'human', presses: '1' });
    const next = { ...cell, machineId: machineIdOf() };
    await known(next);
    await judge(4)(next);
    await incidentWhen(next, 'acknowledged', (incident) => statusOf(incident, 'phone') === 'done');
  },
  actions: ['Isolate Succeeded'],
};

export const SCENES: Record<HttpEndpoint, Scene> = {
  'entra: token': {
    where: ({ tenantId }) => ({ target: 'entra', path: `/${tenantId}/` }),
    before: () => Promise.resolve(),
    provoke: alerted,
    again: () => Promise.resolve(),
    isDone: (_, { timeline }) => timeline.some(({ data }: { data?: { found?: boolean } }) => data?.found === true),
    actions: [],
    mails: 0,
  },
  'defender: machine': {
    ...isolation,
    where: defender('/api/machines/', 'GET'),
    before: () => Promise.resolve(),
    async provoke(cell) {
      await alerted(cell);
      await judge(3)(cell);
    },
  },
  'defender: list actions': {
    ...isolation,
    where: defender('/api/machineactions$', 'GET'),
    before: known,
    provoke: judge(3),
  },
  'defender: isolate': { ...isolation, where: defender('/isolate$', 'POST'), before: known, provoke: judge(3) },
  'defender: read action': {
    ...isolation,
    where: defender('/api/machineactions/', 'GET'),
    before: known,
    provoke: judge(3),
  },
  'defender: unisolate': {
    where: defender('/unisolate$', 'POST'),
    before: isolatedFirst,
    provoke: order,
    again: order,
    isDone: ({ machineId }, incident) => statusOf(incident, `release:${machineId}`) === 'done',
    actions: ['Isolate Succeeded', 'Unisolate Succeeded'],
  },
  'defender: cancel': {
    where: defender('/cancel$', 'POST'),
    async before(cell) {
      const { house, customer, machineId } = cell;
      await house.machine(customer, machineId, { online: false });
      await known(cell);
      await judge(3)(cell);
      await requested(cell);
      await incidentWhen(cell, 'told', (incident) => statusOf(incident, 'mail:primary') === 'done');
    },
    provoke: lower,
    again: () => Promise.resolve(),
    isDone: ({ machineId }, incident) => statusOf(incident, `isolate:${machineId}`) === 'cancelled',
    actions: ['Isolate Cancelled'],
  },
  'twilio: create call': {
    where: ({ number }) => ({ target: 'twilio', path: '/Calls.json', method: 'POST', number }),
    before: known,
    provoke: judge(4),
    again: judge(4),
    isDone: (_, incident) => statusOf(incident, 'phone') === 'done',
    actions: ['Isolate Succeeded'],
  },
  'twilio: read call': {
    ...calledOff,
    where: ({ number }) => ({ target: 'twilio', path: '/Calls/', method: 'GET', number }),
  },
  'twilio: hang up': {
    ...calledOff,
    where: ({ number }) => ({ target: 'twilio', path: '/Calls/', method: 'POST', number }),
  },
};

/** An isolation that waits for its device, and is followed meanwhile. */
export const FOLLOWED: Omit<Scene, 'where'> = {
  ...isolation,
  async before(cell) {
    await cell.house.machine(cell.customer, cell.machineId, { online: false });
    await known(cell);
    await judge(3)(cell);
    await requested(cell);
  },
  provoke: () => Promise.resolve(),
  async again({ house, customer, machineId }) {
    await house.machine(customer, machineId, { online: true });
  },
};

/** A mail to one customer, or by everybody's mail server. */
export const MAIL_SCENE: Omit<Scene, 'where'> = {
  before: known,
  provoke: judge(2),
  again: judge(2),
  isDone: (_, incident) => statusOf(incident, 'mail:primary') === 'done',
  actions: [],
};

export function machineIdOf(): string {
  return `${randomUUID()}${randomUUID()}`.replaceAll('-', '').slice(0, 40);
}
