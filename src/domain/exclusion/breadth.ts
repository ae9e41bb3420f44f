import { bilingual, type Bilingual } from '../text.js';
import { isSpecificEnough, type Conditions } from './conditions.js';
import { doesMatch } from './match.js';
import type { Matchable } from './matchable.js';

/** How much of the past an exclusion would have kept from the analysts. */
export interface Breadth {
  /** False: refused, whatever it matches. */
  isSpecific: boolean;
  matched: number;
  of: number;
  approvalsNeeded: 1 | 2;
  text: Bilingual;
}

/**
 * Tries the conditions on past alerts of the customer. What matches more than half of them needs a second approval. No
 * past alerts prove nothing: one approval, and the number says that there were none.
 */
export function breadthOf(conditions: Conditions, sample: readonly Matchable[]): Breadth {
  const matched = sample.filter((matchable) => doesMatch(conditions, matchable)).length;
  const of = sample.length;
  const isBroad = matched * 2 > of;
  const approvalsNeeded = isBroad ? 2 : 1;
  return {
    isSpecific: isSpecificEnough(conditions),
    matched,
    of,
    approvalsNeeded,
    text: wordsFor(matched, of, isBroad),
  };
}

function wordsFor(matched: number, of: number, isBroad: boolean): Bilingual {
  if (of === 0) {
    return bilingual('There are no past alerts to try it on.', '照合できる過去のアラートがありません。');
  }
  return isBroad
    ? bilingual(
        `It would have excluded ${matched} of ${of} past alerts, more than half: a second approval is needed.`,
        `過去のアラート ${of} 件中 ${matched} 件 (半数超) が対象外となるため、2 人目の承認が必要です。`,
      )
    : bilingual(
        `It would have excluded ${matched} of ${of} past alerts.`,
        `過去のアラート ${of} 件中 ${matched} 件が対象外となります。`,
      );
}
