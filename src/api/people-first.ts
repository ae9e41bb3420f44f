import type { Client } from '@temporalio/client';
import { PEOPLE_FIRST } from '../domain/ports.js';
import { SECOND_MS } from '../domain/time.js';
import { BACKLOG, waitingTasks } from '../temporal/backlog.js';

/** How long one look at the queue holds. */
const LOOK_HOLDS_MS = SECOND_MS;

/** The look and the raise are a courtesy: they hold a command up no longer than this, and never fail it. */
const COURTESY_MS = SECOND_MS / 2;

export interface Queue {
  client: Client;
  taskQueue: string;
}

const looks = new WeakMap<Queue, { atMs: number; isBehind: Promise<boolean> }>();

function isBehind(queue: Queue): Promise<boolean> {
  const last = looks.get(queue);
  if (last !== undefined && Date.now() - last.atMs < LOOK_HOLDS_MS) return last.isBehind;
  // A server that cannot tell serves in order of arrival.
  const look = waitingTasks(queue.client, queue.taskQueue, COURTESY_MS).then((count) => count >= BACKLOG);
  looks.set(queue, { atMs: Date.now(), isBehind: look });
  return look;
}

/**
 * Lets a workflow's tasks overtake those of alerts that only arrive: an analyst does not wait behind a backlog. Costs a
 * history event, where there is a backlog.
 */
export async function putFirst(queue: Queue, workflowId: string): Promise<void> {
  if (!(await isBehind(queue))) return;
  const { client } = queue;
  await client
    .withDeadline(Date.now() + COURTESY_MS, () =>
      client.workflowService.updateWorkflowExecutionOptions({
        namespace: client.options.namespace,
        workflowExecution: { workflowId },
        workflowExecutionOptions: { priority: PEOPLE_FIRST },
        updateMask: { paths: ['priority'] },
      }),
    )
    // The command itself says what is wrong: that there is no such workflow, or no server.
    .catch(() => undefined);
}
