import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isBusinessTime, nextBusinessTime, UnknownBusinessDayError } from '../../src/domain/business-hours.js';
import { businessCalendar } from '../../src/holidays.js';

describe('the public holidays of Japan', () => {
  const calendar = businessCalendar(['12-29', '12-30', '12-31', '01-01', '01-02', '01-03'], 2026, 2028);

  it('cover whole years', () => {
    assert.deepEqual([calendar.knownFrom, calendar.knownUntil], ['2026-01-01', '2028-12-31']);
  });

  for (const [what, at, next] of [
    ['a substitute holiday', '2027-03-22T10:00:00+09:00', '2027-03-23T00:00:00.000Z'],
    ['a citizens’ holiday between two others', '2026-09-22T10:00:00+09:00', '2026-09-24T00:00:00.000Z'],
    ['the first of January, with the closed days after it', '2027-01-01T10:00:00+09:00', '2027-01-04T00:00:00.000Z'],
  ] as const) {
    it(`${what} is no business day`, () => {
      const instant = new Date(at).toISOString();
      assert.equal(isBusinessTime(instant, calendar), false);
      assert.equal(nextBusinessTime(instant, calendar), next);
    });
  }

  it('are not guessed beyond what is known', () => {
    const beyond = businessCalendar([], 2090, 2092);
    assert.throws(() => isBusinessTime('2091-05-01T02:00:00.000Z', beyond), UnknownBusinessDayError);
  });
});
