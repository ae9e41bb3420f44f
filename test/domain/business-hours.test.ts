import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  calendarOf,
  closedDaysSchema,
  isBusinessTime,
  nextBusinessTime,
  UnknownBusinessDayError,
  type CalendarData,
} from '../../src/domain/business-hours.js';

/** Public holidays of these years as the Cabinet Office announces them; what lies outside is not known here. */
const DATA: CalendarData = {
  holidays: [
    ...['01-01', '01-12', '02-11', '02-23', '03-20', '04-29', '05-03', '05-04', '05-05', '05-06'].map(in2026),
    ...['07-20', '08-11', '09-21', '09-22', '09-23', '10-12', '11-03', '11-23'].map(in2026),
    ...['01-01', '01-11', '02-11', '02-23', '03-21', '03-22', '04-29', '05-03', '05-04', '05-05'].map(in2027),
    ...['07-19', '08-11', '09-20', '09-23', '10-11', '11-03', '11-23'].map(in2027),
  ],
  knownFrom: '2026-01-01',
  knownUntil: '2027-12-31',
  closedDays: closedDaysSchema.parse(undefined),
};
const CALENDAR = calendarOf(DATA);

function in2026(day: string): string {
  return `2026-${day}`;
}
function in2027(day: string): string {
  return `2027-${day}`;
}
/** A moment by the clock on a Japanese wall. */
function tokyo(text: string): string {
  return new Date(`${text}+09:00`).toISOString();
}

/** What is asked, by Tokyo's clock; when business is done next, where that is another moment. */
const ROWS: [string, string, string?][] = [
  ['a Friday at noon', '2026-11-27T12:00:00'],
  ['a Friday at 9:00 sharp', '2026-11-27T09:00:00'],
  ['a Friday a millisecond before 9:00', '2026-11-27T08:59:59.999', '2026-11-27T09:00:00'],
  ['a Friday at 17:59:59', '2026-11-27T17:59:59'],
  ['a Friday a millisecond before 18:00', '2026-11-27T17:59:59.999'],
  ['a Friday at 18:00:00', '2026-11-27T18:00:00', '2026-11-30T09:00:00'],
  ['a Friday a millisecond before midnight', '2026-11-27T23:59:59.999', '2026-11-30T09:00:00'],
  ['a Monday at midnight', '2026-11-30T00:00:00', '2026-11-30T09:00:00'],
  ['a Monday a millisecond before midnight', '2026-11-30T23:59:59.999', '2026-12-01T09:00:00'],
  ['a Saturday at noon', '2026-11-28T12:00:00', '2026-11-30T09:00:00'],
  ['a Sunday at noon', '2026-11-29T12:00:00', '2026-11-30T09:00:00'],
  ['a public holiday on a Monday', '2026-11-23T12:00:00', '2026-11-24T09:00:00'],
  ['the last business day of the year', '2026-12-28T17:00:00'],
  ['its evening', '2026-12-28T18:00:00', '2027-01-04T09:00:00'],
  ['31 December', '2026-12-31T10:00:00', '2027-01-04T09:00:00'],
  ['1 January', '2027-01-01T10:00:00', '2027-01-04T09:00:00'],
  ['4 January', '2027-01-04T10:00:00'],
  ['29 December, the first closed day', '2026-12-29T09:00:00', '2027-01-04T09:00:00'],
  ['a substitute holiday', '2027-03-22T10:00:00', '2027-03-23T09:00:00'],
  ['the Saturday before a substitute holiday', '2027-03-20T10:00:00', '2027-03-23T09:00:00'],
  ['a substitute holiday after three in a row', '2026-05-06T10:00:00', '2026-05-07T09:00:00'],
  ['the evening before a run with a citizens’ holiday', '2026-09-18T18:00:00', '2026-09-24T09:00:00'],
  ['a citizens’ holiday', '2026-09-22T10:00:00', '2026-09-24T09:00:00'],
  ['30 April between holidays', '2026-04-30T10:00:00'],
  ['30 April in the evening', '2026-04-30T20:00:00', '2026-05-01T09:00:00'],
  ['1 May in the evening', '2026-05-01T20:00:00', '2026-05-07T09:00:00'],
];

describe('business hours', () => {
  for (const [what, at, next] of ROWS) {
    it(`${what}: ${next === undefined ? 'inside' : `outside, until ${next}`}`, () => {
      assert.equal(isBusinessTime(tokyo(at), CALENDAR), next === undefined);
      assert.equal(nextBusinessTime(tokyo(at), CALENDAR), tokyo(next ?? at));
    });
  }

  it('an instant in any offset means the same', () => {
    assert.equal(isBusinessTime('2026-11-26T19:00:00-05:00', CALENDAR), true);
    assert.equal(nextBusinessTime('2026-11-27T04:00:00-05:00', CALENDAR), tokyo('2026-11-30T09:00:00'));
  });

  for (const [what, ask] of [
    ['the day after the last known', () => isBusinessTime(tokyo('2028-01-04T10:00:00'), CALENDAR)],
    ['the day before the first known', () => isBusinessTime(tokyo('2025-12-31T10:00:00'), CALENDAR)],
    ['a Saturday that is not known', () => isBusinessTime(tokyo('2028-01-08T10:00:00'), CALENDAR)],
    ['a wait that leads beyond what is known', () => nextBusinessTime(tokyo('2027-12-29T10:00:00'), CALENDAR)],
  ] as const) {
    it(`does not guess about ${what}`, () => assert.throws(ask, UnknownBusinessDayError));
  }

  it('refuses what is no instant', () => assert.throws(() => isBusinessTime('soon', CALENDAR), RangeError));

  it('closed days are settings: of every year, or of one', () => {
    const calendar = calendarOf({ ...DATA, closedDays: closedDaysSchema.parse(['2026-11-27', '06-01']) });
    assert.equal(nextBusinessTime(tokyo('2026-11-27T10:00:00'), calendar), tokyo('2026-11-30T09:00:00'));
    assert.equal(isBusinessTime(tokyo('2026-06-01T10:00:00'), calendar), false);
    assert.equal(isBusinessTime(tokyo('2027-06-01T10:00:00'), calendar), false);
    assert.equal(isBusinessTime(tokyo('2027-06-02T10:00:00'), calendar), true);
    assert.equal(isBusinessTime(tokyo('2026-12-29T10:00:00'), calendar), true);
  });

  for (const day of ['2026-02-30', '02-30', '13-01', '1-1', '2027-02-29', 'Monday', '2026/12/29']) {
    it(`refuses ${day} as a closed day`, () => assert.equal(closedDaysSchema.safeParse([day]).success, false));
  }
  it('takes 29 February of every year that has one', () => {
    assert.deepEqual(closedDaysSchema.parse(['02-29']), ['02-29']);
  });

  it('the zone of the process changes nothing', () => {
    const rules = fileURLToPath(new URL('../../src/domain/business-hours.ts', import.meta.url));
    const program = `
      import { calendarOf, nextBusinessTime } from ${JSON.stringify(rules)};
      const calendar = calendarOf(${JSON.stringify(DATA)});
      console.log(new Date(0).getHours(), ${JSON.stringify(ROWS)}.map(([, at]) =>
        nextBusinessTime(new Date(at + '+09:00').toISOString(), calendar)).join(' '));`;
    const run = (TZ: string) =>
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
        env: { ...process.env, TZ },
        encoding: 'utf8',
      }).split(' ');
    const [hour, ...newYork] = run('America/New_York');
    assert.equal(hour, '19');
    assert.deepEqual(newYork.join(' ').trim(), ROWS.map(([, at, next]) => tokyo(next ?? at)).join(' '));
  });
});
