import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { searchKeys } from '../domain/lists.js';
import { feedWorkflowId } from '../domain/feed/view.js';
import { tryAgainSignal, type FeedInput } from '../workflows/messages.js';
import { listAll } from './executions.js';
import type { Reach } from './incidents.js';

async function running(client: Client, type: string): Promise<string[]> {
  const found = await listAll(client, `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`);
  return found.map(({ workflowId }) => workflowId);
}

/**
 * Sees to it that every customer has a feed: starts those that are missing, also after one was stopped from outside. A
 * feed whose customer has left the file ends by itself. Idempotent, so that every worker does it now and then.
 */
export async function ensureFeeds({ client, taskQueue }: Reach, customerIds: readonly string[]): Promise<void> {
  const known = new Set(await running(client, 'alertFeed'));
  for (const customerId of customerIds) {
    const workflowId = feedWorkflowId(customerId);
    if (known.has(workflowId)) continue;
    const input: FeedInput = { customerId };
    try {
      await client.workflow.start('alertFeed', {
        workflowId,
        taskQueue,
        args: [input],
        typedSearchAttributes: [{ key: searchKeys.customerId, value: customerId }],
        staticSummary: `${customerId} · brings the tenant’s alerts in`,
      });
    } catch (error) {
      // A list lags.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

/** This software may understand what an earlier one kept aside. */
export async function tryRejectedAgain(client: Client): Promise<void> {
  for (const workflowId of await running(client, 'rejectedAlert')) {
    await client.workflow.getHandle(workflowId).signal(tryAgainSignal);
  }
}
