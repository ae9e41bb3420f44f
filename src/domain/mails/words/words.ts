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

/** What the opening sentence is about. */
export type Opening =
  | 'primary'
  | 'primary-all-clear'
  | 'changed'
  | 'changed-all-clear'
  | 'more'
  | 'linked'
  | 'all-isolated'
  | 'isolation-result'
  | 'all-released'
  | 'release-result';

/** Everything that a customer's mail or phone call says, in one language. */
export interface CustomerWords {
  language: Language;
  service: string;
  titles: Record<CustomerMailKind, string>;
  greeting: (customer: string) => string;
  openings: Record<Opening, string>;
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
    | 'proposedWhat'
    | 'proposedWhy',
    string
  >;
  heading: Record<
    | 'question'
    | 'releaseQuestion'
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
  proposalHow: string;
  releaseHow: (people: readonly string[]) => string;
  inquiryHow: string;
  signature: string;
  listOf: (items: readonly string[]) => string;
  call: {
    announcement: (titles: readonly string[], more: number) => string;
    acknowledgement: string;
  };
}
