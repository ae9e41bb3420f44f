import assert from 'node:assert/strict';
import { changeAfter } from '../../src/domain/device/actions.js';
import {
  acknowledgeable,
  applyAcknowledgement,
  applyChangeElsewhere,
  applyIsolateStep,
  applyOrder,
  applyReleaseStep,
  applyRequest,
  deviceView,
  isFree,
  isStillWanted,
  nextStep,
  openDevice,
  reportFor,
  untold,
  watchedFrom,
  type ChangeSeen,
  type StepResult,
} from '../../src/domain/device/evolve.js';
import type { DeviceRecord, DeviceRequest } from '../../src/domain/device/record.js';
import {
  addCall,
  applyCallEvent,
  applyRequest as applyPhoneRequest,
  isRepeatedKey,
  openPhone,
  reportFor as phoneReportFor,
  ringing,
  settleAsks,
} from '../../src/domain/phone/evolve.js';
import type { PhoneRecord } from '../../src/domain/phone/record.js';
import { callRecord, DETECTED, minute } from './life.js';

const ISOLATED: StepResult = { outcome: 'isolated', at: minute(10), action: null };
const RELEASED: StepResult = { outcome: 'released', at: minute(30), action: null };
const CANCELLED: StepResult = { outcome: 'cancelled', byUs: true, at: minute(11), action: null };
const ELSEWHERE: StepResult = { ...CANCELLED, byUs: false };
const FAILED: StepResult = { outcome: 'failed', reason: 'isolation-timeout', at: minute(12), action: null };
const TUNED: StepResult = { outcome: 'refused', reason: 'tuning-period', at: minute(12) };
const REQUESTED: StepResult = {
  outcome: 'requested',
  action: { id: 'a', type: 'Isolate', status: 'Pending', requestedAt: null, updatedAt: null },
};

/** One line of a device's story: `A isolate`, `B release`, or what Defender made of the request. */
type Line =
  | `${'A' | 'B'} ${DeviceRequest['want']}`
  | 'order'
  | 'acknowledged'
  | StepResult
  | { release: StepResult }
  | { seen: ChangeSeen };

function seen(type: 'Isolate' | 'Unisolate', minutes: number): { seen: ChangeSeen } {
  const at = minute(minutes);
  const action = { id: `portal-${minutes}`, type, status: 'Succeeded', requestedAt: at, updatedAt: at };
  return { seen: { isolation: type === 'Isolate' ? 'isolated' : 'released', at, by: 'admin@acme.example', action } };
}

function deviceAfter(...lines: Line[]): DeviceRecord {
  let record = openDevice('acme', 'm1', DETECTED);
  let seq = 0;
  for (const line of lines) {
    if (line === 'order') {
      const instruction = { by: 'sato', channel: 'mail' as const, receivedAt: minute(20), words: 'release' };
      record = applyOrder(record, { at: minute(20), actor: 'ana', instruction, instructorName: '佐藤' });
    } else if (line === 'acknowledged') {
      record = applyAcknowledgement(record, { at: minute(50), actor: 'ana', reason: 'agreed by phone' });
    } else if (typeof line === 'string') {
      seq += 1;
      const [incidentId = '', want] = line.split(' ');
      assert.ok(want === 'isolate' || want === 'withdraw' || want === 'release');
      record = applyRequest(record, { incidentId, seq, want, why: `for ${incidentId}`, name: 'pc-1' }, minute(seq));
    } else if ('release' in line) record = applyReleaseStep(record, line.release);
    else if ('seen' in line) record = applyChangeElsewhere(record, line.seen, minute(45));
    else record = applyIsolateStep(record, line);
  }
  return record;
}

function states(record: DeviceRecord): string {
  const holds = Object.entries(record.holds).map(
    ([id, { state, reason }]) => `${id} ${state}${reason === null ? '' : ` (${reason})`}`,
  );
  return [record.isolation, ...holds].join(', ');
}

describe('one device, the incidents that hold it', () => {
  const ROWS: [string, Line[], string, 'isolate' | 'release' | 'free' | 'waits'][] = [
    ['asked', ['A isolate'], 'none, A wanted', 'isolate'],
    ['isolated', ['A isolate', REQUESTED, ISOLATED], 'isolated, A isolated', 'waits'],
    ['isolated once for two', ['A isolate', 'B isolate', ISOLATED], 'isolated, A isolated, B isolated', 'waits'],
    [
      'asked by a second when isolated: looked at again',
      ['A isolate', ISOLATED, 'B isolate'],
      'isolated, A isolated, B wanted',
      'isolate',
    ],
    [
      'released for one of two',
      ['A isolate', 'B isolate', ISOLATED, 'A release'],
      'isolated, A held, B isolated',
      'waits',
    ],
    [
      'released for both: let go',
      ['A isolate', 'B isolate', ISOLATED, 'A release', 'B release'],
      'isolated, A held, B releasing',
      'release',
    ],
    [
      'let go: both are told',
      ['A isolate', 'B isolate', ISOLATED, 'A release', 'B release', { release: RELEASED }],
      'none, A released, B released',
      'free',
    ],
    [
      'an order on the device itself is for all',
      ['A isolate', 'B isolate', ISOLATED, 'order'],
      'isolated, A releasing, B releasing',
      'release',
    ],
    ['withdrawn in time', ['A isolate', 'A withdraw', CANCELLED], 'none, A cancelled', 'free'],
    [
      'withdrawn too late: only the customer gives it back',
      ['A isolate', REQUESTED, 'A withdraw', ISOLATED],
      'isolated, A isolated',
      'waits',
    ],
    ['withdrawn when isolated', ['A isolate', ISOLATED, 'A withdraw'], 'isolated, A isolated', 'waits'],
    [
      'withdrawn for one, wanted by another',
      ['A isolate', 'B isolate', 'A withdraw', ISOLATED],
      'isolated, A isolated, B isolated',
      'waits',
    ],
    [
      'withdrawn and asked again while being cancelled',
      ['A isolate', 'A withdraw', 'A isolate', CANCELLED],
      'none, A wanted',
      'isolate',
    ],
    ['cancelled in the portal', ['A isolate', REQUESTED, ELSEWHERE], 'none, A failed (cancelled-elsewhere)', 'free'],
    ['failed', ['A isolate', REQUESTED, FAILED], 'failed, A failed (isolation-timeout)', 'free'],
    ['failed after it was withdrawn', ['A isolate', 'A withdraw', FAILED], 'failed, A cancelled', 'free'],
    ['a tuning period has begun', ['A isolate', TUNED], 'none, A cancelled (tuning-period)', 'free'],
    ['released while requested', ['A isolate', REQUESTED, 'A release', CANCELLED], 'none, A cancelled', 'free'],
    [
      'released while requested, isolated all the same: let go',
      ['A isolate', REQUESTED, 'A release', ISOLATED],
      'isolated, A releasing',
      'release',
    ],
    [
      'released while another waits for the same request',
      ['A isolate', 'B isolate', 'A release', ISOLATED],
      'isolated, A held, B isolated',
      'waits',
    ],
    ['released without ever having been asked', ['A release'], 'none, A cancelled', 'free'],
    [
      'the release failed',
      ['A isolate', ISOLATED, 'A release', { release: FAILED }],
      'isolated, A release-failed (isolation-timeout)',
      'waits',
    ],
    [
      'the release failed, ordered again',
      ['A isolate', ISOLATED, 'A release', { release: FAILED }, 'A release'],
      'isolated, A releasing',
      'release',
    ],
    [
      'asked again after the release',
      ['A isolate', ISOLATED, 'A release', { release: RELEASED }, 'A isolate'],
      'none, A wanted',
      'isolate',
    ],
    [
      'wanted by one while released for another',
      ['A isolate', ISOLATED, 'A release', 'B isolate'],
      'isolated, A releasing, B wanted',
      'isolate',
    ],
  ];
  for (const [what, lines, expected, next] of ROWS) {
    it(`${what}: ${expected}`, () => {
      const record = deviceAfter(...lines);
      assert.equal(states(record), expected);
      assert.equal(nextStep(record) ?? (isFree(record) ? 'free' : 'waits'), next);
      assert.equal(isStillWanted(record), next === 'isolate');
    });
  }

  it('a straggler with an older or the same number changes nothing, of another incident it does', () => {
    const record = deviceAfter('A isolate', ISOLATED, 'A release', { release: RELEASED });
    for (const seq of [1, 2]) {
      const straggler = { incidentId: 'A', seq, want: 'isolate' as const, why: '', name: 'pc-1' };
      assert.equal(applyRequest(record, straggler, minute(40)), record);
    }
    const other = applyRequest(record, { incidentId: 'B', seq: 1, want: 'isolate', why: '', name: 'pc-1' }, minute(40));
    assert.equal(nextStep(other), 'isolate');
  });

  it('tells each incident its own part, and nothing twice', () => {
    const record = deviceAfter('A isolate', 'B isolate', ISOLATED, 'A release');
    assert.deepEqual(reportFor(record, 'A')?.heldBy, ['B']);
    assert.deepEqual(reportFor(record, 'B')?.heldBy, []);
    assert.equal(reportFor(record, 'C'), undefined);
    const told = Object.fromEntries(untold(record).map(({ incidentId, digest }) => [incidentId, digest]));
    assert.deepEqual(Object.keys(told), ['A', 'B']);
    assert.deepEqual(untold({ ...record, told, version: record.version + 1 }), []);
  });

  it('versions grow across runs, so that an old snapshot is never news', () => {
    const first = deviceAfter('A isolate', ISOLATED, 'A release', { release: RELEASED });
    assert.ok(openDevice('acme', 'm1', minute(60)).version > first.version);
  });

  it('shows who holds it', () => {
    assert.deepEqual(deviceView(deviceAfter('A isolate', 'B isolate', ISOLATED, 'A release')).heldBy, ['B']);
    assert.deepEqual(deviceView(deviceAfter('A isolate', ISOLATED, 'A release', { release: FAILED })).heldBy, ['A']);
  });
});

describe('a held device that somebody changes past the service', () => {
  const OUT = seen('Unisolate', 40);
  const HELD: Line[] = ['A isolate', ISOLATED];
  const BOTH: Line[] = ['A isolate', 'B isolate', ISOLATED];

  /** What it is shown as, what is to be done, and what the watch knows; then what each incident is told. */
  function told(record: DeviceRecord): string {
    const { changedElsewhere } = record;
    const reports = ['A', 'B'].flatMap((id) => {
      const report = reportFor(record, id);
      return report === undefined ? [] : [`${id} ${report.changedElsewhere?.isolation ?? '-'}`];
    });
    const doing =
      nextStep(record) ?? (isFree(record) ? 'free' : watchedFrom(record) === undefined ? 'waits' : 'watched');
    return [deviceView(record).isolation, changedElsewhere?.isolation ?? '-', doing, ...reports].join(', ');
  }

  const ROWS: [string, Line[], string][] = [
    ['held: watched', HELD, 'isolated, -, watched, A -'],
    ['asked for: not watched', ['A isolate', REQUESTED], 'requested, -, isolate, A -'],
    ['being released: not watched', [...HELD, 'A release'], 'releasing, -, release, A -'],
    ['free: not watched', [...HELD, 'A release', { release: RELEASED }], 'none, -, free, A -'],
    [
      'a release that failed: watched, for it is still held',
      [...HELD, 'A release', { release: FAILED }],
      'isolated, -, watched, A -',
    ],
    ['released elsewhere: nothing is done about it', [...HELD, OUT], 'none, released, watched, A released'],
    ['every holder is told', [...BOTH, OUT], 'none, released, watched, A released, B released'],
    ['who has given it up is not', [...BOTH, 'A release', OUT], 'none, released, watched, A -, B released'],
    ['older than what is known: no news', [...HELD, seen('Unisolate', 9)], 'isolated, -, watched, A -'],
    ['back as it was', [...HELD, OUT, seen('Isolate', 41)], 'isolated, isolated, watched, A isolated'],
    [
      'released once more',
      [...HELD, OUT, seen('Isolate', 41), seen('Unisolate', 42)],
      'none, released, watched, A released',
    ],
    ['ordered back meanwhile: asked for as ever', [...HELD, OUT, 'A release'], 'releasing, released, release, A -'],
    ['ordered back, and found free', [...HELD, OUT, 'A release', { release: RELEASED }], 'none, -, free, A -'],
    [
      'demanded by another incident: a request of its own',
      [...HELD, OUT, 'B isolate'],
      'requested, released, isolate, A released, B -',
    ],
    [
      'isolated for the other: held by both again',
      [...HELD, OUT, 'B isolate', ISOLATED],
      'isolated, -, watched, A -, B -',
    ],
    [
      'the other’s request failed: still released for the first',
      [...HELD, OUT, 'B isolate', FAILED],
      'none, released, watched, A released, B -',
    ],
    [
      'the other’s request was called off: the first’s is watched again',
      [...HELD, 'B isolate', REQUESTED, 'B withdraw', CANCELLED],
      'isolated, -, watched, A -, B -',
    ],
    ['acknowledged: free', [...HELD, OUT, 'acknowledged'], 'none, -, free, A -'],
    ['acknowledged with nothing to acknowledge', [...HELD, 'acknowledged'], 'isolated, -, watched, A -'],
    [
      'acknowledged when it is back',
      [...HELD, OUT, seen('Isolate', 41), 'acknowledged'],
      'isolated, isolated, watched, A isolated',
    ],
    [
      'acknowledged while the release is under way',
      [...HELD, OUT, 'A release', 'acknowledged'],
      'releasing, released, release, A -',
    ],
    [
      'isolated anew after the acknowledgement',
      [...HELD, OUT, 'acknowledged', 'A isolate'],
      'requested, -, isolate, A -',
    ],
  ];
  for (const [what, lines, expected] of ROWS)
    it(`${what}: ${expected}`, () => assert.equal(told(deviceAfter(...lines)), expected));

  it('an acknowledgement ends the holds as released elsewhere, by whom and why', () => {
    const lines: Line[] = [...BOTH, 'A release', OUT];
    assert.deepEqual(acknowledgeable(deviceAfter(...lines)), ['B']);
    const record = deviceAfter(...lines, 'acknowledged');
    assert.equal(states(record), 'none, A released (released-elsewhere), B released (released-elsewhere)');
    const acknowledged = { at: minute(50), actor: 'ana', reason: 'agreed by phone' };
    assert.deepEqual(record.holds['B'], {
      seq: 2,
      want: 'isolate',
      state: 'released',
      reason: 'released-elsewhere',
      at: minute(40),
      order: null,
      acknowledged,
    });
    assert.deepEqual(acknowledgeable(record), []);
  });

  it('is not watched by a run that began before anybody watched', () => {
    const { watches: _, ...record } = deviceAfter(...HELD);
    assert.equal(watchedFrom(record), undefined);
    assert.equal(applyChangeElsewhere(record, OUT.seen, minute(45)), record);
  });

  const action = (type: 'Isolate' | 'Unisolate', status: string, begun: number, ended: number | null = begun + 1) => ({
    id: `${type} ${begun}`,
    type,
    status,
    requestedAt: minute(begun),
    updatedAt: ended === null ? null : minute(ended),
    by: 'admin@acme.example',
  });
  const OURS = action('Isolate', 'Succeeded', 9, 10);
  const SEEN: [string, Parameters<typeof changeAfter>[0], string | undefined][] = [
    ['nothing but ours', [OURS], undefined],
    ['an empty list: nothing is known', [], undefined],
    ['a release after it', [action('Unisolate', 'Succeeded', 20), OURS], `released ${minute(21)}`],
    ['a release that runs', [action('Unisolate', 'Pending', 20, null), OURS], undefined],
    ['a release that failed', [action('Unisolate', 'Failed', 20), OURS], undefined],
    ['a list that does not show ours yet', [action('Unisolate', 'Succeeded', 5)], undefined],
    [
      'both between two looks',
      [action('Isolate', 'Succeeded', 30), action('Unisolate', 'Succeeded', 20), OURS],
      `isolated ${minute(31)}`,
    ],
    [
      'an isolation that runs after a release',
      [action('Isolate', 'Pending', 30, null), action('Unisolate', 'Succeeded', 20), OURS],
      `released ${minute(21)}`,
    ],
  ];
  for (const [what, actions, expected] of SEEN) {
    it(`the list shows ${what}: ${expected ?? 'no change'}`, () => {
      const change = changeAfter(actions, minute(10));
      assert.equal(change === undefined ? undefined : `${change.isolation} ${change.at}`, expected);
    });
  }
});

describe('one customer’s telephone', () => {
  const ring = (record: PhoneRecord, incidentId: string, seq: number, want: 'ring' | 'cancel' = 'ring') =>
    applyPhoneRequest(record, { incidentId, seq, want, title: incidentId }, minute(seq));
  const called = (record: PhoneRecord, attempt: number) =>
    addCall(record, callRecord(attempt, { startedAt: minute(2), endedAt: null, status: 'placing' }));
  const event = (
    record: PhoneRecord,
    attempt: number,
    status: string,
    digits: string | null = null,
    sid = `CA${attempt}`,
  ) => applyCallEvent(record, { attempt, sid, status, digits }, minute(3));
  const opened = openPhone('acme', DETECTED);
  const attempt = opened.nextAttempt;
  const outcomes = (record: PhoneRecord) => Object.entries(record.asks).map(([id, { outcome }]) => `${id} ${outcome}`);

  const ROWS: [string, PhoneRecord, string[]][] = [
    ['asked', ring(opened, 'A', 1), ['A ringing']],
    [
      'the key acknowledges for all who wait',
      event(called(ring(ring(opened, 'A', 1), 'B', 1), attempt), attempt, 'in-progress', '1'),
      ['A acknowledged', 'B acknowledged'],
    ],
    ['another key does not', event(called(ring(opened, 'A', 1), attempt), attempt, 'in-progress', '2'), ['A ringing']],
    [
      'answered without a key was not received',
      event(called(ring(opened, 'A', 1), attempt), attempt, 'completed'),
      ['A ringing'],
    ],
    [
      'the key of a call that has ended counts',
      event(event(called(ring(opened, 'A', 1), attempt), attempt, 'completed'), attempt, 'completed', '1'),
      ['A acknowledged'],
    ],
    [
      'a callback of another call does not',
      event(called(ring(opened, 'A', 1), attempt), attempt, 'in-progress', '1', 'CAother'),
      ['A ringing'],
    ],
    [
      'a callback of an unknown attempt does not',
      event(called(ring(opened, 'A', 1), attempt), attempt + 7, 'in-progress', '1'),
      ['A ringing'],
    ],
    ['called off', ring(ring(opened, 'A', 1), 'A', 2, 'cancel'), ['A cancelled']],
    [
      'called off too late',
      ring(settleAsks(ring(opened, 'A', 1), 'acknowledged', minute(2), {}), 'A', 2, 'cancel'),
      ['A acknowledged'],
    ],
    ['a straggler changes nothing', ring(ring(opened, 'A', 2, 'cancel'), 'A', 1), ['A cancelled']],
    [
      'exhausted is for those who still wait',
      settleAsks(
        ring(settleAsks(ring(opened, 'A', 1), 'acknowledged', minute(2), {}), 'B', 1),
        'exhausted',
        minute(3),
        {},
      ),
      ['A acknowledged', 'B exhausted'],
    ],
  ];
  for (const [what, record, expected] of ROWS) it(what, () => assert.deepEqual(outcomes(record), expected));

  it('callbacks out of order do not raise a call from the dead', () => {
    const ended = event(called(ring(opened, 'A', 1), attempt), attempt, 'no-answer');
    assert.equal(event(ended, attempt, 'ringing').calls[0]?.status, 'no-answer');
  });

  it('a key that is told once more is known as such', () => {
    const key = { attempt, sid: `CA${attempt}`, status: 'in-progress', digits: '1' };
    const rung = called(ring(opened, 'A', 1), attempt);
    assert.equal(isRepeatedKey(rung, key), false);
    const acknowledged = applyCallEvent(rung, key, minute(3));
    assert.equal(isRepeatedKey(acknowledged, key), true);
    assert.equal(isRepeatedKey(acknowledged, { ...key, digits: null }), false);
    assert.equal(isRepeatedKey(event(rung, attempt, 'completed'), key), false);
  });

  it('attempts are never numbered twice, also by a later run', () => {
    assert.ok(openPhone('acme', minute(1)).nextAttempt > attempt);
    assert.equal(called(opened, attempt).nextAttempt, attempt + 1);
  });

  it('an incident is told of the calls made for it only', () => {
    const before = event(called(ring(opened, 'A', 1), attempt), attempt, 'busy');
    const later = event(called(ring(before, 'B', 1), attempt + 1), attempt + 1, 'no-answer');
    assert.equal(phoneReportFor(later, 'A')?.calls.length, 2);
    assert.equal(phoneReportFor(later, 'B')?.calls.length, 1);
    assert.deepEqual(ringing(later).length, 2);
  });
});
