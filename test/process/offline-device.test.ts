import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { actionIs, actionsOf, inPortal, isCutOff, newDevice, toldAndRequested } from '../support/devices.js';
import { calm, duty, jones, judgeAgain, mailOf, timelineOf } from '../support/effects.js';
import { House, verdict } from '../support/house.js';

describe('a device that is offline', () => {
  let house: House;
  let globex: string;
  before(async () => {
    house = await House.open();
    globex = house.customer('globex');
  });
  after(() => house.close());

  /** An alert on a device that is offline, judged 3, the request pending at Defender. */
  async function pending(): Promise<{ id: string; machineId: string }> {
    const machineId = await newDevice(house, globex, { online: false });
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await toldAndRequested(house, id, machineId);
    await actionIs(house, globex, machineId, 'Isolate Pending');
    return { id, machineId };
  }

  it('is told as requested until it comes online, then confirmed', async () => {
    const { id, machineId } = await pending();
    const waiting = await house.incident(id);
    assert.equal(waiting.stage, 'responding');
    assert.deepEqual([waiting.slo.state, waiting.slo.provisional], ['running', false]);
    const primary = await mailOf(house, id, 'primary');
    assert.match(primary.text, /Network isolation was requested \(.*Its completion is not confirmed yet/);
    assert.doesNotMatch(primary.text, /Isolated from the network since/);
    assert.equal((await house.get(`/v1/devices/${globex}/${machineId}`)).body.isolation, 'requested');

    await house.machine(globex, machineId, { online: true });
    const isolated = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded']);
    assert.equal(duty(isolated, `isolate:${machineId}`)?.['status'], 'done');
    assert.equal(isolated.slo.state, 'met');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
    assert.match((await mailOf(house, id, 'isolation-result')).text, /Isolated from the network since/);
  });

  it('is left alone when level 1 comes first: the request is cancelled at Defender, and the customer told', async () => {
    const { id, machineId } = await pending();
    await judgeAgain(house, id, verdict(1));
    await actionIs(house, globex, machineId, 'Isolate Cancelled');
    const closed = await house.incidentWhen(id, 'closed', ({ stage }) => stage === 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    assert.equal(duty(closed, `isolate:${machineId}`)?.['status'], 'cancelled');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary']);
    const secondary = await mailOf(house, id, 'secondary');
    assert.match(secondary.text, /request for (it is being|isolation was) cancelled/);
    assert.doesNotMatch(secondary.text, /May we release/);

    await house.machine(globex, machineId, { online: true });
    await calm(house);
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Cancelled']);
  });

  it('that was isolated although the request was being cancelled stays so until the customer instructs', async () => {
    const { id, machineId } = await pending();
    const fault = { target: 'defender', path: '/cancel', times: 1_000, status: 503 };
    const { id: faultId } = await house.control('POST', '/sim/faults', fault);
    await judgeAgain(house, id, verdict(1));
    await house.incidentWhen(id, 'told of level 1', ({ duties }) =>
      duties.some(
        ({ id: dutyId, status }: Record<string, string>) => dutyId === 'mail:secondary:v1' && status === 'done',
      ),
    );
    await house.machine(globex, machineId, { online: true, isolationSeconds: 0 });
    const held = await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    await house.control('DELETE', `/sim/faults/${faultId}`);
    assert.equal(held.level, 1);
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded']);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary', 'isolation-result']);
    assert.match((await mailOf(house, id, 'isolation-result')).text, /Isolated from the network since/);
    assert.equal(await isCutOff(house, globex, machineId), true);
    const { devices } = await house.command(id, 'release', { instruction: jones() });
    assert.deepEqual(devices, [{ machineId, outcome: 'releasing', heldBy: [] }]);
    const closed = await house.incidentWhen(id, 'released', ({ stage }) => stage === 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.equal((await house.mailKinds(id)).at(-1), 'release-result');
  });

  it('is not isolated when the customer instructs the release first', async () => {
    const { id, machineId } = await pending();
    const { devices } = await house.command(id, 'release', { instruction: jones() });
    assert.deepEqual(devices, [{ machineId, outcome: 'cancelled', heldBy: [] }]);
    await actionIs(house, globex, machineId, 'Isolate Cancelled');
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'release-result']);
    assert.match(
      (await mailOf(house, id, 'release-result')).text,
      /request was cancelled before the device was isolated/,
    );
    await house.machine(globex, machineId, { online: true });
    await calm(house);
    assert.equal(await isCutOff(house, globex, machineId), false);
  });

  it('whose isolation somebody began in the portal is followed, not asked for again', async () => {
    const machineId = await newDevice(house, globex, { online: false });
    await inPortal(house, globex, machineId, 'isolate');
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await toldAndRequested(house, id, machineId);
    await house.machine(globex, machineId, { online: true });
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded']);
    assert.match((await mailOf(house, id, 'isolation-result')).text, /Isolated from the network since/);
  });

  it('whose isolation was finished in the portal before is adopted as it is, and released on instruction', async () => {
    const machineId = await newDevice(house, globex, { isolationSeconds: 0 });
    await inPortal(house, globex, machineId, 'isolate');
    await actionIs(house, globex, machineId, 'Isolate Succeeded');
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    const isolated = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(isolated.slo.state, 'met');
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded']);
    await house.command(id, 'release', { instruction: jones() });
    await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
  });
});

describe('an isolation or a release that fails', () => {
  let house: House;
  let globex: string;
  before(async () => {
    house = await House.open();
    globex = house.customer('globex');
  });
  after(() => house.close());

  it('is told to the customer and the SOC, and tried again by the same verdict', async () => {
    const machineId = await newDevice(house, globex, { isolationFails: true });
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    const failed = await house.incidentWhen(
      id,
      'told of the failure',
      ({ stage, attention }) => stage === 'notified' && attention.includes('isolation-failed'),
    );
    assert.equal(duty(failed, `isolate:${machineId}`)?.['status'], 'failed');
    assert.match((await mailOf(house, id, 'isolation-result')).text, /could not be isolated.*Defender reported/s);
    await house.incidentWhen(id, 'the SOC told', (incident) => {
      return duty(incident, `warn:failure:isolate:${machineId}`)?.['status'] === 'done';
    });
    assert.deepEqual((await mailOf(house, id, 'soc-failure')).to, ['soc@mimamori.example']);

    await house.machine(globex, machineId, { isolationFails: false });
    await house.command(id, 'triage', verdict(3));
    const isolated = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual(isolated.attention, []);
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Failed', 'Isolate Succeeded']);
    const results = (await house.mails(id)).filter(({ headers }) => headers['x-mimamori-kind'] === 'isolation-result');
    assert.equal(results.length, 2, 'what the customer was told last must be true');
    assert.match(results[1]?.text ?? '', /Isolated from the network since/);
    assert.notEqual(results[0]?.headers['message-id'], results[1]?.headers['message-id']);
  });

  it('is told to the SOC again when the next try fails too', async () => {
    const machineId = await newDevice(house, globex, { isolationFails: true });
    const { id } = await house.alert(globex, { machineId });
    for (const count of [1, 2]) {
      await house.command(id, 'triage', verdict(3));
      await until(`failed ${count} times`, async () => {
        const { length } = await actionsOf(house, globex, machineId);
        return length === count ? length : undefined;
      });
      await house.incidentWhen(id, `told ${count} times`, ({ stage }) => stage === 'notified');
      await calm(house);
    }
    const told = (await house.mails(id)).filter(({ headers }) => headers['x-mimamori-kind'] === 'soc-failure');
    assert.equal(new Set(told.map(({ headers }) => headers['message-id'])).size, 2);
  });

  it('on a device that Defender cannot isolate says so', async () => {
    const machineId = await newDevice(house, globex, { supported: false });
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    const failed = await house.incidentWhen(
      id,
      'told',
      ({ stage, attention }) => stage === 'notified' && attention.includes('unsupported-device'),
    );
    assert.equal(duty(failed, `isolate:${machineId}`)?.['reason'], 'unsupported-device');
    assert.match((await mailOf(house, id, 'isolation-result')).text, /does not support network isolation/);
    assert.deepEqual(await actionsOf(house, globex, machineId), []);
  });

  it('leaves the device isolated when it is a release, until a new instruction succeeds', async () => {
    const machineId = await newDevice(house, globex, { releaseFails: true });
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    for (const count of [1, 2]) {
      await house.command(id, 'release', { instruction: jones({ words: `Please, for the ${count}. time.` }) });
      const failed = await house.incidentWhen(id, `told of failure ${count}`, ({ stage, timeline }) => {
        const failures = timelineOf({ timeline }, 'release').filter(({ data }) => data?.state === 'release-failed');
        return failures.length === count && stage === 'awaiting-release';
      });
      assert.deepEqual(failed.attention, ['release-failed']);
      assert.equal(duty(failed, `release:${machineId}`)?.['status'], 'failed');
      assert.match((await mailOf(house, id, 'release-result', count - 1)).text, /still isolated/);
      assert.equal((await house.get(`/v1/devices/${globex}/${machineId}`)).body.isolation, 'isolated');
      assert.equal(await isCutOff(house, globex, machineId), true);
      await calm(house);
      const told = (await house.mailKinds(id)).filter((kind) => kind === 'soc-failure');
      assert.equal(told.length, count);
    }
    await house.machine(globex, machineId, { releaseFails: false });
    await house.command(id, 'release', { instruction: jones() });
    const released = await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.deepEqual(released.attention, []);
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.match((await mailOf(house, id, 'release-result', 2)).text, /Released from network isolation at/);
  });
});
