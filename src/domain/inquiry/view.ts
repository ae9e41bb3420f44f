import { z } from 'zod';
import { hintSchema } from '../customer-mail/hints.js';
import { inboundMailSchema } from '../customer-mail/mail.js';
import { incidentMailOf, inquiryStates, replyStatuses, type InquiryReport } from '../customer-mail/news.js';
import type { IncidentMail } from '../customer-mail/news.js';
import { clip } from '../text.js';
import { latest, MINUTE_MS, plus, toMs, type Instant } from '../time.js';
import { inquiryTimelineTypes, type InquiryMail, type InquiryRecord } from './record.js';

const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601 in UTC' });

/** What a list shows of an inquiry: the workflow's memo, so that a list asks no workflow. */
export const inquirySummarySchema = z
  .object({
    id: z.string(),
    customerId: z.string(),
    incidentId: z.string().nullable(),
    state: z.enum(inquiryStates),
    assignee: z.string().nullable(),
    subject: z.string(),
    from: z.string().meta({ description: 'Of the last mail.' }),
    mails: z.int(),
    waitingSince: instant.nullable().meta({ description: 'Of the oldest mail that nobody has dealt with.' }),
    attention: z.array(z.string()),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'InquirySummary' });
export type InquirySummary = z.infer<typeof inquirySummarySchema>;

const mailShape = inboundMailSchema.shape;
const inquiryMailSchema = z.object({
  key: z
    .string()
    .meta({ description: 'Names it where its Message-ID does not: it has none, or shares it with another.' }),
  messageId: mailShape.messageId,
  references: z.array(z.string()),
  from: z.object({ address: z.string(), name: z.string() }),
  contactId: z.string().nullable().meta({ description: 'The contact whose address it came from.' }),
  acceptedBy: z.string().nullable().meta({ description: 'Who vouched for a sender that is not registered.' }),
  receivedAt: instant,
  subject: z.string(),
  newText: z.string(),
  quotedText: z.string(),
  isCut: z.boolean().meta({ description: 'There is more of it in the mailbox.' }),
  attachments: z.array(z.object({ name: z.string(), type: z.string(), sizeBytes: z.int(), sha256: z.string() })),
  attachmentsLeftOut: z.int(),
  notes: z.array(z.string()),
  authentication: mailShape.authentication,
  hints: z.array(hintSchema),
  waits: z
    .boolean()
    .nullable()
    .meta({ description: 'Has nobody dealt with it? Null on mails from before each waited for itself.' }),
});

export const inquirySchema = inquirySummarySchema
  .extend({
    revision: z.int(),
    conversation: z.array(inquiryMailSchema).meta({ description: "The customer's mails, oldest first." }),
    noted: z
      .array(
        z.object({
          key: z.string(),
          messageId: mailShape.messageId,
          nature: mailShape.nature,
          natureBecause: z.string().meta({ description: 'What in it told its nature.' }),
          from: mailShape.from,
          receivedAt: instant,
          subject: z.string(),
          words: z.string(),
        }),
      )
      .meta({ description: 'The newest mails that no person wrote: nobody has to answer them.' }),
    replies: z.array(
      z.object({
        kind: z.enum(['answer', 'referral']),
        at: instant,
        actor: z.string(),
        text: z.string().nullable(),
        status: z.enum(replyStatuses),
        settledAt: instant.nullable(),
        reason: z.string().nullable(),
        messageId: z.string(),
        to: z.array(z.string()),
      }),
    ),
    timeline: z.array(
      z.object({
        at: instant,
        actor: z.string(),
        type: z.enum(inquiryTimelineTypes),
        text: z.object({ en: z.string(), ja: z.string() }),
      }),
    ),
  })
  .meta({ id: 'Inquiry' });
export type InquiryView = z.infer<typeof inquirySchema>;

function attentionOf({ replies }: InquiryRecord): string[] {
  const last = replies.at(-1);
  switch (last?.status) {
    case 'failed':
      return ['reply-refused'];
    case 'bounced':
      return ['reply-bounced'];
    case 'sending':
      return last.reason === null ? [] : [last.reason];
    case 'accepted':
    case undefined:
      return [];
  }
}

export function inquirySummary(record: InquiryRecord): InquirySummary {
  const last = record.mails.at(-1);
  return {
    id: record.inquiryId,
    customerId: record.customerId,
    incidentId: record.incidentId,
    state: record.state,
    assignee: record.assignee,
    subject: last?.subject.slice(0, 200) ?? '',
    from: last?.from.address ?? '',
    mails: record.mails.length,
    waitingSince: record.waitingSince,
    attention: attentionOf(record),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}

function shownMail({ isTold: _isTold, revision: _revision, waits, isPutAside: _isPutAside, ...mail }: InquiryMail) {
  return { ...mail, waits: waits ?? null };
}

export function inquiryView(record: InquiryRecord): InquiryView {
  return {
    ...inquirySummary(record),
    revision: record.revision,
    conversation: record.mails.map(shownMail),
    noted: record.noted ?? [],
    replies: record.replies.map(
      ({ mailKey: _mailKey, settles: _settles, isFailureTold: _isFailureTold, ...reply }) => reply,
    ),
    timeline: record.timeline,
  };
}

const MAX_REPLY_WORDS = 2_000;
const MAX_PUT_ASIDE = 50;

/** What the incident is to be told of how the inquiry stands. */
export function inquiryReport(record: InquiryRecord): InquiryReport {
  const last = record.replies.at(-1);
  return {
    inquiryId: record.inquiryId,
    version: record.revision,
    state: record.state,
    waitingSince: record.waitingSince,
    assignee: record.assignee,
    putAside: record.mails
      .filter(({ isPutAside, hints }) => isPutAside && hints.some(({ kind }) => kind === 'release-instruction'))
      .map(({ key }) => key)
      .slice(-MAX_PUT_ASIDE),
    lastReply:
      last === undefined
        ? null
        : {
            kind: last.kind,
            actor: last.actor,
            at: last.at,
            text: clip(last.text ?? '', MAX_REPLY_WORDS),
            messageId: last.messageId,
            status: last.status,
            reason: last.reason,
          },
  };
}

/** The mails that the incident has not been told of. */
export function untoldMails({ inquiryId, mails }: InquiryRecord): IncidentMail[] {
  return mails
    .filter(({ isTold }) => !isTold)
    .map((mail) => incidentMailOf({ ...mail, nature: 'message', natureBecause: '' }, { ...mail, inquiryId }));
}

/** Since when the SOC's reminders count: the customer's mail, or the loss of the reply, of which the SOC was told. */
export function remindsSince({ waitingSince, remindFrom }: InquiryRecord): Instant | null {
  return waitingSince === null ? null : latest(waitingSince, remindFrom ?? waitingSince);
}

/** When the SOC is to be reminded next, and for how many minutes the customer will have waited then. */
export function nextReminder(
  record: InquiryRecord,
  remindAfterMinutes: readonly number[],
): { at: Instant; minutes: number } | undefined {
  const since = remindsSince(record);
  if (since === null) return undefined;
  const minutes = remindAfterMinutes.find((after) => after > (record.remindedMinutes ?? 0));
  return minutes === undefined ? undefined : { at: plus(since, minutes * MINUTE_MS), minutes };
}

/** How many minutes of `remindAfterMinutes` have passed: of several that passed together only the last is told. */
export function dueReminder(
  record: InquiryRecord,
  remindAfterMinutes: readonly number[],
  now: Instant,
): number | undefined {
  const since = remindsSince(record);
  if (since === null) return undefined;
  return remindAfterMinutes.findLast(
    (after) => after > (record.remindedMinutes ?? 0) && toMs(now) >= toMs(since) + after * MINUTE_MS,
  );
}
