import { askInquiry } from './inquiries.js';
import type { Gateway } from './gateway.js';
import type { ShownIncident } from './known-incidents.js';
import { Problem } from './problem.js';

/**
 * The incident with all that its customer has written: of long and of old mails it keeps the beginning, and the inquiry all. While that
 * cannot be asked what is there is shown, and `isCut` says so.
 */
export async function withWholeMails(gateway: Gateway, incident: ShownIncident): Promise<ShownIncident> {
  const inquiryId = incident.customerMails.find((mail) => mail.isCut && mail.inquiryId !== null)?.inquiryId;
  if (inquiryId == null) return incident;
  const inquiry = await askInquiry(gateway, inquiryId).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  if (inquiry === undefined) return incident;
  const customerMails = incident.customerMails.map((mail) => {
    const whole = mail.isCut
      ? inquiry.conversation.find(
          ({ messageId, receivedAt }) => messageId === mail.messageId && receivedAt === mail.receivedAt,
        )
      : undefined;
    return whole === undefined || whole.newText.length <= mail.words.length
      ? mail
      : { ...mail, words: whole.newText, subject: whole.subject, isCut: whole.isCut };
  });
  return { ...incident, customerMails };
}
