import { decodeBytes } from './charset.js';
import { decodeWords } from './words.js';

/** Comments away (RFC 5322 3.2.2: nested, and not inside quotes). One that is never closed is no comment. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let out = '';
  let depth = 0;
  let isQuoted = false;
  let opened = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const pair = character === '\\' ? text.slice(at, at + 2) : character;
    if (pair.length === 2) at++;
    else if (character === '"' && depth === 0) isQuoted = !isQuoted;
    else if (character === '(' && !isQuoted) {
      if (depth === 0) opened = text.slice(at);
      depth++;
      continue;
    } else if (character === ')' && depth > 0) {
      depth--;
      if (depth === 0) out += ' ';
      continue;
    }
    if (depth === 0) out += pair;
  }
  return depth > 0 ? out + opened : out;
}

/** Splits where a separator is outside quotes. */
export function splitOutsideQuotes(text: string, separator: ';' | ' '): string[] {
  const out: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && isQuoted) at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      out.push(text.slice(start, at));
      start = at + 1;
    }
  }
  out.push(text.slice(start));
  return out;
}

export function unquote(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith('"') ? trimmed.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : trimmed;
}

export interface Structured {
  /** Lower-cased, e.g. `text/plain`. */
  value: string;
  /** By lower-cased name; the first of several. */
  params: ReadonlyMap<string, string>;
}

const MAX_PARAMS = 100;

/** `value; name=value; …`, with the continuations and charsets of RFC 2231. */
export function readStructured(header: string): Structured {
  const [value = '', ...rest] = splitOutsideQuotes(withoutComments(header), ';').slice(0, MAX_PARAMS);
  const plain = new Map<string, string>();
  const sections = new Map<string, { index: number; isEncoded: boolean; text: string }[]>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    const text = unquote(part.slice(equals + 1));
    const [, base, index, star] = /^([^*]{1,60})(?:\*(\d{1,3}))?(\*)?$/.exec(name) ?? [];
    if (base === undefined) continue;
    if (index === undefined && star === undefined) {
      if (!plain.has(base)) plain.set(base, text);
      continue;
    }
    const list = sections.get(base) ?? [];
    sections.set(base, list);
    list.push({ index: Number(index ?? 0), isEncoded: star !== undefined, text });
  }
  for (const [name, list] of sections) plain.set(name, joinSections(list));
  return { value: value.trim().toLowerCase().slice(0, 200), params: plain };
}

function joinSections(sections: { index: number; isEncoded: boolean; text: string }[]): string {
  const ordered = [...sections].sort((a, b) => a.index - b.index);
  const first = ordered[0];
  const [, charset = '', start = ''] =
    first?.isEncoded === true ? (/^([^']{0,75})'[^']*'([\s\S]*)$/.exec(first.text) ?? ['', '', first.text]) : [];
  const bytes = ordered.map(({ isEncoded, text }, index) => {
    const own = index === 0 && isEncoded ? start : text;
    return isEncoded ? percentBytes(own) : Buffer.from(own, 'utf8');
  });
  return decodeBytes(Buffer.concat(bytes), charset);
}

function percentBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return Buffer.from(
    bytes.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    'latin1',
  );
}

/** The name that a part gives its file; programs write it in two headers and three ways. */
export function fileName(disposition: Structured, type: Structured): string {
  return decodeWords(disposition.params.get('filename') ?? type.params.get('name') ?? '');
}
