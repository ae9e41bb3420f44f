import type { SendMailOptions } from 'nodemailer';
import { z } from 'zod';
import { oneLine } from '../../domain/text.js';
import { MailError } from './errors.js';

export interface OutgoingMail {
  /** With its angle brackets, e.g. `<incident.1@mimamori.example>`. A repetition carries the same one. */
  messageId: string;
  /** Where an answer goes, and a report that it did not arrive; the sender's mailbox unless it is another. */
  replyTo?: string;
  inReplyTo?: string;
  /** Oldest first. */
  references?: string[];
  /** Bare addresses, e.g. `security@acme.example`. */
  to: string[];
  cc: string[];
  subject: string;
  text: string;
  html: string;
  /** Further headers; their names start with `X-`. */
  headers: Record<string, string>;
}

export interface Mailbox {
  name: string;
  address: string;
}

/** Whom a mail is from, and the address whose mailbox somebody reads. */
export interface Sender {
  from: Mailbox;
  readAt: string;
}

const MAX_SUBJECT_LENGTH = 250;
const MAX_HEADER_LENGTH = 900;

/** Plain ASCII addresses: no quoting, comments, groups or lists, so nothing that a mail server could read otherwise. */
const ADDRESS =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
const MESSAGE_ID = /^<[^\s<>\p{Cc}]{1,980}>$/u;

const addressSchema = z.string().max(254).regex(ADDRESS, 'is not a mail address');
const messageIdSchema = z.string().regex(MESSAGE_ID, 'is not a Message-ID in angle brackets');

const outgoingSchema = z.object({
  messageId: messageIdSchema,
  to: z.array(addressSchema).min(1, 'names nobody'),
  cc: z.array(addressSchema),
  replyTo: addressSchema.optional(),
  headers: z.record(z.string().regex(/^X-[A-Za-z0-9-]{1,70}$/, 'is not an X- header'), z.string()),
});

/** `Name <address>` or a bare address. Throws a TypeError. */
export function parseMailbox(text: string): Mailbox {
  const [, name = '', bracketed] = /^(.*?)\s*<([^<>]*)>\s*$/u.exec(text) ?? [];
  const address = addressSchema.safeParse(bracketed ?? text.trim());
  if (!address.success) throw new TypeError(`not a sender: ${oneLine(text, 100)}`);
  return { name: oneLine(name.replace(/^"(.*)"$/u, '$1'), 100), address: address.data };
}

/**
 * The mail as nodemailer takes it: addresses as objects, which it does not parse again, and line breaks nowhere but in
 * the bodies. Throws a permanent MailError for a mail that cannot be one.
 */
export function toNodemailer(mail: OutgoingMail, { from, readAt }: Sender): SendMailOptions {
  const checked = outgoingSchema.safeParse(mail);
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message }) => oneLine(`${path.join('.')} ${message}`, 150));
    throw new MailError(`Not a mail: ${problems.join('; ')}`, { kind: 'permanent', mayHaveBeenAccepted: false });
  }
  const { messageId, to, cc, replyTo = readAt, headers } = checked.data;
  const extra = Object.entries(headers).map(([name, value]) => [name, oneLine(value, MAX_HEADER_LENGTH)] as const);
  return {
    from,
    to: to.map(mailboxOf),
    cc: cc.map(mailboxOf),
    replyTo: { name: from.name, address: replyTo },
    // Delivery reports go to the envelope's sender, not to the From: where nobody reads them, nobody learns of them.
    envelope: { from: replyTo, to: [...to, ...cc] },
    messageId,
    ...threadOf(mail),
    subject: oneLine(mail.subject, MAX_SUBJECT_LENGTH),
    text: mail.text,
    html: mail.html,
    headers: {
      ...Object.fromEntries(extra),
      // RFC 3834 and Exchange's counterpart: no out-of-office reply and no bounce loop answers a machine.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Ids from customers' mails can be anything; one that is no Message-ID cannot be referred to and is left out. */
function threadOf({ inReplyTo, references = [] }: OutgoingMail): Pick<SendMailOptions, 'inReplyTo' | 'references'> {
  return {
    inReplyTo: messageIdSchema.safeParse(inReplyTo).data,
    references: references.filter((id) => messageIdSchema.safeParse(id).success),
  };
}

function mailboxOf(address: string): Mailbox {
  return { name: '', address };
}
