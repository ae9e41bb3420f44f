import { z } from 'zod';
import { instantSchema } from '../time.js';
import { conditionsSchema } from './conditions.js';

const text = (limit: number) =>
  z.string().trim().min(1, 'must not be empty').max(limit, `must be at most ${limit} characters`);

/** A rule that somebody made by hand in Defender's portal: by whom, when, and what it is. */
const portalRuleSchema = z.strictObject({ by: text(100), at: instantSchema, note: text(1_000) });

/** What the registration sets. Our own filter closes such alerts here; an indicator makes Defender itself allow them. */
const setSchema = z
  .strictObject({
    ownFilter: z.boolean().default(false),
    defenderIndicator: z.boolean().default(false),
    portalRule: portalRuleSchema.optional(),
  })
  .refine(
    ({ ownFilter, defenderIndicator, portalRule }) => ownFilter || defenderIndicator || portalRule !== undefined,
    {
      message: 'must name at least one of ownFilter, defenderIndicator and portalRule',
    },
  );
export type ExclusionSet = z.infer<typeof setSchema>;

/** Who at the customer asked for the registration, when, how, in which words. */
export const customerRequestSchema = z.strictObject({
  by: text(100),
  channel: z.enum(['mail', 'phone', 'portal']),
  receivedAt: instantSchema,
  words: text(2_000),
});

/** As it is kept: where it came by a mail of the customer's, with what a reply in its thread needs. */
export const recordedRequestSchema = customerRequestSchema.extend({
  mail: z
    .object({
      messageId: z.string().max(1_000).nullable(),
      references: z.array(z.string()).max(50),
      subject: z.string().max(500),
      /** The incident or inquiry whose conversation it is in. */
      conversation: z.string().max(250),
      isAuthenticated: z.boolean(),
      calledBackAt: z.string().optional(),
      /** The contact who was called back. Absent in requests from before it was asked for. */
      calledBack: z.string().optional(),
    })
    .optional(),
});
export type CustomerRequest = z.infer<typeof recordedRequestSchema>;

/**
 * A mail of the customer's, by its Message-ID or key, as the request: of the exclusion's incident, or of the inquiry that is named.
 * `by`: who was called back, where that is not the sender.
 */
export const mailRequestSchema = z.strictObject({
  mail: text(1_000),
  inquiryId: text(250).optional(),
  by: text(40).optional(),
  calledBackAt: instantSchema.optional(),
});
export type MailRequest = z.infer<typeof mailRequestSchema>;

export const anyRequestSchema = z.union([mailRequestSchema, customerRequestSchema]);

/** An approval may say why. */
export const approvalSchema = z.strictObject({ reason: text(1_000).optional() });
export type ApprovalBody = z.infer<typeof approvalSchema>;

/** Ends it sooner: at `expiresAt`, which may be now. */
export const shorteningSchema = z.strictObject({ expiresAt: instantSchema, reason: text(1_000) });
export type ShorteningBody = z.infer<typeof shorteningSchema>;

/**
 * The body of `POST /v1/customers/{id}/exclusions`. What depends on the time (the expiry, times in the future) is judged
 * by `judgeProposal`.
 */
export const exclusionInputSchema = z.strictObject({
  conditions: conditionsSchema,
  reason: text(2_000),
  /** The exclusion holds until before this moment. Mandatory: nothing is excluded for ever. */
  expiresAt: instantSchema,
  set: setSchema,
  customerRequest: recordedRequestSchema.optional(),
  /** The incident whose alert showed that it is needed. */
  incidentId: text(200).optional(),
});
export type ExclusionInput = z.infer<typeof exclusionInputSchema>;

/** The same as callers send it: the customer's request may be a mail of theirs. */
export const exclusionBodySchema = exclusionInputSchema.extend({ customerRequest: anyRequestSchema.optional() });
export type ExclusionBody = z.infer<typeof exclusionBodySchema>;
