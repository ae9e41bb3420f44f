import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { exclusionTitle } from '../domain/exclusion/details.js';
import type { ExclusionRecord } from '../domain/exclusion/record.js';
import { exclusionSummary, exclusionSummarySchema, type ExclusionSummary } from '../domain/exclusion/view.js';
import { exclusionSearch, isSet } from '../domain/lists.js';
import { PEOPLE_FIRST } from '../domain/ports.js';
import type { ExclusionRequestInput, ExclusionRequestWorkflow } from '../workflows/messages.js';
import type { Reach } from './incidents.js';
import { findRun, type KnownRun } from './known.js';

/** An exclusion as it can be read right now. */
export type KnownExclusion = KnownRun<ExclusionRecord>;

export function findExclusionRequest(client: Client, id: string): Promise<KnownExclusion | undefined> {
  return findRun<ExclusionRequestWorkflow>(client, 'exclusionRequest', id);
}

export function memoExclusion(memo: Record<string, unknown> | undefined): ExclusionSummary | undefined {
  return exclusionSummarySchema.safeParse(memo?.['exclusion']).data;
}

/** Starts an exclusion's workflow, or says that there is one of that id. */
export async function startExclusionRequest(
  { client, taskQueue }: Reach,
  record: ExclusionRecord,
  /** Of the proposal, where it may be sent again. */
  bodyHash: string | undefined,
): Promise<'started' | 'exists'> {
  const summary = exclusionSummary(record);
  const input: ExclusionRequestInput = { record };
  try {
    await client.workflow.start('exclusionRequest', {
      workflowId: record.exclusionId,
      taskQueue,
      args: [input],
      memo: { exclusion: summary, ...(bodyHash === undefined ? {} : { proposal: bodyHash }) },
      typedSearchAttributes: exclusionSearch(summary).filter(isSet),
      staticSummary: exclusionTitle(record),
      priority: PEOPLE_FIRST,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
    throw error;
  }
}
