import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { House, polledCustomers } from '../test/support/house.js';
import { plainConverter } from '../test/support/keys.js';
import { startLocal } from '../test/support/temporal.js';
import { PATHS, type Kept, type Kind } from '../test/workflows/paths.js';

/*
 * npm run histories: lives every path of which no history is kept yet, on a Temporal server and a simulator of its own,
 * and keeps the histories of its workflows in test/histories/. The tests replay them against the present workflows.
 *
 * When to record: once for every new path, and for a path that goes another way since a change behind `patched()`, under
 * a new name. Never anew for one that was shipped: incidents that run in production have just such histories, and a
 * replay that fails says that the change would break them. The remedy is then in the workflow, not here. A path that was
 * never shipped is recorded anew by deleting its files first.
 */

const folder = fileURLToPath(new URL('../test/histories/', import.meta.url));
/** Who recorded it, on which machine, and where the sources lay, is nobody's business and changes nothing. */
function anonymous(key: string, value: unknown): unknown {
  if (key === 'identity') return 'recorder';
  if (key === 'stackTrace') return '';
  // The names of a worker's own task queues: `process@machine-…`.
  return typeof value === 'string' && /^\d+@\S+$/.test(value) ? 'recorder' : value;
}

async function keep(house: House, path: string, { as, workflowId, runId }: Kept): Promise<void> {
  const history = await house.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = (history.events ?? []).length;
  const plain: unknown = JSON.parse(historyToJSON(history), anonymous);
  const text = `${JSON.stringify({ workflowId, history: plain })}\n`;
  writeFileSync(`${folder}${path}.${as}.json`, text);
  process.stdout.write(`  ${path}.${as}: ${events} events, ${Math.round(text.length / 1024)} kB\n`);
}

function isKept(path: string): boolean {
  return readdirSync(folder).some((name) => name.startsWith(`${path}.`));
}

async function record(kind: Kind, paths: readonly string[]): Promise<void> {
  const environment = await startLocal(
    kind === 'forgetful' ? ['limit.historyCount.suggestContinueAsNew=20'] : [],
    plainConverter,
  );
  const house = await House.open({
    environment,
    sealed: false,
    service: kind === 'hasty' ? { autoCloseMs: 500, lingerMs: 500 } : {},
    ...(kind === 'watchful' ? { watchEveryMs: 300 } : {}),
    ...(kind === 'mailed' ? { mailbox: true } : {}),
    ...(kind === 'archived' ? { archiveEveryMs: 300 } : {}),
    ...(kind === 'fed' ? { customers: polledCustomers(), feeds: true } : {}),
  });
  try {
    for (const path of paths) {
      const kept = (await PATHS[path]?.live(house, house.customer('acme'))) ?? [];
      for (const workflow of kept) await keep(house, path, workflow);
    }
  } finally {
    await house.close();
    await environment.teardown();
  }
}

if (!existsSync(folder)) mkdirSync(folder);
const missing = Object.entries(PATHS).filter(([path]) => !isKept(path));
process.stdout.write(missing.length === 0 ? 'Every path has its histories.\n' : `${missing.length} paths to record:\n`);
for (const kind of ['usual', 'hasty', 'forgetful', 'fed', 'watchful', 'mailed', 'archived'] as const) {
  const paths = missing.filter(([, { house }]) => house === kind).map(([path]) => path);
  if (paths.length > 0) await record(kind, paths);
}
