import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AlertNews } from '../domain/alert.js';
import type { ArchiverState } from '../domain/archive/state.js';
import type {
  AnswerBody,
  AssignBody,
  Command,
  CommandOutcome,
  DeviceReleaseBody,
  EscalationBody,
  LinkBody,
  NoteBody,
  ReasonBody,
  ReleaseBody,
  TriageBody,
  UnlinkBody,
} from '../domain/commands.js';
import type { AuditPace } from '../domain/audit.js';
import type { CustomerRecord, EndTuningBody, ExclusionChange, TuningBody } from '../domain/customers/record.js';
import type { CustomerRequest } from '../domain/exclusion/commands.js';
import type { IncidentFacts } from '../domain/exclusion/incident-facts.js';
import type { RegisteredExclusion } from '../domain/exclusion/match.js';
import type { ApprovalBody, ShorteningBody } from '../domain/exclusion/commands.js';
import type { ExclusionRecord } from '../domain/exclusion/record.js';
import type { ExclusionView } from '../domain/exclusion/view.js';
import type { InquiryNews, TakenMail } from '../domain/customer-mail/news.js';
import type { BouncedReply } from '../domain/inquiry/bounce.js';
import type {
  InquiryAnswerBody,
  InquiryClosureBody,
  InquiryReferralBody,
  IsAnswerBody,
} from '../domain/inquiry/commands.js';
import type { InquiryRecord } from '../domain/inquiry/record.js';
import type { InquiryView } from '../domain/inquiry/view.js';
import type { AcceptanceBody, HeldMail, HeldView } from '../domain/held-mail/record.js';
import type { StrangersNews, StrangersState } from '../domain/held-mail/strangers.js';
import type { MailboxState } from '../domain/mailbox/state.js';
import type { DeviceView } from '../domain/device/evolve.js';
import type { DeviceRecord, DeviceReport, DeviceRequest } from '../domain/device/record.js';
import type { Rejected } from '../domain/feed/rejected.js';
import type { FeedState } from '../domain/feed/state.js';
import type { BounceReport } from '../domain/customer-mail/news.js';
import type { FollowRequest, LeadReport } from '../domain/incident/link-record.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import type { IncidentView } from '../domain/incident/view.js';
import type { CallEvent, PhoneRecord, PhoneReport, PhoneRequest } from '../domain/phone/record.js';
import type { Instant } from '../domain/time.js';

/** Every message that a workflow understands: what the API, the activities and the other workflows send. */

/** An Update that carries one of people's commands. */
export type CommandUpdate<Body> = ReturnType<typeof defineUpdate<CommandOutcome, [Command<Body>]>>;

// incident:{customerId}:{alertId}

export interface IncidentInput {
  /** As opened from an alert, carried on from the run before, or taken up again after the end. */
  record: IncidentRecord;
  /** A newer version of the alert, when the run starts because of it. */
  news?: AlertNews;
}

/** The workflow's shape, for whoever reads its result. */
export type IncidentWorkflow = (input: IncidentInput) => Promise<IncidentRecord>;

export const triageUpdate = defineUpdate<CommandOutcome, [Command<TriageBody>]>('triage');
export const escalateUpdate = defineUpdate<CommandOutcome, [Command<EscalationBody>]>('escalate');
export const answerUpdate = defineUpdate<CommandOutcome, [Command<AnswerBody>]>('answer');
export const releaseUpdate = defineUpdate<CommandOutcome, [Command<ReleaseBody>]>('release');
export const assignUpdate = defineUpdate<CommandOutcome, [Command<AssignBody>]>('assign');
export const noteUpdate = defineUpdate<CommandOutcome, [Command<NoteBody>]>('note');
export const closeUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('close');
export const reopenUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('reopen');
export const linkUpdate = defineUpdate<CommandOutcome, [Command<LinkBody>]>('link');
export const unlinkUpdate = defineUpdate<CommandOutcome, [Command<UnlinkBody>]>('unlink');

/** The same payloads as the Updates of these names, for Temporal's own tools and for moments with no worker up. */
export const triageSignal = defineSignal<[TriageBody]>('triage');
export const releaseSignal = defineSignal<[ReleaseBody]>('release');

export const alertUpdatedSignal = defineSignal<[AlertNews]>('alertUpdated');
/** The customer's tuning periods or contacts have changed: they are to be read anew. */
export const policyChangedSignal = defineSignal('policyChanged');
export const deviceReportSignal = defineSignal<[DeviceReport]>('deviceReport');
/** A delivery report has come on one of its mails. */
export const mailBouncedSignal = defineSignal<[BounceReport]>('mailBounced');
export const phoneReportSignal = defineSignal<[PhoneReport]>('phoneReport');
/** To a lead from an incident that is linked to it, or wants to be. */
export const followRequestSignal = defineSignal<[FollowRequest]>('followRequest');
/** From the inquiry in which the customer's mail is, and from whoever reads the mailbox of what nobody has to answer. */
export const inquiryNewsSignal = defineSignal<[InquiryNews]>('inquiryNews');
/** To such an incident from its lead. */
export const leadReportSignal = defineSignal<[LeadReport]>('leadReport');

/** `now` makes the clock current: a query itself has only the time of the workflow's last step. */
export const incidentQuery = defineQuery<IncidentView, [Instant?]>('incident');
/** For the archive. Runs of before know it once a newer worker has them. */
export const incidentRecordQuery = defineQuery<IncidentRecord>('record');
export const incidentFactsQuery = defineQuery<IncidentFacts>('exclusionFacts');

// device:{customerId}:{machineId}

export interface DeviceInput {
  customerId: string;
  machineId: string;
  /** As opened by whoever asks first, or carried on from the run before. */
  record?: DeviceRecord;
  /** What lists are shown of it from the start. */
  shown?: DeviceView;
}

/** The workflow's shape, for whoever reads its result. */
export type DeviceWorkflow = (input: DeviceInput) => Promise<DeviceRecord>;

export const deviceRequestSignal = defineSignal<[DeviceRequest]>('request');
/** Somebody has to know now how the action under way stands. */
export const deviceLookSignal = defineSignal('look');
export const deviceReleaseUpdate = defineUpdate<CommandOutcome, [Command<DeviceReleaseBody>]>('release');
export const deviceAcknowledgeUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('acknowledge');
export const deviceQuery = defineQuery<DeviceView>('device');

// phone:{customerId}

export interface PhoneInput {
  customerId: string;
  record?: PhoneRecord;
}

export const phoneRequestSignal = defineSignal<[PhoneRequest]>('request');
export const callEventSignal = defineSignal<[CallEvent]>('callEvent');
export const phoneQuery = defineQuery<PhoneRecord>('phone');

// auditor

export interface AuditorInput {
  /** The keys of what the SOC has been told and what is still so. */
  told?: string[];
  pace?: AuditPace;
}

// customer:{customerId}

export interface CustomerInput {
  customerId: string;
  record?: CustomerRecord;
}

export const setTuningUpdate = defineUpdate<CommandOutcome, [Command<TuningBody>]>('setTuning');
export const endTuningUpdate = defineUpdate<CommandOutcome, [Command<EndTuningBody>]>('endTuning');
/** From an exclusion's workflow. A second Signal says the same. */
export const exclusionChangeSignal = defineSignal<[ExclusionChange]>('exclusionChange');
export const exclusionsQuery = defineQuery<RegisteredExclusion[]>('exclusions');
/** Is that exclusion one of them? */
export const hasExclusionQuery = defineQuery<boolean, [string]>('hasExclusion');
export const customerQuery = defineQuery<CustomerRecord>('customer');

// exclusion:{customerId}:{key}

export interface ExclusionRequestInput {
  /** As proposed, or carried on from the run before. */
  record: ExclusionRecord;
}

/** The workflow's shape, for whoever reads its result. */
export type ExclusionRequestWorkflow = (input: ExclusionRequestInput) => Promise<ExclusionRecord>;

export const exclusionRequestUpdate = defineUpdate<CommandOutcome, [Command<CustomerRequest>]>('request');
export const exclusionApproveUpdate = defineUpdate<CommandOutcome, [Command<ApprovalBody>]>('approve');
export const exclusionDeclineUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('decline');
export const exclusionWithdrawUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('withdraw');
export const exclusionShortenUpdate = defineUpdate<CommandOutcome, [Command<ShorteningBody>]>('shorten');
export const exclusionRetryUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('retry');
export const exclusionQuery = defineQuery<ExclusionView>('exclusion');

// inquiry:{customerId}:{key}

export interface InquiryInput {
  /** As opened for the first mail, carried on from the run before, or taken up again after the end. */
  record: InquiryRecord;
}

/** The workflow's shape, for whoever reads its result. */
export type InquiryWorkflow = (input: InquiryInput) => Promise<InquiryRecord>;

export const inquiryMailSignal = defineSignal<[TakenMail]>('customerMail');
export const inquiryBouncedSignal = defineSignal<[BouncedReply]>('replyBounced');
export const inquiryAnswerUpdate = defineUpdate<CommandOutcome, [Command<InquiryAnswerBody>]>('answer');
export const inquiryReferUpdate = defineUpdate<CommandOutcome, [Command<InquiryReferralBody>]>('refer');
export const inquiryAssignUpdate = defineUpdate<CommandOutcome, [Command<AssignBody>]>('assign');
export const inquiryCloseUpdate = defineUpdate<CommandOutcome, [Command<InquiryClosureBody>]>('close');
export const inquiryIsAnswerUpdate = defineUpdate<CommandOutcome, [Command<IsAnswerBody>]>('isAnswer');
export const inquiryQuery = defineQuery<InquiryView>('inquiry');

// held-mail:{key}

export interface HeldMailInput {
  held: HeldMail;
  socMailTo: string;
  mailDomain: string;
  customerName: string | null;
}

/** The workflow's shape, for whoever reads its result. */
export type HeldMailWorkflow = (input: HeldMailInput) => Promise<HeldMail>;

export const heldAcceptUpdate = defineUpdate<CommandOutcome, [Command<AcceptanceBody>]>('accept');
export const heldDismissUpdate = defineUpdate<CommandOutcome, [Command<ReasonBody>]>('dismiss');
export const heldQuery = defineQuery<HeldView>('heldMail');

// strangers

export interface StrangersInput {
  /** As carried on from the run before. */
  state?: StrangersState;
}

export const strangersMailSignal = defineSignal<[StrangersNews]>('strangersMail');
/** When the SOC was last mailed of strangers' mails, and of how many it has not been. */
export const strangersQuery = defineQuery<{ toldAt: Instant | null; untold: number }>('strangers');

// mailbox

export interface MailboxInput {
  /** How the run before stood. */
  state?: MailboxState | null;
}

// archiver

export interface ArchiverInput {
  /** How the run before stood. */
  state?: ArchiverState | null;
}

// feed:{customerId}

export interface FeedInput {
  customerId: string;
  /** Where the run before stood. */
  state?: FeedState | null;
}

// rejected:{customerId}:{hash}

export interface RejectedInput {
  customerId: string;
  /** As Defender sent it. */
  raw: string;
  shown: Rejected;
}

export const tryAgainSignal = defineSignal('tryAgain');
export const rejectedQuery = defineQuery<Rejected & { raw: string }>('rejected');
