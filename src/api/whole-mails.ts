import { inquiryToAsk, wholeMails } from '../domain/inquiry/whole-mails.js';
import { askInquiry } from './inquiries.js';
import type { Gateway } from './gateway.js';
import type { ShownIncident } from './known-incidents.js';
import { Problem } from './problem.js';

/**
 * The incident with all that its customer has written: of long and of old mails it keeps the beginning, and the inquiry all. While that
 * cannot be asked what is there is shown, and `isCut` says so.
 */
export async function withWholeMails(gateway: Gateway, incident: ShownIncident): Promise<ShownIncident> {
  const inquiryId = inquiryToAsk(incident.customerMails);
  if (inquiryId === undefined) return incident;
  const inquiry = await askInquiry(gateway, inquiryId).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  if (inquiry === undefined) return incident;
  return { ...incident, customerMails: wholeMails(incident.customerMails, inquiry) };
}
