import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AlertNews } from '../domain/alert.js';
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
import type { RegisteredExclusion } from '../domain/exclusion/match.js';
import type { DeviceView } from '../domain/device/evolve.js';
import type { DeviceRecord, DeviceReport, DeviceRequest } from '../domain/device/record.js';
import type { Rejected } from '../domain/feed/rejected.js';
import type { FeedState } from '../domain/feed/state.js';
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
export const phoneReportSignal = defineSignal<[PhoneReport]>('phoneReport');
/** To a lead from an incident that is linked to it, or wants to be. */
export const followRequestSignal = defineSignal<[FollowRequest]>('followRequest');
/** To such an incident from its lead. */
export const leadReportSignal = defineSignal<[LeadReport]>('leadReport');

/** `now` makes the clock current: a query itself has only the time of the workflow's last step. */
export const incidentQuery = defineQuery<IncidentView, [Instant?]>('incident');

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
export const customerQuery = defineQuery<CustomerRecord>('customer');

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
