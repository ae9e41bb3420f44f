import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import { auditedTypes, type Sighting, type StoppedStatus } from '../domain/audit.js';
import { deviceViewSchema } from '../domain/device/evolve.js';
import { incidentSummarySchema } from '../domain/incident/view.js';
import { isForgotten } from '../domain/sealing.js';
import { toInstant } from '../domain/time.js';
import { decodePayload } from './payloads.js';

/** One run as a list or a description shows it. */
export interface Execution {
  type: string;
  workflowId: string;
  runId: string;
  isOpen: boolean;
  /** How it was stopped from outside, or failed; null where it runs or has ended by itself. */
  stopped: StoppedStatus | null;
  startedAtMs: number;
  closedAtMs: number | null;
  /** The server has counted failures of its workflow task, one after the other, and none since that went well. */
  hasFailingTask: boolean;
  /** What cannot be read is not in it. */
  memo: Readonly<Record<string, unknown>>;
  /** Of a customer whose keys were destroyed. */
  isForgotten: boolean;
}

type ExecutionInfo = Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>['executions'][number];

const GRPC_NOT_FOUND = 5;
const LARGEST_PAGE = 1_000;
const SIGNALLED_AT_ONCE = 20;

/** The server's own search attribute for workflows whose task keeps failing. */
export const FAILING_TASK = 'TemporalReportedProblems';

/** Temporal's `WorkflowExecutionStatus` on the wire. */
const STOPPED: Readonly<Record<number, StoppedStatus>> = { 3: 'Failed', 4: 'Canceled', 5: 'Terminated', 7: 'TimedOut' };

/** Of a list's filter: what was stopped from outside, or failed. */
export const IS_STOPPED = `ExecutionStatus IN (${Object.values(STOPPED)
  .map((status) => `'${status}'`)
  .join(', ')})`;

function msOf(time: ExecutionInfo['startTime']): number | null {
  return time == null ? null : Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6;
}

async function memoOf(
  client: Client,
  workflowId: string,
  { memo }: ExecutionInfo,
): Promise<Pick<Execution, 'memo' | 'isForgotten'>> {
  const readable: [string, unknown][] = [];
  let isOfForgotten = false;
  for (const [field, payload] of Object.entries(memo?.fields ?? {})) {
    try {
      readable.push([field, await decodePayload(client, workflowId, payload)]);
    } catch (error) {
      isOfForgotten ||= isForgotten(error);
    }
  }
  return { memo: Object.fromEntries(readable), isForgotten: isOfForgotten };
}

export async function executionOf(client: Client, info: ExecutionInfo): Promise<Execution> {
  const workflowId = info.execution?.workflowId ?? '';
  return {
    type: info.type?.name ?? '',
    workflowId,
    runId: info.execution?.runId ?? '',
    isOpen: info.closeTime == null,
    stopped: STOPPED[info.status ?? 0] ?? null,
    startedAtMs: msOf(info.startTime) ?? 0,
    closedAtMs: msOf(info.closeTime),
    hasFailingTask: info.searchAttributes?.indexedFields?.[FAILING_TASK] !== undefined,
    ...(await memoOf(client, workflowId, info)),
  };
}

/** One page of executions, newest first. */
export async function listExecutions(
  client: Client,
  query: string,
  pageSize: number,
  nextPageToken: Uint8Array = new Uint8Array(),
): Promise<{ executions: Execution[]; nextPageToken: Uint8Array }> {
  const { namespace } = client.options;
  const answer = await client.workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken });
  const executions = await Promise.all(answer.executions.map((info) => executionOf(client, info)));
  return { executions, nextPageToken: answer.nextPageToken };
}

/** Every execution that a filter finds. */
export async function listAll(client: Client, query: string): Promise<Execution[]> {
  const all: Execution[] = [];
  let pageToken: Uint8Array | undefined;
  do {
    const page = await listExecutions(client, query, LARGEST_PAGE, pageToken);
    all.push(...page.executions);
    pageToken = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (pageToken !== undefined);
  return all;
}

/** The newest run of that id, of which a list may not know yet; undefined when there is none any more. */
export async function newestRun(client: Client, workflowId: string): Promise<Execution | undefined> {
  const { namespace } = client.options;
  try {
    const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId },
    });
    return workflowExecutionInfo == null ? undefined : await executionOf(client, workflowExecutionInfo);
  } catch (error) {
    const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
    if (code === GRPC_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Signals the workflow of that id; false where none runs any more. */
export async function signalRunning<Args extends unknown[]>(
  client: Client,
  workflowId: string,
  definition: SignalDefinition<Args>,
  ...args: Args
): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).signal(definition, ...args);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Signals every workflow that a filter finds. */
export async function signalAll(client: Client, query: string, definition: SignalDefinition): Promise<void> {
  await signalEach(client, await listAll(client, query), definition);
}

/** Signals each of them, some at a time; one that has ended meanwhile needs none. */
export async function signalEach(
  client: Client,
  found: readonly Execution[],
  definition: SignalDefinition,
): Promise<void> {
  for (let from = 0; from < found.length; from += SIGNALLED_AT_ONCE) {
    const some = found.slice(from, from + SIGNALLED_AT_ONCE);
    await Promise.all(some.map(({ workflowId }) => signalRunning(client, workflowId, definition)));
  }
}

/**
 * A run of ours as the audit judges it; undefined for what is none, has ended by itself, or was ended with all that is
 * known of its customer.
 */
export function sightingOf(execution: Execution): Sighting | undefined {
  const type = auditedTypes.find((known) => known === execution.type);
  const status = execution.isOpen ? 'Running' : execution.stopped;
  if (type === undefined || status === null || (execution.isForgotten && !execution.isOpen)) return undefined;
  const { workflowId, runId, closedAtMs, hasFailingTask } = execution;
  const summary = execution.memo['summary'];
  return {
    type,
    workflowId,
    runId,
    status,
    stoppedAt: closedAtMs === null ? null : toInstant(closedAtMs),
    hasFailingTask,
    incident: type === 'incident' ? (incidentSummarySchema.safeParse(summary).data ?? null) : null,
    device: type === 'device' ? (deviceViewSchema.safeParse(summary).data ?? null) : null,
  };
}
