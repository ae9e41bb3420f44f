import { z } from 'zod';
import { HOUR_MS, MINUTE_MS, SECOND_MS, sentInstantSchema, toMs, type Instant } from '../time.js';

/*
 * How the reading of the mailbox stands. What waits is what lies in the inbox: nothing else has to be remembered for no mail to be
 * lost.
 */

export const mailboxStateSchema = z.object({
  startedAt: sentInstantSchema,
  /** When the inbox was last seen to hold nothing that waits. */
  emptyAt: sentInstantSchema.nullable(),
  /** When it was last read at all. */
  readAt: sentInstantSchema.nullable(),
  counts: z.object({
    taken: z.int().meta({ description: 'Customers’ mails that went to an inquiry.' }),
    recorded: z.int().meta({ description: 'Mails that no person wrote, on the record of an incident or an inquiry.' }),
    reports: z.int().meta({ description: 'Reports of what became of our own mails.' }),
    held: z.int().meta({ description: 'Mails that wait for an analyst’s look.' }),
    own: z.int().meta({ description: 'Mails of this service itself.' }),
  }),
  trouble: z
    .object({
      since: sentInstantSchema,
      at: sentInstantSchema,
      message: z.string(),
      failures: z.int(),
      /** Has the SOC been told? */
      isTold: z.boolean(),
    })
    .nullable(),
  /** The trouble that is over, while the SOC has not been told so. */
  over: z.object({ since: sentInstantSchema, message: z.string() }).nullable(),
});
export type MailboxState = z.infer<typeof mailboxStateSchema>;
export type MailboxCount = keyof MailboxState['counts'];

export const MAILBOX_ID = 'mailbox';

const TELL_AFTER_MS = 10 * MINUTE_MS;
const CHECKPOINT_MS = HOUR_MS;

export function openMailbox(now: Instant): MailboxState {
  return {
    startedAt: now,
    emptyAt: null,
    readAt: null,
    counts: { taken: 0, recorded: 0, reports: 0, held: 0, own: 0 },
    trouble: null,
    over: null,
  };
}

export function afterMail(state: MailboxState, count: MailboxCount): MailboxState {
  return { ...state, counts: { ...state.counts, [count]: state.counts[count] + 1 } };
}

/** The mailbox answers: whatever kept it is over. */
export function afterReading(state: MailboxState, isEmpty: boolean, now: Instant): MailboxState {
  const { trouble } = state;
  const over = trouble?.isTold === true ? { since: trouble.since, message: trouble.message } : state.over;
  return { ...state, readAt: now, emptyAt: isEmpty ? now : state.emptyAt, trouble: null, over };
}

export function afterTrouble(state: MailboxState, message: string, now: Instant): MailboxState {
  const { trouble, over } = state;
  return {
    ...state,
    trouble: {
      // To a SOC that has not heard of its end the last trouble is this one.
      since: trouble?.since ?? over?.since ?? now,
      at: now,
      message,
      failures: (trouble?.failures ?? 0) + 1,
      isTold: over !== null || (trouble?.isTold ?? false),
    },
    over: null,
  };
}

export interface MailboxNews {
  since: Instant;
  why: string;
  isOver: boolean;
}

/** What the SOC is to be told now: once that it has not been read for a while, and once that it is again. */
export function mailboxNews({ trouble, over }: MailboxState, now: Instant): MailboxNews | undefined {
  if (over !== null) return { since: over.since, why: over.message, isOver: true };
  if (trouble === null || trouble.isTold || toMs(now) < toMs(trouble.since) + TELL_AFTER_MS) return undefined;
  return { since: trouble.since, why: trouble.message, isOver: false };
}

export function afterTold(state: MailboxState, news: MailboxNews): MailboxState {
  if (news.isOver) return { ...state, over: null };
  return { ...state, trouble: state.trouble === null ? null : { ...state.trouble, isTold: true } };
}

/** For how long mails may have waited: since the inbox was last seen empty. */
export function mailboxLagMs({ emptyAt, startedAt }: MailboxState, now: Instant): number {
  return Math.max(0, toMs(now) - toMs(emptyAt ?? startedAt));
}

export function isMailboxCheckpointDue(scheduledAt: Instant, now: Instant): boolean {
  return toMs(now) - toMs(scheduledAt) >= CHECKPOINT_MS;
}

const LONGEST_PAUSE_MS = MINUTE_MS;

/** Before the next try after a failure. */
export function mailboxPauseMs({ trouble }: MailboxState): number {
  const failures = trouble?.failures ?? 1;
  return Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** Math.min(failures - 1, 6));
}

const FIRST_PER_SECOND = 5;
const MORE_EACH_SECOND = 1;
const MOST_PER_SECOND = 25;

/**
 * Between two mails where more wait than a person would notice: what a mail brings about takes several times as long as the taking,
 * and an escalation must not wait behind thousands of them, least of all on a worker that has just begun and replays whatever they touch.
 */
export function mailGapMs(openForMs: number): number {
  const perSecond = FIRST_PER_SECOND + (MORE_EACH_SECOND * openForMs) / SECOND_MS;
  return SECOND_MS / Math.min(MOST_PER_SECOND, perSecond);
}
