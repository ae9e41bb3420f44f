import { z } from 'zod';
import { bilingual, type Bilingual } from '../text.js';
import { sentInstantSchema, toMs, type Instant } from '../time.js';
import type { Conditions } from './conditions.js';
import {
  alertFields,
  contextGroups,
  exclusionFields,
  fileFields,
  type AlertField,
  type ContextField,
  type EvidenceField,
  type ExclusionField,
  type FileField,
} from './fields.js';
import { isEvidenceCut, type Matchable, type Piece } from './matchable.js';
import { comparable, holds, toPattern, type Comparable, type Pattern } from './pattern.js';

/**
 * Does an alert match an exclusion? Every condition has to hold:
 *
 * 1. Those on the alert (title, detector, threat, category, device) hold for the alert.
 * 2. Those on a file or process (name, folder, hashes, certificate, command line) hold for **one and the same** piece
 *    of evidence: `a.exe` in one folder and another file in the excluded folder are no match. They speak of the process
 *    itself, never of its parent: what the excluded program starts is not excluded.
 * 3. Those on a URL and its domain, on an address, on an account hold for one piece each. With conditions on a file
 *    beside them they have to belong to the file: where the file's own piece, or another of the same file, names an
 *    account (address, URL), that one counts and no other; where none does, Defender does not say whose they are, and
 *    every one that the alert names has to meet the condition.
 *
 * One piece that matches is enough, whatever else the alert holds: an exclusion says that such an alert is known.
 *
 * What was cut never helps: a text of which only the beginning is known matches no exact condition and only wildcards
 * that would match whatever follows; and of an alert that had more pieces than were kept, "every one" cannot be said.
 * Such an alert is matched by the pieces that are known, or not at all, and the match says that it was.
 */

/** An exclusion as far as matching needs it. It holds from its registration until before its expiry. */
export const registeredExclusionSchema = z.object({
  exclusionId: z.string(),
  // What was registered stays so, whatever new ones have to be.
  conditions: z.partialRecord(z.enum(exclusionFields), z.string()),
  registeredAt: sentInstantSchema,
  expiresAt: sentInstantSchema,
});
export type RegisteredExclusion = z.infer<typeof registeredExclusionSchema>;

export interface Match<E extends RegisteredExclusion = RegisteredExclusion> {
  exclusion: E;
  /** Pieces of evidence that were looked at, and how many the alert had. */
  looked: { pieces: number; of: number };
  text: Bilingual;
}

type Test<Field extends ExclusionField> = readonly [field: Field, pattern: Pattern];

interface Compiled {
  alert: readonly Test<AlertField>[];
  file: readonly Test<FileField>[];
  /** One entry for each group that has a condition. */
  context: readonly { fields: readonly ContextField[]; tests: readonly Test<ContextField>[] }[];
}

function testsOf<Field extends ExclusionField>(conditions: Conditions, fields: readonly Field[]): Test<Field>[] {
  return fields.flatMap((field) => {
    const text = conditions[field];
    return text === undefined ? [] : [[field, toPattern(field, text)] as const];
  });
}

function compileOne(conditions: Conditions): Compiled {
  return {
    alert: testsOf(conditions, alertFields),
    file: testsOf(conditions, fileFields),
    context: contextGroups
      .map((fields: readonly ContextField[]) => ({ fields, tests: testsOf(conditions, fields) }))
      .filter(({ tests }) => tests.length > 0),
  };
}

type Values<Field extends ExclusionField> = ReadonlyMap<Field, readonly Comparable[]>;

/** An alert with its texts in the form in which patterns are compared with them. */
interface Prepared {
  alert: Values<AlertField>;
  pieces: readonly Values<EvidenceField>[];
  isCut: boolean;
}

function isText(given: string | readonly string[]): given is string {
  return typeof given === 'string';
}

function valuesOf<Field extends ExclusionField>(
  source: { readonly [F in Field]?: string | readonly string[] | undefined },
  fields: readonly Field[],
  cut: readonly string[],
): Map<Field, Comparable[]> {
  const values = new Map<Field, Comparable[]>();
  for (const field of fields) {
    const given = source[field] ?? [];
    const texts: readonly string[] = isText(given) ? [given] : given;
    const isCut = cut.includes(field);
    if (texts.length > 0) {
      values.set(
        field,
        texts.map((text) => comparable(field, text, isCut)),
      );
    }
  }
  return values;
}

const EVIDENCE_FIELDS: readonly EvidenceField[] = [...fileFields, ...contextGroups.flat()];

function prepare(matchable: Matchable): Prepared {
  return {
    alert: valuesOf(matchable, alertFields, matchable.cut ?? []),
    pieces: matchable.evidence.map((piece: Piece) => valuesOf(piece, EVIDENCE_FIELDS, piece.cut ?? [])),
    isCut: isEvidenceCut(matchable),
  };
}

function allHold<Field extends ExclusionField>(tests: readonly Test<Field>[], values: Values<Field>): boolean {
  return tests.every(([field, pattern]) => values.get(field)?.some((value) => holds(pattern, value)) === true);
}

function matches({ alert, file, context }: Compiled, prepared: Prepared): boolean {
  if (!allHold(alert, prepared.alert)) return false;
  const { pieces } = prepared;
  if (file.length === 0) {
    return context.every(({ tests }) => pieces.some((piece) => allHold(tests, piece)));
  }
  const candidates = pieces.filter((piece) => allHold(file, piece));
  if (candidates.length === 0) return false;
  return candidates.some((candidate) =>
    context.every(({ fields, tests }) => {
      const names = (piece: Values<EvidenceField>) => fields.some((field) => piece.has(field));
      if (candidates.some(names)) return allHold(tests, candidate);
      if (prepared.isCut) return false;
      const naming = pieces.filter(names);
      return naming.length > 0 && naming.every((piece) => allHold(tests, piece));
    }),
  );
}

/** May an alert match these conditions? The same rules as for registered exclusions, without regard to any time. */
export function doesMatch(conditions: Conditions, matchable: Matchable): boolean {
  return matches(compileOne(conditions), prepare(matchable));
}

/** Where an exact condition narrows most is looked first. */
const ANCHORS: readonly ExclusionField[] = [
  'sha256',
  'sha1',
  'certificateThumbprint',
  'url',
  'commandLine',
  'domain',
  'ip',
  'folderPath',
  'fileName',
  'account',
  'device',
  'detectorId',
  'title',
  'threatName',
  'category',
];

function anchorOf({ alert, file, context }: Compiled): string | undefined {
  const tests: readonly Test<ExclusionField>[] = [...alert, ...file, ...context.flatMap(({ tests }) => tests)];
  for (const anchor of ANCHORS) {
    for (const [field, pattern] of tests) {
      if (field === anchor && pattern.kind === 'exact') return anchorKey(field, pattern.text);
    }
  }
  return undefined;
}

function anchorKey(field: ExclusionField, text: string): string {
  return `${field} ${text}`;
}

function anchorsIn({ alert, pieces }: Prepared): Set<string> {
  const keys = new Set<string>();
  const all: readonly Values<ExclusionField>[] = [alert, ...pieces];
  for (const values of all) {
    for (const [field, texts] of values) for (const { text } of texts) keys.add(anchorKey(field, text));
  }
  return keys;
}

const GRAM = 3;

/** Every run of three characters in a text. */
function addGrams(grams: Set<string>, text: string): void {
  for (let at = 0; at + GRAM <= text.length; at += 1) grams.add(text.slice(at, at + GRAM));
}

/**
 * The texts between asterisks, each of which an alert must hold somewhere before the exclusion can match. Those of exact
 * conditions are left out: they have been looked for already, or are compared at once.
 */
function wildParts({ alert, file, context }: Compiled): string[] {
  const tests: readonly Test<ExclusionField>[] = [...alert, ...file, ...context.flatMap(({ tests }) => tests)];
  return tests.flatMap(([, pattern]) => (pattern.kind === 'wild' ? pattern.parts : []));
}

/** Could the alert hold the text, by every three characters in a row of it? */
function mayHold(grams: ReadonlySet<string>, text: string): boolean {
  for (let at = 0; at + GRAM <= text.length; at += 1) if (!grams.has(text.slice(at, at + GRAM))) return false;
  return true;
}

function gramsIn({ alert, pieces }: Prepared): Set<string> {
  const grams = new Set<string>();
  const all: readonly Values<ExclusionField>[] = [alert, ...pieces];
  for (const values of all) {
    for (const texts of values.values()) for (const { text } of texts) addGrams(grams, text);
  }
  return grams;
}

export interface Matcher<E extends RegisteredExclusion> {
  /** The exclusion that was registered first among those that hold at that time and match the alert. */
  find(matchable: Matchable, at: Instant): Match<E> | undefined;
}

interface Entry<E> {
  exclusion: E;
  compiled: Compiled;
  wildParts: readonly string[];
  order: number;
  fromMs: number;
  untilMs: number;
}

/**
 * Makes a customer's exclusions ready for many alerts. One with an exact condition is looked at only for alerts that hold
 * that text; then, as one of wildcards alone, only where the alert holds every three characters in a row of all its parts
 * between asterisks. What is left is compared in full.
 */
export function compile<E extends RegisteredExclusion>(exclusions: readonly E[]): Matcher<E> {
  const anchored = new Map<string, Entry<E>[]>();
  const others: Entry<E>[] = [];
  const inOrder = exclusions
    .map((exclusion) => ({ exclusion, fromMs: toMs(exclusion.registeredAt), untilMs: toMs(exclusion.expiresAt) }))
    .sort((a, b) => a.fromMs - b.fromMs || (a.exclusion.exclusionId < b.exclusion.exclusionId ? -1 : 1));
  inOrder.forEach((times, order) => {
    const compiled = compileOne(times.exclusion.conditions);
    const anchor = anchorOf(compiled);
    const entry: Entry<E> = { ...times, compiled, wildParts: wildParts(compiled), order };
    const list = anchor === undefined ? others : (anchored.get(anchor) ?? []);
    list.push(entry);
    if (anchor !== undefined) anchored.set(anchor, list);
  });
  return {
    find(matchable, at) {
      const prepared = prepare(matchable);
      const nowMs = toMs(at);
      let found: Entry<E> | undefined;
      let grams: ReadonlySet<string> | undefined;
      const look = (list: readonly Entry<E>[]) => {
        for (const entry of list) {
          if (found !== undefined && entry.order >= found.order) return;
          if (nowMs < entry.fromMs || nowMs >= entry.untilMs) continue;
          const held = (grams ??= gramsIn(prepared));
          if (entry.wildParts.every((part) => mayHold(held, part)) && matches(entry.compiled, prepared)) found = entry;
        }
      };
      for (const key of anchorsIn(prepared)) look(anchored.get(key) ?? []);
      look(others);
      return found === undefined ? undefined : matchOf(found.exclusion, matchable);
    },
  };
}

function matchOf<E extends RegisteredExclusion>(exclusion: E, matchable: Matchable): Match<E> {
  const looked = { pieces: matchable.evidence.length, of: matchable.evidenceTotal };
  const { exclusionId } = exclusion;
  const isPart = isEvidenceCut(matchable);
  return {
    exclusion,
    looked,
    text: bilingual(
      `Matches the registered exclusion ${exclusionId}${isPart ? `, by the first ${looked.pieces} of ${looked.of} pieces of evidence` : ''}.`,
      `検知対象外リストの登録 ${exclusionId} に該当します${isPart ? ` (証跡 ${looked.of} 件中、先頭の ${looked.pieces} 件で判定)` : ''}。`,
    ),
  };
}

/** The first registered exclusion that holds at that time and matches; for many alerts, `compile` once. */
export function findMatch<E extends RegisteredExclusion>(
  exclusions: readonly E[],
  matchable: Matchable,
  at: Instant,
): Match<E> | undefined {
  return compile(exclusions).find(matchable, at);
}
