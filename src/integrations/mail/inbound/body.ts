import { decodeBytes } from './charset.js';
import { unflow } from './flowed.js';
import { htmlToText } from './html.js';
import type { Part } from './parts.js';
import { fileName } from './structured.js';
import { decodeTransfer } from './transfer.js';

/** As much as is decoded at all; HTML has its pictures and styles in between. */
const MAX_TEXT_BYTES = 1_000_000;
const MAX_HTML_BYTES = 4_000_000;

export interface Body {
  text: string;
  isCut: boolean;
}

/** Whether a part is to be read; otherwise it is a file. */
export function isText({ type, disposition }: Part): boolean {
  if (type.value !== 'text/plain' && type.value !== 'text/html') return false;
  return disposition.value !== 'attachment' && !disposition.params.has('filename');
}

/**
 * The words of a mail: its text parts one after the other, for Apple Mail cuts a text where a picture stands in it. Of an
 * alternative the plain text, unless there is nothing in it.
 */
export function bodyOf(leaves: readonly Part[]): Body {
  const texts = leaves.filter(isText);
  const out: string[] = [];
  let isCut = false;
  let left = { plain: MAX_TEXT_BYTES, html: MAX_HTML_BYTES };
  const read = (part: Part): string => {
    const isHtml = part.type.value === 'text/html';
    const limit = isHtml ? left.html : left.plain;
    const bytes = decodeTransfer(part.bytes.subarray(0, limit * 3), part.transfer).subarray(0, limit);
    isCut ||= part.bytes.length > limit * 3 || bytes.length === limit;
    left = isHtml ? { ...left, html: limit - bytes.length } : { ...left, plain: limit - bytes.length };
    const text = decodeBytes(bytes, part.type.params.get('charset') ?? '').replace(/\r\n?/g, '\n');
    return isHtml ? htmlToText(text) : plainText(part, text);
  };
  const seen = new Set<number>();
  for (const part of texts) {
    if (part.alternative === null) {
      out.push(read(part));
      continue;
    }
    if (seen.has(part.alternative)) continue;
    seen.add(part.alternative);
    const choices = texts.filter(({ alternative }) => alternative === part.alternative);
    const [plain, html] = ['text/plain', 'text/html'].map((type) => choices.filter((one) => one.type.value === type));
    const words = (plain ?? []).map(read).join('\n');
    out.push(words.trim() === '' ? (html ?? []).map(read).join('\n') : words);
  }
  return { text: out.filter((text) => text.trim() !== '').join('\n\n'), isCut };
}

function plainText({ type }: Part, text: string): string {
  const isFlowed = type.params.get('format')?.toLowerCase() === 'flowed';
  return isFlowed ? unflow(text, type.params.get('delsp')?.toLowerCase() === 'yes') : text;
}

/** NUL and its like mean nothing in a text and are refused by those who keep it; the line breaks and tabs stay. */
export function withoutControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '');
}

/** What came with it, and is not opened. */
export function filesOf(leaves: readonly Part[]): Part[] {
  return leaves.filter((part) => !isText(part) && (part.type.value !== 'text/calendar' || hasName(part)));
}

function hasName(part: Part): boolean {
  return part.disposition.value === 'attachment' || fileName(part.disposition, part.type) !== '';
}
