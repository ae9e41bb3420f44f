import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import {
  asked,
  assertOneThread,
  calm,
  customerMails,
  englishCustomer,
  jones,
  mailOf,
  timelineOf,
} from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['first', 'whole', 'later', 'hanging'];
const MACHINE = 'shared-machine';

describe('two incidents on one device', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index)) });
  });
  after(() => house.close());

  const alertOn = (customer: string) =>
    house.alert(customer, { machineId: MACHINE, computerDnsName: 'pc.globex.example' });
  const isolatedFor = (id: string) =>
    house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
  const releaseDevice = (customer: string, body: unknown, headers: Record<string, string> = {}) =>
    house.post(`/v1/devices/${customer}/${MACHINE}/release`, body, { headers });

  async function bothIsolated(customer: string): Promise<[string, string]> {
    const [{ id: one }, { id: other }] = await Promise.all([alertOn(customer), alertOn(customer)]);
    await Promise.all([one, other].map((id) => house.command(id, 'triage', verdict(3))));
    await Promise.all([one, other].map(isolatedFor));
    return [one, other];
  }

  async function deviceWhen(customer: string, what: string, holds: (device: Reply['body']) => boolean) {
    return until(`the device: ${what}`, async () => {
      const { body } = await house.get(`/v1/devices/${customer}/${MACHINE}`);
      return holds(body) ? body : undefined;
    });
  }

  function told(incident: Reply['body'], type: 'isolation' | 'release'): string[] {
    return timelineOf(incident, type).map(({ data }) => data.state);
  }

  it('isolates it once, and gives it back when the last one is told to', async () => {
    const customer = house.customer('first');
    const [one, other] = await bothIsolated(customer);
    assert.deepEqual(await asked(house, customer, 'isolate'), [MACHINE]);
    const device = await deviceWhen(customer, 'held by both', ({ heldBy }) => heldBy.length === 2);
    assert.deepEqual([device.isolation, device.heldBy.toSorted()], ['isolated', [one, other].toSorted()]);

    const first = await house.command(one, 'release', { instruction: jones({ words: 'Release it for the first.' }) });
    assert.deepEqual(first.devices, [{ machineId: MACHINE, outcome: 'held', heldBy: [other] }]);
    const givenUp = await house.incidentWhen(one, 'told that it is held', ({ stage }) => stage === 'notified');
    assert.deepEqual(told(givenUp, 'release'), ['held']);
    assert.deepEqual(givenUp.devices, [{ machineId: MACHINE, name: 'pc.globex.example', isolation: 'isolated' }]);
    const held = await mailOf(house, one, 'release-result');
    assert.ok(held.text.includes(`Still isolated, because another incident of yours (${other})`), held.text);
    assert.doesNotMatch(held.text, /released from network isolation/i);
    assert.equal((await house.command(one, 'close', { reason: 'done here' })).stage, 'closed');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
    assert.equal((await house.incident(other)).stage, 'awaiting-release');

    const second = await house.command(other, 'release', { instruction: jones({ words: 'Now for the second too.' }) });
    assert.deepEqual(second.devices, [{ machineId: MACHINE, outcome: 'releasing', heldBy: [] }]);
    const released = await house.incidentWhen(other, 'released and told', ({ stage }) => stage === 'notified');
    assert.deepEqual(told(released, 'release'), ['releasing', 'released']);
    assert.match((await mailOf(house, other, 'release-result')).text, /Released from network isolation at/);
    const afterwards = await house.incidentWhen(one, 'hears of it', (incident) => told(incident, 'release').length > 1);
    assert.equal(told(afterwards, 'release').at(-1), 'released');
    assert.equal(afterwards.stage, 'closed');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'unisolate'), [MACHINE]);
    for (const id of [one, other]) {
      assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result', 'release-result']);
    }
    assert.deepEqual((await deviceWhen(customer, 'free', ({ isolation }) => isolation === 'none')).heldBy, []);
  });

  it('is given back for both by one instruction on the device', async () => {
    const customer = house.customer('whole');
    const [one, other] = await bothIsolated(customer);
    const key = { 'Idempotency-Key': 'the-one-instruction' };
    const body = { instruction: jones({ words: 'Release PC for everything.' }) };
    const reply = await releaseDevice(customer, body, key);
    assert.deepEqual(
      [reply.status, reply.body.devices],
      [200, [{ machineId: MACHINE, outcome: 'releasing', heldBy: [] }]],
      JSON.stringify(reply.body),
    );
    assert.deepEqual((await releaseDevice(customer, body, key)).body, reply.body);
    for (const id of [one, other]) {
      const incident = await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
      const instructions = timelineOf(incident, 'instruction').map(({ data }) => data.instruction);
      assert.deepEqual(
        instructions.map(({ by, words }: { by: string; words: string }) => [by, words]),
        [['jones', 'Release PC for everything.']],
      );
      assert.deepEqual(told(incident, 'release'), ['releasing', 'released']);
      const mails = await customerMails(house, id);
      assert.deepEqual(
        mails.map(({ headers }) => headers['x-mimamori-kind']),
        ['primary', 'isolation-result', 'release-result'],
      );
      assertOneThread(mails);
      assert.match(mails.at(-1)?.text ?? '', /Released from network isolation at[^]*Alex Jones/);
    }
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'unisolate'), [MACHINE]);
    const again = await releaseDevice(customer, body);
    assert.deepEqual([again.status, again.body.code], [409, 'nothing-to-release']);
  });

  it('takes over an isolation that another incident has brought about, with no second request', async () => {
    const customer = house.customer('later');
    const { id: one } = await alertOn(customer);
    await house.command(one, 'triage', verdict(3));
    await isolatedFor(one);
    const { id: later } = await alertOn(customer);
    await house.command(later, 'triage', verdict(3));
    await isolatedFor(later);
    assert.match((await mailOf(house, later, 'isolation-result')).text, /Isolated from the network since/);
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [MACHINE]);
    // The one that asked first is released first: the device stays where the other wants it.
    const { devices } = await house.command(one, 'release', { instruction: jones() });
    assert.deepEqual(devices, [{ machineId: MACHINE, outcome: 'held', heldBy: [later] }]);
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
  });

  it('keeps an isolation under way that one of them no longer wants', async () => {
    const customer = house.customer('hanging');
    await house.machine(customer, MACHINE, { online: false, computerDnsName: 'pc.globex.example' });
    const [{ id: one }, { id: other }] = await Promise.all([alertOn(customer), alertOn(customer)]);
    await Promise.all([one, other].map((id) => house.command(id, 'triage', verdict(3))));
    await until('the request', async () => ((await house.actions(customer)).length > 0 ? true : undefined));
    await deviceWhen(customer, 'wanted by both', ({ heldBy }) => heldBy.length === 2);
    const { devices } = await house.command(one, 'release', { instruction: jones() });
    assert.deepEqual(devices, [{ machineId: MACHINE, outcome: 'held', heldBy: [other] }]);
    await house.incidentWhen(one, 'told that it is held', ({ stage }) => stage === 'notified');
    const sent = (await mailOf(house, one, 'release-result')).text;
    assert.ok(sent.includes(`still being requested, because another incident of yours (${other})`), sent);
    assert.doesNotMatch(sent, /still isolated|isolated from the network since/i);
    await house.machine(customer, MACHINE, { online: true });
    await isolatedFor(other);
    assert.deepEqual(
      (await house.actions(customer)).map(({ type, status }) => [type, status]),
      [['Isolate', 'Succeeded']],
    );
    // The last one gives it back.
    assert.equal((await house.command(other, 'release', { instruction: jones() })).devices[0].outcome, 'releasing');
    await house.incidentWhen(other, 'released', ({ stage }) => stage === 'notified');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [MACHINE]);
    assert.deepEqual(await asked(house, customer, 'unisolate'), [MACHINE]);
    // For the first it was never isolated: it has nothing more to tell.
    assert.deepEqual(await house.mailKinds(one), ['primary', 'release-result']);
    assert.deepEqual(await house.mailKinds(other), ['primary', 'isolation-result', 'release-result']);
  });
});
