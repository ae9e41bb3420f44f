import assert from 'node:assert/strict';
import { House, instruction, verdict } from '../support/house.js';

describe('one alert from the API to the closed incident', () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house.close());

  it('isolates, mails, releases on the instruction, and closes', async () => {
    const acme = house.customer('acme');
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    assert.deepEqual(
      (await house.actions(acme)).map(({ type, status, machineId }) => [type, status, machineId]),
      [['Isolate', 'Succeeded', alert.machineId]],
    );
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);

    const { devices } = await house.command(id, 'release', { instruction: instruction() });
    assert.deepEqual(devices, [{ machineId: alert.machineId, outcome: 'releasing', heldBy: [] }]);
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result', 'release-result']);

    const closed = await house.command(id, 'close', { reason: 'cleaned' });
    assert.equal(closed.stage, 'closed');
    assert.equal(closed.closeReason, 'resolved');
    assert.equal(closed.slo.state, 'met');
  });
});
