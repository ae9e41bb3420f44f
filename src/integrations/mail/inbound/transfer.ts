import { latin1 } from './charset.js';

/** Content-Transfer-Encoding. What is not valid is passed over, so that a damaged mail is read as far as it goes. */
export function decodeTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return decodeBase64(bytes);
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes);
    default:
      return bytes;
  }
}

export function isKnownTransfer(encoding: string): boolean {
  return ['', '7bit', '8bit', 'binary', 'base64', 'quoted-printable'].includes(encoding.trim().toLowerCase());
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIX_BITS = new Int8Array(256).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) SIX_BITS[ALPHABET.charCodeAt(value)] = value;
const EQUALS = 0x3d;

/** Node's own decoder is the faster one, but ends at the first `=`; programs that encode line by line have more of them. */
export function decodeBase64(bytes: Uint8Array): Uint8Array {
  const padding = bytes.indexOf(EQUALS);
  if (padding < 0 || padding > bytes.length - 8) return Buffer.from(latin1(bytes), 'base64');
  const out = new Uint8Array(Math.ceil((bytes.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    if (byte === EQUALS) {
      held = 0;
      continue;
    }
    const value = SIX_BITS[byte] ?? -1;
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[length++] = (bits >> held) & 0xff;
    }
  }
  return out.subarray(0, length);
}

const LF = 0x0a;
const CR = 0x0d;

export function decodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== EQUALS) {
      out[length++] = byte;
      continue;
    }
    const next = skipBlanks(bytes, at + 1);
    if (bytes[next] === LF || (bytes[next] === CR && bytes[next + 1] === LF) || next >= bytes.length) {
      at = bytes[next] === CR ? next + 1 : next;
      continue;
    }
    const high = hex(bytes[at + 1]);
    const low = hex(bytes[at + 2]);
    if (high < 0 || low < 0) {
      out[length++] = byte;
      continue;
    }
    out[length++] = (high << 4) | low;
    at += 2;
  }
  return out.subarray(0, length);
}

/** A soft line break may have blanks behind it that a relay has added; a few, so that no line is looked at twice. */
function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < from + 8 && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  return at;
}

function hex(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
