import { createHash } from 'node:crypto';
import type { Headers } from './headers.js';
import type { Part } from './parts.js';
import { decodeTransfer } from './transfer.js';
import { decodeWords } from './words.js';

const IDENTIFYING = ['message-id', 'from', 'subject', 'date'] as const;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Tells one mail from another: of what its sender wrote, not of what servers on the way add, fold or encode anew. The same mail that
 * came two ways has one key; another mail under the same Message-ID, which anybody can send, has its own.
 */
export function keyOf(headers: Headers, leaves: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const name of IDENTIFYING) hash.update(`${name}:${decodeWords(headers.first(name)).replace(/\s+/g, ' ')}\n`);
  for (const { type, bytes, transfer } of leaves) {
    const content = decodeTransfer(bytes, transfer);
    const own = type.value.startsWith('text/') ? withUnixLines(content) : content;
    hash.update(`${type.value}:${own.length}\n`).update(own);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Servers change line ends, and add or drop empty lines at the end. */
function withUnixLines(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== CR || bytes[at + 1] !== LF) out[length++] = byte;
  }
  while (length > 0 && out[length - 1] === LF) length--;
  return out.subarray(0, length);
}
