import { MINUTE_MS } from '../domain/time.js';

/** So many calls at once, and from then on so many a minute: in no minute more than both together, and none long without. */
export interface Share {
  atOnce: number;
  perMinute: number;
}

export interface Shares {
  /** By rank, 0 being the most urgent; one without a share takes what it needs. */
  own: readonly (Share | undefined)[];
  /** Of all ranks that have a share, together. */
  common: Share;
}

/** A share, and what of it is used. */
class Budget {
  private used = 0;
  private atMs = 0;

  constructor(private readonly share: Share) {}

  waitMs(nowMs: number, before: number): number {
    const excess = this.usedAt(nowMs) + before + 1 - this.share.atOnce;
    return excess <= 0 ? 0 : Math.ceil((excess / this.share.perMinute) * MINUTE_MS);
  }

  take(nowMs: number): void {
    this.used = this.usedAt(nowMs) + 1;
    this.atMs = nowMs;
  }

  private usedAt(nowMs: number): number {
    const back = (Math.max(0, nowMs - this.atMs) / MINUTE_MS) * this.share.perMinute;
    return Math.max(0, this.used - back);
  }
}

/**
 * What one customer's calls may use, so that what is less urgent leaves room for what is more. The least urgent asks for its
 * own share only: it is small, and nothing else may keep it out for good.
 */
export class Allowance {
  private readonly own: readonly (Budget | undefined)[];
  private readonly common: Budget;

  constructor({ own, common }: Shares) {
    this.own = own.map((share) => share && new Budget(share));
    this.common = new Budget(common);
  }

  /** How long a call has to wait that so many of its rank are before; 0: not at all. */
  waitMs(rank: number, nowMs: number, before = 0): number {
    const own = this.own[rank]?.waitMs(nowMs, before);
    if (own === undefined) return 0;
    return rank === this.own.length - 1 ? own : Math.max(own, this.common.waitMs(nowMs, before));
  }

  take(rank: number, nowMs: number): void {
    const own = this.own[rank];
    if (own === undefined) return;
    own.take(nowMs);
    this.common.take(nowMs);
  }
}
