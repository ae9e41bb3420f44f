import type { AlertRecord } from '../alert.js';
import type { CommandOutcome, EscalationBody, Instruction, Judgement, Level } from '../commands.js';
import type { CustomerMail } from '../customer-mail/news.js';
import type { DeviceReport } from '../device/record.js';
import type { MachineFacts } from '../machine.js';
import type { PhoneReport } from '../phone/record.js';
import type { Policy } from '../policy.js';
import type { Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import type { Follower, LeadEntry, Link, Telling } from './link-record.js';

/** One line of the audit trail, the console's story and the customer's report. */
export interface TimelineEntry {
  at: Instant;
  actor: string;
  type: TimelineType;
  text: Bilingual;
  data?: Record<string, unknown>;
}

export const timelineTypes = [
  'alert-received',
  'alert-updated',
  'scope',
  'device-known',
  'verdict',
  'duty',
  'mail',
  'reminder',
  'bounce',
  'call',
  'isolation',
  'release',
  'warning',
  'breach',
  'instruction',
  'escalation',
  'question',
  'answer',
  'note',
  'assigned',
  'rejected-signal',
  'closed',
  'reopened',
  'linked',
  'unlinked',
  'customer-mail',
  'held-mail',
  'inquiry',
] as const;
export type TimelineType = (typeof timelineTypes)[number];

export const closeReasons = [
  'out-of-scope',
  'neutralised',
  'excluded',
  'no-threat',
  'resolved',
  'no-response',
] as const;
export type CloseReason = (typeof closeReasons)[number];

export interface ExclusionProposal {
  what: string;
  why: string;
}

export interface Texts {
  detection: string | null;
  analysis: string | null;
  countermeasures: string | null;
}

export interface Verdict {
  at: Instant;
  actor: string;
  /** The revision at which it was given: whoever has seen an older one cannot change it. */
  revision: number;
  level: Level;
  judgement: Judgement;
  texts: Texts;
  askCustomer: string | null;
  /** The devices that it concerns, none below level 3. */
  machineIds: string[];
  servers: 'isolate' | 'leave' | null;
  exclusionProposal: ExclusionProposal | null;
}

export interface Escalation extends EscalationBody {
  at: Instant;
  actor: string;
}

export interface Question {
  text: string;
  askedAt: Instant;
  answer: {
    by: string;
    channel: string;
    receivedAt: Instant;
    words: string;
    recordedAt: Instant;
    actor: string;
  } | null;
}

/** The customer's order to give devices back. */
export interface ReleaseOrder {
  at: Instant;
  actor: string;
  machineIds: string[];
  instruction: Instruction;
  /** The person's name at that time. */
  instructorName: string;
  /** The lead by which it came. */
  through?: string;
  /** The incidents whose devices the same instruction gives back, this one among them. */
  covers?: string[];
}

/** Why a device is not, or no longer, to be isolated. */
export type EndReason = 'level-lowered' | 'not-named' | 'tuning-period' | 'released';
export type WaiveReason = 'tuning-period' | 'server-left';
export type RefusalReason = 'device-mismatch' | 'unknown-device' | 'server-decision-needed';

/** A verdict's demand to isolate one device. */
export interface Target {
  /** Index of the verdict that first demanded it. */
  verdict: number;
  since: Instant;
  /** Set once it has been judged whether the isolation may be asked for. */
  judged: { at: Instant; waived?: WaiveReason; refused?: RefusalReason } | null;
  ended: { at: Instant; reason: EndReason } | null;
  /** When Defender confirmed it, by Defender's clock. */
  isolatedAt: Instant | null;
  /**
   * Has the device's workflow been asked for it? What comes of an earlier demand's request is heard, but does not answer
   * this one. Absent in records from before: then the last request was for it.
   */
  requested?: boolean;
}

export interface DeviceEntry {
  machineId: string;
  /** As the alert or the analyst named it, until Defender has been asked. */
  name: string;
  namedByAlert: boolean;
  /** The name an analyst gave, which must be the device's own. */
  claimedName: string | null;
  /** What Defender said; null until it was asked. */
  facts: MachineFacts | null;
  /** Defender has not said it for a while. */
  isLookUpFailing?: boolean;
  target: Target | null;
  /** The last thing this incident asked of the device's workflow. */
  asked: { seq: number; want: 'isolate' | 'withdraw' | 'release'; at: Instant } | null;
  /** The last thing the device's workflow said, of a request not older than `asked`. */
  report: DeviceReport | null;
  /** When the last change past this service happened that the incident has heard of. */
  changeHeardAt?: Instant;
  /** Index of the release order in force. */
  order: number | null;
}

/** An effect on the outside that the incident itself, or its lead for it, carries out: a mail. */
export interface Effect {
  /** `bounced`: accepted by the mail server, and given back by those of all whom it was for. */
  status: 'running' | 'done' | 'failed' | 'cancelled' | 'bounced';
  startedAt: Instant;
  settledAt: Instant | null;
  /** Why it failed; while it is running, why it takes so long. */
  reason: string | null;
  messageId: string;
  /** The verdict that the mail tells, if it tells one. */
  verdict: number | null;
  /** A cut connection left it open whether the server took it: the customer may have been told. */
  maybeAccepted: boolean;
  /** The lead that was asked to send it, and by which request; the Message-ID is then that of the lead's mail. */
  via?: { leadId: string; seq: number };
  /** Whom it was for, without copies. Absent until it is accepted, and in records from before. */
  to?: string[];
  /** SHA-256 of the text that was sent, with LF at the ends of its lines. Absent in records from before it was kept. */
  textSha256?: string;
  /** Whom of all the mail server refused as it took the mail for the others. */
  refused?: string[];
  bounced?: Bounce[];
}

/** A mail server that has given a mail back: one recipient who was not reached. */
export interface Bounce {
  address: string;
  /** RFC 3463; empty where the report names none. */
  status: string;
  diagnostic: string;
  /** When the report came. */
  at: Instant;
}

export interface Phone {
  askedSeq: number;
  askedAt: Instant;
  report: PhoneReport | null;
  cancelledAt: Instant | null;
}

export interface Warning {
  at: Instant;
  percent: number;
  dueAt: Instant;
}

export interface Breach {
  dueAt: Instant;
  notedAt: Instant;
  /** Null before a verdict. */
  level: Level | null;
  cause: string;
}

export interface IncidentRecord {
  incidentId: string;
  customerId: string;
  createdAt: Instant;
  updatedAt: Instant;
  revision: number;
  /** Grows with every request to a device or phone workflow. */
  seq: number;

  alert: AlertRecord;
  /** Tells one version of the alert from another. */
  fingerprint: string;
  policy: Policy | null;
  /** Set when the rules last let the alert in, null while they do not. */
  scopeSince: { at: Instant; because: 'detected' | 'came-into-scope' | 'reopened' } | null;
  /** Since when the severity is one that has a time target; null while it has none. */
  targetSince: { at: Instant; because: 'detected' | 'severity-raised' } | null;

  verdicts: Verdict[];
  escalations: Escalation[];
  questions: Question[];
  orders: ReleaseOrder[];
  devices: DeviceEntry[];
  effects: Record<string, Effect>;
  /** How often a duty that had failed was tried again, by its id. */
  retries: Record<string, number>;
  /** The mails that came back and were sent anew: what became of them before. */
  bouncedMails?: (Effect & { dutyId: string })[];
  /** The keys of the delivery reports that were heard, the newest last. */
  bounceReports?: string[];
  phone: Phone | null;

  warnings: Warning[];
  breaches: Breach[];
  /** A breach at level 3 or 4, which never goes away. */
  lastingBreach: Breach | null;
  /** When it was first seen that a deadline had passed: long after it where no worker was up. */
  deadlineSeen: { dueAt: Instant; at: Instant } | null;
  untriagedWarnedAt: Instant | null;
  /** News for the SOC that is no threshold: each owes one mail. */
  socNotices: SocNotice[];

  /** The lead; absent or null without one. */
  link?: Link | null;
  /** Every incident that was ever asked to be the lead. */
  leads?: LeadEntry[];
  /** The customer was rung at level 4 by the lead that this one was linked to then. */
  rungByLead?: { leadId: string; at: Instant };
  /** The incidents that are or were linked to this one. */
  followers?: Record<string, Follower>;
  /** The mails that this incident sends for them. */
  tellings?: Telling[];

  /** Absent in runs that began before there were reminders: no timer of theirs waits for one. */
  reminders?: Reminders;

  assignee: string | null;
  closed: { at: Instant; reason: CloseReason; by: string; words: string | null } | null;
  reopenedAt: Instant | null;
  changedAfterCloseAt: Instant | null;
  /**
   * Once an analyst has closed it, whatever makes the alert more dangerous is told. Absent in runs that began before: they
   * tell of a raised severity and of coming into scope alone.
   */
  watchesClosed?: true;
  rejectedSignalAt: Instant | null;
  /**
   * When a tuning period that had prevented an isolation was over, until an analyst judges again. Absent in runs that
   * began before this was looked at: no timer of theirs waits for it.
   */
  tuningOverAt?: Instant | null;

  /**
   * The exclusion that the alert matches, as of the version that was looked at; null: nobody has looked yet. Absent in
   * runs that began before there were exclusions: they never look.
   */
  exclusion?: { lookedFor: string; match: ExclusionMatch | null } | null;

  /** What the customer has written; absent before the first mail. */
  customerMail?: CustomerMail;

  handled: Record<string, { bodyHash: string; outcome: CommandOutcome }>;
  timeline: TimelineEntry[];
  /**
   * 2: shows itself once it has come to rest, a release as soon as it is asked for, and takes a policy that was read within
   * the last minute for a mail. Absent in runs that began before: their histories replay as they went.
   */
  ways?: 2;
}

/** Which exclusion, and why, in words. */
export interface ExclusionMatch {
  exclusionId: string;
  text: Bilingual;
}

/** What the customer was asked and had not answered was asked again. */
export interface Reminders {
  /** When each came due, over all waits. */
  due: Instant[];
  /** How many of the days of the wait that goes on are past; 0 where nothing waits. */
  ofThisWait: number;
  /** Who waits for our answer is reminded of nothing. Absent in runs that began before that: their timers go on. */
  pausesForMail?: true;
  /** When we last answered: from then on it is the customer that is waited for. */
  answeredAt?: Instant;
}

/** Does a mail of the customer's wait for us, so that nobody reminds them of what we wait for? */
export function isReminderHeld({ reminders, customerMail }: IncidentRecord): boolean {
  return reminders?.pausesForMail === true && customerMail?.inquiry?.waitingSince != null;
}

export interface SocNotice {
  at: Instant;
  about:
    | 'changed-after-close'
    | 'unverified-command'
    | 'rejected-signal'
    | 'isolation-changed-elsewhere'
    | 'mail-bounced'
    | 'mail-partly-bounced';
  text: Bilingual;
}

export function incidentIdOf(customerId: string, alertId: string): string {
  return `incident:${customerId}:${alertId}`;
}

/** The parts of an incident id, or undefined for what is none. Alert ids may hold colons; customer ids cannot. */
export function parseIncidentId(id: string): { customerId: string; alertId: string } | undefined {
  const match = /^incident:([a-z0-9-]{1,40}):([\x21-\x7e]{1,128})$/.exec(id);
  return match?.[1] !== undefined && match[2] !== undefined ? { customerId: match[1], alertId: match[2] } : undefined;
}

export function currentVerdict(record: IncidentRecord): Verdict | undefined {
  return record.verdicts.at(-1);
}

/** Did the mail go out, or may it have, without coming back? */
export function mayHaveReached({ status, maybeAccepted }: Effect): boolean {
  return status === 'running' || status === 'done' || maybeAccepted;
}

/** Has anybody at the customer been told of a threat, or may have been? Where the primary came back, by a later verdict's mail. */
export function customerTold(record: IncidentRecord): boolean {
  const primary = record.effects['mail:primary'];
  if (primary === undefined) return false;
  if (primary.status !== 'bounced') return mayHaveReached(primary);
  return Object.values(record.effects).some((effect) => effect.verdict !== null && mayHaveReached(effect));
}

export function hasTexts(verdict: Verdict): boolean {
  const { detection, analysis, countermeasures } = verdict.texts;
  return detection !== null && analysis !== null && countermeasures !== null;
}
