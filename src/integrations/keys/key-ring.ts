import { createSecretKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { customerIdSchema } from '../../domain/customer.js';
import { instantSchema } from '../../domain/time.js';
import { KeyMissing, scopeOfKey, SERVICE_SCOPE } from '../../domain/sealing.js';
import type { Key, Keys } from './keys.js';

export const KEY_BYTES = 32;

export const scopeSchema = z.union([z.literal(SERVICE_SCOPE), customerIdSchema]);

const keySchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}\.[1-9]\d{0,5}$/, 'must be a scope and a number, such as acme.1')
    .refine((id) => scopeSchema.safeParse(scopeOfKey(id)).success, 'must begin with the id of a customer, or _service'),
  secret: z
    .base64('must be base64')
    .refine((text) => Buffer.from(text, 'base64').length === KEY_BYTES, `must be ${KEY_BYTES} bytes in base64`),
  /** From when on it encrypts what is new; so every process can have it before the first does. Without it at once. */
  usedFrom: instantSchema.optional(),
});

/** What the file of keys holds, and the environment likewise. */
export const keyRingSchema = z
  .strictObject({
    keys: z.array(keySchema),
    /** Whose keys have been destroyed, and when: nobody makes them new ones by mistake. */
    destroyed: z.array(z.strictObject({ scope: customerIdSchema, at: instantSchema })).default([]),
  })
  .superRefine(({ keys, destroyed }, context) => {
    const seen = new Set<string>();
    for (const [index, { id }] of keys.entries()) {
      const path = ['keys', index, 'id'];
      if (seen.has(id)) context.addIssue({ code: 'custom', path, message: 'is there twice' });
      if (destroyed.some(({ scope }) => scope === scopeOfKey(id))) {
        context.addIssue({ code: 'custom', path, message: 'belongs to a customer whose keys were destroyed' });
      }
      seen.add(id);
    }
  });

export type KeyRing = z.output<typeof keyRingSchema>;

export function numberOf(keyId: string): number {
  return Number(keyId.slice(keyId.lastIndexOf('.') + 1));
}

/**
 * Says what is wrong by names and places alone.
 *
 * @throws Error without a word of what the text holds: it is secret
 */
export function parseKeyRing(text: string, source: string): KeyRing {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${source}: is no JSON`);
  }
  const parsed = keyRingSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ code, path, message }) => {
    // A field's name may be a secret in the wrong place.
    const why = code === 'unrecognized_keys' ? 'has a field that is not known here' : message;
    return `${path.join('.') || 'the whole'} ${why}`;
  });
  throw new Error(`${source}: ${problems.join('; ')}`);
}

/** @throws Error as `parseKeyRing`, and where the file cannot be read */
export function readKeyRing(file: string): KeyRing {
  return parseKeyRing(readFileSync(file, 'utf8'), file);
}

/** Keys that are all there. */
export function keysOf({ keys, destroyed }: KeyRing, now: () => number = Date.now): Keys {
  const byId = new Map<string, Key>();
  const ofScope = new Map<string, { key: Key; usedFromMs: number }[]>();
  for (const { id, secret, usedFrom } of keys) {
    const key = { id, secret: createSecretKey(secret, 'base64') };
    byId.set(id, key);
    const scope = scopeOfKey(id);
    const usedFromMs = usedFrom === undefined ? 0 : Date.parse(usedFrom);
    ofScope.set(scope, [...(ofScope.get(scope) ?? []), { key, usedFromMs }]);
  }
  for (const list of ofScope.values()) list.sort((one, other) => numberOf(other.key.id) - numberOf(one.key.id));
  const goneAt = new Map(destroyed.map(({ scope, at }) => [scope, at]));
  const missing = (what: string, scope: string, hasNone = false) => {
    const at = goneAt.get(scope);
    return at === undefined
      ? new KeyMissing(what, false, hasNone)
      : new KeyMissing(`the keys of ${scope} were destroyed at ${at}`, true);
  };
  return {
    newest(scope) {
      const found = ofScope.get(scope)?.find(({ usedFromMs }) => usedFromMs <= now());
      if (found !== undefined) return Promise.resolve(found.key);
      return Promise.reject(missing(`there is no key for ${scope} among the keys`, scope, !ofScope.has(scope)));
    },
    named(id) {
      const found = byId.get(id);
      if (found !== undefined) return Promise.resolve(found);
      return Promise.reject(missing(`the key ${id} is not among the keys`, scopeOfKey(id)));
    },
  };
}

/** A key that has been destroyed is forgotten within this. */
const LOOK_EVERY_MS = 2_000;
/** Stands for a file that is not there. */
const AWAY = 'away';

/**
 * Keys in a file, read again when it changes: a new key, or one that was destroyed, needs no restart. A changed file that
 * cannot be read is told once; the keys of before stay.
 *
 * @throws Error where the file cannot be read now
 */
export function keysInFile(file: string, refused: (error: unknown) => void): Keys {
  const stampOf = () => {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  };
  const read = () => {
    const ring = readKeyRing(file);
    if (!ring.keys.some(({ id }) => scopeOfKey(id) === SERVICE_SCOPE)) {
      throw new Error(`${file}: has no key for ${SERVICE_SCOPE}, without which nothing works`);
    }
    return keysOf(ring);
  };
  let stamp = stampOf();
  let keys = read();
  let lookedAtMs = performance.now();
  const lookAgain = () => {
    lookedAtMs = performance.now();
    const before = stamp;
    try {
      stamp = AWAY;
      stamp = stampOf();
      if (stamp !== before) keys = read();
    } catch (error) {
      if (stamp !== before) refused(error);
    }
  };
  /** What another process has encrypted with a key that is newer than our last look. */
  const withSecondLook = async (find: () => Promise<Key>): Promise<Key> => {
    if (performance.now() - lookedAtMs > LOOK_EVERY_MS) lookAgain();
    try {
      return await find();
    } catch {
      lookAgain();
      return find();
    }
  };
  return {
    newest: (scope) => withSecondLook(() => keys.newest(scope)),
    named: (id) => withSecondLook(() => keys.named(id)),
  };
}
