import type { IncidentView } from '../incident/view.js';
import type { InquiryView } from './view.js';

type Mails = IncidentView['customerMails'];

/** The inquiry that has all of what the incident keeps the beginning of; undefined where nothing was cut. */
export function inquiryToAsk(mails: Mails): string | undefined {
  return mails.find((mail) => mail.isCut && mail.inquiryId !== null)?.inquiryId ?? undefined;
}

/** What the customer has written, with the whole of each mail that the inquiry has more of. */
export function wholeMails(mails: Mails, { conversation }: Pick<InquiryView, 'conversation'>): Mails {
  return mails.map((mail) => {
    const whole = mail.isCut
      ? conversation.find(({ messageId, receivedAt }) => messageId === mail.messageId && receivedAt === mail.receivedAt)
      : undefined;
    return whole === undefined || whole.newText.length <= mail.words.length
      ? mail
      : { ...mail, words: whole.newText, subject: whole.subject, isCut: whole.isCut };
  });
}
