import type { Instruction, ReleaseBody } from '../commands.js';
import { isCalledBack, needsCallBack } from '../customer-mail/believed.js';
import { mailsNamed } from '../customer-mail/named.js';
import type { CustomerMail, IncidentMail, InquiryReport } from '../customer-mail/news.js';
import type { Contact } from '../customer.js';
import { reject, type Rejection } from '../errors.js';
import { releasableOfLinked } from './link-orders.js';
import type { IncidentRecord } from './record.js';
import { releasable } from './releases.js';

/*
 * A mail that may be the order to give a device back is offered to the analysts: while it waits for an answer, and after that for
 * as long as a device is isolated. "We are looking into it" gives nothing back, so it does not end the offer. What does: the
 * order, whoever gave it; that nothing is left to give back; that somebody closes the inquiry with the mail in sight.
 */

function isToBeGivenBack(record: IncidentRecord): boolean {
  return releasable(record, {}).length > 0 || releasableOfLinked(record, {}).length > 0;
}

function hasHint({ hints }: IncidentMail): boolean {
  return hints.some(({ kind }) => kind === 'release-instruction');
}

/** Is the mail, as it comes, one to be kept on offer? What is isolated later it cannot be about. */
export function mayOrderRelease(record: IncidentRecord, mail: IncidentMail): boolean {
  return record.closed === null && hasHint(mail) && isToBeGivenBack(record);
}

function withOffers(record: IncidentRecord, change: (offers: readonly string[]) => string[]): IncidentRecord {
  const { customerMail } = record;
  if (customerMail?.offers === undefined) return record;
  const offers = change(customerMail.offers);
  return offers.length === customerMail.offers.length
    ? record
    : { ...record, customerMail: { ...customerMail, offers } };
}

/** A mail that was taken as the instruction says no more. */
export function offerTaken(record: IncidentRecord, { mail }: Instruction): IncidentRecord {
  return mail?.key === undefined ? record : withOffers(record, (offers) => offers.filter((key) => key !== mail.key));
}

/** What the inquiry says of the mails that somebody has put aside. */
export function offersPutAside(record: IncidentRecord, { putAside = [] }: InquiryReport): IncidentRecord {
  return withOffers(record, (offers) => offers.filter((key) => !putAside.includes(key)));
}

/** After whatever has changed: once nothing is isolated, no mail of that time is about what is isolated later. */
export function settleOffers(record: IncidentRecord): IncidentRecord {
  const hasOffers = (record.customerMail?.offers ?? []).length > 0;
  return hasOffers && !isToBeGivenBack(record) ? withOffers(record, () => []) : record;
}

function isWaiting(record: IncidentRecord, { inquiry }: CustomerMail, mail: IncidentMail): boolean {
  const since = inquiry?.waitingSince ?? null;
  const isUsed = record.orders.some(({ instruction }) => instruction.mail?.key === mail.key);
  return since !== null && !isUsed && mail.receivedAt >= since && hasHint(mail) && releasable(record, {}).length > 0;
}

/** Mails that may be the order to give a device back, newest first. */
export function releaseOffers(record: IncidentRecord): IncidentMail[] {
  const { customerMail } = record;
  if (record.closed !== null || customerMail === undefined) return [];
  const { mails, offers = [] } = customerMail;
  return mails.filter((mail) => offers.includes(mail.key) || isWaiting(record, customerMail, mail)).toReversed();
}

/** Is the mail no more than a reason to call back? */
export function isInDoubt(record: IncidentRecord, mail: IncidentMail): boolean {
  const { messageId } = mail;
  const mails = record.customerMail?.mails.filter(({ nature }) => nature === 'message') ?? [];
  const isOnly = messageId === null || mailsNamed(mails, messageId).length === 1;
  return !isOnly || needsCallBack(mail, record.policy?.customer.contacts ?? []);
}

/**
 * An instruction that is typed as a mail's needs no less than the mail itself: where what is on offer needs a call back, the
 * same words from the keyboard do too. A mail that has come to the SOC elsewhere is believed as it was.
 */
export function judgeTypedMail(
  offers: readonly { needsCallBack: boolean }[],
  contacts: readonly Contact[],
  instruction: ReleaseBody['instruction'],
): Rejection | undefined {
  if (!('channel' in instruction) || instruction.channel !== 'mail') return undefined;
  if (offers.length === 0 || offers.some((offer) => !offer.needsCallBack)) return undefined;
  return isCalledBack(instruction, contacts)
    ? undefined
    : reject(
        'call-back-needed',
        'The customer’s mail that is on record here has not proved to be from somebody who may instruct. ' +
          'Call the registered number of somebody who may, and say when; or close the inquiry if the mail is not meant.',
        [{ path: 'instruction.calledBackAt', message: 'is needed: a mail on record needs a call back' }],
      );
}
