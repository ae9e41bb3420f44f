import { z } from 'zod';
import { levelSchema } from '../commands.js';
import { stages } from '../incident/stage.js';
import type { IncidentSummary } from '../incident/view.js';
import { bilingual, type Bilingual } from '../text.js';
import { DAY_MS } from '../time.js';
import { breadthOf, type Breadth } from './breadth.js';
import type { ExclusionSet } from './commands.js';
import type { Conditions } from './conditions.js';
import type { IncidentFacts } from './incident-facts.js';
import { doesMatch } from './match.js';

/** How far back an exclusion is tried on the customer's alerts. */
export const SURVEY_MS = 90 * DAY_MS;

const MAX_SHOWN = 200;

/** `closes`: open and not judged, so that it closes at the registration; `stays`: open and judged; `past`: closed. */
const effects = ['closes', 'stays', 'past'] as const;

export const previewSchema = z
  .object({
    excluded: z.int().meta({ description: 'How many alerts of the last 90 days, and open ones, it matches.' }),
    of: z.int().meta({ description: 'How many were looked at: those that analysts had, or have, to look at.' }),
    effects: z.object({ closes: z.int(), stays: z.int(), past: z.int() }).meta({
      description:
        'closes: open and not judged, closed by our own filter; stays: open, and judged or only set in Defender; past: closed.',
    }),
    levels: z.object({ 1: z.int(), 2: z.int(), 3: z.int(), 4: z.int(), none: z.int() }),
    approvalsNeeded: z.union([z.literal(1), z.literal(2)]),
    unread: z.int().meta({ description: 'So many more could not be looked at in time, or are in no state to be.' }),
    text: z.object({ en: z.string(), ja: z.string() }),
    incidents: z
      .array(
        z.object({
          id: z.string(),
          title: z.string(),
          stage: z.enum(stages),
          level: levelSchema.nullable(),
          createdAt: z.string(),
          effect: z.enum(effects),
        }),
      )
      .meta({ description: `The newest ${MAX_SHOWN} that it matches.` }),
  })
  .meta({ id: 'ExclusionPreview' });
export type Preview = z.infer<typeof previewSchema>;

/** One incident that was looked at. */
export interface Looked {
  summary: Pick<IncidentSummary, 'id' | 'title' | 'stage' | 'createdAt'>;
  facts: IncidentFacts;
}

export interface Survey {
  looked: Looked[];
  /** In question, but not read: time was over, or the workflow or its memo tells nothing. */
  unread: number;
}

/** The rules alone kept it from the analysts: an exclusion would have changed nothing. */
export function isOutOfQuestion({ closeReason }: Pick<IncidentSummary, 'closeReason'>): boolean {
  return closeReason === 'out-of-scope' || closeReason === 'neutralised' || closeReason === 'excluded';
}

function matchables(looked: readonly Looked[]) {
  return looked.flatMap(({ facts: { matchable } }) => (matchable === null ? [] : [matchable]));
}

export function breadthOn(conditions: Conditions, { looked, unread }: Survey): Breadth {
  return breadthOf(conditions, matchables(looked), unread);
}

/** Only our own filter closes anything here. */
function effectOf({ isOpen, closesIfExcluded }: IncidentFacts, { ownFilter }: ExclusionSet): (typeof effects)[number] {
  if (!isOpen) return 'past';
  return closesIfExcluded && ownFilter ? 'closes' : 'stays';
}

/** What the exclusion would have kept from the analysts, and what it will. */
export function previewOf(
  { conditions, set }: { conditions: Conditions; set: ExclusionSet },
  { looked, unread }: Survey,
): Preview {
  const { approvalsNeeded, text, of } = breadthOn(conditions, { looked, unread });
  const matched = looked
    .filter(({ facts: { matchable } }) => matchable !== null && doesMatch(conditions, matchable))
    .sort((a, b) => b.summary.createdAt.localeCompare(a.summary.createdAt));
  const withEffect = (effect: (typeof effects)[number]) =>
    matched.filter(({ facts }) => effectOf(facts, set) === effect).length;
  const atLevel = (level: IncidentFacts['level']) => matched.filter(({ facts }) => facts.level === level).length;
  const levels = { 1: atLevel(1), 2: atLevel(2), 3: atLevel(3), 4: atLevel(4), none: atLevel(null) };
  const counts = { closes: withEffect('closes'), stays: withEffect('stays'), past: withEffect('past') };
  return {
    excluded: matched.length,
    of,
    effects: counts,
    levels,
    approvalsNeeded,
    unread,
    text: together(text, levelWords(levels), closeWords(counts)),
    incidents: matched.slice(0, MAX_SHOWN).map(({ summary: { id, title, stage, createdAt }, facts }) => ({
      id,
      title,
      stage,
      level: facts.level,
      createdAt,
      effect: effectOf(facts, set),
    })),
  };
}

function together(...words: readonly (Bilingual | undefined)[]): Bilingual {
  const said = words.filter((each) => each !== undefined);
  return bilingual(said.map(({ en }) => en).join(' '), said.map(({ ja }) => ja).join(''));
}

function levelWords(levels: Preview['levels']): Bilingual | undefined {
  const judged = ([4, 3, 2] as const).filter((level) => levels[level] > 0);
  if (judged.length === 0) return undefined;
  return bilingual(
    `Of these, ${judged.map((level) => `${levels[level]} of level ${level}`).join(', ')}.`,
    `うち${judged.map((level) => `脅威レベル ${level} が ${levels[level]} 件`).join('、')}。`,
  );
}

function closeWords({ closes }: Preview['effects']): Bilingual | undefined {
  if (closes === 0) return undefined;
  return bilingual(
    `${closes} that nobody has judged yet ${closes === 1 ? 'closes' : 'close'} when it is registered.`,
    `未判定の ${closes} 件は、登録と同時に完了となります。`,
  );
}
