import { z } from 'zod';
import { sentPolicySchema, type Policy } from '../policy.js';
import { sentInstantSchema, type Instant } from '../time.js';

/** What an incident asks of its customer's telephone. */
export const phoneRequestSchema = z.object({
  incidentId: z.string(),
  seq: z.int(),
  want: z.enum(['ring', 'cancel']),
  title: z.string(),
  /** The policy that the incident goes by. Absent in requests from before. */
  policy: sentPolicySchema,
});
export type PhoneRequest = z.infer<typeof phoneRequestSchema>;

const phoneOutcomeSchema = z.enum(['ringing', 'acknowledged', 'exhausted', 'cancelled']);
export type PhoneOutcome = z.infer<typeof phoneOutcomeSchema>;

const callSchema = z.object({
  attempt: z.int(),
  round: z.int(),
  contactId: z.string(),
  contactName: z.string(),
  to: z.string(),
  sid: z.string().nullable(),
  startedAt: sentInstantSchema,
  endedAt: sentInstantSchema.nullable(),
  /** Twilio's call status, `acknowledged` once a key was pressed, `not-placed` when Twilio refused. */
  status: z.string(),
});
export type CallRecord = z.infer<typeof callSchema>;

/** A snapshot, not a delta: what the phone workflow tells an incident. */
export const phoneReportSchema = z.object({
  seq: z.int(),
  outcome: phoneOutcomeSchema,
  at: sentInstantSchema,
  calls: z.array(callSchema),
  /** Who pressed the key. */
  acknowledgedBy: z.string().nullable(),
  /** Why nobody could be reached. */
  reason: z.string().nullable(),
  /** What Twilio does not do, in words; left out where it does. */
  trouble: z.string().optional(),
});
export type PhoneReport = z.infer<typeof phoneReportSchema>;

/** What Twilio tells about one of our calls, by status callback or keypress. */
export const callEventSchema = z.object({
  attempt: z.int(),
  sid: z.string(),
  status: z.string(),
  digits: z.string().nullable(),
});
export type CallEvent = z.infer<typeof callEventSchema>;

export interface PhoneRecord {
  customerId: string;
  policy: Policy | null;
  /** The next attempt's number; never used twice, so that a late callback finds its own call. */
  nextAttempt: number;
  asks: Record<string, PhoneAsk>;
  calls: CallRecord[];
  /** Why the last call could not be placed, read or ended, in words. */
  trouble?: string | undefined;
}

export interface PhoneAsk {
  seq: number;
  title: string;
  outcome: PhoneOutcome;
  at: Instant;
  /** First attempt of the chain that rings for it. */
  fromAttempt: number;
  acknowledgedBy: string | null;
  reason: string | null;
}

export function phoneWorkflowId(customerId: string): string {
  return `phone:${customerId}`;
}
