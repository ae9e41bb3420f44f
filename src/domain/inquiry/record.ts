import type { Handled } from '../incident/judge.js';
import type { Hint } from '../customer-mail/hints.js';
import type { Authentication, Attachment, Nature } from '../customer-mail/mail.js';
import type { InquiryState, replyStatuses } from '../customer-mail/news.js';
import type { Bilingual } from '../text.js';
import type { Instant } from '../time.js';

/** A mail of the customer's, as an analyst reads it. */
export interface InquiryMail {
  key: string;
  messageId: string | null;
  references: string[];
  from: { address: string; name: string };
  contactId: string | null;
  acceptedBy: string | null;
  receivedAt: Instant;
  subject: string;
  newText: string;
  quotedText: string;
  /** There is more of it in the mailbox. */
  isCut: boolean;
  attachments: Attachment[];
  attachmentsLeftOut: number;
  notes: string[];
  authentication: Authentication;
  hints: Hint[];
  /** Has the incident been told of it? */
  isTold: boolean;
  /** The revision of the inquiry with which it came: whoever read an older one has not seen it. Absent on mails from before. */
  revision?: number;
  /** Does it wait for somebody to deal with it? Absent on mails from before. */
  waits?: boolean;
  /** Somebody has closed the inquiry with this mail in sight: nothing comes of it. */
  isPutAside?: boolean;
}

/** A mail that no person wrote: nobody has to answer it, and no answer goes to it. */
export interface NotedMail {
  key: string;
  messageId: string | null;
  nature: Nature;
  natureBecause: string;
  from: { address: string; name: string } | null;
  receivedAt: Instant;
  subject: string;
  words: string;
}

/** What was written to the customer. */
export interface Reply {
  kind: 'answer' | 'referral';
  at: Instant;
  actor: string;
  /** Null for a referral without words of the analyst's own. */
  text: string | null;
  /** The mail that it answers. */
  mailKey: string;
  /** All that waited and was dealt with by it: lost, they wait again. Absent on replies from before. */
  settles?: string[];
  status: (typeof replyStatuses)[number];
  settledAt: Instant | null;
  reason: string | null;
  messageId: string;
  to: string[];
  /** That it did not reach the customer: has the SOC been told? */
  isFailureTold: boolean;
}

export const inquiryTimelineTypes = [
  'mail',
  'noted',
  'assigned',
  'answered',
  'referred',
  'closed',
  'is-answer',
  'reply',
  'reminded',
  'rejected-signal',
] as const;

export interface InquiryEntry {
  at: Instant;
  actor: string;
  type: (typeof inquiryTimelineTypes)[number];
  text: Bilingual;
}

export interface InquiryRecord {
  inquiryId: string;
  customerId: string;
  incidentId: string | null;
  createdAt: Instant;
  updatedAt: Instant;
  revision: number;
  state: InquiryState;
  assignee: string | null;
  /** Since when the oldest mail waits that nobody has dealt with. */
  waitingSince: Instant | null;
  /** For how many minutes it had waited when the SOC was last reminded. */
  remindedMinutes: number | null;
  /** Since when the SOC's reminders count where that is later than `waitingSince`: a reply was lost. */
  remindFrom?: Instant;
  mails: InquiryMail[];
  /** The newest of those that no person wrote. Absent before the first. */
  noted?: NotedMail[];
  replies: Reply[];
  /** The revision of which the incident was last told. */
  toldRevision: number;
  handled: Handled;
  timeline: InquiryEntry[];
  /**
   * 2: each mail waits for itself, since it was received. Absent in runs that began before: they wait since the first that came,
   * and are closed as one by an answer to a question.
   */
  ways?: 2;
}

/** So many mails that no person wrote are kept, and so much of each: a machine may go on for ever. */
export const MAX_NOTED = 20;
export const MAX_NOTED_WORDS = 500;

/** So much of the customers' words a run can carry: of older mails the beginning is kept. */
export const MAX_KEPT_TEXT = 200_000;
