import type { Suspects } from './audit.js';
import type { ActionRecord, DeviceReport, DeviceRequest } from './device/record.js';
import type { ChangeSeen, StepResult } from './device/evolve.js';
import type { Matchable } from './exclusion/matchable.js';
import type { RejectedOutcome } from './feed/rejected.js';
import type { FeedState } from './feed/state.js';
import type { ExclusionMatch } from './incident/record.js';
import type { FollowRequest, LeadGone, LeadReport } from './incident/link-record.js';
import type { MachineFacts } from './machine.js';
import type { PhoneRequest } from './phone/record.js';
import type { Policy } from './policy.js';
import type { Instant } from './time.js';

/**
 * The outside has not done it, or not answered, for a while: worth telling an analyst. Asked again with `isTold`,
 * it is tried for as long as it takes.
 */
export interface Delayed {
  /** The last failure, in words. */
  delayed: string;
}

export interface Told {
  isTold?: boolean;
}

export function isDelayed(result: unknown): result is Delayed {
  return typeof result === 'object' && result !== null && 'delayed' in result && typeof result.delayed === 'string';
}

/**
 * What the processes ask of the outside world: the activities. Every one may be tried again after having worked; each
 * says what its second try does.
 */
export interface Outside {
  /**
   * The customer's policy as the file and what was set at run time have it now; null when the customer is no longer in
   * the file. Reading again is harmless.
   */
  readPolicy(input: { customerId: string }): Promise<Policy | null>;

  /** Looks a device up in its tenant. `unavailable` when Defender does not answer quickly. Reading again is harmless. */
  lookUpMachine(input: MachineInput): Promise<MachineFacts | 'unavailable'>;

  /** The same, patiently: fails, to be retried, until Defender has answered. */
  awaitMachine(input: MachineInput & Told): Promise<MachineFacts | Delayed>;

  /** Signals the customer's open incidents to read the policy anew. A second Signal has them read it once more. */
  tellPolicyChanged(input: { customerId: string }): Promise<void>;

  /** The customer's registered exclusion that the alert matches now, if any. Asking again is harmless. */
  matchExclusion(input: { customerId: string; matchable: Matchable }): Promise<ExclusionMatch | null>;

  /** Who sent the nth Signal of that name to this run, as Temporal recorded it; null when it cannot be told. */
  readSignalSender(input: { signal: string; ordinal: number }): Promise<string | null>;

  /** Signals the device's workflow, starting it where needed. A second Signal has the same `seq` and is ignored. */
  askDevice(input: { customerId: string; machineId: string; request: DeviceRequest }): Promise<void>;

  /**
   * Signals a device's report to an incident. A second Signal is the same snapshot; an incident that is no longer there
   * is no failure.
   */
  tellIncident(input: { incidentId: string; report: DeviceReport }): Promise<void>;

  /** Signals the customer's phone workflow, starting it where needed. A second Signal has the same `seq` and is ignored. */
  askPhone(input: { customerId: string; request: PhoneRequest }): Promise<void>;

  /**
   * Signals a linked incident's request to its lead, or says that there is nobody to ask. A second Signal has the same
   * `seq` and is ignored.
   */
  askLead(input: { leadId: string; request: FollowRequest }): Promise<'asked' | LeadGone>;

  /** Signals a lead's report to a linked incident. A second Signal is the same snapshot; one that is gone is no failure. */
  tellLinked(input: { incidentId: string; report: LeadReport }): Promise<void>;

  /**
   * Looks for processes that stand still, tells the SOC of those that are not in `told`, and returns what has been told
   * and is still so. Fails, to be retried, while there is nothing new. A second try sends the same Message-IDs. `suspects`
   * is what may still mend by itself, since when it has been seen; absent from results of before it was returned.
   */
  audit(input: {
    told: string[];
    suspects: Suspects;
    patienceMs: number;
  }): Promise<{ told: string[]; suspects?: Suspects }>;

  /**
   * Asks Defender for what has changed in one tenant, and takes every alert to its incident. Fails, to be retried, after
   * every poll: where it stands is in its heartbeat, so that a poll costs no history. Returns now and then to have that
   * written down, and for good when the customer has left the file. A second try takes the same alerts again, which are
   * known by then.
   */
  pollFeed(input: {
    customerId: string;
    state: FeedState | null;
  }): Promise<{ state: FeedState | null; ended: boolean }>;

  /** Tries once more what a feed has kept aside. A second try finds the incident that the first one opened. */
  deliverRejected(input: { customerId: string; raw: string }): Promise<RejectedOutcome>;

  /** Hands a mail to the server. A second try sends the same Message-ID. */
  sendMail(input: MailInput & Told): Promise<MailResult | Delayed>;

  /**
   * Asks Defender to isolate or release a device: looks first, adopts what is running or already true, and only then
   * posts. A second try therefore finds what the first one did.
   */
  requestIsolation(input: IsolationInput & Told): Promise<StepResult | Delayed>;
  requestRelease(input: IsolationInput & Told): Promise<StepResult | Delayed>;

  /**
   * How Defender says the device stands: isolated, released, or with an action under way. No refusal is an answer to
   * that. Reading again is harmless.
   */
  readIsolation(input: MachineInput & Told): Promise<StepResult | Delayed>;

  /**
   * Looks now and then whether somebody else has changed how a held device stands. Fails, to be retried, while nobody has,
   * so that a look costs no history. Null, after `isTold`: it can be read again, and nobody has. Reading again is harmless.
   */
  watchIsolation(input: WatchInput & Told): Promise<ChangeSeen | null | Delayed>;

  /**
   * Follows an action to its end; fails, to be retried, while it runs. `requested`, after `isTold`: it can be read again,
   * and runs. Reading again is harmless.
   */
  followAction(input: FollowInput & Told): Promise<StepResult | Delayed>;

  /** Asks Defender to cancel an action. Cancelling one that has ended is no failure. */
  cancelAction(input: MachineInput & Told & { action: ActionRecord; why: string }): Promise<Delayed | undefined>;

  /** Places a call. A second try first looks for the call that the first one may have placed. */
  placeCall(input: CallInput): Promise<CallPlaced>;

  /** Ends a call; one that has ended already is no failure. */
  hangUp(input: { sid: string }): Promise<Delayed | undefined>;

  /** How a call stands, for when its callback never came. Reading again is harmless. */
  readCall(input: { sid: string }): Promise<{ status: string } | Delayed>;
}

/** The feeds' own queue: what they wait for must not keep anything else waiting. */
export function feedQueue(taskQueue: string): string {
  return `${taskQueue}-feeds`;
}

/** Temporal's priority of what somebody waits for: a command, and the isolation or call that follows from it. 3 is usual. */
export const PEOPLE_FIRST = { priorityKey: 1 } as const;

export interface MachineInput {
  customerId: string;
  machineId: string;
}

export interface WatchInput extends MachineInput {
  /** Up to when it is known how the device stands, by Defender's clock. */
  known: Instant;
  /** When it was last looked at; null: too long ago to be known. */
  lookedAt: Instant | null;
}

export interface IsolationInput extends MachineInput {
  /** Names the incident in Defender's portal. */
  comment: string;
}

export interface FollowInput extends MachineInput {
  action: ActionRecord;
  kind: 'isolate' | 'release';
}

export interface MailInput {
  messageId: string;
  inReplyTo?: string;
  references: string[];
  to: string[];
  cc: string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
}

export type MailResult =
  | { status: 'accepted'; at: Instant; rejected: { address: string; response: string }[] }
  | { status: 'rejected'; reason: 'mail-rejected'; response: string }
  /** The connection was cut while the server took it: it may have been accepted. To be sent again, with the same id. */
  | { status: 'uncertain'; at?: Instant };

export interface CallInput {
  customerId: string;
  attempt: number;
  to: string;
  text: string;
  language: 'ja' | 'en';
  ringSeconds: number;
  /** Calls placed before this are not ours to adopt. */
  notBefore: Instant;
}

export type CallPlaced = { status: 'placed'; sid: string } | { status: 'refused'; reason: string };
