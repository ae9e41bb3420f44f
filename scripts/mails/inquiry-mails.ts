import { conversationOf } from '../../src/domain/customer-mail/conversation.js';
import { heldReasons, type HeldReason } from '../../src/domain/customer-mail/place.js';
import { heldIdOf } from '../../src/domain/held-mail/record.js';
import { inquiryAnswerMail, inquiryReferralMail } from '../../src/domain/templates/inquiry.js';
import {
  heldMailNotice,
  inquiryWaitingMail,
  mailboxTroubleMail,
  strangersNotice,
} from '../../src/domain/templates/inbound-soc.js';
import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import { customerSubject } from '../../src/domain/templates/subject.js';
import type { Language } from '../../src/domain/text.js';
import { policies, service } from './customers.js';
import { Story, minute } from './story.js';
import { texts } from './texts.js';

/** Every mail that answers a customer's, by the name of its file. */
export function inquiryMails(language: Language): Record<string, RenderedMail> {
  const policy = policies[language];
  const { record } = new Story(language);
  const { inquiry, answer, productInquiry, remark } = texts[language];
  const subject = customerSubject(record, policy, 'inquiry-answer');
  const reply = { policy, subject, reference: record.incidentId };
  const answeredTo = { receivedAt: minute(200), words: inquiry };
  const aboutProduct = { receivedAt: minute(200), words: productInquiry };
  const { productSupport: _, ...customer } = policy.customer;
  return {
    'inquiry-answer': inquiryAnswerMail({ ...reply, answeredTo, text: answer }),
    'inquiry-referral': inquiryReferralMail({ ...reply, answeredTo: aboutProduct, text: remark }),
    'inquiry-referral-unknown-desk': inquiryReferralMail({
      ...reply,
      policy: { ...policy, customer },
      answeredTo: aboutProduct,
    }),
  };
}

/** Held for these, a mail mostly names a conversation. */
const CLAIMED: readonly HeldReason[] = [
  'not-this-customers-address',
  'authentication-failed',
  'expired-token',
  'too-large',
  'unreadable',
];

/** What the SOC hears of the mails that come in. */
export function inboundSocMails(): Record<string, RenderedMail> {
  const policy = policies.ja;
  const { record } = new Story('ja');
  const subject = customerSubject(record, policy, 'inquiry-answer');
  const trouble = { service, since: minute(20), why: 'IMAP: connect ETIMEDOUT 192.0.2.10:993' };
  const held = heldReasons.map(
    (reason) =>
      [
        `soc-held-${reason}`,
        heldMailNotice({
          service,
          heldId: heldIdOf('5f3a9c1e07b2d4486a90c3f7e15b82d4'),
          reason,
          from: reason === 'no-sender' ? null : 'sato.private@mail.example',
          subject,
          receivedAt: minute(200),
          customerName: CLAIMED.includes(reason) ? policy.customer.name : null,
          incidentId: CLAIMED.includes(reason) ? record.incidentId : null,
        }),
      ] as const,
  );
  return {
    'soc-inquiry-waiting': inquiryWaitingMail({
      policy,
      inquiryId: conversationOf(record.incidentId)?.inquiryId ?? '',
      reference: record.incidentId,
      waitingSince: minute(200),
      waitedMinutes: 75,
      from: 'sato@acme.example',
      subject,
    }),
    ...Object.fromEntries(held),
    'soc-held-strangers': strangersNotice({ service, count: 23, since: minute(200) }),
    'soc-mailbox-trouble': mailboxTroubleMail({ ...trouble, isOver: false }),
    'soc-mailbox-well': mailboxTroubleMail({ ...trouble, isOver: true }),
  };
}
