import { isGrpcServiceError, type Client } from '@temporalio/client';
import { PEOPLE_FIRST } from '../domain/ports.js';
import { SECOND_MS } from '../domain/time.js';

/** So many tasks that wait are a backlog, behind which people would wait noticeably. */
const BACKLOG = 10;
/** How long one look at the queue holds. */
const LOOK_HOLDS_MS = SECOND_MS;

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

export interface Queue {
  client: Client;
  taskQueue: string;
}

const looks = new WeakMap<Queue, { atMs: number; isBehind: Promise<boolean> }>();

function isBehind(queue: Queue): Promise<boolean> {
  const last = looks.get(queue);
  if (last !== undefined && Date.now() - last.atMs < LOOK_HOLDS_MS) return last.isBehind;
  const { client, taskQueue } = queue;
  const look = client.workflowService
    .describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, reportStats: true })
    .then(({ stats }) => Number(stats?.approximateBacklogCount ?? 0) >= BACKLOG)
    .catch(serveInOrder);
  looks.set(queue, { atMs: Date.now(), isBehind: look });
  return look;
}

/** A server that cannot tell, or has no priorities, serves in order of arrival as it would without being asked. */
function serveInOrder(error: unknown): false {
  const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
  if (code === UNAVAILABLE || code === DEADLINE_EXCEEDED) throw error;
  return false;
}

/**
 * Lets a workflow's tasks overtake those of alerts that only arrive: an analyst does not wait behind a backlog. Costs a
 * history event, where there is a backlog.
 */
export async function putFirst(queue: Queue, workflowId: string): Promise<void> {
  if (!(await isBehind(queue))) return;
  const { client } = queue;
  await client.workflowService
    .updateWorkflowExecutionOptions({
      namespace: client.options.namespace,
      workflowExecution: { workflowId },
      workflowExecutionOptions: { priority: PEOPLE_FIRST },
      updateMask: { paths: ['priority'] },
    })
    .catch(serveInOrder);
}
