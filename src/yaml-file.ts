import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';

/** What is wrong in a configuration file: every problem at once, each with its line and the path of the entry. */
export class ConfigFileError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    super(`${file} is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigFileError';
  }
}

type Path = readonly PropertyKey[];

/** Reads a YAML file as what the schema says, or throws a ConfigFileError. */
export function loadYamlFile<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigFileError(
      file,
      document.errors.map(({ pos, message }) => `line ${lines.linePos(pos[0]).line}: ${message}`),
    );
  }
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => {
    // Each unknown key on its own line, not all of them on the line of the entry around them.
    const places: Path[] =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const message = messageOf(document, issue);
    return places.map((path) => ({ line: lineOf(document, lines, path), text: `${showPath(path)}: ${message}` }));
  });
  throw new ConfigFileError(
    file,
    problems.sort((a, b) => a.line - b.line).map(({ line, text }) => `line ${line}: ${text}`),
  );
}

function messageOf(document: Document, issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'is not known here';
  // A schema's own words (custom) say more than that nothing is there.
  return issue.code !== 'custom' && document.getIn(issue.path) === undefined ? 'is missing' : issue.message;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigFileError(file, [error instanceof Error ? error.message : String(error)]);
  }
}

/** The line of the entry, or of the nearest one around it when it is missing. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const offset = offsetOf(document, path.slice(0, depth));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: Path): number | undefined {
  // The key says where an entry begins; its value may begin lines later.
  const parent: unknown = path.length === 0 ? undefined : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function showPath(path: Path): string {
  const text = path.reduce<string>(
    (shown, part) => (typeof part === 'number' ? `${shown}[${part}]` : `${shown}.${String(part)}`),
    '',
  );
  return text === '' ? 'the file' : text.replace(/^\./, '');
}
