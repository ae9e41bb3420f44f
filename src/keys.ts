import { fileURLToPath } from 'node:url';
import { loadCustomers, loadKeySettings } from './config.js';
import { SERVICE_SCOPE } from './domain/sealing.js';
import { instantSchema, toInstant, toMs, type Instant } from './domain/time.js';
import { changeKeyFile } from './integrations/keys/key-file.js';
import { scopeSchema } from './integrations/keys/key-ring.js';
import { destroyedAt, withMissingKeys, withNextKeys } from './integrations/keys/ring-changes.js';

/*
 * npm run keys: makes the keys that are missing; `rotate` adds the next ones. Ids are shown, secrets never.
 */

const USAGE = [
  'npm run keys                                              makes the keys that are missing',
  'npm run keys -- rotate CUSTOMER [2026-12-01T00:00:00Z]    adds the next key, used from then on, or at once',
  'npm run keys -- rotate --all [2026-12-01T00:00:00Z]       likewise for every customer, and for the service itself',
].join('\n');

function show(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Asked {
  file: string;
  customerIds: readonly string[];
  now: Instant;
}

function makeMissing({ file, customerIds, now }: Asked): void {
  const scopes = [SERVICE_SCOPE, ...customerIds];
  const { ring, made } = changeKeyFile(file, (before) => withMissingKeys(before, scopes, now));
  for (const id of made) show(`made ${id}`);
  if (made.length === 0) show('No key was missing.');
  const gone = customerIds.filter((id) => destroyedAt(ring, id) !== undefined);
  if (gone.length > 0) {
    throw new Error(
      `The keys of ${gone.join(', ')} were destroyed: nobody gets new ones under that id. ` +
        'A customer who comes back needs another id in the customers file.',
    );
  }
}

function timeIn(text: string | undefined, now: Instant): Instant | undefined {
  if (text === undefined) return undefined;
  const parsed = instantSchema.safeParse(text);
  if (!parsed.success) throw new Error(`${text} is no time such as 2026-12-01T00:00:00+09:00`);
  if (toMs(parsed.data) <= toMs(now)) throw new Error(`${text} is over: without a time the new key is used at once`);
  return parsed.data;
}

function rotate({ file, customerIds, now }: Asked, [whose, from, ...more]: readonly string[]): void {
  if (whose === undefined || more.length > 0) throw new Error(USAGE);
  if (whose !== '--all' && !scopeSchema.safeParse(whose).success) {
    throw new Error(`${whose} is neither the id of a customer nor ${SERVICE_SCOPE} nor --all`);
  }
  const usedFrom = timeIn(from, now);
  const { made } = changeKeyFile(file, (before) => {
    const scopes =
      whose === '--all'
        ? [SERVICE_SCOPE, ...customerIds.filter((id) => destroyedAt(before, id) === undefined)]
        : [whose];
    return withNextKeys(before, scopes, usedFrom);
  });
  for (const id of made) show(`made ${id}, used ${usedFrom === undefined ? 'at once' : `from ${usedFrom}`}`);
}

function main([command, ...args]: readonly string[]): void {
  const { customersFile, keys } = loadKeySettings();
  if (keys === undefined || !('file' in keys)) {
    throw new Error('ENCRYPTION_KEYS_FILE must name the file that the keys are to be in.');
  }
  const customerIds = loadCustomers(customersFile).map(({ id }) => id);
  const asked = { file: keys.file, customerIds, now: toInstant(Date.now()) };
  switch (command) {
    case undefined:
      makeMissing(asked);
      return;
    case 'rotate':
      rotate(asked, args);
      return;
    default:
      throw new Error(USAGE);
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`keys: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
