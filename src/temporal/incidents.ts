import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { AlertNews } from '../domain/alert.js';
import { staticSummary } from '../domain/incident/details.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import { incidentSummarySchema, type IncidentSummary } from '../domain/incident/view.js';
import { incidentMemo, incidentSearch, isSet } from '../domain/lists.js';
import { toInstant } from '../domain/time.js';
import type { IncidentInput, IncidentWorkflow } from '../workflows/messages.js';

/*
 * Incidents as whoever has a client of Temporal finds and starts them: the API for people, the feeds for Defender.
 */

export interface Reach {
  client: Client;
  taskQueue: string;
}

/** An incident as it can be read right now. */
export type Known =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'ended'; record: IncidentRecord; description: WorkflowExecutionDescription }
  /** Its workflow was stopped from outside: only its last summary is left, until an engineer resets it. */
  | { state: 'stopped'; description: WorkflowExecutionDescription };

/** The workflow's newest run as the server knows it, worker or no worker; undefined when there is none. */
export async function describe(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

export async function findIncident(client: Client, id: string): Promise<Known | undefined> {
  const description = await describe(client, id);
  if (description === undefined || description.type !== 'incident') return undefined;
  switch (description.status.name) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
      return { state: 'running', description };
    case 'COMPLETED': {
      // Of this run: another caller may have started the next one meanwhile, whose result is a long way off.
      const handle = client.workflow.getHandle<IncidentWorkflow>(id, description.runId);
      return { state: 'ended', record: await handle.result(), description };
    }
    default:
      return { state: 'stopped', description };
  }
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
