import type { Instant } from '../time.js';
import { duties } from './duties.js';
import type { Follower, FollowRequest, LeadRefusal, LeadReport, Telling } from './link-record.js';
import { isFollowing, tellingDutyId, withFollower } from './link-state.js';
import { currentVerdict, type Effect, type IncidentRecord } from './record.js';

/*
 * The incident that leads: what it takes of the requests of those that are linked to it, what it tells for them, and what
 * it reports to them.
 */

type Begun = 'waiting' | Effect['status'] | 'withdrawn';

function statusOf(record: IncidentRecord, { withdrawnAt }: Telling, index: number): Begun {
  if (withdrawnAt !== null) return 'withdrawn';
  return record.effects[tellingDutyId(index)]?.status ?? 'waiting';
}

/** Found to be no threat before anybody was told of one: there is no conversation, and there will be none. */
function isAllClear(record: IncidentRecord): boolean {
  return currentVerdict(record) !== undefined && !duties(record).some(({ id }) => id === 'mail:primary');
}

function refusalOf(record: IncidentRecord, before: Follower | undefined, request: FollowRequest): LeadRefusal | null {
  if (request.want === 'leave') return null;
  const wasFollowing = before !== undefined && isFollowing(before);
  if (record.link != null) return 'lead-is-linked';
  if (record.closed !== null) return wasFollowing && request.tell === null ? null : 'incident-closed';
  return request.tell !== null && isAllClear(record) ? 'lead-all-clear' : null;
}

function withdrawn(telling: Telling, at: Instant): Telling {
  return { ...telling, sections: null, withdrawnAt: at };
}

/** Takes what one incident wants told now; what it wanted before and has not begun is no longer wanted. */
function applyTell(record: IncidentRecord, request: FollowRequest, isRefused: boolean, at: Instant): Telling[] {
  const { incidentId, seq, title } = request;
  const tell = isRefused ? null : request.tell;
  const tellings = (record.tellings ?? []).map((telling, index) => {
    if (telling.incidentId !== incidentId) return telling;
    const status = statusOf(record, telling, index);
    const isSame = telling.dutyId === tell?.dutyId;
    switch (status) {
      case 'running':
      case 'done':
        // Asked for again because the answer was not heard: it is told once.
        if (telling.dutyId !== request.tell?.dutyId) return telling;
        return { ...telling, seq };
      case 'waiting':
        if (!isSame) return withdrawn(telling, at);
        return { ...telling, seq, sections: tell.sections };
      case 'failed':
      case 'bounced':
        return isSame || request.want === 'leave' ? withdrawn(telling, at) : telling;
      case 'cancelled':
      case 'withdrawn':
        return telling;
    }
  });
  const isTaken = tellings.some((telling) => telling.incidentId === incidentId && telling.seq === seq);
  if (tell === null || isTaken) return tellings;
  const { dutyId, sections } = tell;
  return [...tellings, { incidentId, dutyId, seq, at, title, sections, withdrawnAt: null }];
}

/** Takes an incident's request; one that is not newer than its last is a straggler and changes nothing. */
export function applyFollowRequest(record: IncidentRecord, request: FollowRequest, at: Instant): IncidentRecord {
  const { incidentId, seq, want, title, owes, devices, ordersSeen } = request;
  const before = record.followers?.[incidentId];
  if (before !== undefined && seq <= before.seq) return record;
  const refusal = refusalOf(record, before, request);
  const follower: Follower = {
    seq,
    want,
    title,
    owes,
    devices,
    ordersSeen,
    refusal,
    orders: (before?.orders ?? []).filter(({ number }) => number > ordersSeen),
    lastOrder: before?.lastOrder ?? 0,
    told: before?.told ?? { digest: '', count: 0 },
  };
  return {
    ...record,
    followers: { ...record.followers, [incidentId]: follower },
    tellings: applyTell(record, request, refusal !== null, at),
  };
}

/**
 * After whatever has changed: what can no longer be told here goes back to the incident that asked for it, and what has
 * been told needs no words any more.
 */
export function settleTellings(record: IncidentRecord, at: Instant): IncidentRecord {
  const { tellings } = record;
  if (tellings?.some(({ sections }) => sections !== null) !== true) return record;
  const refusal: LeadRefusal | null =
    record.closed !== null ? 'incident-closed' : isAllClear(record) ? 'lead-all-clear' : null;
  const refused = new Set<string>();
  const settled = tellings.map((telling, index) => {
    const status = statusOf(record, telling, index);
    if (status === 'done' && telling.sections !== null) return { ...telling, sections: null };
    if (status !== 'waiting' || refusal === null) return telling;
    refused.add(telling.incidentId);
    return withdrawn(telling, at);
  });
  if (settled.every((telling, index) => telling === tellings[index])) return record;
  const followers = Object.fromEntries(
    Object.entries(record.followers ?? {}).map(([id, follower]) => [
      id,
      refused.has(id) ? { ...follower, refusal } : follower,
    ]),
  );
  return { ...record, tellings: settled, followers };
}

function phoneFor(record: IncidentRecord): LeadReport['phone'] {
  switch (duties(record).find(({ kind }) => kind === 'phone')?.status) {
    case 'owed':
    case 'running':
      return 'ringing';
    case 'done':
    case 'failed':
      return 'rung';
    case 'waived':
    case 'cancelled':
    case undefined:
      return 'no';
  }
}

/** Does what is to be told wait for a person: the lead has no verdict yet, or its primary no texts? */
function awaitsLead(record: IncidentRecord): boolean {
  if (currentVerdict(record) === undefined) return true;
  const primary = duties(record).find(({ id }) => id === 'mail:primary');
  return primary?.status === 'owed' && primary.reason !== undefined;
}

function tellFor(record: IncidentRecord, incidentId: string): LeadReport['tell'] {
  const tellings = record.tellings ?? [];
  const index = tellings.findLastIndex((telling) => telling.incidentId === incidentId);
  const telling = tellings[index];
  if (telling === undefined) return null;
  const effect = record.effects[tellingDutyId(index)];
  const { seq } = telling;
  const messageId = effect?.messageId ?? null;
  const told = { seq, at: null, reason: null, messageId, maybeAccepted: effect?.maybeAccepted ?? false };
  switch (statusOf(record, telling, index)) {
    case 'waiting':
      return { ...told, status: 'waiting', reason: awaitsLead(record) ? 'awaiting-lead' : null };
    case 'running':
      return { ...told, status: 'running', reason: effect?.reason ?? null };
    case 'done':
      return { ...told, status: 'accepted', at: effect?.settledAt ?? null };
    case 'failed':
    case 'bounced':
      return { ...told, status: 'failed', reason: effect?.reason ?? null };
    case 'cancelled':
    case 'withdrawn':
      return { ...told, status: 'withdrawn' };
  }
}

/** What the incidents that have asked are to be told now: each what it has not been told. */
export function leadReports(record: IncidentRecord): { incidentId: string; report: LeadReport; digest: string }[] {
  return Object.entries(record.followers ?? {}).flatMap(([incidentId, follower]) => {
    const { seq, refusal, want, orders, told } = follower;
    const state = refusal !== null ? 'refused' : want === 'leave' ? 'left' : 'following';
    const said = {
      leadId: record.incidentId,
      seq,
      state,
      refusal,
      leadOfLead: refusal === 'lead-is-linked' ? (record.link?.leadId ?? null) : null,
      phone: state === 'following' ? phoneFor(record) : 'no',
      tell: tellFor(record, incidentId),
    } as const;
    const digest = JSON.stringify([said, orders.map(({ number }) => number)]);
    if (digest === told.digest) return [];
    return [{ incidentId, report: { ...said, orders, version: told.count + 1 }, digest }];
  });
}

export function applyFollowerTold(record: IncidentRecord, incidentId: string, digest: string): IncidentRecord {
  return withFollower(record, incidentId, (follower) => ({
    ...follower,
    told: { digest, count: follower.told.count + 1 },
  }));
}
