import type { BounceReport } from '../customer-mail/news.js';
import type { Instant } from '../time.js';
import { duties, isReturned } from './duties.js';
import type { MailOutcome } from './facts.js';
import { reportedMail, triedAgain, withoutMails } from './mails-again.js';
import { addressesWords, bounceNotice } from './narrate-bounce.js';
import type { Bounce, Effect, IncidentRecord, SocNotice } from './record.js';

/*
 * A mail that the customer's own mail server gives back after ours had taken it: it has told nobody. Where nobody at all
 * was reached it is owed again, and waits: sent to the same addresses it would only come back once more.
 */

/** Reports that are kept to know them again; older ones would have to be delivered twice months apart. */
const MAX_REPORTS = 100;

function same(address: string): string {
  return address.trim().toLowerCase();
}

/** Was each of those whom it was for refused as it was accepted, or given back after it? */
function hasReachedNobody({ to = [], refused = [], bounced = [] }: Effect): boolean {
  const lost = new Set([...refused, ...bounced.map(({ address }) => address)].map(same));
  return bounced.length > 0 && to.length > 0 && to.every((address) => lost.has(same(address)));
}

/** The effect as its own recipients and reports make it. A report may be heard before the mail's acceptance. */
function judged(effect: Effect): Effect {
  if (!hasReachedNobody(effect)) return effect;
  const known = { ...effect, maybeAccepted: effect.status === 'running' && effect.maybeAccepted };
  return effect.status === 'done' ? { ...known, status: 'bounced', reason: 'mail-bounced' } : known;
}

/** The mail server has taken it for these, all but those whom it refused. */
export function acceptedMail(
  effect: Effect,
  { at, rejected, textSha256 }: Extract<MailOutcome, { status: 'accepted' }>,
  to: string[],
): Effect {
  const refused = rejected.map(({ address }) => address);
  return judged({
    ...effect,
    status: 'done',
    settledAt: at,
    reason: null,
    to,
    ...(refused.length === 0 ? {} : { refused }),
    ...(textSha256 === undefined ? {} : { textSha256 }),
  });
}

function withNotice(record: IncidentRecord, about: SocNotice['about'], at: Instant, text: SocNotice['text']) {
  return { ...record, socNotices: [...record.socNotices, { at, about, text }] };
}

/** Has the customer other addresses than those that the mail was for? */
function isForOthers({ to }: Effect, { policy }: IncidentRecord): boolean {
  if (to === undefined || policy === null) return false;
  const keyOf = (addresses: readonly string[]) => addresses.map(same).sort().join();
  return keyOf(to) !== keyOf(policy.customer.mail.to);
}

export function applyBounce(record: IncidentRecord, report: BounceReport, at: Instant): IncidentRecord {
  const { key, messageId, recipients, receivedAt } = report;
  if (record.bounceReports?.includes(key) === true) return record;
  const isTrouble =
    recipients.length === 0 || recipients.some(({ action }) => action === 'failed' || action === 'delayed');
  if (!isTrouble) return record;
  const heard = { ...record, bounceReports: [...(record.bounceReports ?? []), key].slice(-MAX_REPORTS) };
  const found = reportedMail(record, messageId);
  const failed: Bounce[] = recipients
    .filter(({ action }) => action === 'failed')
    .map(({ address, status, diagnostic }) => ({ address, status, diagnostic, at: receivedAt }));
  if (found === undefined || found.isSetAside || (failed.length === 0 && recipients.length > 0)) return heard;
  const { dutyId, effect } = found;
  const known = new Set((effect.bounced ?? []).map(({ address }) => same(address)));
  const fresh = failed.filter(({ address }) => !known.has(same(address)));
  if (fresh.length === 0 && failed.length > 0) return heard;
  const to = effect.to ?? record.policy?.customer.mail.to ?? [];
  const after = judged({ ...effect, to, bounced: [...(effect.bounced ?? []), ...fresh] });
  const next = { ...heard, effects: { ...record.effects, [dutyId]: after } };
  if (after.status === effect.status) {
    const isKnown = effect.status === 'bounced' || hasReachedNobody(after);
    return isKnown ? next : withNotice(next, 'mail-partly-bounced', at, bounceNotice(dutyId, fresh, 'partly'));
  }
  if (record.closed !== null) {
    const told = withNotice(next, 'mail-bounced', at, bounceNotice(dutyId, fresh, 'closed'));
    return { ...told, changedAfterCloseAt: at };
  }
  return isForOthers(after, record)
    ? withNotice(next, 'mail-bounced', at, bounceNotice(dutyId, fresh, 'readdressed'))
    : next;
}

/** The mails that wait until somebody has seen to the customer's addresses. */
function waiting(record: IncidentRecord): [dutyId: string, effect: Effect][] {
  const bounced = Object.entries(record.effects).filter(([, { status }]) => status === 'bounced');
  if (bounced.length === 0 || record.closed !== null) return [];
  const owed = new Set(duties(record).flatMap((duty) => (isReturned(duty) ? [duty.id] : [])));
  return bounced.filter(([id]) => owed.has(id));
}

/** Would a change of the customer's addresses have a mail go out again? */
export function waitsForAddresses(record: IncidentRecord): boolean {
  return waiting(record).length > 0;
}

/** After whatever has changed: a mail that came back goes out again once the customer's addresses are others. */
export function settleBounces(record: IncidentRecord, at: Instant): IncidentRecord {
  const again = new Set(waiting(record).flatMap(([id, effect]) => (isForOthers(effect, record) ? [id] : [])));
  if (again.size === 0) return record;
  const to = record.policy?.customer.mail.to ?? [];
  const text = addressesWords(to);
  return {
    ...record,
    ...withoutMails(record, again),
    retries: triedAgain(record, again),
    timeline: [...record.timeline, { at, actor: 'mimamori', type: 'mail', text, data: { dutyIds: [...again] } }],
  };
}
