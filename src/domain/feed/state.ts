import { z } from 'zod';
import {
  DAY_MS,
  latest,
  MINUTE_MS,
  plus,
  SECOND_MS,
  sentInstantSchema,
  toInstant,
  toMs,
  type Instant,
} from '../time.js';

/*
 * Where a feed stands in one tenant's list of alerts, and how it has fared: pure, so that restarts and repeats can be
 * told as a story. The feed asks for what has changed since its watermark, less an overlap: Defender writes late and out
 * of order.
 */

/** How far each poll looks back behind the watermark. */
export const OVERLAP_MS = 10 * MINUTE_MS;
/** Rows of the page before that are asked for again: a row that moves meanwhile pulls the ones after it forward. */
const PAGE_OVERLAP = 20;
export const LARGEST_PAGE = 500;
const SMALLEST_PAGE = 25;
/**
 * Versions that are remembered; older ones are merely taken to their incident once more, which changes nothing. A
 * heartbeat holds them all, and Temporal takes none over 2 MB.
 */
const MAX_SEEN = 15_000;
const MAX_REFUSED = 50;
/** The SOC hears of a feed that has been in trouble, or behind, for so long. */
export const TELL_FEED_AFTER_MS = 10 * MINUTE_MS;
/** What could not be understood is told at most so often. */
const REJECTED_TOLD_EVERY_MS = 60 * MINUTE_MS;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;
/** A feed lets isolations go first when Defender takes calls again. */
const YIELD_MS = 5_000;

export const feedCountsSchema = z.object({
  /** Versions of alerts that Defender has shown: the sum of all others. */
  seen: z.int(),
  opened: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  /** From before what Temporal remembers of closed incidents. */
  refused: z.int(),
  /** Not understood, of another tenant, or for an incident whose workflow was stopped: kept aside. */
  rejected: z.int(),
});
export type FeedCounts = z.infer<typeof feedCountsSchema>;

const instant = sentInstantSchema;

const troubleSchema = z.object({
  since: instant,
  /** When it failed last. */
  at: instant,
  code: z.string(),
  message: z.string(),
  /** Failures in a row. */
  failures: z.int(),
});
export type FeedTrouble = z.infer<typeof troubleSchema>;

export const feedStateSchema = z.object({
  startedAt: instant,
  /** Everything that Defender changed before has been taken. */
  watermark: instant,
  /** The version of each alert that was taken within the overlap: the fingerprint's beginning, and when in seconds. */
  seen: z.record(z.string(), z.string()),
  /** A list that is longer than a page, under way. */
  pass: z.object({ startedAt: instant, since: instant, skip: z.int(), newest: instant }).nullable(),
  pageSize: z.int(),
  counts: feedCountsSchema,
  refused: z.array(z.object({ alertId: z.string(), createdAt: instant, at: instant })),
  lastSuccessAt: instant.nullable(),
  trouble: troubleSchema.nullable(),
  /** Since when that has been so of which the SOC was told. */
  told: instant.nullable(),
  rejectedTold: z.object({ at: instant, rejected: z.int() }).nullable(),
});
export type FeedState = z.infer<typeof feedStateSchema>;

/** A first start looks back for a while, never at the tenant's whole past. */
export function openFeed(now: Instant, lookBackMs: number): FeedState {
  return {
    startedAt: now,
    watermark: toInstant(toMs(now) - lookBackMs),
    seen: {},
    pass: null,
    pageSize: LARGEST_PAGE,
    counts: { seen: 0, opened: 0, updated: 0, unchanged: 0, refused: 0, rejected: 0 },
    refused: [],
    lastSuccessAt: null,
    trouble: null,
    told: null,
    rejectedTold: null,
  };
}

export interface PageQuery {
  /** Changed at this moment or later. */
  since: Instant;
  skip: number;
  top: number;
}

export function nextPage({ watermark, pass, pageSize, lastSuccessAt }: FeedState): PageQuery {
  if (pass !== null) return { since: pass.since, skip: pass.skip, top: pageSize };
  // Before its first success there is nothing that a late write could come behind.
  const overlapMs = lastSuccessAt === null ? 0 : OVERLAP_MS;
  return { since: toInstant(toMs(watermark) - overlapMs), skip: 0, top: pageSize };
}

/** One version of an alert on a page, by whatever names it: the alert's id, or a hash of what nobody could read. */
export interface Version {
  key: string;
  fingerprint: string;
  changedAt: Instant;
}

function secondsOf(when: Instant): number {
  return Math.floor(toMs(when) / SECOND_MS);
}

/** Short, because there are thousands in every heartbeat. */
function entryOf({ fingerprint, changedAt }: Version): string {
  return `${fingerprint.slice(0, 12)}@${secondsOf(changedAt).toString(36)}`;
}

export function isSeen({ seen }: FeedState, { key, fingerprint }: Version): boolean {
  return seen[key]?.startsWith(`${fingerprint.slice(0, 12)}@`) === true;
}

/**
 * What one version counts as. What is only found, though no state knows its alert, and was opened when at least as many
 * had been counted as now: that was this feed, in a try that died before it could say so.
 */
export function countedAs(
  state: FeedState,
  { key }: Version,
  found: { is: 'opened' | 'updated' | 'unchanged'; openedAfter?: number },
): 'opened' | 'updated' | 'unchanged' {
  const { openedAfter } = found;
  const isUncounted = openedAfter !== undefined && openedAfter >= state.counts.seen && state.seen[key] === undefined;
  return isUncounted ? 'opened' : found.is;
}

export type Taken =
  | { is: Exclude<keyof FeedCounts, 'seen' | 'refused'>; version: Version }
  | { is: 'refused'; version: Version; createdAt: Instant };

function remembered(seen: FeedState['seen'], newest: Instant): FeedState['seen'] {
  const from = secondsOf(newest) - OVERLAP_MS / SECOND_MS;
  const recent = Object.entries(seen)
    .map(([key, entry]) => ({ key, entry, at: parseInt(entry.slice(entry.indexOf('@') + 1), 36) }))
    .filter(({ at }) => at >= from);
  if (recent.length > MAX_SEEN) recent.sort((a, b) => b.at - a.at).length = MAX_SEEN;
  return Object.fromEntries(recent.map(({ key, entry }) => [key, entry]));
}

/** The state after a page of `rows` rows was taken; a page that is not full was the last. */
export function afterPage(state: FeedState, rows: number, taken: readonly Taken[], now: Instant): FeedState {
  const asked = nextPage(state);
  const counts = { ...state.counts };
  const ofPage: FeedState['seen'] = {};
  const refused = [...state.refused];
  for (const one of taken) {
    counts.seen += 1;
    counts[one.is] += 1;
    const { key } = one.version;
    ofPage[key] = entryOf(one.version);
    if (one.is === 'refused') refused.push({ alertId: key, createdAt: one.createdAt, at: now });
  }
  const pass = state.pass ?? { startedAt: now, since: asked.since, skip: 0, newest: state.watermark };
  const newest = latest(pass.newest, ...taken.map(({ version }) => version.changedAt));
  const next = { ...state, counts, refused: refused.slice(-MAX_REFUSED), trouble: null };
  // A time in the future would hide what is changed until then.
  const watermark = newest > pass.startedAt ? pass.startedAt : newest;
  const seen = remembered({ ...state.seen, ...ofPage }, watermark);
  if (rows >= asked.top) {
    const skip = pass.skip + Math.max(1, rows - PAGE_OVERLAP);
    // The next page begins with the last rows of this one, however old they are.
    return { ...next, seen: { ...seen, ...ofPage }, pass: { ...pass, skip, newest } };
  }
  return {
    ...next,
    pass: null,
    watermark,
    seen,
    lastSuccessAt: now,
    pageSize: LARGEST_PAGE,
  };
}

export interface FeedFailure {
  code: string;
  message: string;
  retryAfterMs?: number;
  /** The answer was larger than we take. */
  isTooLarge?: boolean;
}

export function afterFailure(state: FeedState, { code, message, isTooLarge }: FeedFailure, now: Instant): FeedState {
  const { trouble, pageSize } = state;
  return {
    ...state,
    pageSize: isTooLarge === true ? Math.max(SMALLEST_PAGE, Math.floor(pageSize / 2)) : pageSize,
    trouble: { since: trouble?.since ?? now, at: now, code, message, failures: (trouble?.failures ?? 0) + 1 },
  };
}

/** How long to wait before the next poll. */
export function pauseMs({ trouble, pass }: FeedState, pollIntervalMs: number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs + YIELD_MS;
  if (trouble !== null) {
    const longest = Math.max(LONGEST_PAUSE_MS, pollIntervalMs);
    return Math.min(longest, Math.max(1_000, pollIntervalMs) * 2 ** Math.min(10, trouble.failures - 1));
  }
  return pass === null ? pollIntervalMs : 0;
}

/** How far what the service knows of the tenant lies behind. */
export function lagMs({ pass, watermark, lastSuccessAt, startedAt }: FeedState, now: Instant): number {
  const since = pass === null ? (lastSuccessAt ?? startedAt) : latest(watermark, startedAt);
  return Math.max(0, toMs(now) - toMs(since));
}

/** Since when nothing has come through, once that has been so for long enough to worry. */
function lateSince(state: FeedState, now: Instant): Instant | undefined {
  if (state.trouble === null && state.pass === null) return undefined;
  const since = state.lastSuccessAt ?? state.startedAt;
  return toMs(now) - toMs(since) >= TELL_FEED_AFTER_MS ? since : undefined;
}

export type FeedNews =
  | { about: 'trouble'; since: Instant; trouble: FeedTrouble | null }
  | { about: 'well'; since: Instant }
  | { about: 'rejected'; count: number };

/** What the SOC has to hear now: that the feed has been in trouble for long, once; that it is well again; what was kept aside. */
export function feedNews(state: FeedState, now: Instant): FeedNews[] {
  const late = lateSince(state, now);
  const isWell = state.trouble === null && state.pass === null;
  const { rejectedTold, counts } = state;
  const untold = counts.rejected - (rejectedTold?.rejected ?? 0);
  const isQuiet = rejectedTold !== null && toMs(now) - toMs(rejectedTold.at) < REJECTED_TOLD_EVERY_MS;
  return [
    ...(late !== undefined && state.told === null
      ? [{ about: 'trouble' as const, since: late, trouble: state.trouble }]
      : []),
    ...(state.told !== null && isWell ? [{ about: 'well' as const, since: state.told }] : []),
    ...(untold > 0 && !isQuiet ? [{ about: 'rejected' as const, count: untold }] : []),
  ];
}

export function afterTold(state: FeedState, news: FeedNews, now: Instant): FeedState {
  switch (news.about) {
    case 'trouble':
      return { ...state, told: news.since };
    case 'well':
      return { ...state, told: null };
    case 'rejected':
      return { ...state, rejectedTold: { at: now, rejected: state.counts.rejected } };
  }
}

/** So often the workflow writes down where it stands, whatever happens to the activity that knows it. */
const CHECKPOINT_EVERY_MS = DAY_MS;

export function isCheckpointDue(scheduledAt: Instant, now: Instant): boolean {
  return toMs(now) >= toMs(plus(scheduledAt, CHECKPOINT_EVERY_MS));
}
