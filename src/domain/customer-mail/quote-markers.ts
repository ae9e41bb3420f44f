import { customerWords } from '../templates/words/index.js';

/** How mail programs begin what they quote. Nothing here decides whether what follows was quoted: see `quoted.ts`. */

/** A person's paragraph on one line can be long; a program's line before a quote is not. */
const MAX_MARKER_LENGTH = 400;
/** Labels, folded lists of recipients and blank lines between them. */
const HEADER_BLOCK_LINES = 14;

/** `>` as plain text has it, in either width. */
export function isPrefixed(line: string): boolean {
  return /^[ \t\u3000]{0,3}[>＞]/.test(line);
}

export function isBlank(line: string): boolean {
  return line.trim() === '';
}

const DIVIDERS = [
  'original (?:message|appointment)',
  'forwarded message',
  'reply message',
  'forwarded by .{1,200}',
  '(?:元|オリジナル)の?メッセージ',
  '転送(?:された)?メッセージ',
  '返信メッセージ',
];
const DIVIDER = new RegExp(`^-{2,20}\\s{0,3}(?:${DIVIDERS.join('|')})\\s{0,3}-{2,20}$`, 'i');
const BARE_DIVIDER = /^(?:Begin forwarded message|転送されたメッセージ)\s?[:：]$/i;
const OWN_TITLES: ReadonlySet<string> = new Set(
  Object.values(customerWords).flatMap(({ titles }) => Object.values(titles).map((title) => `【${title}】`)),
);

const FROM = /^\*{0,2}(?:From|差出人|送信者|送信元)\s?\*{0,2}\s?[:：]/i;
const LABELS = {
  date: /(?:^|[\s\u3000])\*{0,2}(?:Sent|Date|送信日時|送信日|日時|日付)\s?\*{0,2}\s?[:：]/im,
  to: /(?:^|[\s\u3000])\*{0,2}(?:To|宛先|Cc)\s?\*{0,2}\s?[:：]/im,
  subject: /(?:^|[\s\u3000])\*{0,2}(?:Subject|件名|題名)\s?\*{0,2}\s?[:：]/im,
};
const LABEL =
  /^\*{0,2}(?:From|Sent|Date|To|Cc|Bcc|Reply-To|Subject|Importance|Attachments|Message-ID|差出人|送信者|送信元|送信日時|送信日|日時|日付|宛先|件名|題名|重要度|添付ファイル)\s?\*{0,2}\s?[:：]/i;

/**
 * How many lines from here are the head of a mail that is given whole below: a divider, Outlook's block of `From:`, `Sent:`,
 * `To:`, `Subject:` (or 差出人, 送信日時, 宛先, 件名; with Outlook's rule above it), or the title of one of this service's own mails.
 * 0 for none. The block must name a sender, a date, and a recipient or subject: a person may write any one of them.
 */
export function headLength(lines: readonly string[], at: number): number {
  const line = trimmedAt(lines, at);
  if (line === '' || line.length > MAX_MARKER_LENGTH) return 0;
  if (OWN_TITLES.has(line)) return 1;
  const ahead = DIVIDER.test(line) || BARE_DIVIDER.test(line) ? 1 : 0;
  if (ahead === 0 && !/^_{20,}$/.test(line)) return blockLength(lines, at);
  const next = skipBlank(lines, at + 1);
  const block = blockLength(lines, next);
  return block > 0 ? next - at + block : ahead;
}

function blockLength(lines: readonly string[], at: number): number {
  if (!FROM.test(trimmedAt(lines, at))) return 0;
  const window = lines.slice(at, at + HEADER_BLOCK_LINES).map((line) => line.slice(0, MAX_MARKER_LENGTH * 2).trim());
  // The block ends at a blank line, unless the labels go on below it: HTML mails have every label in a paragraph of its own.
  const end = window.findIndex(
    (line, index) => line === '' && !LABEL.test(window.slice(index).find((below) => below !== '') ?? ''),
  );
  const block = end < 0 ? window : window.slice(0, end);
  const text = block.join('\n');
  if (!LABELS.date.test(text) || !(LABELS.to.test(text) || LABELS.subject.test(text))) return 0;
  return block.length - [...block].reverse().findIndex((line) => LABEL.test(line));
}

const DATE = String.raw`\d{4}\s?[年/.-]\s?\d{1,2}\s?[月/.-]\s?\d{1,2}`;
const ATTRIBUTIONS = [
  // Gmail, Apple Mail and Thunderbird in Japanese.
  new RegExp(`^${DATE}.{0,300}(?:[:：]|書きました。?)$`),
  /書きました\s?[:：。]?$/,
  // The same in English.
  /\s(?:wrote|writes)\s?[:：]$/i,
  // Any other language: a line that ends with a colon and names an address in angle brackets.
  /<[^<>\s@]{1,64}@[^<>\s@]{1,255}>.{0,40}[:：]$/,
];

/**
 * How many lines from here name who wrote what is quoted below, as in `On … wrote:`, also where the mail program has folded that
 * line. 0 for none.
 */
export function attributionLength(lines: readonly string[], at: number): number {
  const first = trimmedAt(lines, at);
  if (first === '' || isPrefixed(first)) return 0;
  const isFoldable = /^On\s/.test(first) || /^\d{4}\s?[年/.-]/.test(first);
  let joined = '';
  for (let length = 1; length <= (isFoldable ? 3 : 1); length++) {
    const line = trimmedAt(lines, at + length - 1);
    if (line === '' || isPrefixed(line)) return 0;
    joined = length === 1 ? line : `${joined} ${line}`;
    if (joined.length > MAX_MARKER_LENGTH) return 0;
    const whole = joined;
    if (ATTRIBUTIONS.some((attribution) => attribution.test(whole))) return length;
  }
  return 0;
}

/** What a mobile program writes below every mail; nobody wrote it. */
export function isDeviceSignature(line: string): boolean {
  return /^(?:Sent from (?:my |Mail|Outlook)|Get Outlook for|Outlook for (?:iOS|Android)|i(?:Phone|Pad)から送信|Android.{0,10}から送信)/i.test(
    line.trim(),
  );
}

function skipBlank(lines: readonly string[], at: number): number {
  // Two blank lines are what HTML makes of an empty paragraph; more is somebody's own layout.
  let next = at;
  while (next < at + 3 && next < lines.length && trimmedAt(lines, next) === '') next++;
  return next;
}

function trimmedAt(lines: readonly string[], at: number): string {
  const line = lines[at] ?? '';
  return line.length > MAX_MARKER_LENGTH * 4 ? line : line.trim();
}
