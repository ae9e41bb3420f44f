import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { releaseSchema } from '../../src/domain/commands.js';
import { deviceReportSchema, deviceWorkflowId, type DeviceReport } from '../../src/domain/device/record.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import {
  closeUpdate,
  deviceQuery,
  deviceReportSignal,
  deviceRequestSignal,
  releaseUpdate,
  triageUpdate,
} from '../../src/workflows/messages.js';
import { actionIs, actionsOf, isCutOff, newDevice, toldAndRequested } from '../support/devices.js';
import { calm, judgeAgain } from '../support/effects.js';
import { House, instruction, verdict } from '../support/house.js';
import { signalsSent } from '../support/signals.js';
import { JumpingWorld } from './stub-outside.js';

/** The reports that an incident's current run has had from its devices, as they were sent. */
async function reportsTo(house: House, id: string): Promise<DeviceReport[]> {
  const sent = await signalsSent(house.client, id, deviceReportSignal);
  return sent.map((report) => deviceReportSchema.parse(report));
}

describe('messages that come late, twice, or to nobody', () => {
  let house: House;
  let acme: string;
  before(async () => {
    house = await House.open({ service: { lingerMs: 300 } });
    acme = house.customer('acme');
  });
  after(() => house.close());

  const released = async (id: string) => {
    await house.command(id, 'release', { instruction: instruction() });
    return house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
  };
  const isolatedIncident = async (machineId: string) => {
    const { id } = await house.alert(acme, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    return id;
  };

  it('a straggling request to isolate leaves a released device alone', async () => {
    const machineId = await newDevice(house, acme, {});
    const id = await isolatedIncident(machineId);
    await released(id);
    const device = house.client.workflow.getHandle(deviceWorkflowId(acme, machineId));
    for (const seq of [1, 2]) {
      const straggler = { incidentId: id, seq, want: 'isolate', why: 'late', name: 'pc' } as const;
      await device.signal(deviceRequestSignal, straggler);
    }
    assert.equal((await device.query(deviceQuery)).isolation, 'none');
    await calm(house);
    assert.deepEqual(await actionsOf(house, acme, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
    assert.equal(await isCutOff(house, acme, machineId), false);
  });

  it('a request that was called off by a newer one isolates nobody, also when it is delivered after it', async () => {
    const machineId = await newDevice(house, acme, { online: false });
    const { id } = await house.alert(acme, { machineId });
    await house.command(id, 'triage', verdict(3));
    await toldAndRequested(house, id, machineId);
    await judgeAgain(house, id, verdict(2));
    await actionIs(house, acme, machineId, 'Isolate Cancelled');
    const device = house.client.workflow.getHandle(deviceWorkflowId(acme, machineId));
    await device.signal(deviceRequestSignal, { incidentId: id, seq: 1, want: 'isolate', why: 'late', name: 'pc' });
    await house.machine(acme, machineId, { online: true });
    await calm(house);
    assert.deepEqual(await actionsOf(house, acme, machineId), ['Isolate Cancelled']);
  });

  it('a report that finds nobody fails nothing, and the other incident on the device gets its own', async () => {
    const machineId = await newDevice(house, acme, { online: false });
    const gone = (await house.alert(acme, { machineId })).id;
    const { id } = await house.alert(acme, { machineId });
    for (const incident of [gone, id]) {
      await house.command(incident, 'triage', verdict(3));
      await toldAndRequested(house, incident, machineId);
    }
    await house.client.workflow.getHandle(gone).terminate('an operator’s slip');
    await house.machine(acme, machineId, { online: true });
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    const device = house.client.workflow.getHandle(deviceWorkflowId(acme, machineId));
    const { status } = await device.describe();
    assert.equal(status.name, 'RUNNING');
    const reply = await house.post(`/v1/devices/${acme}/${machineId}/release`, { instruction: instruction() });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    assert.equal(await isCutOff(house, acme, machineId), false);
  });

  it('reports that come twice, or that are older than the last, change nothing and mail nobody', async () => {
    const machineId = await newDevice(house, acme, {});
    const id = await isolatedIncident(machineId);
    const reports = await reportsTo(house, id);
    assert.ok(reports.length >= 2);
    const before = await house.incident(id);
    const handle = house.client.workflow.getHandle(id);
    for (const report of [...reports, ...reports.toReversed()]) await handle.signal(deviceReportSignal, report);
    await house.command(id, 'notes', { text: 'after them' });
    const afterwards = await house.incident(id);
    assert.equal(afterwards.stage, 'awaiting-release');
    assert.deepEqual(
      afterwards.timeline.slice(before.timeline.length).map(({ type }: { type: string }) => type),
      ['note'],
    );
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result']);
  });

  it('reopened in a new run, the incident goes on getting its device’s reports', async () => {
    const machineId = await newDevice(house, acme, {});
    const id = await isolatedIncident(machineId);
    await released(id);
    await house.command(id, 'close', { reason: 'cleaned' });
    const handle = house.client.workflow.getHandle(id);
    const firstRun = await until('the first run ended', async () => {
      const { status, runId } = await handle.describe();
      return status.name === 'COMPLETED' ? runId : undefined;
    });
    await house.command(id, 'reopen', { reason: 'it is back' });
    assert.notEqual((await handle.describe()).runId, firstRun);
    const again = { devices: [{ machineId, name: (await house.incident(id)).devices[0].name }] };
    await judgeAgain(house, id, verdict(3, again));
    await house.incidentWhen(id, 'isolated again', ({ stage }) => stage === 'awaiting-release');
    assert.equal(await isCutOff(house, acme, machineId), true);
    await released(id);
    assert.equal(await isCutOff(house, acme, machineId), false);
  });
});

describe('requests around the end of a workflow', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
  });
  after(() => world.close());

  it('none is lost when a device’s workflow is about to end', async () => {
    const machineId = 'shared';
    let runs = 0;
    for (let round = 0; round < 12; round += 1) {
      const incident = await world.alert({ machineId, computerDnsName: `${machineId}.example` });
      // The device's workflow lingers for ten minutes after the release of the round before.
      const passing = round === 0 ? Promise.resolve() : world.sleep(10 * MINUTE_MS - 2 + (round % 5));
      await Promise.all([passing, incident.send(triageUpdate, incident.triageBody(3))]);
      await incident.passUntil('isolated', ({ stage }) => stage === 'awaiting-release', 100, HOUR_MS);
      const receivedAt = toInstant(await world.nowMs());
      const order = { by: 'sato', channel: 'mail', receivedAt, words: 'Give it back.' };
      await incident.send(releaseUpdate, releaseSchema.parse({ instruction: order }));
      await incident.passUntil('released', ({ stage }) => stage === 'notified', 100, HOUR_MS);
      await incident.send(closeUpdate, { reason: 'next' });
      runs += 1;
    }
    const isolations = world.actions.filter((action) => action.machineId === machineId && action.type === 'Isolate');
    assert.equal(isolations.length, runs);
  });

  it('none is lost when the telephone’s workflow is about to end', async () => {
    for (let round = 0; round < 8; round += 1) {
      const incident = await world.alert();
      const passing = round === 0 ? Promise.resolve() : world.sleep(2 * MINUTE_MS - 2 + (round % 5));
      await Promise.all([passing, incident.send(triageUpdate, incident.triageBody(4))]);
      const settled = await incident.passUntil('rung', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, DAY_MS);
      assert.equal(incident.duty(settled, 'phone'), 'failed (phone-exhausted)');
    }
  });
});
