import { decodeWords } from 'postal-mime';
import { dayOf } from './dates.js';
import { bodyStart, fieldsOf, valueOf } from './header.js';
import { BadCommand, textOf, type Argument } from './syntax.js';
import type { Numbered, View } from './view.js';

type Test = (candidate: Numbered) => boolean;

const hasFlag =
  (flag: string): Test =>
  ({ message }) =>
    [...message.flags].some((present) => present.toLowerCase() === flag.toLowerCase());

const not =
  (test: Test): Test =>
  (candidate) =>
    !test(candidate);

const systemFlags = ['ANSWERED', 'DELETED', 'DRAFT', 'FLAGGED', 'SEEN'];

/** Those without an argument. */
const plainKeys = new Map<string, Test>([
  ['ALL', () => true],
  ['NEW', () => false],
  ['RECENT', () => false],
  ['OLD', () => true],
  ...systemFlags.flatMap((name): [string, Test][] => [
    [name, hasFlag(`\\${name}`)],
    [`UN${name}`, not(hasFlag(`\\${name}`))],
  ]),
]);

const contains = (text: string, wanted: string): boolean => text.toLowerCase().includes(wanted.toLowerCase());

const inHeader = (name: string, wanted: string): Test => {
  return ({ message }) => {
    const value = valueOf(fieldsOf(message.bytes), name.toLowerCase());
    return value !== undefined && contains(decodeWords(value), wanted);
  };
};

const day = (text: string): number => {
  const date = dayOf(text);
  if (date === null) throw new BadCommand(`${text} is no date`);
  return date.getTime();
};

const dayMs = 24 * 60 * 60 * 1000;

/** Those with one argument. */
const keysOfText: Record<string, (text: string) => Test> = {
  KEYWORD: hasFlag,
  UNKEYWORD: (flag) => not(hasFlag(flag)),
  SINCE: (text) => {
    const since = day(text);
    return ({ message }) => message.receivedAt.getTime() >= since;
  },
  BEFORE: (text) => {
    const before = day(text);
    return ({ message }) => message.receivedAt.getTime() < before;
  },
  ON: (text) => {
    const on = day(text);
    return ({ message }) => Math.floor(message.receivedAt.getTime() / dayMs) * dayMs === on;
  },
  LARGER: (text) => {
    return ({ message }) => message.bytes.length > Number(text);
  },
  SMALLER: (text) => {
    return ({ message }) => message.bytes.length < Number(text);
  },
  FROM: (text) => inHeader('from', text),
  TO: (text) => inHeader('to', text),
  CC: (text) => inHeader('cc', text),
  SUBJECT: (text) => inHeader('subject', text),
  // Bytes only: what is encoded inside of them is not looked into.
  TEXT: (text) => {
    return ({ message }) => contains(message.bytes.toString('utf8'), text);
  },
  BODY: (text) => {
    return ({ message }) => contains(message.bytes.subarray(bodyStart(message.bytes)).toString('utf8'), text);
  },
};

class KeyReader {
  #at = 0;

  constructor(
    private readonly keys: readonly Argument[],
    private readonly view: View,
  ) {}

  /** All of them must hold. */
  all(): Test {
    const tests: Test[] = [];
    while (this.#at < this.keys.length) tests.push(this.#key());
    return (candidate) => tests.every((test) => test(candidate));
  }

  #next(): Argument {
    const argument = this.keys[this.#at];
    if (argument === undefined) throw new BadCommand('The search ends too early');
    this.#at += 1;
    return argument;
  }

  #text(): string {
    return textOf(this.#next());
  }

  #key(): Test {
    const argument = this.#next();
    if (argument.kind === 'list') return new KeyReader(argument.items, this.view).all();
    const name = textOf(argument).toUpperCase();
    const plain = plainKeys.get(name);
    if (plain !== undefined) return plain;
    const ofText = keysOfText[name];
    if (ofText !== undefined) return ofText(this.#text());
    switch (name) {
      case 'NOT':
        return not(this.#key());
      case 'OR': {
        const [one, other] = [this.#key(), this.#key()];
        return (candidate) => one(candidate) || other(candidate);
      }
      case 'HEADER':
        return inHeader(this.#text(), this.#text());
      case 'UID': {
        const isWanted = this.view.setOf(this.#text(), true);
        return ({ message }) => isWanted(message.uid);
      }
    }
    if (!/^[\d*]/.test(name)) throw new BadCommand(`${name} cannot be searched for`);
    const isWanted = this.view.setOf(name, false);
    return ({ number }) => isWanted(number);
  }
}

export const search = (view: View, keys: readonly Argument[]): Numbered[] => {
  const [first, charset, ...rest] = keys;
  const isCharsetTold = first?.kind === 'atom' && first.text.toUpperCase() === 'CHARSET';
  if (isCharsetTold && !/^(utf-8|us-ascii)$/i.test(textOf(charset))) throw new BadCommand('Only UTF-8 is understood');
  const test = new KeyReader(isCharsetTold ? rest : keys, view).all();
  return view.all().filter(test);
};
