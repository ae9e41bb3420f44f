import { randomBytes } from 'node:crypto';
import { scopeOfKey } from '../../domain/sealing.js';
import { toMs, type Instant } from '../../domain/time.js';
import { KEY_BYTES, numberOf, type KeyRing } from './key-ring.js';

/* What becomes of the keys: a ring in, another ring out. Nothing that a ring once held is changed. */

export interface Changed {
  ring: KeyRing;
  /** Ids of the keys that were made. */
  made: string[];
}

export function destroyedAt({ destroyed }: KeyRing, scope: string): Instant | undefined {
  return destroyed.find((gone) => gone.scope === scope)?.at;
}

export function keyIdsOf({ keys }: KeyRing, scope: string): string[] {
  return keys.map(({ id }) => id).filter((id) => scopeOfKey(id) === scope);
}

function withNewKey(ring: KeyRing, scope: string, usedFrom?: Instant): Changed {
  const id = `${scope}.${Math.max(0, ...keyIdsOf(ring, scope).map(numberOf)) + 1}`;
  const secret = randomBytes(KEY_BYTES).toString('base64');
  const key = { id, secret, ...(usedFrom === undefined ? {} : { usedFrom }) };
  return { ring: { ...ring, keys: [...ring.keys, key] }, made: [id] };
}

function forEach(ring: KeyRing, scopes: readonly string[], change: (ring: KeyRing, scope: string) => Changed): Changed {
  return scopes.reduce<Changed>(
    (before, scope) => {
      const { ring: next, made } = change(before.ring, scope);
      return { ring: next, made: [...before.made, ...made] };
    },
    { ring, made: [] },
  );
}

/** A key for each scope that has none to encrypt with at `now`, and whose keys were not destroyed. */
export function withMissingKeys(ring: KeyRing, scopes: readonly string[], now: Instant): Changed {
  const lacking = scopes.filter((scope) => {
    const isInUse = ring.keys.some(
      ({ id, usedFrom }) => scopeOfKey(id) === scope && (usedFrom === undefined || toMs(usedFrom) <= toMs(now)),
    );
    return !isInUse && destroyedAt(ring, scope) === undefined;
  });
  return forEach(ring, lacking, (before, scope) => withNewKey(before, scope));
}

/**
 * The next key for each scope, used from then on, or at once.
 *
 * @throws Error where a scope has no key, or its keys were destroyed; nothing is changed then
 */
export function withNextKeys(ring: KeyRing, scopes: readonly string[], usedFrom: Instant | undefined): Changed {
  const problems = scopes.flatMap((scope) => {
    const goneAt = destroyedAt(ring, scope);
    if (goneAt !== undefined) return [`the keys of ${scope} were destroyed at ${goneAt}`];
    return keyIdsOf(ring, scope).length === 0 ? [`${scope} has no key that another could follow`] : [];
  });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return forEach(ring, scopes, (before, scope) => withNewKey(before, scope, usedFrom));
}

/** Without the customer's keys, and with the memory that they were destroyed; as it is where that was so before. */
export function withoutKeysOf(ring: KeyRing, scope: string, at: Instant): KeyRing {
  if (destroyedAt(ring, scope) !== undefined) return ring;
  return {
    keys: ring.keys.filter(({ id }) => scopeOfKey(id) !== scope),
    destroyed: [...ring.destroyed, { scope, at }],
  };
}
