import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { House, instruction, verdict, type Reply } from '../support/house.js';
import { failedTasks, signalByCli, temporalCli } from '../support/temporal-cli.js';

interface Entry {
  type: string;
  actor: string;
  data?: { signal?: string; payload?: string; unverified?: boolean; errors?: { path: string }[] };
}

function entries(incident: Reply['body'], type: string): Entry[] {
  const timeline: Entry[] = incident.timeline;
  return timeline.filter((entry) => entry.type === type);
}

describe("signals from Temporal's own tools", function () {
  this.timeout(60_000);
  let house: House;
  let acme = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  const signal = (id: string, name: string, input?: unknown, ...more: string[]) =>
    signalByCli(house.environment, id, name, input, ...more);

  /** The mails to the SOC about this incident. */
  async function socWarnings(id: string) {
    return (await house.mails(id)).filter(({ headers }) => headers['x-mimamori-kind'] === 'soc-warning');
  }

  async function assertWell(id: string): Promise<void> {
    assert.deepEqual(await failedTasks(house.environment, id), []);
    const incident = await house.incident(id);
    assert.equal(incident.partial, undefined);
  }

  it('carries out a valid verdict, unverified, and tells the SOC', async () => {
    const { id } = await house.alert(acme);
    await signal(id, 'triage', verdict(2), '--identity', 'night-shift@soc');
    const incident = await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.equal(incident.verdict.level, 2);
    assert.equal(incident.verdict.actor, 'temporal:night-shift@soc');
    assert.deepEqual(
      entries(incident, 'verdict').map(({ actor }) => actor),
      ['temporal:night-shift@soc'],
    );
    assert.ok(incident.timeline.some(({ data }: Entry) => data?.unverified === true));
    const [warning, ...others] = await until('the SOC is told', async () => {
      const warnings = await socWarnings(id);
      return warnings.length > 0 ? warnings : undefined;
    });
    assert.ok(warning);
    assert.deepEqual(others, []);
    assert.deepEqual(warning.to, ['soc@mimamori.example']);
    assert.match(warning.text, /night-shift@soc/);
    assert.ok((await house.mailKinds(id)).includes('primary'));
    await assertWell(id);
  });

  it('records one that nobody can carry out as rejected, and tells the SOC', async () => {
    const { id } = await house.alert(acme);
    const raw = ['--input-meta', 'encoding=json/plain'];
    const sent: [string, unknown, string[]][] = [
      ['triage', { ...verdict(3), level: 7 }, []],
      ['triage', { level: 3 }, []],
      ['triage', '"level 3, please"', []],
      ['triage', '[3]', []],
      ['triage', 'null', []],
      ['triage', undefined, []],
      ['triage', '{"level":3}', ['--input-meta', 'encoding=json/protobuf']],
      ['triage', 'level=3', ['--input-meta', 'encoding=binary/plain']],
      ['triage', 'level=3', ['--input-meta', 'encoding=binary/encrypted']],
      ['triage', { ...verdict(3), unknownKey: 'x'.repeat(5_000) }, raw],
      ['release', {}, []],
      ['release', { instruction: instruction() }, []],
      ['isolateEverything', { now: true }, []],
      ['unknown'.repeat(60), undefined, []],
      ['alertUpdated', { alert: { title: 'forged' }, fingerprint: '' }, []],
      ['alertUpdated', 'garbage', ['--input-meta', 'encoding=binary/plain']],
      ['deviceReport', { isolation: 'isolated' }, []],
      ['deviceReport', undefined, []],
      ['phoneReport', { outcome: 'acknowledged' }, []],
      ['mailBounced', { key: 'k', recipients: [] }, []],
      ['phoneReport', '7', []],
    ];
    for (const [name, input, more] of sent) await signal(id, name, input, '--identity', 'fat-finger', ...more);
    const incident = await house.incidentWhen(
      id,
      'all on record',
      (seen) => entries(seen, 'rejected-signal').length === sent.length,
    );
    const rejected = entries(incident, 'rejected-signal');
    assert.deepEqual(rejected.map(({ data }) => data?.signal).sort(), sent.map(([name]) => name).sort());
    for (const { actor, data } of rejected) {
      assert.match(actor, /^temporal:/);
      assert.ok((data?.errors ?? []).length > 0, JSON.stringify(data));
    }
    const judged = rejected.filter(({ data }) => data?.signal === 'triage' || data?.signal === 'release');
    assert.ok(judged.every(({ actor }) => actor === 'temporal:fat-finger'));
    for (const entry of incident.timeline) assert.ok(Buffer.byteLength(JSON.stringify(entry)) < 4_096);

    assert.equal(incident.stage, 'awaiting-triage');
    assert.equal(incident.verdict, null);
    assert.ok(incident.attention.includes('rejected-signal'));
    await until('the SOC told', async () => ((await socWarnings(id)).length > 0 ? true : undefined));
    assert.deepEqual(await house.actions(acme), []);
    await assertWell(id);
    // It goes on as if nothing had been sent, and an analyst's verdict settles the matter.
    const told = await house.command(id, 'triage', verdict(1));
    assert.equal(told.stage, 'closed');
    await assertWell(id);
  });

  it('is not led astray by news that look right and are not', async () => {
    const { id, alert } = await house.alert(acme);
    const { alert: known } = await house.incidentWhen(
      id,
      'looked up',
      (seen) => entries(seen, 'device-known').length > 0,
    );
    const hold = { seq: 1, want: 'isolate', state: 'isolated', reason: null, at: 'soon', order: null };
    const report = {
      version: 1,
      machineId: alert.machineId,
      isolation: 'isolated',
      action: null,
      isolatedAt: null,
      hold,
      heldBy: [],
    };
    const phone = { seq: 1, outcome: 'acknowledged', at: 'soon', calls: [], acknowledgedBy: null, reason: null };
    await signal(id, 'alertUpdated', { alert: { ...known, createdAt: 'soon' }, fingerprint: 'f1' });
    await signal(id, 'alertUpdated', { alert: { ...known, lastUpdateAt: 'soon' }, fingerprint: 'f2' });
    await signal(id, 'alertUpdated', { alert: { ...known, alertId: 'another' }, fingerprint: 'f3' });
    await signal(id, 'deviceReport', report);
    await signal(id, 'deviceReport', {
      ...report,
      isolatedAt: 'soon',
      hold: { ...hold, at: new Date().toISOString() },
    });
    await signal(id, 'phoneReport', phone);
    const incident = await house.incidentWhen(
      id,
      'all refused',
      (seen) => entries(seen, 'rejected-signal').length === 6,
    );
    assert.equal(incident.alertId, alert.id);
    assert.equal(incident.alert.createdAt, known.createdAt);
    await assertWell(id);
    await house.command(id, 'triage', verdict(4));
    await house.incidentWhen(id, 'isolated and rung all the same', ({ stage }) => stage === 'awaiting-release');
    const isolated = (await house.actions(acme)).filter(({ machineId }) => machineId === alert.machineId);
    assert.deepEqual(
      isolated.map(({ type, status }) => [type, status]),
      [['Isolate', 'Succeeded']],
    );
    assert.equal((await house.calls()).length, 1);
    await assertWell(id);
  });

  it('releases on a signal only when somebody instructs who may', async () => {
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    await signal(id, 'release', { instruction: instruction({ by: 'tanaka' }) });
    await signal(id, 'release', { instruction: instruction({ by: 'nobody' }) });
    await signal(id, 'release', { instruction: instruction({ channel: 'phone' }) });
    await signal(id, 'release', { machineIds: ['another'], instruction: instruction() });
    const held = await house.incidentWhen(id, 'all refused', (seen) => entries(seen, 'rejected-signal').length === 4);
    assert.equal(held.stage, 'awaiting-release');
    assert.equal(held.devices[0].isolation, 'isolated');

    await signal(id, 'release', { instruction: instruction() }, '--identity', 'night-shift');
    const free = await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    assert.equal(entries(free, 'instruction')[0]?.actor, 'temporal:night-shift');
    assert.deepEqual(
      (await house.actions(acme)).filter(({ machineId }) => machineId === alert.machineId).map(({ type }) => type),
      ['Isolate', 'Unisolate'],
    );
    assert.ok((await house.mailKinds(id)).includes('release-result'));
    const told = await until('the SOC told', async () => {
      const mails = await socWarnings(id);
      return mails.some(({ text }) => text.includes('temporal:night-shift')) ? mails : undefined;
    });
    assert.ok(told.length > 0);
    await assertWell(id);
  });

  it('does what was signalled while no worker was there', async () => {
    const { id } = await house.alert(acme);
    await house.stopWorker();
    await signal(id, 'triage', verdict(3), '--identity', 'early-bird');
    await signal(id, 'triage', { level: 'three' }, '--identity', 'late-bird');
    await house.startWorker();
    const incident = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(incident.verdict.actor, 'temporal:early-bird');
    assert.deepEqual(
      entries(incident, 'rejected-signal').map(({ actor }) => actor),
      ['temporal:late-bird'],
    );
    await assertWell(id);
  });

  it("leaves devices and phones unharmed by others' signals", async () => {
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(4));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    const device = `device:${acme}:${alert.machineId}`;
    for (const workflowId of [device, `phone:${acme}`]) {
      await signal(workflowId, 'request', { incidentId: 7 });
      await signal(workflowId, 'request');
      await signal(workflowId, 'request', 'x', '--input-meta', 'encoding=binary/plain');
      await signal(workflowId, 'callEvent', { sid: 1 });
      await signal(workflowId, 'nonsense', '[1]');
    }
    const { devices } = await house.command(id, 'release', { instruction: instruction() });
    assert.equal(devices[0].outcome, 'releasing');
    await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.deepEqual(await failedTasks(house.environment, device), []);
    assert.deepEqual(await failedTasks(house.environment, `phone:${acme}`), []);
    assert.deepEqual((await house.get(`/v1/devices/${acme}/${alert.machineId}`)).body.heldBy, []);
  });

  it('refuses an Update that is no command', async () => {
    const { id } = await house.alert(acme);
    await house.incidentWhen(id, 'looked up', (seen) => entries(seen, 'device-known').length > 0);
    const notAfter = '2099-01-01T00:00:00Z';
    const bodies = [
      undefined,
      'null',
      '"x"',
      {},
      verdict(3),
      { body: verdict(3) },
      { body: verdict(3), actor: 'me', notAfter: 'later' },
      { body: { ...verdict(3), level: 9 }, actor: 'me', notAfter },
      { body: verdict(3), actor: 'me', notAfter, idempotency: 'key' },
    ];
    for (const body of bodies) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await assert.rejects(
        temporalCli(
          house.environment,
          'workflow',
          'update',
          'execute',
          '--workflow-id',
          id,
          '--name',
          'triage',
          ...(body === undefined ? [] : ['--input', text]),
        ),
        text,
      );
    }
    const incident = await house.incident(id);
    assert.equal(incident.verdict, null);
    assert.equal(incident.stage, 'awaiting-triage');
    await assertWell(id);
  });
});
