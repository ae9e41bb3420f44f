import { conditionsWords } from '../exclusion/conditions.js';
import { indicatorFor } from '../exclusion/indicator.js';
import { partName } from '../exclusion/narrate.js';
import {
  failedParts,
  reminderAt,
  setParts,
  setWords,
  type ExclusionPart,
  type ExclusionRecord,
} from '../exclusion/record.js';
import { parseIncidentId } from '../incident/record.js';
import type { Policy } from '../policy.js';
import { knownReason, reasonWords } from '../reasons.js';
import { bilingual, type Bilingual, type Language } from '../text.js';
import { DAY_MS, toMs, type Instant } from '../time.js';
import { line } from './clean.js';
import { paragraph, textSection, toHtml, toText, type Letter, type Row, type Section } from './document.js';
import type { MailKind, RenderedMail } from './kinds.js';
import { whenIn, whenInAndUtc, type When } from './when.js';
import {
  calendarAdvice,
  daysLeft,
  exclusionSocHeadings,
  exclusionSocLabels,
  exclusionSocSubjects,
  exclusionSocTitles,
  exclusionWords,
  hitWords,
  noHits,
  notCounted,
  partAdvice,
  renewalAdvice,
  ruleByHand,
  type ExclusionWords,
} from './words/exclusion.js';
import { refusalWords } from './words/feed.js';
import { customerWords } from './words/index.js';

const MAX_SUBJECT_LENGTH = 150;
const MAX_NAME_LENGTH = 100;
const MAX_ID_LENGTH = 200;
const MAX_REASON_LENGTH = 300;
const MAX_NOTE_LENGTH = 1_000;
const MAX_IDS = 20;

export interface Ending {
  /** Alerts that our own filter has kept from the analysts. */
  hits: number;
  now: Instant;
}

export interface FailedPart {
  part: ExclusionPart;
  action: 'set' | 'remove';
  /** A reason code, an error code, or a sentence of Defender's. */
  reason: string;
}

/** What belongs to one customer is never told to another. */
function ownedBy({ exclusionId, customerId }: ExclusionRecord, { customer }: Policy): void {
  if (customerId !== customer.id) throw new RangeError(`${exclusionId} is not an exclusion of ${customer.id}`);
}

/** The incident that showed the need, if it is this customer's: the id came from outside. */
function incidentOf({ incidentId, customerId }: ExclusionRecord): string | undefined {
  return incidentId !== null && parseIncidentId(incidentId)?.customerId === customerId ? incidentId : undefined;
}

/** What is set, with the time of a rule made by hand as the reader's clock shows it. */
function setSentences(record: ExclusionRecord, language: Language, when: When): string[] {
  const { portalRule: rule } = record.set;
  const shown =
    rule === undefined
      ? record
      : {
          ...record,
          set: {
            ...record.set,
            portalRule: {
              by: line(rule.by, MAX_NAME_LENGTH),
              at: when(rule.at),
              note: line(rule.note, MAX_NOTE_LENGTH),
            },
          },
        };
  return setWords(shown).map((words) => words[language]);
}

function isFilterSet(record: ExclusionRecord): boolean {
  return setParts(record).includes('own-filter');
}

function hitsOf(record: ExclusionRecord, hits: number): Bilingual {
  return isFilterSet(record) ? hitWords(hits) : notCounted;
}

function leftOf({ expiresAt }: ExclusionRecord, now: Instant): Bilingual {
  return daysLeft(Math.ceil((toMs(expiresAt) - toMs(now)) / DAY_MS));
}

// To the customer

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

function rows(all: readonly (Row | undefined)[]): Section {
  return { blocks: [{ type: 'rows', rows: all.filter((row) => row !== undefined) }] };
}

function about({ record, words: { label }, language, when }: Context): (Row | undefined)[] {
  const incident = incidentOf(record);
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

function listSection(heading: string, items: readonly string[]): Section[] {
  return items.length === 0 ? [] : [{ heading, blocks: [{ type: 'list', items }] }];
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
  kind: Extract<MailKind, 'exclusion-confirmed' | 'exclusion-reminder'>,
  what: keyof ExclusionWords['openings'],
  sections: readonly Section[],
  replySubject: string | null,
): RenderedMail {
  const { record, policy, language, words } = context;
  const { customer } = policy;
  const { service, titles, greeting, signature } = customerWords[language];
  const opening = `${greeting(line(customer.name, MAX_NAME_LENGTH))}\n${words.openings[what]}`;
  const letter: Letter = {
    language,
    title: titles[kind],
    sections: [
      { blocks: [paragraph(opening)] },
      ...sections,
      ...textSection(words.heading.inquiry, words.inquiry),
      { blocks: [paragraph(signature)] },
    ],
  };
  const own = `[${service}] ${words.subjects[what]}: ${conditionsWords(record.conditions)[language]}`;
  return {
    kind,
    to: [...customer.mail.to],
    cc: [...customer.mail.cc],
    subject: line(replySubject ?? own, MAX_SUBJECT_LENGTH),
    text: toText([letter]),
    html: toHtml([letter]),
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
    rows([...about(context), ...requestRows(context)]),
    ...listSection(heading.set, setSentences(record, language, when)),
    ...notSet(context),
    ...textSection(
      heading.meaning,
      `${matter}\n${words.whatFollows(when(record.expiresAt), reminderAt(record) !== null)}`,
    ),
    ...warning(context),
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
    rows([
      ...about(context),
      { label: label.left, value: leftOf(record, now)[language] },
      { label: label.hits, value: hitsOf(record, hits)[language] },
    ]),
    ...listSection(heading.set, setSentences(record, language, when)),
    { heading: heading.renewal, callout: true, blocks: [paragraph(words.renewal(when(record.expiresAt)))] },
  ];
  return customerMail(context, 'exclusion-reminder', 'reminder', sections, null);
}

// To the SOC

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
  const incident = incidentOf(record);
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
    kind: what === 'set' || what === 'remove' ? 'soc-failure' : 'soc-warning',
    to: [service.socMailTo],
    cc: [],
    subject: line(subject, MAX_SUBJECT_LENGTH),
    text: toText(letters),
    html: toHtml(letters),
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
  const words = knownReason(reason) ?? (reason.startsWith('AADSTS') ? refusalWords(reason) : undefined);
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

/** Tells the SOC that nobody knows whether `date` (Japan's) is a business day, and that the exclusion waits for it. */
export function exclusionCalendarMail(record: ExclusionRecord, policy: Policy, date: string): RenderedMail {
  return socMail(record, policy, 'calendar', [['date', same(line(date, 40))]], [calendarAdvice]);
}
