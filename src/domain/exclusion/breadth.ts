import { bilingual, type Bilingual } from '../text.js';
import { isTitleOnly, type Conditions } from './conditions.js';
import { doesMatch } from './match.js';
import type { Matchable } from './matchable.js';

/** How much of the past an exclusion would have kept from the analysts. */
export interface Breadth {
  matched: number;
  of: number;
  approvalsNeeded: 1 | 2;
  text: Bilingual;
}

/**
 * Tries the conditions on past alerts of the customer. What matches more than half of them needs a second approval, and
 * so does one that says no more than a title. Of `unread` more nobody knows: they count as if it matched them. No past
 * alerts prove nothing: the number says that there were none.
 */
export function breadthOf(conditions: Conditions, sample: readonly Matchable[], unread = 0): Breadth {
  const matched = sample.filter((matchable) => doesMatch(conditions, matchable)).length;
  const of = sample.length;
  const isBroad = matched * 2 > of;
  const mayBeBroad = (matched + unread) * 2 > of + unread;
  const titleOnly = isTitleOnly(conditions);
  const words = [
    countWords(matched, of),
    ...(isBroad
      ? [
          bilingual(
            'That is more than half: a second approval is needed.',
            '半数を超えるため、2 人目の承認が必要です。',
          ),
        ]
      : []),
    ...(unread > 0
      ? [bilingual(`${unread} more could not be looked at.`, `ほか ${unread} 件は照合できませんでした。`)]
      : []),
    ...(mayBeBroad && !isBroad
      ? [
          bilingual(
            'With them it may be more than half: a second approval is needed.',
            'それらを含めると半数を超える可能性があるため、2 人目の承認が必要です。',
          ),
        ]
      : []),
    ...(titleOnly
      ? [
          bilingual(
            'It goes by the title alone: a second approval is needed.',
            'タイトルのみを条件としているため、2 人目の承認が必要です。',
          ),
        ]
      : []),
  ];
  return {
    matched,
    of,
    approvalsNeeded: mayBeBroad || titleOnly ? 2 : 1,
    text: bilingual(words.map(({ en }) => en).join(' '), words.map(({ ja }) => ja).join('')),
  };
}

function countWords(matched: number, of: number): Bilingual {
  return of === 0
    ? bilingual('There are no past alerts to try it on.', '照合できる過去のアラートがありません。')
    : bilingual(
        `It would have excluded ${matched} of ${of} past alerts.`,
        `過去のアラート ${of} 件中 ${matched} 件が対象外となります。`,
      );
}
