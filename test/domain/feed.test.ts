import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterTold, feedNews, lagMs } from '../../src/domain/feed/news.js';
import { LARGEST_PAGE, passSchema } from '../../src/domain/feed/paging.js';
import {
  afterFailure,
  afterPage,
  countedAs,
  hasFailing,
  inTenant,
  isGivenUp,
  isSeen,
  nextPage,
  openFeed,
  OVERLAP_MS,
  pauseMs,
  reopenFeed,
  spanOf,
  type FeedState,
  type Taken,
} from '../../src/domain/feed/state.js';
import { HOUR_MS, MINUTE_MS, plus, SECOND_MS, toInstant, toMs, type Instant } from '../../src/domain/time.js';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const START = '2026-11-24T00:00:00.000Z';
const at = (minutes: number): Instant => plus(START, minutes * MINUTE_MS);
const took = (alertId: string, minutes: number, is: 'opened' | 'rejected' = 'opened'): Taken => ({
  is,
  version: { key: alertId, fingerprint: hashOf(`${alertId}-at-${minutes}`), changedAt: at(minutes) },
});
const pageOf = (minutes: number, taken: readonly Taken[], failed: readonly string[] = []) => {
  const changes = taken.flatMap(({ version: { changedAt } }) => changedAt ?? []);
  const rows = taken.length + failed.length;
  return { askedAt: at(minutes), rows, hasMore: false, ...spanOf(changes), taken, failed };
};
const well = (state: FeedState, minutes: number, ...taken: Taken[]) =>
  afterPage(state, pageOf(minutes, taken), at(minutes));
const failing = (state: FeedState, minutes: number) =>
  afterFailure(state, { code: 'transient', message: 'no answer' }, at(minutes));

const full = Array.from({ length: LARGEST_PAGE }, (_, index) => took(`a${index}`, 5));

describe('where a feed stands', () => {
  it('begins a while back, never at the whole past', () => {
    assert.deepEqual(nextPage(openFeed(START, 24 * HOUR_MS), START), {
      since: plus(START, -24 * HOUR_MS),
      until: null,
      skip: 0,
      top: LARGEST_PAGE,
    });
  });

  it('asks again behind the newest that it has taken: Defender writes late and out of order', () => {
    const state = well(openFeed(START, HOUR_MS), 30, took('a', 20), took('b', 10));
    assert.equal(state.watermark, at(20));
    assert.equal(nextPage(state, at(31)).since, plus(at(20), -OVERLAP_MS));
  });

  it('knows the versions within the overlap, and forgets older ones', () => {
    const state = well(openFeed(START, HOUR_MS), 30, took('a', 25), took('b', 2));
    assert.equal(isSeen(state, took('a', 25).version), true);
    assert.equal(isSeen(state, { ...took('a', 25).version, fingerprint: 'another version' }), false);
    assert.equal(isSeen(state, took('b', 2).version), false);
  });

  it('is not blinded by a time in the future', () => {
    assert.equal(well(openFeed(START, HOUR_MS), 1, took('a', 60 * 24 * 365)).watermark, at(1));
    // Written with six digits for the year, which come before all others as text.
    const last: Taken = { ...took('a', 0), version: { ...took('a', 0).version, changedAt: toInstant(8.64e15) } };
    assert.equal(well(openFeed(START, HOUR_MS), 1, last).watermark, at(1));
  });

  it('does not move by what tells no time that can be read', () => {
    const odd: Taken = { ...took('odd', 0), version: { ...took('odd', 0).version, changedAt: null } };
    const state = well(openFeed(START, HOUR_MS), 1, took('a', -30), odd);
    assert.equal(state.watermark, at(-30));
    assert.equal(isSeen(state, odd.version), true);
  });

  it('goes through a long list window by window, and moves on only when it is through', () => {
    const first = well(openFeed(START, HOUR_MS), 60, ...full);
    assert.equal(first.watermark, at(-60));
    assert.equal(first.lastSuccessAt, null);
    assert.deepEqual(nextPage(first, at(60)), { since: at(-60), until: at(5), skip: 0, top: LARGEST_PAGE });
    assert.equal(pauseMs(first, 30 * SECOND_MS), 0);
    const second = well(first, 61, took('z', -30));
    assert.equal(second.watermark, at(-60));
    const third = well(second, 62, took('y', 58));
    assert.deepEqual([third.watermark, third.lastSuccessAt, third.pass], [at(58), at(62), null]);
  });

  it('does not go past what was changed since a long list was begun', () => {
    const begun = well(openFeed(START, HOUR_MS), 6, ...full);
    const state = well(well(begun, 7), 30, took('z', 29));
    assert.deepEqual([state.watermark, state.pass], [at(6), null]);
  });

  it('stands still where an alert cannot be taken, until that is given up', () => {
    let state = openFeed(START, HOUR_MS);
    for (const tries of [1, 2]) {
      assert.equal(isGivenUp(state, 'bad'), false);
      state = afterPage(state, pageOf(tries, [took(`good ${tries}`, tries)], ['bad']), at(tries));
      assert.deepEqual([state.watermark, state.lastSuccessAt, hasFailing(state)], [at(-60), null, true]);
      assert.equal(isSeen(state, took(`good ${tries}`, tries).version), true);
      assert.ok(pauseMs(state, 30 * SECOND_MS) < 30 * SECOND_MS);
    }
    assert.equal(isGivenUp(state, 'bad'), true);
    assert.equal(isGivenUp(state, 'another'), false);
    const done = well(state, 3, took('bad', 3, 'rejected'));
    assert.deepEqual([done.watermark, done.lastSuccessAt, hasFailing(done)], [at(3), at(3), false]);
  });

  it('stays small enough for a heartbeat however many have changed, and knows the newest', () => {
    const alertId = (page: number, row: number) =>
      `da${String(page).padStart(18, '0')}_${String(row).padStart(10, '0')}`;
    let state = openFeed(START, HOUR_MS);
    for (let page = 0; page < 40; page += 1) {
      const full = Array.from({ length: LARGEST_PAGE }, (_, row) => took(alertId(page, row), 59 - page / 100));
      state = well(state, 60, ...full);
      // The next page begins with rows of this one.
      assert.equal(isSeen(state, took(alertId(page, LARGEST_PAGE - 1), 59 - page / 100).version), true);
      assert.ok(JSON.stringify(state).length < 1_000_000, `${JSON.stringify(state).length} bytes`);
    }
    assert.equal(isSeen(state, took(alertId(0, 0), 59).version), true);
    assert.equal(isSeen(state, took(alertId(20, 0), 58.8).version), true);
  });

  it('forgets at the end of a long list what the next one will not show, and not before: it may come once more', () => {
    const rows = Array.from({ length: LARGEST_PAGE }, (_, row) => took(`a${row}`, row === 0 ? 59 : -30));
    const first = well(openFeed(START, HOUR_MS), 60, ...rows);
    const known = (state: FeedState) => ['a0', 'a1', 'b1'].map((key) => state.seen[key] !== undefined);
    let state = well(first, 60, took('b1', -1));
    assert.notEqual(state.pass, null);
    assert.deepEqual(known(state), [true, true, true]);
    while (state.pass !== null) state = well(state, 60, took('a0', 59));
    assert.deepEqual(known(state), [true, false, false]);
  });

  it('counts what adds up', () => {
    const { counts } = well(openFeed(START, HOUR_MS), 1, took('a', 0), took('b', 0, 'rejected'));
    const { seen, ...parts } = counts;
    assert.equal(seen, 2);
    assert.equal(
      Object.values(parts).reduce((sum, part) => sum + part),
      2,
    );
  });

  it('counts as opened what a try has opened that died before it could say so', () => {
    const state = well(openFeed(START, HOUR_MS), 1, took('a', 0), took('b', 0));
    const cases = [
      { what: 'another opened it: a caller of the API', key: 'c', found: { is: 'unchanged' }, counts: 'unchanged' },
      { what: 'counted long ago', key: 'c', found: { is: 'updated', openedAfter: 1 }, counts: 'updated' },
      { what: 'opened by the try that died', key: 'c', found: { is: 'unchanged', openedAfter: 2 }, counts: 'opened' },
      { what: 'and changed since', key: 'c', found: { is: 'updated', openedAfter: 2 }, counts: 'opened' },
      { what: 'on a later page of it', key: 'c', found: { is: 'unchanged', openedAfter: 502 }, counts: 'opened' },
      { what: 'counted already', key: 'a', found: { is: 'updated', openedAfter: 2 }, counts: 'updated' },
    ] as const;
    for (const { what, key, found, counts } of cases) {
      assert.equal(countedAs(state, took(key, 1).version, found), counts, what);
    }
  });

  it('counts as opened what has moved on in the list after the try that opened it had died, or had failed', () => {
    const state = well(openFeed(START, HOUR_MS), 1, took('a', 0), took('b', 0));
    const pass = passSchema.parse({ startedAt: START, since: START, until: at(1), skip: 0, newest: START, counted: 2 });
    const later = { ...state, pass, counts: { ...state.counts, seen: 5_000 } };
    const { version } = took('c', 1);
    assert.equal(countedAs(later, version, { is: 'updated', openedAfter: 2 }), 'opened');
    assert.equal(countedAs(later, version, { is: 'updated', openedAfter: 1 }), 'updated');
    assert.equal(countedAs({ ...later, pass: null }, version, { is: 'updated', openedAfter: 2 }), 'updated');
    const failing = { [version.key]: { tries: 1, seen: 2 } };
    assert.equal(countedAs({ ...later, pass: null, failing }, version, { is: 'unchanged', openedAfter: 2 }), 'opened');
  });

  it('asks for less where an answer was too large', () => {
    const tooLarge = { code: 'ERR_BAD_RESPONSE', message: 'too large', isTooLarge: true };
    assert.equal(nextPage(afterFailure(openFeed(START, 0), tooLarge, START), START).top, LARGEST_PAGE / 2);
  });
});

describe('a feed that begins again', () => {
  const before = well(well(openFeed(START, HOUR_MS), 1, took('a', 0), took('b', 0, 'rejected')), 6, ...full);
  const days = (count: number) => count * 24 * 60;

  it('asks for what was changed since it ended, as late as that may have been written, and counts on', () => {
    const again = reopenFeed(before, at(days(40)));
    const since = plus(at(0), -OVERLAP_MS);
    assert.deepEqual(nextPage(again, at(days(40))), { since, until: null, skip: 0, top: LARGEST_PAGE });
    assert.deepEqual(again.counts, before.counts);
    assert.equal(isSeen(again, took('a', 0).version), false);
  });

  it('begins a list anew that it was amid: its rows have moved', () => {
    assert.notEqual(before.pass, null);
    assert.equal(reopenFeed(before, at(days(1))).pass, null);
  });

  it('tells of troubles of its own, and not of the time that it was away', () => {
    const told = afterTold(failing(before, 20), { about: 'trouble', since: at(1), trouble: null }, at(20));
    const again = failing(reopenFeed(told, at(days(40))), days(40) + 1);
    assert.equal(again.trouble?.failures, 1);
    assert.deepEqual(feedNews(again, at(days(40) + 9)), [{ about: 'rejected', count: 1 }]);
    const [news] = feedNews(again, at(days(40) + 10));
    assert.ok(news?.about === 'trouble');
    assert.equal(news.since, at(days(40)));
  });
});

describe('a feed whose customer has another tenant now', () => {
  const ours = inTenant(well(openFeed(START, HOUR_MS), 1, took('a', 0), took('b', 0, 'rejected')), 'ours', at(2), 0);

  it('begins in it as a first start does, and counts on', () => {
    const other = inTenant(ours, 'other', at(90), HOUR_MS);
    assert.deepEqual([other.tenantId, other.lastSuccessAt, other.pass], ['other', null, null]);
    assert.equal(nextPage(other, at(90)).since, at(30));
    assert.deepEqual(other.counts, ours.counts);
    assert.equal(isSeen(other, took('a', 0).version), false);
  });

  it('goes on where it stood in its own, also where nobody had written down whose it was', () => {
    assert.deepEqual(inTenant(ours, 'ours', at(90), HOUR_MS), ours);
    const { tenantId: _, ...before } = ours;
    assert.deepEqual(inTenant(before, 'ours', at(90), HOUR_MS), ours);
    assert.equal(reopenFeed(ours, at(90)).tenantId, 'ours');
  });

  it('takes back what the SOC was told once it is well', () => {
    const told = afterTold(failing(ours, 20), { about: 'trouble', since: at(1), trouble: null }, at(20));
    const state = well(inTenant(told, 'other', at(30), 0), 31);
    assert.deepEqual(
      feedNews(state, at(31)).map(({ about }) => about),
      ['well', 'rejected'],
    );
  });
});

describe('how long a feed waits', () => {
  const state = well(openFeed(START, HOUR_MS), 1);
  it('its interval, while all is well', () => {
    assert.equal(pauseMs(state, 30 * SECOND_MS), 30 * SECOND_MS);
  });
  it('ever longer while it fails, up to five minutes', () => {
    let failed = state;
    const pauses = [1, 2, 3, 4, 5, 6].map((minute) => {
      failed = failing(failed, minute);
      return pauseMs(failed, 30 * SECOND_MS) / SECOND_MS;
    });
    assert.deepEqual(pauses, [30, 60, 120, 240, 300, 300]);
  });
  it('as long as it was told to', () => {
    assert.equal(pauseMs(failing(state, 2), 30 * SECOND_MS, 20 * SECOND_MS), 20 * SECOND_MS);
  });
});

describe('what the SOC hears of a feed', () => {
  const state = well(openFeed(START, HOUR_MS), 0);
  const abouts = (one: FeedState, minutes: number) => feedNews(one, at(minutes)).map(({ about }) => about);

  it('nothing of a short trouble', () => {
    assert.deepEqual(abouts(failing(state, 1), 9), []);
  });

  it('once after ten minutes, and once when it is well', () => {
    let one = failing(state, 1);
    const [news] = feedNews(one, at(10));
    assert.ok(news?.about === 'trouble');
    assert.equal(news.since, at(0));
    one = afterTold(one, news, at(10));
    one = failing(one, 20);
    assert.deepEqual(abouts(one, 20), []);
    one = well(one, 30);
    const [again] = feedNews(one, at(30));
    assert.ok(again?.about === 'well');
    assert.deepEqual(abouts(afterTold(one, again, at(30)), 31), []);
  });

  it('of a list that takes more than ten minutes, too', () => {
    const behind = well(state, 5, ...full.map((_, index) => took(`b${index}`, 0)));
    assert.deepEqual(abouts(behind, 9), []);
    assert.deepEqual(abouts(behind, 11), ['trouble']);
    assert.equal(lagMs(behind, at(11)), 11 * MINUTE_MS);
  });

  it('of what was kept aside, at most once an hour, with how many there are', () => {
    let one = well(state, 1, took('a', 1, 'rejected'));
    const [news] = feedNews(one, at(1));
    assert.deepEqual(news, { about: 'rejected', count: 1 });
    assert.ok(news);
    one = well(afterTold(one, news, at(1)), 2, took('b', 2, 'rejected'), took('c', 2, 'rejected'));
    assert.deepEqual(abouts(one, 2), []);
    assert.deepEqual(feedNews(one, at(62)), [{ about: 'rejected', count: 2 }]);
  });
});

describe('a feed that lies behind', () => {
  it('counts from its last whole list', () => {
    const state = failing(well(openFeed(START, HOUR_MS), 1), 3);
    assert.equal(lagMs(state, at(4)), 3 * MINUTE_MS);
    assert.equal(toInstant(toMs(at(4)) - lagMs(state, at(4))), at(1));
  });
});
