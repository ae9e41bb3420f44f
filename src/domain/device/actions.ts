import { tuningPeriodAt, type TuningPeriod } from '../customer.js';
import { isFinal } from '../defender.js';
import { assertNever } from '../text.js';
import { toMs, type Instant } from '../time.js';
import type { ChangeSeen, StepResult } from './evolve.js';
import type { ActionRecord } from './record.js';

function endedAt(action: ActionRecord, now: Instant): Instant {
  return action.updatedAt ?? now;
}

/** The end of an action in the service's words; undefined while it runs. */
export function endOf(action: ActionRecord, now: Instant): StepResult | undefined {
  const at = endedAt(action, now);
  const isolates = action.type === 'Isolate';
  switch (action.status) {
    case 'Succeeded':
      return isolates ? { outcome: 'isolated', at, action } : { outcome: 'released', at, action };
    case 'Cancelled':
      return { outcome: 'cancelled', byUs: false, at, action };
    case 'TimeOut':
      return { outcome: 'failed', reason: isolates ? 'isolation-timeout' : 'release-timeout', at, action };
    case 'Failed':
      return { outcome: 'failed', reason: isolates ? 'isolation-failed' : 'release-failed', at, action };
    default:
      return undefined;
  }
}

/**
 * How the device stands by its actions, newest first. Defender has no isolation field: the newest action that succeeded
 * tells, unless one is under way.
 */
export function standing(actions: readonly ActionRecord[], now: Instant): StepResult {
  const running = actions.find((action) => !isFinal(action));
  if (running !== undefined) return { outcome: 'requested', action: running };
  const last = actions.find(({ status }) => status === 'Succeeded');
  if (last === undefined) return { outcome: 'released', at: now, action: null };
  return last.type === 'Isolate'
    ? { outcome: 'isolated', at: endedAt(last, now), action: last }
    : { outcome: 'released', at: endedAt(last, now), action: last };
}

/**
 * What was done to a held device after the time up to which its actions are known. Only an action that was begun later
 * is one: a list that lags behind, or no longer holds what is old, shows none. What still runs has changed nothing yet.
 */
export function changeAfter(
  actions: readonly (ActionRecord & { by: string | null })[],
  known: Instant,
): ChangeSeen | undefined {
  const last = actions.find(({ status }) => status === 'Succeeded');
  if (last === undefined) return undefined;
  const { by, ...action } = last;
  const begunAt = action.requestedAt ?? action.updatedAt;
  if (begunAt === null || toMs(begunAt) <= toMs(known)) return undefined;
  return {
    isolation: action.type === 'Isolate' ? 'isolated' : 'released',
    at: action.updatedAt ?? begunAt,
    by,
    action,
  };
}

export type Move =
  /** What was asked for is under way or already true: nothing is posted. */
  | { do: 'take'; step: StepResult }
  /** The opposite is under way, and has to end first. */
  | { do: 'wait'; action: ActionRecord }
  | { do: 'post' };

/** What to do about a request after the look: the last one before the request itself, which may have waited for hours. */
export function moveAfterLook(
  found: StepResult,
  kind: 'isolate' | 'release',
  tuningPeriods: readonly TuningPeriod[],
  now: Instant,
): Move {
  const [type, outcome] = kind === 'isolate' ? ['Isolate', 'isolated'] : ['Unisolate', 'released'];
  // That Defender lists nothing of a device is no evidence that it was given back: it may have forgotten, or be another tenant.
  const isUnknown = found.outcome === 'released' && found.action === null;
  if (found.outcome === outcome && !isUnknown) return { do: 'take', step: found };
  if (found.outcome === 'requested') {
    return found.action.type === type ? { do: 'take', step: found } : { do: 'wait', action: found.action };
  }
  switch (kind) {
    case 'isolate':
      return tuningPeriodAt(tuningPeriods, now) === undefined
        ? { do: 'post' }
        : { do: 'take', step: { outcome: 'refused', reason: 'tuning-period', at: now } };
    case 'release':
      return { do: 'post' };
    default:
      return assertNever(kind);
  }
}
