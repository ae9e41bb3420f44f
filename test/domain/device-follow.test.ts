import assert from 'node:assert/strict';
import { CLOSELY_MS, nextLookInMs } from '../../src/domain/device/follow.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.js';

/** When an action is read that is followed for so long. */
function looksWithin(untilMs: number): number[] {
  const looks: number[] = [];
  for (let atMs = 0; atMs < untilMs; atMs += nextLookInMs(atMs)) looks.push(atMs);
  return looks;
}

describe('how often an action is read that runs', () => {
  for (const [followedMs, pauseMs] of [
    [-SECOND_MS, 300],
    [0, 300],
    [2 * SECOND_MS, 1_300],
    [19 * SECOND_MS, 5 * SECOND_MS],
    [CLOSELY_MS, 10 * SECOND_MS],
    [2 * MINUTE_MS, 30 * SECOND_MS],
    [10 * MINUTE_MS, MINUTE_MS],
    [HOUR_MS, 3 * MINUTE_MS],
    [72 * HOUR_MS, 3 * MINUTE_MS],
  ] as const) {
    it(`after ${followedMs / SECOND_MS} s: the next in ${pauseMs} ms`, () => {
      assert.equal(nextLookInMs(followedMs), pauseMs);
    });
  }

  it('at most 100 times in the first hour, and 20 in each that follows', () => {
    const looks = looksWithin(72 * HOUR_MS);
    for (let hour = 0; hour < 72; hour += 1) {
      const count = looks.filter((atMs) => Math.floor(atMs / HOUR_MS) === hour).length;
      assert.ok(count <= (hour === 0 ? 100 : 20), `${count} in hour ${hour + 1}`);
    }
  });

  it('a device that takes seconds is known of within half of that, and a third of a second', () => {
    const looks = looksWithin(CLOSELY_MS);
    for (const [index, atMs] of looks.slice(1).entries()) {
      const before = looks[index] ?? 0;
      assert.ok(atMs - before <= before / 2 + 300, `none between ${before} and ${atMs} ms`);
    }
  });
});
