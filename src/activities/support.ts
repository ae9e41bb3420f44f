import { activityInfo, ApplicationFailure, CompleteAsyncError, Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Delayed, Told } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { SECOND_MS } from '../domain/time.js';

/**
 * So long something may fail before the next try that fails is told of. The pause before that try is 16 seconds at most by
 * then, and a request that hangs is given up after 20: an analyst hears within a minute.
 */
export const TELL_AFTER_MS = 20 * SECOND_MS;

export interface TellDeps {
  /** Default: `TELL_AFTER_MS`. */
  tellAfterMs?: number;
}

const HEARTBEAT_MS = 4_000;

/**
 * Runs work that waits for the outside, telling Temporal meanwhile that it is alive: a dead worker is then noticed in
 * seconds. The signal fires when the workflow no longer wants the work. `details` are there for the next try.
 */
export async function alive<T>(
  work: (signal: AbortSignal) => Promise<T>,
  details: () => unknown = () => undefined,
): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(details()), HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(beat);
  }
}

/** For a failure that a later try may mend; `retryAfterMs` where the other side has named a time. */
export function tryAgain(type: string, error: Error, retryAfterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message: error.message,
    nonRetryable: false,
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/** Temporal's own signals inside an activity, which nobody may translate. */
export function isTemporals(error: unknown): boolean {
  return (
    error instanceof CancelledFailure || error instanceof CompleteAsyncError || error instanceof ApplicationFailure
  );
}

/** What failed as a failure for Temporal to retry; what is Temporal's own, or a fault of the program, goes on its way. */
export function retryable(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (isTemporals(error) || !(error instanceof Error)) throw error;
  return tryAgain(error.name, error, retryAfterOf(error));
}

export function retryAfterOf(error: unknown): number | undefined {
  const named = typeof error === 'object' && error !== null && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof named === 'number' ? named : undefined;
}

/**
 * For a failure that a later try may mend: left to Temporal's retries, and once it has lasted too long (or the other side
 * wants to be left alone for that long) a result that the workflow can tell of.
 */
export function tryAgainOrTell(error: unknown, { isTold }: Told, { tellAfterMs = TELL_AFTER_MS }: TellDeps): Delayed {
  const failure = retryable(error);
  const lastsMs = Date.now() + (retryAfterOf(error) ?? 0) - activityInfo().scheduledTimestampMs;
  if (isTold === true || lastsMs < tellAfterMs) throw failure;
  return delayedBy(failure);
}

export function delayedBy({ message }: Error): Delayed {
  return { delayed: oneLine(message, 300) };
}
