import { QueryRejectedError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import {
  incidentSummarySchema,
  incidentView,
  type IncidentSummary,
  type IncidentView,
} from '../domain/incident/view.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import { toInstant, type Instant } from '../domain/time.js';
import { executionOf, type Execution } from '../temporal/executions.js';
import { incidentQuery, type IncidentWorkflow } from '../workflows/messages.js';
import { describe, reach, type Gateway } from './gateway.js';
import { Problem } from './problem.js';

/** An incident as it can be read right now. */
export type Known =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'ended'; record: IncidentRecord }
  /** Its workflow was stopped from outside: only its last summary is left, until an engineer resets it. */
  | { state: 'stopped'; description: WorkflowExecutionDescription };

export async function knownIncident(gateway: Gateway, id: string): Promise<Known | undefined> {
  const description = await describe(gateway, id);
  if (description === undefined || description.type !== 'incident') return undefined;
  switch (description.status.name) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
      return { state: 'running', description };
    case 'COMPLETED': {
      // Of this run: another caller may have started the next one meanwhile, whose result is a long way off.
      const handle = gateway.client.workflow.getHandle<IncidentWorkflow>(id, description.runId);
      return { state: 'ended', record: await reach(gateway, () => handle.result()) };
    }
    default:
      return { state: 'stopped', description };
  }
}

export function memoSummary(memo: Record<string, unknown> | undefined): IncidentSummary | undefined {
  return incidentSummarySchema.safeParse(memo?.['summary']).data;
}

/** Of an incident whose workflow no longer runs: nothing can be done about it before somebody has mended that. */
export function stoppedProblem(): Problem {
  return new Problem(
    'incident-stopped',
    "The incident's workflow was stopped from outside, so nothing can be done about it now. " +
      'Whoever runs the service can set it going again by a reset of the workflow; then send this again.',
  );
}

/** The summary with what the workflow cannot say of itself: that it was stopped, or cannot go on. */
export function atStandstill(
  summary: IncidentSummary,
  { stopped, hasFailingTask, isOpen }: Pick<Execution, 'stopped' | 'hasFailingTask' | 'isOpen'>,
): IncidentSummary {
  const reasons = [
    ...(stopped !== null && summary.stage !== 'closed' ? ['workflow-stopped'] : []),
    ...(isOpen && hasFailingTask ? ['workflow-stuck'] : []),
  ];
  return reasons.length === 0 ? summary : { ...summary, attention: [...summary.attention, ...reasons].sort() };
}

export type ShownIncident = IncidentView & { partial?: true };

/** What is left to show while no worker can be asked: the summary. */
function partialView(summary: IncidentSummary, { raw }: WorkflowExecutionDescription): ShownIncident {
  const { workflowExecutionInfo } = raw;
  return {
    ...(workflowExecutionInfo == null ? summary : atStandstill(summary, executionOf(workflowExecutionInfo))),
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

function ask(gateway: Gateway, id: string, now: Instant): Promise<IncidentView> {
  return reach(gateway, () => gateway.client.workflow.getHandle(id).query(incidentQuery, now));
}

/**
 * The whole incident; its summary alone, marked `partial`, while no worker answers. An open one is asked at once; only
 * what does not answer is looked up.
 */
export async function readIncident(gateway: Gateway, id: string): Promise<ShownIncident> {
  const now = toInstant(Date.now());
  let isUnanswered = false;
  try {
    return await ask(gateway, id, now);
  } catch (error) {
    isUnanswered = error instanceof Problem && error.code === 'worker-unavailable';
    const isNotOpen = error instanceof QueryRejectedError || error instanceof WorkflowNotFoundError;
    if (!isUnanswered && !isNotOpen) throw error;
  }
  const known = await knownIncident(gateway, id);
  if (known === undefined) throw new Problem('unknown-incident', `There is no incident ${id}.`);
  if (known.state === 'ended') return incidentView(known.record, now);
  // Taken up again between the two looks.
  if (known.state === 'running' && !isUnanswered) return ask(gateway, id, now);
  const summary = memoSummary(known.description.memo);
  if (summary === undefined) throw new Problem('worker-unavailable', 'No worker can be asked for this incident.');
  return partialView(summary, known.description);
}
