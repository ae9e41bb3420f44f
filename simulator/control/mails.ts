import { simulatorAuthservId } from '../defaults.js';
import MailComposer from 'nodemailer/lib/mail-composer';
import { z } from 'zod';
import { fieldsOf, valueOf } from '../imap/header.js';
import type { Mail } from '../smtp/mailbox.js';
import type { World } from '../world.js';
import { checkInput, InvalidInput } from './input.js';

const addresses = z.union([z.string().min(1), z.array(z.string().min(1))]);

const composedSchema = z.strictObject({
  from: z.string().min(1),
  /** The mailbox, or with `replyTo` whoever wrote that mail. */
  to: addresses.optional(),
  cc: addresses.optional(),
  subject: z.string().optional(),
  text: z.string().default(''),
  html: z.string().optional(),
  messageId: z.string().min(1).optional(),
  inReplyTo: z.string().optional(),
  references: addresses.optional(),
  /** The Message-ID of a mail that SMTP took; this one answers it. */
  replyTo: z.string().min(1).optional(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  attachments: z
    .array(z.strictObject({ filename: z.string(), contentType: z.string(), base64: z.base64() }))
    .default([]),
  authenticated: z.boolean().default(true),
});

type Composed = z.infer<typeof composedSchema>;

const rawSchema = z.strictObject({ raw: z.string().min(1) });
const rawBytesSchema = z.strictObject({ rawBase64: z.base64().min(1) });

/** What the server that takes mail from the internet has found out about it. */
const verdictOn = (from: string, isAuthenticated: boolean): string => {
  const address = /<([^<>]*)>\s*$/.exec(from)?.[1] ?? from.trim();
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const [spf, dkim, dmarc] = isAuthenticated ? ['pass', 'pass', 'pass'] : ['softfail', 'none', 'fail'];
  return (
    `Authentication-Results: ${simulatorAuthservId}; spf=${spf} smtp.mailfrom=${address};` +
    ` dkim=${dkim} header.d=${domain}; dmarc=${dmarc} header.from=${domain}\r\n`
  );
};

const quoted = ({ receivedAt, from, text }: Mail): string =>
  `\n\nOn ${new Date(receivedAt).toUTCString()}, ${from} wrote:\n${text.replace(/^/gm, '> ')}`;

/** As a mail program fills in the fields when somebody presses "Reply". */
const answerTo = (original: Mail): Pick<Composed, 'to' | 'subject' | 'inReplyTo' | 'references'> => {
  const { headers, subject } = original;
  const messageId = headers['message-id'] ?? '';
  return {
    to: headers['reply-to'] ?? headers['from'] ?? original.from,
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    inReplyTo: messageId,
    references: `${headers['references'] ?? ''} ${messageId}`.trim(),
  };
};

const originalOf = (world: World, messageId: string): Mail => {
  const original = world.mailboxes.list().find(({ headers }) => headers['message-id'] === messageId);
  if (original === undefined)
    throw new InvalidInput([{ path: 'replyTo', message: 'GET /sim/mails has no mail with this Message-ID.' }]);
  return original;
};

const compose = (given: Composed, world: World): Promise<Buffer> => {
  const { replyTo, authenticated, attachments, ...fields } = given;
  const original = replyTo === undefined ? undefined : originalOf(world, replyTo);
  const composer = new MailComposer({
    to: world.credentials.mailboxAddress,
    ...(original === undefined ? {} : answerTo(original)),
    ...fields,
    text: original === undefined ? fields.text : fields.text + quoted(original),
    attachments: attachments.map(({ filename, contentType, base64 }) => ({
      filename,
      contentType,
      content: Buffer.from(base64, 'base64'),
    })),
    newline: 'windows',
  });
  return composer
    .compile()
    .build()
    .then((mail) => Buffer.concat([Buffer.from(verdictOn(given.from, authenticated)), mail]));
};

const bytesOf = async (body: unknown, world: World): Promise<Buffer> => {
  const raw = rawSchema.safeParse(body);
  // Written in a test, lines end as they do in a file; in a mailbox they never do.
  if (raw.success) return Buffer.from(raw.data.raw.replace(/\r?\n/g, '\r\n'));
  const rawBytes = rawBytesSchema.safeParse(body);
  if (rawBytes.success) return Buffer.from(rawBytes.data.rawBase64, 'base64');
  return compose(checkInput(body, composedSchema), world);
};

/** A customer's mail into the INBOX. */
export const putMail = async (body: unknown, world: World): Promise<{ messageId: string | null; uid: number }> => {
  const bytes = await bytesOf(body, world);
  const { uid } = world.mailbox.inbox.add({ bytes });
  return { messageId: valueOf(fieldsOf(bytes), 'message-id') ?? null, uid };
};
