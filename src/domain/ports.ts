import type { ArchiverState } from './archive/state.js';
import type { Suspects } from './audit.js';
import type { Opening } from './business-hours.js';
import type { ExclusionChange } from './customers/record.js';
import type { InboundMail } from './customer-mail/mail.js';
import type { InquiryNews } from './customer-mail/news.js';
import type { MailboxState } from './mailbox/state.js';
import type { ActionRecord, DeviceReport, DeviceRequest } from './device/record.js';
import type { ChangeSeen, StepResult } from './device/evolve.js';
import type { Conditions } from './exclusion/conditions.js';
import type { IncidentFacts } from './exclusion/incident-facts.js';
import type { Matchable } from './exclusion/matchable.js';
import type { RejectedOutcome } from './feed/rejected.js';
import type { FeedState } from './feed/state.js';
import type { StrangersNews } from './held-mail/strangers.js';
import type { ExclusionMatch } from './incident/record.js';
import type { FollowRequest, LeadGone, LeadReport } from './incident/link-record.js';
import type { MachineFacts } from './machine.js';
import type { PhoneRequest } from './phone/record.js';
import type { KeptTenant, Policy } from './policy.js';
import type { Letter } from './templates/document.js';
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
  lookUpMachine(input: LookUpInput): Promise<MachineFacts | 'unavailable'>;

  /** The same, patiently: fails, to be retried, until Defender has answered. */
  awaitMachine(input: LookUpInput & Told): Promise<MachineFacts | Delayed>;

  /** Signals the customer's open incidents to read the policy anew. A second Signal has them read it once more. */
  tellPolicyChanged(input: { customerId: string }): Promise<void>;

  /**
   * The customer's registered exclusion that the alert matches now, if any; `unknown` where nobody can be asked for some
   * seconds. Asking again is harmless.
   */
  matchExclusion(input: { customerId: string; matchable: Matchable }): Promise<ExclusionMatch | null | 'unknown'>;

  /** When the provider's business hours begin, or go on, from that moment. Reading again is harmless. */
  readBusinessHours(input: { at: Instant }): Promise<Opening>;

  /**
   * Has our own filter take an exclusion, or give it up: signals the customer's workflow, starting it where needed, and
   * waits until it has. One that is to be registered is taken in business hours only, also by a later try. A second Signal
   * says the same.
   */
  tellFilter(input: { customerId: string; change: ExclusionChange; registers?: true }): Promise<FilterAnswer>;

  /**
   * Sets the exclusion's indicator in Defender, a first time in business hours only, whichever try it is. Looks first, and
   * never writes over one that is somebody else's. A second try finds its own and sets it once more.
   */
  setIndicator(input: IndicatorInput & Told): Promise<IndicatorSet | Delayed>;

  /** Takes away what `setIndicator` may have set, and nothing else. One that is gone is as good. */
  removeIndicator(input: IndicatorInput & Told): Promise<IndicatorRemoved | Delayed>;

  /** The incident's conversation with the customer; null where there is none or nobody can tell. Reading is harmless. */
  readThread(input: { incidentId: string }): Promise<IncidentFacts['thread']>;

  /** How many alerts the exclusion has kept from the analysts so far, as far back as Temporal remembers. */
  countExcluded(input: { exclusionId: string }): Promise<number>;

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

  /**
   * Signals a customer's mail, and how its inquiry stands, to the incident; one that has ended goes on with its record for
   * that. A second Signal is the same snapshot; an incident that is gone or was stopped is no failure.
   */
  tellOfInquiry(input: { incidentId: string; news: InquiryNews }): Promise<void>;

  /** Hands a mail that an analyst has accepted to its inquiry. A second try is the same mail, which is known. */
  passOnMail(input: { mail: InboundMail; inquiryId: string; acceptedBy: string }): Promise<void>;

  /** Signals a stranger's mail to what tells the SOC of them. A second Signal is the same mail, which is known. */
  tellOfStranger(news: StrangersNews): Promise<void>;

  /**
   * Reads the mailbox for as long as it can be read: takes every mail to where it belongs, then moves it. Fails, to be retried,
   * when the connection is lost; how it stands is in its heartbeat. A mail that was taken and not moved is taken once more, and
   * known by its content.
   */
  readMailbox(input: { state: MailboxState | null }): Promise<MailboxState>;

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
   * every poll: where it stands is in its heartbeat, so that a poll costs no history. Returns that now and then to have it
   * written down, and for good when the customer has left the file. A second try takes the same alerts again, which are
   * known by then.
   */
  pollFeed(input: {
    customerId: string;
    state: FeedState | null;
  }): Promise<{ state: FeedState | null; ended: boolean }>;

  /**
   * Puts every closed incident that an analyst could have had into the archive, and again what has changed since. Fails, to be
   * retried, while there is nothing new; returns how it stands when something was archived, and now and then. A second try finds
   * in the archive what the first one has put there.
   */
  archiveClosed(input: { state: ArchiverState | null }): Promise<ArchiverState>;

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

/** Of what customers' mail brings about by itself: thousands of mails may wait, and an escalation must not wait for them. */
export const MAIL_BEHIND = { priorityKey: 4 } as const;

/** Of an exclusion what an indicator is made from. */
export interface IndicatorInput extends OfTenant {
  exclusionId: string;
  conditions: Conditions;
  reason: string;
  expiresAt: Instant;
  /** Of those that it has set, as far as is known. */
  ids: string[];
}

/** `full`: the filter can hold no more. `closed`: nothing was done, for business hours are over. */
export type FilterAnswer = 'done' | 'full' | 'closed';

/** `reason`: a code, or a sentence of Defender's. `closed`: nothing was done, for business hours are over. */
export type IndicatorSet =
  { outcome: 'set'; ids: string[] } | { outcome: 'failed'; reason: string } | { outcome: 'closed' };
export type IndicatorRemoved = { outcome: 'removed' } | { outcome: 'failed'; reason: string };

/** `tenant`: as the process knows it; the customers file's word counts for as long as it names the customer. */
export interface OfTenant {
  customerId: string;
  tenant?: KeptTenant;
}

export interface MachineInput extends OfTenant {
  machineId: string;
}

export interface LookUpInput extends MachineInput {
  /** An isolation waits for it. */
  isUrgent?: boolean;
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
  /** Since when it has been followed: one that runs for long is read less often. Default: since this was asked. */
  since?: Instant;
}

export interface MailInput {
  messageId: string;
  inReplyTo?: string;
  references: string[];
  to: string[];
  cc: string[];
  subject: string;
  /** One after the other, each in its language. Whoever sends the mail makes its parts of them. */
  letters: Letter[];
  headers: Record<string, string>;
  /**
   * The workflow whose conversation with the customer it belongs to: its token goes into Reply-To and subject when the mail is
   * sent, so that no secret is in a history.
   */
  conversation?: string;
}

export type MailResult =
  | {
      status: 'accepted';
      at: Instant;
      rejected: { address: string; response: string }[];
      /** Of the mail's text, with LF at the ends of its lines. Absent in results of before it was kept. */
      textSha256?: string;
    }
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
