import { z } from 'zod';
import { clip } from '../text.js';
import { instantSchema, sentInstantSchema } from '../time.js';
import { hintSchema, hintsOf } from './hints.js';
import { bouncedRecipientSchema, inboundMailSchema, natures, type InboundMail } from './mail.js';

/** A mail that has found its customer: as an inquiry takes it. */
export const takenMailSchema = z.object({
  mail: inboundMailSchema,
  /** The contact whose address it came from. */
  contactId: z.string().nullable(),
  /** The analyst who vouched for a sender that is not registered. */
  acceptedBy: z.string().nullable(),
});
export type TakenMail = z.infer<typeof takenMailSchema>;

/** Was it written by no person, and has nobody said otherwise? It is noted, and waits for nobody. */
export function isNobodys({ mail, acceptedBy }: TakenMail): boolean {
  return acceptedBy === null && ['auto-reply', 'read-receipt', 'list'].includes(mail.nature);
}

const MAX_WORDS = 3_000;
const MAX_FILES = 10;

/** A mail as an incident keeps it on its record; all of it is with the inquiry. */
export const incidentMailSchema = z.object({
  key: z.string().max(64),
  messageId: z.string().max(1_000).nullable(),
  nature: z.enum(natures),
  natureBecause: z.string().max(200),
  from: z.object({ address: z.string().max(320), name: z.string().max(200) }).nullable(),
  contactId: z.string().nullable(),
  acceptedBy: z.string().nullable(),
  receivedAt: sentInstantSchema,
  subject: z.string().max(500),
  words: z.string().max(MAX_WORDS),
  isCut: z.boolean(),
  files: z.array(z.object({ name: z.string().max(200), sizeBytes: z.number() })).max(MAX_FILES),
  isAuthenticated: z.boolean(),
  hints: z.array(hintSchema).max(10),
  inquiryId: z.string().nullable(),
});
export type IncidentMail = z.infer<typeof incidentMailSchema>;

export const inquiryStates = ['open', 'assigned', 'answered', 'referred', 'closed'] as const;
export type InquiryState = (typeof inquiryStates)[number];

export const replyStatuses = ['sending', 'accepted', 'failed', 'bounced'] as const;

/** How an inquiry stands: a snapshot, of which an older one is ignored. */
export const inquiryReportSchema = z.object({
  inquiryId: z.string().max(250),
  version: z.int(),
  state: z.enum(inquiryStates),
  /** Since when a mail of the customer's waits for somebody. */
  waitingSince: sentInstantSchema.nullable(),
  assignee: z.string().nullable(),
  /** The keys of mails that may be instructions and that somebody has put aside. Absent in reports from before. */
  putAside: z.array(z.string().max(64)).max(50).optional(),
  lastReply: z
    .object({
      kind: z.enum(['answer', 'referral']),
      actor: z.string(),
      at: sentInstantSchema,
      text: z.string().max(MAX_WORDS),
      messageId: z.string(),
      status: z.enum(replyStatuses),
      reason: z.string().nullable(),
    })
    .nullable(),
});
export type InquiryReport = z.infer<typeof inquiryReportSchema>;

/** A mail that names the incident's conversation and is not trusted: it waits for an analyst, or has been dealt with. */
export const heldNewsSchema = z.object({
  heldId: z.string().max(100),
  reason: z.string().max(50),
  isWaiting: z.boolean(),
});
export type HeldNews = z.infer<typeof heldNewsSchema>;

/** What an incident is told of its customer's mail: further mails, and how their inquiry stands. */
export const inquiryNewsSchema = z.object({
  mails: z.array(incidentMailSchema).max(50),
  report: inquiryReportSchema.nullable(),
  held: heldNewsSchema.optional(),
});
export type InquiryNews = z.infer<typeof inquiryNewsSchema>;

type Known = Pick<
  InboundMail,
  | 'key'
  | 'messageId'
  | 'nature'
  | 'natureBecause'
  | 'from'
  | 'receivedAt'
  | 'subject'
  | 'newText'
  | 'isCut'
  | 'attachments'
  | 'authentication'
>;

export function incidentMailOf(
  mail: Known,
  { contactId, acceptedBy, inquiryId }: Pick<IncidentMail, 'contactId' | 'acceptedBy' | 'inquiryId'>,
): IncidentMail {
  const { newText, attachments, authentication } = mail;
  return {
    key: mail.key,
    messageId: mail.messageId,
    nature: mail.nature,
    natureBecause: mail.natureBecause,
    from: mail.from,
    contactId,
    acceptedBy,
    inquiryId,
    receivedAt: mail.receivedAt,
    subject: mail.subject,
    words: clip(newText, MAX_WORDS),
    isCut: mail.isCut || newText.length > MAX_WORDS,
    files: attachments.slice(0, MAX_FILES).map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    // Whom an analyst vouched for has not proved who they are.
    isAuthenticated: authentication.verdict === 'authenticated' && acceptedBy === null,
    hints: mail.nature === 'message' ? hintsOf(mail) : [],
  };
}

/** What an incident knows of its customer's mails. */
export interface CustomerMail {
  mails: IncidentMail[];
  /** How the inquiry stands in which they are; null while there is none. */
  inquiry: InquiryReport | null;
  /** Held mails that name the conversation, the newest. Absent before the first. */
  held?: HeldNews[];
  /** The keys of mails that are kept on offer as an order to release. Absent before the first. */
  offers?: string[];
}

/** A delivery report (RFC 3464) on one of the incident's mails. */
export const bounceReportSchema = z.object({
  /** Of the mail that brought the report: the same report twice has the same one. */
  key: z.string().min(1).max(200),
  /** Of the mail that it is about. */
  messageId: z.string().min(1).max(1_000),
  receivedAt: instantSchema,
  recipients: z.array(bouncedRecipientSchema).max(50),
});
export type BounceReport = z.infer<typeof bounceReportSchema>;
