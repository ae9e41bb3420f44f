/** IMAP's commands as values (RFC 3501, chapter 9), and its strings as bytes. */

export type Argument =
  { kind: 'atom'; text: string } | { kind: 'string'; bytes: Buffer } | { kind: 'list'; items: readonly Argument[] };

/** A command that cannot be read, or makes no sense: answered with BAD. */
export class BadCommand extends Error {}

/**
 * Stands for a literal in the text of a command. The text is read as latin1, a character for each byte, so that this
 * one cannot come from the client.
 */
const literalMark = '\uE000';

export interface RawCommand {
  text: string;
  literals: readonly Buffer[];
}

/** Lines and literals in turn, in the order in which they came. */
export class CommandBuilder {
  #text = '';
  readonly #literals: Buffer[] = [];

  /** @returns the literal that the line announces, if it does */
  addLine(line: Buffer): { count: number; isAwaited: boolean } | null {
    const text = line.toString('latin1');
    const announced = /\{(\d{1,10})(\+?)\}$/.exec(text);
    this.#text += announced === null ? text : text.slice(0, announced.index) + literalMark;
    if (announced === null) return null;
    return { count: Number(announced[1]), isAwaited: announced[2] === '' };
  }

  addLiteral(literal: Buffer): void {
    this.#literals.push(literal);
  }

  build(): RawCommand {
    return { text: this.#text, literals: this.#literals };
  }
}

class ArgumentReader {
  #at = 0;
  #literal = 0;

  constructor(private readonly command: RawCommand) {}

  /** Up to the end, or to the list's. */
  items(isInList: boolean): Argument[] {
    const items: Argument[] = [];
    for (;;) {
      while (this.#peek() === ' ') this.#at += 1;
      const next = this.#peek();
      if (next === '' && !isInList) return items;
      if (next === ')' && isInList) {
        this.#at += 1;
        return items;
      }
      if (next === '' || next === ')') throw new BadCommand('Unbalanced parentheses');
      items.push(this.#item(next));
    }
  }

  #peek(): string {
    return this.command.text.charAt(this.#at);
  }

  #item(next: string): Argument {
    if (next === '(') {
      this.#at += 1;
      return { kind: 'list', items: this.items(true) };
    }
    if (next === literalMark) {
      this.#at += 1;
      const bytes = this.command.literals[this.#literal] ?? Buffer.alloc(0);
      this.#literal += 1;
      return { kind: 'string', bytes };
    }
    return next === '"' ? this.#quoted() : this.#atom();
  }

  #quoted(): Argument {
    let text = '';
    for (this.#at += 1; this.#peek() !== '"'; this.#at += 1) {
      if (this.#peek() === '\\') this.#at += 1;
      if (this.#peek() === '') throw new BadCommand('A string without an end');
      text += this.#peek();
    }
    this.#at += 1;
    return { kind: 'string', bytes: Buffer.from(text, 'latin1') };
  }

  /** `BODY[HEADER.FIELDS (From "To")]<0.100>` is one too, with what is between its brackets. */
  #atom(): Argument {
    const start = this.#at;
    for (let isInBrackets = false; this.#peek() !== ''; this.#at += 1) {
      const character = this.#peek();
      if (!isInBrackets && ' ()"'.includes(character)) break;
      if (character === '[') isInBrackets = true;
      if (character === ']') isInBrackets = false;
    }
    return { kind: 'atom', text: this.command.text.slice(start, this.#at) };
  }
}

export const readArguments = (command: RawCommand): Argument[] => new ArgumentReader(command).items(false);

/** An atom or a string alike: most of the grammar lets clients choose. */
export const textOf = (argument: Argument | undefined): string => {
  if (argument === undefined) throw new BadCommand('An argument is missing');
  if (argument.kind === 'list') throw new BadCommand('A list where a text is expected');
  return argument.kind === 'atom' ? argument.text : argument.bytes.toString('utf8');
};

export const listOf = (argument: Argument | undefined): readonly Argument[] => {
  if (argument?.kind !== 'list') throw new BadCommand('A list is expected');
  return argument.items;
};

const longestShownBytes = 200;

/** For people: as the client wrote it, but for long strings. */
export const show = (argument: Argument): string => {
  switch (argument.kind) {
    case 'atom':
      return argument.text;
    case 'string':
      return argument.bytes.length > longestShownBytes
        ? `{${argument.bytes.length}}`
        : argument.bytes.toString('utf8').replace(/[\r\n]+/g, ' ');
    case 'list':
      return `(${argument.items.map(show).join(' ')})`;
  }
};

/** A string on the wire; a literal where quotes could not hold it. */
export const stringOf = (value: string | Buffer): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const isQuotable = bytes.length < 1000 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (!isQuotable) return literalOf(bytes);
  return Buffer.from(`"${bytes.toString('latin1').replace(/["\\]/g, '\\$&')}"`);
};

export const literalOf = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(`{${bytes.length}}\r\n`), bytes]);

export const nstringOf = (value: string | undefined): Buffer =>
  value === undefined ? Buffer.from('NIL') : stringOf(value);

/** Parts in parentheses, with spaces between. */
export const parenthesized = (parts: readonly (string | Buffer)[], between = ' '): Buffer => {
  const pieces = parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]));
  return Buffer.concat(['(', ...pieces, ')'].map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
};
