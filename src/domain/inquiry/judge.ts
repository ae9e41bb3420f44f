import { reject } from '../errors.js';
import { meantMail } from '../customer-mail/named.js';
import type { Customer } from '../customer.js';
import type { Judged } from '../incident/judge.js';
import type { InquiryRecord } from './record.js';

function judgeSeen({ revision }: InquiryRecord, seen: number | undefined): Judged {
  return seen === undefined || seen <= revision
    ? undefined
    : reject('invalid-input', 'Nobody can have read that revision.', [
        { path: 'seen', message: `is no revision of the inquiry: the last is ${revision}` },
      ]);
}

/** There is a mail to answer: an inquiry that was started by hand has none. */
export function judgeReply(record: InquiryRecord, seen: number | undefined): Judged {
  return record.mails.length > 0
    ? judgeSeen(record, seen)
    : reject('nothing-to-answer', 'No mail of the customer is here to answer.');
}

/** The reply names the desk, so there must be one. */
export function judgeReferral(customer: Customer | undefined): Judged {
  return customer?.productSupport === undefined
    ? reject('no-product-support', 'The customers file names no support desk of the product for this customer.')
    : undefined;
}

export function judgeCloseInquiry(record: InquiryRecord, seen: number | undefined): Judged {
  const isSending = record.replies.some(({ status }) => status === 'sending');
  // One that was closed as the answer to a question may hold an instruction that somebody puts aside.
  const isAside = record.mails.every(({ isPutAside }) => isPutAside ?? record.ways !== 2);
  if (record.state === 'closed' && isAside) return reject('inquiry-closed', 'The inquiry is closed already.');
  return isSending ? reject('duties-outstanding', 'A reply is on its way.') : judgeSeen(record, seen);
}

export function judgeIsAnswer({ mails }: InquiryRecord, name: string | undefined): Judged {
  const meant = meantMail(mails, name);
  return 'code' in meant ? meant : undefined;
}
