import { reject, type InputError } from '../errors.js';
import type { Judged } from '../incident/judge.js';
import { DAY_MS, MINUTE_MS, toMs, type Instant } from '../time.js';
import type { CustomerRequest, ExclusionInput } from './commands.js';
import { indicatorFor } from './indicator.js';
import { failedParts, isApproved, type ExclusionRecord } from './record.js';

/** A year from today is still a year in a leap year. */
const MAX_LIFE_MS = 366 * DAY_MS;
/** Clocks of the customer's mail server, of Defender's portal and ours differ a little. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

function isFuture(at: Instant, now: Instant): boolean {
  return toMs(at) > toMs(now) + CLOCK_SKEW_MS;
}

function invalid(errors: InputError[]): Judged {
  const [first] = errors;
  return first === undefined ? undefined : reject('invalid-input', `${first.path} ${first.message}`, errors);
}

/** May the exclusion be proposed at that time? What the body is made of has been checked by its schema. */
export function judgeProposal(input: ExclusionInput, now: Instant): Judged {
  const errors: InputError[] = [];
  const leftMs = toMs(input.expiresAt) - toMs(now);
  if (leftMs <= 0) errors.push({ path: 'expiresAt', message: 'must lie in the future' });
  if (leftMs > MAX_LIFE_MS) errors.push({ path: 'expiresAt', message: 'must be at most a year away' });
  const { portalRule, defenderIndicator } = input.set;
  if (portalRule !== undefined && isFuture(portalRule.at, now)) {
    errors.push({ path: 'set.portalRule.at', message: 'lies in the future' });
  }
  if (input.customerRequest !== undefined && isFuture(input.customerRequest.receivedAt, now)) {
    errors.push({ path: 'customerRequest.receivedAt', message: 'lies in the future' });
  }
  if (defenderIndicator) {
    const answer = indicatorFor({ ...input, exclusionId: '' });
    if (answer.kind === 'none') errors.push({ path: 'set.defenderIndicator', message: answer.reason.en });
  }
  return invalid(errors);
}

/** Has it come to its end, by a fact or by time alone? */
function endedFirst(record: ExclusionRecord, now: Instant): Judged {
  if (record.ended !== null) return reject('exclusion-ended', `The exclusion was ${record.ended.state} already.`);
  return toMs(now) >= toMs(record.expiresAt)
    ? reject('exclusion-ended', 'The expiry of the exclusion has passed.')
    : undefined;
}

function notRegistered(record: ExclusionRecord, now: Instant): Judged {
  const ended = endedFirst(record, now);
  if (ended !== undefined) return ended;
  return record.registeredAt === null
    ? undefined
    : reject(
        'exclusion-registered',
        'The exclusion is registered; it ends by its expiry, which can be brought forward.',
      );
}

export function judgeCustomerRequest(record: ExclusionRecord, request: CustomerRequest, now: Instant): Judged {
  const fault = notRegistered(record, now);
  if (fault !== undefined) return fault;
  if (record.customerRequest !== null) return reject('nothing-new', 'The customer’s request is on record already.');
  return isFuture(request.receivedAt, now)
    ? invalid([{ path: 'receivedAt', message: 'lies in the future' }])
    : undefined;
}

/** An exclusion is approved by others than its proposer; a broad one by two different people. */
export function judgeApproval(record: ExclusionRecord, actor: string, now: Instant): Judged {
  const fault = notRegistered(record, now);
  if (fault !== undefined) return fault;
  if (actor === record.proposer) {
    return reject('own-request', 'An exclusion is approved by another operator than the one who proposed it.');
  }
  if (isApproved(record) || record.approvals.some((approval) => approval.actor === actor)) {
    return reject('already-approved', 'The exclusion is approved already, or you have approved it before.');
  }
  if (record.asksCustomer && record.customerRequest === null) {
    return reject('customer-request-needed', 'It was put to the customer, who has not asked for it yet.');
  }
  return undefined;
}

/** Declining and withdrawing are for what is not registered yet. */
export function judgeDecline(record: ExclusionRecord, now: Instant): Judged {
  return notRegistered(record, now);
}

export function judgeWithdrawal(record: ExclusionRecord, now: Instant): Judged {
  return notRegistered(record, now);
}

/** An exclusion may end sooner than planned, at once too; it never lasts longer than was approved. */
export function judgeShortening(record: ExclusionRecord, expiresAt: Instant, now: Instant): Judged {
  const ended = endedFirst(record, now);
  if (ended !== undefined) return ended;
  if (toMs(expiresAt) >= toMs(record.expiresAt)) {
    return invalid([{ path: 'expiresAt', message: 'must be sooner than now: a longer one is another exclusion' }]);
  }
  // "At once" was written a moment ago.
  return toMs(expiresAt) < toMs(now) - CLOCK_SKEW_MS
    ? invalid([{ path: 'expiresAt', message: 'lies in the past' }])
    : undefined;
}

export function judgeRetry(record: ExclusionRecord, now: Instant): Judged {
  const ended = endedFirst(record, now);
  if (ended !== undefined) return ended;
  const hasFailed = failedParts(record).length > 0 || record.confirmation?.status === 'failed';
  return hasFailed ? undefined : reject('nothing-new', 'Nothing has failed that could be tried again.');
}
