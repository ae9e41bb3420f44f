import { believed } from '../customer-mail/believed.js';
import type { Contact } from '../customer.js';
import { reject, type Rejection } from '../errors.js';
import type { InquiryView } from '../inquiry/view.js';
import { clip } from '../text.js';
import type { CustomerRequest, MailRequest } from './commands.js';

const MAX_WORDS = 2_000;

/** The customer's request that a mail of theirs is. It blinds us to what it names, so it is believed as an instruction is. */
export function requestByMail(
  inquiry: InquiryView | undefined,
  contacts: readonly Contact[],
  request: MailRequest,
): Rejection | { request: CustomerRequest } {
  if (inquiry === undefined) {
    return reject('unknown-mail', 'There is no such mail of the customer’s.', [
      { path: 'customerRequest.mail', message: 'is no mail of this conversation' },
    ]);
  }
  const mails = inquiry.conversation.map((mail) => ({
    ...mail,
    // Whom an analyst vouched for has not proved who they are.
    isAuthenticated: mail.authentication.verdict === 'authenticated' && mail.acceptedBy === null,
  }));
  const word = believed(mails, contacts, request, 'customerRequest');
  if ('code' in word) return word;
  const { mail, person } = word;
  const { calledBackAt } = request;
  const { name, address } = mail.from;
  return {
    request: {
      by: clip(name === '' ? address : `${name} <${address}>`, 100),
      channel: 'mail',
      receivedAt: mail.receivedAt,
      words: clip(mail.newText.trim() === '' ? mail.subject : mail.newText, MAX_WORDS),
      mail: {
        messageId: mail.messageId,
        references: mail.references,
        subject: mail.subject,
        conversation: inquiry.incidentId ?? inquiry.id,
        isAuthenticated: mail.isAuthenticated,
        ...(calledBackAt === undefined ? {} : { calledBackAt, calledBack: person.id }),
      },
    },
  };
}
