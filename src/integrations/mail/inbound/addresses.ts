import { addressParser } from 'postal-mime';
import { LIMITS } from '../../../domain/customer-mail/mail.js';
import { oneLine } from '../../../domain/text.js';
import type { Headers } from './headers.js';
import { withoutComments } from './structured.js';
import { decodeWords, wordsInUtf8 } from './words.js';

export interface MailAddress {
  address: string;
  name: string;
}

/** Where a mail says to whom it went: its own headers, and what servers note of the envelope. */
const RECIPIENT_HEADERS = [
  'to',
  'cc',
  'resent-to',
  'delivered-to',
  'x-original-to',
  'envelope-to',
  'x-envelope-to',
] as const;
const MAX_RECIPIENTS = 200;
/** One sender takes no more; what is longer hides something. */
const MAX_FROM_LENGTH = 2_000;

/** Nothing that a reader could take for another address: no blanks, brackets, control characters, or second `@`. */
const ADDRESS = /^[^\s@<>()[\],;:\\"\p{Cc}\p{Cf}]{1,128}@[^\s@<>()[\],;:\\"\p{Cc}\p{Cf}]{1,190}$/u;

/** Lower-cased, or null for what is no address. */
export function toAddress(text: string): string | null {
  const address = text.trim().toLowerCase();
  return ADDRESS.test(address) ? address : null;
}

export function recipientsOf(headers: Headers): string[] {
  const found = new Set<string>();
  for (const name of RECIPIENT_HEADERS) {
    for (const value of headers.all(name)) {
      for (const address of addressesIn(value)) {
        found.add(address);
        if (found.size >= MAX_RECIPIENTS) return [...found];
      }
    }
  }
  return [...found];
}

/** The addresses of a list, without names. */
export function addressesIn(value: string): string[] {
  return addressParser(wordsInUtf8(value), { flatten: true }).flatMap(({ address }) => toAddress(address ?? '') ?? []);
}

export type Sender = { from: MailAddress; problem: null } | { from: null; problem: 'no-from' | 'several-from' };

/**
 * Who wrote it, if that is one address and everybody reads the same one. Two From headers, two addresses in one, a group, or an address that
 * only appears once encoded words are decoded: programs differ in which of them they show and check, which is what forgers use.
 */
export function senderOf(headers: Headers): Sender {
  const values = headers.all('from');
  const [value = ''] = values;
  if (values.length > 1 || value.length > MAX_FROM_LENGTH) return { from: null, problem: 'several-from' };
  // Names in quotes and comments may hold anything, also what looks like an address.
  const bare = withoutComments(value).replace(/"(?:[^"\\]|\\.)*"(?!@)/g, ' ');
  const outside = bare.replace(/<[^<>]*>/g, ' ');
  const bracketed = [...bare.matchAll(/<([^<>]*)>/g)].map((match) => match[1] ?? '');
  // An address before the brackets is a name; one of its own, behind a comma, is a second sender.
  const mailboxes = bare.split(/[,;]/).filter((mailbox) => mailbox.replace(/=\?\S*\?=/g, '').includes('@'));
  if (mailboxes.length > 1 || bracketed.length > 1 || /[<>:]/.test(outside))
    return { from: null, problem: 'several-from' };
  const plain = outside.split(/\s+/).filter((token) => token.includes('@') && !token.startsWith('=?'));
  const candidates = bracketed.length > 0 ? bracketed : plain;
  if (candidates.length > 1) return { from: null, problem: 'several-from' };
  const address = toAddress((candidates[0] ?? '').replace(/^"([^"\s]*)"@/, '$1@'));
  if (address === null) return { from: null, problem: 'no-from' };
  return { from: { address, name: oneLine(nameIn(value, bare), LIMITS.name) }, problem: null };
}

/** The display name: what stands before the brackets, else the comment behind the address. */
function nameIn(value: string, bare: string): string {
  const before = value.slice(0, Math.max(0, value.lastIndexOf('<'))).trim();
  const comment = bare.includes('<') ? '' : (/\(([^()]*)\)\s*$/.exec(value)?.[1] ?? '');
  const raw = before === '' ? comment : before;
  const unquoted = raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw;
  return decodeWords(unquoted);
}
