import type { Customer } from '../../src/domain/customer.js';
import { SERVICE_SCOPE } from '../../src/domain/sealing.js';
import { toInstant } from '../../src/domain/time.js';
import { changeKeyFile } from '../../src/integrations/keys/key-file.js';
import { withMissingKeys } from '../../src/integrations/keys/ring-changes.js';

/** The file of keys that the service runs with where the caller has none: made once, and with what is missing since. */
export function ownKeys(file: string, customers: readonly Customer[]): string {
  const scopes = [SERVICE_SCOPE, ...customers.map(({ id }) => id)];
  changeKeyFile(file, (ring) => withMissingKeys(ring, scopes, toInstant(Date.now())));
  return file;
}
