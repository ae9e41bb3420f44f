import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import {
  incidentSummarySchema,
  incidentView,
  type IncidentSummary,
  type IncidentView,
} from '../domain/incident/view.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import { toInstant } from '../domain/time.js';
import { incidentQuery, type IncidentWorkflow } from '../workflows/messages.js';
import { describe, reach, type Gateway } from './gateway.js';
import { Problem } from './problem.js';

/** An incident as it can be read right now. */
export type Known =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'ended'; record: IncidentRecord }
  /** Its workflow was stopped from outside: only its last summary is left. */
  | { state: 'lost'; description: WorkflowExecutionDescription };

export async function knownIncident(gateway: Gateway, id: string): Promise<Known | undefined> {
  const description = await describe(gateway, id);
  if (description === undefined || description.type !== 'incident') return undefined;
  switch (description.status.name) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
      return { state: 'running', description };
    case 'COMPLETED': {
      const handle = gateway.client.workflow.getHandle<IncidentWorkflow>(id);
      return { state: 'ended', record: await reach(gateway, () => handle.result()) };
    }
    default:
      return { state: 'lost', description };
  }
}

export function memoSummary(memo: Record<string, unknown> | undefined): IncidentSummary | undefined {
  return incidentSummarySchema.safeParse(memo?.['summary']).data;
}

export type ShownIncident = IncidentView & { partial?: true };

/** What is left to show while no worker can be asked: the summary. */
function partialView(summary: IncidentSummary): ShownIncident {
  return {
    ...summary,
    partial: true,
    revision: 0,
    alert: {},
    verdict: null,
    questions: [],
    duties: [],
    timeline: [],
    waitingFor: [],
    explanation: [],
  };
}

/** The whole incident; its summary alone, marked `partial`, while no worker answers. */
export async function readIncident(gateway: Gateway, id: string): Promise<ShownIncident> {
  const now = toInstant(Date.now());
  const known = await knownIncident(gateway, id);
  if (known === undefined) throw new Problem('unknown-incident', `There is no incident ${id}.`);
  if (known.state === 'ended') return incidentView(known.record, now);
  if (known.state === 'running') {
    try {
      return await reach(gateway, () => gateway.client.workflow.getHandle(id).query(incidentQuery, now));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return readIncident(gateway, id);
      if (!(error instanceof Problem) || error.code !== 'worker-unavailable') throw error;
    }
  }
  const summary = memoSummary(known.description.memo);
  if (summary === undefined) throw new Problem('worker-unavailable', 'No worker can be asked for this incident.');
  return partialView(summary);
}
