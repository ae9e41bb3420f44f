import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { searchKeys } from '../domain/lists.js';
import { rejectedSchema, type RejectReason } from '../domain/feed/rejected.js';
import { feedMemo, feedStateSchema, reopenFeed, type FeedState } from '../domain/feed/state.js';
import { feedWorkflowId } from '../domain/feed/view.js';
import { keyErrorIn } from '../domain/sealing.js';
import { toInstant } from '../domain/time.js';
import { tryAgainSignal, type FeedInput } from '../workflows/messages.js';
import { listAll, newestRun, signalEach, type Execution } from './executions.js';
import type { Reach } from './incidents.js';

function runningOf(type: string): string {
  return `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
}

/** Where the feed stood that ran before, as far as it was written down and Temporal remembers. */
async function lastStood(client: Client, workflowId: string): Promise<FeedState | undefined> {
  const newest = await newestRun(client, workflowId);
  return newest === undefined ? undefined : feedStateSchema.safeParse(newest.memo['feed']).data;
}

async function startFeed({ client, taskQueue }: Reach, customerId: string): Promise<void> {
  const workflowId = feedWorkflowId(customerId);
  const stood = await lastStood(client, workflowId);
  const state = stood === undefined ? null : reopenFeed(stood, toInstant(Date.now()));
  const input: FeedInput = { customerId, state };
  try {
    await client.workflow.start('alertFeed', {
      workflowId,
      taskQueue,
      args: [input],
      ...(state === null ? {} : { memo: feedMemo(state) }),
      typedSearchAttributes: [{ key: searchKeys.customerId, value: customerId }],
      staticSummary: `${customerId} · brings the tenant’s alerts in`,
    });
  } catch (error) {
    // A list lags.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/**
 * Sees to it that every customer has a feed: starts those that are missing, where the one before stood. A feed whose
 * customer has left the file ends by itself. Idempotent, so that every worker does it now and then.
 */
export async function ensureFeeds(reach: Reach, customerIds: readonly string[]): Promise<void> {
  const known = new Set((await listAll(reach.client, runningOf('alertFeed'))).map(({ workflowId }) => workflowId));
  const withoutKey: unknown[] = [];
  for (const customerId of customerIds) {
    if (known.has(feedWorkflowId(customerId))) continue;
    try {
      await startFeed(reach, customerId);
    } catch (error) {
      // A customer without a key keeps no other from a feed.
      if (keyErrorIn(error) === undefined) throw error;
      withoutKey.push(error);
    }
  }
  if (withoutKey.length > 0) throw withoutKey[0];
}

/** This software may understand what an earlier one kept aside; the customers file may name another tenant now. */
export async function tryRejectedAgain(client: Client, reason?: RejectReason): Promise<void> {
  const kept = await listAll(client, runningOf('rejectedAlert'));
  const reasonOf = (one: Execution) => rejectedSchema.safeParse(one.memo['rejected']).data?.reason;
  await signalEach(
    client,
    reason === undefined ? kept : kept.filter((one) => reasonOf(one) === reason),
    tryAgainSignal,
  );
}
