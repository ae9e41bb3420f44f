import { attributionLength, headLength, isBlank, isDeviceSignature, isPrefixed } from './quote-markers.js';

export interface SplitText {
  newText: string;
  quotedText: string;
}

/**
 * What somebody has written, and what their mail program has quoted below, above or between it.
 *
 * - A line with `>` is quoted, and so is the line that says who wrote it. What stands between such lines is new: people answer
 *   point by point.
 * - Below the head of a mail (Outlook's block, a divider, the title of one of our own mails) everything is quoted, unless the lines
 *   below have `>`: then those are.
 * - Where nothing at all is left as new above such a head, whoever wrote did so below it or inside it, and nobody can
 *   tell where: the whole text is new.
 *
 * Every line that is not blank is in one of the two. In doubt it is new: a quoted line too many is read twice, a line of a person's
 * that is taken for a quote may not be read at all.
 */
export function splitQuoted(text: string): SplitText {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const nextFilled = nextFilledOf(lines);
  const isQuoted = (at: number): boolean => isPrefixed(lines[at] ?? '');
  const written = new Side();
  const quoted = new Side();

  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (isBlank(line)) {
      written.blank();
      quoted.blank();
      at++;
      continue;
    }
    if (isQuoted(at)) {
      quoted.add([line]);
      written.blank();
      at++;
      continue;
    }
    const head = headLength(lines, at);
    if (head > 0) {
      const below = nextFilled[at + head] ?? lines.length;
      const isLineByLine = isQuoted(below);
      if (!isLineByLine && !written.hasWords()) {
        written.add(lines.slice(at));
        break;
      }
      const end = isLineByLine ? at + head : lines.length;
      quoted.add(lines.slice(at, end));
      written.blank();
      at = end;
      continue;
    }
    const attribution = attributionLength(lines, at);
    const below = nextFilled[at + attribution] ?? lines.length;
    if (attribution > 0 && (isQuoted(below) || (written.hasWords() && headLength(lines, below) > 0))) {
      quoted.add(lines.slice(at, at + attribution));
      at += attribution;
      continue;
    }
    written.add([line]);
    quoted.blank();
    at++;
  }
  return { newText: written.text(), quotedText: quoted.text() };
}

/** For every line, the number of the first line from there on that is not blank. */
function nextFilledOf(lines: readonly string[]): number[] {
  const next = new Array<number>(lines.length);
  let filled = lines.length;
  for (let at = lines.length - 1; at >= 0; at--) {
    if (!isBlank(lines[at] ?? '')) filled = at;
    next[at] = filled;
  }
  return next;
}

/** One of the two texts as it grows: blank lines only between its lines, and what was apart stays apart. */
class Side {
  readonly #lines: string[] = [];
  #words = false;
  #isApart = false;

  add(lines: readonly string[]): void {
    if (this.#isApart && this.#lines.length > 0) this.#lines.push('');
    this.#isApart = false;
    for (const line of lines) {
      this.#lines.push(line);
      this.#words ||= !isBlank(line) && !isDeviceSignature(line);
    }
  }

  blank(): void {
    this.#isApart = true;
  }

  hasWords(): boolean {
    return this.#words;
  }

  text(): string {
    return tidy(this.#lines);
  }
}

function tidy(lines: readonly string[]): string {
  let start = 0;
  let end = lines.length;
  while (start < end && isBlank(lines[start] ?? '')) start++;
  while (end > start && isBlank(lines[end - 1] ?? '')) end--;
  return lines
    .slice(start, end)
    .map((line) => line.trimEnd())
    .join('\n');
}
