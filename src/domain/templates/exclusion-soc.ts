import { conditionsWords } from '../exclusion/conditions.js';
import { partName } from '../exclusion/narrate.js';
import { setParts, type ExclusionPart, type ExclusionRecord } from '../exclusion/record.js';
import { knownRefusal } from '../feed/refusals.js';
import type { Policy } from '../policy.js';
import { knownReason, reasonWords } from '../reasons.js';
import { bilingual, type Bilingual, type Language } from '../text.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';
import { paragraph, type Letter } from './document.js';
import type { RenderedMail } from './kinds.js';
import { whenInAndUtc } from './when.js';
import {
  calendarAdvice,
  exclusionSocHeadings,
  exclusionSocLabels,
  exclusionSocSubjects,
  exclusionSocTitles,
  noHits,
  partAdvice,
  renewalAdvice,
  ruleByHand,
  unreachedAdvice,
} from './words/exclusion.js';
import {
  MAX_SUBJECT_LENGTH,
  MAX_NAME_LENGTH,
  MAX_ID_LENGTH,
  MAX_NOTE_LENGTH,
  MAX_REASON_LENGTH,
  ownedBy,
  exclusionIncidentOf,
  setSentences,
  isFilterSet,
  hitsOf,
  leftOf,
  rows,
  listSection,
  type Ending,
} from './exclusion-parts.js';

const MAX_IDS = 20;

export interface FailedPart {
  part: ExclusionPart;
  action: 'set' | 'remove';
  /** A reason code, an error code, or a sentence of Defender's. */
  reason: string;
}

type SocAbout = keyof typeof exclusionSocTitles;
type SocRow = readonly [label: keyof typeof exclusionSocLabels, value: Bilingual | { at: Instant }];

function same(text: string): Bilingual {
  return bilingual(text, text);
}

function socMail(
  record: ExclusionRecord,
  policy: Policy,
  what: SocAbout,
  more: readonly SocRow[],
  advice: readonly Bilingual[],
): RenderedMail {
  ownedBy(record, policy);
  const { customer, service } = policy;
  const incident = exclusionIncidentOf(record);
  const all: SocRow[] = [
    ['customer', same(`${line(customer.name, MAX_NAME_LENGTH)} (${customer.id})`)],
    ['exclusion', same(line(record.exclusionId, MAX_ID_LENGTH))],
    ...(incident === undefined ? [] : [['incident', same(incident)] as const]),
    ['conditions', conditionsWords(record.conditions)],
    ['why', same(line(record.reason, MAX_NOTE_LENGTH))],
    ['proposer', same(line(record.proposer, MAX_NAME_LENGTH))],
    ['expiresAt', { at: record.expiresAt }],
    ...more,
  ];
  const letterIn = (language: Language): Letter => {
    const when = whenInAndUtc(language, customer.timeZone);
    const table = all.map(([label, value]) => ({
      label: exclusionSocLabels[label][language],
      value: 'at' in value ? when(value.at) : value[language],
    }));
    return {
      language,
      title: exclusionSocTitles[what][language],
      sections: [
        rows(table),
        ...listSection(exclusionSocHeadings.set[language], setSentences(record, language, when)),
        {
          heading: exclusionSocHeadings.advice[language],
          blocks: advice.map((words) => paragraph(words[language])),
        },
      ],
    };
  };
  const letters = [letterIn('ja'), letterIn('en')];
  const { ja, en } = exclusionSocSubjects[what];
  const subject = `[見守り SOC] ${ja} / ${en}: ${line(customer.name, 40)}: ${conditionsWords(record.conditions).ja}`;
  return {
    kind: what === 'set' || what === 'remove' || what === 'unreached' ? 'soc-failure' : 'soc-warning',
    to: [service.socMailTo],
    cc: [],
    subject: line(subject, MAX_SUBJECT_LENGTH),
    letters,
  };
}

/** Tells the SOC that an exclusion ends, so that somebody decides whether to renew it. */
export function exclusionReminderSocMail(record: ExclusionRecord, policy: Policy, { hits, now }: Ending): RenderedMail {
  return socMail(
    record,
    policy,
    'reminder',
    [
      ['left', leftOf(record, now)],
      ['hits', hitsOf(record, hits)],
    ],
    [
      renewalAdvice,
      ...(isFilterSet(record) && hits === 0 ? [noHits] : []),
      ...(setParts(record).includes('portal-rule') ? [ruleByHand] : []),
    ],
  );
}

/** A code has words, and is shown beside them; a sentence is Defender's own. */
function whyWords(reason: string): Bilingual {
  const shown = line(reason, MAX_REASON_LENGTH);
  if (!/^[\w-]+$/.test(reason)) return same(shown);
  const words = knownReason(reason) ?? (reason.startsWith('AADSTS') ? knownRefusal(reason) : undefined);
  return words === undefined ? reasonWords(reason) : bilingual(`${words.en} (${shown})`, `${words.ja} (${shown})`);
}

/** Tells the SOC which part of an exclusion could not be set or removed, why, and what to do. */
export function exclusionFailureMail(record: ExclusionRecord, policy: Policy, failed: FailedPart): RenderedMail {
  const { part, action, reason } = failed;
  const ids = record.parts[part]?.detail.slice(0, MAX_IDS).map((id) => line(id, 100)) ?? [];
  return socMail(
    record,
    policy,
    action,
    [
      ['part', partName(part)],
      ['reason', whyWords(reason)],
      ...(ids.length === 0 ? [] : [['ids', same(ids.join(', '))] as const]),
    ],
    [partAdvice(part, action, reason)],
  );
}

/** Tells the SOC that the customer could not be told: `reason` is a code, or the mail server's words. */
export function exclusionUnreachedMail(record: ExclusionRecord, policy: Policy, reason: string): RenderedMail {
  return socMail(record, policy, 'unreached', [['reason', whyWords(reason)]], [unreachedAdvice(reason)]);
}

/** Tells the SOC that nobody knows whether `date` (Japan's) is a business day, and that the exclusion waits for it. */
export function exclusionCalendarMail(record: ExclusionRecord, policy: Policy, date: string): RenderedMail {
  return socMail(record, policy, 'calendar', [['date', same(line(date, 40))]], [calendarAdvice]);
}
