import { z } from 'zod';
import { latest, plus, sentInstantSchema, toInstant, toMs, type Instant } from '../time.js';

/*
 * How a list that is longer than one answer is read, whatever order Defender lists in and whatever is changed meanwhile:
 * not by counting rows, which move, but by windows of time. One answer that holds a whole window is a look at one moment;
 * an alert that leaves the window afterwards was changed, and is in a later one. A window that does not fit is cut.
 */

export const LARGEST_PAGE = 500;
/** So many rows come in one answer where there are so many: no list of Microsoft's that we know of gives fewer. */
const SURE_ROWS = 100;
const SHORTEST_WINDOW_MS = 1;
/** How much longer the next window may be than one in which little was. */
const LARGEST_GROWTH = 16;
/** So much shorter than its window is what counts as moments. */
const BURST = 1_000;
/** What a filter can name: years of four digits. */
const LAST_MS = Date.UTC(9999, 0);

const instant = sentInstantSchema;

export const passSchema = z.object({
  /** When its first page was asked for. */
  startedAt: instant,
  /** Everything that was changed before has been read; the window begins here. */
  since: instant,
  /** The window's end, which is outside of it. Null: it has none; states from before this was kept have none either. */
  until: instant.nullable().default(null),
  /** Rows that were read of a window that cannot be cut. */
  skip: z.int(),
  /** How many the round before found there. */
  before: z.int().nullable().default(null),
  /** The newest change in the windows that were read. */
  newest: instant,
  /** How many versions had been counted before it began; states from before this was kept do not say. */
  counted: z.int().nullable().default(null),
});
export type Pass = z.infer<typeof passSchema>;

export interface PageQuery {
  /** Changed at this moment or later. */
  since: Instant;
  /** Changed before this moment. */
  until: Instant | null;
  skip: number;
  top: number;
}

/** What an answer shows, apart from what is in it. */
export interface Answered {
  askedAt: Instant;
  rows: number;
  /** Defender itself says that there is more. */
  hasMore: boolean;
  /** The first and the last change of its rows, as far as they say. */
  oldest: Instant | null;
  newest: Instant | null;
}

export function queryOf({ since, until, skip }: Pass, top: number): PageQuery {
  // Counted rows of a window without an end are of a state from before: it is read anew.
  return { since, until, skip: until === null ? 0 : skip, top };
}

function isShortest({ since, until }: Pass): boolean {
  return until !== null && toMs(until) - toMs(since) <= SHORTEST_WINDOW_MS;
}

/**
 * More alerts changed in one millisecond than fit into an answer: the only place where rows are counted. They can only
 * leave such a window; where two rounds running find as many, none has left amid the second, and so none was passed over.
 */
function inCrowd(pass: Pass, { rows }: Answered): Pass | 'whole' {
  if (rows > 0) return { ...pass, skip: pass.skip + rows };
  return pass.skip === pass.before ? 'whole' : { ...pass, skip: 0, before: pass.skip };
}

/**
 * Not by the clock here, which may be another than Defender's, but where rows are; at most half of it stays. Where all that
 * is shown was changed late and within moments, what lies before is likely to be little, and is read at once.
 */
function cut(pass: Pass, { oldest, newest, askedAt }: Answered): Pass {
  const fromMs = toMs(pass.since);
  const endMs = Math.min(LAST_MS, toMs(pass.until ?? latest(askedAt, newest ?? askedAt)));
  const middleMs = Math.floor((fromMs + endMs) / 2);
  const [oldestMs, newestMs] = [toMs(oldest ?? pass.since), newest === null ? endMs : toMs(newest)];
  const isBurst = oldestMs > middleMs && (newestMs - oldestMs) * BURST < endMs - fromMs;
  const untilMs = isBurst ? oldestMs : Math.min(middleMs, newestMs);
  const until = toInstant(Math.max(untilMs, fromMs + SHORTEST_WINDOW_MS));
  return { ...pass, until, skip: 0, before: null };
}

function nextWindow(pass: Pass, until: Instant, rows: number, room: number): Pass {
  const growth = Math.min(LARGEST_GROWTH, Math.max(1, room / 2 / Math.max(1, rows)));
  const end = plus(until, Math.round((toMs(until) - toMs(pass.since)) * growth));
  // What was changed since the pass began is read to its end, for nothing is known of it yet.
  const isOpen = toMs(end) >= toMs(pass.startedAt);
  return { ...pass, since: until, until: isOpen ? null : end, skip: 0, before: null };
}

/**
 * So many rows or more may be cut off. Beyond what it was asked for a server may have a limit of its own that it does not
 * tell; where it has once given more than that, this is not its limit.
 */
function isCutOff({ rows, hasMore }: Answered, { top, largestAnswer }: Limits): boolean {
  return hasMore || rows >= roomOf({ top, largestAnswer });
}

export interface Limits {
  /** The rows that were asked for. */
  top: number;
  /** The most that one answer has ever held, this one included. */
  largestAnswer: number;
}

function roomOf({ top, largestAnswer }: Limits): number {
  return Math.min(top, Math.max(SURE_ROWS, largestAnswer));
}

/** The pass after an answer, and whether it has come to its end. */
export function afterAnswer(pass: Pass, answered: Answered, limits: Limits): { pass: Pass; isThrough: boolean } {
  const { rows, newest } = answered;
  const isCounted = isShortest(pass) && (pass.skip > 0 || pass.before !== null || isCutOff(answered, limits));
  if (isCounted) {
    const next = inCrowd(pass, answered);
    if (next !== 'whole') return { pass: next, isThrough: false };
  } else if (isCutOff(answered, limits)) {
    return { pass: cut(pass, answered), isThrough: false };
  }
  const read = { ...pass, newest: latest(pass.newest, isCounted ? pass.since : (newest ?? pass.newest)) };
  if (pass.until === null) return { pass: read, isThrough: true };
  const room = roomOf(limits);
  return { pass: nextWindow(read, pass.until, isCounted ? room : rows, room), isThrough: false };
}
