import type { RequestHandler } from 'express';
import { SECOND_MS } from '../domain/time.js';
import { isArchiving } from '../temporal/archiver.js';
import { isAuditing } from '../temporal/audit-schedule.js';
import type { Gateway } from './gateway.js';

const PROBE_DEADLINE_MS = 2 * SECOND_MS;
/** A worker that lives asks for work at least once a minute; the server remembers dead ones for longer. */
const POLLED_WITHIN_MS = 75 * SECOND_MS;
const SEEN_FOR_MS = SECOND_MS;

interface Readiness {
  temporal: boolean;
  worker: boolean;
}

export async function readiness({ client, taskQueue }: Gateway): Promise<Readiness> {
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

/** Nobody needs the auditor to be served, so that it is missing takes no API out of service; it must be seen all the same. */
export async function hasAuditor({ client }: Gateway): Promise<boolean> {
  try {
    return await client.withDeadline(Date.now() + PROBE_DEADLINE_MS, () => isAuditing(client));
  } catch {
    return false;
  }
}

/** Likewise: nothing is lost before Temporal forgets it. */
export async function hasArchiver({ client }: Gateway): Promise<boolean> {
  try {
    return await client.withDeadline(Date.now() + PROBE_DEADLINE_MS, () => isArchiving(client));
  } catch {
    return false;
  }
}

/** `healthz`: the process answers. */
export const alive: RequestHandler = (_request, response) => {
  response.json({ status: 'ok' });
};

async function look(gateway: Gateway): Promise<{ ready: boolean; missing: string[] }> {
  const parts = await readiness(gateway);
  const missing = [...(parts.temporal ? [] : ['temporal']), ...(parts.worker ? [] : ['worker'])];
  if (missing.length > 0) return { ready: false, missing };
  const [auditor, archiver] = await Promise.all([hasAuditor(gateway), hasArchiver(gateway)]);
  return { ready: true, missing: [...(auditor ? [] : ['auditor']), ...(archiver ? [] : ['archiver'])] };
}

/**
 * `readyz`: and so do Temporal and a polling worker; says which is missing, and whether the auditor or the archiver is.
 * It needs no token, so one look serves whoever asks during it and for a second after it.
 */
export function ready(gateway: Gateway): RequestHandler {
  let seen: ReturnType<typeof look> | undefined;
  return async (_request, response) => {
    seen ??= look(gateway).finally(() => {
      setTimeout(() => {
        seen = undefined;
      }, SEEN_FOR_MS).unref();
    });
    const answer = await seen;
    response.status(answer.ready ? 200 : 503).json(answer);
  };
}
