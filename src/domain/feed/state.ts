import { z } from 'zod';
import { DAY_MS, MINUTE_MS, plus, SECOND_MS, sentInstantSchema, toInstant, toMs, type Instant } from '../time.js';
import { afterAnswer, LARGEST_PAGE, passSchema, queryOf, type Answered, type PageQuery, type Pass } from './paging.js';

/*
 * Where a feed stands in one tenant's list of alerts, and how it has fared: pure, so that restarts and repeats can be
 * told as a story. The feed asks for what has changed since its watermark, less an overlap: Defender writes late and out
 * of order.
 */

/** How far each poll looks back behind the watermark. */
export const OVERLAP_MS = 10 * MINUTE_MS;
const SMALLEST_PAGE = 25;
/**
 * Versions that are remembered; older ones are merely taken to their incident once more, which changes nothing. A
 * heartbeat holds them all, and Temporal takes none over 2 MB.
 */
const MAX_SEEN = 15_000;
const MAX_REFUSED = 50;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;
/** So often an alert is tried that cannot be taken to its incident, before it is kept aside; and so soon again. */
const TRIES = 3;
const TRY_AGAIN_MS = 5_000;

export const feedCountsSchema = z.object({
  /** Versions of alerts that Defender has shown: the sum of all others. */
  seen: z.int(),
  opened: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  /** From before what Temporal remembers of closed incidents. */
  refused: z.int(),
  /** Not understood, of another tenant, for an incident whose workflow was stopped, or failing: kept aside. */
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
  /** Whose alerts these are; states from before this was kept do not say. */
  tenantId: z.string().optional(),
  /** Everything that Defender changed before has been taken. */
  watermark: instant,
  /** The version of each alert that was taken within the overlap: the fingerprint's beginning, and when in seconds. */
  seen: z.record(z.string(), z.string()),
  /** A list that is longer than a page, under way. */
  pass: passSchema.nullable(),
  pageSize: z.int(),
  /** The most rows that Defender has given in one answer. */
  largestAnswer: z.int().default(0),
  /** Alerts that could not be taken to their incidents, by what names them: how often in a row, and how many versions had been counted before. */
  failing: z.record(z.string(), z.object({ tries: z.int(), seen: z.int() })).default({}),
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
    largestAnswer: 0,
    failing: {},
    counts: { seen: 0, opened: 0, updated: 0, unchanged: 0, refused: 0, rejected: 0 },
    refused: [],
    lastSuccessAt: null,
    trouble: null,
    told: null,
    rejectedTold: null,
  };
}

/**
 * A feed that has ended, or was stopped, begins again where it stood, however long ago that was. A list that it was amid
 * begins anew, for its rows have moved; troubles of then are no news.
 */
export function reopenFeed(stood: FeedState, now: Instant): FeedState {
  const { tenantId, watermark, largestAnswer, counts, refused, lastSuccessAt, rejectedTold } = stood;
  return { ...openFeed(now, 0), tenantId, watermark, largestAnswer, counts, refused, lastSuccessAt, rejectedTold };
}

/**
 * The feed in the tenant that the customers file names. Where it stood in another says nothing of this one: it begins as a
 * first start does, and counts on. What the SOC was told of has to be taken back once it is well.
 */
export function inTenant(stood: FeedState | null, tenantId: string, now: Instant, lookBackMs: number): FeedState {
  if (stood === null) return { ...openFeed(now, lookBackMs), tenantId };
  if (stood.tenantId === undefined || stood.tenantId === tenantId) return { ...stood, tenantId };
  const { counts, refused, rejectedTold, told } = stood;
  return { ...openFeed(now, lookBackMs), tenantId, counts, refused, rejectedTold, told };
}

/** What is written down of a feed, for lists and for the feed that begins again: without the versions, which are many. */
export function feedMemo(state: FeedState): { feed: FeedState } {
  return { feed: { ...state, seen: {} } };
}

/** The list under way, or the one that begins now. */
function passOf({ watermark, pass, lastSuccessAt, counts }: FeedState, now: Instant): Pass {
  if (pass !== null) return pass;
  // Before its first success there is nothing that a late write could come behind.
  const overlapMs = lastSuccessAt === null ? 0 : OVERLAP_MS;
  const since = toInstant(toMs(watermark) - overlapMs);
  return { startedAt: now, since, until: null, skip: 0, before: null, newest: watermark, counted: counts.seen };
}

export function nextPage(state: FeedState, now: Instant): PageQuery {
  return queryOf(passOf(state, now), state.pageSize);
}

/** One version of an alert on a page, by whatever names it: the alert's id, or a hash of what nobody could read. */
export interface Version {
  key: string;
  fingerprint: string;
  /** Null where nobody can read it: no watermark moves by it. */
  changedAt: Instant | null;
}

function secondsOf(when: Instant): number {
  return Math.floor(toMs(when) / SECOND_MS);
}

/** Short, because there are thousands in every heartbeat. What tells no time was changed before it was read. */
function entryOf({ fingerprint, changedAt }: Version, now: Instant): string {
  return `${fingerprint.slice(0, 12)}@${secondsOf(changedAt ?? now).toString(36)}`;
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
  // A try that failed may have opened it all the same, and what is on its page, or in other windows of the list, was counted since.
  const counted = state.failing[key]?.seen ?? state.pass?.counted ?? state.counts.seen;
  const isUncounted = openedAfter !== undefined && openedAfter >= counted && state.seen[key] === undefined;
  return isUncounted ? 'opened' : found.is;
}

export type Taken =
  | { is: Exclude<keyof FeedCounts, 'seen' | 'refused'>; version: Version }
  | { is: 'refused'; version: Version; createdAt: Instant };

/** `newest`: of the whole list; null amid it, where whatever was on it may come once more. */
function remembered(seen: FeedState['seen'], newest: Instant | null): FeedState['seen'] {
  const from = newest === null ? 0 : secondsOf(newest) - OVERLAP_MS / SECOND_MS;
  const recent = Object.entries(seen)
    .map(([key, entry]) => ({ key, entry, at: parseInt(entry.slice(entry.indexOf('@') + 1), 36) }))
    .filter(({ at }) => at >= from);
  if (recent.length > MAX_SEEN) recent.sort((a, b) => b.at - a.at).length = MAX_SEEN;
  return Object.fromEntries(recent.map(({ key, entry }) => [key, entry]));
}

/** The first and the last of some changes. */
export function spanOf(changes: readonly Instant[]): { oldest: Instant | null; newest: Instant | null } {
  const sorted = changes.toSorted((a, b) => toMs(a) - toMs(b));
  return { oldest: sorted[0] ?? null, newest: sorted.at(-1) ?? null };
}

export interface Page extends Answered {
  /** The versions on it that were new. */
  taken: readonly Taken[];
  /** What names those that could not be taken this time. */
  failed: readonly string[];
}

/** Was this alert tried often enough, if it fails once more, to be kept aside? */
export function isGivenUp({ failing }: FeedState, key: string): boolean {
  return (failing[key]?.tries ?? 0) + 1 >= TRIES;
}

/** Does something on the page have to be tried again before the feed may go on? */
export function hasFailing({ failing }: FeedState): boolean {
  return Object.keys(failing).length > 0;
}

/** The state after a page was taken. Where an alert on it could not be, the same is asked for once more. */
export function afterPage(state: FeedState, page: Page, now: Instant): FeedState {
  const counts = { ...state.counts };
  const ofPage: FeedState['seen'] = {};
  const refused = [...state.refused];
  for (const one of page.taken) {
    counts.seen += 1;
    counts[one.is] += 1;
    const { key } = one.version;
    ofPage[key] = entryOf(one.version, now);
    if (one.is === 'refused') refused.push({ alertId: key, createdAt: one.createdAt, at: now });
  }
  const failing = Object.fromEntries(
    page.failed.map((key) => {
      const { tries, seen } = state.failing[key] ?? { tries: 0, seen: state.counts.seen };
      return [key, { tries: tries + 1, seen }];
    }),
  );
  const largestAnswer = Math.max(state.largestAnswer, page.rows);
  const next = { ...state, counts, refused: refused.slice(-MAX_REFUSED), trouble: null, failing, largestAnswer };
  if (page.failed.length > 0) return { ...next, seen: { ...state.seen, ...ofPage } };
  const limits = { top: state.pageSize, largestAnswer };
  const { pass, isThrough } = afterAnswer(passOf(state, page.askedAt), page, limits);
  // A time in the future would hide what is changed until then.
  const watermark = toMs(pass.newest) > toMs(pass.startedAt) ? pass.startedAt : pass.newest;
  const seen = remembered({ ...state.seen, ...ofPage }, isThrough ? watermark : null);
  // What is on a page may be on the next one too, however old it is.
  if (!isThrough) return { ...next, seen: { ...seen, ...ofPage }, pass };
  return { ...next, pass: null, watermark, seen, lastSuccessAt: now, pageSize: LARGEST_PAGE };
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
export function pauseMs(state: FeedState, pollIntervalMs: number, retryAfterMs?: number): number {
  const { trouble, pass } = state;
  if (retryAfterMs !== undefined) return retryAfterMs;
  if (trouble !== null) {
    const longest = Math.max(LONGEST_PAUSE_MS, pollIntervalMs);
    return Math.min(longest, Math.max(1_000, pollIntervalMs) * 2 ** Math.min(10, trouble.failures - 1));
  }
  if (hasFailing(state)) return TRY_AGAIN_MS;
  return pass === null ? pollIntervalMs : 0;
}

/** So often the workflow writes down where it stands, whatever happens to the activity that knows it. */
const CHECKPOINT_EVERY_MS = DAY_MS;

export function isCheckpointDue(scheduledAt: Instant, now: Instant): boolean {
  return toMs(now) >= toMs(plus(scheduledAt, CHECKPOINT_EVERY_MS));
}
