import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ArchiveError, type ChainPositions, type Heads } from '../domain/archive/entry.js';
import { levelSchema } from '../domain/commands.js';
import { customerIdSchema } from '../domain/customer.js';
import { machineIdSchema } from '../domain/defender.js';
import { parseIncidentId } from '../domain/incident/record.js';
import { sloStates } from '../domain/incident/slo.js';
import { stages } from '../domain/incident/stage.js';
import { incidentSummarySchema, type IncidentSummary } from '../domain/incident/view.js';
import { searchKeys, searchWord } from '../domain/lists.js';
import type { Operator } from '../operators.js';
import { customersIn, recentHeads } from '../temporal/archiver.js';
import { FAILING_TASK, IS_STOPPED, listExecutions, type Execution } from '../temporal/executions.js';
import { listArchived, notForgotten, readPositions, writePositions } from './archived-list.js';
import { describe, reach, type Gateway } from './gateway.js';
import { atStandstill } from './known-incidents.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { route, type ApiDeps, type Route } from './route.js';

const MAX_PAGE = 200;
/** In a token: Temporal has listed all that it has. */
const ARCHIVE_BEGINS = 'archive';
/** So much is sorted that is not read page by page. */
export const MAX_QUEUE = 1_000;

/** A string literal of Temporal's list filters. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

const word = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters without blanks');

/** What every list that is read page by page takes. */
export const pageSchema = {
  limit: z.coerce.number().int('must be a whole number').min(1).max(MAX_PAGE).default(50),
  pageToken: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'is not one that a list has given')
    .optional(),
};

const listQuerySchema = z.strictObject({
  customer: customerIdSchema.optional(),
  stage: z.enum(stages).optional(),
  level: z.coerce.number().pipe(levelSchema).optional(),
  slo: z.enum(sloStates).optional(),
  assignee: word.optional().meta({ description: 'An operator id, or `none`.' }),
  machine: machineIdSchema.optional(),
  defenderIncident: word.optional(),
  attention: word.optional().meta({ description: 'A reason, or `any`.' }),
  exclusion: word.optional().meta({ description: 'The id of an exclusion that their alerts match.' }),
  ...pageSchema,
});
export type ListQuery = z.infer<typeof listQuerySchema>;

const queueQuerySchema = z.strictObject({ customer: customerIdSchema.optional(), assignee: word.optional() });

type Run = Pick<Execution, 'workflowId' | 'runId' | 'startedAtMs'>;

interface Page {
  rows: Execution[];
  nextPageToken?: string;
}

/** One page of executions, newest first. */
async function listPage(
  gateway: Gateway,
  query: string,
  pageSize: number,
  pageToken: string | undefined,
): Promise<Page> {
  const answer = await reach(gateway, () =>
    listExecutions(gateway.client, query, pageSize, Buffer.from(pageToken ?? '', 'base64url')),
  );
  const next = Buffer.from(answer.nextPageToken).toString('base64url');
  return next === '' ? { rows: answer.executions } : { rows: answer.executions, nextPageToken: next };
}

/** Temporal fails on a token that it has not given, as if it were down: ours begins with a mark of the list it is for. */
function tokenMark(query: string, token: string): string {
  return createHash('sha256')
    .update(JSON.stringify([query, token]))
    .digest('base64url')
    .slice(0, 12);
}

function sealToken(query: string, token: string): string {
  return `${tokenMark(query, token)}${token}`;
}

/** What was sealed for that list; undefined for what was not. */
function unsealed(query: string, sealed: string): string | undefined {
  const token = sealed.slice(12);
  return sealToken(query, token) === sealed ? token : undefined;
}

function openToken(query: string, sealed: string): string {
  const token = unsealed(query, sealed);
  if (token !== undefined) return token;
  throw notAToken();
}

function notAToken(): Problem {
  return new Problem('invalid-input', 'The page token is not understood.', [
    { path: 'pageToken', message: 'is not one that this list has given' },
  ]);
}

/** All runs of these workflows, beside those that continued as new. */
async function runsOf(gateway: Gateway, type: string, ids: string[]): Promise<Run[]> {
  const runs: Run[] = [];
  // No query finds an id with a backslash: its newest run has to do.
  for (const workflowId of ids.filter((id) => id.includes('\\'))) {
    const found = await describe(gateway, workflowId);
    if (found !== undefined) runs.push({ workflowId, runId: found.runId, startedAtMs: found.startTime.getTime() });
  }
  const plain = ids.filter((id) => !id.includes('\\'));
  if (plain.length === 0) return runs;
  const listed = plain.map(quoted).join(', ');
  const query = `WorkflowType = '${type}' AND ExecutionStatus != 'ContinuedAsNew' AND WorkflowId IN (${listed})`;
  let pageToken: string | undefined;
  do {
    const page = await listPage(gateway, query, 1000, pageToken);
    runs.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return runs;
}

/** Of an incident that was taken up again there are several runs: the older ones show what is no longer so. */
async function newestRuns(gateway: Gateway, type: string, rows: Execution[]): Promise<Execution[]> {
  const ended = rows.filter(({ isOpen }) => !isOpen);
  if (ended.length === 0) return rows;
  const newest = new Map<string, Run>();
  for (const run of await runsOf(gateway, type, [...new Set(ended.map(({ workflowId }) => workflowId))])) {
    const known = newest.get(run.workflowId);
    if (known === undefined || run.startedAtMs > known.startedAtMs) newest.set(run.workflowId, run);
  }
  const seen = new Set<string>();
  return rows.filter(({ workflowId, runId }) => {
    const current = newest.get(workflowId)?.runId ?? runId;
    if (current !== runId || seen.has(workflowId)) return false;
    seen.add(workflowId);
    return true;
  });
}

function queryOf(type: string, filters: readonly string[]): string {
  return [`WorkflowType = '${type}'`, `ExecutionStatus != 'ContinuedAsNew'`, ...filters].join(' AND ');
}

export async function listRows(
  gateway: Gateway,
  type: 'incident' | 'device' | 'rejectedAlert' | 'exclusionRequest' | 'inquiry' | 'heldMail',
  filters: string[],
  pageSize: number,
  pageToken?: string,
): Promise<Page> {
  const query = queryOf(type, filters);
  const start = pageToken === undefined ? undefined : openToken(query, pageToken);
  const { rows, nextPageToken } = await listPage(gateway, query, pageSize, start);
  const newest = await newestRuns(gateway, type, rows);
  return nextPageToken === undefined
    ? { rows: newest }
    : { rows: newest, nextPageToken: sealToken(query, nextPageToken) };
}

export function summaryIn(row: Execution): IncidentSummary {
  const parsed = incidentSummarySchema.safeParse(row.memo['summary']);
  return atStandstill(parsed.success ? parsed.data : unreadable(row), row);
}

/** A row that cannot be read is shown as far as its id goes, never dropped. */
function unreadable(row: Execution): IncidentSummary {
  const parts = parseIncidentId(row.workflowId);
  const at = new Date(row.startedAtMs).toISOString();
  return {
    id: row.workflowId,
    customerId: parts?.customerId ?? '',
    alertId: parts?.alertId ?? '',
    defenderIncidentId: null,
    title: row.workflowId,
    severity: null,
    stage: row.isOpen || row.stopped !== null ? 'awaiting-triage' : 'closed',
    level: null,
    slo: { state: 'not-applicable', dueAt: null, provisional: false },
    devices: [],
    assignee: null,
    attention: ['unreadable-summary'],
    createdAt: at,
    updatedAt: at,
  };
}

export function equals(key: { name: string }, value: string | number | undefined): string[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return [`${key.name} = ${value}`];
  return [`${key.name} = ${quoted(searchWord(value))}`];
}

/** The customers that an operator sees; one they may not see makes an empty list, as if it did not exist. */
export function customerFilter(operator: Operator, customer: string | undefined): string[] {
  if (customer !== undefined) return equals(searchKeys.customerId, maySee(operator, customer) ? customer : '');
  if (operator.customers === '*') return [];
  const ids = operator.customers.length === 0 ? [''] : operator.customers;
  return [`${searchKeys.customerId.name} IN (${ids.map(quoted).join(', ')})`];
}

function assigneeFilter(assignee: string | undefined): string[] {
  return assignee === 'none' ? [`${searchKeys.assignee.name} IS NULL`] : equals(searchKeys.assignee, assignee);
}

/** What the server alone knows: no search attribute of ours can say that the workflow was stopped, or cannot go on. */
const STOPPED = `(${IS_STOPPED} AND ${searchKeys.stage.name} != 'closed')`;
const STUCK = `(ExecutionStatus = 'Running' AND ${FAILING_TASK} IS NOT NULL)`;

function attentionFilter(attention: string | undefined): string[] {
  switch (attention) {
    case 'any':
      return [`(${searchKeys.attention.name} IS NOT NULL OR ${STOPPED} OR ${STUCK})`];
    case 'workflow-stopped':
      return [STOPPED];
    case 'workflow-stuck':
      return [STUCK];
    default:
      return equals(searchKeys.attention, attention);
  }
}

function listFilters(operator: Operator, query: ListQuery): string[] {
  return [
    ...customerFilter(operator, query.customer),
    ...equals(searchKeys.stage, query.stage),
    ...equals(searchKeys.level, query.level),
    ...equals(searchKeys.sloState, query.slo),
    ...assigneeFilter(query.assignee),
    ...equals(searchKeys.devices, query.machine),
    ...equals(searchKeys.defenderIncidentId, query.defenderIncident),
    ...attentionFilter(query.attention),
    ...equals(searchKeys.exclusionId, query.exclusion),
  ];
}

/** Does a summary from the archive, where no attributes are indexed, match what a list is filtered by? */
export function matchesQuery(summary: IncidentSummary, query: ListQuery): boolean {
  const { stage, level, slo, assignee, machine, defenderIncident, attention, exclusion } = query;
  const matches: Record<keyof Omit<ListQuery, 'customer' | 'limit' | 'pageToken'>, boolean> = {
    stage: stage === undefined || summary.stage === stage,
    level: level === undefined || summary.level === level,
    slo: slo === undefined || summary.slo.state === slo,
    assignee: assignee === undefined || summary.assignee === (assignee === 'none' ? null : assignee),
    machine: machine === undefined || summary.devices.some(({ machineId }) => machineId === machine),
    defenderIncident: defenderIncident === undefined || summary.defenderIncidentId === defenderIncident,
    attention:
      attention === undefined ||
      (attention === 'any' ? summary.attention.length > 0 : summary.attention.includes(attention)),
    exclusion: exclusion === undefined || summary.exclusionId === exclusion,
  };
  return Object.values(matches).every(Boolean);
}

function headsNow(deps: ApiDeps): Promise<Heads> {
  return reach(deps, () => recentHeads(deps.client));
}

/** Those whose chains the operator may see, and the caller asks for, and that anybody can read. */
async function archivedCustomers(
  deps: ApiDeps,
  operator: Operator,
  { customer }: ListQuery,
  heads: Heads,
): Promise<string[]> {
  const ids = await customersIn(deps.archive, heads);
  return notForgotten(
    deps.sealing,
    ids.filter((id) => maySee(operator, id) && (customer === undefined || id === customer)),
  );
}

/** @throws ArchiveError where a chain is shorter than Temporal knows it to be: a part of it must not be taken for all */
async function chainEnds({ archive }: ApiDeps, ids: readonly string[], heads: Heads): Promise<ChainPositions> {
  const end = async (id: string) => {
    const seq = await archive.lastSeq(id);
    if (seq >= (heads[id]?.seq ?? 0)) return [id, seq] as const;
    throw new ArchiveError(
      `the chain of ${id} in the archive ends before what was written: it is another one, or was cut`,
    );
  };
  return Object.fromEntries(await Promise.all(ids.map(end)));
}

/** Page by page what Temporal lists, and then what is in the archive alone. */
async function listIncidents(
  deps: ApiDeps,
  operator: Operator,
  query: ListQuery,
): Promise<{ items: IncidentSummary[]; nextPageToken?: string }> {
  const { limit, pageToken } = query;
  const filters = listFilters(operator, query);
  // A token is good for the list that has given it, and for the part of it.
  const ofArchive = `archive ${queryOf('incident', filters)}`;
  const given = pageToken === undefined ? undefined : unsealed(ofArchive, pageToken);
  const tokenFor = (token: string) => ({ nextPageToken: sealToken(ofArchive, token) });
  if (given === undefined) {
    const page = await listRows(deps, 'incident', filters, limit, pageToken);
    const items = page.rows.map(summaryIn);
    if (page.nextPageToken !== undefined) return { items, nextPageToken: page.nextPageToken };
    // Everything in the archive is closed. Where it cannot be asked now, the next page says so.
    const mayBeThere = (query.stage ?? 'closed') === 'closed' && (await hasArchived(deps, operator, query));
    return mayBeThere ? { items, ...tokenFor(ARCHIVE_BEGINS) } : { items };
  }
  const heads = await headsNow(deps);
  const ends = await chainEnds(deps, await archivedCustomers(deps, operator, query, heads), heads);
  const from = given === ARCHIVE_BEGINS ? ends : goingOn(ends, given);
  const { items, next } = await listArchived(deps.archive, from, limit, {
    matches: (summary) => matchesQuery(summary, query),
    known: async (ids) => new Set((await runsOf(deps, 'incident', ids)).map(({ workflowId }) => workflowId)),
  });
  return next === undefined ? { items } : { items, ...tokenFor(writePositions(next)) };
}

/** Anybody may write a token: it says where to go on in the chains that its bearer may see, and in no others. */
function goingOn(ends: ChainPositions, token: string): ChainPositions {
  const positions = readPositions(token);
  if (positions === undefined) throw notAToken();
  return Object.fromEntries(
    Object.entries(ends).flatMap(([id, end]) => {
      const position = positions[id];
      return position === undefined ? [] : [[id, Math.min(position, end)] as const];
    }),
  );
}

async function hasArchived(deps: ApiDeps, operator: Operator, query: ListQuery): Promise<boolean> {
  try {
    return (await archivedCustomers(deps, operator, query, await headsNow(deps))).length > 0;
  } catch (error) {
    if (error instanceof ArchiveError) return true;
    throw error;
  }
}

/** Attention first, then whatever is due soonest, then the oldest. */
export function byUrgency(a: IncidentSummary, b: IncidentSummary): number {
  const attention = Number(b.attention.length > 0) - Number(a.attention.length > 0);
  if (attention !== 0) return attention;
  const due = (a.slo.dueAt ?? '9').localeCompare(b.slo.dueAt ?? '9');
  return due === 0 ? a.createdAt.localeCompare(b.createdAt) : due;
}

const listSchema = z
  .object({ items: z.array(incidentSummarySchema), nextPageToken: z.string().optional() })
  .meta({ id: 'IncidentList' });
const queueSchema = z.object({ items: z.array(incidentSummarySchema), truncated: z.boolean() }).meta({ id: 'Queue' });

export const listRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/incidents',
    summary: 'Incidents, newest first',
    access: 'read',
    query: listQuerySchema,
    answers: {
      200: {
        description:
          'One page. What Temporal has forgotten comes last, from the archive (`archived`): there a page may have few rows, or none, and go on.',
        schema: listSchema,
      },
    },
    async handle({ deps, operator, query }) {
      const { items, ...more } = await listIncidents(deps, operator, query);
      return { status: 200, body: { items: items.sort((a, b) => b.createdAt.localeCompare(a.createdAt)), ...more } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/queue',
    summary: 'Incidents that wait for an analyst, the most urgent first',
    access: 'read',
    query: queueQuerySchema,
    answers: { 200: { description: 'At most 1,000; `truncated` says when there are more.', schema: queueSchema } },
    async handle({ deps, operator, query }) {
      const filters = [
        ...customerFilter(operator, query.customer),
        ...assigneeFilter(query.assignee),
        `((ExecutionStatus = 'Running' AND ${searchKeys.waitsForAnalyst.name} = true) OR ${STOPPED} OR ${STUCK})`,
      ];
      const { rows, nextPageToken } = await listRows(deps, 'incident', filters, MAX_QUEUE);
      // Nobody can do anything for a customer whose keys were destroyed.
      const items = rows.filter(({ isForgotten }) => !isForgotten).map(summaryIn);
      return { status: 200, body: { items: items.sort(byUrgency), truncated: nextPageToken !== undefined } };
    },
  }),
];
