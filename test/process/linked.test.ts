import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { followRequestSignal, leadReportSignal } from '../../src/workflows/messages.js';
import {
  assertOneThread,
  assertRefused,
  calm,
  customerMails,
  duty,
  englishCustomer,
  jones,
  timelineOf,
  tried,
} from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';
import { signalsSent } from '../support/signals.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['attack', 'rules', 'unlink', 'failing', 'giving', 'again', 'after', 'waiting', 'lists', 'gone'];

const TEXTS = { detection: 'A loader ran.', analysis: 'It talked to a host outside.', countermeasures: 'Keep it off.' };
const judged = (level: 1 | 2 | 3 | 4, more: Record<string, unknown> = {}) => verdict(level, { ...TEXTS, ...more });

describe('alerts that belong together', () => {
  let house: House;
  before(async () => {
    house = await House.open({
      customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index + 20)),
    });
  });
  after(() => house.close());

  const alertNamed = async (customer: string, name: string) =>
    (
      await house.alert(customer, {
        title: `Alert ${name}`,
        machineId: `machine-${name}`,
        computerDnsName: `pc-${name}.globex.example`,
      })
    ).id;
  const link = (id: string, leadIncidentId: string) => house.command(id, 'link', { leadIncidentId });
  const settled = (id: string) =>
    house.incidentWhen(
      id,
      'nothing owed',
      ({ stage, duties }) =>
        ['awaiting-release', 'notified'].includes(stage) &&
        duties.some(({ kind }: { kind: string }) => kind === 'mail'),
    );
  const kindsOf = async (id: string) =>
    (await customerMails(house, id)).map(({ headers }) => headers['x-mimamori-kind']);
  const leadOn = async (customer: string, level: 2 | 3 | 4 = 3) => {
    const id = await alertNamed(customer, 'lead');
    await house.command(id, 'triage', judged(level));
    await settled(id);
    return id;
  };
  const timelineTypes = (incident: Reply['body']): string[] =>
    incident.timeline.map(({ type }: { type: string }) => type);

  it('tells of fifteen alerts of one attack in one conversation, with one call', async () => {
    const customer = house.customer('attack');
    const lead = await leadOn(customer, 4);
    const numbers = Array.from({ length: 14 }, (_, index) => index + 1);
    const others = await Promise.all(numbers.map((number) => alertNamed(customer, `n${number}`)));
    await Promise.all(others.map((id) => link(id, lead)));
    await Promise.all(others.map((id, index) => house.command(id, 'triage', judged(index % 2 === 0 ? 4 : 3))));
    for (const id of others) await settled(id);
    await house.incidentWhen(lead, 'all told', ({ stage }) => stage === 'awaiting-release');
    await calm(house);

    const mails = await customerMails(house, lead);
    assert.equal(mails.filter(({ headers }) => headers['x-mimamori-kind'] === 'primary').length, 1);
    assertOneThread(mails);
    for (const [index, id] of others.entries()) {
      assert.deepEqual(await customerMails(house, id), [], `${id} has mails of its own`);
      // Its verdict, and the result of its isolation.
      const telling = mails.filter(({ text }) => text.includes(`Alert n${index + 1}\n`));
      assert.equal(telling.length, 2, `${id}: ${telling.length}`);
      for (const { headers, text, html } of telling) {
        assert.equal(headers['x-mimamori-kind'], 'secondary');
        for (const part of [text, html]) {
          assert.ok(part.includes(id), 'names the incident');
          assert.ok(part.includes(`pc-n${index + 1}.globex.example`), 'names the device');
          assert.ok(part.includes(index % 2 === 0 ? 'Level 4' : 'Level 3'), 'names the level');
          assert.ok(part.includes('true positive'), 'names the judgement');
        }
      }
      const [first, second] = telling;
      for (const words of Object.values(TEXTS)) assert.ok(first?.text.includes(words), words);
      assert.match(second?.text ?? '', /Isolated from the network since/);
      const incident = await house.incident(id);
      const primary = duty(incident, 'mail:primary');
      assert.equal(primary?.['status'], 'done');
      assert.equal(typeof primary['doneAt'], 'string');
      assert.equal(incident.slo.state, 'met');
      assert.equal(incident.lead, lead);
      if (index % 2 === 0) assert.equal(duty(incident, 'phone')?.['status'], 'waived');
    }
    const { contacts } = house.customers.find(({ id }) => id === customer) ?? { contacts: [] };
    const numbersOfCustomer = contacts.map(({ phone }) => phone);
    assert.equal((await house.calls()).filter(({ to }) => numbersOfCustomer.includes(to)).length, 1);
    const shown = await house.incident(lead);
    assert.deepEqual(shown.linked.toSorted(), others.toSorted());
    assert.equal(shown.lead, null);
    assert.equal(timelineTypes(shown).filter((type) => type === 'linked').length, 14);
  });

  it('refuses chains, strangers and closed leads, and keeps the lead open while something is owed', async () => {
    const customer = house.customer('rules');
    const [lead, one, two] = [
      await leadOn(customer),
      await alertNamed(customer, 'r1'),
      await alertNamed(customer, 'r2'),
    ];
    const stranger = await alertNamed(house.customer('unlink'), 'stranger');
    const linked = (id: string, leadIncidentId: string) => tried(house, id, 'link', { leadIncidentId });
    assertRefused(await linked(one, one), 422, 'invalid-input', 'leadIncidentId');
    assertRefused(await linked(one, stranger), 404, 'unknown-incident');
    assertRefused(await linked(one, `incident:${customer}:none`), 404, 'unknown-incident');
    assertRefused(await tried(house, one, 'unlink', {}), 409, 'not-linked');
    const key = { 'Idempotency-Key': 'link-once' };
    const first = await house.command(one, 'link', { leadIncidentId: lead }, { headers: key });
    const again = await house.command(one, 'link', { leadIncidentId: lead }, { headers: key });
    assert.deepEqual(again.accepted, first.accepted);
    assertRefused(await linked(one, lead), 409, 'nothing-new');
    assertRefused(await linked(one, two), 409, 'already-linked');
    const chained = await linked(two, one);
    assertRefused(chained, 409, 'lead-is-linked', 'leadIncidentId');
    assert.ok(chained.body.detail.includes(lead));
    assertRefused(await linked(lead, two), 409, 'is-lead');

    // Level 3 without texts: isolated at once, and the mail still owed through the lead.
    await house.command(one, 'triage', { level: 3, judgement: 'true-positive' });
    await house.incidentWhen(one, 'isolated', ({ devices }) => devices[0].isolation === 'isolated');
    await house.command(lead, 'release', { instruction: jones() });
    await house.incidentWhen(lead, 'released', ({ stage }) => stage === 'notified');
    await house.incidentWhen(one, 'given back', ({ devices }) => devices[0].isolation === 'none');
    assertRefused(await tried(house, lead, 'close', { reason: 'done' }), 409, 'duties-outstanding');
    await house.command(one, 'triage', judged(3));
    await settled(one);
    // Nothing on the lead shows when it has heard of that.
    const closed = await until('the lead knows that nothing is owed through it', async () => {
      const reply = await tried(house, lead, 'close', { reason: 'done' });
      if (reply.status === 200) return reply.body;
      assertRefused(reply, 409, 'duties-outstanding');
      return undefined;
    });
    assert.equal(closed.stage, 'closed');
    assertRefused(await linked(two, lead), 409, 'incident-closed');

    // Its lead is closed: what is owed from now on goes in a conversation of its own.
    await house.command(one, 'escalations', { message: 'One thing more.' });
    const own = await settled(one);
    assert.equal(own.lead, null);
    assert.deepEqual(await kindsOf(one), ['secondary']);
    assert.equal(timelineOf(own, 'unlinked').at(-1)?.data.reason, 'incident-closed');
  });

  it('gives an unlinked incident its own conversation for what is owed from then on', async () => {
    const customer = house.customer('unlink');
    const [lead, id] = [await leadOn(customer), await alertNamed(customer, 'u1')];
    await link(id, lead);
    await house.command(id, 'triage', judged(2));
    await settled(id);
    const unlinked = await house.command(id, 'unlink', {});
    assert.equal(unlinked.lead, null);
    await house.command(id, 'escalations', { message: 'On its own now.' });
    await settled(id);
    assert.deepEqual(await kindsOf(id), ['secondary']);
    assert.deepEqual(await kindsOf(lead), ['primary', 'isolation-result', 'secondary']);
    await house.incidentWhen(lead, 'alone again', ({ linked }) => linked.length === 0);
  });

  it('leaves a primary that was sent as it is, and moves what comes after it', async () => {
    const customer = house.customer('after');
    const lead = await leadOn(customer, 2);
    const id = await alertNamed(customer, 'a1');
    await house.command(id, 'triage', judged(2));
    await settled(id);
    await link(id, lead);
    await house.command(id, 'escalations', { message: 'More of it.' });
    await settled(id);
    assert.deepEqual(await kindsOf(id), ['primary']);
    assert.deepEqual(await kindsOf(lead), ['primary', 'secondary']);
    assert.match((await customerMails(house, lead)).at(-1)?.text ?? '', /More of it\./);
  });

  it('waits for a lead whose primary is not written, says so, and comes back when it is unlinked', async () => {
    const customer = house.customer('waiting');
    const [lead, one, two] = [
      await alertNamed(customer, 'w0'),
      await alertNamed(customer, 'w1'),
      await alertNamed(customer, 'w2'),
    ];
    await Promise.all([one, two].map((id) => link(id, lead)));
    await Promise.all([one, two].map((id) => house.command(id, 'triage', judged(2))));
    for (const id of [one, two]) {
      const waits = await house.incidentWhen(id, 'waits', ({ attention }) => attention.includes('awaiting-lead'));
      assert.equal(duty(waits, 'mail:primary')?.['status'], 'running');
    }
    assert.equal((await house.incident(lead)).stage, 'awaiting-triage');
    await house.command(two, 'unlink', {});
    await settled(two);
    assert.deepEqual(await kindsOf(two), ['primary']);
    await house.command(lead, 'triage', judged(2));
    await settled(one);
    assert.deepEqual(await kindsOf(one), []);
    assert.deepEqual(await kindsOf(lead), ['primary', 'secondary']);
  });

  it('tells of it on its own when the lead turns out to be no threat', async () => {
    const customer = house.customer('gone');
    const [lead, id] = [await alertNamed(customer, 'g0'), await alertNamed(customer, 'g1')];
    await link(id, lead);
    await house.command(id, 'triage', judged(2));
    await house.incidentWhen(id, 'waits', ({ attention }) => attention.includes('awaiting-lead'));
    await house.command(lead, 'triage', judged(1));
    const own = await settled(id);
    assert.equal(own.lead, null);
    assert.deepEqual(await kindsOf(id), ['primary']);
    await house.incidentWhen(lead, 'closed', ({ stage }) => stage === 'closed');
    assert.deepEqual(await kindsOf(lead), []);
  });

  it('fails with the mail of the lead, and is told when it is tried again', async () => {
    const customer = house.customer('failing');
    const [lead, id] = [await leadOn(customer, 2), await alertNamed(customer, 'f1')];
    await link(id, lead);
    await house.control('POST', '/sim/faults', { target: 'smtp', times: 1, status: 550 });
    await house.command(id, 'triage', judged(2));
    const failed = await house.incidentWhen(
      id,
      'failed',
      (incident) => duty(incident, 'mail:primary')?.['status'] === 'failed',
    );
    assert.equal(duty(failed, 'mail:primary')?.['reason'], 'mail-rejected');
    assert.ok(failed.attention.includes('mail-rejected'));
    await house.command(id, 'triage', judged(2));
    await house.incidentWhen(id, 'told', (incident) => duty(incident, 'mail:primary')?.['status'] === 'done');
    await house.incidentWhen(lead, 'nothing failed', ({ attention }) => attention.length === 0);
    await calm(house);
    assert.deepEqual(await kindsOf(lead), ['primary', 'secondary']);
    assert.deepEqual(await kindsOf(id), []);
  });

  it("passes the customer's instruction for the lead on to what is linked", async () => {
    const customer = house.customer('giving');
    const [lead, one, two] = [
      await leadOn(customer),
      await alertNamed(customer, 'v1'),
      await alertNamed(customer, 'v2'),
    ];
    for (const id of [one, two]) {
      await link(id, lead);
      await house.command(id, 'triage', judged(3));
    }
    for (const id of [one, two]) await settled(id);
    const some = await house.command(lead, 'release', { machineIds: ['machine-v1'], instruction: jones() });
    assert.deepEqual(some.devices, [{ machineId: 'machine-v1', outcome: 'releasing', heldBy: [] }]);
    await house.incidentWhen(one, 'given back', ({ stage }) => stage === 'notified');
    assert.equal((await house.incident(lead)).devices[0].isolation, 'isolated');

    const words = 'All of them, please.';
    const { devices } = await house.command(lead, 'release', { instruction: jones({ words }) });
    assert.deepEqual(
      devices.map(({ machineId, outcome }: { machineId: string; outcome: string }) => [machineId, outcome]).toSorted(),
      [
        ['machine-lead', 'releasing'],
        ['machine-v2', 'releasing'],
      ],
    );
    const given = await house.incidentWhen(two, 'given back', ({ stage }) => stage === 'notified');
    const [order] = timelineOf(given, 'instruction');
    assert.equal(order?.data.through, lead);
    assert.equal(order.data.instruction.words, words);
    await house.incidentWhen(lead, 'given back', ({ stage }) => stage === 'notified');
    await calm(house);
    assert.deepEqual([await kindsOf(one), await kindsOf(two)], [[], []]);
    const unknown = await tried(house, lead, 'release', { machineIds: ['machine-other'], instruction: jones() });
    assertRefused(unknown, 404, 'unknown-device', 'machineIds');
  });

  it('takes messages that come again or late, and sends nothing twice', async () => {
    const customer = house.customer('again');
    const [lead, id] = [await leadOn(customer, 2), await alertNamed(customer, 'd1')];
    await link(id, lead);
    await house.command(id, 'triage', judged(2));
    await settled(id);
    await calm(house);
    const before = await customerMails(house, lead);
    const requests = await signalsSent(house.client, lead, followRequestSignal);
    const reports = await signalsSent(house.client, id, leadReportSignal);
    assert.ok(requests.length > 1 && reports.length > 1);
    for (const request of requests.toReversed()) {
      await house.client.workflow.getHandle(lead).signal(followRequestSignal, request);
    }
    for (const report of reports.toReversed()) {
      await house.client.workflow.getHandle(id).signal(leadReportSignal, report);
    }
    await calm(house);
    assert.deepEqual(await customerMails(house, lead), before);
    assert.deepEqual(await customerMails(house, id), []);
    const after = await house.incident(id);
    assert.deepEqual([after.stage, after.lead, after.attention], ['notified', lead, []]);
  });

  it('finds what may belong together', async () => {
    const customer = house.customer('lists');
    const file = { entityType: 'File', fileName: 'a.exe', filePath: 'C:\\', sha256: 'ab'.repeat(32) };
    const raise = async (title: string, more: Record<string, unknown>) =>
      (await house.alert(customer, { title, ...more })).id;
    const own = await raise('own', { incidentId: 770_077, machineId: 'shared', evidence: [file] });
    const byIncident = await raise('by incident', { incidentId: 770_077 });
    const byDevice = await raise('by device', { machineId: 'shared' });
    const byFile = await raise('by file', { evidence: [file] });
    await raise('alone', {});
    await house.alert(house.customer('rules'), { title: 'of another customer', incidentId: 770_077, evidence: [file] });
    await link(byDevice, own);
    const { related } = await house.incidentWhen(own, 'related', (incident) => {
      const found: { linkedTo?: string }[] = incident.related;
      return found.length === 3 && found.some(({ linkedTo }) => linkedTo !== undefined);
    });
    assert.deepEqual(
      related.map(({ id, why, title, linkedTo }: Record<string, unknown>) => ({ id, why, title, linkedTo })),
      [
        { id: byFile, why: ['same-file'], title: 'by file', linkedTo: undefined },
        { id: byDevice, why: ['same-device'], title: 'by device', linkedTo: own },
        { id: byIncident, why: ['same-defender-incident'], title: 'by incident', linkedTo: undefined },
      ],
    );
  });
});
