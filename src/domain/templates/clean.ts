import { oneLine } from '../text.js';

/** Characters that turn the direction of the text around them: `exe.gpj` reads as `jpg.exe`. */
const DIRECTION_OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/gu;
/** Half a surrogate pair, which no mail can carry. */
const BROKEN = /\p{Cs}/gu;
const LINE_BREAKS = /\r\n?|[\u0085\u2028\u2029]/gu;
/** Control characters other than the line feed and the tab. */
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

/** Text of several lines, as an analyst wrote it: its line breaks stay, nothing else that steers a reader's program. */
export function prose(text: string): string {
  return text
    .replace(LINE_BREAKS, '\n')
    .replace(CONTROLS, '')
    .replace(DIRECTION_OVERRIDES, '')
    .replace(BROKEN, '\ufffd')
    .trim();
}

/** One line of what an alert, an analyst or a customer named, at most `limit` characters. */
export function line(text: string, limit: number): string {
  return oneLine(text.replace(DIRECTION_OVERRIDES, '').replace(BROKEN, '\ufffd'), limit);
}

const MAX_FLAT_LENGTH = 2_000;

/** What stands on a line of its own in a letter: a title, a row, an item of a list. */
export function flat(text: string): string {
  return line(text, MAX_FLAT_LENGTH);
}
