import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  asked,
  assertRefused,
  calm,
  duty,
  englishCustomer,
  judgeAgain,
  mailOf,
  timelineOf,
  tried,
} from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['foreign', 'misnamed', 'only', 'prose', 'server', 'late', 'many', 'none'];

describe('devices that an analyst names', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index)) });
  });
  after(() => house.close());

  const ISOLATED = /Isolated from the network since/;
  const comesTo = (id: string, stage: string) => house.incidentWhen(id, stage, (incident) => incident.stage === stage);

  function assertFailed(incident: Reply['body'], machineId: string, reason: string): void {
    const isolation = duty(incident, `isolate:${machineId}`);
    assert.deepEqual([isolation?.['status'], isolation?.['reason']], ['failed', reason]);
    assert.ok(incident.attention.includes(reason), incident.attention.join());
  }

  /** The part of the mail that says what became of that device. */
  function lineOf(text: string, name: string): string {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}: `));
    assert.ok(line !== undefined, `nothing about ${name} in: ${text}`);
    return line;
  }

  it('does nothing to a device that is not in the tenant, and everything to the others', async () => {
    const customer = house.customer('foreign');
    const { id, alert } = await house.alert(customer, { computerDnsName: 'pc.globex.example' });
    const stranger = { machineId: `stranger-${suffix}`, name: 'stranger.globex.example' };
    await house.command(id, 'triage', verdict(4, { devices: [stranger] }));
    const incident = await comesTo(id, 'awaiting-release');
    assertFailed(incident, stranger.machineId, 'unknown-device');
    assert.equal(duty(incident, `isolate:${alert.machineId}`)?.['status'], 'done');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    assert.deepEqual((await house.mailKinds(id)).toSorted(), ['isolation-result', 'primary', 'soc-failure']);
    const failure = await mailOf(house, id, 'soc-failure');
    assert.deepEqual(failure.to, ['soc@mimamori.example']);
    assert.match(failure.text, /stranger\.globex\.example[^]*Defender does not know the device/);
    const result = await mailOf(house, id, 'isolation-result');
    assert.match(lineOf(result.text, 'pc.globex.example'), ISOLATED);
    assert.doesNotMatch(result.text, /stranger/);
    assert.doesNotMatch((await mailOf(house, id, 'primary')).text, /stranger\.globex\.example: Isolated/);
  });

  it('does nothing to a device of another name, until the right one is given', async () => {
    const customer = house.customer('misnamed');
    const machineId = `misnamed-${suffix}`;
    await house.machine(customer, machineId, { computerDnsName: 'ceo-laptop.globex.example' });
    const { id, alert } = await house.alert(customer, { computerDnsName: 'pc.globex.example' });
    await house.command(id, 'triage', verdict(4, { devices: [{ machineId, name: 'reception-pc' }] }));
    assertFailed(await comesTo(id, 'awaiting-release'), machineId, 'device-mismatch');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    assert.deepEqual((await house.mailKinds(id)).toSorted(), ['isolation-result', 'primary', 'soc-failure']);
    assert.match((await mailOf(house, id, 'soc-failure')).text, /judge again naming the right device/);
    for (const { text } of (await house.mails(id)).filter(({ to }) => !to.includes('soc@mimamori.example'))) {
      assert.doesNotMatch(text, /(ceo-laptop|reception)[^\n]*: Isolated/);
    }

    await house.command(id, 'triage', verdict(4, { devices: [{ machineId, name: 'CEO-Laptop' }] }));
    const mended = await house.incidentWhen(id, 'isolated', (incident) => {
      return duty(incident, `isolate:${machineId}`)?.['status'] === 'done' && incident.stage === 'awaiting-release';
    });
    assert.deepEqual(mended.attention, []);
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId, machineId]);
    assert.match(lineOf((await mailOf(house, id, 'isolation-result', 1)).text, 'ceo-laptop.globex.example'), ISOLATED);
    assert.equal((await house.calls()).filter(({ to }) => to === '+442079460001').length, 1);
  });

  it('says nothing of isolation when the only device was misnamed, and follows the corrected name', async () => {
    const customer = house.customer('only');
    const machineId = `only-${suffix}`;
    await house.machine(customer, machineId, { computerDnsName: 'lab-pc' });
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(3, { devices: [{ machineId, name: 'lab-p' }] }));
    assertFailed(await comesTo(id, 'notified'), machineId, 'device-mismatch');
    await calm(house);
    assert.deepEqual((await house.mailKinds(id)).toSorted(), ['primary', 'soc-failure']);
    assert.match(
      (await mailOf(house, id, 'primary')).text,
      /We are verifying the device\. At present it is not isolated/,
    );
    assert.deepEqual(await asked(house, customer, 'isolate'), []);

    await judgeAgain(house, id, verdict(3, { devices: [{ machineId, name: 'lab-pc' }] }));
    await comesTo(id, 'awaiting-release');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [machineId]);
    assert.deepEqual(
      (await house.mailKinds(id)).filter((kind) => kind?.startsWith('soc-') === false),
      ['primary', 'isolation-result'],
    );
    assert.ok(!(await asked(house, customer, 'isolate')).includes(alert.machineId));
  });

  it('takes the corrected name together with the texts that were missing', async () => {
    const customer = house.customer('prose');
    const machineId = `prose-${suffix}`;
    await house.machine(customer, machineId, { computerDnsName: 'lab-pc' });
    const { id } = await house.alert(customer);
    const bare = { level: 3, judgement: 'true-positive' };
    await house.command(id, 'triage', { ...bare, devices: [{ machineId, name: 'wrong' }] });
    await house.incidentWhen(id, 'refused', ({ attention }) => attention.includes('device-mismatch'));
    await house.command(id, 'triage', verdict(3, { devices: [{ machineId, name: 'lab-pc' }] }));
    const incident = await comesTo(id, 'awaiting-release');
    assert.deepEqual(incident.attention, []);
    assert.deepEqual(await asked(house, customer, 'isolate'), [machineId]);
  });

  it('asks what to do with a server, leaves it when told so, and isolates it on an explicit word', async () => {
    const customer = house.customer('server');
    const machineId = `server-${suffix}`;
    await house.machine(customer, machineId, {
      osPlatform: 'WindowsServer2022',
      computerDnsName: 'srv.globex.example',
    });
    const { id } = await house.alert(customer, { machineId });
    await house.incidentWhen(id, 'the device is known', (incident) => timelineOf(incident, 'device-known').length > 0);
    assertRefused(await tried(house, id, 'triage', verdict(3)), 422, 'server-decision-needed', 'servers');
    assert.equal((await house.incident(id)).stage, 'awaiting-triage');

    await house.command(id, 'triage', verdict(3, { servers: 'leave' }));
    const left = await comesTo(id, 'notified');
    const isolation = duty(left, `isolate:${machineId}`);
    assert.deepEqual([isolation?.['status'], isolation?.['reason']], ['waived', 'server-left']);
    assert.deepEqual([left.slo.state, left.attention], ['met', []]);
    const { text } = await mailOf(house, id, 'primary');
    assert.match(lineOf(text, 'srv.globex.example'), /Not isolated: the device is a server/);
    assert.deepEqual(await asked(house, customer, 'isolate'), []);

    await judgeAgain(house, id, verdict(3, { servers: 'isolate' }));
    await comesTo(id, 'awaiting-release');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [machineId]);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary', 'isolation-result']);
    assert.match(lineOf((await mailOf(house, id, 'isolation-result')).text, 'srv.globex.example'), ISOLATED);
  });

  it('isolates no server that an analyst has named without a word on servers', async () => {
    const customer = house.customer('late');
    const server = { machineId: `late-${suffix}`, name: 'srv' };
    await house.machine(customer, server.machineId, { osPlatform: 'WindowsServer2019', computerDnsName: 'srv' });
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(4, { devices: [server] }));
    assertFailed(await comesTo(id, 'awaiting-release'), server.machineId, 'server-decision-needed');
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    await judgeAgain(house, id, verdict(4, { devices: [server], servers: 'isolate' }));
    await house.incidentWhen(id, 'isolated', (incident) => {
      return duty(incident, `isolate:${server.machineId}`)?.['status'] === 'done';
    });
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId, server.machineId]);
  });

  it('isolates more than five devices only when their number is confirmed', async () => {
    const customer = house.customer('many');
    const devices = Array.from({ length: 5 }, (_, index) => ({
      machineId: `many-${index}-${suffix}`,
      name: `m${index}`,
    }));
    for (const { machineId, name } of devices) await house.machine(customer, machineId, { computerDnsName: name });
    const { id, alert } = await house.alert(customer);
    const six = verdict(4, { devices });
    assertRefused(await tried(house, id, 'triage', six), 422, 'invalid-input', 'confirmCount');
    assertRefused(await tried(house, id, 'triage', { ...six, confirmCount: 5 }), 422, 'invalid-input', 'confirmCount');
    assert.equal((await house.incident(id)).level, null);
    await house.command(id, 'triage', { ...six, confirmCount: 6 });
    await comesTo(id, 'awaiting-release');
    const all = [alert.machineId, ...devices.map(({ machineId }) => machineId)];
    assert.deepEqual((await asked(house, customer, 'isolate')).toSorted(), all.sort());
    assert.equal((await mailOf(house, id, 'isolation-result')).text.match(new RegExp(ISOLATED, 'g'))?.length, 6);
  });

  it('needs a device at level 3 where the alert names none', async () => {
    const customer = house.customer('none');
    const machineId = `found-${suffix}`;
    await house.machine(customer, machineId, { computerDnsName: 'found-pc' });
    const { id } = await house.alert(customer, { machineId: null, computerDnsName: null });
    assertRefused(await tried(house, id, 'triage', verdict(3)), 422, 'invalid-input', 'devices');
    assertRefused(await tried(house, id, 'triage', verdict(4)), 422, 'invalid-input', 'devices');
    const two = [machineId, 'another'].map((named) => ({ machineId: named, name: 'found-pc' }));
    assertRefused(await tried(house, id, 'triage', verdict(3, { devices: two })), 422, 'invalid-input', 'devices');
    await house.command(id, 'triage', verdict(3, { devices: [{ machineId, name: 'found-pc' }] }));
    await comesTo(id, 'awaiting-release');
    assert.deepEqual(await asked(house, customer, 'isolate'), [machineId]);
  });
});
