import { conditionsWords } from '../exclusion/conditions.js';
import { indicatorFor } from '../exclusion/indicator.js';
import { partName } from '../exclusion/narrate.js';
import { failedParts, reminderAt, setParts, type ExclusionRecord } from '../exclusion/record.js';
import type { Policy } from '../policy.js';
import type { Language } from '../text.js';
import { line } from './clean.js';
import { closing } from './customer-parts.js';
import { paragraph, textSection, type Letter, type Row, type Section } from './document.js';
import type { MailKind, RenderedMail } from './kinds.js';
import { whenIn, type When } from './when.js';
import { exclusionWords, type ExclusionWords } from './words/exclusion.js';
import { customerWords } from './words/index.js';
import {
  MAX_SUBJECT_LENGTH,
  MAX_NAME_LENGTH,
  MAX_ID_LENGTH,
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

interface Context {
  record: ExclusionRecord;
  policy: Policy;
  language: Language;
  words: ExclusionWords;
  when: When;
}

function contextOf(record: ExclusionRecord, policy: Policy): Context {
  ownedBy(record, policy);
  const { language, timeZone } = policy.customer;
  return { record, policy, language, words: exclusionWords[language], when: whenIn(language, timeZone) };
}

function about({ record, words: { label }, language, when }: Context): (Row | undefined)[] {
  const incident = exclusionIncidentOf(record);
  return [
    { label: label.reference, value: line(record.exclusionId, MAX_ID_LENGTH) },
    incident === undefined ? undefined : { label: label.incident, value: incident },
    { label: label.conditions, value: conditionsWords(record.conditions)[language] },
    record.registeredAt === null ? undefined : { label: label.registeredAt, value: when(record.registeredAt) },
    { label: label.expiresAt, value: when(record.expiresAt) },
  ];
}

function requestRows({ record: { customerRequest }, words: { label, channel }, when }: Context): Row[] {
  if (customerRequest === null) return [];
  return [
    { label: label.requestedBy, value: line(customerRequest.by, MAX_NAME_LENGTH) },
    { label: label.requestedAt, value: when(customerRequest.receivedAt) },
    { label: label.channel, value: channel[customerRequest.channel] },
  ];
}

function facts(context: Context, more: readonly (Row | undefined)[]): Section {
  return { heading: context.words.heading.facts, ...rows([...about(context), ...more]) };
}

function notSet({ record, words, language }: Context): Section[] {
  const names = failedParts(record).map((part) => partName(part)[language]);
  if (names.length === 0) return [];
  return [{ heading: words.heading.notSet, blocks: [paragraph(words.notSet), { type: 'list', items: names }] }];
}

/** An indicator that is set makes Defender itself look away. */
function warning({ record, words, language }: Context): Section[] {
  if (!setParts(record).includes('defender-indicator')) return [];
  const answer = indicatorFor(record);
  if (answer.kind === 'none') return [];
  return [{ heading: words.heading.warning, callout: true, blocks: [paragraph(answer.warning[language])] }];
}

function customerMail(
  context: Context,
  kind: Extract<MailKind, 'exclusion-confirmed' | 'exclusion-reminder' | 'exclusion-ended'>,
  what: keyof ExclusionWords['openings'],
  sections: readonly Section[],
  replySubject: string | null,
): RenderedMail {
  const { record, policy, language, words } = context;
  const { customer } = policy;
  const common = customerWords[language];
  const { service, titles } = common;
  const letter: Letter = {
    language,
    title: titles[kind],
    greeting: common.greeting(line(customer.name, MAX_NAME_LENGTH)),
    summary: [words.openings[what], words.asks[what]],
    sections: [...sections, ...closing({ words: common, policy })],
  };
  const own = `[${service}] ${words.subjects[what]}: ${conditionsWords(record.conditions)[language]}`;
  return {
    kind,
    to: [...customer.mail.to],
    cc: [...customer.mail.cc],
    subject: line(replySubject ?? own, MAX_SUBJECT_LENGTH),
    letters: [letter],
  };
}

/**
 * Confirms a registration to the customer, and says what was set of it. `replySubject`: the subject of the incident's
 * thread (`customerSubject` has it) where the mail is a reply in one; else null.
 */
export function exclusionConfirmedMail(
  record: ExclusionRecord,
  policy: Policy,
  replySubject: string | null,
): RenderedMail {
  const context = contextOf(record, policy);
  const { words, language, when } = context;
  const { heading } = words;
  const matter = isFilterSet(record) ? words.notAnalysed : words.stillAnalysed;
  const sections = [
    ...listSection(heading.set, setSentences(record, language, when)),
    ...notSet(context),
    ...textSection(
      heading.meaning,
      `${matter}\n${words.whatFollows(when(record.expiresAt), reminderAt(record) !== null)}`,
    ),
    ...warning(context),
    facts(context, requestRows(context)),
    ...textSection(heading.takeBack, words.takeBack),
  ];
  return customerMail(context, 'exclusion-confirmed', 'confirmed', sections, replySubject);
}

/** Tells the customer that a registration ends, and what it has matched. */
export function exclusionReminderMail(record: ExclusionRecord, policy: Policy, { hits, now }: Ending): RenderedMail {
  const context = contextOf(record, policy);
  const { words, language, when } = context;
  const { heading, label } = words;
  const sections = [
    { heading: heading.renewal, callout: true, blocks: [paragraph(words.renewal(when(record.expiresAt)))] },
    facts(context, [
      { label: label.left, value: leftOf(record, now)[language] },
      { label: label.hits, value: hitsOf(record, hits)[language] },
    ]),
    ...listSection(heading.set, setSentences(record, language, when)),
  ];
  return customerMail(context, 'exclusion-reminder', 'reminder', sections, null);
}

/**
 * Tells a customer who asked for a registration that it is not, or no longer, in force, and why. `replySubject` as in
 * `exclusionConfirmedMail`.
 * @throws {RangeError} for one that has not ended
 */
export function exclusionEndedMail(record: ExclusionRecord, policy: Policy, replySubject: string | null): RenderedMail {
  const { ended } = record;
  if (ended === null) throw new RangeError(`${record.exclusionId} has not ended`);
  const context = contextOf(record, policy);
  const { words } = context;
  const { heading, label } = words;
  const isExpired = ended.state === 'expired';
  const what = isExpired && record.registeredAt === null ? 'never-registered' : ended.state;
  const isRuleLeft = record.set.portalRule !== undefined;
  const sections = [
    ...textSection(
      heading.removed,
      `${words.analysedAgain}${isRuleLeft ? `\n${words.ruleStays}` : ''}\n${words.askAnew}`,
    ),
    facts(context, [
      ...requestRows(context),
      isExpired ? undefined : { label: label.because, value: line(ended.reason, MAX_REASON_LENGTH) },
    ]),
  ];
  return customerMail(context, 'exclusion-ended', what, sections, replySubject);
}
