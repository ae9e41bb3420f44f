import { decodeBytes } from './charset.js';
import { decodeBase64, decodeQuotedPrintable } from './transfer.js';

const WORD = /=\?([^?\s]{1,75})\?([bq])\?([^?]*)\?=/gi;

/**
 * RFC 2047. Neighbouring words of one charset are decoded together: many programs split in the middle of a character, and
 * between an escape of ISO-2022-JP and what it is for.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  const out: string[] = [];
  let charset = '';
  let held: Uint8Array[] = [];
  let end = 0;
  const release = (): void => {
    if (held.length > 0) out.push(decodeBytes(Buffer.concat(held), charset));
    held = [];
  };
  for (const match of text.matchAll(WORD)) {
    const [whole, label = '', encoding = '', content = ''] = match;
    const between = text.slice(end, match.index);
    // The language that RFC 2231 allows behind the charset says nothing about the bytes.
    const name = (label.split('*')[0] ?? '').toLowerCase();
    if (held.length === 0 || between.trim() !== '' || name !== charset) {
      release();
      if (end === 0 || between.trim() !== '') out.push(between);
    }
    charset = name;
    held.push(bytesOf(encoding, content));
    end = match.index + whole.length;
  }
  release();
  out.push(text.slice(end));
  return out.join('');
}

function bytesOf(encoding: string, content: string): Uint8Array {
  const bytes = Buffer.from(content, 'latin1');
  return encoding.toLowerCase() === 'b'
    ? decodeBase64(bytes)
    : decodeQuotedPrintable(bytes.map((byte) => (byte === 0x5f ? 0x20 : byte)));
}

/** The same words in UTF-8 only, for postal-mime's reader of addresses, which knows fewer encodings than there are. */
export function wordsInUtf8(text: string): string {
  return text.replace(/=\?[^?\s]{1,75}\?[bq]\?[^?]*\?=(?:\s+=\?[^?\s]{1,75}\?[bq]\?[^?]*\?=)*/gi, (words) => {
    const decoded = decodeWords(words);
    return `=?UTF-8?B?${Buffer.from(decoded, 'utf8').toString('base64')}?=`;
  });
}
