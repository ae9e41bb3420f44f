import { QueryRejectedError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { incidentView, type IncidentSummary, type IncidentView } from '../domain/incident/view.js';
import { toInstant, type Instant } from '../domain/time.js';
import { executionOf, type Execution } from '../temporal/executions.js';
import { findIncident, memoSummary, type Known } from '../temporal/incidents.js';
import { incidentQuery } from '../workflows/messages.js';
import { reach, type Gateway } from './gateway.js';
import { Problem } from './problem.js';

export function knownIncident(gateway: Gateway, id: string): Promise<Known | undefined> {
  return reach(gateway, () => findIncident(gateway.client, id));
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
    lead: summary.linkedTo ?? null,
    linked: [],
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
