import { z } from 'zod';
import { recordedInstructionSchema, type CommandOutcome } from '../commands.js';
import { sentPolicySchema, type Policy } from '../policy.js';
import { sentInstantSchema, type Instant } from '../time.js';

export const isolationStates = ['none', 'requested', 'isolated', 'releasing', 'failed'] as const;
export type IsolationState = (typeof isolationStates)[number];

/** Defender's machine action, as far as anybody reads it. */
export const actionSchema = z.object({
  id: z.string(),
  type: z.enum(['Isolate', 'Unisolate']),
  status: z.string(),
  requestedAt: sentInstantSchema.nullable(),
  updatedAt: sentInstantSchema.nullable(),
});
export type ActionRecord = z.infer<typeof actionSchema>;

const wantSchema = z.enum(['isolate', 'withdraw', 'release']);

/**
 * What has become of one incident's last request:
 * `wanted` under way · `isolated` held by this incident · `failed` could not be isolated · `cancelled` never isolated,
 * the request is off · `held` given up by this incident, kept isolated for others · `releasing` · `released` ·
 * `release-failed`, still isolated.
 */
const holdStateSchema = z.enum([
  'wanted',
  'isolated',
  'failed',
  'cancelled',
  'held',
  'releasing',
  'released',
  'release-failed',
]);
export type HoldState = z.infer<typeof holdStateSchema>;

const orderSchema = z.object({
  at: sentInstantSchema,
  actor: z.string(),
  instruction: recordedInstructionSchema,
  instructorName: z.string(),
});
/** A release that the customer ordered for the device itself, for whichever incidents hold it. */
export type DeviceOrder = z.infer<typeof orderSchema>;

const acknowledgementSchema = z.object({ at: sentInstantSchema, actor: z.string(), reason: z.string() });
/** An analyst's word that the device stays as somebody else has left it. */
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

const holdSchema = z.object({
  seq: z.int(),
  want: wantSchema,
  state: holdStateSchema,
  /** Why it failed or was called off, in the service's words for reasons. */
  reason: z.string().nullable(),
  /** When the state came true, by Defender's clock where Defender says. */
  at: sentInstantSchema,
  /** Set when the release was ordered on the device itself rather than through this incident. */
  order: orderSchema.nullable(),
  /** Set where the hold ended because the device was released past this service. */
  acknowledged: acknowledgementSchema.optional(),
});
export type Hold = z.infer<typeof holdSchema>;

const troubleReasonSchema = z.enum(['defender-request-failing', 'defender-state-unknown', 'defender-cancel-failing']);
/** What has been failing for a while, and goes on being tried. */
export type TroubleReason = z.infer<typeof troubleReasonSchema>;

/** What somebody has made of a device that is held here, past this service, as Defender shows it. */
export const changedElsewhereSchema = z.object({
  isolation: z.enum(['released', 'isolated']),
  /** When it came true, by Defender's clock. */
  at: sentInstantSchema,
  /** When it was noticed. */
  seenAt: sentInstantSchema,
  /** Who asked Defender for it, where Defender says. */
  by: z.string().nullable(),
});
export type ChangedElsewhere = z.infer<typeof changedElsewhereSchema>;

/** A snapshot, not a delta: what the device's workflow tells an incident. */
export const deviceReportSchema = z.object({
  version: z.int(),
  machineId: z.string(),
  isolation: z.enum(isolationStates),
  action: actionSchema.nullable(),
  /** When Defender confirmed the isolation that holds now. */
  isolatedAt: sentInstantSchema.nullable(),
  hold: holdSchema,
  /** The other incidents that hold the device. */
  heldBy: z.array(z.string()),
  /** Left out where there is none. */
  troubles: z.array(z.object({ reason: troubleReasonSchema, why: z.string() })).optional(),
  /** The last change made past this service, for whoever holds the device. Left out where there is none. */
  changedElsewhere: changedElsewhereSchema.optional(),
});
export type DeviceReport = z.infer<typeof deviceReportSchema>;

/** What an incident asks of a device. `seq` grows within the incident: what is not newer is ignored. */
export const deviceRequestSchema = z.object({
  incidentId: z.string(),
  seq: z.int(),
  want: wantSchema,
  /** For the action's comment in Defender's portal. */
  why: z.string(),
  name: z.string(),
  /** The policy that the incident goes by. Absent in requests from before. */
  policy: sentPolicySchema,
});
export type DeviceRequest = z.infer<typeof deviceRequestSchema>;

export interface DeviceRecord {
  customerId: string;
  machineId: string;
  name: string;
  version: number;
  isolation: IsolationState;
  isolatedAt: Instant | null;
  action: ActionRecord | null;
  holds: Record<string, Hold>;
  /** What is failing, and the last failure in words. */
  troubles?: DeviceReport['troubles'];
  /** Why the current isolation was asked for, as Defender's portal shows it. */
  comment: string;
  /** Orders on the device itself, newest last. */
  orders: DeviceOrder[];
  /** As last read, or as the last incident that asked goes by: whose device it is once the customer has left the file. */
  policy: Policy | null;
  handled: Record<string, { bodyHash: string; outcome: CommandOutcome }>;
  /** What each incident was last told, so that nothing is told twice. */
  told: Record<string, string>;
  /**
   * 2: reports go by a local activity and leave out what an incident has no use for, and the isolation is shown as it is
   * meant to become. Absent in runs that began before: their histories hold a report for every change.
   */
  ways?: 2;
  /** While the device is held, somebody looks whether it still is isolated. Absent in runs that began before. */
  watches?: true;
  /**
   * The last change past this service since the isolation was confirmed. `released`: whatever `isolation` says, the device
   * is on the network, until it is isolated again or an analyst has accepted it.
   */
  changedElsewhere?: ChangedElsewhere;
}

export function deviceWorkflowId(customerId: string, machineId: string): string {
  return `device:${customerId}:${machineId}`;
}
