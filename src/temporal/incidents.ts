import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { AlertNews } from '../domain/alert.js';
import { staticSummary } from '../domain/incident/details.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import { incidentSummarySchema, type IncidentSummary } from '../domain/incident/view.js';
import { incidentMemo, incidentSearch, isSet } from '../domain/lists.js';
import { toInstant } from '../domain/time.js';
import type { IncidentInput, IncidentWorkflow } from '../workflows/messages.js';
import { findRun, type KnownRun } from './known.js';

/*
 * Incidents as whoever has a client of Temporal finds and starts them: the API for people, the feeds for Defender.
 */

export interface Reach {
  client: Client;
  taskQueue: string;
}

/** An incident as it can be read right now. */
export type Known = KnownRun<IncidentRecord>;

export function findIncident(client: Client, id: string): Promise<Known | undefined> {
  return findRun<IncidentWorkflow>(client, 'incident', id);
}

export function memoSummary(memo: Record<string, unknown> | undefined): IncidentSummary | undefined {
  return incidentSummarySchema.safeParse(memo?.['summary']).data;
}

/** What an incident is started with, whoever starts it, so that lists show it right from its first moment. */
export function incidentStart(taskQueue: string, record: IncidentRecord) {
  const memo = incidentMemo(record, toInstant(Date.now()));
  return {
    workflowId: record.incidentId,
    taskQueue,
    memo,
    typedSearchAttributes: incidentSearch(memo).filter(isSet),
    staticSummary: staticSummary(record),
  };
}

/** Starts an incident, or says that there is one of that id: running, or ended. */
export async function startIncident(
  { client, taskQueue }: Reach,
  record: IncidentRecord,
  how: { news?: AlertNews; again: boolean; memo?: Record<string, unknown> },
): Promise<'started' | 'exists'> {
  const input: IncidentInput = how.news === undefined ? { record } : { record, news: how.news };
  try {
    const start = incidentStart(taskQueue, record);
    await client.workflow.start('incident', {
      ...start,
      memo: { ...start.memo, ...how.memo },
      args: [input],
      workflowIdReusePolicy: how.again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
    throw error;
  }
}
