import { ApplicationFailure, CompleteAsyncError, Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';

const HEARTBEAT_MS = 4_000;

/**
 * Runs work that waits for the outside, telling Temporal meanwhile that it is alive: a dead worker is then noticed in
 * seconds. The signal fires when the workflow no longer wants the work.
 */
export async function alive<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  context.heartbeat();
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
