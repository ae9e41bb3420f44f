import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { ensureNamespace } from '../../src/temporal/namespace.js';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.js';
import type { ChildSpec } from './child.js';
import type { LocalPorts } from './local-settings.js';
import { problemsOfJsonLog } from './shown-lines.js';

const CONNECT_TIMEOUT_MS = 1_000;

const guard = fileURLToPath(new URL('./guard.ts', import.meta.url));

export interface EmbeddedTemporal {
  cliPath: string;
  dataDir: string;
  namespace: string;
  ports: LocalPorts;
  /** Where its own Web UI is, behind the one that people open. */
  innerUiPort: number;
  env: NodeJS.ProcessEnv;
}

export function temporalSpec({ cliPath, dataDir, namespace, ports, innerUiPort, env }: EmbeddedTemporal): ChildSpec {
  return {
    name: 'temporal',
    args: [
      guard,
      ...[cliPath, 'server', 'start-dev', '--ip', '127.0.0.1', '--namespace', namespace],
      ...['--port', String(ports.temporal), '--ui-port', String(innerUiPort), '--ui-disable-news-fetch'],
      ...['--ui-codec-endpoint', `http://127.0.0.1:${ports.temporalUi}`],
      ...['--db-filename', join(dataDir, 'temporal.db')],
      // Survives a killed process, not a power cut, and is a fifth faster.
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
      // A workflow whose task has failed so often is shown as stuck: within some 20 s.
      ...['--dynamic-config-value', 'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=3'],
      ...['--log-format', 'json', '--log-level', 'warn'],
    ],
    env,
    shown: problemsOfJsonLog('error'),
    isReady: () => answers(addressOf(ports), namespace),
    drainMs: 2_000,
  };
}

/** What a new database lacks; harmless on one that has it. */
export async function prepareNamespace({ ports, namespace }: EmbeddedTemporal): Promise<void> {
  const connection = await Connection.connect({ address: addressOf(ports) });
  try {
    await ensureNamespace(connection, namespace);
    await registerSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}

async function answers(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}

function addressOf(ports: LocalPorts): string {
  return `127.0.0.1:${ports.temporal}`;
}
