import { sentPolicy, type Policy } from '../policy.js';
import { assertNever } from '../text.js';
import type { Instant } from '../time.js';
import type { Breadth } from './breadth.js';
import type { ExclusionInput } from './commands.js';
import type { ExclusionFact } from './facts.js';
import { narrate, narrateOpening } from './narrate.js';
import { outstandingParts, setParts, type ExclusionPart, type ExclusionRecord, type PartState } from './record.js';

export interface Opening {
  exclusionId: string;
  customerId: string;
  policy: Policy;
  input: ExclusionInput;
  proposer: string;
  /** True where it is put to the customer first (打診). */
  asksCustomer: boolean;
  breadth: Pick<Breadth, 'matched' | 'of' | 'approvalsNeeded'>;
}

/** The record of an exclusion that was just proposed. */
export function openExclusion(opening: Opening, at: Instant): ExclusionRecord {
  const { exclusionId, customerId, policy, input, proposer, asksCustomer, breadth } = opening;
  const { matched, of, approvalsNeeded } = breadth;
  const record: ExclusionRecord = {
    exclusionId,
    customerId,
    ...sentPolicy({ policy }),
    createdAt: at,
    updatedAt: at,
    revision: 1,
    proposer,
    conditions: input.conditions,
    reason: input.reason,
    expiresAt: input.expiresAt,
    set: input.set,
    incidentId: input.incidentId ?? null,
    asksCustomer,
    breadth: { matched, of },
    approvalsNeeded,
    customerRequest:
      input.customerRequest === undefined ? null : { ...input.customerRequest, recordedAt: at, actor: proposer },
    approvals: [],
    waitingUntil: null,
    parts: {},
    registeredAt: null,
    confirmation: null,
    remindedAt: null,
    endMail: null,
    ended: null,
    handled: {},
    timeline: [],
  };
  return { ...record, timeline: narrateOpening(record, at) };
}

function withPart(record: ExclusionRecord, part: ExclusionPart, state: PartState): ExclusionRecord {
  const next = { ...record, waitingUntil: null, parts: { ...record.parts, [part]: state } };
  // It is registered once nothing of it is left to try and something of it is set.
  const isDone = next.ended === null && outstandingParts(next).length === 0 && setParts(next).length > 0;
  if (!isDone) return next;
  // What was confirmed said that this part is not set.
  return {
    ...next,
    registeredAt: next.registeredAt ?? state.at,
    confirmation: record.registeredAt === null ? next.confirmation : null,
  };
}

function end(
  record: ExclusionRecord,
  state: 'declined' | 'withdrawn' | 'expired',
  actor: string,
  reason: string,
  at: Instant,
): ExclusionRecord {
  const { portalRule } = record.set;
  // Made by hand before it was proposed: it is there, however far the rest came.
  const rule: PartState = { status: 'set', at, detail: [], reason: null };
  const parts = portalRule === undefined ? record.parts : { 'portal-rule': rule, ...record.parts };
  return { ...record, waitingUntil: null, parts, ended: { at, state, actor, reason } };
}

function change(record: ExclusionRecord, fact: ExclusionFact, at: Instant): ExclusionRecord {
  // What has ended stays so. That something was set is noted even then: it has to be taken back.
  switch (fact.type) {
    case 'customer-requested':
      return record.customerRequest !== null
        ? record
        : { ...record, customerRequest: { ...fact.request, recordedAt: at, actor: fact.actor } };
    case 'approved':
      return { ...record, approvals: [...record.approvals, { at, actor: fact.actor, reason: fact.reason }] };
    case 'declined':
    case 'withdrawn':
      return record.ended !== null ? record : end(record, fact.type, fact.actor, fact.reason, at);
    case 'expired':
      return record.ended !== null ? record : end(record, 'expired', 'mimamori', 'expiry', at);
    case 'expiry-shortened':
      // What was confirmed named another expiry.
      return record.expiresAt === fact.expiresAt
        ? record
        : { ...record, expiresAt: fact.expiresAt, confirmation: null };
    case 'retry-asked':
      return {
        ...record,
        parts: Object.fromEntries(Object.entries(record.parts).filter(([, { status }]) => status !== 'failed')),
        confirmation: record.confirmation?.status === 'failed' ? null : record.confirmation,
      };
    case 'command-handled':
      return {
        ...record,
        handled: { ...record.handled, [fact.key]: { bodyHash: fact.bodyHash, outcome: fact.outcome } },
      };
    case 'waiting':
      return record.waitingUntil === fact.until ? record : { ...record, waitingUntil: fact.until };
    case 'part-set':
      return withPart(record, fact.part, { status: 'set', at, detail: fact.detail, reason: null });
    case 'part-failed':
      // A late word of an earlier try does not undo what a later one has set.
      if (record.parts[fact.part]?.status === 'set') return record;
      return withPart(record, fact.part, { status: 'failed', at, detail: [], reason: fact.reason });
    case 'part-removed': {
      const before = record.parts[fact.part];
      if (before?.status !== 'set') return record;
      return { ...record, parts: { ...record.parts, [fact.part]: { ...before, status: 'removed', at, reason: null } } };
    }
    case 'removal-failed': {
      const before = record.parts[fact.part];
      if (before?.status !== 'set' || before.reason === fact.reason) return record;
      return { ...record, parts: { ...record.parts, [fact.part]: { ...before, reason: fact.reason } } };
    }
    case 'confirmed':
      return { ...record, confirmation: { status: 'accepted', at, messageId: fact.messageId, reason: null } };
    case 'confirmation-failed':
      return { ...record, confirmation: { status: 'failed', at, messageId: fact.messageId, reason: fact.reason } };
    case 'end-mailed':
      return { ...record, endMail: { status: 'accepted', at, messageId: fact.messageId, reason: null } };
    case 'end-mail-failed':
      return { ...record, endMail: { status: 'failed', at, messageId: fact.messageId, reason: fact.reason } };
    case 'reminded':
      return record.remindedAt !== null ? record : { ...record, remindedAt: at };
    default:
      return assertNever(fact);
  }
}

/** The record after a fact; the same object where the fact says nothing new. */
export function evolve(record: ExclusionRecord, fact: ExclusionFact, at: Instant): ExclusionRecord {
  const after = change(record, fact, at);
  if (after === record || fact.type === 'command-handled') return after;
  return {
    ...after,
    revision: record.revision + 1,
    updatedAt: at,
    timeline: [...after.timeline, ...narrate(record, fact, after, at)],
  };
}
