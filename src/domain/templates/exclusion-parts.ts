import { setParts, setWords, type ExclusionRecord } from '../exclusion/record.js';
import { parseIncidentId } from '../incident/record.js';
import type { Policy } from '../policy.js';
import type { Bilingual, Language } from '../text.js';
import { DAY_MS, toMs, type Instant } from '../time.js';
import { line } from './clean.js';
import type { Row, Section } from './document.js';
import type { When } from './when.js';
import { daysLeft, hitWords, notCounted } from './words/exclusion.js';

/*
 * What the mails about exclusions have in common, whoever reads them.
 */

export const MAX_SUBJECT_LENGTH = 150;
export const MAX_NAME_LENGTH = 100;
export const MAX_ID_LENGTH = 200;
export const MAX_NOTE_LENGTH = 1_000;
export const MAX_REASON_LENGTH = 300;

export interface Ending {
  /** Alerts that our own filter has kept from the analysts. */
  hits: number;
  now: Instant;
}

/** What belongs to one customer is never told to another. */
export function ownedBy({ exclusionId, customerId }: ExclusionRecord, { customer }: Policy): void {
  if (customerId !== customer.id) throw new RangeError(`${exclusionId} is not an exclusion of ${customer.id}`);
}

/** The incident that showed the need, if it is this customer's: the id came from outside. */
export function exclusionIncidentOf({ incidentId, customerId }: ExclusionRecord): string | undefined {
  return incidentId !== null && parseIncidentId(incidentId)?.customerId === customerId ? incidentId : undefined;
}

/** What is set, with the time of a rule made by hand as the reader's clock shows it. */
export function setSentences(record: ExclusionRecord, language: Language, when: When): string[] {
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

export function isFilterSet(record: ExclusionRecord): boolean {
  return setParts(record).includes('own-filter');
}

export function hitsOf(record: ExclusionRecord, hits: number): Bilingual {
  return isFilterSet(record) ? hitWords(hits) : notCounted;
}

export function leftOf({ expiresAt }: ExclusionRecord, now: Instant): Bilingual {
  return daysLeft(Math.ceil((toMs(expiresAt) - toMs(now)) / DAY_MS));
}

export function rows(all: readonly (Row | undefined)[]): Section {
  return { blocks: [{ type: 'rows', rows: all.filter((row) => row !== undefined) }] };
}

export function listSection(heading: string, items: readonly string[]): Section[] {
  return items.length === 0 ? [] : [{ heading, blocks: [{ type: 'list', items }] }];
}
