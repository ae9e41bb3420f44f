import { latin1 } from './charset.js';
import { readHeaders, type Headers } from './headers.js';
import { readStructured, type Structured } from './structured.js';

/*
 * The parts of a MIME mail. postal-mime gives up a mail whole at a depth of 256, or at 2 MiB of headers, and does not give the bytes of
 * a text that it has decoded by the wrong name of an encoding; so the parts are found here: without recursion, one look at each line
 * that begins with two hyphens, and what is damaged is read as far as it goes.
 */

export interface Part {
  type: Structured;
  disposition: Structured;
  headers: Headers;
  /** Content-Transfer-Encoding. */
  transfer: string;
  /** As they stand in the mail: not decoded. */
  bytes: Uint8Array;
  /** The outermost multipart/alternative it is in: of all the parts with this number, one is to be read. */
  alternative: number | null;
}

export interface Parts {
  headers: Headers;
  /** The mail's own type. */
  type: Structured;
  /** Those that are not multipart, in order. */
  leaves: Part[];
  /** The types of the multiparts, e.g. `multipart/signed`. */
  multiparts: ReadonlySet<string>;
  /** There are more than are read. */
  isLeftOut: boolean;
  /** A multipart of which no part can be found. */
  isDamaged: boolean;
}

const MAX_LEAVES = 1_000;
/** RFC 2046 allows 70. */
const MAX_BOUNDARY = 1_000;
const LF = 0x0a;
const CR = 0x0d;
const HYPHEN = 0x2d;
const DELIMITER = Buffer.from('\n--');

interface Open {
  boundary: string;
  alternative: number | null;
  /** In multipart/digest a part without a type is a mail. */
  defaultType: string;
}

interface Entity {
  type: Structured;
  headers: Headers;
  bodyStart: number;
}

export function findParts(raw: Uint8Array): Parts {
  const found: Parts = {
    headers: readHeaders(raw, 0, 0, () => false).headers,
    type: readStructured(''),
    leaves: [],
    multiparts: new Set(),
    isLeftOut: false,
    isDamaged: false,
  };
  const multiparts = new Set<string>();
  const open: Open[] = [];
  /** How many of the open multiparts have this boundary, so that a line is judged by one look. */
  const places = new Map<string, number[]>();

  const begin = (start: number): Entity => {
    const parent = open.at(-1);
    const { headers, end } = readHeaders(
      raw,
      start,
      raw.length,
      (from, to) => boundaryAt(raw, from, to, places) !== null,
    );
    const type = readStructured(headers.first('content-type'));
    const named = type.value.includes('/') ? type : { ...type, value: parent?.defaultType ?? 'text/plain' };
    return { type: named, headers, bodyStart: end };
  };
  /** A multipart is opened; anything else stays the entity that the lines belong to. */
  const enter = (entity: Entity): boolean => {
    const boundary = entity.type.params.get('boundary') ?? '';
    if (!entity.type.value.startsWith('multipart/')) return false;
    multiparts.add(entity.type.value);
    if (boundary === '' || boundary.length > MAX_BOUNDARY) return false;
    const parent = open.at(-1);
    const own = entity.type.value === 'multipart/alternative' ? entity.bodyStart : null;
    open.push({
      boundary,
      alternative: parent?.alternative ?? own,
      defaultType: entity.type.value === 'multipart/digest' ? 'message/rfc822' : 'text/plain',
    });
    const list = places.get(boundary) ?? [];
    places.set(boundary, list);
    list.push(open.length - 1);
    return true;
  };
  const leaveTo = (depth: number): void => {
    while (open.length > depth) {
      const boundary = open.pop()?.boundary ?? '';
      const list = places.get(boundary);
      list?.pop();
      if (list?.length === 0) places.delete(boundary);
    }
  };
  const keep = (entity: Entity, end: number): void => {
    if (found.leaves.length >= MAX_LEAVES) {
      found.isLeftOut = true;
      return;
    }
    const isMultipart = entity.type.value.startsWith('multipart/');
    found.isDamaged ||= isMultipart;
    found.leaves.push({
      // A multipart without parts: whatever is there is shown as text.
      type: isMultipart ? readStructured('text/plain') : entity.type,
      disposition: readStructured(entity.headers.first('content-disposition')),
      headers: entity.headers,
      transfer: isMultipart ? '' : readStructured(entity.headers.first('content-transfer-encoding')).value,
      bytes: raw.subarray(entity.bodyStart, Math.max(entity.bodyStart, end)),
      alternative: open.at(-1)?.alternative ?? null,
    });
  };

  const root = begin(firstHeader(raw));
  found.headers = root.headers;
  found.type = root.type;
  let current: Entity | null = root;
  let isOpened = enter(root);
  // The line break before a delimiter belongs to it, and may be that of the empty line above.
  let at = Math.max(0, root.bodyStart - 1);
  while (places.size > 0) {
    const hit = indexOf(raw, DELIMITER, at);
    if (hit < 0) break;
    const line = endOfLine(raw, hit + 1);
    const boundary = boundaryAt(raw, hit + 1, line.end, places);
    if (boundary === null) {
      at = line.end;
      continue;
    }
    // What stands before the first part and behind the last is for programs that do not know MIME; where a multipart has no
    // part at all, it is everything there is.
    const isPreamble = isOpened && boundary.depth === open.length - 1;
    if (current !== null && !isPreamble) keep(current, raw[hit - 1] === CR ? hit - 1 : hit);
    current = null;
    isOpened = false;
    if (boundary.isClosing) {
      leaveTo(boundary.depth);
      at = line.end;
      continue;
    }
    leaveTo(boundary.depth + 1);
    current = begin(line.next);
    isOpened = enter(current);
    at = current.bodyStart - 1;
  }
  if (current !== null) keep(current, raw.length);
  return { ...found, multiparts };
}

/** Some mailboxes put mbox's `From ` line, or an empty one, before the headers. */
function firstHeader(raw: Uint8Array): number {
  let at = 0;
  while (raw[at] === LF || raw[at] === CR) at++;
  return latin1(raw.subarray(at, at + 5)) === 'From ' ? endOfLine(raw, at).next : at;
}

function indexOf(raw: Uint8Array, what: Buffer, from: number): number {
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).indexOf(what, from);
}

function endOfLine(raw: Uint8Array, from: number): { end: number; next: number } {
  const lf = raw.indexOf(LF, from);
  if (lf < 0) return { end: raw.length, next: raw.length };
  return { end: lf > from && raw[lf - 1] === CR ? lf - 1 : lf, next: lf + 1 };
}

function boundaryAt(
  raw: Uint8Array,
  start: number,
  end: number,
  places: ReadonlyMap<string, readonly number[]>,
): { depth: number; isClosing: boolean } | null {
  if (end - start > MAX_BOUNDARY + 10 || raw[start] !== HYPHEN || raw[start + 1] !== HYPHEN) return null;
  const line = latin1(raw.subarray(start + 2, end)).trimEnd();
  const depth = places.get(line)?.at(-1);
  if (depth !== undefined) return { depth, isClosing: false };
  const closed = line.endsWith('--') ? places.get(line.slice(0, -2))?.at(-1) : undefined;
  return closed === undefined ? null : { depth: closed, isClosing: true };
}
