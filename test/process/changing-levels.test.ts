import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import {
  asked,
  assertOneThread,
  assertRefused,
  calm,
  customerMails,
  duty,
  englishCustomer,
  jones,
  judgeAgain,
  mailOf,
  timelineOf,
  tried,
} from '../support/effects.js';
import { House, TEXTS, verdict } from '../support/house.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['updown', 'more', 'less', 'prose', 'regret', 'called-off', 'quick'];

describe('a level that changes', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index)) });
  });
  after(() => house.close());

  const comesTo = (id: string, stage: string) => house.incidentWhen(id, stage, (incident) => incident.stage === stage);

  async function kindsOf(id: string): Promise<(string | undefined)[]> {
    const mails = await customerMails(house, id);
    assertOneThread(mails);
    const [first, ...others] = mails.map(({ subject }) => subject);
    for (const subject of others) assert.equal(subject, `Re: ${first}`);
    return mails.map(({ headers }) => headers['x-mimamori-kind']);
  }

  async function callsOf(customer: string): Promise<number> {
    const numbers = house.customers.find(({ id }) => id === customer)?.contacts.map(({ phone }) => phone);
    return (await house.calls()).filter(({ to }) => numbers?.includes(to)).length;
  }

  it('2 → 4 → 1: one thread, isolated and rung once, and released only on instruction', async () => {
    const customer = house.customer('updown');
    const { id, alert } = await house.alert(customer, { computerDnsName: 'pc.globex.example' });
    await house.command(id, 'triage', verdict(2));
    await comesTo(id, 'notified');
    await judgeAgain(house, id, verdict(4));
    await comesTo(id, 'awaiting-release');
    assert.deepEqual(await kindsOf(id), ['primary', 'secondary', 'isolation-result']);
    const raised = (await mailOf(house, id, 'secondary')).text;
    assert.match(raised, /Level 4 \(.*\), changed from: Level 2 \(/);
    assert.match(raised, /true positive \(the detection was right\), unchanged/);

    await judgeAgain(house, id, verdict(1));
    const cleared = await comesTo(id, 'awaiting-release');
    assert.equal(cleared.level, 1);
    await until('the all-clear', async () => ((await kindsOf(id)).length === 4 ? true : undefined));
    const allClear = (await mailOf(house, id, 'secondary', 1)).text;
    assert.match(allClear, /Level 1 \(.*\), changed from: Level 4 \(/);
    assert.match(allClear, /May we release the isolation\?[^]*still isolated from the network: pc\.globex\.example/);
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
    assert.equal((await house.incident(id)).stage, 'awaiting-release');
    assertRefused(await tried(house, id, 'close', { reason: 'no threat' }), 409, 'device-still-isolated');

    await house.command(id, 'release', { instruction: jones() });
    const closed = await comesTo(id, 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    await calm(house);
    assert.deepEqual(await kindsOf(id), ['primary', 'secondary', 'isolation-result', 'secondary', 'release-result']);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    assert.deepEqual(await asked(house, customer, 'unisolate'), [alert.machineId]);
    assert.equal(await callsOf(customer), 1);
    assert.deepEqual(
      timelineOf(closed, 'verdict').map(({ data }) => data.level),
      [2, 4, 1],
    );
  });

  it('3 → 4 with another device: isolates that one too, and rings', async () => {
    const customer = house.customer('more');
    const second = { machineId: `second-${suffix}`, name: 'second.globex.example' };
    await house.machine(customer, second.machineId, { computerDnsName: second.name });
    const { id, alert } = await house.alert(customer, { computerDnsName: 'first.globex.example' });
    await house.command(id, 'triage', verdict(3));
    await comesTo(id, 'awaiting-release');
    assert.equal(await callsOf(customer), 0);
    await judgeAgain(house, id, verdict(4, { devices: [second] }));
    await house.incidentWhen(id, 'all told', ({ stage }) => stage === 'awaiting-release');
    await calm(house);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId, second.machineId]);
    assert.equal(await callsOf(customer), 1);
    assert.deepEqual(await kindsOf(id), ['primary', 'isolation-result', 'secondary', 'isolation-result']);
    const result = (await mailOf(house, id, 'isolation-result', 1)).text;
    assert.match(result, /second\.globex\.example: Isolated from the network since/);

    // One instruction for both; named one by one, each is given back alone.
    const first = await house.command(id, 'release', { machineIds: [second.machineId], instruction: jones() });
    assert.deepEqual(first.devices, [{ machineId: second.machineId, outcome: 'releasing', heldBy: [] }]);
    await house.incidentWhen(id, 'one released', (incident) => {
      return duty(incident, 'mail:release-result:o0')?.['status'] === 'done';
    });
    assert.equal((await house.incident(id)).stage, 'awaiting-release');
    assert.deepEqual(await asked(house, customer, 'unisolate'), [second.machineId]);
    await house.command(id, 'release', { instruction: jones() });
    await comesTo(id, 'notified');
    assert.deepEqual(await asked(house, customer, 'unisolate'), [second.machineId, alert.machineId]);
  });

  it('4 → 3 → 4: says so, lets no device go, and rings no second time', async () => {
    const customer = house.customer('less');
    const second = { machineId: `second-${suffix}`, name: 'second.globex.example' };
    await house.machine(customer, second.machineId, { computerDnsName: second.name });
    const { id, alert } = await house.alert(customer, { computerDnsName: 'first.globex.example' });
    await house.command(id, 'triage', verdict(4, { devices: [second] }));
    await comesTo(id, 'awaiting-release');
    await judgeAgain(house, id, verdict(3));
    await until('the change is told', async () => ((await kindsOf(id)).length === 3 ? true : undefined));
    const lowered = (await mailOf(house, id, 'secondary')).text;
    assert.match(lowered, /Level 3 \(.*\), changed from: Level 4 \(/);
    assert.match(lowered, /first\.globex\.example: Isolated from the network/);
    assert.match(lowered, /second\.globex\.example: Isolated from the network/);
    await judgeAgain(house, id, verdict(4));
    await until('the change is told again', async () => ((await kindsOf(id)).length === 4 ? true : undefined));
    await comesTo(id, 'awaiting-release');
    await calm(house);
    assert.deepEqual(await kindsOf(id), ['primary', 'isolation-result', 'secondary', 'secondary']);
    assert.deepEqual((await asked(house, customer, 'isolate')).toSorted(), [alert.machineId, second.machineId].sort());
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
    assert.equal(await callsOf(customer), 1);
  });

  it('3 without texts: isolates at once, owes the mail, and the texts complete the verdict', async () => {
    const customer = house.customer('prose');
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', { level: 3, judgement: 'true-positive' });
    const acted = await house.incidentWhen(id, 'isolated', (incident) => {
      return duty(incident, `isolate:${alert.machineId}`)?.['status'] === 'done';
    });
    const primary = duty(acted, 'mail:primary');
    assert.deepEqual([primary?.['status'], primary?.['reason']], ['owed', 'awaiting-text']);
    assert.deepEqual([acted.stage, acted.attention, acted.slo.state], ['responding', ['awaiting-text'], 'running']);
    assert.deepEqual(await house.mailKinds(id), []);
    const queued = await until('it is in the queue', async () => {
      const { items } = (await house.get(`/v1/queue?customer=${customer}`)).body;
      return items.find((item: { attention: string[] }) => item.attention.length > 0);
    });
    assert.deepEqual([queued.id, queued.attention], [id, ['awaiting-text']]);
    assertRefused(await tried(house, id, 'escalations', { message: 'More.' }), 409, 'no-primary-escalation');

    // No changed verdict: neither If-Match nor a secondary.
    await house.command(id, 'triage', { level: 3, judgement: 'true-positive', ...TEXTS });
    const told = await comesTo(id, 'awaiting-release');
    assert.deepEqual([told.attention, told.slo.state], [[], 'met']);
    await calm(house);
    assert.deepEqual(await kindsOf(id), ['primary', 'isolation-result']);
    const { text } = await mailOf(house, id, 'primary');
    for (const words of Object.values(TEXTS)) assert.ok(text.includes(words));
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    await until('it has left the queue', async () => {
      const { items } = (await house.get(`/v1/queue?customer=${customer}`)).body;
      return items.length === 0 ? true : undefined;
    });
  });

  it('3 without texts → 1 while isolated: the first mail asks whether to release', async () => {
    const customer = house.customer('regret');
    const { id, alert } = await house.alert(customer, { computerDnsName: 'pc.globex.example' });
    await house.command(id, 'triage', { level: 3, judgement: 'true-positive' });
    await house.incidentWhen(id, 'isolated', (incident) => {
      return duty(incident, `isolate:${alert.machineId}`)?.['status'] === 'done';
    });
    await judgeAgain(house, id, verdict(1));
    await comesTo(id, 'awaiting-release');
    const { text } = await mailOf(house, id, 'primary');
    assert.match(text, /found no problem[\s\S]*We are writing because a device had been isolated/);
    assert.match(text, /May we release the isolation\?[^]*pc\.globex\.example/);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
    await house.command(id, 'release', { instruction: jones() });
    assert.equal((await comesTo(id, 'closed')).closeReason, 'no-threat');
    await calm(house);
    assert.deepEqual(await kindsOf(id), ['primary', 'release-result']);
  });

  it('3 without texts → 1 before the device was isolated: called off, and nobody is bothered', async () => {
    const customer = house.customer('called-off');
    const machineId = `offline-${suffix}`;
    await house.machine(customer, machineId, { online: false });
    const { id } = await house.alert(customer, { machineId });
    await house.command(id, 'triage', { level: 3, judgement: 'true-positive' });
    await until('the request', async () => ((await house.actions(customer)).length > 0 ? true : undefined));
    await judgeAgain(house, id, verdict(1));
    const closed = await comesTo(id, 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    assert.deepEqual(
      (await house.actions(customer)).map(({ type, status }) => [type, status]),
      [['Isolate', 'Cancelled']],
    );
    await house.machine(customer, machineId, { online: true });
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), []);
    assert.equal((await house.actions(customer)).length, 1);
  });

  it('raised again before the first mail is out: both are told in order, without delay', async () => {
    const customer = house.customer('quick');
    await house.control('POST', '/sim/faults', { target: 'smtp', path: 'security-0006', times: 1, delayMs: 3_000 });
    const { id } = await house.alert(customer);
    await house.command(id, 'triage', verdict(2));
    await house.incidentWhen(id, 'the mail is under way', (incident) => {
      return duty(incident, 'mail:primary')?.['status'] === 'running';
    });
    const startMs = Date.now();
    await judgeAgain(house, id, verdict(3));
    await comesTo(id, 'awaiting-release');
    assert.ok(Date.now() - startMs < 10_000, 'an analyst waits for the mail server only');
    assert.deepEqual(await kindsOf(id), ['primary', 'secondary', 'isolation-result']);
  });
});
