import type { Client } from '@temporalio/client';
import { owes } from '../domain/audit.js';
import { newestRun, sightingOf } from './executions.js';

/**
 * Sets a workflow going again that was stopped from outside while it still owed something: from its last step, with all
 * that it knew, as `temporal workflow reset` does. One that has ended by itself, or runs, is left alone.
 */
export async function setGoing(client: Client, workflowId: string): Promise<void> {
  const { namespace } = client.options;
  const newest = await newestRun(client, workflowId);
  const seen = newest === undefined ? undefined : sightingOf(newest);
  if (seen === undefined || seen.status === 'Running' || !owes(seen)) return;
  const events = (await client.workflow.getHandle(workflowId, seen.runId).fetchHistory()).events ?? [];
  const completed = events.findLastIndex((event) => event.workflowTaskCompletedEventAttributes != null);
  const scheduled = events.findLastIndex((event) => event.workflowTaskScheduledEventAttributes != null);
  const finish = events[completed >= 0 ? completed : scheduled + 1];
  if (finish?.eventId == null) return;
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: seen.runId },
    workflowTaskFinishEventId: finish.eventId,
    reason: 'needed again, and stopped from outside while it owed something',
    // Two that need it at once set it going once.
    requestId: `set-going-${seen.runId}`,
  });
}
