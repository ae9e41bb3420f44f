import { until } from '../../simulator/testing.js';
import { verdict, type House, type Reply, type SimMail } from './house.js';

/* What customers do with the service's mails, and what an analyst sees of it. */

/** What a customer's mail program sends back. */
export interface Written {
  from?: string;
  to?: string;
  subject?: string;
  text: string;
  messageId?: string;
  authenticated?: boolean;
  headers?: Record<string, string>;
}

/** A mail of which the customer was told: an incident and its escalation. */
export interface Escalated {
  id: string;
  mail: SimMail;
}

export async function escalated(
  house: House,
  customer: string,
  level: 2 | 3 = 2,
  more: Record<string, unknown> = {},
): Promise<Escalated> {
  const { id } = await house.alert(customer);
  await house.command(id, 'triage', verdict(level, more));
  const mail = await until(`${id} is escalated`, async () =>
    (await house.mails(id)).find(({ headers }) => headers['x-mimamori-kind'] === 'primary'),
  );
  return { id, mail };
}

/** Answers a mail as its recipient would. */
export function answer(house: House, mail: SimMail, written: Written): Promise<{ messageId: string }> {
  return house.control('POST', '/sim/mails', {
    from: 'sato@acme.example',
    replyTo: mail.headers['message-id'],
    ...written,
  });
}

/** The inquiry of an incident's conversation. */
export function inquiryOf(id: string): string {
  const [, customerId = '', ...alertId] = id.split(':');
  return `inquiry:${customerId}:alert.${alertId.join(':')}`;
}

export function inquiryPath(id: string, command = ''): string {
  return `/v1/inquiries/${encodeURIComponent(id)}${command === '' ? '' : `/${command}`}`;
}

export function heldPath(id: string, command = ''): string {
  return `/v1/mailbox/attention/${encodeURIComponent(id)}${command === '' ? '' : `/${command}`}`;
}

export function inquiryWhen(
  house: House,
  id: string,
  what: string,
  holds: (inquiry: Reply['body']) => boolean,
): Promise<Reply['body']> {
  return until(`${id}: ${what}`, async () => {
    const { status, body } = await house.get(inquiryPath(id));
    return status === 200 && body.partial === undefined && holds(body) ? body : undefined;
  });
}

/** The held mail of that Message-ID, once it is listed. */
export function heldWhen(house: House, messageId: string): Promise<Reply['body']> {
  return until(`${messageId} is held`, async () => {
    const { body } = await house.get('/v1/mailbox/attention?limit=100');
    return body.items.find((item: Reply['body']) => item.messageId === messageId);
  });
}

export async function mailsTo(house: House, address: string, kind: string): Promise<SimMail[]> {
  return (await house.mails()).filter(({ to, headers }) => to.includes(address) && headers['x-mimamori-kind'] === kind);
}

/** The mails in a folder of the simulator's mailbox. */
export async function folder(house: House, name: string): Promise<{ messageId: string | null; subject: string }[]> {
  const { folders } = await house.control('GET', '/sim/mailbox');
  return folders[name] ?? [];
}

/** The address that a mail is to be answered to, with its token. */
export function tokenAddress({ headers }: SimMail): string {
  return /[^\s<>]+\+[^\s<>]+@[^\s<>]+/.exec(headers['reply-to'] ?? '')?.[0] ?? '';
}

/** The tag at the end of a mail's subject. */
export function subjectTag({ subject }: SimMail): string {
  return /\[#[a-z2-7-]+\]$/.exec(subject)?.[0] ?? '';
}

export const PASSED = 'Authentication-Results: mx.mimamori.example; dmarc=pass header.from=acme.example';

/** A delivery report (RFC 3464) on a mail, as the recipient's server sends it. */
export function bounceOf(
  about: string,
  recipients: string[],
  { id, from = 'MAILER-DAEMON@acme.example' }: { id: string; from?: string },
): string {
  return [
    'Return-Path: <>',
    `Message-ID: ${id}`,
    `From: Mail Delivery System <${from}>`,
    'To: mimamori@mimamori.example',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    '',
    'I am sorry.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.acme.example',
    '',
    ...recipients.flatMap((address) => [
      `Final-Recipient: rfc822; ${address}`,
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      '',
    ]),
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${about}`,
    'Subject: returned',
    '',
    '--b--',
    '',
  ].join('\n');
}
