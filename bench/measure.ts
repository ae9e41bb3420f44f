import type { Place } from './place.js';

export interface Rate {
  count: number;
  perSecond: number;
  /** Processor time of all processes for one. */
  cpuMsEach: number;
  cpuMsByProcess: Record<string, number>;
}

/** Does all of it, so many at once, and says how fast that went. */
export async function rate<T>(
  place: Place,
  concurrency: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<Rate> {
  const before = place.cpuMs();
  const startedMs = performance.now();
  await atOnce(concurrency, items, work);
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = place.cpuMs();
  const spent = Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)] as const);
  return {
    count: items.length,
    perSecond: items.length / seconds,
    cpuMsEach: spent.reduce((sum, [, ms]) => sum + ms, 0) / items.length,
    cpuMsByProcess: Object.fromEntries(spent.map(([name, ms]) => [name, ms / items.length])),
  };
}

export async function atOnce<T>(
  concurrency: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

/** Starts so many a second, whether or not the earlier ones have ended, and says how long each took. */
export async function paced<T>(
  perSecond: number,
  items: readonly T[],
  work: (item: T) => Promise<number>,
): Promise<number[]> {
  const tookMs: Promise<number>[] = [];
  for (const item of items) {
    const took = work(item);
    // A failure is told at the end, with all; until then it must not end the process.
    took.catch(() => undefined);
    tookMs.push(took);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
  }
  return Promise.all(tookMs);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
