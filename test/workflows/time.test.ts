import assert from 'node:assert/strict';
import { answerSchema, releaseSchema } from '../../src/domain/commands.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toInstant } from '../../src/domain/time.js';
import { answerUpdate, closeUpdate, releaseUpdate, triageUpdate } from '../../src/workflows/messages.js';
import { policyOf } from '../domain/life.js';
import { JumpingWorld } from './stub-outside.js';

describe('hours and days', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
  });
  after(() => world.close());
  beforeEach(() => {
    world.policy = policyOf({ id: world.customerId });
    world.offline.clear();
  });

  it('a device that is offline breaches at 3 hours with its cause, is isolated on day 2, and the customer told', async () => {
    const incident = await world.alert();
    world.offline.add(incident.machineId);
    await incident.send(triageUpdate, incident.triageBody(3));
    await world.sleep(4 * HOUR_MS);
    const late = await incident.view();
    assert.equal(late.slo.state, 'breached');
    assert.deepEqual(incident.mailed(), [
      'primary 0',
      'soc-warning 90',
      'soc-warning 135',
      'soc-warning 162',
      'soc-breach 180',
    ]);
    assert.match(late.timeline.find(({ type }) => type === 'breach')?.text.en ?? '', /not confirmed the isolation yet/);
    assert.equal(incident.duty(late, `isolate:${incident.machineId}`), 'running');

    await world.sleep(DAY_MS);
    world.offline.clear();
    const isolated = await incident.passUntil(
      'isolated',
      ({ stage }) => stage === 'awaiting-release',
      HOUR_MS,
      3 * HOUR_MS,
    );
    assert.equal(isolated.slo.state, 'breached');
    assert.equal(incident.mailed().length, 6);
    assert.match(incident.mailed().at(-1) ?? '', /^isolation-result 1[67]\d\d$/);
  });

  it('an isolation that succeeded just before 3 hours is no breach, though its action is read once an hour', async () => {
    const incident = await world.alert();
    const startMs = await world.nowMs();
    world.offline.add(incident.machineId);
    await world.sleep(30 * MINUTE_MS);
    await incident.send(triageUpdate, incident.triageBody(3));
    await world.sleep(149 * MINUTE_MS);
    world.offline.delete(incident.machineId);
    world.succeededAt.set(incident.machineId, toInstant(startMs + 179 * MINUTE_MS));
    await world.sleep(2 * MINUTE_MS);
    const view = await incident.view();
    assert.equal(view.slo.state, 'met');
    assert.deepEqual(
      view.timeline.filter(({ type }) => type === 'breach'),
      [],
    );
  });

  it('an action that times out after 3 days has failed: attention, the SOC and the customer are told', async () => {
    const incident = await world.alert({ severity: 'Medium' });
    world.offline.add(incident.machineId);
    await incident.send(triageUpdate, incident.triageBody(3));
    await world.sleep(2.9 * DAY_MS);
    assert.deepEqual(incident.mailed(), ['primary 0'], 'Medium has no target, and nothing has failed yet');
    const failed = await incident.passUntil('settled', ({ stage }) => stage === 'notified', HOUR_MS, DAY_MS);
    assert.equal(incident.duty(failed, `isolate:${incident.machineId}`), 'failed (isolation-timeout)');
    assert.deepEqual(failed.attention, ['isolation-timeout']);
    assert.equal(failed.devices[0]?.isolation, 'failed');
    const kinds = incident
      .mailed()
      .map((mail) => mail.split(' ')[0])
      .sort();
    assert.deepEqual(kinds, ['isolation-result', 'primary', 'soc-failure']);
    await world.sleep(20 * DAY_MS);
    assert.equal((await incident.view()).stage, 'notified', 'what failed is not closed by silence');
  });

  it('level 2 closes after 14 silent days, lingers for 7, then ends with its record', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(2));
    await world.sleep(14 * DAY_MS - HOUR_MS);
    assert.equal((await incident.view()).stage, 'notified');
    await world.sleep(2 * HOUR_MS);
    const closed = await incident.view();
    assert.deepEqual([closed.stage, closed.closeReason], ['closed', 'no-response']);
    await world.sleep(7 * DAY_MS - 2 * HOUR_MS);
    assert.equal((await incident.handle.describe()).status.name, 'RUNNING');
    await world.sleep(2 * HOUR_MS);
    const { record, endedMs } = await incident.end();
    assert.equal(record.closed?.reason, 'no-response');
    const lingeredMs = endedMs - Date.parse(record.closed.at);
    assert.ok(lingeredMs >= 7 * DAY_MS && lingeredMs < 7 * DAY_MS + MINUTE_MS, `${lingeredMs} ms`);
    assert.deepEqual(incident.mailed(), ['primary 0']);
  });

  it('level 2 with an open question waits for the answer, and 14 days from it', async () => {
    const incident = await world.alert();
    const asks = { judgement: 'undetermined', askCustomer: 'Is this tool yours?' };
    await incident.send(triageUpdate, incident.triageBody(2, asks));
    await world.sleep(30 * DAY_MS);
    assert.equal((await incident.view()).stage, 'notified');
    const receivedAt = toInstant(await world.nowMs());
    await incident.send(answerUpdate, answerSchema.parse({ by: 'Sato', channel: 'mail', receivedAt, words: 'Yes.' }));
    await world.sleep(13 * DAY_MS);
    assert.equal((await incident.view()).stage, 'notified');
    await world.sleep(2 * DAY_MS);
    assert.equal((await incident.view()).closeReason, 'no-response');
  });

  it('closed by an analyst, it lingers for 7 days and ends with its record as its result', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(3));
    await incident.passUntil('isolated', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, HOUR_MS);
    const receivedAt = toInstant(await world.nowMs());
    const instruction = { by: 'sato', channel: 'mail', receivedAt, words: 'Give it back.' };
    await incident.send(releaseUpdate, releaseSchema.parse({ instruction }));
    await incident.passUntil('released', ({ stage }) => stage === 'notified', MINUTE_MS, HOUR_MS);
    await incident.send(closeUpdate, { reason: 'cleaned' });
    await world.sleep(7 * DAY_MS + HOUR_MS);
    const { record, endedMs } = await incident.end();
    assert.equal(record.closed?.words, 'cleaned');
    assert.ok(endedMs - Date.parse(record.closed.at) >= 7 * DAY_MS);
    const kinds = incident.mailed().map((mail) => mail.split(' ')[0]);
    assert.deepEqual(kinds, ['primary', 'isolation-result', 'release-result']);
  });

  it('a tuning period that begins later calls off an isolation that has not succeeded', async () => {
    const startMs = await world.nowMs();
    const period = { from: toInstant(startMs + 5 * HOUR_MS), until: toInstant(startMs + 90 * DAY_MS) };
    world.policy = policyOf({ id: world.customerId, tuningPeriods: [period] });
    const incident = await world.alert();
    world.offline.add(incident.machineId);
    await incident.send(triageUpdate, incident.triageBody(3));
    await world.sleep(4.5 * HOUR_MS);
    assert.equal(incident.duty(await incident.view(), `isolate:${incident.machineId}`), 'running');
    const settled = await incident.passUntil(
      'called off',
      ({ stage }) => stage === 'notified',
      30 * MINUTE_MS,
      4 * HOUR_MS,
    );
    assert.equal(incident.duty(settled, `isolate:${incident.machineId}`), 'cancelled (tuning-period)');
    assert.equal(settled.devices[0]?.isolation, 'none');
    const own = world.actions.filter(({ machineId }) => machineId === incident.machineId);
    assert.deepEqual(
      own.map(({ type, status }) => `${type} ${status}`),
      ['Isolate Cancelled'],
    );
    assert.ok(incident.mailed().at(-1)?.startsWith('isolation-result'));
  });

  it('an alert of severity Medium that nobody judges warns the SOC once, after 3 hours', async () => {
    const incident = await world.alert({ severity: 'Medium' });
    await world.sleep(2.9 * HOUR_MS);
    assert.deepEqual(incident.mailed(), []);
    await world.sleep(10 * HOUR_MS);
    assert.deepEqual(incident.mailed(), ['soc-warning 180']);
    assert.deepEqual((await incident.view()).attention, ['untriaged']);
  });

  it('an alert of severity High that nobody judges warns by the clock, and the breach stays on the record of a level 1', async () => {
    const incident = await world.alert();
    await world.sleep(5 * HOUR_MS);
    assert.deepEqual(incident.mailed(), ['soc-warning 90', 'soc-warning 135', 'soc-warning 162', 'soc-breach 180']);
    await incident.send(triageUpdate, incident.triageBody(1));
    const closed = await incident.view();
    assert.deepEqual([closed.stage, closed.slo.state], ['closed', 'not-applicable']);
    assert.ok(closed.timeline.some(({ type }) => type === 'breach'));
    await world.sleep(DAY_MS);
    assert.equal(incident.mailed().length, 4);
  });

  it('a telephone that nobody answers rings the contacts in order, pauses between the rounds, and tells the SOC', async () => {
    const contact = (id: string, phone: string, ringOrder: number) => ({
      id,
      name: id,
      phone,
      ringOrder,
      mayInstruct: false,
    });
    world.policy = policyOf(
      { id: world.customerId, contacts: [contact('second', '+81300000002', 2), contact('first', '+81300000001', 1)] },
      { phoneRingSeconds: 30, phoneRounds: 3, phoneRoundPauseMs: 10 * MINUTE_MS },
    );
    world.calls.length = 0;
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(4));
    const view = await incident.passUntil(
      'settled',
      ({ stage }) => stage === 'awaiting-release',
      5 * MINUTE_MS,
      2 * HOUR_MS,
    );
    assert.equal(incident.duty(view, 'phone'), 'failed (phone-exhausted)');
    const numbers = world.calls.map(({ to }) => to.at(-1));
    assert.deepEqual(numbers, ['1', '2', '1', '2', '1', '2']);
    const gaps = world.calls.slice(1).map(({ at }, index) => Date.parse(at) - Date.parse(world.calls[index]?.at ?? ''));
    // Twilio tells nothing of these calls: they are looked at soon after they can have rung to their end.
    const rung = (gapMs: number) => gapMs >= 30 * SECOND_MS && gapMs <= 60 * SECOND_MS;
    assert.deepEqual(
      gaps.map((gapMs) => (rung(gapMs) ? 'next' : rung(gapMs - 10 * MINUTE_MS) ? 'pause' : `${gapMs} ms`)),
      ['next', 'pause', 'next', 'pause', 'next'],
    );
    assert.ok(incident.mailed().some((mail) => mail.startsWith('soc-failure')));
  });
});
