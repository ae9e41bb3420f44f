import { z } from 'zod';
import type { InputError } from '../errors.js';

/*
 * What a feed could not take to an incident: kept whole, shown, and tried again. Nothing that Defender says is lost.
 */

/** `failing`: it was understood, and taking it to its incident has failed several times. */
export const rejectReasons = ['not-understood', 'other-tenant', 'incident-stopped', 'failing'] as const;
export type RejectReason = (typeof rejectReasons)[number];

export type RejectedOutcome =
  { is: 'delivered'; incidentId: string } | { is: 'rejected'; reason: RejectReason; errors: InputError[] };

/** What lists show of it; the whole text is the workflow's to tell. */
export const rejectedSchema = z
  .object({
    customerId: z.string(),
    /** Null where not even that could be read. */
    alertId: z.string().nullable(),
    reason: z.enum(rejectReasons),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
    receivedAt: z.string(),
    /** The last time that it was tried again. */
    triedAt: z.string(),
  })
  .meta({ id: 'RejectedAlert' });
export type Rejected = z.infer<typeof rejectedSchema>;

export function rejectedWorkflowId(customerId: string, hash: string): string {
  return `rejected:${customerId}:${hash}`;
}
