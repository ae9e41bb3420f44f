const ticksPerMs = 10_000n;
const ticksFromYear1To1970 = 621_355_968_000_000_000n;

const formatTicks = (unixTicks: bigint): string => {
  const date = new Date(Number(unixTicks / ticksPerMs)).toISOString();
  return `${date.slice(0, -1)}${String(unixTicks % ticksPerMs).padStart(4, '0')}Z`;
};

/** A moment of one's own choice, written as Microsoft writes its times. */
export const timeOf = (unixMs: number): string => {
  const wholeMs = Math.floor(unixMs);
  return formatTicks(BigInt(wholeMs) * ticksPerMs + BigInt(Math.floor((unixMs - wholeMs) * Number(ticksPerMs))));
};

/** Microsoft's times: UTC with seven decimals, never twice the same, so that "moved" can be seen. */
export class Clock {
  #lastTicks = 0n;

  now(): string {
    return formatTicks(this.#nextTicks());
  }

  /** .NET ticks, as alert ids carry them. */
  dotNetTicks(): string {
    return String(this.#nextTicks() + ticksFromYear1To1970);
  }

  #nextTicks(): bigint {
    const ticks = BigInt(Date.now()) * ticksPerMs + ((process.hrtime.bigint() / 100n) % ticksPerMs);
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n;
    return this.#lastTicks;
  }
}

/** RFC 2822, as Twilio writes it: `Wed, 04 Nov 2026 01:02:03 +0000`. */
export const rfc2822 = (date: Date): string => date.toUTCString().replace('GMT', '+0000');
