import type { Client } from '@temporalio/client';

/** So many tasks that wait are a backlog, behind which people would wait noticeably. */
export const BACKLOG = 10;

/** How many tasks of workflows wait for a worker, as far as the server can tell within that time: 0 where it cannot. */
export async function waitingTasks(client: Client, taskQueue: string, withinMs: number): Promise<number> {
  try {
    const { stats } = await client.withDeadline(Date.now() + withinMs, () =>
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        reportStats: true,
      }),
    );
    return Number(stats?.approximateBacklogCount ?? 0);
  } catch {
    return 0;
  }
}
