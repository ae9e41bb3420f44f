import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { customersFileSchema } from '../../src/domain/customer.js';
import { actionIs, actionsOf, isCutOff, newDevice, toldAndRequested } from '../support/devices.js';
import { calm, duty, englishCustomer, jones, mailOf, timelineOf, tried } from '../support/effects.js';
import { House, verdict } from '../support/house.js';
import { localServer, workflowBundle } from '../support/temporal.js';

/** Time for alert, verdict, mail and request. */
const BEGINS_IN_MS = 6_000;

describe('a tuning period that begins while an isolation is pending', () => {
  let house: House;
  let customer: string;
  let begins: string;
  before(async () => {
    await Promise.all([localServer(), workflowBundle()]);
    customer = `soon-${randomUUID().slice(0, 8)}`;
    house = await House.open({ customers: [englishCustomer(customer, 1)] });
    begins = new Date(Date.now() + BEGINS_IN_MS).toISOString();
    const tuningPeriods = [{ from: begins, until: '2099-01-01T00:00:00Z' }];
    house.policies.replace(
      customersFileSchema.parse({ customers: [englishCustomer(customer, 1, { tuningPeriods })] }).customers,
    );
  });
  after(() => house.close());

  it('cancels it, and everybody is told', async () => {
    const machineId = await newDevice(house, customer, { online: false });
    const { id } = await house.alert(customer, { machineId });
    await house.command(id, 'triage', verdict(3));
    await toldAndRequested(house, id, machineId);
    assert.ok(new Date().toISOString() < begins, 'the test came too late to see the request pending');
    assert.match((await mailOf(house, id, 'primary')).text, /Network isolation was requested/);

    await actionIs(house, customer, machineId, 'Isolate Cancelled');
    const settled = await house.incidentWhen(id, 'settled', ({ stage }) => stage === 'notified');
    assert.ok(new Date().toISOString() >= begins, 'it was cancelled before the period began');
    const { status, reason } = duty(settled, `isolate:${machineId}`) ?? {};
    assert.deepEqual([status, reason], ['cancelled', 'tuning-period']);
    assert.equal(settled.slo.state, 'met', 'an isolation that is not owed has no clock');
    assert.deepEqual(settled.attention, []);
    const off = timelineOf(settled, 'isolation').find(({ data }) => data?.reason === 'tuning-period');
    assert.match(off?.text.en ?? '', /called off.*whitelist tuning period/);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
    const { text } = await mailOf(house, id, 'isolation-result');
    assert.match(text, /request for isolation was cancelled, because the whitelist tuning period began/);

    await house.machine(customer, machineId, { online: true });
    await calm(house);
    assert.equal(await isCutOff(house, customer, machineId), false);
    assert.deepEqual(await actionsOf(house, customer, machineId), ['Isolate Cancelled']);
    const release = await tried(house, id, 'release', { instruction: jones() });
    assert.equal(release.body.code, 'nothing-to-release');
  });
});
