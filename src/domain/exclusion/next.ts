import { nextBusinessTime, UnknownBusinessDayError, type Calendar } from '../business-hours.js';
import { toMs, type Instant } from '../time.js';
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
  /** Nobody knows whether that day is a business day: the calendar has to be brought up to date. */
  | { do: 'await-calendar'; date: string; until: Instant }
  /** Noted on the record as `waiting` until `opensAt`; `until` is sooner where it expires before. */
  | { do: 'wait-for-business-hours'; opensAt: Instant; until: Instant }
  | { do: 'register'; parts: ExclusionPart[] }
  | { do: 'confirm' }
  | { do: 'remind' }
  | { do: 'wait'; until: Instant }
  | { do: 'expire' }
  | { do: 'remove'; parts: ExclusionPart[] }
  | { do: 'nothing'; until: null };

function sooner(a: Instant, b: Instant): Instant {
  return toMs(a) < toMs(b) ? a : b;
}

/**
 * The next step. Registering is work of the provider's business hours; telling the customer that it is done, reminding
 * and expiring follow when they are due.
 */
export function next(record: ExclusionRecord, now: Instant, calendar: Calendar): Step {
  if (record.ended !== null) {
    const parts = removableParts(record);
    return parts.length > 0 ? { do: 'remove', parts } : { do: 'nothing', until: null };
  }
  if (toMs(now) >= toMs(record.expiresAt)) return { do: 'expire' };
  const parts = outstandingParts(record);
  if (record.registeredAt === null) return beforeRegistration(record, parts, now, calendar);
  // Tried again after it was registered without it.
  if (parts.length > 0) return registration(record, parts, now, calendar);
  if (record.customerRequest !== null && record.confirmation === null) return { do: 'confirm' };
  return afterRegistration(record, now);
}

function beforeRegistration(record: ExclusionRecord, parts: ExclusionPart[], now: Instant, calendar: Calendar): Step {
  const until = record.expiresAt;
  if (record.asksCustomer && record.customerRequest === null) return { do: 'await-customer-request', until };
  if (!isApproved(record)) {
    return { do: 'await-approval', missing: record.approvalsNeeded - record.approvals.length, until };
  }
  if (parts.length === 0 && setParts(record).length === 0) {
    return { do: 'await-retry', parts: failedParts(record), until };
  }
  return registration(record, parts, now, calendar);
}

function registration(record: ExclusionRecord, parts: ExclusionPart[], now: Instant, calendar: Calendar): Step {
  try {
    const opensAt = nextBusinessTime(now, calendar);
    if (toMs(opensAt) <= toMs(now)) return { do: 'register', parts };
    return { do: 'wait-for-business-hours', opensAt, until: sooner(opensAt, record.expiresAt) };
  } catch (error) {
    if (error instanceof UnknownBusinessDayError) {
      return { do: 'await-calendar', date: error.date, until: record.expiresAt };
    }
    throw error;
  }
}

function afterRegistration(record: ExclusionRecord, now: Instant): Step {
  const remindAt = record.remindedAt === null ? reminderAt(record) : null;
  if (remindAt === null) return { do: 'wait', until: record.expiresAt };
  if (toMs(now) >= toMs(remindAt)) return { do: 'remind' };
  return { do: 'wait', until: remindAt };
}
