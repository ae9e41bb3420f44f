import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Random } from '../../simulator/random.js';
import { LARGEST_PAGE, type PageQuery } from '../../src/domain/feed/paging.js';
import {
  afterFailure,
  afterPage,
  feedStateSchema,
  isSeen,
  nextPage,
  openFeed,
  spanOf,
  type FeedState,
  type Taken,
} from '../../src/domain/feed/state.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS, toInstant, toMs } from '../../src/domain/time.js';

const START_MS = Date.parse('2026-11-24T00:00:00.000Z');
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

interface Row {
  id: string;
  /** Where chance has put it. */
  place: number;
  version: number;
  changedMs: number;
}

const orders = {
  'oldest change first': (a: Row, b: Row) => a.changedMs - b.changedMs,
  'newest change first': (a: Row, b: Row) => b.changedMs - a.changedMs,
  'by chance': (a: Row, b: Row) => a.place - b.place,
};
type Order = keyof typeof orders;
const allOrders: readonly Order[] = ['oldest change first', 'newest change first', 'by chance'];

/** A list as a server may keep it: in any order, with a limit of its own that it tells by a link or not at all. */
class List {
  readonly rows: Row[] = [];
  private readonly places = new Random(7);
  requests = 0;
  nowMs = START_MS;

  constructor(
    readonly order: Order,
    readonly limit: number,
    readonly links: boolean,
  ) {}

  raise(count: number, changedMs: () => number): void {
    for (let n = 0; n < count; n += 1) {
      const place = this.places.fraction();
      this.rows.push({ id: `a${this.rows.length}`, place, version: 1, changedMs: changedMs() });
    }
  }

  change(row: Row | undefined): void {
    if (row === undefined) return;
    row.version += 1;
    row.changedMs = this.nowMs;
  }

  ask({ since, until, skip, top }: PageQuery): { found: Row[]; hasMore: boolean } {
    this.requests += 1;
    const all = this.rows
      .filter(({ changedMs }) => changedMs >= toMs(since) && (until === null || changedMs < toMs(until)))
      .sort(orders[this.order]);
    const size = Math.min(top, this.limit);
    const found = all.slice(skip, skip + size).map((row) => ({ ...row }));
    return { found, hasMore: this.links && size < top && all.length > skip + size };
  }
}

/** A feed that reads it, and what it has taken. */
class Reader {
  readonly taken = new Map<string, number>();

  constructor(
    readonly list: List,
    public state: FeedState,
  ) {}

  page(): void {
    const askedAt = toInstant(this.list.nowMs);
    const { found, hasMore } = this.list.ask(nextPage(this.state, askedAt));
    const taken = found.flatMap(({ id, version, changedMs }): Taken[] => {
      const one = { key: id, fingerprint: hashOf(`${id} ${version}`), changedAt: toInstant(changedMs) };
      return isSeen(this.state, one) ? [] : [{ is: 'opened', version: one }];
    });
    for (const { id, version } of found) this.taken.set(id, Math.max(version, this.taken.get(id) ?? 0));
    const span = spanOf(found.map(({ changedMs }) => toInstant(changedMs)));
    const page = { askedAt, rows: found.length, hasMore, ...span, taken, failed: [] };
    // As a worker that dies finds it: from its heartbeat.
    this.state = feedStateSchema.parse(JSON.parse(JSON.stringify(afterPage(this.state, page, askedAt))));
  }

  /** One poll: to the end of the list. */
  poll(between: () => void = () => undefined): void {
    do {
      this.page();
      this.list.nowMs += SECOND_MS;
      between();
      assert.ok(this.list.requests < 2_000, 'comes to an end');
    } while (this.state.pass !== null);
  }

  missed(): string[] {
    return this.list.rows.filter(({ id, version }) => this.taken.get(id) !== version).map(({ id }) => id);
  }
}

function reader(how: { order: Order; limit?: number; links?: boolean }, lookBackMs = 24 * HOUR_MS): Reader {
  const list = new List(how.order, how.limit ?? 10_000, how.links ?? false);
  return new Reader(list, openFeed(toInstant(START_MS), lookBackMs));
}

describe('a list that is longer than an answer', () => {
  const servers = [
    { what: 'as large as asked for', limit: 10_000, links: false },
    { what: 'smaller, with a link to the rest', limit: 60, links: true },
    { what: 'smaller, which nobody tells', limit: 120, links: false },
  ];
  for (const order of allOrders) {
    for (const { what, limit, links } of servers) {
      it(`is read whole while it changes: ${order}, answers ${what}`, () => {
        for (let seed = 1; seed <= 2; seed += 1) {
          const random = new Random(seed);
          const feed = reader({ order, limit, links });
          const { list } = feed;
          list.raise(700, () => START_MS - random.fraction() * (random.chance(0.5) ? 24 * HOUR_MS : MINUTE_MS));
          feed.poll(() => {
            // More than a small answer holds, for a while.
            if (list.requests > 60) return;
            for (let n = 0; n < 30; n += 1) list.change(list.rows[random.whole(0, list.rows.length - 1)]);
            list.raise(random.whole(0, 5), () => list.nowMs);
            // Throttled, or cut off: the same is asked for later, and the rows have moved on.
            if (random.chance(0.3)) {
              feed.state = afterFailure(feed.state, { code: 'throttled', message: 'later' }, toInstant(list.nowMs));
              for (const row of list.rows.slice(0, 200)) list.change(row);
            }
          });
          feed.poll();
          assert.deepEqual(feed.missed(), [], `seed ${seed}`);
        }
      });
    }

    it(`costs a few requests more than its pages: ${order}`, () => {
      const random = new Random(1);
      const feed = reader({ order });
      feed.list.raise(12_000, () => START_MS - random.fraction() * HOUR_MS);
      feed.poll();
      assert.deepEqual(feed.missed(), []);
      assert.ok(feed.list.requests <= 3 * (12_000 / LARGEST_PAGE), `${feed.list.requests} requests`);
    });

    it(`is read whole where more was changed at one moment than fits: ${order}`, () => {
      const feed = reader({ order });
      const { list } = feed;
      list.raise(1_700, () => START_MS - HOUR_MS);
      list.raise(10, () => START_MS - 2 * HOUR_MS);
      let pages = 0;
      feed.poll(() => {
        pages += 1;
        // Rows leave the moment while it is read, and pull those after them forward.
        if (pages < 40 && feed.state.pass?.skip !== 0) for (const row of list.rows.slice(0, 25)) list.change(row);
      });
      feed.poll();
      assert.deepEqual(feed.missed(), []);
    });
  }

  for (const order of allOrders) {
    it(`is read soon where all of it was changed at once: ${order}`, () => {
      const feed = reader({ order, limit: 150 });
      feed.list.raise(400, () => START_MS - MINUTE_MS);
      feed.list.raise(20, () => START_MS - (HOUR_MS * feed.list.rows.length) / 100);
      feed.poll();
      assert.deepEqual(feed.missed(), []);
      assert.ok(feed.list.requests <= 30, `${feed.list.requests} requests`);
    });
  }

  it('is asked for once where all of it fits, whatever is on it', () => {
    const feed = reader({ order: 'by chance' });
    feed.list.raise(700, () => START_MS - 5 * HOUR_MS);
    feed.list.raise(99, () => START_MS - MINUTE_MS);
    feed.poll();
    for (const requests of [1, 2, 3]) {
      const before = feed.list.requests;
      feed.poll();
      assert.equal(feed.list.requests - before, 1, `poll ${requests}`);
    }
  });

  it('that Defender breaks off with an empty answer is not through', () => {
    const feed = reader({ order: 'by chance' });
    const at = toInstant(START_MS);
    const empty = { askedAt: at, rows: 0, hasMore: true, ...spanOf([]), taken: [], failed: [] };
    const state = afterPage(feed.state, empty, at);
    assert.notEqual(state.pass, null);
    assert.equal(state.watermark, feed.state.watermark);
    assert.equal(nextPage(state, at).until, toInstant(START_MS - 12 * HOUR_MS));
  });

  it('that software from before was amid begins anew', () => {
    const { state } = reader({ order: 'by chance' });
    const { largestAnswer: _, failing: __, ...before } = state;
    const since = toInstant(START_MS - HOUR_MS);
    const at = toInstant(START_MS);
    const pass = { startedAt: at, since, skip: 480, newest: state.watermark };
    const read = feedStateSchema.parse({ ...before, pass });
    assert.deepEqual(nextPage(read, at), { since, until: null, skip: 0, top: LARGEST_PAGE });
  });

  it('is not led astray by a time in a future that no filter can name', () => {
    const feed = reader({ order: 'newest change first' });
    feed.list.raise(1, () => 8.64e15);
    feed.list.raise(1_200, () => START_MS - HOUR_MS + feed.list.rows.length);
    feed.poll();
    assert.deepEqual(feed.missed(), []);
    assert.ok(toMs(feed.state.watermark) <= START_MS);
  });
});
