import { addressParser, decodeWords } from 'postal-mime';
import { fieldsOf, valueOf } from './header.js';
import type { Mailbox, Message } from './mailbox.js';

/** `soc+anything@mimamori.example` is `soc@mimamori.example` too. */
const isFor = (address: string, recipient: string): boolean => {
  const at = recipient.lastIndexOf('@');
  const local = recipient.slice(0, at).replace(/\+.*$/s, '');
  return `${local}${recipient.slice(at)}`.toLowerCase() === address.toLowerCase();
};

/** What SMTP has taken, where it is for the mailbox: byte for byte, below what the last server writes on top. */
export const deliver = (
  mailbox: Mailbox,
  address: string,
  mail: Buffer,
  envelope: { from: string; to: string[] },
): void => {
  const recipients = envelope.to.filter((recipient) => isFor(address, recipient));
  if (recipients.length === 0) return;
  const top = [`Return-Path: <${envelope.from}>`, ...recipients.map((recipient) => `Delivered-To: ${recipient}`)];
  mailbox.inbox.add({ bytes: Buffer.concat([Buffer.from(top.map((line) => `${line}\r\n`).join('')), mail]) });
};

const viewOf = ({ uid, bytes, flags, receivedAt }: Message): Record<string, unknown> => {
  const fields = fieldsOf(bytes);
  const [from] = addressParser(valueOf(fields, 'from') ?? '');
  return {
    uid,
    messageId: valueOf(fields, 'message-id') ?? null,
    from: from?.address ?? '',
    subject: decodeWords(valueOf(fields, 'subject') ?? ''),
    flags: [...flags],
    receivedAt: receivedAt.toISOString(),
    sizeBytes: bytes.length,
  };
};

/** For people: what lies where. */
export const mailboxView = (mailbox: Mailbox): Record<string, unknown> => ({
  folders: Object.fromEntries(mailbox.folders().map(({ name, messages }) => [name, messages.map(viewOf)])),
});
