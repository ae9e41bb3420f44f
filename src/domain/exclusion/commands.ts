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
export type CustomerRequest = z.infer<typeof customerRequestSchema>;

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
  customerRequest: customerRequestSchema.optional(),
  /** The incident whose alert showed that it is needed. */
  incidentId: text(200).optional(),
});
export type ExclusionInput = z.infer<typeof exclusionInputSchema>;
