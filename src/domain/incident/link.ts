import type { Instruction, ReleaseBody, ReleaseOutcome } from '../commands.js';
import { reject, type Rejection } from '../errors.js';
import type { Instant } from '../time.js';
import { isPrimaryWithdrawn, nextMailToCustomer } from './asks.js';
import { duties, outstanding, type MailTopic } from './duties.js';
import type { Fact } from './facts.js';
import type {
  Follower,
  FollowRequest,
  LeadEntry,
  LeadRefusal,
  LeadReport,
  LinkedDevice,
  PassedOrder,
  Telling,
} from './link-record.js';
import { followersOf, isFollowing, isRungByLead, leadEntry, tellingDutyId } from './link-state.js';
import { currentVerdict, parseIncidentId, type Effect, type IncidentRecord } from './record.js';
import { releasable, releaseOutcome } from './releases.js';
import { isHolding } from './stage.js';

/*
 * One attack, many alerts, one conversation: an incident that is linked to a lead keeps its verdict, its clock and its
 * devices, and has the lead send its mails. It asks, the lead reports; what each has to say at this moment is decided here.
 */

// What a person may ask for

export function judgeLink(record: IncidentRecord, leadId: string): Rejection | undefined {
  if (record.closed !== null) return reject('incident-closed', 'The incident is closed; reopen it first.');
  if (leadId === record.incidentId) {
    return reject('invalid-input', 'An incident cannot be linked to itself.', [
      { path: 'leadIncidentId', message: 'is this incident itself' },
    ]);
  }
  // What belongs to another customer does not exist for this one.
  if (parseIncidentId(leadId)?.customerId !== record.customerId) {
    return reject('unknown-incident', `There is no incident ${leadId}.`);
  }
  if (followersOf(record).length > 0) {
    return reject('is-lead', 'Other incidents are linked to this one; unlink them first.');
  }
  if (record.link == null) return undefined;
  return record.link.leadId === leadId
    ? reject('nothing-new', 'The incident is linked to that lead already.')
    : reject('already-linked', `The incident is linked to ${record.link.leadId}; unlink it first.`);
}

export function judgeUnlink(record: IncidentRecord): Rejection | undefined {
  if (record.closed !== null) return reject('incident-closed', 'The incident is closed; reopen it first.');
  return record.link?.since == null ? reject('not-linked', 'The incident is linked to no lead.') : undefined;
}

const REFUSALS: Record<LeadRefusal, (leadOfLead: string) => Rejection> = {
  'lead-is-linked': (leadOfLead) =>
    reject('lead-is-linked', `The lead is itself linked to ${leadOfLead}; link to that one.`, [
      { path: 'leadIncidentId', message: `is linked to ${leadOfLead}` },
    ]),
  'incident-closed': () => reject('incident-closed', 'The lead is closed; reopen it first.'),
  'lead-all-clear': () => reject('incident-closed', 'The lead was found to be no threat: it has no conversation.'),
};

/** What has come of the wish to be linked that was asked for with `seq`. */
export function linkAnswer(record: IncidentRecord, leadId: string, seq: number): 'pending' | 'linked' | Rejection {
  const { link } = record;
  if (link?.leadId === leadId && link.seq === seq) return link.since === null ? 'pending' : 'linked';
  const entry = leadEntry(record, leadId);
  if (entry?.gone === 'unknown') return reject('unknown-incident', `There is no incident ${leadId}.`);
  if (entry?.gone === 'stopped') return reject('incident-stopped', "The lead's workflow was stopped from outside.");
  return REFUSALS[entry?.report?.refusal ?? 'incident-closed'](entry?.report?.leadOfLead ?? '');
}

// The linked incident

function withLead(record: IncidentRecord, leadId: string, change: (entry: LeadEntry) => LeadEntry): IncidentRecord {
  const leads = record.leads ?? [];
  return { ...record, leads: leads.map((entry) => (entry.leadId === leadId ? change(entry) : entry)) };
}

export function applyLinkAsked(record: IncidentRecord, leadId: string, actor: string, at: Instant): IncidentRecord {
  const known = leadEntry(record, leadId);
  const entry: LeadEntry = { leadId, asked: null, report: null, gone: null, ordersSeen: 0 };
  const next = { ...record, link: { leadId, actor, askedAt: at, since: null, seq: record.seq } };
  if (known === undefined) return { ...next, leads: [...(record.leads ?? []), entry] };
  return withLead(next, leadId, (before) => ({ ...before, gone: null }));
}

/** Back to a conversation of its own. A call that the lead has made counts for it too, one that still rings does not. */
export function endLink(record: IncidentRecord, at: Instant): IncidentRecord {
  const { link } = record;
  if (link == null) return record;
  const wasRung = isRungByLead(record) && leadEntry(record, link.leadId)?.report?.phone === 'rung';
  return { ...record, link: null, ...(wasRung ? { rungByLead: { leadId: link.leadId, at } } : {}) };
}

/** One request to a lead, before it has its number. */
export interface LeadAsk {
  leadId: string;
  want: FollowRequest['want'];
  owes: boolean;
  devices: LinkedDevice[];
  ordersSeen: number;
  tell: { dutyId: string; topic: MailTopic } | null;
  shown: string;
}

function linkedDevices(record: IncidentRecord): LinkedDevice[] {
  const mayGo = new Set(releasable(record, {}).map(({ machineId }) => machineId));
  return record.devices.flatMap((device) => {
    const { machineId, name, target, order } = device;
    if (target === null) return [];
    // It was not isolated after all: an instruction finds nothing to give back.
    const isFree = order === null && !isHolding(device);
    const freed: ReleaseOutcome = { machineId, outcome: 'cancelled', heldBy: [] };
    const outcome = releaseOutcome(record, machineId) ?? (isFree ? freed : null);
    return [{ machineId, name, releasable: mayGo.has(machineId), outcome }];
  });
}

/** Is what the lead was asked to send to be taken back? Only what the lead has not begun can be. */
function isToRecall(record: IncidentRecord, dutyId: string, effect: Effect, entry: LeadEntry): boolean {
  const told = entry.report?.tell?.seq === effect.via?.seq ? entry.report?.tell : undefined;
  if (told !== undefined && told?.status !== 'waiting') return false;
  if (dutyId === 'mail:primary' && isPrimaryWithdrawn(record)) return true;
  return told !== undefined && effect.verdict !== null && effect.verdict !== record.verdicts.length - 1;
}

function underWayThrough(record: IncidentRecord, leadId: string): [dutyId: string, effect: Effect] | undefined {
  return Object.entries(record.effects).find(([, { status, via }]) => status === 'running' && via?.leadId === leadId);
}

function dutyToTell(record: IncidentRecord, entry: LeadEntry): string | null {
  const underWay = underWayThrough(record, entry.leadId);
  if (underWay === undefined) {
    return record.link?.since == null ? null : (nextMailToCustomer(duties(record))?.id ?? null);
  }
  const [dutyId, effect] = underWay;
  const { asked } = entry;
  const isRecalled = asked !== null && asked.dutyId !== dutyId && asked.seq > (effect.via?.seq ?? 0);
  return isRecalled || isToRecall(record, dutyId, effect, entry) ? null : dutyId;
}

function askOf(record: IncidentRecord, entry: LeadEntry): LeadAsk | undefined {
  const { leadId, asked, report, gone, ordersSeen } = entry;
  if (gone !== null) return undefined;
  const { link } = record;
  if (link?.leadId !== leadId) {
    const hasRefused = report?.state === 'refused' && report.seq >= (asked?.seq ?? 0);
    if (asked?.want !== 'follow' || hasRefused) return undefined;
    return { leadId, want: 'leave', owes: false, devices: [], ordersSeen, tell: null, shown: '' };
  }
  const dutyId = dutyToTell(record, entry);
  const owes = outstanding(duties(record)).length > 0;
  const devices = linkedDevices(record);
  const shown = JSON.stringify([owes, devices, ordersSeen]);
  const isKnown = asked !== null && asked.seq > link.seq && asked.want === 'follow';
  if (isKnown && asked.dutyId === dutyId && asked.shown === shown) return undefined;
  const topic = duties(record).find(({ id }) => id === dutyId)?.topic;
  const tell = dutyId === null || topic === undefined ? null : { dutyId, topic };
  return { leadId, want: 'follow', owes, devices, ordersSeen, tell, shown };
}

/** What the leads are to be asked now. */
export function leadAsks(record: IncidentRecord): LeadAsk[] {
  return (record.leads ?? []).flatMap((entry) => askOf(record, entry) ?? []);
}

export function applyLeadAsked(
  record: IncidentRecord,
  {
    leadId,
    want,
    shown,
    tell,
  }: Pick<LeadAsk, 'leadId' | 'want' | 'shown'> & {
    tell: { dutyId: string; verdict: number | null } | null;
  },
  at: Instant,
): IncidentRecord {
  const seq = record.seq + 1;
  const asked = { seq, want, shown, dutyId: tell?.dutyId ?? null };
  const next = withLead({ ...record, seq }, leadId, (entry) => ({ ...entry, asked }));
  if (tell === null) return next;
  const fresh: Effect = {
    status: 'running',
    startedAt: at,
    settledAt: null,
    reason: null,
    messageId: '',
    verdict: tell.verdict,
    maybeAccepted: false,
  };
  const effect = { ...(record.effects[tell.dutyId] ?? fresh), via: { leadId, seq } };
  return { ...next, effects: { ...record.effects, [tell.dutyId]: effect } };
}

function without(effects: IncidentRecord['effects'], dutyId: string): IncidentRecord['effects'] {
  const { [dutyId]: _, ...others } = effects;
  return others;
}

/** What the lead says of the mails that it was asked to send. */
function settleThrough(record: IncidentRecord, report: LeadReport, isAnswer: boolean, at: Instant): IncidentRecord {
  let { effects } = record;
  for (const [dutyId, effect] of Object.entries(record.effects)) {
    if (effect.via?.leadId !== report.leadId || effect.status === 'done') continue;
    const tell = report.tell?.seq === effect.via.seq ? report.tell : null;
    if (tell?.status === 'accepted') {
      const settled = { status: 'done' as const, settledAt: tell.at ?? at, reason: null };
      effects = { ...effects, [dutyId]: { ...effect, ...settled, messageId: tell.messageId ?? '' } };
    } else if (effect.status !== 'running') {
      continue;
    } else if (tell?.status === 'failed') {
      const settled = { status: 'failed' as const, settledAt: at, reason: tell.reason ?? 'mail-rejected' };
      effects = { ...effects, [dutyId]: { ...effect, ...settled, maybeAccepted: tell.maybeAccepted } };
    } else if (tell?.status === 'waiting' || tell?.status === 'running') {
      const { reason, maybeAccepted } = tell;
      effects = { ...effects, [dutyId]: { ...effect, reason, maybeAccepted, messageId: tell.messageId ?? '' } };
    } else if (isAnswer) {
      effects = without(effects, dutyId);
    }
  }
  return { ...record, effects };
}

export function applyLeadReport(record: IncidentRecord, report: LeadReport, at: Instant): IncidentRecord {
  const entry = leadEntry(record, report.leadId);
  if (entry?.asked == null || report.version <= (entry.report?.version ?? 0)) return record;
  const isAnswer = report.seq >= entry.asked.seq;
  const heard = withLead(record, report.leadId, (before) => ({ ...before, report }));
  const settled = settleThrough(heard, report, isAnswer, at);
  const { link } = settled;
  if (link?.leadId !== report.leadId || !isAnswer || report.seq <= link.seq) return settled;
  switch (report.state) {
    case 'following':
      return link.since === null ? { ...settled, link: { ...link, since: at } } : settled;
    case 'refused':
      return endLink(settled, at);
    case 'left':
      return settled;
  }
}

/** There is nobody who could send anything: what was asked for is owed in a conversation of its own. */
export function applyLeadGone(
  record: IncidentRecord,
  { leadId, seq, why }: Pick<Extract<Fact, { type: 'lead-gone' }>, 'leadId' | 'seq' | 'why'>,
  at: Instant,
): IncidentRecord {
  const { link } = record;
  if (link?.leadId === leadId && seq <= link.seq) return record;
  const underWay = underWayThrough(record, leadId);
  const effects = underWay === undefined ? record.effects : without(record.effects, underWay[0]);
  const gone = withLead({ ...record, effects }, leadId, (entry) => ({ ...entry, gone: why }));
  return link?.leadId === leadId ? endLink(gone, at) : gone;
}

/** A report, and the customer's instructions that it passes on: each becomes an order of this incident's own. */
export function reportFacts(record: IncidentRecord, report: LeadReport): Fact[] {
  const seen = leadEntry(record, report.leadId)?.ordersSeen ?? 0;
  const facts: Fact[] = [{ type: 'lead-reported', report }];
  for (const order of report.orders) {
    if (order.number <= seen) continue;
    const { machineIds, instruction, instructorName, actor, covers, number } = order;
    const mine = releasable(record, { machineIds }).map(({ machineId }) => machineId);
    const through = { leadId: report.leadId, number };
    facts.push({ type: 'release-ordered', machineIds: mine, instruction, instructorName, actor, through, covers });
  }
  return facts;
}

export function orderSeen(record: IncidentRecord, through: { leadId: string; number: number }): IncidentRecord {
  return withLead(record, through.leadId, (entry) => ({ ...entry, ordersSeen: through.number }));
}

// The lead

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

function withFollower(record: IncidentRecord, incidentId: string, change: (follower: Follower) => Follower) {
  const follower = record.followers?.[incidentId];
  if (follower === undefined) return record;
  return { ...record, followers: { ...record.followers, [incidentId]: change(follower) } };
}

export function applyFollowerTold(record: IncidentRecord, incidentId: string, digest: string): IncidentRecord {
  return withFollower(record, incidentId, (follower) => ({
    ...follower,
    told: { digest, count: follower.told.count + 1 },
  }));
}

// The customer's instruction that comes by the lead

/** The devices of linked incidents that a release would give back. */
export function releasableOfLinked(
  record: IncidentRecord,
  { machineIds }: Pick<ReleaseBody, 'machineIds'>,
): { incidentId: string; machineIds: string[] }[] {
  return followersOf(record).flatMap(([incidentId, { devices }]) => {
    const mine = devices
      .filter((device) => device.releasable && (machineIds === undefined || machineIds.includes(device.machineId)))
      .map(({ machineId }) => machineId);
    return mine.length === 0 ? [] : [{ incidentId, machineIds: mine }];
  });
}

/** Is it a device of an incident that is linked to this one? */
export function isOfLinked(record: IncidentRecord, machineId: string): boolean {
  return followersOf(record).some(([, { devices }]) => devices.some((device) => device.machineId === machineId));
}

/** What an accepted instruction means: an order of this incident's, and one passed on to each linked one it concerns. */
export function orderFacts(
  record: IncidentRecord,
  body: ReleaseBody,
  { actor, instructorName }: { actor: string; instructorName: string },
): Extract<Fact, { type: 'release-ordered' | 'release-passed-on' }>[] {
  const { instruction }: { instruction: Instruction } = body;
  const machineIds = releasable(record, body).map(({ machineId }) => machineId);
  const linked = releasableOfLinked(record, body);
  const said = { instruction, instructorName, actor };
  if (linked.length === 0) return [{ type: 'release-ordered', machineIds, ...said }];
  const covers = [record.incidentId, ...linked.map(({ incidentId }) => incidentId)];
  return [
    ...(machineIds.length === 0 ? [] : [{ type: 'release-ordered' as const, machineIds, ...said, covers }]),
    ...linked.map((each) => ({ type: 'release-passed-on' as const, ...each, ...said, covers })),
  ];
}

export function applyPassedOn(
  record: IncidentRecord,
  { incidentId, ...order }: { incidentId: string } & Omit<PassedOrder, 'number'>,
): IncidentRecord {
  return withFollower(record, incidentId, (follower) => {
    const number = follower.lastOrder + 1;
    return { ...follower, lastOrder: number, orders: [...follower.orders, { ...order, number }] };
  });
}

/** Orders that were passed on, as they were numbered. */
export interface PassedOn {
  incidentId: string;
  number: number;
  machineIds: string[];
}

/** What has become of an instruction that was passed on; undefined until the linked incident has said it of every device. */
export function passedOutcomes(
  record: IncidentRecord,
  { incidentId, number, machineIds }: PassedOn,
): ReleaseOutcome[] | undefined {
  const follower = record.followers?.[incidentId];
  if (follower === undefined || !isFollowing(follower)) return [];
  if (follower.ordersSeen < number) return undefined;
  const outcomes = machineIds.map(
    (machineId) => follower.devices.find((device) => device.machineId === machineId)?.outcome ?? null,
  );
  return outcomes.every((outcome) => outcome !== null) ? outcomes : undefined;
}

/** One answer for each device, though several incidents may hold it: it is held only where none of them gives it back. */
export function mergedOutcomes(all: readonly ReleaseOutcome[]): ReleaseOutcome[] {
  const merged = new Map<string, ReleaseOutcome>();
  for (const outcome of all) {
    const known = merged.get(outcome.machineId);
    if (known === undefined || known.outcome === 'held') merged.set(outcome.machineId, outcome);
  }
  return [...merged.values()];
}
