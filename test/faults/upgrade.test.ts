import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { until } from '../../simulator/testing.js';
import { isCutOff, newDevice } from '../support/devices.js';
import { englishCustomer, jones } from '../support/effects.js';
import { House, verdict } from '../support/house.js';
import { testConverter } from '../support/keys.js';
import { PRESENT, versionBefore, type Version } from '../support/versions.js';
import { SCENES, type Standing } from './upgrade-scenes.js';

/*
 * A new version beside an old one, with some fifty incidents open in every stage: what the old one has begun is gone on
 * with by both, and ends well under the new one.
 */

const suffix = randomUUID().slice(0, 8);

const LIVES = Object.entries(SCENES).flatMap(([name, { scene, lives, customer }]) =>
  Array.from({ length: lives }, (_, serial) => ({ name, scene, serial, more: customer })),
);

/** For what is begun by the new version alone. */
const LATER = Array.from({ length: 6 }, (_, index) => `later${index}-${suffix}`);

function customers() {
  return [
    ...LIVES.map(({ more }, index) => englishCustomer(lifeOf(index), 400 + index, more)),
    ...LATER.map((id, index) => englishCustomer(id, 600 + index)),
  ];
}

function lifeOf(index: number): string {
  return `life${index}-${suffix}`;
}

interface Run {
  workflowId: string;
  runId: string;
  type: string;
}

/** The telephone goes on ringing until the other version is there. */
const RINGS_ON = { phoneRounds: 100, phoneRoundPauseMs: 500 };

/** A few at a time: more would wait for the processor, and for nothing that is looked at here. */
const AT_ONCE = 6;

async function someAtOnce<T, R>(all: readonly T[], work: (each: T) => Promise<R>): Promise<R[]> {
  const waiting = all.entries();
  const results: R[] = [];
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const [index, each] of waiting) results[index] = await work(each);
  });
  await Promise.all(workers);
  return results;
}

describe('a new version while incidents are open', function () {
  this.timeout(150_000);
  let old: Awaited<ReturnType<typeof versionBefore>>;
  let house: House;
  let stopOld: () => Promise<void>;
  const later: { id: string; customer: string; machineId: string }[] = [];
  /** Every other life is ended while both versions are up. */
  const standing: { name: string; serial: number; customer: string; isEarly: boolean; life: Standing }[] = [];

  before(async () => {
    old = await versionBefore();
    house = await House.open({ customers: customers(), mailbox: true, version: old, worker: false, service: RINGS_ON });
    stopOld = await house.startWorker(old);
  });
  after(async () => {
    await house.close();
    old.discard();
  });

  async function runs(): Promise<Run[]> {
    const found: Run[] = [];
    const query = `TaskQueue = '${house.taskQueue}'`;
    for await (const { workflowId, runId, type } of house.client.workflow.list({ query })) {
      found.push({ workflowId, runId, type });
    }
    return found;
  }

  /** The runs whose history that version would not go on with, and why. */
  async function refusedBy({ workflows }: Version, which: readonly Run[]): Promise<Map<string, string>> {
    const { code } = await workflows();
    const { client } = house;
    const histories = await someAtOnce(which, async ({ workflowId, runId }) => ({
      workflowId,
      history: await client.workflow.getHandle(workflowId, runId).fetchHistory(),
    }));
    const refused = new Map<string, string>();
    const options = { workflowBundle: { code }, dataConverter: testConverter };
    for await (const { runId, error } of Worker.runReplayHistories(options, histories)) {
      const run = which.find((each) => each.runId === runId);
      if (error !== undefined) refused.set(run?.workflowId ?? runId, error.message);
    }
    return refused;
  }

  async function end(isWanted: (each: (typeof standing)[number]) => boolean): Promise<void> {
    const failures = await someAtOnce(standing.filter(isWanted), async ({ name, life }) => {
      try {
        await life.end();
        return [];
      } catch (error) {
        return [`${name} (${life.incidents.join(', ')}): ${String(error)}`];
      }
    });
    assert.deepEqual(failures.flat(), []);
  }

  it('finds fifty of them in every stage, as the old version has brought them there', async () => {
    const begun = await someAtOnce([...LIVES.entries()], async ([index, { name, scene, serial }]) => ({
      name,
      serial,
      customer: lifeOf(index),
      isEarly: index % 2 === 1,
      life: await scene({ house, customer: lifeOf(index), serial }),
    }));
    standing.push(...begun);
    assert.ok(standing.flatMap(({ life }) => life.incidents).length >= 50);
  });

  it('replays all that the old one has written', async () => {
    const written = await runs();
    const types = new Set(written.map(({ type }) => type));
    for (const type of [
      'incident',
      'device',
      'phone',
      'customer',
      'exclusionRequest',
      'inquiry',
      'heldMail',
      'mailbox',
    ]) {
      assert.ok(types.has(type), type);
    }
    // Of each scene one: what is the same need not be looked at twice.
    const first = new Set(standing.filter(({ serial }) => serial === 0).map(({ customer }) => customer));
    const looked = written.filter(({ workflowId, type }) => {
      const [, customer = ''] = workflowId.split(':');
      return first.has(customer) || type === 'heldMail' || type === 'mailbox';
    });
    assert.deepEqual([...(await refusedBy(PRESENT, looked))], []);
  });

  it('ends half of them beside the old one', async () => {
    await house.startWorker();
    await end(({ isEarly }) => isEarly);
  });

  it('begins what the old one leaves alone, also where its API comes too early', async () => {
    await house.replaceApi(PRESENT);
    for (const customer of LATER) {
      const machineId = await newDevice(house, customer, {});
      const { id } = await house.alert(customer, { machineId });
      later.push({ id, customer, machineId });
    }
    // Whichever worker was asked: what is answered 503 may be repeated.
    const judged = later.map(({ id }) => {
      const headers = { 'Idempotency-Key': randomUUID() };
      const judge = () => house.post(`/v1/incidents/${encodeURIComponent(id)}/triage`, verdict(3), { headers });
      return until(
        `${id} is judged`,
        async () => {
          const { status, body } = await judge();
          assert.ok([200, 503].includes(status), JSON.stringify(body));
          return status === 200 ? true : undefined;
        },
        90_000,
      );
    });
    const outcomes = Promise.allSettled(judged);
    await Promise.any(judged);
    await stopOld();
    for (const outcome of await outcomes) assert.equal(outcome.status, 'fulfilled');
  });

  it('ends the rest once the old one is gone', async () => {
    await end(({ isEarly }) => !isEarly);
    const ends = await someAtOnce(later, async ({ id, customer, machineId }) => {
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release', 30_000);
      assert.ok(await isCutOff(house, customer, machineId));
      await house.command(id, 'release', { instruction: jones() });
      await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified', 30_000);
      return isCutOff(house, customer, machineId);
    });
    assert.deepEqual(
      ends,
      later.map(() => false),
    );
    const begun = (await runs()).filter(({ workflowId }) => later.some(({ id }) => id === workflowId));
    assert.deepEqual([...(await refusedBy(PRESENT, begun))], []);
    assert.deepEqual([...(await refusedBy(old, begun)).keys()].sort(), later.map(({ id }) => id).sort());
  });

  it('has told nobody anything twice, left nothing owed, and replays every run', async () => {
    for (const { name, life } of standing) {
      for (const id of life.incidents) {
        const { stage, duties, attention } = await house.incident(id);
        const owed = duties.filter(({ status }: { status: string }) => status === 'owed' || status === 'running');
        assert.deepEqual([stage, owed, attention], ['closed', [], []], `${name}: ${id}`);
      }
    }
    const messageIds = (await house.mails()).map(({ headers }) => headers['message-id']);
    assert.equal(new Set(messageIds).size, messageIds.length);
    const all = await until('every run is listed', async () => {
      const listed = await runs();
      return standing.every(({ life }) =>
        life.incidents.every((id) => listed.some(({ workflowId }) => workflowId === id)),
      )
        ? listed
        : undefined;
    });
    assert.deepEqual([...(await refusedBy(PRESENT, all))], []);
  });
});
