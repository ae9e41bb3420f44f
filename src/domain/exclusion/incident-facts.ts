import { needsExclusionLook } from '../incident/asks.js';
import { leadOf } from '../incident/link-state.js';
import { currentVerdict, type IncidentRecord } from '../incident/record.js';
import { customerSubject } from '../templates/subject.js';
import { threadOf, type Thread } from '../templates/thread.js';
import type { Level } from '../commands.js';
import type { Matchable } from './matchable.js';

/** What an exclusion's process has to know of an incident. */
export interface IncidentFacts {
  /** Absent in records from before alerts were kept so. */
  matchable: Matchable | null;
  level: Level | null;
  isOpen: boolean;
  /** An exclusion that matches closes it: it is open, and nobody has judged it. */
  closesIfExcluded: boolean;
  /** An exclusion was put to the customer in one of its mails (打診). */
  isPutToCustomer: boolean;
  /** The lead, in whose conversation the customer is told of it. */
  lead: string | null;
  /** Its own conversation with the customer, where there is one. */
  thread: (Thread & { subject: string }) | null;
}

function isPutToCustomer({ verdicts, escalations }: IncidentRecord): boolean {
  const isMailed = verdicts.some(({ level, exclusionProposal }) => level >= 2 && exclusionProposal !== null);
  return isMailed || escalations.some(({ exclusionProposal }) => exclusionProposal !== undefined);
}

function threadWithCustomer(record: IncidentRecord): IncidentFacts['thread'] {
  const thread = threadOf(record, 'mail:exclusion-confirmed');
  if (record.policy === null || thread.references.length === 0) return null;
  return { ...thread, subject: customerSubject(record, record.policy, 'exclusion-confirmed') };
}

export function incidentFacts(record: IncidentRecord): IncidentFacts {
  const isOpen = record.closed === null;
  // Whatever it was compared with before, a new exclusion is compared anew; one from before there were any never is.
  const uncompared = record.exclusion === undefined ? record : { ...record, exclusion: null };
  return {
    matchable: record.alert.matchable ?? null,
    level: currentVerdict(record)?.level ?? null,
    isOpen,
    closesIfExcluded: isOpen && needsExclusionLook(uncompared),
    isPutToCustomer: isPutToCustomer(record),
    lead: leadOf(record) ?? null,
    thread: threadWithCustomer(record),
  };
}
