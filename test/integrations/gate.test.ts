import assert from 'node:assert/strict';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.js';
import { Allowance } from '../../src/integrations/allowance.js';
import { createGate, TurnRefused, type Gate } from '../../src/integrations/gate.js';

const SHARES = {
  own: [undefined, { atOnce: 40, perMinute: 14 }, { atOnce: 40, perMinute: 12 }, { atOnce: 10, perMinute: 14 }],
  common: { atOnce: 50, perMinute: 20 },
};

describe('what calls of a rank may use', () => {
  /** When calls of the ranks are let through that want as many as they can get. */
  function greedy(ranks: readonly number[], untilMs: number): number[] {
    const allowance = new Allowance(SHARES);
    const passed: number[] = [];
    for (let nowMs = 0; nowMs < untilMs; nowMs += 1_000) {
      for (const rank of ranks) {
        while (allowance.waitMs(rank, nowMs) === 0) {
          allowance.take(rank, nowMs);
          passed.push(nowMs);
        }
      }
    }
    return passed;
  }

  function most(passed: readonly number[], windowMs: number): number {
    return Math.max(...passed.map((fromMs) => passed.filter((at) => at >= fromMs && at < fromMs + windowMs).length));
  }

  for (const { ranks, minute, hour } of [
    { ranks: [3], minute: 24, hour: 850 },
    { ranks: [2], minute: 52, hour: 760 },
    { ranks: [1], minute: 54, hour: 880 },
    { ranks: [1, 2, 3], minute: 94, hour: 1_270 },
    { ranks: [3, 2, 1], minute: 94, hour: 1_270 },
  ]) {
    it(`ranks ${ranks.join(', ')} together: at most ${minute} a minute and ${hour} an hour`, () => {
      const passed = greedy(ranks, 2 * HOUR_MS);
      assert.ok(most(passed, MINUTE_MS) <= minute, `${most(passed, MINUTE_MS)} in a minute`);
      assert.ok(most(passed, HOUR_MS) <= hour, `${most(passed, HOUR_MS)} in an hour`);
    });
  }

  it('a feed that asks every 30 seconds, or every five, is never kept waiting, whatever else goes on', () => {
    for (const everyMs of [30_000, 5_000]) {
      const allowance = new Allowance(SHARES);
      for (let nowMs = 0; nowMs < 2 * HOUR_MS; nowMs += 1_000) {
        if (nowMs % everyMs === 0) {
          assert.equal(allowance.waitMs(3, nowMs), 0);
          allowance.take(3, nowMs);
        }
        for (const rank of [0, 1, 2]) if (allowance.waitMs(rank, nowMs) === 0) allowance.take(rank, nowMs);
      }
    }
  });

  it('none is shut out for longer than its share needs to come back', () => {
    const allowance = new Allowance(SHARES);
    for (let used = 0; used < 10; used += 1) allowance.take(3, 0);
    assert.equal(allowance.waitMs(3, 0), Math.ceil(MINUTE_MS / 14));
    assert.equal(allowance.waitMs(3, 0, 2), Math.ceil((3 * MINUTE_MS) / 14));
    assert.equal(allowance.waitMs(3, MINUTE_MS / 14 + 1), 0);
    assert.equal(allowance.waitMs(2, 0), 0);
    assert.equal(allowance.waitMs(0, 0), 0);
  });
});

describe('the gate', () => {
  const KEY = 'tenant';
  const SHARE = { atOnce: 2, perMinute: 6 };

  /** Calls that end when they are told to, and the order in which they began. */
  function calls(gate: Gate) {
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const call = (name: string, rank?: number, signal?: AbortSignal) =>
      gate.run(KEY, { ...(rank === undefined ? {} : { rank }), ...(signal === undefined ? {} : { signal }) }, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      });
    const end = async (name: string): Promise<void> => {
      ends.get(name)?.();
      await new Promise(setImmediate);
    };
    return { begun, call, end };
  }

  it('lets the most urgent go first, and those who are alike in order of arrival', async () => {
    const { begun, call, end } = calls(createGate({ maxInFlight: 1 }));
    const all = [call('first'), call('feed', 3), call('look-up', 2), call('isolation', 0), call('second look-up', 2)];
    for (const name of ['first', 'isolation', 'look-up', 'second look-up', 'feed']) {
      await new Promise(setImmediate);
      assert.equal(begun.at(-1), name);
      await end(name);
    }
    await Promise.all(all);
  });

  it('keeps a place for what is urgent', async () => {
    const { begun, call, end } = calls(createGate({ maxInFlight: 4 }));
    const all = ['a', 'b', 'c', 'd'].map((name) => call(name, 2));
    all.push(call('isolation', 0));
    await new Promise(setImmediate);
    assert.deepEqual(begun, ['a', 'b', 'c', 'isolation']);
    for (const name of begun) await end(name);
    await end('d');
    await Promise.all(all);
  });

  it('opens for the most urgent first after a refusal, also of another worker', async () => {
    const gates = [createGate({ maxInFlight: 4 }), createGate({ maxInFlight: 4 })] as const;
    for (const gate of gates) gate.close(KEY, 100);
    const begun: string[] = [];
    const task = (name: string) => () => Promise.resolve(void begun.push(name));
    const lookUp = gates[0].run(KEY, { rank: 2 }, task('look-up'));
    const following = gates[1].run(KEY, { rank: 1 }, task('following'));
    const isolation = gates[1].run(KEY, { rank: 0 }, task('isolation'));
    await Promise.all([lookUp, following, isolation]);
    assert.deepEqual(begun, ['isolation', 'following', 'look-up']);
  });

  it('hands a long wait to the caller, also to one that waits already', async () => {
    const gate = createGate({ maxInFlight: 1 });
    const { begun, call, end } = calls(gate);
    const first = call('first');
    const waiting = assert.rejects(call('waits', 1), (error) => error instanceof TurnRefused && error.why === 'closed');
    gate.close(KEY, MINUTE_MS);
    await waiting;
    await assert.rejects(
      call('late', 0),
      (error) => error instanceof TurnRefused && error.retryAfterMs > 59_000 && error.retryAfterMs <= MINUTE_MS,
    );
    await end('first');
    await first;
    assert.deepEqual(begun, ['first']);
  });

  it('tells many that have used up their share different times to come again', async () => {
    const gate = createGate({ maxInFlight: 4, shares: { own: [undefined, SHARE, SHARE], common: SHARE } });
    const run = (rank: number) => gate.run(KEY, { rank }, () => Promise.resolve(undefined));
    await Promise.all([run(1), run(1)]);
    const refused = await Promise.all(
      [1, 2, 3].map(() =>
        run(1).then(
          () => assert.fail('it was let through'),
          (error: unknown) => {
            assert.ok(error instanceof TurnRefused && error.why === 'used-up');
            return Math.round(error.retryAfterMs / 1_000);
          },
        ),
      ),
    );
    assert.deepEqual(refused, [10, 20, 30]);
    await run(0);
  });

  it('forgets who has given up', async () => {
    const { begun, call, end } = calls(createGate({ maxInFlight: 1 }));
    const first = call('first');
    const controller = new AbortController();
    const calledOff = assert.rejects(call('gives up', 0, controller.signal), /not needed/);
    const next = call('next', 2);
    controller.abort(new Error('not needed'));
    await calledOff;
    await end('first');
    await end('next');
    await Promise.all([first, next]);
    assert.deepEqual(begun, ['first', 'next']);
  });
});
