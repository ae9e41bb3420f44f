import { QueryRejectedError, type Client } from '@temporalio/client';
import { incidentFacts, type IncidentFacts } from '../domain/exclusion/incident-facts.js';
import { isOutOfQuestion, SURVEY_MS, type Looked, type Survey } from '../domain/exclusion/survey.js';
import { incidentSummarySchema } from '../domain/incident/view.js';
import { searchKeys } from '../domain/lists.js';
import { toInstant } from '../domain/time.js';
import { incidentFactsQuery, type IncidentWorkflow } from '../workflows/messages.js';
import { listExecutions, type Execution } from './executions.js';
import { findIncident } from './incidents.js';

const AT_ONCE = 50;
const LOOK_LASTS_MS = 1_500;
/** Facts of ended runs never change: the latest are kept, so that a second look need not read them again. */
const MAX_KEPT = 2_000;

const kept = new WeakMap<Client, Map<string, IncidentFacts>>();

function keptOf(client: Client): Map<string, IncidentFacts> {
  const known = kept.get(client) ?? new Map<string, IncidentFacts>();
  kept.set(client, known);
  return known;
}

async function read(client: Client, { workflowId, runId, isOpen }: Execution): Promise<IncidentFacts> {
  if (isOpen) return client.workflow.getHandle(workflowId, runId).query(incidentFactsQuery);
  return incidentFacts(await client.workflow.getHandle<IncidentWorkflow>(workflowId, runId).result());
}

/**
 * Looks at the customer's incidents that an exclusion could concern, the newest first: those of the last 90 days that
 * somebody has judged, as far back as Temporal remembers, and every open one. Ends in time, with as many as could be read
 * by then.
 */
export async function surveyIncidents(client: Client, customerId: string, deadlineMs: number): Promise<Survey> {
  const since = toInstant(Date.now() - SURVEY_MS);
  // What has ended without a verdict was closed by the rules.
  const query = [
    `WorkflowType = 'incident'`,
    `ExecutionStatus != 'ContinuedAsNew'`,
    `${searchKeys.customerId.name} = '${customerId}'`,
    `(ExecutionStatus = 'Running' OR (${searchKeys.level.name} IS NOT NULL AND StartTime > '${since}'))`,
  ].join(' AND ');
  const facts = keptOf(client);
  const looked: Looked[] = [];
  const seen = new Set<string>();
  let rows = 0;
  function keep(runId: string, known: IncidentFacts): void {
    facts.set(runId, known);
    for (const [oldest] of facts) {
      if (facts.size <= MAX_KEPT) break;
      facts.delete(oldest);
    }
  }
  async function look(execution: Execution): Promise<void> {
    const summary = incidentSummarySchema.parse(execution.memo['summary']);
    if (isOutOfQuestion(summary)) return;
    const known = facts.get(execution.runId) ?? (await read(client, execution));
    if (!execution.isOpen) keep(execution.runId, known);
    looked.push({ summary, facts: known });
  }
  let unread = 0;
  let token: Uint8Array | undefined = new Uint8Array();
  while (token !== undefined && Date.now() < deadlineMs) {
    const page = await listExecutions(client, query, AT_ONCE, token);
    rows += page.executions.length;
    token = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
    // Newest first: a run of an incident that was there before is an older one.
    const newest = page.executions.filter(({ workflowId }) => !seen.has(workflowId) && seen.add(workflowId));
    // One that nobody can ask must not keep the others unread.
    const pageDeadlineMs = Math.min(deadlineMs, Date.now() + LOOK_LASTS_MS);
    const results = await client.withDeadline(pageDeadlineMs, () => Promise.allSettled(newest.map(look)));
    unread += results.filter(({ status }) => status === 'rejected').length;
  }
  if (token !== undefined) unread += Math.max(0, (await client.workflow.count(query)).count - rows);
  return { looked, unread };
}

/** Between a look and the asking an incident may end. */
const MAX_LOOKS = 3;

/** What is known of one incident; undefined where there is none, or its workflow was stopped. */
export async function readIncidentFacts(client: Client, incidentId: string): Promise<IncidentFacts | undefined> {
  for (let look = 1; ; look += 1) {
    const known = await findIncident(client, incidentId);
    if (known?.state === 'ended') return incidentFacts(known.record);
    if (known?.state !== 'running') return undefined;
    try {
      return await client.workflow.getHandle(incidentId).query(incidentFactsQuery);
    } catch (error) {
      if (!(error instanceof QueryRejectedError) || look === MAX_LOOKS) throw error;
    }
  }
}
