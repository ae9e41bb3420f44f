import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { until } from '../../simulator/testing.js';
import { projectAlert } from '../../src/domain/alert.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import { advance } from '../../src/domain/incident/advance.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import { incidentMemo, incidentSearch } from '../../src/domain/lists.js';
import { toInstant } from '../../src/domain/time.js';
import { ensureAudit, hasFailed } from '../../src/temporal/audit-schedule.js';
import { isCutOff, newDevice } from '../support/devices.js';
import { assertRefused, englishCustomer, jones, mailOf, timelineOf, tried } from '../support/effects.js';
import { policyOf } from '../domain/life.js';
import { House, verdict, type Reply, type SimMail } from '../support/house.js';
import { temporalCli } from '../support/temporal-cli.js';
import { bundleOf, startLocal } from '../support/temporal.js';
import { PRESENT } from '../support/versions.js';

const TARGET_MS = 3 * 3_600_000;
const PACE = { lookEveryMs: 400, patienceMs: 4_000 };

/** When an alert was made whose target ends then. */
function createdFor(dueAtMs: number): { alertCreationTime: string } {
  return { alertCreationTime: new Date(dueAtMs - TARGET_MS).toISOString() };
}

async function told(house: House, id: string): Promise<SimMail[]> {
  return (await house.mails()).filter(
    ({ headers, text }) => headers['x-mimamori-kind'] === 'soc-failure' && text.includes(id),
  );
}

function toldOf(house: House, id: string, count = 1): Promise<SimMail[]> {
  return until(
    `${count} mails that tell of ${id}`,
    async () => {
      const mails = await told(house, id);
      return mails.length >= count ? mails : undefined;
    },
    25_000,
  );
}

/** So that whatever would be told of what is there now has been told: every look after the next sees something new. */
async function twoLooks(house: House, customer: string): Promise<void> {
  for (let look = 0; look < 2; look += 1) {
    const { id } = await house.alert(customer, { severity: 'Medium' });
    await house.client.workflow.getHandle(id).terminate('to see the auditor look');
    await toldOf(house, id);
  }
}

async function queued(house: House, id: string): Promise<Reply['body'][]> {
  const { body } = await house.get('/v1/queue');
  return body.items.filter((item: Reply['body']) => item.id === id);
}

function reset(environment: TestWorkflowEnvironment, workflowId: string): Promise<string> {
  return temporalCli(
    environment,
    ...[
      'workflow',
      'reset',
      '--workflow-id',
      workflowId,
      '--type',
      'LastWorkflowTask',
      '--reason',
      'stopped by mistake',
    ],
  );
}

describe('the auditor’s last look', () => {
  for (const [what, lastFailure, failed] of [
    ['there was none', undefined, false],
    ['nothing new', { applicationFailureInfo: { type: 'NothingNew' } }, false],
    ['not told', { applicationFailureInfo: { type: 'NotTold' } }, true],
    ['timed out', { applicationFailureInfo: null }, true],
  ] as const) {
    it(`${what}: it ${failed ? 'failed' : 'did not fail'}`, () => {
      assert.equal(hasFailed(lastFailure), failed);
    });
  }
});

describe('the auditor', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let house: House;
  let globex: string;

  before(async () => {
    environment = await startLocal([
      'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=1',
      'limit.historyCount.suggestContinueAsNew=40',
    ]);
    globex = `globex-${randomUUID().slice(0, 8)}`;
    const customers = [englishCustomer(globex, 1)];
    house = await House.open({ environment, customers, audit: PACE, archiveEveryMs: PACE.lookEveryMs });
  });
  after(async () => {
    await house.close();
    await environment.teardown();
  });

  it('tells of an incident that was terminated, once, and once more when its time is up; after a reset it goes on', async () => {
    const dueAtMs = Date.now() + 20_000;
    const { id, alert } = await house.alert(globex, { ...createdFor(dueAtMs), title: 'A <b>stopped</b> one' });
    await house.incidentWhen(id, 'warned', ({ timeline }) => timeline.length > 2);
    await house.client.workflow.getHandle(id).terminate('a slip of the hand');

    const [stopped] = await toldOf(house, id);
    assert.ok(stopped);
    assert.equal(stopped.headers['x-mimamori-incident'], id);
    assert.deepEqual(stopped.to, ['soc@mimamori.example']);
    for (const expected of [
      /処理が外部から停止されました/,
      /A process was stopped from outside/,
      /terminated by hand/,
      new RegExp(new Date(dueAtMs).toISOString().slice(0, 16).replace('T', ' ')),
      /Threat level: to be judged/,
      `temporal workflow reset --namespace default --workflow-id ${id} --type LastWorkflowTask`,
    ]) {
      assert.ok(
        typeof expected === 'string' ? stopped.text.includes(expected) : expected.test(stopped.text),
        stopped.text,
      );
    }
    assert.ok(stopped.html.includes('A &lt;b&gt;stopped&lt;/b&gt; one'));

    const [shown] = await until('it is in the queue', async () => {
      const items = await queued(house, id);
      return items.length > 0 ? items : undefined;
    });
    assert.deepEqual(shown.attention, ['workflow-stopped']);
    for (const attention of ['workflow-stopped', 'any']) {
      const { body } = await house.get(`/v1/incidents?attention=${attention}`);
      assert.deepEqual(
        body.items.map((item: Reply['body']) => item.id),
        [id],
      );
    }
    const partial = await house.incident(id);
    assert.deepEqual(
      [partial.partial, partial.attention, partial.stage],
      [true, ['workflow-stopped'], 'awaiting-triage'],
    );

    assertRefused(await tried(house, id, 'triage', verdict(3)), 409, 'incident-stopped');
    const again = await house.post(`/v1/customers/${globex}/alerts`, alert);
    assert.deepEqual([again.status, again.body.created], [200, false]);
    const newer = await house.control('PATCH', `/sim/tenants/${house.tenantOf(globex)}/alerts/${alert.id}`, {
      title: 'Its newer version',
    });
    const refused = await house.post(`/v1/customers/${globex}/alerts`, newer);
    assertRefused(refused, 409, 'incident-stopped');
    assert.match(refused.body.detail, /reset/);

    const [, overdue] = await toldOf(house, id, 2);
    assert.match(overdue?.text ?? '', /The time target passed and nobody noted it/);
    assert.match(overdue?.text ?? '', /temporal workflow reset/);

    await reset(environment, id);
    const breached = await house.incidentWhen(id, 'breached', ({ slo }) => slo.state === 'breached');
    assert.equal(timelineOf(breached, 'breach').length, 1);
    assert.equal((await house.post(`/v1/customers/${globex}/alerts`, newer)).status, 200);
    await house.incidentWhen(id, 'updated', ({ title }) => title === 'Its newer version');
    await house.command(id, 'triage', verdict(3));
    const isolated = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual([isolated.slo.state, isolated.attention], ['breached', []]);
    assert.deepEqual(await queued(house, id), []);
    await twoLooks(house, globex);
    assert.equal((await house.mailKinds(id)).filter((kind) => kind === 'soc-failure').length, 2);
    assert.ok(await mailOf(house, id, 'soc-breach'));
  });

  it('tells of a device whose workflow was terminated while it is isolated; after a reset it is given back', async () => {
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    const workflowId = deviceWorkflowId(globex, machineId);
    await house.control('POST', '/sim/faults', { target: 'smtp', times: 2, status: 451 });
    await house.client.workflow.getHandle(workflowId).terminate('a slip of the hand');
    const [mail] = await toldOf(house, machineId);
    assert.equal(mail?.headers['x-mimamori-incident'], id);
    assert.match(mail.text, /isolated/);

    const release = { instruction: jones() };
    assertRefused(await house.post(`/v1/devices/${globex}/${machineId}/release`, release), 409, 'device-stopped');
    await reset(environment, workflowId);
    const given = await house.post(`/v1/devices/${globex}/${machineId}/release`, release);
    assert.equal(given.status, 200, JSON.stringify(given.body));
    await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.equal((await told(house, machineId)).length, 1);
  });

  it('need not wait for that: an incident that asks for the device sets its workflow going again', async () => {
    const machineId = await newDevice(house, globex, {});
    const [first, second] = [await house.alert(globex, { machineId }), await house.alert(globex, { machineId })];
    for (const { id } of [first, second]) {
      await house.command(id, 'triage', verdict(3));
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    }
    await house.client.workflow.getHandle(deviceWorkflowId(globex, machineId)).terminate('a slip of the hand');
    const release = async ({ id }: { id: string }) => {
      const reply = await tried(house, id, 'release', { instruction: jones() });
      assert.equal(reply.status, 200, JSON.stringify(reply.body));
      return reply.body.devices;
    };
    assert.deepEqual(await release(first), [{ machineId, outcome: 'held', heldBy: [second.id] }]);
    assert.equal(await isCutOff(house, globex, machineId), true);
    assert.deepEqual(await release(second), [{ machineId, outcome: 'releasing', heldBy: [] }]);
    await house.incidentWhen(second.id, 'released', ({ stage }) => stage === 'notified');
    assert.equal(await isCutOff(house, globex, machineId), false);
  });

  it('tells of an incident whose worker fails at every try to run it; a mended worker lets it go on', async () => {
    const { id, alert } = await house.alert(globex, { title: 'A stuck one' });
    await house.incidentWhen(id, 'looked up', ({ timeline }) => timeline.length > 2);
    await house.stopWorker();
    const broken = fileURLToPath(new URL('./fixtures/broken-workflows.ts', import.meta.url));
    await house.startWorker({ ...PRESENT, workflows: () => bundleOf(broken) });
    const newer = await house.control('PATCH', `/sim/tenants/${house.tenantOf(globex)}/alerts/${alert.id}`, {
      severity: 'Medium',
    });
    assert.equal((await house.post(`/v1/customers/${globex}/alerts`, newer)).status, 200);
    const [mail] = await toldOf(house, id);
    assert.match(mail?.text ?? '', /A process cannot go on/);
    assert.match(mail?.text ?? '', /temporal workflow describe/);
    const stuck = await house.incident(id);
    assert.deepEqual([stuck.partial, stuck.attention], [true, ['workflow-stuck']]);
    assert.deepEqual((await queued(house, id))[0].attention, ['workflow-stuck']);
    const { body } = await house.get('/v1/incidents?attention=workflow-stuck');
    // Others may have met the broken worker too.
    assert.ok(body.items.some((item: Reply['body']) => item.id === id));

    await house.stopWorker();
    await house.startWorker();
    const mended = await house.incidentWhen(id, 'updated', ({ severity }) => severity === 'Medium', 60_000);
    assert.deepEqual([mended.partial, mended.attention], [undefined, []]);
    await twoLooks(house, globex);
    assert.equal((await told(house, id)).length, 1);
  });

  it('tells of an incident that runs on no worker and whose time is up', async () => {
    const elsewhere = await House.open({
      environment,
      customers: [englishCustomer(`lost-${globex}`, 2)],
      worker: false,
    });
    try {
      const [customer] = elsewhere.customers;
      assert.ok(customer);
      const { id: customerId } = customer;
      // As its workflow would have shown it five minutes ago, a while before it was due.
      const receivedAt = toInstant(Date.now() - 300_000);
      const raw = await elsewhere.raise(customerId, createdFor(Date.now() - 150_000));
      const alert = projectAlert(defenderAlertSchema.parse(raw));
      const opened = openRecord({ customerId, alert, fingerprint: 'f', receivedAt });
      const record = advance(
        evolve(opened, { type: 'policy-read', policy: policyOf(customer) }, receivedAt),
        receivedAt,
      );
      const memo = incidentMemo(record, receivedAt);
      assert.equal(memo.summary.slo.state, 'at-risk');
      await house.client.workflow.start('incident', {
        workflowId: record.incidentId,
        taskQueue: elsewhere.taskQueue,
        args: [{ record }],
        memo,
        typedSearchAttributes: incidentSearch(memo).flatMap((pair) => (pair.value === null ? [] : [pair as never])),
      });
      const [mail] = await toldOf(house, record.incidentId);
      assert.match(mail?.text ?? '', /The time target passed and nobody noted it/);
      assert.match(mail?.text ?? '', /temporal workflow describe/);
      await elsewhere.startWorker();
      await elsewhere.incidentWhen(record.incidentId, 'breached', ({ slo }) => slo.state === 'breached');
      await twoLooks(house, globex);
      assert.equal((await told(house, record.incidentId)).length, 1);
    } finally {
      await elsewhere.close();
    }
  });

  it('says nothing of those that end, are continued, are reset while they run, or were closed', async () => {
    const safe = await house.alert(globex);
    await house.command(safe.id, 'triage', verdict(1));
    await house.incidentWhen(safe.id, 'closed', ({ stage }) => stage === 'closed');
    await house.client.workflow.getHandle(safe.id).terminate('nothing is owed any more');
    const outOfScope = await house.alert(globex, { detectionSource: 'MTP' });
    const continued = await house.alert(globex);
    const first = await house.client.workflow.getHandle(continued.id).describe();
    await until('it is continued as new', async () => {
      await house.command(continued.id, 'notes', { text: 'One more.' });
      return (await house.client.workflow.getHandle(continued.id).describe()).runId === first.runId ? undefined : true;
    });
    const running = await house.alert(globex);
    await house.incidentWhen(running.id, 'looked up', ({ timeline }) => timeline.length > 2);
    await reset(environment, running.id);
    await house.incidentWhen(running.id, 'running', ({ partial }) => partial === undefined);
    await twoLooks(house, globex);
    for (const { id } of [safe, outOfScope, continued, running]) assert.deepEqual(await told(house, id), []);
    const { body } = await house.get('/v1/incidents?attention=any');
    const shown = body.items.map((item: Reply['body']) => item.id);
    for (const { id } of [safe, outOfScope, continued, running]) assert.ok(!shown.includes(id));
  });

  it('is missed by /readyz when its schedule is paused, and is brought back by the next start of a worker', async () => {
    const ready = async () => (await house.get('/readyz')).body;
    assert.deepEqual(await ready(), { ready: true, missing: [] });
    const schedule = house.client.schedule.getHandle('audit');
    await schedule.pause('a slip of the hand');
    await until('its pause is seen', async () => ((await ready()).missing.length > 0 ? true : undefined));
    assert.deepEqual(await ready(), { ready: true, missing: ['auditor'] });
    assert.equal(await ensureAudit(house.client, house.taskQueue, PACE), 'paused');
    await schedule.unpause();
    const { info } = await schedule.describe();
    const auditor = info.runningActions.at(-1)?.workflow.workflowId ?? '';
    await house.client.workflow.getHandle(auditor).terminate('a slip of the hand');
    // Where a minute begins meanwhile, the schedule has started another by itself.
    const another = async () => {
      const latest = (await schedule.describe()).info.runningActions.at(-1)?.workflow.workflowId;
      return latest !== undefined && latest !== auditor;
    };
    await until('its end is seen, or another looks already', async () =>
      (await ready()).missing.length > 0 || (await another()) ? true : undefined,
    );
    await until('another looks', async () => {
      await ensureAudit(house.client, house.taskQueue, PACE);
      return (await ready()).missing.length === 0 ? true : undefined;
    });
  });
});
