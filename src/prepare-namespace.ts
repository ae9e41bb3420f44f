import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { temporalConfig } from './temporal/connect.js';
import { ensureNamespace } from './temporal/namespace.js';
import { registerSearchAttributes } from './temporal/search-attributes.js';

/*
 * Run once before the worker and the API of a self-hosted Temporal, harmless when repeated: the namespace with its
 * retention, and its search attributes.
 */

const log = pino({ name: 'prepare-namespace' });

/** The server's own parts learn of a new namespace one after the other. */
const ATTEMPTS = 15;
const PAUSE_MS = 2_000;

const { clientOptions, namespace } = temporalConfig();
const connection = await Connection.connect(clientOptions);
try {
  await ensureNamespace(connection, namespace);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await registerSearchAttributes(connection, namespace);
      break;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      log.info({ reason, attempt }, 'the namespace is not ready for search attributes yet');
      await sleep(PAUSE_MS);
    }
  }
  log.info({ namespace }, 'the namespace is ready');
} finally {
  await connection.close();
}
