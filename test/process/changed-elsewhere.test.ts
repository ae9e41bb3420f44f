import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { actionsOf, inPortal, isCutOff, newDevice } from '../support/devices.js';
import { asked, assertRefused, calm, englishCustomer, jones, timelineOf, tried } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['first', 'both', 'back', 'ordered', 'quiet', 'failing', 'nothing'];
const WATCH_EVERY_MS = 400;
const CODE = 'isolation-changed-elsewhere';

describe('a held device that somebody changes in the portal', function () {
  this.timeout(60_000);
  let house: House;
  before(async () => {
    house = await House.open({
      customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, 300 + index)),
      watchEveryMs: WATCH_EVERY_MS,
    });
  });
  after(() => house.close());

  async function heldBy(customer: string, count: number): Promise<{ machineId: string; ids: string[] }> {
    const machineId = await newDevice(house, customer, { isolationSeconds: 0.1 });
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const { id } = await house.alert(customer, { machineId });
      await house.command(id, 'triage', verdict(3));
      await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
      ids.push(id);
    }
    return { machineId, ids };
  }

  const noticed = (id: string) => house.incidentWhen(id, 'noticed', ({ attention }) => attention.includes(CODE));
  const device = async (customer: string, machineId: string): Promise<Reply['body']> =>
    (await house.get(`/v1/devices/${customer}/${machineId}`)).body;
  const acknowledge = (customer: string, machineId: string, body: unknown, headers: Record<string, string> = {}) =>
    house.post(`/v1/devices/${customer}/${machineId}/acknowledge`, body, { headers });
  const changesOn = (incident: Reply['body']) =>
    timelineOf(incident, 'isolation').filter(({ data }) => data.reason === CODE);
  const warnings = async (id: string) =>
    (await house.mails(id)).filter(({ headers }) => headers['x-mimamori-kind'] === 'soc-warning');

  it('is noticed, told once, left as it is, and free when an analyst has accepted it', async () => {
    const customer = house.customer('first');
    const { machineId, ids } = await heldBy(customer, 1);
    const [id = ''] = ids;
    await inPortal(house, customer, machineId, 'unisolate');
    const incident = await noticed(id);
    assert.deepEqual(
      incident.devices.map(({ isolation }: Reply['body']) => isolation),
      ['none'],
    );
    const [change] = changesOn(incident);
    assert.match(change?.text.en ?? '', /was released from isolation outside this service by admin@/);
    const [mail] = await until('the SOC is told', async () => {
      const mails = await warnings(id);
      return mails.length > 0 ? mails : undefined;
    });
    assert.match(mail?.text ?? '', /本サービス以外の操作により解除[\s\S]*outside this service by admin@/);
    const shown = await device(customer, machineId);
    assert.deepEqual([shown.isolation, shown.heldBy, shown.changedElsewhere.isolation], ['none', [id], 'released']);
    const queue = await until('the queue shows it', async () => {
      const { body } = await house.get(`/v1/queue?customer=${customer}`);
      return body.items.length > 0 ? body : undefined;
    });
    assert.deepEqual(queue.items[0].attention, [CODE]);
    assertRefused(await tried(house, id, 'close', { reason: 'done' }), 409, 'device-still-isolated');

    await calm(house);
    assert.deepEqual(await actionsOf(house, customer, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
    assert.deepEqual(await asked(house, customer, 'isolate'), [machineId]);
    assert.equal(await isCutOff(house, customer, machineId), false);
    assert.equal((await warnings(id)).length, 1);
    assert.equal(changesOn(await house.incident(id)).length, 1);

    const body = { reason: 'Agreed with Alex Jones by phone.' };
    const key = { 'Idempotency-Key': 'accepted' };
    assertRefused(await acknowledge(customer, machineId, {}), 422, 'invalid-input', 'reason');
    const accepted = await acknowledge(customer, machineId, body, key);
    assert.deepEqual([accepted.status, accepted.body.incidentIds], [200, [id]], JSON.stringify(accepted.body));
    assert.deepEqual((await acknowledge(customer, machineId, body, key)).body, accepted.body);
    assertRefused(await acknowledge(customer, machineId, { reason: 'other' }, key), 409, 'idempotency-mismatch');
    assertRefused(await acknowledge(customer, machineId, body), 409, 'nothing-to-acknowledge');
    const free = await house.incidentWhen(id, 'free', ({ stage }) => stage === 'notified');
    assert.deepEqual(free.attention, []);
    const { actor, text, data } = free.timeline.at(-1);
    assert.deepEqual([actor, data.words, data.reason], ['analyst', body.reason, 'released-elsewhere']);
    assert.match(text.ja, /承認しました/);
    assert.equal((await house.command(id, 'close', { reason: 'done' })).stage, 'closed');
    assert.deepEqual((await device(customer, machineId)).heldBy, []);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
  });

  it('is told to every incident that holds it, and accepted for all of them', async () => {
    const customer = house.customer('both');
    const { machineId, ids } = await heldBy(customer, 2);
    await inPortal(house, customer, machineId, 'unisolate');
    for (const id of ids) await noticed(id);
    const { body } = await acknowledge(customer, machineId, { reason: 'It was the customer.' });
    assert.deepEqual(body.incidentIds.toSorted(), ids.toSorted());
    for (const id of ids) {
      const incident = await house.incidentWhen(id, 'free', ({ stage }) => stage === 'notified');
      assert.equal(changesOn(incident).length, 1);
      // A mail of before may be taken only now, and stands behind it then.
      const accepted = incident.timeline.find(
        ({ data }: { data?: { reason?: string } }) => data?.reason === 'released-elsewhere',
      );
      assert.equal(accepted.actor, 'analyst');
    }
    // A later verdict is a demand of its own.
    const { id: later } = await house.alert(customer, { machineId });
    await house.command(later, 'triage', verdict(3));
    await house.incidentWhen(later, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(await isCutOff(house, customer, machineId), true);
  });

  it('is well again by itself when the portal isolates it again', async () => {
    const customer = house.customer('back');
    const { machineId, ids } = await heldBy(customer, 1);
    const [id = ''] = ids;
    await inPortal(house, customer, machineId, 'unisolate');
    await noticed(id);
    await inPortal(house, customer, machineId, 'isolate');
    const incident = await house.incidentWhen(id, 'well again', ({ attention }) => attention.length === 0);
    assert.deepEqual(
      changesOn(incident).map(({ data }) => data.isolation),
      ['released', 'isolated'],
    );
    assert.deepEqual([incident.stage, incident.devices[0].isolation], ['awaiting-release', 'isolated']);
    assertRefused(await acknowledge(customer, machineId, { reason: 'r' }), 409, 'nothing-to-acknowledge');
    await inPortal(house, customer, machineId, 'unisolate');
    await noticed(id);
    await until('each change is told', async () => ((await warnings(id)).length === 3 ? true : undefined));
  });

  it('is given back on the customer’s instruction as ever', async () => {
    const customer = house.customer('ordered');
    const { machineId, ids } = await heldBy(customer, 1);
    const [id = ''] = ids;
    await inPortal(house, customer, machineId, 'unisolate');
    await noticed(id);
    const { devices } = await house.command(id, 'release', { instruction: jones() });
    assert.deepEqual(devices, [{ machineId, outcome: 'releasing', heldBy: [] }]);
    const released = await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    assert.deepEqual(released.attention, []);
    assert.deepEqual(await asked(house, customer, 'unisolate'), []);
    assert.equal((await house.mailKinds(id)).at(-1), 'release-result');
    assertRefused(await acknowledge(customer, machineId, { reason: 'r' }), 409, 'nothing-to-acknowledge');
  });

  it('costs one call for a look, and no history while nobody changes it', async () => {
    const customer = house.customer('quiet');
    const { machineId } = await heldBy(customer, 1);
    const looks = async () => {
      const { items } = await house.control('GET', '/sim/requests?target=defender');
      const ours = items.filter(({ tenantId }: Reply['body']) => tenantId === house.tenantOf(customer));
      return ours.map(({ method, path }: Reply['body']) => `${method} ${path}`);
    };
    const length = async () =>
      (await house.client.workflow.getHandle(deviceWorkflowId(customer, machineId)).fetchHistory()).events?.length;
    await calm(house);
    const [before, events] = [await looks(), await length()];
    const after = await until('three looks more', async () => {
      const now = await looks();
      return now.length >= before.length + 3 ? now : undefined;
    });
    assert.deepEqual(new Set(after.slice(before.length)), new Set(['GET /api/machineactions']));
    assert.equal(await length(), events);
  });

  it('says so when it cannot be looked at, until it can', async () => {
    const customer = house.customer('failing');
    const { ids } = await heldBy(customer, 1);
    const [id = ''] = ids;
    const fault = { target: 'defender', tenantId: house.tenantOf(customer), times: 1_000, status: 500 };
    const { id: faultId } = await house.control('POST', '/sim/faults', fault);
    await house.incidentWhen(id, 'in trouble', ({ attention }) => attention.includes('defender-state-unknown'));
    await house.control('DELETE', `/sim/faults/${faultId}`);
    const well = await house.incidentWhen(id, 'well', ({ attention }) => attention.length === 0);
    assert.equal(well.stage, 'awaiting-release');
  });

  it('is no device where nobody knows one, and nothing where nobody holds it', async () => {
    const customer = house.customer('nothing');
    assertRefused(await acknowledge(customer, 'no-such-device', { reason: 'r' }), 404, 'unknown-device');
    const { alert } = await house.alert(customer);
    await until('the incident is listed', async () =>
      (await house.get(`/v1/incidents?customer=${customer}`)).body.items.length > 0 ? true : undefined,
    );
    assertRefused(await acknowledge(customer, alert.machineId, { reason: 'r' }), 409, 'nothing-to-acknowledge');
    const { machineId } = await heldBy(customer, 1);
    assertRefused(await acknowledge(customer, machineId, { reason: 'r' }), 409, 'nothing-to-acknowledge');
  });
});
