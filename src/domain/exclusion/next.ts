import type { Opening } from '../business-hours.js';
import { DAY_MS, plus, toMs, type Instant } from '../time.js';
import {
  failedParts,
  isApproved,
  outstandingParts,
  reminderAt,
  removableParts,
  setParts,
  type ExclusionPart,
  type ExclusionRecord,
} from './record.js';

/**
 * What is to be done next about an exclusion. Where only time or people can help, `until` is when to look again; null:
 * never.
 */
export type Step =
  | { do: 'await-customer-request'; until: Instant }
  | { do: 'await-approval'; missing: number; until: Instant }
  /** Nothing could be set; somebody has to decide. */
  | { do: 'await-retry'; parts: ExclusionPart[]; until: Instant }
  /** Nobody knows whether that day is a business day: the calendar has to be brought up to date. Looked at daily. */
  | { do: 'await-calendar'; date: string; until: Instant }
  /** Noted on the record as `waiting` until `opensAt`; `until` is sooner where it expires before. */
  | { do: 'wait-for-business-hours'; opensAt: Instant; until: Instant }
  | { do: 'register'; parts: ExclusionPart[] }
  | { do: 'confirm' }
  | { do: 'remind' }
  | { do: 'wait'; until: Instant }
  | { do: 'expire' }
  | { do: 'remove'; parts: ExclusionPart[] }
  /** To the customer who asked for it. */
  | { do: 'tell-end' }
  | { do: 'nothing'; until: null };

function sooner(a: Instant, b: Instant): Instant {
  return toMs(a) < toMs(b) ? a : b;
}

/** The next step, whatever the hour: registering is done in business hours only (`inBusinessHours`). */
export function next(record: ExclusionRecord, now: Instant): Step {
  if (record.ended !== null) return afterEnd(record);
  if (toMs(now) >= toMs(record.expiresAt)) return { do: 'expire' };
  const parts = outstandingParts(record);
  if (record.registeredAt === null) return beforeRegistration(record, parts);
  // Tried again after it was registered without it.
  if (parts.length > 0) return { do: 'register', parts };
  if (record.customerRequest !== null && record.confirmation === null) return { do: 'confirm' };
  return afterRegistration(record, now);
}

/** What is taken back, then the customer who asked for it is told; one that resists does not keep it from them. */
function afterEnd(record: ExclusionRecord): Step {
  const parts = removableParts(record);
  const isTold = record.customerRequest === null || record.endMail !== null;
  const resists = parts.every((part) => record.parts[part]?.reason !== null);
  if (parts.length > 0 && (isTold || !resists)) return { do: 'remove', parts };
  return isTold ? { do: 'nothing', until: null } : { do: 'tell-end' };
}

function beforeRegistration(record: ExclusionRecord, parts: ExclusionPart[]): Step {
  const until = record.expiresAt;
  if (record.asksCustomer && record.customerRequest === null) return { do: 'await-customer-request', until };
  if (!isApproved(record)) {
    return { do: 'await-approval', missing: record.approvalsNeeded - record.approvals.length, until };
  }
  if (parts.length === 0 && setParts(record).length === 0) {
    return { do: 'await-retry', parts: failedParts(record), until };
  }
  return { do: 'register', parts };
}

/**
 * Registering is work of the provider's business hours; telling the customer that it is done, reminding and ending are
 * not. What is to be registered waits for them.
 */
export function inBusinessHours(step: Step, record: ExclusionRecord, now: Instant, opening: Opening): Step {
  if (step.do !== 'register') return step;
  if ('unknownDate' in opening) {
    return { do: 'await-calendar', date: opening.unknownDate, until: sooner(plus(now, DAY_MS), record.expiresAt) };
  }
  const { opensAt } = opening;
  if (toMs(opensAt) <= toMs(now)) return step;
  return { do: 'wait-for-business-hours', opensAt, until: sooner(opensAt, record.expiresAt) };
}

function afterRegistration(record: ExclusionRecord, now: Instant): Step {
  const remindAt = record.remindedAt === null ? reminderAt(record) : null;
  if (remindAt === null) return { do: 'wait', until: record.expiresAt };
  if (toMs(now) >= toMs(remindAt)) return { do: 'remind' };
  return { do: 'wait', until: remindAt };
}
