import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.js';

/** For so long an action is read closely: a device that is online takes seconds. */
export const CLOSELY_MS = 20 * SECOND_MS;

const FIRST_PAUSE_MS = 300;
const LONGEST_CLOSE_PAUSE_MS = 5 * SECOND_MS;

/**
 * How long to wait before an action is read again that has been followed for so long. One of a device that is offline may run
 * for days, and each read is of the calls that Defender allows the tenant: 86 in the first hour, 20 in each that follows.
 * Where somebody has to know earlier, as an incident does at its deadline, it has the action looked at.
 */
export function nextLookInMs(followedMs: number): number {
  if (followedMs < CLOSELY_MS) return Math.min(LONGEST_CLOSE_PAUSE_MS, FIRST_PAUSE_MS + Math.max(0, followedMs) / 2);
  if (followedMs < 2 * MINUTE_MS) return 10 * SECOND_MS;
  if (followedMs < 10 * MINUTE_MS) return 30 * SECOND_MS;
  if (followedMs < HOUR_MS) return MINUTE_MS;
  return 3 * MINUTE_MS;
}
