import assert from 'node:assert/strict';
import { nextDayTime } from '../../src/domain/day-time.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant, toMs } from '../../src/domain/time.js';

function hourIn(ms: number, timeZone: string): number {
  const text = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' }).format(ms);
  return Number(text);
}

describe('the customer’s day time', () => {
  const ROWS: [what: string, timeZone: string, at: string, next: string][] = [
    ['inside', 'Asia/Tokyo', '2026-11-24T12:00:00+09:00', '2026-11-24T12:00:00+09:00'],
    ['its first moment', 'Asia/Tokyo', '2026-11-24T09:00:00+09:00', '2026-11-24T09:00:00+09:00'],
    ['just before it', 'Asia/Tokyo', '2026-11-24T08:59:59+09:00', '2026-11-24T09:00:00+09:00'],
    ['its last moment', 'Asia/Tokyo', '2026-11-24T17:59:59+09:00', '2026-11-24T17:59:59+09:00'],
    ['its end', 'Asia/Tokyo', '2026-11-24T18:00:00+09:00', '2026-11-25T09:00:00+09:00'],
    ['a Saturday', 'Asia/Tokyo', '2026-11-28T12:00:00+09:00', '2026-11-28T12:00:00+09:00'],
    ['the last night of a year', 'Asia/Tokyo', '2026-12-31T23:00:00+09:00', '2027-01-01T09:00:00+09:00'],
    ['half an hour off', 'Asia/Kolkata', '2026-11-24T06:00:00+05:30', '2026-11-24T09:00:00+05:30'],
    ['three quarters off', 'Asia/Kathmandu', '2026-11-24T20:00:00+05:45', '2026-11-25T09:00:00+05:45'],
    ['far in the east', 'Pacific/Kiritimati', '2026-11-24T19:00:00+14:00', '2026-11-25T09:00:00+14:00'],
    ['clocks go forward in the night', 'America/New_York', '2026-03-07T20:00:00-05:00', '2026-03-08T09:00:00-04:00'],
    ['just before they go forward', 'America/New_York', '2026-03-08T01:59:00-05:00', '2026-03-08T09:00:00-04:00'],
    ['clocks go back in the night', 'America/New_York', '2026-10-31T20:00:00-04:00', '2026-11-01T09:00:00-05:00'],
    ['the hour that comes twice, first', 'America/New_York', '2026-11-01T01:30:00-04:00', '2026-11-01T09:00:00-05:00'],
    ['the hour that comes twice, then', 'America/New_York', '2026-11-01T01:30:00-05:00', '2026-11-01T09:00:00-05:00'],
    ['clocks by half an hour', 'Australia/Lord_Howe', '2026-10-03T22:00:00+10:30', '2026-10-04T09:00:00+11:00'],
    ['no clock is changed', 'UTC', '2026-11-24T00:00:00Z', '2026-11-24T09:00:00Z'],
  ];
  for (const [what, timeZone, at, next] of ROWS) {
    it(`${what} (${timeZone}): ${next}`, () => {
      assert.equal(toMs(nextDayTime(at, timeZone)), toMs(next));
    });
  }

  for (const timeZone of ['America/New_York', 'Europe/London', 'Africa/Casablanca', 'Asia/Tokyo', 'Pacific/Apia']) {
    it(`is reached within a day, at any time of the year (${timeZone})`, () => {
      const startMs = toMs('2026-01-01T00:07:00Z');
      for (let ms = startMs; ms < startMs + 366 * DAY_MS; ms += 5 * HOUR_MS + 13 * MINUTE_MS) {
        const next = toMs(nextDayTime(toInstant(ms), timeZone));
        const hour = hourIn(next, timeZone);
        assert.ok(hour >= 9 && hour < 18, toInstant(ms));
        assert.ok(next === ms ? true : next > ms && next - ms <= 16 * HOUR_MS, toInstant(ms));
      }
    });
  }

  it('a day that a zone leaves out keeps nothing waiting for ever', () => {
    // Samoa had no 30 December 2011.
    let at = '2011-12-29T20:00:00-10:00';
    for (let step = 0; step < 5; step += 1) at = nextDayTime(at, 'Pacific/Apia');
    assert.equal(at, toInstant(toMs('2011-12-31T09:00:00+14:00')));
  });
});
