import { createHash, createSecretKey } from 'node:crypto';
import { createSealing, type Keys } from '../../src/integrations/keys/keys.js';
import { dataConverterOf } from '../../src/temporal/data-converter.js';

/*
 * Whatever tests keep at Temporal is encrypted as in operation: a key for every customer that a test makes up, the same in
 * every process.
 */

function keyOf(scope: string): ReturnType<Keys['newest']> {
  const secret = createSecretKey(createHash('sha256').update(`test key of ${scope}`).digest());
  return Promise.resolve({ id: `${scope}.1`, secret });
}

export const testSealing = createSealing({ newest: keyOf, named: (id) => keyOf(id.slice(0, id.lastIndexOf('.'))) });

export const testConverter = dataConverterOf(testSealing);

/** For what is to be read without keys. */
export const plainConverter = dataConverterOf(undefined);
