import assert from 'node:assert/strict';
import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { until } from '../../simulator/testing.js';
import { customerWorkflowId } from '../../src/domain/customers/record.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { feedStateSchema, openFeed } from '../../src/domain/feed/state.js';
import { feedWorkflowId } from '../../src/domain/feed/view.js';
import { searchKeys } from '../../src/domain/lists.js';
import { phoneWorkflowId } from '../../src/domain/phone/record.js';
import { feedQueue } from '../../src/domain/ports.js';
import { DAY_MS, MINUTE_MS, plus } from '../../src/domain/time.js';
import { newestRun } from '../../src/temporal/executions.js';
import { ensureFeeds } from '../../src/temporal/feeds.js';
import { deviceQuery } from '../../src/workflows/messages.js';
import { calm, judgeAgain } from '../support/effects.js';
import { actionsOf, isCutOff, newDevice } from '../support/devices.js';
import { House, instruction, verdict, type Reply } from '../support/house.js';
import { localServer, startLocal } from '../support/temporal.js';
import { testConverter } from '../support/keys.js';

/** One life of a level-4 incident, the same each time it is lived. */
interface Lived {
  id: string;
  machineIds: string[];
  incident: Reply['body'];
  mails: string[];
  calls: string[];
  actions: string[][];
  /** How many runs each workflow took. */
  runs: { incident: number; devices: number[]; phone: number };
}

interface Run {
  runId: string;
  /** The run that it goes on from. */
  before: string | undefined;
}

async function runOf(house: House, workflowId: string, runId: string): Promise<Run> {
  const { events } = await house.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const before = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  return { runId, before: before == null || before === '' ? undefined : before };
}

/** The runs of a workflow, followed backwards from the newest: no list that may lag behind is asked. */
async function runsOf(house: House, workflowId: string): Promise<Run[]> {
  const newest = await house.client.workflow.getHandle(workflowId).describe();
  const runs: Run[] = [];
  let next: string | undefined = newest.runId;
  while (next !== undefined) {
    const run: Run = await runOf(house, workflowId, next);
    runs.push(run);
    next = run.before;
  }
  return runs;
}

async function live(house: House): Promise<Lived> {
  const acme = house.customer('acme');
  const machineIds = [
    await newDevice(house, acme, {}),
    await newDevice(house, acme, {}),
    await newDevice(house, acme, {}),
  ];
  const [own, ...others] = machineIds;
  const names = await Promise.all(
    others.map(async (machineId) => ({ machineId, name: await nameOf(house, acme, machineId) })),
  );
  const { id } = await house.alert(acme, { machineId: own });
  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });

  await house.command(id, 'assign', { operatorId: 'analyst' }, keyed('assign-1'));
  await house.command(id, 'notes', { text: 'first look' }, keyed('note-1'));
  await house.command(
    id,
    'triage',
    verdict(4, { devices: names, judgement: 'undetermined', askCustomer: 'Whose tool is it?' }),
    keyed('triage-1'),
  );
  await house.incidentWhen(id, 'isolated, told, acknowledged', ({ stage }) => stage === 'awaiting-release');
  for (const message of ['second-stage', 'third-stage']) {
    await house.command(id, 'escalations', { message }, keyed(`escalate-${message}`));
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'awaiting-release');
  }
  const answer = { by: '佐藤', channel: 'mail', receivedAt: new Date().toISOString(), words: 'Ours.' };
  await house.command(id, 'answers', answer, keyed('answer-1'));
  // A verdict that takes nothing back, and one device given back after the other.
  await judgeAgain(house, id, verdict(3, { devices: [names[0]] }));
  await house.incidentWhen(id, 'told', ({ stage }) => stage === 'awaiting-release');
  const order = { instruction: instruction() };
  for (const machineId of machineIds) {
    const body = { machineIds: [machineId], ...order };
    const first = await house.command(id, 'release', body, keyed(`release-${machineId}`));
    await house.incidentWhen(
      id,
      'released',
      ({ devices, stage }) =>
        stage !== 'responding' &&
        devices.some(
          (device: Record<string, string>) => device['machineId'] === machineId && device['isolation'] === 'none',
        ),
    );
    // The same keys once more, whatever run they were handled in.
    const again = await house.command(id, 'release', body, keyed(`release-${machineId}`));
    assert.deepEqual(again.devices, first.devices);
    await house.command(id, 'notes', { text: 'first look' }, keyed('note-1'));
    const other = await house.post(`/v1/incidents/${encodeURIComponent(id)}/notes`, { text: 'other' }, keyed('note-1'));
    assert.equal(other.body.code, 'idempotency-mismatch');
  }
  await house.command(id, 'escalations', { message: 'second-stage' }, keyed('escalate-second-stage'));
  await house.command(id, 'close', { reason: 'cleaned' }, keyed('close-1'));
  await calm(house);
  return {
    id,
    machineIds,
    incident: await house.incident(id),
    mails: (await house.mails(id)).map(
      ({ headers, subject }) => `${headers['x-mimamori-kind'] ?? ''} ${subject.replaceAll(id, '')}`,
    ),
    calls: (await house.calls()).map(({ to, status }) => `${to} ${status}`),
    actions: await Promise.all(machineIds.map((machineId) => actionsOf(house, acme, machineId))),
    runs: {
      incident: (await runsOf(house, id)).length,
      devices: await Promise.all(
        machineIds.map(async (machineId) => (await runsOf(house, deviceWorkflowId(acme, machineId))).length),
      ),
      phone: (await runsOf(house, phoneWorkflowId(acme))).length,
    },
  };
}

async function nameOf(house: House, customer: string, machineId: string): Promise<string> {
  const { items } = await house.control('GET', `/sim/tenants/${house.tenantOf(customer)}/machines`);
  const machines: { id: string; computerDnsName: string }[] = items;
  return machines.find(({ id }) => id === machineId)?.computerDnsName ?? '';
}

function entries({ timeline }: Reply['body']): string[] {
  const all: { type: string; actor: string }[] = timeline;
  return all.map(({ type, actor }) => `${type} ${actor}`).sort();
}

function dutiesOf({ incident, machineIds }: Lived): string[] {
  const all: { id: string; status: string }[] = incident.duties;
  const named = (id: string) =>
    machineIds.reduce((text, machineId, index) => text.replaceAll(machineId, `m${index}`), id);
  return all.map(({ id, status }) => `${named(id)} ${status}`).sort();
}

describe('an incident that continues as new in the middle of everything', function () {
  this.timeout(90_000);
  let short: TestWorkflowEnvironment;
  let house: House;
  let plainHouse: House;
  let lived: Lived;
  let plain: Lived;

  before(async () => {
    [short, plainHouse] = await Promise.all([
      startLocal(['limit.historyCount.suggestContinueAsNew=20']),
      localServer().then((environment) => House.open({ environment })),
    ]);
    house = await House.open({ environment: short });
    [lived, plain] = await Promise.all([live(house), live(plainHouse)]);
  });
  after(async () => {
    await Promise.all([house.close(), plainHouse.close()]);
    await short.teardown();
  });

  it('does so several times, and so do its devices and the telephone; without the limit none does', () => {
    assert.ok(lived.runs.incident >= 4, `${lived.runs.incident} runs of the incident`);
    assert.ok(
      lived.runs.devices.every((runs) => runs >= 2),
      `${lived.runs.devices.join()} runs of the devices`,
    );
    assert.deepEqual(plain.runs, { incident: 1, devices: [1, 1, 1], phone: 1 });
  });

  it('sends the same mails, places the same calls and asks Defender the same, once', () => {
    assert.deepEqual(
      lived.mails.map((mail) => mail.split(' ')[0]),
      plain.mails.map((mail) => mail.split(' ')[0]),
    );
    assert.deepEqual(lived.calls, plain.calls);
    assert.deepEqual(lived.calls, ['+81312345678 completed']);
    assert.deepEqual(lived.actions, plain.actions);
    assert.deepEqual(
      lived.actions,
      lived.machineIds.map(() => ['Isolate Succeeded', 'Unisolate Succeeded']),
    );
  });

  it('keeps every duty, question and answer, and the whole timeline', () => {
    assert.deepEqual(dutiesOf(lived), dutiesOf(plain));
    assert.deepEqual(entries(lived.incident), entries(plain.incident));
    assert.equal(lived.incident.timeline[0].type, 'alert-received');
    assert.equal(lived.incident.questions[0].answer.words, 'Ours.');
    assert.deepEqual([lived.incident.stage, lived.incident.closeReason], ['closed', 'resolved']);
    assert.equal(lived.incident.slo.state, 'met');
    assert.equal(lived.incident.assignee, 'analyst');
    const notes = lived.incident.timeline.filter(({ type }: { type: string }) => type === 'note');
    assert.equal(notes.length, 1, 'a repeated key does nothing twice');
  });

  it('one thread: every mail of the incident refers to the first', async () => {
    const customers = (await house.mails(lived.id)).filter(
      ({ headers }) => !headers['x-mimamori-kind']?.startsWith('soc-'),
    );
    const ids = customers.map(({ headers }) => headers['message-id']);
    assert.equal(new Set(ids).size, ids.length);
    for (const { headers } of customers.slice(1)) assert.ok(headers['references']?.includes(ids[0] ?? '?'));
  });

  it('lists show it as it is, once', async () => {
    const acme = house.customer('acme');
    const listed = await until('the list shows it closed', async () => {
      const { body } = await house.get(`/v1/incidents?customer=${acme}&stage=closed`);
      return body.items.length > 0 ? body.items : undefined;
    });
    assert.equal(listed.length, 1);
    const { id, level, assignee, devices } = listed[0];
    assert.deepEqual([id, level, assignee, devices.length], [lived.id, 3, 'analyst', 3]);
    const all = await house.get(`/v1/incidents?customer=${acme}`);
    assert.equal(all.body.items.length, 1);
  });

  it('a run that goes on with an open incident shows memo and attributes of its own', async () => {
    const acme = house.customer('acme');
    const { id } = await house.alert(acme);
    const waiting = async () => {
      const [newest] = await runsOf(house, id);
      return newest?.before === undefined ? undefined : newest.runId;
    };
    let notes = 0;
    const runId = await until('continued while it waits for its verdict', async () => {
      notes += 1;
      await house.command(id, 'notes', { text: `note ${notes}` });
      return waiting();
    });
    const { memo, typedSearchAttributes } = await house.client.workflow.getHandle(id, runId).describe();
    assert.ok(JSON.stringify(memo).includes('awaiting-triage'));
    assert.equal(typedSearchAttributes.get(searchKeys.stage), 'awaiting-triage');
    assert.equal(typedSearchAttributes.get(searchKeys.customerId), acme);
    const queue = await until('the queue holds it', async () => {
      const { body } = await house.get(`/v1/queue?customer=${acme}`);
      return body.items.some((item: { id: string }) => item.id === id) ? body.items : undefined;
    });
    assert.equal(queue.length, 1);
  });

  it('a device that another incident still holds is kept through the runs, and let go in the end', async () => {
    const acme = house.customer('acme');
    const machineId = await newDevice(house, acme, {});
    const held: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const { id } = await house.alert(acme, { machineId });
      held.push(id);
      await house.command(id, 'triage', verdict(3));
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    }
    const device = house.client.workflow.getHandle(deviceWorkflowId(acme, machineId));
    assert.ok((await runsOf(house, device.workflowId)).length >= 2);
    assert.deepEqual([...(await device.query(deviceQuery)).heldBy].sort(), [...held].sort());
    for (const [index, id] of held.entries()) {
      const { devices } = await house.command(id, 'release', { instruction: instruction() });
      assert.equal(devices[0].outcome, index < held.length - 1 ? 'held' : 'releasing');
    }
    for (const id of held) await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.equal(await isCutOff(house, acme, machineId), false);
    assert.deepEqual(await actionsOf(house, acme, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
  });

  it('the telephone rings on in a later run, and tells each incident its own', async () => {
    const globex = house.customer('globex');
    const number = '/sim/phones/+442079460101';
    const rung = async () => {
      const { id } = await house.alert(globex);
      await house.command(id, 'triage', verdict(4));
      const incident = await house.incidentWhen(id, 'settled', ({ stage }) => stage === 'awaiting-release');
      const duty = incident.duties.find(({ kind }: { kind: string }) => kind === 'phone');
      return `${duty.status} ${duty.reason ?? ''}`.trim();
    };
    await house.control('PUT', number, { answers: 'busy' });
    assert.equal(await rung(), 'failed phone-exhausted');
    const phone = phoneWorkflowId(globex);
    await until('the telephone went on in a new run', async () => {
      const runs = await runsOf(house, phone);
      return runs.length >= 2 ? runs : undefined;
    });
    await house.control('PUT', number, { answers: 'human', presses: '1' });
    assert.equal(await rung(), 'done');
    const calls = (await house.calls()).filter(({ to }) => to === '+442079460101');
    assert.deepEqual(
      calls.map(({ status }) => status),
      ['busy', 'busy', 'completed'],
    );
  });

  it('a customer’s tuning period holds on, with no device isolated, in the later runs too', async () => {
    const globex = house.customer('globex');
    const path = `/v1/customers/${globex}/tuning-periods`;
    const period = (from: string, reason: string) =>
      house.post(path, { from, until: '2099-01-01T00:00:00Z', reason }, { headers: { 'Idempotency-Key': reason } });
    assert.equal((await period(new Date().toISOString(), 'now')).status, 201);
    const workflowId = customerWorkflowId(globex);
    const { runId } = await house.client.workflow.getHandle(workflowId).describe();
    let rounds = 0;
    await until(
      'it has continued as new',
      async () => {
        rounds += 1;
        await period('2098-01-01T00:00:00Z', `later ${rounds}`);
        return (await house.client.workflow.getHandle(workflowId).describe()).runId === runId ? undefined : true;
      },
      20_000,
    );
    const { body: shown } = await house.get(`/v1/customers/${globex}`);
    assert.equal(shown.isolationAllowed, false);
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.deepEqual(await actionsOf(house, globex, machineId), []);
  });

  it('a feed’s later run says where the one before stood, even if it is stopped before it has written anything', async () => {
    const workflowId = feedWorkflowId('stood');
    const runs = new Set<string>();
    let state = openFeed('2026-11-24T00:00:00.000Z', 0);
    const worker = await Worker.create({
      connection: short.nativeConnection,
      namespace: short.namespace ?? 'default',
      taskQueue: feedQueue(house.taskQueue),
      dataConverter: testConverter,
      activities: {
        pollFeed: () => {
          runs.add(activityInfo().workflowExecution?.runId ?? '');
          if (runs.size > 1) throw ApplicationFailure.create({ message: 'polls again', nextRetryDelay: DAY_MS });
          state = { ...state, watermark: plus(state.watermark, MINUTE_MS) };
          return Promise.resolve({ state, ended: false });
        },
      },
    });
    await worker.runUntil(async () => {
      await ensureFeeds(house, ['stood']);
      await until('it has continued as new', () => (runs.size > 1 ? true : undefined));
      await house.client.workflow.getHandle(workflowId).terminate('stopped');
      const stopped = await newestRun(house.client, workflowId);
      assert.ok(stopped);
      assert.equal(feedStateSchema.safeParse(stopped.memo['feed']).data?.watermark, state.watermark);
    });
  });
});
