import type { Client } from '@temporalio/client';
import { HOUR_MS, SECOND_MS } from '../domain/time.js';

interface Known {
  ms: Promise<number>;
  atMs: number;
}

const known = new WeakMap<Client, Known>();

/** For how long Temporal remembers what has ended, in ms. Asked once an hour. */
export function memoryMs(client: Client): Promise<number> {
  const before = known.get(client);
  if (before !== undefined && Date.now() - before.atMs < HOUR_MS) return before.ms;
  const ms = client.workflowService
    .describeNamespace({ namespace: client.options.namespace })
    .then(({ config }) => Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * SECOND_MS || Infinity);
  known.set(client, { ms, atMs: Date.now() });
  ms.catch(() => known.delete(client));
  return ms;
}
