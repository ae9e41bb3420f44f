import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { asked, calm, englishCustomer, jones, timelineOf } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const COPIES = 50;
const suffix = randomUUID().slice(0, 8);
const NAMES = ['one', 'clear', 'closed', 'low', 'busy'];

describe('the same alert, delivered many times', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index)) });
  });
  after(() => house.close());

  function flood(customer: string, alert: unknown): Promise<Reply[]> {
    return Promise.all(
      Array.from({ length: COPIES }, () => house.post(`/v1/customers/${customer}/alerts`, alert, { as: 'feed' })),
    );
  }

  /** Nothing about the incident has changed by the repeated deliveries, and no second one is there. */
  async function assertKnown(customer: string, alert: unknown, id: string, stage: string): Promise<void> {
    const before = await house.incident(id);
    for (const { status, body } of await flood(customer, alert)) {
      assert.deepEqual([status, body], [200, { incidentId: id, created: false, stage }]);
    }
    const after = await house.incident(id);
    assert.deepEqual(after, before);
    const { items } = (await house.get(`/v1/incidents?customer=${customer}`)).body;
    assert.deepEqual(
      items.map((item: { id: string }) => item.id),
      [id],
    );
  }

  async function listed(customer: string, stage: string): Promise<void> {
    await until(`${customer} is listed as ${stage}`, async () => {
      const { items } = (await house.get(`/v1/incidents?customer=${customer}&stage=${stage}`)).body;
      return items.length > 0 ? true : undefined;
    });
  }

  it('is one incident with one of everything, and created exactly once', async () => {
    const customer = house.customer('one');
    const alert = await house.raise(customer);
    const replies = await flood(customer, alert);
    assert.equal(replies.filter(({ status }) => status === 201).length, 1);
    assert.equal(replies.filter(({ status }) => status === 200).length, COPIES - 1);
    const id = `incident:${customer}:${alert.id}`;
    for (const { status, body } of replies) {
      assert.deepEqual([body.incidentId, body.created], [id, status === 201]);
    }

    await house.command(id, 'triage', verdict(4));
    await house.incidentWhen(id, 'told, rung, isolated', ({ stage }) => stage === 'awaiting-release');
    await listed(customer, 'awaiting-release');
    await assertKnown(customer, alert, id, 'awaiting-release');
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    assert.equal((await house.calls()).length, 1);
    assert.equal(timelineOf(await house.incident(id), 'alert-received').length, 1);
  });

  it('changes nothing while the verdict is being carried out', async () => {
    const customer = house.customer('busy');
    const { id, alert } = await house.alert(customer);
    await Promise.all([house.command(id, 'triage', verdict(3)), flood(customer, alert)]);
    await flood(customer, alert);
    await house.incidentWhen(id, 'told, isolated', ({ stage }) => stage === 'awaiting-release');
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
  });

  it('stays closed after an all-clear', async () => {
    const customer = house.customer('clear');
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(1));
    await house.incidentWhen(id, 'closed', ({ closeReason }) => closeReason === 'no-threat');
    await listed(customer, 'closed');
    await assertKnown(customer, alert, id, 'closed');
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), []);
  });

  it('stays closed after an analyst has closed it', async () => {
    const customer = house.customer('closed');
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    await house.command(id, 'release', { instruction: jones() });
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    await house.command(id, 'close', { reason: 'reinstalled' });
    await listed(customer, 'closed');
    await assertKnown(customer, alert, id, 'closed');
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result', 'release-result']);
    assert.deepEqual(await asked(house, customer, 'isolate'), [alert.machineId]);
    assert.deepEqual(await asked(house, customer, 'unisolate'), [alert.machineId]);
  });

  it('stays closed when it is out of scope', async () => {
    const customer = house.customer('low');
    const alert = await house.raise(customer, { severity: 'Low' });
    const replies = await flood(customer, alert);
    assert.deepEqual(
      replies.filter(({ status }) => status === 201).map(({ body }) => [body.created, body.stage]),
      [[true, 'closed']],
    );
    const id = `incident:${customer}:${alert.id}`;
    await house.incidentWhen(id, 'closed', ({ closeReason }) => closeReason === 'out-of-scope');
    await listed(customer, 'closed');
    await assertKnown(customer, alert, id, 'closed');
    const { timeline } = await house.incident(id);
    assert.deepEqual(
      timeline.map(({ type }: { type: string }) => type),
      ['alert-received', 'scope', 'closed'],
    );
    assert.deepEqual(await house.mailKinds(id), []);
  });
});
