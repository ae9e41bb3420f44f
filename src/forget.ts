import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { loadCustomers, loadKeySettings, type KeySource } from './config.js';
import { customerIdSchema } from './domain/customer.js';
import { toInstant } from './domain/time.js';
import { changeKeyFile } from './integrations/keys/key-file.js';
import { keysOf, parseKeyRing, readKeyRing, type KeyRing } from './integrations/keys/key-ring.js';
import { createSealing } from './integrations/keys/keys.js';
import { destroyedAt, keyIdsOf, withoutKeysOf } from './integrations/keys/ring-changes.js';
import { createApiClient, temporalConfig } from './temporal/connect.js';
import { endProcessesOf, openProcessesOf, type OpenProcess } from './temporal/forgetting.js';

/*
 * npm run forget -- acme: ends all that runs of a customer who has left, and destroys their keys. What Temporal holds of them can
 * then be read by nobody.
 */

const USAGE = 'npm run forget -- CUSTOMER [--yes]    ends all that runs of the customer, and destroys their keys';

function show(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function ringOf(source: KeySource): KeyRing {
  return 'file' in source ? readKeyRing(source.file) : parseKeyRing(source.text, 'ENCRYPTION_KEYS');
}

function showOpen(customerId: string, open: readonly OpenProcess[]): void {
  if (open.length === 0) {
    show(`Nothing of ${customerId} runs.`);
    return;
  }
  show(`Of ${customerId} this still runs, and will be ended:`);
  for (const { workflowId, words } of open) show(`  ${workflowId}${words === '' ? '' : `  (${words})`}`);
  const held = open.filter(({ holdsDevice }) => holdsDevice);
  if (held.length === 0) return;
  show(
    '',
    `!!! ${held.length} device(s) of ${customerId} are isolated, or may be. THEY STAY CUT OFF FROM THE NETWORK: once this is done,`,
    '!!! nobody can give them back but the customer, in Defender itself. Release them first, or tell the customer:',
    ...held.map(({ workflowId, words }) => `!!!   ${workflowId}  (${words})`),
    '',
  );
}

async function isConfirmed(customerId: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('Nobody is here to be asked: --yes goes on without a question.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`This cannot be undone. Type the customer's id (${customerId}) to go on: `);
    return answer.trim() === customerId;
  } finally {
    terminal.close();
  }
}

function destroy(source: KeySource, customerId: string, keyIds: readonly string[]): void {
  const at = toInstant(Date.now());
  if ('file' in source) {
    changeKeyFile(source.file, (before) => ({ ring: withoutKeysOf(before, customerId, at) }));
    show(`The keys of ${customerId} are destroyed: ${keyIds.join(', ') || 'there were none'}.`);
    return;
  }
  show(
    'The keys are in the environment (ENCRYPTION_KEYS), where they cannot be destroyed from here. By hand, on every host:',
    `  1. take ${keyIds.join(', ') || 'their keys'} out of "keys",`,
    `  2. add {"scope":"${customerId}","at":"${at}"} to "destroyed",`,
    '  3. restart every worker and every API, and destroy what else holds the old value.',
  );
}

function showWhatIsLeft(customerId: string, isInFile: boolean): void {
  show(
    '',
    `What this does: nobody can read any more what Temporal holds of ${customerId}, nor what was written elsewhere with their keys, such`,
    'as the archive. Running workers and APIs forget the keys within seconds.',
    'What it does not:',
    ...(isInFile ? ['  - Other hosts have files of keys of their own: run this there too.'] : []),
    '  - Whoever has a backup of the keys reads on: destroy those, or take the keys out of them.',
    '  - Mails that were held, the counts of the mailbox, Signals that were encrypted for no single customer, and failures of workflow',
    '    tasks are kept under the service’s own key until the retention ends.',
    '  - The mail server has the mails that were sent and received; Defender, Twilio and the logs have what they have.',
    `  - Ids and search attributes (the customer’s short name, alert ids, machine ids, file hashes, times) stay in Temporal until`,
    '    the retention ends, and longer in its backups. The audit file keeps who commanded what.',
  );
}

async function main(args: readonly string[]): Promise<void> {
  const [customerId, ...more] = args.filter((arg) => arg !== '--yes');
  if (customerId === undefined || more.length > 0) throw new Error(USAGE);
  if (!customerIdSchema.safeParse(customerId).success) throw new Error(`${customerId} is no id of a customer.`);
  const { customersFile, keys } = loadKeySettings();
  if (loadCustomers(customersFile).some(({ id }) => id === customerId)) {
    throw new Error(
      `${customerId} is in ${customersFile}: feeds and mails would go on. Take the customer out of it first; ` +
        'running processes follow within seconds.',
    );
  }
  if (keys === undefined) {
    throw new Error('Nothing is encrypted (ENCRYPTION_KEYS_FILE is not set): there is no key that could be destroyed.');
  }
  const ring = ringOf(keys);
  const keyIds = keyIdsOf(ring, customerId);
  const goneAt = destroyedAt(ring, customerId);
  if (goneAt !== undefined) show(`The keys of ${customerId} were destroyed at ${goneAt}.`);
  else if (keyIds.length === 0)
    throw new Error(`There is no customer ${customerId}: no key of theirs, and none destroyed.`);

  const { clientOptions, namespace } = temporalConfig();
  const connection = await Connection.connect(clientOptions);
  try {
    const client = createApiClient(connection, namespace, createSealing(keysOf(ring)));
    showOpen(customerId, await openProcessesOf(client, customerId));
    if (!args.includes('--yes') && !(await isConfirmed(customerId))) throw new Error('Nothing was done.');
    const ended = await endProcessesOf(client, customerId);
    show(ended === 1 ? '1 workflow was ended.' : `${ended} workflows were ended.`);
    if (goneAt === undefined) destroy(keys, customerId, keyIds);
    showWhatIsLeft(customerId, 'file' in keys);
  } finally {
    await connection.close();
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`forget: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
