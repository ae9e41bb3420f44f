import { decodeUnnamed, isPlainAscii, latin1 } from './charset.js';

const LF = 0x0a;
const CR = 0x0d;

/** Longer ones are cut: no header that is read here means anything at that length. */
const MAX_VALUE_BYTES = 65_536;
const NAME = /^([!-9;-~]{1,76})[ \t]*:/;

export interface Headers {
  /** The raw values by lower-cased name, in the order of the mail. */
  all(name: string): readonly string[];
  /** The first one: that is what a header that must be unique means in every program that was looked at. */
  first(name: string): string;
  has(name: string): boolean;
}

/** The names that somebody here asks for. The others are passed over, so that a mail of a million of them costs nothing. */
const WANTED: ReadonlySet<string> = new Set([
  'authentication-results',
  'auto-submitted',
  'cc',
  'content-disposition',
  'content-transfer-encoding',
  'content-type',
  'date',
  'delivered-to',
  'envelope-to',
  'from',
  'in-reply-to',
  'list-id',
  'message-id',
  'precedence',
  'references',
  'resent-to',
  'return-path',
  'subject',
  'to',
  'x-auto-response-suppress',
  'x-autoreply',
  'x-autorespond',
  'x-envelope-to',
  'x-failed-recipients',
  'x-mimamori-kind',
  'x-ms-exchange-message-is-ndr',
  'x-original-to',
  // Of a delivery report's own fields (RFC 3464).
  'action',
  'diagnostic-code',
  'final-recipient',
  'original-recipient',
  'status',
]);

export interface HeaderBlock {
  headers: Headers;
  /** Where the body begins. */
  end: number;
}

/**
 * Reads the header lines from `start` to the first empty line. A value is text: folded lines are joined, and raw bytes outside ASCII,
 * which no mail should have and many Japanese ones do, are decoded. `isEnd` tells a line that is none of them, where the empty
 * line is missing.
 */
export function readHeaders(
  raw: Uint8Array,
  start: number,
  limit: number,
  isEnd: (start: number, end: number) => boolean,
): HeaderBlock {
  const values = new Map<string, string[]>();
  let at = start;
  let open: { name: string; parts: Uint8Array[]; length: number } | null = null;
  let isAny = false;
  const close = (): void => {
    if (open === null) return;
    const bytes = open.parts.length === 1 ? (open.parts[0] ?? new Uint8Array()) : Buffer.concat(open.parts);
    const list = values.get(open.name) ?? [];
    if (list.length === 0) values.set(open.name, list);
    list.push(isPlainAscii(bytes) ? latin1(bytes).trim() : decodeUnnamed(bytes).trim());
    open = null;
  };
  while (at < limit) {
    const found = raw.indexOf(LF, at);
    const next = found < 0 || found >= limit ? limit : found + 1;
    const end = found < 0 || found >= limit ? limit : raw[found - 1] === CR && found > at ? found - 1 : found;
    if (end === at) {
      at = next;
      break;
    }
    if (isEnd(at, end)) break;
    if (raw[at] === 0x20 || raw[at] === 0x09) {
      if (open !== null && open.length < MAX_VALUE_BYTES) {
        open.parts.push(raw.subarray(at, Math.min(end, at + MAX_VALUE_BYTES)));
        open.length += end - at;
      }
    } else {
      close();
      const name = NAME.exec(latin1(raw.subarray(at, Math.min(end, at + 80))));
      isAny ||= name !== null;
      const key = name?.[1]?.toLowerCase() ?? '';
      if (name !== null && WANTED.has(key)) {
        const from = at + name[0].length;
        const value = raw.subarray(from, Math.min(end, from + MAX_VALUE_BYTES));
        open = { name: key, parts: [value], length: value.length };
      }
    }
    at = next;
  }
  close();
  return {
    headers: {
      all: (name) => values.get(name) ?? [],
      first: (name) => values.get(name)?.[0] ?? '',
      has: (name) => values.has(name),
    },
    // Text without a single header is a body that lost its head.
    end: isAny ? at : start,
  };
}
