import type { AlertRecord } from '../alert.js';
import type { AnswerBody, CommandOutcome, EscalationBody, Instruction, TriageBody } from '../commands.js';
import type { DeviceReport } from '../device/record.js';
import type { InputError } from '../errors.js';
import type { MachineFacts } from '../machine.js';
import type { PhoneReport } from '../phone/record.js';
import type { Policy } from '../policy.js';
import type { Instant } from '../time.js';
import type { BounceReport, HeldNews, IncidentMail, InquiryReport } from '../customer-mail/news.js';
import type { Breach, CloseReason, ExclusionMatch, RefusalReason, WaiveReason } from './record.js';
import type { FollowRequest, LeadGone, LeadReport, PassedOrder } from './link-record.js';

/** Something that has happened. The record changes by facts and by nothing else. */
export type Fact =
  // What Defender and the customers' file say
  | { type: 'policy-read'; policy: Policy }
  | { type: 'device-known'; facts: MachineFacts }
  | { type: 'alert-updated'; alert: AlertRecord; fingerprint: string }
  | { type: 'exclusions-looked'; fingerprint: string; match: ExclusionMatch | null }
  // What people did
  | {
      type: 'verdict';
      body: TriageBody;
      actor: string;
      /** Absent in histories from before a raise kept the requests that stand: replayed, they still ask again. */
      keepsRequests?: boolean;
    }
  | { type: 'retry-asked'; actor: string; devices?: TriageBody['devices'] }
  | { type: 'escalation'; body: EscalationBody; actor: string }
  | { type: 'answer'; body: AnswerBody; actor: string }
  | {
      type: 'release-ordered';
      machineIds: string[];
      instruction: Instruction;
      instructorName: string;
      actor: string;
      /** The lead by which it came. */
      through?: { leadId: string; number: number };
      /** The incidents whose devices the same instruction gives back, where there are several. */
      covers?: string[];
    }
  | ({ type: 'release-passed-on'; incidentId: string } & Omit<PassedOrder, 'number'>)
  | { type: 'link-asked'; leadId: string; actor: string }
  | { type: 'unlinked'; actor: string }
  | { type: 'assigned'; operatorId: string | null; actor: string }
  | { type: 'note'; text: string; actor: string }
  | { type: 'closed'; reason: CloseReason; actor: string; words: string | null }
  | { type: 'reopened'; actor: string; words: string; byRules: boolean }
  | { type: 'signal-rejected'; signal: string; actor: string; errors: InputError[]; payload: string }
  | { type: 'signal-unverified'; signal: string; actor: string }
  | { type: 'command-handled'; key: string; bodyHash: string; outcome: CommandOutcome }
  | {
      type: 'customer-mail';
      mail: IncidentMail;
      /** To be kept on offer as an order to release. Absent in histories from before that: offered while it waits. */
      isOffer?: boolean;
    }
  | { type: 'inquiry-reported'; report: InquiryReport }
  | { type: 'mail-held'; held: HeldNews }
  // What the incident decided and did
  | { type: 'isolation-judged'; machineId: string; waived?: WaiveReason; refused?: RefusalReason }
  | { type: 'isolation-ended'; machineId: string; reason: 'tuning-period' }
  | { type: 'device-asked'; machineId: string; want: 'isolate' | 'withdraw' | 'release' }
  | { type: 'phone-asked'; want: 'ring' | 'cancel' }
  | { type: 'mail-started'; dutyId: string; messageId: string; verdict: number | null }
  | { type: 'mail-settled'; dutyId: string; outcome: MailOutcome; subject: string; to: string[] }
  | { type: 'mail-bounced'; report: BounceReport }
  | { type: 'mail-uncertain'; dutyId: string }
  | { type: 'mail-delayed'; dutyId: string; why: string }
  | { type: 'look-up-failing'; machineId: string; why: string }
  | {
      type: 'lead-asked';
      leadId: string;
      want: FollowRequest['want'];
      shown: string;
      tell: { dutyId: string; verdict: number | null } | null;
    }
  | { type: 'follower-told'; incidentId: string; digest: string }
  // What the others reported
  | { type: 'device-reported'; report: DeviceReport }
  | { type: 'phone-reported'; report: PhoneReport }
  | { type: 'lead-reported'; report: LeadReport }
  | { type: 'lead-gone'; leadId: string; seq: number; why: LeadGone }
  | { type: 'follow-requested'; request: FollowRequest }
  // What time did
  | { type: 'warned'; percent: number; dueAt: Instant }
  | { type: 'deadline-seen'; dueAt: Instant }
  | { type: 'breached'; breach: Breach }
  | { type: 'untriaged-warned' }
  | { type: 'tuning-over' }
  | { type: 'reminder-due' };

export type MailOutcome =
  | { status: 'accepted'; at: Instant; rejected: { address: string; response: string }[]; textSha256?: string }
  | { status: 'rejected'; reason: string; response: string }
  | { status: 'withdrawn' };
