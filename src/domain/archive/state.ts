import { z } from 'zod';
import { DAY_MS, HOUR_MS, MINUTE_MS, sentInstantSchema, toInstant, toMs, type Instant } from '../time.js';
import { headSchema } from './entry.js';

/*
 * How the archiving stands. Which incidents are in the archive the archive itself knows; here is how far has been looked, and
 * the ends of the chains, which nobody who can write to the archive alone can change.
 */

export const ARCHIVER_ID = 'archiver';

export const archiverStateSchema = z.object({
  /** Every incident that ended before this is in the archive, or could be read by nobody for long. */
  endedThrough: sentInstantSchema.nullable(),
  /** When a look last went well from its beginning to its end. */
  lookedAt: sentInstantSchema.nullable(),
  /** The last entry of each customer's chain. */
  heads: z.record(z.string(), headSchema),
  trouble: z
    .object({ since: sentInstantSchema, at: sentInstantSchema, message: z.string(), isTold: z.boolean() })
    .nullable(),
  /** The trouble that is over, while the SOC has not been told so. */
  over: z.object({ since: sentInstantSchema, message: z.string() }).nullable(),
  /** Since when the looks have met something that has ended and nobody can read, and the last one that has. */
  unreadable: z.object({ since: sentInstantSchema, at: sentInstantSchema }).nullable().default(null),
});
export type ArchiverState = z.infer<typeof archiverStateSchema>;

export function openArchiver(): ArchiverState {
  return { endedThrough: null, lookedAt: null, heads: {}, trouble: null, over: null, unreadable: null };
}

/** Nothing is lost before Temporal forgets: there is time to mend it by day. */
const TELL_AFTER_MS = HOUR_MS;
/** Of `readyz` and the metrics. */
const FAILING_AFTER_MS = 10 * MINUTE_MS;
/** So long the archiver waits for the keys of what it cannot read: the wrong ones may be in place, and the SOC has been told. */
const WAITS_FOR_KEYS_MS = 7 * DAY_MS;
/** After a longer one without a look nobody can have known that keys are missing: the wait begins anew. */
const LONGEST_PAUSE_MS = DAY_MS;
/** Lists lag, and a clock may be a little off. */
const LOOK_BACK_MS = 10 * MINUTE_MS;
const WINDOW_MS = DAY_MS;
/** Where Temporal never forgets. */
const LONGEST_MS = 366 * DAY_MS;
const CHECKPOINT_MS = HOUR_MS;

/** `[from, until)` of the time at which incidents ended, the oldest first: what a look has to read. */
export function windows(
  { endedThrough }: ArchiverState,
  memoryMs: number,
  now: Instant,
): { from: Instant; until: Instant }[] {
  const nowMs = toMs(now);
  const firstMs = endedThrough === null ? nowMs - Math.min(memoryMs, LONGEST_MS) : toMs(endedThrough) - LOOK_BACK_MS;
  const found: { from: Instant; until: Instant }[] = [];
  for (let fromMs = firstMs; fromMs < nowMs; fromMs += WINDOW_MS) {
    found.push({ from: toInstant(fromMs), until: toInstant(Math.min(fromMs + WINDOW_MS, nowMs)) });
  }
  return found;
}

export function afterLook(state: ArchiverState, now: Instant): ArchiverState {
  const { trouble } = state;
  const over = trouble?.isTold === true ? { since: trouble.since, message: trouble.message } : state.over;
  return { ...state, lookedAt: now, trouble: null, over, unreadable: null };
}

/** Since when they have done so, where the last one was not too long ago. */
function unreadableSince({ unreadable }: ArchiverState, now: Instant): Instant | undefined {
  const isGoingOn = unreadable !== null && toMs(now) - toMs(unreadable.at) <= LONGEST_PAUSE_MS;
  return isGoingOn ? unreadable.since : undefined;
}

/** A look has met something that has ended and nobody can read. */
export function afterUnreadable(state: ArchiverState, now: Instant): ArchiverState {
  return { ...state, unreadable: { since: unreadableSince(state, now) ?? now, at: now } };
}

/** Has the archiver waited for the keys of what ended then: has it ended long ago, and was it met unread ever since? */
export function hasWaitedForKeys(
  state: ArchiverState,
  endedAtMs: number,
  now: Instant,
  waitsForKeysMs = WAITS_FOR_KEYS_MS,
): boolean {
  const since = unreadableSince(state, now);
  return since !== undefined && toMs(now) - Math.max(toMs(since), endedAtMs) >= waitsForKeysMs;
}

export function afterTrouble(state: ArchiverState, message: string, now: Instant): ArchiverState {
  const { trouble, over } = state;
  return {
    ...state,
    trouble: {
      // To a SOC that has not heard of its end the last trouble is this one.
      since: trouble?.since ?? over?.since ?? now,
      at: now,
      message,
      isTold: over !== null || (trouble?.isTold ?? false),
    },
    over: null,
  };
}

export interface ArchiverNews {
  since: Instant;
  why: string;
  isOver: boolean;
}

/** What the SOC is to be told now: once that nothing has been archived for a while, and once that it is again. */
export function archiverNews(
  { trouble, over }: ArchiverState,
  now: Instant,
  tellAfterMs = TELL_AFTER_MS,
): ArchiverNews | undefined {
  if (over !== null) return { since: over.since, why: over.message, isOver: true };
  if (trouble === null || trouble.isTold || toMs(now) < toMs(trouble.since) + tellAfterMs) return undefined;
  return { since: trouble.since, why: trouble.message, isOver: false };
}

export function afterTold(state: ArchiverState, { isOver }: ArchiverNews): ArchiverState {
  if (isOver) return { ...state, over: null };
  return { ...state, trouble: state.trouble === null ? null : { ...state.trouble, isTold: true } };
}

/** Has archiving failed for so long that somebody should look? */
export function isFailing({ trouble }: ArchiverState, now: Instant): boolean {
  return trouble !== null && toMs(now) - toMs(trouble.since) >= FAILING_AFTER_MS;
}

export function isArchiverCheckpointDue(scheduledAt: Instant, now: Instant): boolean {
  return toMs(now) - toMs(scheduledAt) >= CHECKPOINT_MS;
}
