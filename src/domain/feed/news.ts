import { latest, MINUTE_MS, toMs, type Instant } from '../time.js';
import { hasFailing, type FeedState, type FeedTrouble } from './state.js';

/*
 * How a feed fares, and what the SOC has to hear of it.
 */

/** The SOC hears of a feed that has been in trouble, or behind, for so long. */
export const TELL_FEED_AFTER_MS = 10 * MINUTE_MS;
/** What was kept aside is told at most so often. */
const REJECTED_TOLD_EVERY_MS = 60 * MINUTE_MS;

/** How far what the service knows of the tenant lies behind. */
export function lagMs({ pass, watermark, lastSuccessAt, startedAt }: FeedState, now: Instant): number {
  const since = pass === null ? (lastSuccessAt ?? startedAt) : latest(watermark, startedAt);
  return Math.max(0, toMs(now) - toMs(since));
}

/** Since when nothing has come through, once that has been so for long enough to worry. */
function lateSince(state: FeedState, now: Instant, tellAfterMs: number): Instant | undefined {
  if (state.trouble === null && state.pass === null) return undefined;
  // The time before it began again is not its own.
  const since = latest(state.startedAt, state.lastSuccessAt ?? state.startedAt);
  return toMs(now) - toMs(since) >= tellAfterMs ? since : undefined;
}

export type FeedNews =
  | { about: 'trouble'; since: Instant; trouble: FeedTrouble | null }
  | { about: 'well'; since: Instant }
  | { about: 'rejected'; count: number };

/** What the SOC has to hear now: that the feed has been in trouble for long, once; that it is well again; what was kept aside. */
export function feedNews(state: FeedState, now: Instant, tellAfterMs = TELL_FEED_AFTER_MS): FeedNews[] {
  const late = lateSince(state, now, tellAfterMs);
  const isWell = state.trouble === null && state.pass === null && !hasFailing(state);
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
