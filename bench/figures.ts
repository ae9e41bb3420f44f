import { z } from 'zod';

/** One figure that the bench has measured, and what it is to reach. */
export const figureSchema = z.object({
  id: z.string(),
  what: z.string(),
  value: z.number(),
  /** In what `value` and `target` are. */
  unit: z.enum(['× bare', 'ms', 'MB', 'events', 'actions', 's of CPU a minute', 'requests a minute', 'mails a second']),
  target: z.union([z.object({ least: z.number() }), z.object({ most: z.number() })]).optional(),
  /** What it was made of: raw rates, processor time, quantiles. */
  detail: z.record(z.string(), z.number()),
});
export type Figure = z.infer<typeof figureSchema>;

export function isMet({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return 'least' in target ? value >= target.least : value <= target.most;
}

export function rounded(value: number): number {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return Number(value.toFixed(digits));
}

export function roundedAll(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]));
}
