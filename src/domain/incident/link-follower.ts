import type { ReleaseOutcome } from '../commands.js';
import { reject, type Rejection } from '../errors.js';
import type { Instant } from '../time.js';
import { isPrimaryWithdrawn, nextMailToCustomer } from './asks.js';
import { duties, isHolding, type MailTopic, outstanding } from './duties.js';
import type { Fact } from './facts.js';
import type { FollowRequest, LeadEntry, LeadRefusal, LeadReport, LinkedDevice } from './link-record.js';
import { followersOf, isRungByLead, leadEntry } from './link-state.js';
import { parseIncidentId, type Effect, type IncidentRecord } from './record.js';
import { releasable, releaseOutcome } from './releases.js';

/*
 * The incident that is linked: whether it may be, what it has its lead send, and what it makes of the lead's reports.
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

// What it asks of its lead, and what it hears

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
    if (effect.via?.leadId !== report.leadId) continue;
    const tell = report.tell?.seq === effect.via.seq ? report.tell : null;
    const hasComeBack = tell?.status === 'failed' && tell.reason === 'mail-bounced';
    if (hasComeBack && (effect.status === 'running' || effect.status === 'done')) {
      const { messageId, settledAt } = effect;
      const settled = { status: 'bounced' as const, settledAt: settledAt ?? at, reason: 'mail-bounced' };
      const came = { ...settled, maybeAccepted: false, messageId: tell.messageId ?? messageId };
      effects = { ...effects, [dutyId]: { ...effect, ...came, to: record.policy?.customer.mail.to } };
      continue;
    }
    if (effect.status === 'done') continue;
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
