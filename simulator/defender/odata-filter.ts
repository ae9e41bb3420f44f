/** The part of OData's `$filter` that Defender documents: comparisons, `in`, `and`, `or`, `not`, brackets, text functions. */

export type FieldKind = 'string' | 'date' | 'guid' | 'int';
export type Row = Record<string, unknown>;
export type Predicate = (row: Row) => boolean;

export class ODataError extends Error {
  constructor(
    message: string,
    /** What it is answered with: a query that cannot be read is a bad request, one beyond a limit has a code of its own. */
    readonly code: 'BadRequest' | 'ODataError' = 'BadRequest',
  ) {
    super(message);
  }
}

type TokenKind = 'string' | 'date' | 'guid' | 'int' | 'word' | 'punctuation';
interface Token {
  kind: TokenKind;
  text: string;
}

const tokenPatterns: readonly [TokenKind, RegExp][] = [
  ['string', /^'(?:[^']|'')*'/],
  ['date', /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?(?![\w-])/i],
  ['guid', /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)/i],
  ['int', /^-?\d+(?!\w)/],
  ['word', /^[A-Za-z_]\w*/],
  ['punctuation', /^[(),]/],
];

const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    const found = tokenPatterns
      .map(([kind, pattern]) => ({ kind, text: pattern.exec(rest)?.[0] }))
      .find((candidate) => candidate.text !== undefined);
    if (found?.text === undefined)
      throw new ODataError(`Syntax error at position ${text.length - rest.length} in '${text}'.`);
    tokens.push({ kind: found.kind, text: found.text });
    rest = rest.slice(found.text.length).trimStart();
  }
  return tokens;
};

const utcTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** So that times of any precision and offset compare as text. */
export const comparableTime = (time: string): string | null => {
  // Nearly every time of a tenant with thousands of alerts is written like this: parsing each would be the whole work.
  if (time.length <= 28 && utcTime.test(time)) return time.slice(0, -1).padEnd(20, '.').padEnd(27, '0');
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) return null;
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(7, '0')}`;
};

type Value = string | number | null;

const comparable = (kind: FieldKind, value: unknown): Value => {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return null;
  if (kind === 'date') return comparableTime(value);
  return kind === 'guid' ? value.toLowerCase() : value;
};

const comparisons: Record<string, (left: Value, right: Value) => boolean> = {
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  // A null on either side is neither less nor more.
  gt: (left, right) => left !== null && right !== null && left > right,
  ge: (left, right) => left !== null && right !== null && left >= right,
  lt: (left, right) => left !== null && right !== null && left < right,
  le: (left, right) => left !== null && right !== null && left <= right,
};

const textFunctions: Record<string, (text: string, part: string) => boolean> = {
  contains: (text, part) => text.includes(part),
  startswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
};

const edmTypes: Record<FieldKind, string> = {
  string: 'Edm.String',
  date: 'Edm.DateTimeOffset',
  guid: 'Edm.Guid',
  int: 'Edm.Int64',
};

class FilterParser {
  #position = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly fields: Readonly<Record<string, FieldKind>>,
  ) {}

  parse(): Predicate {
    const predicate = this.#or();
    const extra = this.tokens[this.#position];
    if (extra !== undefined) throw new ODataError(`Syntax error at '${extra.text}'.`);
    return predicate;
  }

  #or(): Predicate {
    let left = this.#and();
    while (this.#takeWord('or')) {
      const [first, second] = [left, this.#and()];
      left = (row) => first(row) || second(row);
    }
    return left;
  }

  #and(): Predicate {
    let left = this.#term();
    while (this.#takeWord('and')) {
      const [first, second] = [left, this.#term()];
      left = (row) => first(row) && second(row);
    }
    return left;
  }

  #term(): Predicate {
    if (this.#takeWord('not')) {
      const inner = this.#term();
      return (row) => !inner(row);
    }
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const word = this.#next();
    const textFunction = textFunctions[word.text];
    if (textFunction !== undefined) return this.#textFunction(textFunction);
    const { name, kind } = this.#field(word);
    if (this.#takeWord('in')) return this.#in(name, kind);
    const operator = this.#next().text;
    const compare = comparisons[operator];
    if (compare === undefined) throw new ODataError(`Syntax error: '${operator}' is no operator.`);
    const value = this.#literal(kind, operator);
    return (row) => compare(comparable(kind, row[name]), value);
  }

  #textFunction(run: (text: string, part: string) => boolean): Predicate {
    this.#expect('(');
    const { name } = this.#field(this.#next());
    this.#expect(',');
    const part = this.#literal('string', 'contains');
    this.#expect(')');
    return (row) => typeof row[name] === 'string' && run(row[name], String(part));
  }

  #in(name: string, kind: FieldKind): Predicate {
    this.#expect('(');
    const values = [this.#literal(kind, 'in')];
    while (this.#take(',')) values.push(this.#literal(kind, 'in'));
    this.#expect(')');
    return (row) => values.includes(comparable(kind, row[name]));
  }

  #field(token: Token): { name: string; kind: FieldKind } {
    const kind = this.fields[token.text];
    if (token.kind !== 'word' || kind === undefined)
      throw new ODataError(`Could not find a property named '${token.text}' that can be filtered on.`);
    // The documentation writes this one with a capital, the resource does not.
    return { name: token.text === 'InvestigationId' ? 'investigationId' : token.text, kind };
  }

  #literal(kind: FieldKind, operator: string): Value {
    const token = this.#next();
    if (token.kind === 'word' && token.text === 'null') return null;
    // Defender reads a GUID with quotes and without.
    const fits = token.kind === kind || (kind === 'guid' && token.kind === 'string');
    if (!fits || token.kind === 'word' || token.kind === 'punctuation') {
      const actual = token.kind === 'word' || token.kind === 'punctuation' ? token.text : edmTypes[token.kind];
      throw new ODataError(
        `A binary operator with incompatible types was detected. Found operand types '${edmTypes[kind]}' and ` +
          `'${actual}' for operator kind '${operator}'.`,
      );
    }
    if (kind === 'int') return Number(token.text);
    return comparable(kind, token.kind === 'string' ? token.text.slice(1, -1).replaceAll("''", "'") : token.text);
  }

  #next(): Token {
    const token = this.tokens[this.#position];
    if (token === undefined) throw new ODataError('Syntax error: the expression ends too early.');
    this.#position += 1;
    return token;
  }

  #take(punctuation: string): boolean {
    const token = this.tokens[this.#position];
    if (token?.kind !== 'punctuation' || token.text !== punctuation) return false;
    this.#position += 1;
    return true;
  }

  #takeWord(word: string): boolean {
    const token = this.tokens[this.#position];
    if (token?.kind !== 'word' || token.text !== word) return false;
    this.#position += 1;
    return true;
  }

  #expect(punctuation: string): void {
    if (!this.#take(punctuation)) throw new ODataError(`Syntax error: '${punctuation}' expected.`);
  }
}

export const parseFilter = (text: string, fields: Readonly<Record<string, FieldKind>>): Predicate =>
  new FilterParser(tokenize(text), fields).parse();
