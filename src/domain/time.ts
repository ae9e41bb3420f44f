import { z } from 'zod';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** An instant as ISO 8601 in UTC, e.g. `2026-11-24T03:00:00.000Z`. What records and messages hold. */
export type Instant = string;

const ISO_WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

export function toInstant(ms: number): Instant {
  return new Date(ms).toISOString();
}

export function toMs(instant: Instant): number {
  return Date.parse(instant);
}

export function isAtOrAfter(a: Instant, b: Instant): boolean {
  return toMs(a) >= toMs(b);
}

export function latest(first: Instant, ...others: Instant[]): Instant {
  return others.reduce((a, b) => (toMs(b) > toMs(a) ? b : a), first);
}

export function plus(instant: Instant, ms: number): Instant {
  return toInstant(toMs(instant) + ms);
}

/** An instant in a message between the service's own parts; anybody may forge one, and the clock must not trip over it. */
export const sentInstantSchema = z.string().refine((text) => !Number.isNaN(Date.parse(text)), {
  message: 'must be an ISO 8601 time',
});

/**
 * An ISO 8601 time with an offset, as people and other programs send it; becomes UTC.
 * A time without an offset is refused: nobody can know which one was meant.
 */
export const instantSchema = z
  .string()
  .refine((text) => ISO_WITH_OFFSET.test(text) && !Number.isNaN(Date.parse(text)), {
    message: 'must be an ISO 8601 time with an offset, such as 2026-11-24T12:00:00+09:00',
  })
  .transform((text) => toInstant(Date.parse(text)));
