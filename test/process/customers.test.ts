import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { customerWorkflowId } from '../../src/domain/customers/record.js';
import { actionIs, actionsOf, isCutOff, newDevice, toldAndRequested } from '../support/devices.js';
import { assertRefused, duty, judgeAgain } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const FAR = '2099-01-01T00:00:00Z';

describe('tuning periods at run time', function () {
  this.timeout(60_000);
  let house: House;
  let globex: string;
  before(async () => {
    house = await House.open();
    globex = house.customer('globex');
  });
  after(() => house.close());

  const path = () => `/v1/customers/${globex}/tuning-periods`;
  const set = (body: Record<string, unknown> = {}) =>
    house.post(path(), {
      from: new Date().toISOString(),
      until: FAR,
      reason: 'The customer tunes its rules.',
      ...body,
    });
  const end = (id: string, as: 'analyst' | 'viewer' = 'analyst') =>
    house.ask('DELETE', `${path()}/${id}`, { reason: 'They are done.' }, { as });
  const holding = async (): Promise<Reply['body'][]> =>
    (await house.get(path())).body.items.filter(({ holdsNow }: Reply['body']) => holdsNow);

  it('prevents an isolation, cancels one that is pending, and its end isolates nobody but asks an analyst', async () => {
    const [pending, prevented] = [
      await newDevice(house, globex, { online: false }),
      await newDevice(house, globex, {}),
    ];
    const first = await house.alert(globex, { machineId: pending });
    await house.command(first.id, 'triage', verdict(3));
    await toldAndRequested(house, first.id, pending);

    const made = await set();
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { id, source, holdsNow, set: by } = made.body;
    assert.deepEqual(
      [source, holdsNow, by.actor, by.reason],
      ['run-time', true, 'analyst', 'The customer tunes its rules.'],
    );
    await actionIs(house, globex, pending, 'Isolate Cancelled');
    await house.incidentWhen(first.id, 'called off', ({ stage }) => stage === 'notified');

    const second = await house.alert(globex, { machineId: prevented });
    await house.command(second.id, 'triage', verdict(3));
    const told = await house.incidentWhen(second.id, 'told', ({ stage }) => stage === 'notified');
    assert.deepEqual(
      [duty(told, `isolate:${prevented}`)?.status, duty(told, `isolate:${prevented}`)?.reason],
      ['waived', 'tuning-period'],
    );
    const [mail] = await house.mails(second.id);
    assert.match(mail?.text ?? '', /tuning period/);

    const ended = await end(id);
    assert.equal(ended.status, 200, JSON.stringify(ended.body));
    assert.deepEqual(await holding(), []);
    for (const incident of [first, second]) {
      const waits = await house.incidentWhen(
        incident.id,
        'waits for an analyst',
        ({ attention }) => attention.length > 0,
      );
      assert.deepEqual(waits.attention, ['tuning-period-over']);
      await until('the queue shows it', async () => {
        const { body } = await house.get('/v1/queue');
        return body.items.some((item: Reply['body']) => item.id === incident.id) ? true : undefined;
      });
    }
    assert.deepEqual(await actionsOf(house, globex, prevented), []);
    await judgeAgain(house, second.id, verdict(3));
    const isolated = await house.incidentWhen(second.id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual(isolated.attention, []);
    assert.equal(await isCutOff(house, globex, prevented), true);
  });

  it('says who set and ended each, and when', async () => {
    const body = await until('the lists show what is open and isolated', async () => {
      const { body: shown } = await house.get(`/v1/customers/${globex}`);
      return shown.openIncidents['awaiting-release'] > 0 && shown.isolatedDevices.length > 0 ? shown : undefined;
    });
    assert.deepEqual(
      body.timeline.map(({ type, actor }: Reply['body']) => [type, actor]),
      [
        ['tuning-set', 'analyst'],
        ['tuning-ended', 'analyst'],
      ],
    );
    assert.equal(body.isolationAllowed, true);
    assert.equal(body.feed.state, 'not-started');
  });

  it('refuses what makes no sense, and who may not', async () => {
    assertRefused(await set({ until: '2020-01-01T00:00:00Z' }), 422, 'invalid-input');
    assertRefused(await set({ from: FAR }), 422, 'invalid-input');
    assertRefused(await set({ reason: '' }), 422, 'invalid-input');
    assertRefused(await set({ from: '2026-01-01' }), 422, 'invalid-input');
    assertRefused(await end('tp-999'), 404, 'unknown-tuning-period');
    const { body } = await house.get(path());
    assertRefused(await end(body.items[0].id), 409, 'tuning-period-over');
    assert.equal((await end(body.items[0].id, 'viewer')).status, 403);
    const file = await house.ask('DELETE', `/v1/customers/${house.customer('tuning')}/tuning-periods/file-1`, {
      reason: 'x',
    });
    assertRefused(file, 409, 'set-by-file');
    assert.equal((await house.get(path(), { as: 'bound' })).status, 404);
  });

  it('holds on while its workflow is stopped, and takes no change that would forget it', async () => {
    const made = await set();
    const handle = house.client.workflow.getHandle(customerWorkflowId(globex));
    await handle.terminate('a slip of the hand');
    assert.deepEqual(
      (await holding()).map(({ id }) => id),
      [made.body.id],
    );
    assertRefused(await end(made.body.id), 409, 'customer-stopped');
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    const told = await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.equal(duty(told, `isolate:${machineId}`)?.reason, 'tuning-period');
  });

  it('with the same key twice is one period', async () => {
    const acme = house.customer('acme');
    const body = { from: new Date().toISOString(), until: FAR, reason: 'Once.' };
    const headers = { 'Idempotency-Key': 'one-period' };
    const ids = [];
    for (let time = 0; time < 2; time += 1) {
      ids.push((await house.post(`/v1/customers/${acme}/tuning-periods`, body, { headers })).body.id);
    }
    assert.equal(ids[0], ids[1]);
    await until('it is one', async () => {
      const { body: list } = await house.get(`/v1/customers/${acme}/tuning-periods`);
      return list.items.length === 1 ? true : undefined;
    });
  });

  it('the customers are listed to those who may see them', async () => {
    const ids = async (as: 'analyst' | 'bound') =>
      (await house.get('/v1/customers', { as })).body.items.map(({ id }: Reply['body']) => id);
    assert.deepEqual(
      await ids('analyst'),
      house.customers.map(({ id }) => id),
    );
    assert.deepEqual(await ids('bound'), [house.customer('acme')]);
  });
});
