import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { asked, calm, duty, englishCustomer, judgeAgain, mailOf, timelineOf } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const HOUR_MS = 3_600_000;
const suffix = randomUUID().slice(0, 8);

describe('an alert that Defender changes', () => {
  let house: House;
  let customer: string;
  before(async () => {
    house = await House.open({ customers: [englishCustomer(`globex-${suffix}`, 1)] });
    customer = house.customer('globex');
  });
  after(() => house.close());

  const comesTo = (id: string, stage: string) => house.incidentWhen(id, stage, (incident) => incident.stage === stage);
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const post = (alert: unknown) => house.post(`/v1/customers/${customer}/alerts`, alert, { as: 'feed' });

  /** Changes the alert in Defender and hands the new version in. */
  async function changed(id: string, alert: Reply['body'], changes: Record<string, unknown>): Promise<Reply['body']> {
    const tenant = house.tenantOf(customer);
    const newer = await house.control('PATCH', `/sim/tenants/${tenant}/alerts/${alert.id}`, changes);
    const { status, body } = await post(newer);
    assert.deepEqual([status, body.incidentId, body.created], [200, id, false]);
    return newer;
  }

  /** Its workflow has ended: what comes now meets no running one. */
  async function ended(id: string): Promise<void> {
    await house.client.workflow.getHandle(id).result();
  }

  function assertDueAfter(incident: Reply['body'], since: string): void {
    assert.equal(incident.slo.dueAt, new Date(Date.parse(since) + 3 * HOUR_MS).toISOString());
  }

  it('raised to High before the verdict: the clock runs from then', async () => {
    const detected = { alertCreationTime: ago(8 * HOUR_MS), lastUpdateTime: ago(8 * HOUR_MS) };
    const { id, alert } = await house.alert(customer, { severity: 'Medium', ...detected });
    assert.equal((await house.incident(id)).slo.state, 'not-applicable');
    const lastUpdateTime = ago(HOUR_MS);
    await changed(id, alert, { severity: 'High', lastUpdateTime });
    const raised = await house.incidentWhen(id, 'raised', ({ severity }) => severity === 'High');
    assert.deepEqual([raised.slo.state, raised.slo.provisional, raised.stage], ['running', true, 'awaiting-triage']);
    assertDueAfter(raised, lastUpdateTime);
    assert.match(timelineOf(raised, 'alert-updated')[0]?.text.en ?? '', /severity Medium → High/);
    await house.command(id, 'triage', verdict(3));
    const told = await comesTo(id, 'awaiting-release');
    assert.deepEqual([told.slo.state, told.slo.provisional], ['met', false]);
    assertDueAfter(told, lastUpdateTime);
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
  });

  const NEUTRALISED: [how: string, changes: Record<string, unknown>][] = [
    ['blocked', { evidence: [{ entityType: 'Process', fileName: 'bad.exe', detectionStatus: 'Blocked' }] }],
    ['remediated', { investigationState: 'SuccessfullyRemediated' }],
  ];
  for (const [how, changes] of NEUTRALISED) {
    it(`${how} while it waits for an analyst: closes as neutralised`, async () => {
      const { id, alert } = await house.alert(customer);
      await comesTo(id, 'awaiting-triage');
      await changed(id, alert, changes);
      const closed = await comesTo(id, 'closed');
      assert.deepEqual([closed.closeReason, closed.slo.state], ['neutralised', 'not-applicable']);
      const failed = closed.explanation.filter(({ passed }: { passed: boolean }) => !passed);
      assert.deepEqual(
        failed.map(({ rule }: { rule: string }) => rule),
        ['neutralised'],
      );
      await calm(house);
      assert.deepEqual(await house.mailKinds(id), []);
    });
  }

  it('neutralised after the verdict: what was judged stands', async () => {
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(3));
    await comesTo(id, 'awaiting-release');
    await changed(id, alert, { investigationState: 'SuccessfullyRemediated' });
    const incident = await house.incidentWhen(id, 'updated', (view) => timelineOf(view, 'alert-updated').length > 0);
    assert.deepEqual([incident.stage, incident.level], ['awaiting-release', 3]);
  });

  it('out of scope, raised to High when its workflow has ended: opens, with its record and its clock', async () => {
    const detected = { alertCreationTime: ago(8 * HOUR_MS), lastUpdateTime: ago(8 * HOUR_MS) };
    const { id, alert } = await house.alert(customer, { severity: 'Low', ...detected });
    const low = await comesTo(id, 'closed');
    assert.equal(low.closeReason, 'out-of-scope');
    await ended(id);
    const lastUpdateTime = ago(HOUR_MS);
    await changed(id, alert, { severity: 'High', lastUpdateTime });
    const opened = await comesTo(id, 'awaiting-triage');
    assert.deepEqual([opened.slo.state, opened.slo.provisional, opened.closeReason], ['running', true, undefined]);
    assertDueAfter(opened, lastUpdateTime);
    const types = opened.timeline.map(({ type }: { type: string }) => type);
    assert.deepEqual(types.slice(0, low.timeline.length), ['alert-received', 'scope', 'closed']);
    assert.ok(types.includes('reopened'));
    await house.command(id, 'triage', verdict(3));
    assert.equal((await comesTo(id, 'awaiting-release')).slo.state, 'met');
    assert.deepEqual(await asked(house, customer, 'isolate').then((all) => all.includes(alert.machineId)), true);
    const { items } = (await house.get(`/v1/incidents?customer=${customer}&machine=${alert.machineId}`)).body;
    assert.equal(items.length, 1);
  });

  for (const closing of ['an analyst', 'an all-clear'] as const) {
    it(`worse after ${closing} closed it: stays closed, the SOC is told and the queue has it`, async () => {
      const { id, alert } = await house.alert(customer, { severity: 'Medium' });
      await house.command(id, 'triage', verdict(closing === 'an analyst' ? 2 : 1));
      if (closing === 'an analyst') {
        await comesTo(id, 'notified');
        await house.command(id, 'close', { reason: 'done' });
      }
      await comesTo(id, 'closed');
      await changed(id, alert, { severity: 'High' });
      const told = await house.incidentWhen(id, 'the SOC is told', (incident) => {
        return duty(incident, 'warn:notice:0')?.['status'] === 'done';
      });
      assert.deepEqual([told.stage, told.attention], ['closed', ['changed-after-close']]);
      await until('the queue has it', async () => {
        const { items } = (await house.get(`/v1/queue?customer=${customer}`)).body;
        return items.some((item: { id: string }) => item.id === id) ? true : undefined;
      });
      await calm(house);
      const warning = await mailOf(house, id, 'soc-warning');
      assert.deepEqual(warning.to, ['soc@mimamori.example']);
      assert.match(warning.text, /changed in Defender after an analyst closed the incident/);
      assert.deepEqual(
        await house.mailKinds(id),
        closing === 'an analyst' ? ['primary', 'soc-warning'] : ['soc-warning'],
      );
      // Looked at again, it goes on, and the news is no longer one.
      const reopened = await house.command(id, 'reopen', { reason: 'it has become worse' });
      assert.deepEqual([reopened.stage === 'closed', reopened.attention], [false, []]);
      await judgeAgain(house, id, verdict(3));
      await comesTo(id, 'awaiting-release');
    });
  }

  it('changed without getting worse after an analyst closed it: nobody is told', async () => {
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(1));
    await comesTo(id, 'closed');
    await changed(id, alert, { status: 'Resolved', classification: 'FalsePositive' });
    const closed = await house.incidentWhen(id, 'updated', (view) => timelineOf(view, 'alert-updated').length > 0);
    assert.deepEqual([closed.stage, closed.attention], ['closed', []]);
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), []);
  });

  it('an older version that comes later changes nothing', async () => {
    const { id, alert } = await house.alert(customer, { severity: 'Medium', lastUpdateTime: ago(HOUR_MS) });
    await changed(id, alert, { severity: 'High' });
    await house.incidentWhen(id, 'raised', ({ severity }) => severity === 'High');
    const before = await house.incident(id);
    assert.deepEqual((await post(alert)).body, { incidentId: id, created: false, stage: 'awaiting-triage' });
    // The note comes after it into the same workflow.
    const after = await house.command(id, 'notes', { text: 'after the older version' });
    assert.equal(after.severity, 'High');
    assert.equal(after.revision, before.revision + 1);
    assert.deepEqual(after.timeline.slice(0, -1), before.timeline);
  });

  it('a version that says to be from the future makes no true one older', async () => {
    const { id, alert } = await house.alert(customer, { severity: 'High' });
    const future = { ...alert, severity: 'Low', lastUpdateTime: '2099-01-01T00:00:00Z' };
    assert.equal((await post(future)).status, 200);
    await house.incidentWhen(id, 'out of scope', ({ stage }) => stage === 'closed');
    await ended(id);
    await changed(id, alert, { severity: 'High', title: 'The true one' });
    const after = await house.incidentWhen(id, 'opened again', ({ stage }) => stage === 'awaiting-triage');
    assert.deepEqual([after.severity, after.title], ['High', 'The true one']);
  });

  it('an older version that comes when the workflow has ended changes nothing either', async () => {
    const older = await house.raise(customer, { severity: 'High', lastUpdateTime: ago(HOUR_MS) });
    const tenant = house.tenantOf(customer);
    const newer = await house.control('PATCH', `/sim/tenants/${tenant}/alerts/${older.id}`, { severity: 'Low' });
    const { body } = await post(newer);
    const id = body.incidentId;
    const before = await comesTo(id, 'closed');
    await ended(id);
    assert.deepEqual((await post(older)).body, { incidentId: id, created: false, stage: 'closed' });
    await calm(house);
    assert.deepEqual(await house.incident(id), before);
  });

  it('on a device that runs no Windows: closes as out of scope, and says why', async () => {
    const machineId = `ubuntu-${suffix}`;
    await house.machine(customer, machineId, { osPlatform: 'Ubuntu' });
    const { id } = await house.alert(customer, { machineId });
    const closed = await comesTo(id, 'closed');
    assert.equal(closed.closeReason, 'out-of-scope');
    const failed = closed.explanation.filter(({ passed }: { passed: boolean }) => !passed);
    assert.deepEqual(
      failed.map(({ rule, reason }: { rule: string; reason: unknown }) => [rule, reason]),
      [['windows', { en: 'The device does not run Windows.', ja: '端末は Windows ではありません。' }]],
    );
    assert.match(timelineOf(closed, 'scope').at(-1)?.text.en ?? '', /Not analysed: The device does not run Windows/);
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), []);
  });
});
