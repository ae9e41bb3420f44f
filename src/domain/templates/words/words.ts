import type { Instruction, Judgement, Level } from '../../commands.js';
import type { Language } from '../../text.js';
import type { Instant } from '../../time.js';
import type { DeviceState } from '../devices.js';
import type { CustomerMailKind } from '../kinds.js';
import type { When } from '../when.js';

export type PhoneState =
  | { is: 'to-be-rung' }
  | { is: 'ringing' }
  | { is: 'acknowledged'; at: Instant; by: string | null }
  | { is: 'unanswered' }
  | { is: 'no-contact' };

/** Everything that a customer's mail or phone call says, in one language. */
export interface CustomerWords {
  language: Language;
  service: string;
  titles: Record<CustomerMailKind, string>;
  greeting: (customer: string) => string;
  label: Record<
    | 'reference'
    | 'alert'
    | 'detectedAt'
    | 'severity'
    | 'devices'
    | 'level'
    | 'judgement'
    | 'instructor'
    | 'instructedAt'
    | 'channel'
    | 'calledBackAt'
    | 'supportName'
    | 'supportMail'
    | 'supportPhone'
    | 'supportUrl'
    | 'supportNote'
    | 'inquiryReference'
    | 'inquiryAt'
    | 'proposedWhat'
    | 'proposedWhy',
    string
  >;
  heading: Record<
    | 'facts'
    | 'question'
    | 'releaseQuestion'
    | 'disconnect'
    | 'isolation'
    | 'phone'
    | 'detection'
    | 'analysis'
    | 'countermeasures'
    | 'message'
    | 'linked'
    | 'proposal'
    | 'instruction'
    | 'release'
    | 'answer'
    | 'referral'
    | 'remark'
    | 'yourWords'
    | 'inquiry',
    string
  >;
  level: Record<Level, string>;
  judgement: Record<Judgement, string>;
  changed: (from: string, to: string) => string;
  unchanged: (value: string) => string;
  unknown: string;
  none: string;
  channel: Record<Instruction['channel'], string>;
  device: (state: DeviceState, when: When) => string;
  phone: (state: PhoneState, when: When) => string;
  noIsolation: string;
  noDeviceNamed: string;
  answerByReply: string;
  askRelease: (devices: readonly string[]) => string;
  /** A question that has been waiting for its answer. */
  askedSince: (text: string, since: string) => string;
  isolatedSince: (device: string, since: string) => string;
  inquiry: Record<'answered' | 'noReply' | 'referred' | 'askThere' | 'askUs', string>;
  askDisconnect: (devices: readonly string[]) => string;
  proposalHow: string;
  releaseHow: (people: readonly string[]) => string;
  inquiryHow: string;
  /** `desk`: how the product's support desk is reached; null where it is not known. */
  productHow: (desk: string | null) => string;
  signature: string;
  listOf: (items: readonly string[]) => string;
  call: {
    announcement: (titles: readonly string[], more: number) => string;
    acknowledgement: string;
  };
}
