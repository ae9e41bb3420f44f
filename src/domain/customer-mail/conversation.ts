import { incidentIdOf, parseIncidentId } from '../incident/record.js';
import { decodeIdPart, messageIdParts } from '../templates/thread.js';
import { inquiryIdOf, parseInquiryId } from '../inquiry/id.js';

/*
 * A conversation with a customer is named by the id of the workflow whose mails it began with: an incident, or an inquiry
 * that belongs to none.
 */

export interface Conversation {
  customerId: string;
  /** Null where it belongs to no incident. */
  incidentId: string | null;
  inquiryId: string;
}

/** The conversation of that workflow; undefined where a workflow of that id has none. */
export function conversationOf(workflowId: string): Conversation | undefined {
  const incident = parseIncidentId(workflowId);
  if (incident !== undefined) {
    const { customerId, alertId } = incident;
    return { customerId, incidentId: workflowId, inquiryId: inquiryIdOf(customerId, { alertId }) };
  }
  const inquiry = parseInquiryId(workflowId);
  if (inquiry === undefined) return undefined;
  const { customerId, alertId } = inquiry;
  return {
    customerId,
    incidentId: alertId === null ? null : incidentIdOf(customerId, alertId),
    inquiryId: workflowId,
  };
}

/** Of one of our own Message-IDs: whose mail it was, and which; undefined where it is none of ours. */
export function ownMail(messageId: string, mailDomain: string): { workflowId: string; mail: string } | undefined {
  const [workflow, mail, ...others] = messageIdParts(messageId, mailDomain) ?? [];
  if (workflow === undefined || mail === undefined || others.length > 0) return undefined;
  return { workflowId: decodeIdPart(workflow), mail: decodeIdPart(mail) };
}

/** By what `ownMail` calls it, of an incident's and of an inquiry's mails: one to the customer. All others are for the SOC. */
export function isToCustomer(mail: string): boolean {
  return mail.startsWith('mail:');
}

/** Was that mail of ours for nobody but the SOC? An exclusion's may be for either, by its name alone nobody can tell. */
export function isWarning({ workflowId, mail }: { workflowId: string; mail: string }): boolean {
  return !workflowId.startsWith('exclusion:') && !isToCustomer(mail);
}
