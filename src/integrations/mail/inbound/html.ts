import { decodeEntities } from './entities.js';

/*
 * HTML to text, for mails that have no other. A library would bring a whole parser of HTML for the sake of a few words: all that is
 * needed is where lines end, what is quoted, and what a reader does not see. One pass, no recursion.
 */

/** Of these nothing is shown. Their content is not looked into. */
const UNSEEN: ReadonlySet<string> = new Set([
  'script',
  'style',
  'head',
  'title',
  'template',
  'noscript',
  'object',
  'svg',
  'select',
  'textarea',
  'iframe',
]);
/** In the head, where it is left open, only these can stand. */
const ENDS_HEAD: ReadonlySet<string> = new Set(['body', 'div', 'p', 'table', 'h1']);
const VOID: ReadonlySet<string> = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'source',
  'wbr',
]);
const BLOCKS: ReadonlySet<string> = new Set(
  'address article aside blockquote body center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header html li main nav ol p pre section table tr ul'.split(
    ' ',
  ),
);
/** With an empty line around them. */
const PARAGRAPHS: ReadonlySet<string> = new Set('h1 h2 h3 h4 h5 h6 ol ul table blockquote'.split(' '));
/** As Outlook draws it in plain text: `quote-markers.ts` knows it. */
const RULE = '_'.repeat(32);
/** Deeper quotes are all alike to a reader. */
const MAX_QUOTE_DEPTH = 10;
const MAX_HREF_LENGTH = 300;
/** More than programs nest. Each end tag looks through what is open. */
const MAX_HIDDEN_DEPTH = 200;
const MAX_ATTRIBUTES_LENGTH = 20_000;

export function htmlToText(html: string): string {
  const out = new Lines();
  /** While something is hidden: the tags that are open inside it, itself first. */
  let hidden: string[] = [];
  let sized: readonly Sized[] = [];
  const isShown = () => hidden.length === 0 && sized.at(-1)?.isTiny !== true;
  let link: { href: string; mark: Mark } | null = null;
  let at = 0;
  while (at < html.length) {
    const lt = html.indexOf('<', at);
    const textEnd = lt < 0 ? html.length : lt;
    if (textEnd > at && isShown()) out.words(decodeEntities(html.slice(at, textEnd)));
    if (lt < 0) break;
    const tag = tagAt(html, lt);
    at = tag.end;
    if (tag.name === '') {
      if (tag.isText && isShown()) out.words(html.slice(lt, tag.end));
      continue;
    }
    if (hidden.length > 0) {
      hidden = hiddenAfter(hidden, tag);
      continue;
    }
    if (!tag.isClosing && (UNSEEN.has(tag.name) || isHidden(tag.attributes))) {
      if (!VOID.has(tag.name) && !tag.isSelfClosing) hidden = [tag.name];
      continue;
    }
    sized = sizedAfter(sized, tag);
    if (tag.name === 'a') {
      // Where it leads is what counts in a mail about security; a link that shows it needs no repetition.
      if (link !== null && link.href !== '' && !out.since(link.mark).includes(bare(link.href))) {
        out.words(` <${link.href}>`);
      }
      link = tag.isClosing ? null : { href: hrefOf(tag.attributes), mark: out.mark() };
      continue;
    }
    write(out, tag);
  }
  return out.text();
}

function write(out: Lines, { name, isClosing }: Tag): void {
  if (name === 'br') out.newLine();
  else if (name === 'hr') out.whole(RULE);
  else if (name === 'pre') out.setPre(!isClosing);
  else if ((name === 'td' || name === 'th') && isClosing) out.cell();
  if (!BLOCKS.has(name)) return;
  out.block(PARAGRAPHS.has(name));
  if (name === 'blockquote') out.quote(isClosing ? -1 : 1);
  if (name === 'li' && !isClosing) out.words('- ');
}

/** What is still hidden after a tag: an end tag closes what it names and all that was left open inside. */
function hiddenAfter(hidden: string[], { name, isClosing, isSelfClosing }: Tag): string[] {
  const [outer = ''] = hidden;
  if (UNSEEN.has(outer)) {
    const isOver = isClosing ? name === outer : outer === 'head' && ENDS_HEAD.has(name);
    return isOver ? [] : hidden;
  }
  if (!isClosing) {
    // A paragraph ends where the next block begins.
    if (outer === 'p' && hidden.length === 1 && BLOCKS.has(name)) return [];
    if (!VOID.has(name) && !isSelfClosing && hidden.length < MAX_HIDDEN_DEPTH) hidden.push(name);
    return hidden;
  }
  const place = hidden.lastIndexOf(name);
  return place < 0 ? hidden : hidden.slice(0, place);
}

interface Tag {
  /** Lower-cased; empty for comments and for what is no tag. */
  name: string;
  isClosing: boolean;
  isSelfClosing: boolean;
  attributes: string;
  end: number;
  /** A `<` that somebody wrote. */
  isText: boolean;
}

function tagAt(html: string, lt: number): Tag {
  const none = { name: '', isClosing: false, isSelfClosing: false, attributes: '', isText: false };
  if (html.startsWith('<!--', lt)) {
    const close = html.indexOf('-->', lt + 4);
    return { ...none, end: close < 0 ? html.length : close + 3 };
  }
  const [, slash = '', name = ''] = /^<(\/?)([a-z][a-z0-9:-]{0,30})/i.exec(html.slice(lt, lt + 40)) ?? [];
  if (name === '' && !/^<[!?]/.test(html.slice(lt, lt + 2))) return { ...none, end: lt + 1, isText: true };
  const start = lt + 1 + slash.length + name.length;
  const end = endOfTag(html, start);
  const attributes = html.slice(start, Math.min(end - 1, start + MAX_ATTRIBUTES_LENGTH));
  return {
    name: name.toLowerCase(),
    isClosing: slash !== '',
    isSelfClosing: attributes.endsWith('/'),
    attributes,
    end,
    isText: false,
  };
}

/** Behind the `>` that is in no quotes. A quote that is never closed is none; there can be one such of each kind. */
function endOfTag(html: string, start: number): number {
  for (let at = start; at < html.length; at++) {
    const character = html.charAt(at);
    if (character === '>') return at + 1;
    if ((character === '"' || character === "'") && /=\s?$/.test(html.slice(at - 2, at))) {
      const close = html.indexOf(character, at + 1);
      if (close > 0) at = close;
    }
  }
  return html.length;
}

const HIDING =
  /(?:^|[\s;"'])(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|mso-hide\s{0,3}:\s{0,3}all|opacity\s{0,3}:\s{0,3}0(?:\.0{1,5})?\s{0,3}(?:[;"'!]|$))/i;

function isHidden(attributes: string): boolean {
  if (attributes === '') return false;
  return (
    /(?:^|\s)hidden(?:\s|=|\/|$)/i.test(attributes.replace(/"[^"]*"|'[^']*'/g, '""')) ||
    HIDING.test(decodeEntities(attributes))
  );
}

const FONT_SIZE = /(?:^|[\s;"'])font-size\s{0,3}:\s{0,3}(\d{0,5}(?:\.\d{0,5})?)(px|pt|em|rem|%)?/i;

/** Is text of this element of no size? Undefined where it is as in the element around it, as of a share of nothing. */
function isOfNoSize(attributes: string): boolean | undefined {
  if (attributes === '') return undefined;
  const [, size, unit = ''] = FONT_SIZE.exec(decodeEntities(attributes)) ?? [];
  if (size === undefined) return undefined;
  if (Number(size) === 0) return size !== '';
  return unit === 'em' || unit === '%' ? undefined : false;
}

interface Sized {
  name: string;
  isTiny: boolean;
}

/**
 * The open elements from the outermost whose text has no size: layouts give that to a cell and a size again to what is in it, so
 * that, other than what is hidden, it has to be looked into.
 */
function sizedAfter(sized: readonly Sized[], { name, isClosing, isSelfClosing, attributes }: Tag): readonly Sized[] {
  if (isClosing) {
    const place = sized.findLastIndex((open) => open.name === name);
    return place < 0 ? sized : sized.slice(0, place);
  }
  // A paragraph ends where the next block begins.
  const around = sized.at(-1)?.name === 'p' && BLOCKS.has(name) ? sized.slice(0, -1) : sized;
  const own = isOfNoSize(attributes);
  const isNew = around.length > 0 || own === true;
  if (!isNew || VOID.has(name) || isSelfClosing || around.length >= MAX_HIDDEN_DEPTH) return around;
  return [...around, { name, isTiny: own ?? around.at(-1)?.isTiny ?? false }];
}

function hrefOf(attributes: string): string {
  const [, double, single, plain] = /(?:^|\s)href=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(attributes) ?? [];
  const href = decodeEntities(double ?? single ?? plain ?? '').trim();
  return /^https?:\/\//i.test(href) ? href.replace(/\s/g, '').slice(0, MAX_HREF_LENGTH) : '';
}

function bare(href: string): string {
  return href.replace(/^https?:\/\//i, '').replace(/\/$/, '');
}

/** A place in the text: the line, and how many pieces of it there were. */
interface Mark {
  line: number;
  pieces: number;
}

/** The text as it grows: blanks run together, quoted lines get their `>`. */
class Lines {
  readonly #lines: string[] = [];
  #line: string[] = [];
  #isLineEmpty = true;
  #endsBlank = true;
  #depth = 0;
  #pre = 0;
  #isParagraphDue = false;

  words(text: string): void {
    if (this.#pre > 0) {
      const [first = '', ...more] = text.replace(/\r\n?/g, '\n').split('\n');
      this.#add(first);
      for (const line of more) {
        this.newLine();
        this.#add(line);
      }
      return;
    }
    // No-break spaces stay: Outlook's empty paragraphs and people's own indents are made of them.
    let run = text.replace(/[ \t\r\n\f]+/g, ' ');
    if (this.#endsBlank && run.startsWith(' ')) run = run.slice(1);
    this.#add(run);
  }

  #add(text: string): void {
    if (text === '') return;
    if (this.#isLineEmpty && this.#isParagraphDue && text.trim() !== '') {
      this.#push('');
      this.#isParagraphDue = false;
    }
    this.#line.push(text);
    this.#isLineEmpty &&= text.trim() === '';
    this.#endsBlank = text.endsWith(' ');
  }

  mark(): Mark {
    return { line: this.#lines.length, pieces: this.#line.length };
  }

  /** What was written since then on the line that is open. */
  since({ line, pieces }: Mark): string {
    return this.#line.slice(line === this.#lines.length ? pieces : 0).join('');
  }

  newLine(): void {
    this.#push(this.#line.join('').replaceAll('\u00a0', ' ').trimEnd());
    this.#line = [];
    this.#isLineEmpty = true;
    this.#endsBlank = true;
  }

  /** A block begins or ends: on a line of its own, if need be below an empty one. */
  block(isParagraph: boolean): void {
    if (this.#line.length > 0) this.newLine();
    this.#isParagraphDue ||= isParagraph && this.#lines.length > 0;
  }

  cell(): void {
    if (!this.#isLineEmpty) this.words(' ');
  }

  whole(text: string): void {
    this.block(false);
    this.#add(text);
    this.newLine();
  }

  setPre(isPre: boolean): void {
    this.#pre = Math.max(0, this.#pre + (isPre ? 1 : -1));
  }

  quote(by: 1 | -1): void {
    this.#depth = Math.max(0, this.#depth + by);
  }

  #push(line: string): void {
    this.#lines.push(`${'> '.repeat(Math.min(this.#depth, MAX_QUOTE_DEPTH))}${line}`);
  }

  text(): string {
    this.block(false);
    return this.#lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  }
}
