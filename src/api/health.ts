import express from 'express';
import { SECOND_MS } from '../domain/time.js';
import type { Gateway } from './gateway.js';

const PROBE_DEADLINE_MS = 2 * SECOND_MS;
/** A worker that lives asks for work at least once a minute; the server remembers dead ones for longer. */
const POLLED_WITHIN_MS = 75 * SECOND_MS;

interface Readiness {
  temporal: boolean;
  worker: boolean;
}

async function readiness({ client, taskQueue }: Gateway): Promise<Readiness> {
  try {
    const { pollers } = await client.withDeadline(Date.now() + PROBE_DEADLINE_MS, () =>
      // Without a type the server answers for workflow tasks.
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
      }),
    );
    const since = Date.now() - POLLED_WITHIN_MS;
    const worker = pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 >= since);
    return { temporal: true, worker };
  } catch {
    return { temporal: false, worker: false };
  }
}

/** `healthz`: the process answers. `readyz`: and so do Temporal and a polling worker; says which is missing. */
export function healthRoutes(gateway: Gateway): express.Router {
  const router = express.Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const parts = await readiness(gateway);
    const missing = [...(parts.temporal ? [] : ['temporal']), ...(parts.worker ? [] : ['worker'])];
    response.status(missing.length === 0 ? 200 : 503).json({ ready: missing.length === 0, missing });
  });
  return router;
}
