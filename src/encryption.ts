import type { Logger } from 'pino';
import type { KeySource } from './config.js';
import type { Customer } from './domain/customer.js';
import { KeyMissing, SERVICE_SCOPE, type Sealing } from './domain/sealing.js';
import { keysInFile, keysOf, parseKeyRing } from './integrations/keys/key-ring.js';
import { createSealing, type Keys } from './integrations/keys/keys.js';

export interface Encryption {
  sealing: Sealing;
  /** @throws Error that names every customer without a key: nothing of theirs could be kept */
  check: (customers: readonly Customer[]) => Promise<void>;
}

/** What encrypts and decrypts, by the keys that the settings name; undefined where they name none. */
export function encryptionOf(source: KeySource | undefined, log: Pick<Logger, 'error'>): Encryption | undefined {
  if (source === undefined) return undefined;
  return encryptionBy(
    'file' in source
      ? keysInFile(source.file, (error) =>
          log.error({ err: error }, 'the changed file of keys is refused; the keys of before stay'),
        )
      : keysOf(parseKeyRing(source.text, 'ENCRYPTION_KEYS')),
  );
}

export function encryptionBy(keys: Keys): Encryption {
  const problemOf = (scope: string) =>
    keys.newest(scope).then(
      () => [],
      (error: unknown) => {
        if (error instanceof KeyMissing) return [error.message];
        throw error;
      },
    );
  return {
    sealing: createSealing(keys),
    async check(customers) {
      const scopes = [SERVICE_SCOPE, ...customers.map(({ id }) => id)];
      const problems = (await Promise.all(scopes.map(problemOf))).flat();
      if (problems.length === 0) return;
      throw new Error(
        `Not everything can be encrypted: ${problems.join('; ')}. \`npm run keys\` makes what is missing.`,
      );
    },
  };
}
