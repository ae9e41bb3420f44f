import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { releaseSchema } from '../../src/domain/commands.js';
import {
  applyIsolateStep,
  applyReleaseStep,
  applyRequest,
  nextStep,
  openDevice,
  settleNeverBegun,
} from '../../src/domain/device/evolve.js';
import type { DeviceRecord, DeviceRequest } from '../../src/domain/device/record.js';
import { deviceWant, isPrimaryWithdrawn } from '../../src/domain/incident/asks.js';
import { judgeEscalation, judgeTriage } from '../../src/domain/incident/judge.js';
import type { CallRecord, PhoneReport } from '../../src/domain/phone/record.js';
import { HOUR_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import { releaseUpdate, triageUpdate } from '../../src/workflows/messages.js';
import { callRecord, isolatedLife, Life, minute, policyOf, verdictBody } from '../domain/life.js';
import { JumpingWorld, type JumpingIncident } from '../workflows/stub-outside.js';

describe('a device whose wishes overtake each other', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
  });
  after(() => world.close());

  async function judged(incident: JumpingIncident, level: 1 | 3): Promise<void> {
    const { revision } = await incident.view();
    await incident.send(triageUpdate, incident.triageBody(level), { ifMatch: revision });
  }

  const actionsOn = (machineId: string) =>
    world.actions.filter((action) => action.machineId === machineId).map(({ type, status }) => `${type} ${status}`);

  it('a request that Defender had taken before it was called off is cancelled there', async () => {
    const incident = await world.alert();
    const { machineId } = incident;
    world.offline.add(machineId);
    let answer = (): void => undefined;
    world.answerDelay = new Promise((resolve) => {
      answer = resolve;
    });
    await judged(incident, 3);
    await until('Defender has taken the request', () =>
      Promise.resolve(actionsOn(machineId).length === 1 || undefined),
    );
    await judged(incident, 1);
    await until('the device hears of it', async () => {
      const { history } = await world.environment.client.workflow
        .getHandle(`device:${world.customerId}:${machineId}`)
        .fetchHistory()
        .then((fetched) => ({ history: fetched.events ?? [] }));
      const isCalledOff = history.some(({ activityTaskCancelRequestedEventAttributes: found }) => found != null);
      return isCalledOff || undefined;
    });
    answer();
    const closed = await incident.passUntil('closed', ({ stage }) => stage === 'closed', MINUTE_MS, 4 * HOUR_MS);
    assert.deepEqual(actionsOn(machineId), ['Isolate Cancelled']);
    assert.equal(incident.duty(closed, `isolate:${machineId}`), 'cancelled (level-lowered)');
  });

  it('what was asked for during a release and called off again before it was over is settled', async () => {
    const machineId = 'pending-release';
    const named = { machineId, computerDnsName: `${machineId}.example` };
    const first = await world.alert(named);
    await judged(first, 3);
    await first.passUntil('isolated', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, HOUR_MS);
    world.offline.add(machineId);
    const receivedAt = toInstant(await world.nowMs());
    const instruction = { by: 'sato', channel: 'mail', receivedAt, words: 'Give it back.' };
    await first.send(releaseUpdate, releaseSchema.parse({ instruction }));
    const second = await world.alert(named);
    await judged(second, 3);
    const told = ({ duties }: Awaited<ReturnType<JumpingIncident['view']>>) =>
      duties.some(({ id, status }) => id === 'mail:primary' && status === 'done');
    await second.passUntil('told', told, MINUTE_MS, HOUR_MS);
    await judged(second, 1);
    world.offline.delete(machineId);
    await first.passUntil('released', ({ stage }) => stage === 'notified', MINUTE_MS, 8 * HOUR_MS);
    const closed = await second.passUntil('closed', ({ stage }) => stage === 'closed', MINUTE_MS, HOUR_MS);
    assert.equal(second.duty(closed, `isolate:${machineId}`), 'cancelled (level-lowered)');
    assert.deepEqual(
      world.actions.filter((action) => action.machineId === machineId).map(({ type }) => type),
      ['Isolate', 'Unisolate'],
    );
  });
});

describe('a verdict that is changed faster than anything is asked for', () => {
  const wantOf = ({ record }: Life) => record.devices.flatMap((device) => deviceWant(record, device) ?? []);
  const release = { by: 'sato', channel: 'mail' as const, receivedAt: minute(1), words: 'Give it back.' };

  it('lowered, raised and lowered again, the isolation that was asked for is called off', () => {
    const life = new Life().triage(3).askDevices().triage(1).triage(3).triage(1);
    assert.deepEqual(wantOf(life), ['withdraw']);
    assert.equal(life.duty('isolate:m1')?.status, 'running');
    assert.equal(life.record.closed, null);
  });

  it('lowered and raised again, the isolation that was asked for is judged anew and stands', () => {
    const life = new Life().triage(3).askDevices().triage(1).triage(3);
    assert.equal(life.duty('isolate:m1')?.status, 'owed');
    life.fact({ type: 'isolation-judged', machineId: 'm1' });
    assert.deepEqual(wantOf(life), []);
    assert.equal(life.isolated().duty('isolate:m1')?.status, 'done');
  });

  it('raised and lowered again while it is being called off, nobody forgets it until that is settled', () => {
    const life = new Life().triage(3).askDevices().triage(1);
    life.fact({ type: 'device-asked', machineId: 'm1', want: 'withdraw' });
    life.triage(3);
    assert.equal(life.duty('isolate:m1')?.status, 'owed');
    life.triage(1);
    assert.equal(life.duty('isolate:m1')?.status, 'running');
    assert.equal(life.record.closed, null);
    // It came true before it could be cancelled: it is this incident's, and only the customer gives it back.
    life.isolated();
    assert.equal(life.duty('isolate:m1')?.status, 'done');
  });

  it('come true although it was called off, it serves the verdict that was raised meanwhile, and is kept after it', () => {
    const life = new Life().triage(3).askDevices().triage(1);
    life.fact({ type: 'device-asked', machineId: 'm1', want: 'withdraw' });
    life.triage(3).isolated();
    assert.equal(life.duty('isolate:m1')?.status, 'done');
    life.triage(1);
    assert.equal(life.duty('isolate:m1')?.status, 'done');
  });

  it('called off for a tuning period and repeated in it, it is known of when it comes true all the same', () => {
    const life = new Life().triage(3).askDevices();
    life.fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' });
    life.fact({ type: 'device-asked', machineId: 'm1', want: 'withdraw' });
    life.fact({ type: 'retry-asked', devices: [], actor: 'ana' });
    life.fact({ type: 'isolation-judged', machineId: 'm1', waived: 'tuning-period' });
    life.isolated();
    assert.equal(life.duty('isolate:m1')?.status, 'done');
  });

  it('overtaken by a tuning period and repeated at once, it is called off', () => {
    const life = new Life().triage(3).askDevices();
    life.fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' });
    life.fact({ type: 'retry-asked', devices: [], actor: 'ana' });
    life.fact({ type: 'isolation-judged', machineId: 'm1', waived: 'tuning-period' });
    assert.deepEqual(wantOf(life), ['withdraw']);
  });

  it('raised again while it is being called off, it is asked for anew, and only that counts', () => {
    const life = new Life().triage(3).askDevices().triage(1);
    life.fact({ type: 'device-asked', machineId: 'm1', want: 'withdraw' });
    life.triage(3).fact({ type: 'isolation-judged', machineId: 'm1' });
    assert.deepEqual(wantOf(life), ['isolate']);
  });

  it('judged anew in a tuning period, it is called off', () => {
    const life = new Life().triage(3).askDevices().triage(1).triage(3);
    life.fact({ type: 'isolation-judged', machineId: 'm1', waived: 'tuning-period' });
    assert.deepEqual(wantOf(life), ['withdraw']);
  });

  it('lowered when a tuning period had prevented it, the repeated verdict isolates nobody', () => {
    const tuningPeriods = [{ from: minute(0), until: minute(30) }];
    const life = new Life({ policy: policyOf({ tuningPeriods }) }).triage(3).askDevices().mailAll();
    assert.equal(life.duty('isolate:m1')?.status, 'waived');
    life.triage(2).mailAll().at(40);
    const again = { body: verdictBody(2), ifMatch: life.record.revision };
    assert.equal(judgeTriage(life.record, again, life.now)?.code, 'nothing-new');
    life.fact({ type: 'retry-asked', devices: [], actor: 'ana' }).askDevices();
    assert.equal(life.record.devices[0]?.asked, null);
  });

  it('raised again in a tuning period while a release is under way, the incident hears how that ends', () => {
    const life = isolatedLife(3).release().report('m1', 'releasing').triage(2).triage(3);
    life.fact({ type: 'isolation-judged', machineId: 'm1', waived: 'tuning-period' }).mailAll();
    assert.equal(life.stage(), 'awaiting-release');
    life.report('m1', 'released');
    assert.equal(life.record.devices[0]?.target?.isolatedAt, null);
    assert.equal(life.stage(), 'notified');
  });

  it('raised and lowered while a release is under way, the release of it that is ordered again isolated nothing', () => {
    const life = isolatedLife(3).release().report('m1', 'releasing').triage(2).triage(3).triage(2).release();
    life.report('m1', 'released');
    assert.equal(life.record.devices[0]?.target?.isolatedAt, null);
    assert.deepEqual([life.duty('isolate:m1')?.status, life.duty('release:m1')?.status], ['cancelled', 'done']);
  });

  it('repeated after a release that met a tuning period, the release is settled all the same', () => {
    const life = new Life().triage(3).askDevices();
    life.fact({
      type: 'release-ordered',
      machineIds: ['m1'],
      instruction: release,
      instructorName: '佐藤',
      actor: 'ana',
    });
    life.fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' });
    life.fact({ type: 'retry-asked', devices: [], actor: 'ana' });
    assert.deepEqual(wantOf(life), ['release']);
  });

  it('raised again before a release was passed on, the device stays isolated and the incident knows of it', () => {
    const ordered = { type: 'release-ordered' as const, machineIds: ['m1'], instruction: release };
    const life = isolatedLife(3)
      .fact({ ...ordered, instructorName: '佐藤', actor: 'ana' })
      .triage(2)
      .triage(3)
      .triage(2);
    assert.notEqual(life.record.devices[0]?.target?.isolatedAt, null);
    assert.equal(life.mailAll().stage(), 'awaiting-release');
  });
});

describe('an isolation that was given up while only another incident’s was under way', () => {
  it('never becomes this incident’s, whatever is asked for the device afterwards', () => {
    const life = new Life().triage(3).askDevices().release();
    life.report('m1', 'held', { heldBy: ['incident:acme:other'] }).report('m1', 'released');
    life.report('m1', 'released', { isolatedAt: minute(9), heldBy: ['incident:acme:other'] });
    assert.equal(life.duty('isolate:m1')?.status, 'cancelled');
    assert.equal(life.record.devices[0]?.target?.isolatedAt, null);
  });
});

describe('a telephone whose reports overtake each other', () => {
  const call = (attempt: number) =>
    callRecord(attempt, { startedAt: minute(1), endedAt: minute(2), status: 'no-answer' });
  const report = (outcome: PhoneReport['outcome'], calls: CallRecord[], seq: number): PhoneReport => ({
    seq,
    outcome,
    at: minute(2),
    calls,
    acknowledgedBy: outcome === 'acknowledged' ? '佐藤' : null,
    reason: null,
  });

  for (const outcome of ['acknowledged', 'exhausted', 'cancelled'] as const) {
    it(`${outcome} is not undone by what was told before it`, () => {
      const life = new Life().triage(4).fact({ type: 'phone-asked', want: 'ring' });
      const seq = life.record.phone?.askedSeq ?? 0;
      life.fact({ type: 'phone-reported', report: report(outcome, [call(1), call(2)], seq) });
      const before = life.record;
      life.fact({ type: 'phone-reported', report: report('ringing', [call(1)], seq) });
      assert.deepEqual(life.record, before);
    });
  }

  it('a call that has been told of is not forgotten, nor told of twice', () => {
    const life = new Life().triage(4).fact({ type: 'phone-asked', want: 'ring' });
    const seq = life.record.phone?.askedSeq ?? 0;
    life.fact({ type: 'phone-reported', report: report('ringing', [call(1), call(2)], seq) });
    const before = life.record;
    life.fact({ type: 'phone-reported', report: report('ringing', [call(1)], seq) });
    assert.deepEqual(life.record, before);
  });
});

describe('an all-clear while the primary is still under way', () => {
  const begun = () =>
    new Life().triage(2).fact({ type: 'mail-started', dutyId: 'mail:primary', messageId: '<m@x>', verdict: 0 });

  it('takes the primary back', () => {
    assert.equal(isPrimaryWithdrawn(begun().triage(1).record), true);
  });

  it('lets it go out where an analyst has escalated further: a secondary never comes alone', () => {
    const life = begun()
      .fact({ type: 'escalation', body: { message: 'more to say' }, actor: 'ana' })
      .triage(1);
    assert.equal(isPrimaryWithdrawn(life.record), false);
    assert.equal(judgeEscalation(life.record), undefined);
  });

  it('leaves nothing to escalate further', () => {
    assert.equal(judgeEscalation(begun().triage(1).record)?.code, 'no-primary-escalation');
  });
});

const at = minute(1);
const isolated = { outcome: 'isolated' as const, at: minute(2), action: null };

function request(incidentId: string, seq: number, want: DeviceRequest['want']): DeviceRequest {
  return { incidentId, seq, want, why: 'w', name: 'pc' };
}

function asking(record: DeviceRecord, ...requests: DeviceRequest[]): DeviceRecord {
  return requests.reduce((before, next) => applyRequest(before, next, at), record);
}

describe('an isolation that one incident called off and another was told to release', () => {
  it('is held, once it comes true all the same, for the one that the customer gave no order for', () => {
    const asked = asking(
      openDevice('acme', 'm1', at),
      request('first', 1, 'isolate'),
      request('second', 1, 'isolate'),
      request('first', 2, 'withdraw'),
      request('second', 2, 'release'),
    );
    const record = applyIsolateStep(asked, isolated);
    assert.deepEqual([record.holds['first']?.state, record.holds['second']?.state], ['isolated', 'held']);
    assert.equal(nextStep(record), undefined);
  });

  it('was never that of one that called it off while the device was isolated for the other', () => {
    const held = applyIsolateStep(asking(openDevice('acme', 'm1', at), request('first', 1, 'isolate')), isolated);
    const asked = asking(
      held,
      request('second', 1, 'isolate'),
      request('second', 2, 'withdraw'),
      request('first', 2, 'release'),
    );
    const record = applyIsolateStep(asked, isolated);
    assert.deepEqual([record.holds['first']?.state, record.holds['second']?.state], ['releasing', 'cancelled']);
  });
});

describe('a device that stays isolated', () => {
  const held = applyIsolateStep(asking(openDevice('acme', 'm1', at), request('first', 1, 'isolate')), isolated);

  it('stays its incident’s, though that asks for it once more and calls that off', () => {
    const again = asking(held, request('first', 2, 'isolate'), request('second', 1, 'isolate'));
    const record = asking(again, request('first', 3, 'withdraw'));
    assert.equal(applyIsolateStep(record, isolated).holds['first']?.state, 'isolated');
  });

  it('is its incident’s, where a release failed while that asked for it once more and called that off', () => {
    const asked = asking(held, request('first', 2, 'release'), request('first', 3, 'isolate'));
    const failed = applyReleaseStep(asking(asked, request('first', 4, 'withdraw')), {
      outcome: 'failed',
      reason: 'release-failed',
      at,
      action: null,
    });
    assert.equal(settleNeverBegun(failed, at).holds['first']?.state, 'isolated');
  });
});
