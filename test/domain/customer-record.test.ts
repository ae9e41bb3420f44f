import assert from 'node:assert/strict';
import { exclusionFields } from '../../src/domain/exclusion/fields.js';
import {
  carriedOn,
  evolveCustomer,
  hasRoomFor,
  judgeEndTuning,
  judgeTuning,
  openCustomer,
  periodsInForce,
  type CustomerRecord,
} from '../../src/domain/customers/record.js';
import { DAY_MS, HOUR_MS, plus, type Instant } from '../../src/domain/time.js';

const START = '2026-11-24T00:00:00.000Z';
const hour = (hours: number): Instant => plus(START, hours * HOUR_MS);
const body = (from: Instant, until: Instant) => ({ from, until, reason: 'agreed with the customer' });
const set = (record: CustomerRecord, from: Instant, until: Instant, at: Instant) =>
  evolveCustomer(record, { type: 'tuning-set', body: body(from, until), actor: 'analyst' }, at);
const end = (record: CustomerRecord, periodId: string, at: Instant) =>
  evolveCustomer(record, { type: 'tuning-ended', body: { periodId, reason: 'done' }, actor: 'analyst' }, at);
const idsOf = ({ tuningPeriods }: CustomerRecord) => tuningPeriods.map(({ id }) => id);

describe('tuning periods on record', () => {
  const LONG = body(START, plus(START, 400 * DAY_MS));

  it('one that still holds stays, however many are set and over after it', () => {
    let record = set(openCustomer('acme'), LONG.from, LONG.until, START);
    const [long] = idsOf(record);
    assert.ok(long);
    for (let round = 0; round < 300; round += 1) {
      record = set(record, hour(round), hour(round + 1), hour(round));
    }
    assert.ok(idsOf(record).includes(long));
    // It, the one that was set last, and as many as stay of those that are over.
    assert.equal(record.tuningPeriods.length, 202);
    assert.deepEqual(periodsInForce(record.tuningPeriods)[0], { from: LONG.from, until: LONG.until });
  });

  it('one that was ended early is over', () => {
    let record = set(openCustomer('acme'), LONG.from, LONG.until, START);
    const [id] = idsOf(record);
    assert.ok(id);
    assert.equal(judgeEndTuning(record, { periodId: id, reason: 'done' }, hour(1)), undefined);
    record = end(record, id, hour(1));
    assert.equal(judgeEndTuning(record, { periodId: id, reason: 'again' }, hour(2))?.code, 'tuning-period-over');
    assert.deepEqual(periodsInForce(record.tuningPeriods), [{ from: START, until: hour(1) }]);
  });

  it('more than can be kept that are not over are refused, until some of them are ended', () => {
    let record = openCustomer('acme');
    for (let round = 0; round < 200; round += 1) {
      assert.equal(judgeTuning(record, LONG, START), undefined);
      record = set(record, LONG.from, LONG.until, START);
    }
    assert.equal(judgeTuning(record, LONG, START)?.code, 'invalid-input');
    record = end(record, idsOf(record)[0] ?? '', hour(1));
    assert.equal(judgeTuning(record, LONG, hour(1)), undefined);
  });
});

describe('exclusions on record', () => {
  const exclusion = (index: number, letter: string) => ({
    exclusionId: `exclusion:acme:${String(index).padStart(16, '0')}`,
    conditions: Object.fromEntries(exclusionFields.map((field) => [field, letter.repeat(500)])),
    registeredAt: START,
    expiresAt: plus(START, 365 * DAY_MS),
  });
  const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  for (const [what, letter] of [
    ['Latin', 'a'],
    ['backslashes', '\\'],
    ['Japanese', '除'],
    ['emoji', '🛡'],
  ] as const) {
    it(`as large as they may be, in ${what}: no more than Temporal can carry are taken`, () => {
      let record = openCustomer('acme');
      let count = 0;
      while (hasRoomFor(record, exclusion(count, letter))) {
        record = evolveCustomer(record, { type: 'exclusion-set', exclusion: exclusion(count, letter) }, START);
        count += 1;
      }
      assert.ok(count >= 30, `${count} are few`);
      const bytes = bytesOf(record.exclusions);
      assert.ok(bytes > 900_000 && bytes <= 1_000_002, `${bytes} bytes`);
      assert.equal(hasRoomFor(record, exclusion(0, letter)), true, 'another version of a known one is taken');
      record = evolveCustomer(
        record,
        { type: 'exclusion-ended', exclusionId: exclusion(0, letter).exclusionId },
        START,
      );
      assert.equal(hasRoomFor(record, exclusion(count, letter)), true);
    });
  }

  it('thousands of a usual size are taken, and what is carried on stays below what Temporal takes', () => {
    let record = openCustomer('acme');
    const usual = (index: number) => ({
      ...exclusion(index, ''),
      conditions: {
        sha256: String(index).padStart(64, '0'),
        fileName: 'backup.exe',
        folderPath: 'C:\\Program Files\\Backup',
      },
    });
    let count = 0;
    // Every look measures all, so that one for each would take long.
    for (; count % 250 !== 0 || hasRoomFor(record, usual(count)); count += 1) {
      record = evolveCustomer(record, { type: 'exclusion-set', exclusion: usual(count) }, START);
    }
    assert.ok(count >= 3_000, `${count} are few`);
    const outcome = { revision: 1, at: START };
    for (let index = 0; index < 1_500; index += 1) {
      const at = plus(START, index);
      const handled = { key: `${1_500 - index}`, bodyHash: 'b'.repeat(64), outcome: { ...outcome, at } };
      record = evolveCustomer(record, { type: 'command-handled', ...handled }, at);
    }
    const carried = carriedOn(record);
    assert.ok(bytesOf(carried) < 1_500_000, `${bytesOf(carried)} bytes`);
    assert.deepEqual([Object.keys(carried.handled).length, carried.handled['1']?.outcome.revision], [500, 1]);
    assert.equal(carried.handled['1500'], undefined, 'the oldest are forgotten');
  });
});
