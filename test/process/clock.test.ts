import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { actionIs, newDevice, toldAndRequested } from '../support/devices.js';
import { calm, englishCustomer, judgeAgain, mailOf } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const TARGET_MS = 3 * 3_600_000;
/** How long news of an isolation under way may take before a breach is certain. */
const NEWS_MS = 20_000;

/** When an alert was made whose target ends then. */
function createdFor(dueAtMs: number): { alertCreationTime: string } {
  return { alertCreationTime: new Date(dueAtMs - TARGET_MS).toISOString() };
}

function entriesOf(incident: Reply['body'], type: string): { at: string; data: Record<string, unknown> }[] {
  const entries: { type: string; at: string; data: Record<string, unknown> }[] = incident.timeline;
  return entries.filter((entry) => entry.type === type);
}

async function socKinds(house: House, id: string): Promise<(string | undefined)[]> {
  return (await house.mailKinds(id)).filter((kind) => kind?.startsWith('soc-'));
}

function pauseUntil(atMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - Date.now())));
}

/** Waits until the SOC has been told of the breach, and looks at what the record says of it. */
async function breachOf(house: House, id: string, dueAtMs: number, timeoutMs: number) {
  const told = await house.incidentWhen(
    id,
    'the SOC told of the breach',
    ({ duties }) =>
      duties.some((entry: Record<string, string>) => entry['id'] === 'warn:breach:0' && entry['status'] === 'done'),
    timeoutMs,
  );
  assert.equal(told.slo.state, 'breached');
  const dueAt = new Date(dueAtMs).toISOString();
  assert.equal(told.slo.dueAt, dueAt);
  const [breach, ...more] = entriesOf(told, 'breach');
  assert.ok(breach !== undefined && more.length === 0, 'one breach');
  assert.equal(breach.data['dueAt'], dueAt);
  return { told, breach, lateMs: Date.parse(String(breach.data['recordedAt'])) - dueAtMs };
}

/*
 * Three hours are too long for a test, so the alerts were made nearly three hours ago. What needs the longest wait is
 * begun first: a device that stays offline, and a worker that is down across the deadline.
 */
describe('the clock', function () {
  this.timeout(60_000);
  let house: House;
  let outage: House;
  let globex: string;
  let later: string;

  let offlineDueMs: number;
  let offline: { id: string; machineId: string };

  let outageDueMs: number;
  let unjudged: string;
  let met: string;
  let heardLate: { id: string; machineId: string };

  async function offlineAtLevel3(where: House, customer: string, dueAtMs: number) {
    const machineId = await newDevice(where, customer, { online: false });
    const { id } = await where.alert(customer, { ...createdFor(dueAtMs), machineId });
    await where.command(id, 'triage', verdict(3));
    await toldAndRequested(where, id, machineId);
    return { id, machineId };
  }

  before(async () => {
    const suffix = randomUUID().slice(0, 8);
    globex = `globex-${suffix}`;
    later = `later-${suffix}`;
    const serviceStartsAt = new Date(Date.now() - 3_600_000).toISOString();
    [house, outage] = await Promise.all([
      House.open({
        customers: [englishCustomer(globex, 1), englishCustomer(later, 2, { serviceStartsAt })],
        service: { untriagedWarnMs: 3_000 },
      }),
      House.open({ customers: [englishCustomer(`outage-${suffix}`, 3)] }),
    ]);
    const [{ id: customer } = { id: '' }] = outage.customers;
    offlineDueMs = Date.now() + 12_000;
    outageDueMs = offlineDueMs + 2_000;
    [offline, { id: met }, { id: unjudged }] = await Promise.all([
      offlineAtLevel3(house, globex, offlineDueMs),
      outage.alert(customer, createdFor(outageDueMs)),
      outage.alert(customer, createdFor(outageDueMs)),
    ]);
    await outage.command(met, 'triage', verdict(3));
    await outage.incidentWhen(met, 'met', ({ stage, slo }) => stage === 'awaiting-release' && slo.state === 'met');
    await outage.incidentWhen(unjudged, 'warned', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'warning'),
    );
    // Nobody hears how this action goes, and the worker has no call under way that would hold up its end.
    await outage.control('POST', '/sim/faults', {
      target: 'defender',
      path: '/machineactions/',
      times: 99,
      status: 503,
    });
    heardLate = await offlineAtLevel3(outage, customer, outageDueMs);
    await outage.stopWorker();
    await outage.machine(customer, heardLate.machineId, { online: true, isolationSeconds: 0 });
    await actionIs(outage, customer, heardLate.machineId, 'Isolate Succeeded');
    assert.ok(Date.now() < outageDueMs, 'the test came too late to do everything in time');
  });
  after(() => Promise.all([house.close(), outage.close()]));

  it('warns once and notes the breach on time while nobody has judged', async () => {
    const dueAtMs = Date.now() + 3_000;
    const { id } = await house.alert(globex, createdFor(dueAtMs));
    const running = await house.incident(id);
    assert.deepEqual([running.slo.state, running.slo.provisional], ['at-risk', true]);
    const { told, breach, lateMs } = await breachOf(house, id, dueAtMs, 10_000);
    assert.equal(told.slo.provisional, true);
    assert.ok(lateMs >= 0 && lateMs < 5_000, `recorded ${lateMs} ms after it was due`);
    assert.equal(breach.at, new Date(dueAtMs).toISOString());
    assert.deepEqual(await socKinds(house, id), ['soc-warning', 'soc-breach']);
    assert.deepEqual(
      entriesOf(told, 'warning').map(({ data }) => data['percent']),
      [90],
    );
    const warning = await mailOf(house, id, 'soc-warning');
    assert.deepEqual(warning.to, ['soc@mimamori.example']);
    assert.ok(Date.parse(warning.receivedAt) < dueAtMs);

    await house.command(id, 'triage', verdict(2));
    const lower = await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.deepEqual([lower.slo.state, lower.slo.provisional], ['not-applicable', false]);
    assert.equal(entriesOf(lower, 'breach').length, 1, 'that the verdict came late stays on the record');
    await calm(house);
    assert.deepEqual(await socKinds(house, id), ['soc-warning', 'soc-breach']);
  });

  it('notes the breach of an alert that arrives too late at once, without a warning', async () => {
    const dueAtMs = Date.now() - 3_600_000;
    const { id } = await house.alert(globex, createdFor(dueAtMs));
    const { told, breach } = await breachOf(house, id, dueAtMs, 15_000);
    // Told in the order in which things were written down: it cannot stand before the alert's own arrival.
    assert.ok(breach.at >= told.createdAt);
    const { text } = await mailOf(house, id, 'soc-breach');
    assert.match(text, /not judged yet/);
    await house.command(id, 'triage', verdict(1));
    const closed = await house.incidentWhen(id, 'closed', ({ stage }) => stage === 'closed');
    assert.equal(closed.slo.state, 'not-applicable');
    assert.equal(entriesOf(closed, 'breach').length, 1);
    await calm(house);
    assert.deepEqual(await socKinds(house, id), ['soc-breach']);
  });

  it('does not run for Medium, but an unjudged alert warns the SOC once', async () => {
    const dueAtMs = Date.now() + 2_000;
    const { id } = await house.alert(globex, { ...createdFor(dueAtMs), severity: 'Medium' });
    assert.deepEqual((await house.incident(id)).slo, { state: 'not-applicable', dueAt: null, provisional: false });
    const warned = await house.incidentWhen(id, 'warned', ({ attention }) => attention.includes('untriaged'));
    assert.equal(warned.stage, 'awaiting-triage');
    await until('the warning', async () => ((await socKinds(house, id)).length > 0 ? true : undefined));
    await pauseUntil(dueAtMs + 1_000);
    await house.command(id, 'triage', verdict(3));
    const judged = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(judged.slo.state, 'not-applicable');
    assert.deepEqual(judged.attention, []);
    assert.deepEqual(entriesOf(judged, 'breach'), []);
    assert.deepEqual(await socKinds(house, id), ['soc-warning']);
  });

  it('does not run for an alert from before the start of the service', async () => {
    const { id } = await house.alert(later, createdFor(Date.now() - 1_000));
    await house.command(id, 'triage', verdict(3));
    const judged = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(judged.slo.state, 'not-applicable');
    await calm(house);
    assert.deepEqual(await socKinds(house, id), []);
  });

  it('has the same starts and ends for an alert from after the start of the service', async () => {
    const dueAtMs = Date.now() + TARGET_MS - 60_000;
    const { id } = await house.alert(later, createdFor(dueAtMs));
    const { slo } = await house.incident(id);
    assert.deepEqual(slo, { state: 'running', dueAt: new Date(dueAtMs).toISOString(), provisional: true });
  });

  it('is missed by a device that stays offline, with its cause and for good', async () => {
    const { id } = offline;
    const { told, breach } = await breachOf(house, id, offlineDueMs, NEWS_MS + 10_000);
    assert.equal(told.slo.provisional, false);
    assert.deepEqual([breach.data['cause'], breach.data['level']], ['isolation-pending', 3]);
    assert.match((await mailOf(house, id, 'soc-breach')).text, /has not confirmed the isolation/);

    await judgeAgain(house, id, verdict(2));
    const lower = await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.equal(lower.level, 2);
    assert.equal(lower.slo.state, 'breached');
    await calm(house);
    assert.deepEqual(await socKinds(house, id), ['soc-warning', 'soc-breach']);
  });

  it('goes by when things were true, also when a worker hears of them long afterwards', async () => {
    await pauseUntil(outageDueMs + NEWS_MS + 1_000);
    await outage.control('DELETE', '/sim/faults');
    await outage.startWorker();
    const { breach, lateMs, told } = await breachOf(outage, unjudged, outageDueMs, 10_000);
    assert.equal(breach.at, new Date(outageDueMs).toISOString());
    assert.ok(lateMs > NEWS_MS);
    assert.equal(told.slo.provisional, true);

    const heard = await outage.incidentWhen(heardLate.id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(heard.slo.state, 'met');
    await calm(outage);
    assert.deepEqual(await socKinds(outage, heardLate.id), ['soc-warning']);
    assert.deepEqual(entriesOf(await outage.incident(heardLate.id), 'breach'), []);

    const before = await outage.incident(met);
    assert.equal(before.slo.state, 'met');
    assert.deepEqual(entriesOf(before, 'breach'), []);
    assert.deepEqual(await socKinds(outage, unjudged), ['soc-warning', 'soc-breach']);
  });
});
