import assert from 'node:assert/strict';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';
import { DAY_MS, plus, toInstant } from '../../src/domain/time.js';
import { actionsOf, inPortal, isCutOff, newDevice } from '../support/devices.js';
import { duty, jones, mailOf } from '../support/effects.js';
import { House, verdict } from '../support/house.js';

describe('a customer who has left the customers file', function () {
  this.timeout(60_000);
  let house: House;
  let globex: string;
  beforeEach(async () => {
    house = await House.open({ watchEveryMs: 400 });
    globex = house.customer('globex');
  });
  afterEach(() => house.close());

  function leave(): void {
    house.policies.replace(house.customers.filter(({ id }) => id !== globex));
  }

  async function isolated(): Promise<{ id: string; machineId: string }> {
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    return { id, machineId };
  }

  it('gets an isolated device back on instruction, and reads so', async () => {
    const { id, machineId } = await isolated();
    leave();
    await house.command(id, 'release', { instruction: jones() });
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.deepEqual((await mailOf(house, id, 'release-result')).to, ['security@globex.example']);
  });

  it('gets it back also by an instruction for the device itself, after another worker has taken over', async () => {
    const { id, machineId } = await isolated();
    leave();
    await house.stopWorker();
    await house.startWorker();
    const ordered = await house.post(`/v1/devices/${globex}/${machineId}/release`, { instruction: jones() });
    assert.equal(ordered.status, 200, JSON.stringify(ordered.body));
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    assert.equal(await isCutOff(house, globex, machineId), false);
    assert.equal((await house.mailKinds(id)).at(-1), 'release-result');
  });

  it('is told of a verdict that comes later, its device isolated', async () => {
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    leave();
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(await isCutOff(house, globex, machineId), true);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
  });

  it('has the devices looked up that a verdict names, and its telephone rung', async () => {
    const named = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId: await newDevice(house, globex, {}) });
    leave();
    await house.command(id, 'triage', {
      ...verdict(4),
      devices: [{ machineId: named, name: `pc-${named.slice(0, 6)}.example` }],
    });
    const answered = await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    assert.equal(duty(answered, 'phone')?.['status'], 'done');
    assert.equal(await isCutOff(house, globex, named), true);
  });

  it('is noticed when somebody releases its device in the portal', async () => {
    const { id, machineId } = await isolated();
    leave();
    await inPortal(house, globex, machineId, 'unisolate');
    await house.incidentWhen(id, 'noticed', ({ attention }) => attention.includes('isolation-changed-elsewhere'));
  });

  it('has the allow indicator of an exclusion taken away when that ends, and reads so', async () => {
    const at = (id: string, rest = '') => `/v1/exclusions/${encodeURIComponent(id)}${rest}`;
    const indicators = async () =>
      (await house.control('GET', `/sim/tenants/${house.tenantOf(globex)}/indicators`)).items.length;
    const { body: proposed } = await house.post(`/v1/customers/${globex}/exclusions`, {
      conditions: { sha256: 'c1'.repeat(32) },
      reason: 'Their own backup',
      expiresAt: plus(toInstant(Date.now()), 30 * DAY_MS),
      set: { ownFilter: false, defenderIndicator: true },
      customerRequest: { by: 'Alex', channel: 'phone', receivedAt: toInstant(Date.now()), words: 'Please.' },
    });
    await house.post(at(proposed.id, '/approve'), {}, { as: 'second' });
    await until('set and confirmed', async () =>
      (await house.get(at(proposed.id))).body.state === 'confirmed' ? true : undefined,
    );
    assert.equal(await indicators(), 1);
    leave();
    const ended = { expiresAt: toInstant(Date.now()), reason: 'The contract has ended.' };
    await house.post(at(proposed.id, '/shorten'), ended, { as: 'second' });
    await until('taken away', async () => ((await indicators()) === 0 ? true : undefined));
    const [mail] = await until('told', async () => {
      const all = (await house.mails()).filter(({ headers }) => headers['x-mimamori-kind'] === 'exclusion-ended');
      return all.length > 0 ? all : undefined;
    });
    assert.deepEqual(mail?.to, ['security@globex.example']);
  });

  it('has its tenant in the file while it is named there: the file wins over what a process knows', async () => {
    const moved = '44444444-4444-4444-8444-444444444444';
    const { id, machineId } = await isolated();
    house.policies.replace(
      house.customers.map((customer) =>
        customer.id === globex ? { ...customer, defender: { ...customer.defender, tenantId: moved } } : customer,
      ),
    );
    await house.command(id, 'release', { instruction: jones() });
    await until('asked in the other tenant', async () => {
      const { items } = await house.control('GET', '/sim/requests?target=defender');
      const there = z.array(z.object({ tenantId: z.string().optional(), path: z.string() })).parse(items);
      return there.some(({ tenantId, path }) => tenantId === moved && path.includes('machineactions')) || undefined;
    });
    assert.deepEqual(await actionsOf(house, globex, machineId), ['Isolate Succeeded']);
  });
});
