import { toMs, type Instant } from '../time.js';
import type {
  CallEvent,
  CallRecord,
  PhoneAsk,
  PhoneOutcome,
  PhoneRecord,
  PhoneReport,
  PhoneRequest,
} from './record.js';

export function openPhone(customerId: string, at: Instant): PhoneRecord {
  return {
    customerId,
    policy: null,
    // Grows across runs of the workflow too, so that a late callback never meets another call's number.
    nextAttempt: Math.floor(toMs(at) / 1000),
    asks: {},
    calls: [],
  };
}

const ENDED: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];

/** Twilio's final call statuses. Source: twilio.com, Call resource, "Call status values". */
export function isEnded(status: string): boolean {
  return ENDED.includes(status);
}

export function ringing(record: PhoneRecord): PhoneAsk[] {
  return Object.values(record.asks).filter(({ outcome }) => outcome === 'ringing');
}

/** Takes an incident's request; one that is not newer than its last is a straggler and changes nothing. */
export function applyRequest(record: PhoneRecord, request: PhoneRequest, at: Instant): PhoneRecord {
  const before = record.asks[request.incidentId];
  if (before !== undefined && request.seq <= before.seq) return record;
  const base = { seq: request.seq, title: request.title, at, reason: null };
  const ask: PhoneAsk =
    request.want === 'ring'
      ? { ...base, outcome: 'ringing', fromAttempt: record.nextAttempt, acknowledgedBy: null }
      : {
          ...base,
          // Called off too late: it has been acknowledged already, or nobody could be reached.
          outcome: before === undefined || before.outcome === 'ringing' ? 'cancelled' : before.outcome,
          fromAttempt: before?.fromAttempt ?? record.nextAttempt,
          acknowledgedBy: before?.acknowledgedBy ?? null,
          reason: before?.reason ?? null,
        };
  const policy = request.policy ?? record.policy;
  return { ...record, policy, asks: { ...record.asks, [request.incidentId]: ask } };
}

/** Ends the chain for everybody who waits for it. */
export function settleAsks(
  record: PhoneRecord,
  outcome: Exclude<PhoneOutcome, 'ringing'>,
  at: Instant,
  how: { acknowledgedBy?: string; reason?: string },
): PhoneRecord {
  return {
    ...record,
    asks: Object.fromEntries(
      Object.entries(record.asks).map(([id, ask]) => [
        id,
        ask.outcome === 'ringing'
          ? { ...ask, outcome, at, acknowledgedBy: how.acknowledgedBy ?? null, reason: how.reason ?? null }
          : ask,
      ]),
    ),
  };
}

export function addCall(record: PhoneRecord, call: CallRecord): PhoneRecord {
  return { ...record, nextAttempt: call.attempt + 1, calls: [...record.calls, call] };
}

export function changeCall(record: PhoneRecord, attempt: number, change: Partial<CallRecord>): PhoneRecord {
  return {
    ...record,
    calls: record.calls.map((call) => (call.attempt === attempt ? { ...call, ...change } : call)),
  };
}

/** What Twilio has not done for a while, or refuses; undefined: it does again. */
export function applyTrouble(record: PhoneRecord, trouble: string | undefined): PhoneRecord {
  return record.trouble === trouble ? record : { ...record, trouble };
}

export function callOf(record: PhoneRecord, attempt: number): CallRecord | undefined {
  return record.calls.find((call) => call.attempt === attempt);
}

/** What Twilio says of a call; a keypress of 1 acknowledges for everybody who waits, whenever it is heard of. */
export function applyCallEvent(record: PhoneRecord, event: CallEvent, at: Instant): PhoneRecord {
  const call = callOf(record, event.attempt);
  if (call === undefined || (call.sid !== null && call.sid !== event.sid)) return record;
  const known = { ...call, sid: event.sid };
  if (event.digits === '1') {
    const acknowledged = changeCall(record, event.attempt, { ...known, status: 'acknowledged', endedAt: at });
    return settleAsks(acknowledged, 'acknowledged', at, { acknowledgedBy: call.contactName });
  }
  // Callbacks may arrive out of order: a call that has ended stays so.
  if (call.endedAt !== null) return record;
  const ended = isEnded(event.status);
  return changeCall(record, event.attempt, { ...known, status: event.status, endedAt: ended ? at : null });
}

/** A keypress that has been heard of: told once more, it acknowledges nothing that has been asked since. */
export function isRepeatedKey(record: PhoneRecord, event: CallEvent): boolean {
  return event.digits === '1' && callOf(record, event.attempt)?.status === 'acknowledged';
}

export function reportFor(record: PhoneRecord, incidentId: string): PhoneReport | undefined {
  const ask = record.asks[incidentId];
  if (ask === undefined) return undefined;
  const { seq, outcome, at, acknowledgedBy, reason, fromAttempt } = ask;
  // Of the calls made for it the last ones: a report stays small however often the telephone rang.
  const calls = record.calls.filter(({ attempt, endedAt }) => attempt >= fromAttempt && endedAt !== null).slice(-30);
  const { trouble } = record;
  const isTrouble = outcome === 'ringing' && trouble !== undefined;
  return { seq, outcome, at, calls, acknowledgedBy, reason, ...(isTrouble ? { trouble } : {}) };
}

/** Was it sent before the one that is known? What has ended for a request stays so, and its calls only grow. */
export function isOvertaken(report: PhoneReport, known: PhoneReport): boolean {
  if (report.seq !== known.seq || report.outcome !== 'ringing') return false;
  return known.outcome !== 'ringing' || lastAttempt(report) < lastAttempt(known);
}

function lastAttempt({ calls }: PhoneReport): number {
  return calls.at(-1)?.attempt ?? 0;
}
