export interface CallLimits {
  callsPerMinute: number;
  callsPerHour: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Defender's limits, counted over the minute and the hour that have just passed. */
export class Throttle {
  #callsAtMs: number[] = [];

  /** @returns null, and counts the call; or the seconds after which another is let through */
  retryAfterSeconds({ callsPerMinute, callsPerHour }: CallLimits): number | null {
    const nowMs = Date.now();
    this.#callsAtMs = this.#callsAtMs.filter((atMs) => atMs > nowMs - hourMs);
    const waitMs = Math.max(this.#waitMs(nowMs, minuteMs, callsPerMinute), this.#waitMs(nowMs, hourMs, callsPerHour));
    if (waitMs > 0) return Math.max(1, Math.ceil(waitMs / 1000));
    this.#callsAtMs.push(nowMs);
    return null;
  }

  #waitMs(nowMs: number, windowMs: number, limit: number): number {
    const inWindow = this.#callsAtMs.filter((atMs) => atMs > nowMs - windowMs);
    if (inWindow.length < limit) return 0;
    // There is room again when so many have left the window that fewer than the limit remain.
    const lastToLeave = inWindow[inWindow.length - limit];
    return lastToLeave === undefined ? windowMs : lastToLeave + windowMs - nowMs;
  }
}
