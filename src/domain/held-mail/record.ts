import { z } from 'zod';
import { heldReasons, type HeldReason } from '../customer-mail/place.js';
import { inboundMailSchema, type InboundMail } from '../customer-mail/mail.js';
import type { CommandOutcome } from '../commands.js';
import type { Handled, Judged } from '../incident/judge.js';
import { reject } from '../errors.js';
import { assertNever } from '../text.js';
import type { Instant } from '../time.js';

/*
 * A mail that could not be matched, or not be trusted: kept for an analyst, who accepts it for an incident or for a customer,
 * or puts it aside. It causes no mail to anybody but the SOC.
 */

export const heldStates = ['held', 'accepted', 'dismissed'] as const;

export interface HeldMail {
  heldId: string;
  mail: InboundMail;
  reason: HeldReason;
  /** Whose mail it seems to be; null where nobody can tell. */
  customerId: string | null;
  incidentId: string | null;
  heldAt: Instant;
  /** False for what the SOC is not mailed about: it came of one of our own mails. */
  isTold: boolean;
  /** The SOC is told of it together with other strangers' mails. Absent on mails from before. */
  isStrangers?: boolean;
  /** 2: its incident hears of it. Absent on mails from before. */
  ways?: 2;
  state: (typeof heldStates)[number];
  settled: { at: Instant; actor: string; reason: string; inquiryId: string | null } | null;
  revision: number;
  handled: Handled;
}

export function heldIdOf(mailKey: string): string {
  return `held-mail:${mailKey}`;
}

/** The key of the mail that is held under that id. */
export function heldMailKey(heldId: string): string {
  return heldId.slice(heldIdOf('').length);
}

export function isHeldId(id: string): boolean {
  return /^held-mail:[0-9a-f]{32}$/.test(id);
}

export function openHeld(
  opening: Pick<HeldMail, 'mail' | 'reason' | 'customerId' | 'incidentId' | 'isTold' | 'isStrangers'>,
  at: Instant,
): HeldMail {
  return {
    heldId: heldIdOf(opening.mail.key),
    ...opening,
    heldAt: at,
    state: 'held',
    ways: 2,
    settled: null,
    revision: 1,
    handled: {},
  };
}

const text = (limit: number) => z.string().trim().min(1, 'must not be empty').max(limit);

/** Whose it is, on the analyst's word: an incident's conversation, or a customer's own. */
export const acceptanceSchema = z.strictObject({ conversationOf: text(250), reason: text(1_000) });
export type AcceptanceBody = z.infer<typeof acceptanceSchema>;

export type HeldFact =
  | { type: 'accepted'; actor: string; reason: string; inquiryId: string }
  | { type: 'dismissed'; actor: string; reason: string }
  | { type: 'command-handled'; key: string; bodyHash: string; outcome: CommandOutcome };

export function evolveHeld(held: HeldMail, fact: HeldFact, at: Instant): HeldMail {
  switch (fact.type) {
    case 'accepted':
    case 'dismissed': {
      const { type: state, actor, reason } = fact;
      const inquiryId = fact.type === 'accepted' ? fact.inquiryId : null;
      return { ...held, state, settled: { at, actor, reason, inquiryId }, revision: held.revision + 1 };
    }
    case 'command-handled':
      return {
        ...held,
        handled: { ...held.handled, [fact.key]: { bodyHash: fact.bodyHash, outcome: fact.outcome } },
      };
    default:
      return assertNever(fact);
  }
}

export function judgeSettling(held: HeldMail): Judged {
  return held.state === 'held' ? undefined : reject('mail-settled', `The mail was ${held.state} already.`);
}

const instant = z.string().meta({ format: 'date-time' });

/** What lists show of it: the workflow's memo. */
export const heldSummarySchema = z
  .object({
    id: z.string(),
    reason: z.enum(heldReasons),
    state: z.enum(heldStates),
    customerId: z.string().nullable().meta({ description: 'Whose mail it seems to be; null where nobody can tell.' }),
    incidentId: z.string().nullable(),
    from: z.string().nullable(),
    subject: z.string(),
    nature: inboundMailSchema.shape.nature,
    messageId: z.string().nullable(),
    receivedAt: instant,
    heldAt: instant,
    settled: z
      .object({ at: instant, actor: z.string(), reason: z.string(), inquiryId: z.string().nullable() })
      .nullable(),
  })
  .meta({ id: 'HeldMailSummary' });
export type HeldSummary = z.infer<typeof heldSummarySchema>;

export const heldSchema = heldSummarySchema
  .extend({ mail: inboundMailSchema.omit({ key: true }).extend({ receivedAt: instant }) })
  .meta({ id: 'HeldMail' });
export type HeldView = z.infer<typeof heldSchema>;

export function heldSummary({
  heldId,
  mail,
  reason,
  state,
  customerId,
  incidentId,
  heldAt,
  settled,
}: HeldMail): HeldSummary {
  return {
    id: heldId,
    reason,
    state,
    customerId,
    incidentId,
    from: mail.from?.address ?? null,
    subject: mail.subject.slice(0, 200),
    nature: mail.nature,
    messageId: mail.messageId,
    receivedAt: mail.receivedAt,
    heldAt,
    settled,
  };
}

export function heldView(held: HeldMail): HeldView {
  const { key: _, ...mail } = held.mail;
  return { ...heldSummary(held), mail };
}
