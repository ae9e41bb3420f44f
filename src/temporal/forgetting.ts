import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { deviceViewSchema } from '../domain/device/evolve.js';
import { searchKeys } from '../domain/lists.js';
import { customersTypes } from '../domain/sealing.js';
import { MINUTE_MS, SECOND_MS } from '../domain/time.js';
import { listAll, type Execution } from './executions.js';
import { memoSummary } from './incidents.js';

/** One process of a customer that has not come to its end, as somebody reads it who is about to end it. */
export interface OpenProcess {
  workflowId: string;
  type: string;
  /** What is left undone, as far as it can be read. */
  words: string;
  /** A device that stays cut off from its network, or may: nobody will be there to give it back. */
  holdsDevice: boolean;
}

const TERMINATED_AT_ONCE = 20;
/** Lists lag, and what is ended may have started something at the last moment. */
const SETTLES_MS = 2 * SECOND_MS;
const ENDS_WITHIN_MS = 2 * MINUTE_MS;

/** The id holds no quote: it was checked. */
function openOf(customerId: string): string {
  const ids = customersTypes.flatMap((type) => [
    `WorkflowId = '${type}:${customerId}'`,
    `WorkflowId STARTS_WITH '${type}:${customerId}:'`,
  ]);
  return `ExecutionStatus = 'Running' AND (${[`${searchKeys.customerId.name} = '${customerId}'`, ...ids].join(' OR ')})`;
}

function seenIn({ type, workflowId, memo, isOpen }: Execution): OpenProcess {
  const process = { workflowId, type, words: '', holdsDevice: false };
  if (type === 'incident') {
    const summary = memoSummary(memo);
    const level = summary?.level == null ? 'no verdict' : `level ${summary.level}`;
    return { ...process, words: summary === undefined ? 'cannot be read' : `${summary.stage}, ${level}` };
  }
  if (type === 'device') {
    const view = deviceViewSchema.safeParse(memo['summary']).data;
    if (view === undefined) return { ...process, words: 'cannot be read', holdsDevice: isOpen };
    const holdsDevice = view.heldBy.length > 0 || !['none', 'failed'].includes(view.isolation);
    return { ...process, words: `${view.name}: isolation ${view.isolation}`, holdsDevice };
  }
  return process;
}

/** What runs of the customer, whoever it belongs to by its id or its search attribute. */
export async function openProcessesOf(client: Client, customerId: string): Promise<OpenProcess[]> {
  const all = await listAll(client, openOf(customerId));
  return all.map(seenIn).sort((one, other) => one.workflowId.localeCompare(other.workflowId));
}

/**
 * Terminates all that runs of the customer, until nothing does.
 *
 * @returns how many
 * @throws Error where something goes on starting
 */
export async function endProcessesOf(client: Client, customerId: string): Promise<number> {
  const ended = new Set<string>();
  const deadlineMs = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    const open = (await listAll(client, openOf(customerId))).filter(({ runId }) => !ended.has(runId));
    if (open.length === 0) break;
    if (Date.now() > deadlineMs) {
      throw new Error(
        `Workflows of ${customerId} go on starting: do all workers know the customers file without them?`,
      );
    }
    for (let from = 0; from < open.length; from += TERMINATED_AT_ONCE) {
      await Promise.all(open.slice(from, from + TERMINATED_AT_ONCE).map((each) => terminate(client, each)));
    }
    for (const { runId } of open) ended.add(runId);
    await sleep(SETTLES_MS);
  }
  return ended.size;
}

async function terminate(client: Client, { workflowId, runId }: Execution): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId, runId).terminate('forgotten');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
