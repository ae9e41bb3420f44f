import type { CommandOutcome } from '../commands.js';
import { assertNever, bilingual, type Bilingual } from '../text.js';
import { latest, plus, toMs, DAY_MS, type Instant } from '../time.js';
import type { CustomerRequest, ExclusionSet } from './commands.js';
import type { Conditions } from './conditions.js';
import type { RegisteredExclusion } from './match.js';
import type { Policy } from '../policy.js';

export const exclusionStates = [
  'proposed',
  'requested',
  'approved',
  'waiting-for-business-hours',
  'registered',
  'confirmed',
  'declined',
  'withdrawn',
  'expired',
] as const;
export type ExclusionState = (typeof exclusionStates)[number];

/** What a registration can set, each by itself. */
export const exclusionParts = ['own-filter', 'defender-indicator', 'portal-rule'] as const;
export type ExclusionPart = (typeof exclusionParts)[number];

export interface PartState {
  status: 'set' | 'failed' | 'removed';
  at: Instant;
  /** Ids that Defender gave, for one. */
  detail: string[];
  /** Why it failed; of one that is set: why it could not be removed. */
  reason: string | null;
}

export interface Approval {
  at: Instant;
  actor: string;
  reason: string;
}

export const exclusionTimelineTypes = [
  'proposed',
  'customer-request',
  'approved',
  'waiting',
  'part',
  'registered',
  'confirmation',
  'end-mail',
  'reminder',
  'expiry-changed',
  'retry',
  'ended',
] as const;

export interface ExclusionTimelineEntry {
  at: Instant;
  actor: string;
  type: (typeof exclusionTimelineTypes)[number];
  text: Bilingual;
}

/** One exclusion from its proposal to its end. It changes by facts and by nothing else. */
export interface ExclusionRecord {
  exclusionId: string;
  customerId: string;
  /**
   * The policy when it was proposed: by that it goes on where the customer has left the file, so that what it has set is
   * taken back. Absent in records from before.
   */
  policy?: Policy;
  createdAt: Instant;
  updatedAt: Instant;
  revision: number;

  proposer: string;
  conditions: Conditions;
  reason: string;
  expiresAt: Instant;
  set: ExclusionSet;
  incidentId: string | null;
  /** Put to the customer (打診): it waits for the customer's request, and is not approved without. */
  asksCustomer: boolean;
  /** How many past alerts it would have excluded, when it was proposed. */
  breadth: { matched: number; of: number };
  approvalsNeeded: 1 | 2;

  customerRequest: (CustomerRequest & { recordedAt: Instant; actor: string }) | null;
  approvals: Approval[];
  /** When the work begins, while it waits for business hours. */
  waitingUntil: Instant | null;
  parts: Partial<Record<ExclusionPart, PartState>>;
  registeredAt: Instant | null;
  /** The reply mail that tells the customer. */
  confirmation: { status: 'accepted' | 'failed'; at: Instant; messageId: string; reason: string | null } | null;
  remindedAt: Instant | null;
  /** The reply mail that tells a customer who asked for it that it is not, or no longer, in force. */
  endMail: { status: 'accepted' | 'failed'; at: Instant; messageId: string; reason: string | null } | null;
  ended: { at: Instant; state: 'declined' | 'withdrawn' | 'expired'; actor: string; reason: string } | null;

  handled: Record<string, { bodyHash: string; outcome: CommandOutcome }>;
  timeline: ExclusionTimelineEntry[];
}

export function exclusionIdOf(customerId: string, key: string): string {
  return `exclusion:${customerId}:${key}`;
}

/** Undefined for what is no exclusion's id. */
export function parseExclusionId(id: string): { customerId: string } | undefined {
  const customerId = /^exclusion:([a-z0-9-]{1,40}):[A-Za-z0-9-]{1,64}$/.exec(id)?.[1];
  return customerId === undefined ? undefined : { customerId };
}

/** Its state is what has happened so far; nothing sets it. */
export function stateOf(record: ExclusionRecord): ExclusionState {
  if (record.ended !== null) return record.ended.state;
  if (record.registeredAt !== null) return record.confirmation?.status === 'accepted' ? 'confirmed' : 'registered';
  if (isApproved(record)) return record.waitingUntil === null ? 'approved' : 'waiting-for-business-hours';
  return record.customerRequest === null ? 'proposed' : 'requested';
}

export function isApproved({ approvals, approvalsNeeded }: ExclusionRecord): boolean {
  return approvals.length >= approvalsNeeded;
}

export function wantedParts({ ownFilter, defenderIndicator, portalRule }: ExclusionSet): ExclusionPart[] {
  return [
    ...(ownFilter ? (['own-filter'] as const) : []),
    ...(defenderIndicator ? (['defender-indicator'] as const) : []),
    ...(portalRule === undefined ? [] : (['portal-rule'] as const)),
  ];
}

/** The parts whose setting has neither succeeded nor failed yet. */
export function outstandingParts(record: ExclusionRecord): ExclusionPart[] {
  return wantedParts(record.set).filter((part) => record.parts[part] === undefined);
}

function partsThat(record: ExclusionRecord, status: PartState['status']): ExclusionPart[] {
  return exclusionParts.filter((part) => record.parts[part]?.status === status);
}

export function failedParts(record: ExclusionRecord): ExclusionPart[] {
  return partsThat(record, 'failed');
}

export function setParts(record: ExclusionRecord): ExclusionPart[] {
  return partsThat(record, 'set');
}

/** What outlives the exclusion unless it is taken back. A rule made by hand is: somebody has to be told of it, once. */
export function removableParts(record: ExclusionRecord): ExclusionPart[] {
  return setParts(record).filter((part) => part !== 'portal-rule' || record.parts[part]?.reason === null);
}

/** What our own filter matches alerts with; undefined unless it is set. A brought-forward expiry ends it too. */
export function filterOf(record: ExclusionRecord): RegisteredExclusion | undefined {
  const part = record.parts['own-filter'];
  if (part?.status !== 'set' || record.ended !== null) return undefined;
  const { exclusionId, conditions, expiresAt } = record;
  return { exclusionId, conditions, registeredAt: part.at, expiresAt };
}

const REMIND_BEFORE_MS = 14 * DAY_MS;

/** When the coming expiry is to be told, null for an exclusion whose whole life is shorter than that. */
export function reminderAt({ registeredAt, expiresAt }: ExclusionRecord): Instant | null {
  const at = plus(expiresAt, -REMIND_BEFORE_MS);
  return registeredAt === null || toMs(at) <= toMs(registeredAt) ? null : latest(at, registeredAt);
}

/** What a registration has set, one sentence a part: what the customer's confirmation says. */
export function setWords(record: ExclusionRecord): Bilingual[] {
  return setParts(record).map((part) => partWords(part, record.set));
}

function partWords(part: ExclusionPart, { portalRule }: ExclusionSet): Bilingual {
  switch (part) {
    case 'own-filter':
      return bilingual(
        'Our own filter: such alerts are recorded and closed here without analysis. Defender goes on detecting them.',
        '当社フィルター: 該当するアラートは記録のうえ分析対象外とします (Defender での検知は続きます)。',
      );
    case 'defender-indicator':
      return bilingual(
        'An allow indicator in Defender, on every device of the tenant, until the expiry.',
        'Defender の許可インジケーター: テナントのすべての端末に、有効期限まで適用されます。',
      );
    case 'portal-rule':
      return bilingual(
        `A rule made by hand in Defender’s portal by ${portalRule?.by ?? '?'} at ${portalRule?.at ?? '?'}: ${portalRule?.note ?? ''}`,
        `Defender の管理画面で手動設定したルール (${portalRule?.by ?? '?'}、${portalRule?.at ?? '?'}): ${portalRule?.note ?? ''}`,
      );
    default:
      return assertNever(part);
  }
}
