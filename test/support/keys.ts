import { createHash, createSecretKey } from 'node:crypto';
import { createSealing, type Keys } from '../../src/integrations/keys/keys.js';
import { dataConverterOf } from '../../src/temporal/data-converter.js';

/*
 * Whatever tests keep at Temporal is encrypted as in operation: a key for every customer that a test makes up, the same in
 * every process.
 */

function secretOf(scope: string): Buffer {
  return createHash('sha256').update(`test key of ${scope}`).digest();
}

/** The same keys, as the setting ENCRYPTION_KEYS has them. */
export function testKeyRing(...scopes: string[]): string {
  return JSON.stringify({
    keys: scopes.map((scope) => ({ id: `${scope}.1`, secret: secretOf(scope).toString('base64') })),
  });
}

function keyOf(scope: string): ReturnType<Keys['newest']> {
  const secret = createSecretKey(secretOf(scope));
  return Promise.resolve({ id: `${scope}.1`, secret });
}

export const testSealing = createSealing({ newest: keyOf, named: (id) => keyOf(id.slice(0, id.lastIndexOf('.'))) });

export const testConverter = dataConverterOf(testSealing);

/** For what is to be read without keys. */
export const plainConverter = dataConverterOf(undefined);
