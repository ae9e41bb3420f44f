import { MINUTE_MS, SECOND_MS } from '../domain/time.js';
import { Allowance, type Shares } from './allowance.js';

/** What a call says of itself. */
export interface Turn {
  /** Ends the waiting with its reason. */
  signal?: AbortSignal;
  /** 0, the usual, is the most urgent. */
  rank?: number;
}

/**
 * Keeps what is done for one customer apart from what is done for the others, by the customer's tenant or address: at
 * most so many at a time, the most urgent first and else in order of arrival, and none before the time that the other side
 * has named.
 */
export interface Gate {
  /** Runs `task` when there is room; throws TurnRefused where that is too long to be waited for here. */
  run<T>(key: string, turn: Turn, task: () => Promise<T>): Promise<T>;
  /** The other side wants no call for that long, from now. */
  close(key: string, durationMs: number): void;
  /** How long it still wants none of that rank, in ms; 0: none. */
  closedForMs(key: string, rank: number): number;
}

export interface GateOptions {
  maxInFlight: number;
  /** Default: each takes what it needs. */
  shares?: Shares;
}

/** It would take too long: a caller can wait durably. */
export class TurnRefused extends Error {
  constructor(
    /** The other side wants no call, or what this rank may use is used up. */
    readonly why: 'closed' | 'used-up',
    readonly retryAfterMs: number,
  ) {
    super(`no turn for another ${Math.ceil(retryAfterMs / SECOND_MS)} s`);
    this.name = 'TurnRefused';
  }
}

/** So long a call waits here. */
export const LONGEST_WAIT_MS = 5 * SECOND_MS;

/**
 * So much longer each rank keeps away than the one before it after the other side has refused a call: workers know nothing of
 * each other, and the places that come free first are for the most urgent of any of them.
 */
const YIELD_MS = 2 * SECOND_MS;

interface Waiter {
  rank: number;
  admit: () => void;
  refuse: (why: TurnRefused) => void;
}

class Place {
  private inFlight = 0;
  private readonly waiting: Waiter[] = [];
  private closedUntilMs = 0;
  private readonly allowance: Allowance | undefined;
  /** Until when those of a rank that were refused have been told to stay away: each a little longer. */
  private readonly toldUntilMs: number[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly maxInFlight: number,
    private readonly shares: Shares | undefined,
  ) {
    this.allowance = shares && new Allowance(shares);
  }

  /** Resolves with a place taken. */
  async enter({ signal, rank = 0 }: Turn): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        rank,
        admit: () => {
          end();
          resolve();
        },
        refuse: (why) => {
          end();
          reject(why);
        },
      };
      const onAbort = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(reasonOf(signal));
        this.admit();
      };
      const used = this.usedUpForMs(rank, this.waiting.filter((each) => each.rank === rank).length);
      if (used > LONGEST_WAIT_MS) {
        reject(new TurnRefused('used-up', this.spread(rank, used)));
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const behind = this.waiting.findIndex((each) => each.rank > rank);
      this.waiting.splice(behind === -1 ? this.waiting.length : behind, 0, waiter);
      this.admit();
    });
  }

  leave(): void {
    this.inFlight -= 1;
    this.admit();
  }

  close(durationMs: number): void {
    this.closedUntilMs = Math.max(this.closedUntilMs, Date.now() + durationMs);
    this.admit();
  }

  closedForMs(rank: number): number {
    return Math.max(0, this.closedUntilMs + (this.closedUntilMs === 0 ? 0 : rank * YIELD_MS) - Date.now());
  }

  private usedUpForMs(rank: number, before = 0): number {
    return this.allowance?.waitMs(rank, Date.now(), before) ?? 0;
  }

  /** Calls that hang keep no place that something urgent may need. */
  private hasRoom(rank: number): boolean {
    const reserved = rank === 0 ? 0 : Math.floor(this.maxInFlight / 4);
    return this.inFlight < this.maxInFlight - reserved;
  }

  /** Many that were refused at once do not come again at once: they would only be refused once more. */
  private spread(rank: number, waitMs: number): number {
    const earliestMs = Date.now() + waitMs;
    const next = Math.max(this.toldUntilMs[rank] ?? 0, earliestMs);
    const toldMs = next > earliestMs + MINUTE_MS ? earliestMs : next;
    this.toldUntilMs[rank] = toldMs + MINUTE_MS / (this.shares?.own[rank]?.perMinute ?? 1);
    return toldMs - Date.now();
  }

  /** Lets in whoever may go now, and sees to it that the others are looked at when they may. */
  private admit(): void {
    clearTimeout(this.timer);
    let againInMs = Infinity;
    for (const waiter of [...this.waiting]) {
      const { rank } = waiter;
      const closedMs = this.closedForMs(rank);
      const waitMs = Math.max(closedMs, this.usedUpForMs(rank));
      if (closedMs > LONGEST_WAIT_MS + rank * YIELD_MS) {
        this.remove(waiter);
        waiter.refuse(new TurnRefused('closed', closedMs));
      } else if (waitMs > 0) {
        againInMs = Math.min(againInMs, waitMs);
      } else if (this.hasRoom(rank)) {
        this.remove(waiter);
        this.inFlight += 1;
        this.allowance?.take(rank, Date.now());
        waiter.admit();
      }
    }
    if (againInMs < Infinity) this.timer = setTimeout(() => this.admit(), againInMs);
  }

  private remove(waiter: Waiter): void {
    this.waiting.splice(this.waiting.indexOf(waiter), 1);
  }
}

export function createGate({ maxInFlight, shares }: GateOptions): Gate {
  // One small entry for each customer; they are few and stay.
  const places = new Map<string, Place>();

  function placeOf(key: string): Place {
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = new Place(maxInFlight, shares);
    places.set(key, place);
    return place;
  }

  return {
    async run(key, turn, task) {
      const place = placeOf(key);
      await place.enter(turn);
      try {
        return await task();
      } finally {
        place.leave();
      }
    },
    close: (key, durationMs) => placeOf(key).close(durationMs),
    closedForMs: (key, rank) => placeOf(key).closedForMs(rank),
  };
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted');
}
