import { parseArgs } from 'node:util';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { openArchive } from './archive.js';
import { loadArchiveToolSettings } from './config.js';
import type { Fault, Heads } from './domain/archive/entry.js';
import { encryptionOf } from './encryption.js';
import { archiveHeads } from './temporal/archiver.js';
import { createApiClient, temporalConfig } from './temporal/connect.js';

/*
 * npm run archive-check: reads the whole archive, names every entry that is not as it was written, and compares the ends of the
 * chains with those that Temporal holds. Ends with 1 where anything is wrong, or could not be looked at. `--head
 * acme:12:<sha256>` compares with an end that somebody has written down; `--without-temporal` with nothing else.
 */

const FAULTS: Record<Fault, string> = {
  'entry-missing': 'the entry is missing',
  'entry-unreadable': 'the entry cannot be read',
  'entry-changed': 'the entry was changed',
  'entry-out-of-place': 'another entry lies in its place',
  'record-missing': 'its record is missing',
  'record-changed': 'its record was changed',
  'record-foreign': 'its record is not of it',
  'entry-not-held': 'Temporal does not know of the entry',
  'not-findable': 'what leads from the incident to it is missing',
  'pointer-unexplained': 'what leads to it is not of its incident',
};

function parseHead(text: string): Heads {
  const [, customerId = '', seq = '', sha256 = ''] =
    /^([a-z0-9-]{1,40}):([1-9]\d{0,9}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (customerId === '')
    throw new Error(`--head ${text}: must be a customer, a number and a SHA-256, such as acme:12:3f…`);
  return { [customerId]: { seq: Number(seq), sha256 } };
}

async function headsAtTemporal(sealing: Parameters<typeof createApiClient>[2]): Promise<Heads | undefined> {
  const { clientOptions, namespace } = temporalConfig();
  const connection = await Connection.connect(clientOptions);
  try {
    return await archiveHeads(createApiClient(connection, namespace, sealing));
  } finally {
    await connection.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { head: { type: 'string', multiple: true }, 'without-temporal': { type: 'boolean' } },
  });
  const settings = loadArchiveToolSettings();
  const sealing = encryptionOf(settings.keys, pino({ name: 'archive-check', level: settings.logLevel }))?.sealing;
  const given = (values.head ?? []).map(parseHead);
  const isAsked = values['without-temporal'] !== true;
  const held = isAsked ? await headsAtTemporal(sealing) : undefined;
  let faults = 0;
  let chains = 0;
  const unchecked: string[] = [];
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (isAsked && held === undefined) unchecked.push('The archiver at Temporal says nothing of any end.');
  for await (const chain of openArchive(settings.archive, sealing).check(held, ...given)) {
    const { customerId, head, entries, unreadable, notHeld, missingKeys, findings } = chain;
    const end = head === null ? 'nothing' : `${customerId}:${head.seq}:${head.sha256}`;
    const unread = unreadable === 0 ? '' : `, ${unreadable} of them for nobody to read (no key)`;
    const isEndKnown = [held ?? {}, ...given].some((heads) => heads[customerId] !== undefined);
    say(`${customerId}: ${entries} entries${unread}; ends with ${end}${isEndKnown ? '' : ', as nobody has said'}`);
    for (const { seq, incidentId, fault } of findings) {
      say(`  ${customerId} ${seq}${incidentId === null ? '' : ` ${incidentId}`}: ${FAULTS[fault]}`);
    }
    faults += findings.length;
    chains += 1;
    if (notHeld > 0) {
      unchecked.push(
        `Of ${customerId}, ${notHeld} of the last entries are ours, and Temporal does not know of them: it lags.`,
      );
    }
    if (held !== undefined && !isEndKnown && entries > 0) {
      unchecked.push(`The archiver at Temporal says nothing of the end of ${customerId}.`);
    }
    for (const key of missingKeys) unchecked.push(`The key ${key} is not here, and was not destroyed.`);
  }
  // Nobody is to take an empty folder, or the wrong one, for a sound archive.
  if (chains === 0) say('There is nothing in this archive.');
  else if (faults > 0) say(`${faults} ${faults === 1 ? 'fault' : 'faults'}.`);
  else say(`Everything${unchecked.length > 0 ? ' that could be looked at' : ''} is as it was written.`);
  for (const line of unchecked) say(line);
  if (faults > 0 || unchecked.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`archive-check: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
