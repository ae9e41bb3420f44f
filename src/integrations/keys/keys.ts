import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import { SealBroken, type Sealing } from '../../domain/sealing.js';

export interface Key {
  /** Such as `acme.2`: the second key of the scope `acme`. It stands beside what is encrypted with it. */
  id: string;
  /** Of AES-256. */
  secret: KeyObject;
}

/** Where keys come from: a file, the environment, or a service that keeps keys. */
export interface Keys {
  /** The key for what is new. @throws KeyMissing */
  newest(scope: string): Promise<Key>;
  /** The key for what was encrypted with it. @throws KeyMissing */
  named(id: string): Promise<Key>;
}

const ALGORITHM = 'aes-256-gcm';
/** NIST SP 800-38D: 96 bits, random, never twice with one key; that holds for some 4,000,000,000 of them. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM: nonce, ciphertext, tag. The key's name is authenticated with it. */
export function createSealing(keys: Keys): Sealing {
  return {
    async seal(scope, plain) {
      const { id, secret } = await keys.newest(scope);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(id));
      return { keyId: id, bytes: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
    },
    async open({ keyId, bytes }) {
      const { secret } = await keys.named(keyId);
      const end = bytes.length - TAG_BYTES;
      if (end < NONCE_BYTES) throw new SealBroken(`what is said to be encrypted with the key ${keyId} is too short`);
      const decipher = createDecipheriv(ALGORITHM, secret, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(keyId)).setAuthTag(bytes.subarray(end));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
      } catch {
        throw new SealBroken(`the key ${keyId} is not the one that this was encrypted with, or it was changed since`);
      }
    },
  };
}
