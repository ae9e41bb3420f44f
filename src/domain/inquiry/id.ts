/*
 * One inquiry for each conversation with a customer: that of an incident is named by its alert, another by its first mail.
 */

export function inquiryIdOf(customerId: string, thread: { alertId: string } | { mailKey: string }): string {
  return `inquiry:${customerId}:${'alertId' in thread ? `alert.${thread.alertId}` : `mail.${thread.mailKey}`}`;
}

/** The parts of an inquiry's id, or undefined for what is none. */
export function parseInquiryId(id: string): { customerId: string; alertId: string | null } | undefined {
  const [, customerId, kind, key] = /^inquiry:([a-z0-9-]{1,40}):(alert|mail)\.([\x21-\x7e]{1,128})$/.exec(id) ?? [];
  if (customerId === undefined || key === undefined) return undefined;
  return { customerId, alertId: kind === 'alert' ? key : null };
}
