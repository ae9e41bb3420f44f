import { z } from 'zod';
import { recordedInstructionSchema, releaseOutcomeSchema } from '../commands.js';
import { sectionSchema, type Section } from '../templates/document.js';
import { sentInstantSchema, type Instant } from '../time.js';

/*
 * What an incident that is linked to a lead, and the lead, know and tell of each other. Requests and reports are
 * snapshots: the newest says all that holds, and whatever is older is ignored.
 */

/** A device of a linked incident, for the customer's instruction that comes by the lead. */
const linkedDeviceSchema = z.object({
  machineId: z.string(),
  name: z.string(),
  /** Would an instruction give it back? */
  releasable: z.boolean(),
  /** What has become of the last instruction. */
  outcome: releaseOutcomeSchema.nullable(),
});
export type LinkedDevice = z.infer<typeof linkedDeviceSchema>;

/** What an incident asks of its lead. `seq` grows within the incident: what is not newer is ignored. */
export const followRequestSchema = z.object({
  incidentId: z.string(),
  seq: z.int(),
  want: z.enum(['follow', 'leave']),
  title: z.string(),
  /** Is anything still owed that would be told through the lead? */
  owes: z.boolean(),
  devices: z.array(linkedDeviceSchema),
  /** The number of the lead's last order that it has on its record. */
  ordersSeen: z.int(),
  /** The mail that is to be sent for it; null: none, and one that has not begun is not wanted any more. */
  tell: z.object({ dutyId: z.string(), sections: z.array(sectionSchema) }).nullable(),
});
export type FollowRequest = z.infer<typeof followRequestSchema>;

const passedOrderSchema = z.object({
  /** Orders of one lead to one incident are numbered from 1. */
  number: z.int(),
  machineIds: z.array(z.string()),
  instruction: recordedInstructionSchema,
  instructorName: z.string(),
  actor: z.string(),
  /** The incidents whose devices the same instruction gives back. */
  covers: z.array(z.string()),
});
export type PassedOrder = z.infer<typeof passedOrderSchema>;

const leadRefusalSchema = z.enum(['lead-is-linked', 'incident-closed', 'lead-all-clear']);
export type LeadRefusal = z.infer<typeof leadRefusalSchema>;

/** What a lead tells an incident that has asked it. */
export const leadReportSchema = z.object({
  leadId: z.string(),
  /** Grows with every report of this lead. */
  version: z.int(),
  /** The incident's last request that the lead has seen. */
  seq: z.int(),
  state: z.enum(['following', 'left', 'refused']),
  refusal: leadRefusalSchema.nullable(),
  /** The incident that the lead itself is linked to, where that is why. */
  leadOfLead: z.string().nullable(),
  /** Is the customer being rung for the lead, or has been? */
  phone: z.enum(['no', 'ringing', 'rung']),
  /** What has become of the last mail that was to be sent for it. */
  tell: z
    .object({
      /** The request that brought it. */
      seq: z.int(),
      status: z.enum(['waiting', 'running', 'accepted', 'failed', 'withdrawn']),
      at: sentInstantSchema.nullable(),
      reason: z.string().nullable(),
      messageId: z.string().nullable(),
      maybeAccepted: z.boolean(),
    })
    .nullable(),
  /** The orders that the incident has not confirmed, oldest first. */
  orders: z.array(passedOrderSchema),
});
export type LeadReport = z.infer<typeof leadReportSchema>;

/** The lead that an incident is linked to, or has asked to be. */
export interface Link {
  leadId: string;
  actor: string;
  askedAt: Instant;
  /** Null until the lead has taken it. */
  since: Instant | null;
  /** Requests up to this one were made before. */
  seq: number;
}

/** One incident that was ever asked to be the lead. */
export interface LeadEntry {
  leadId: string;
  /** The last request, and the essence of it, so that the same is not asked again. */
  asked: { seq: number; want: FollowRequest['want']; dutyId: string | null; shown: string } | null;
  report: LeadReport | null;
  /** There was nobody to ask: no such incident, or its workflow has ended or was stopped. */
  gone: LeadGone | null;
  ordersSeen: number;
}

export type LeadGone = 'unknown' | 'ended' | 'stopped';

/** An incident that is or was linked to this one, as it last asked. */
export interface Follower {
  seq: number;
  want: FollowRequest['want'];
  title: string;
  owes: boolean;
  devices: LinkedDevice[];
  ordersSeen: number;
  refusal: LeadRefusal | null;
  /** Orders that it has not confirmed. */
  orders: PassedOrder[];
  lastOrder: number;
  /** What it was last told, and how often. */
  told: { digest: string; count: number };
}

/** One mail that this incident sends for another. */
export interface Telling {
  incidentId: string;
  /** The duty of that incident. */
  dutyId: string;
  seq: number;
  at: Instant;
  title: string;
  /** What the mail says; dropped once it is told or not wanted, so that the record stays small. */
  sections: Section[] | null;
  withdrawnAt: Instant | null;
}
