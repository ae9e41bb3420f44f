import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  afterFailure,
  afterPage,
  afterTold,
  countedAs,
  feedNews,
  isSeen,
  lagMs,
  LARGEST_PAGE,
  nextPage,
  openFeed,
  OVERLAP_MS,
  pauseMs,
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
const well = (state: FeedState, minutes: number, ...taken: Taken[]) =>
  afterPage(state, taken.length, taken, at(minutes));
const failing = (state: FeedState, minutes: number) =>
  afterFailure(state, { code: 'transient', message: 'no answer' }, at(minutes));

describe('where a feed stands', () => {
  it('begins a while back, never at the whole past', () => {
    assert.deepEqual(nextPage(openFeed(START, 24 * HOUR_MS)), {
      since: plus(START, -24 * HOUR_MS),
      skip: 0,
      top: LARGEST_PAGE,
    });
  });

  it('asks again behind the newest that it has taken: Defender writes late and out of order', () => {
    const state = well(openFeed(START, HOUR_MS), 30, took('a', 20), took('b', 10));
    assert.equal(state.watermark, at(20));
    assert.equal(nextPage(state).since, plus(at(20), -OVERLAP_MS));
  });

  it('knows the versions within the overlap, and forgets older ones', () => {
    const state = well(openFeed(START, HOUR_MS), 30, took('a', 25), took('b', 2));
    assert.equal(isSeen(state, took('a', 25).version), true);
    assert.equal(isSeen(state, { ...took('a', 25).version, fingerprint: 'another version' }), false);
    assert.equal(isSeen(state, took('b', 2).version), false);
  });

  it('is not blinded by a time in the future', () => {
    const state = well(openFeed(START, HOUR_MS), 1, took('a', 60 * 24 * 365));
    assert.equal(state.watermark, at(1));
  });

  it('goes through a long list page by page, with some rows twice, and moves on only when it is through', () => {
    const full = Array.from({ length: LARGEST_PAGE }, (_, index) => took(`a${index}`, 5));
    const first = well(openFeed(START, HOUR_MS), 6, ...full);
    assert.equal(first.watermark, plus(START, -HOUR_MS));
    assert.equal(first.lastSuccessAt, null);
    const { since, skip } = nextPage(first);
    assert.equal(since, plus(START, -HOUR_MS));
    assert.ok(skip > 0 && skip < LARGEST_PAGE);
    assert.equal(pauseMs(first, 30 * SECOND_MS), 0);
    const second = well(first, 7, took('z', 4));
    assert.equal(second.watermark, at(5));
    assert.equal(second.lastSuccessAt, at(7));
    assert.equal(second.pass, null);
  });

  it('does not go past what was changed since a long list was begun', () => {
    const full = Array.from({ length: LARGEST_PAGE }, (_, index) => took(`a${index}`, 5));
    const state = well(well(openFeed(START, HOUR_MS), 6, ...full), 30, took('z', 29));
    assert.equal(state.watermark, at(6));
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

  it('forgets in the midst of a long list what the next one will not show', () => {
    const rows = Array.from({ length: LARGEST_PAGE }, (_, row) => took(`a${row}`, row === 0 ? 59 : 10));
    const first = well(openFeed(START, HOUR_MS), 60, ...rows);
    const second = well(first, 60, ...rows.map((_, row) => took(`b${row}`, 5)));
    assert.deepEqual(
      ['a0', 'a1', 'b1'].map((key) => second.seen[key] !== undefined),
      [true, false, true],
    );
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

  it('asks for less where an answer was too large', () => {
    const tooLarge = { code: 'ERR_BAD_RESPONSE', message: 'too large', isTooLarge: true };
    assert.equal(nextPage(afterFailure(openFeed(START, 0), tooLarge, START)).top, LARGEST_PAGE / 2);
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
  it('longer than Defender says, so that isolations go first', () => {
    assert.ok(pauseMs(failing(state, 2), 30 * SECOND_MS, 20 * SECOND_MS) > 20 * SECOND_MS);
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
    const full = Array.from({ length: LARGEST_PAGE }, (_, index) => took(`a${index}`, 0));
    const behind = well(state, 5, ...full);
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
