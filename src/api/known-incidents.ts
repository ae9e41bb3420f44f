import type { WorkflowExecutionDescription } from '@temporalio/client';
import { placeOf, type Archive, type ArchivedIncident, type ArchivePlace } from '../domain/archive/entry.js';
import { incidentView, type IncidentSummary, type IncidentView } from '../domain/incident/view.js';
import { toInstant } from '../domain/time.js';
import { findArchived, recentHeads } from '../temporal/archiver.js';
import { executionOf, type Execution } from '../temporal/executions.js';
import { findIncident, memoSummary, type Known } from '../temporal/incidents.js';
import { incidentQuery } from '../workflows/messages.js';
import { reach, type Gateway } from './gateway.js';
import { Problem } from './problem.js';
import { readRun } from './reading.js';

/** Incidents as they run, and as they were archived once Temporal has forgotten them. */
export interface IncidentGateway extends Gateway {
  archive: Pick<Archive, 'find' | 'at'>;
}

function archivedIncident(gateway: IncidentGateway, id: string): Promise<ArchivedIncident | undefined> {
  const heads = () => reach(gateway, () => recentHeads(gateway.client));
  return findArchived({ archive: gateway.archive, heads }, id);
}

/** An incident as Temporal knows it, or else as the archive does. */
export async function knownIncident(
  gateway: IncidentGateway,
  id: string,
): Promise<Known | ({ state: 'archived' } & ArchivedIncident) | undefined> {
  const known = await reach(gateway, () => findIncident(gateway.client, id));
  if (known !== undefined) return known;
  const archived = await archivedIncident(gateway, id);
  return archived === undefined ? undefined : { state: 'archived', ...archived };
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

export type ShownIncident = IncidentView & { partial?: true; archived?: true; archive?: ArchivePlace };

/** What is left to show while no worker can be asked: the summary. */
async function partialView(
  client: Gateway['client'],
  summary: IncidentSummary,
  { raw }: WorkflowExecutionDescription,
): Promise<ShownIncident> {
  const { workflowExecutionInfo } = raw;
  return {
    ...(workflowExecutionInfo == null
      ? summary
      : atStandstill(summary, await executionOf(client, workflowExecutionInfo))),
    partial: true,
    revision: 0,
    lead: summary.linkedTo ?? null,
    linked: [],
    alert: {},
    verdict: null,
    questions: [],
    duties: [],
    customerMails: [],
    inquiry: null,
    timeline: [],
    waitingFor: [],
    explanation: [],
  };
}

/** The whole incident, from the archive where Temporal has forgotten it; its summary alone, marked `partial`, while no worker answers. */
export async function readIncident(gateway: IncidentGateway, id: string): Promise<ShownIncident> {
  const { client } = gateway;
  const now = toInstant(Date.now());
  const reading = await readRun(gateway, {
    query: () => client.workflow.getHandle(id).query(incidentQuery, now),
    find: () => findIncident(client, id),
    viewOf: (record) => incidentView(record, now),
  });
  if (reading === undefined) {
    const archived = await archivedIncident(gateway, id);
    if (archived === undefined) throw new Problem('unknown-incident', `There is no incident ${id}.`);
    return { ...archived.view, archived: true, archive: placeOf(archived) };
  }
  if (reading.is === 'whole') return reading.view;
  const summary = memoSummary(reading.description.memo);
  if (summary === undefined) throw new Problem('worker-unavailable', 'No worker can be asked for this incident.');
  return partialView(client, summary, reading.description);
}
