import { z } from 'zod';
import { instantSchema } from '../time.js';

/**
 * A mail that has come in, as far as anybody here has to know it: what `integrations/mail/inbound` makes of the raw mail,
 * with every part cut to a size that a workflow can carry. The raw mail stays in the mailbox.
 */

/** A mail that is larger is not read: its head is, so that somebody can look for it. */
export const MAIL_BYTES = { whole: 25 * 1024 * 1024, head: 512 * 1024 };

/** The most that is kept of each. What is longer is cut, and `isCut` says so. */
export const LIMITS = {
  newText: 60_000,
  quotedText: 20_000,
  subject: 500,
  name: 200,
  address: 320,
  attachments: 50,
  ids: 50,
};

const addressSchema = z.object({
  /** Lower-cased; without a display name. */
  address: z.string().max(LIMITS.address),
  name: z.string().max(LIMITS.name),
});

/** A file that came with it; never opened. */
const attachmentSchema = z.object({
  name: z.string().max(LIMITS.name),
  /** E.g. `application/pdf`, as the sender says. */
  type: z.string().max(LIMITS.name),
  sizeBytes: z.int(),
  sha256: z.string(),
});
export type Attachment = z.infer<typeof attachmentSchema>;

/** RFC 8601; `absent` where the receiving server says nothing of it. */
const methodResult = z.enum(['pass', 'fail', 'other', 'absent']);

const authenticationSchema = z.object({
  spf: methodResult,
  dkim: methodResult,
  dmarc: methodResult,
  /**
   * `authenticated`: DMARC passed, or a passing SPF or DKIM is of the From's own domain. `failed`: the receiving server found it
   * forged (DMARC failed). `unknown`: anything else, such as no header of the configured server.
   */
  verdict: z.enum(['authenticated', 'failed', 'unknown']),
});
export type Authentication = z.infer<typeof authenticationSchema>;

/** Why no person wrote it, or no answer may follow: RFC 3834 and what mail programs do beside it. */
export const natures = [
  /** Somebody wrote it. */
  'message',
  /** Out of office and the like. */
  'auto-reply',
  /** A delivery report (RFC 3464), or what a mail server sends in its place. */
  'delivery-report',
  /** A read receipt (RFC 8098). */
  'read-receipt',
  /** By a mailing list or in bulk. */
  'list',
  /** One of this service's own mails that has come back. */
  'own',
] as const;
export type Nature = (typeof natures)[number];

export const bouncedRecipientSchema = z.object({
  address: z.string().max(LIMITS.address),
  /** `failed` for good; `delayed` is tried on; `delivered`, `relayed`, `expanded` are no trouble. */
  action: z.enum(['failed', 'delayed', 'delivered', 'relayed', 'expanded']),
  /** RFC 3463, e.g. `5.1.1`; empty where the report names none. */
  status: z.string().max(20),
  /** The mail server's words, one line. */
  diagnostic: z.string().max(500),
});
export type BouncedRecipient = z.infer<typeof bouncedRecipientSchema>;

export const inboundMailSchema = z.object({
  /** Tells one mail from another: of its Message-ID and content. The same mail twice has the same one. */
  key: z.string().regex(/^[0-9a-f]{32}$/),
  /** In angle brackets; null where it has none that can be used. */
  messageId: z.string().max(1_000).nullable(),
  /** In angle brackets, oldest first. */
  inReplyTo: z.array(z.string()).max(LIMITS.ids),
  references: z.array(z.string()).max(LIMITS.ids),
  /** Null where there is none, or more than one: nobody can be held to it. */
  from: addressSchema.nullable(),
  /** Every address that it was sent to: To, Cc, and what the server notes of the envelope (Delivered-To, X-Original-To …). */
  recipients: z.array(z.string().max(LIMITS.address)).max(200),
  subject: z.string().max(LIMITS.subject),
  /** When our server took it, else what its Date says. */
  receivedAt: instantSchema,
  nature: z.enum(natures),
  /** What in it told its nature, e.g. `Auto-Submitted: auto-replied`; empty for a message. */
  natureBecause: z.string().max(200),
  /** What is new in it, and what it quotes of the mails before. */
  newText: z.string().max(LIMITS.newText),
  quotedText: z.string().max(LIMITS.quotedText),
  isCut: z.boolean(),
  attachments: z.array(attachmentSchema).max(LIMITS.attachments),
  /** How many more there were. */
  attachmentsLeftOut: z.int(),
  /** What is special about it that a person should know: `encrypted`, `signed`, `calendar`, `no-text`, `unreadable-part`. */
  notes: z.array(z.string().max(100)).max(20),
  authentication: authenticationSchema,
  /** Of a delivery report: the Message-ID of the mail that it is about, and what has become of it. */
  report: z
    .object({ messageId: z.string().nullable(), recipients: z.array(bouncedRecipientSchema).max(50) })
    .nullable(),
});
export type InboundMail = z.infer<typeof inboundMailSchema>;
