import { duties, type Duty } from './duties.js';
import { currentVerdict, type Breach, type IncidentRecord } from './record.js';
import { HOUR_MS, SECOND_MS, latest, plus, toInstant, toMs, type Instant } from '../time.js';

export const sloStates = ['not-applicable', 'running', 'at-risk', 'met', 'breached'] as const;
export type SloState = (typeof sloStates)[number];

/** 「SLOを3時間とする」 */
export const TARGET_MS = 3 * HOUR_MS;
export const WARN_PERCENTS = [50, 75, 90] as const;
const AT_RISK_PERCENT = 75;

/**
 * How long news may be under way: a mail accepted or an isolation confirmed just in time is heard of a little later.
 * Only while such news can still come does a breach wait this long, from when the deadline was seen to have passed: a
 * worker that was down across it has to hear the news first.
 */
export const NEWS_DELAY_MS = 20 * SECOND_MS;

export type StartReason = 'detected' | 'came-into-scope' | 'reopened' | 'severity-raised' | 'level-raised';

export interface Slo {
  state: SloState;
  provisional: boolean;
  startsAt: Instant | null;
  dueAt: Instant | null;
  /** What made the clock start when it did. */
  because: StartReason | null;
  metAt: Instant | null;
}

interface Phase {
  startsAt: Instant;
  because: StartReason;
  /** First verdict whose duties the target is about; -1 before any. */
  fromVerdict: number;
}

const NOT_APPLICABLE: Slo = {
  state: 'not-applicable',
  provisional: false,
  startsAt: null,
  dueAt: null,
  because: null,
  metAt: null,
};

function basePhase(record: IncidentRecord): Phase | undefined {
  const { scopeSince, targetSince, policy, alert } = record;
  if (scopeSince === null || targetSince === null) return undefined;
  const serviceStartsAt = policy?.customer.serviceStartsAt;
  if (serviceStartsAt !== undefined && toMs(alert.createdAt) < toMs(serviceStartsAt)) return undefined;
  const raisedLater = toMs(targetSince.at) > toMs(scopeSince.at);
  return {
    startsAt: latest(scopeSince.at, targetSince.at),
    because: raisedLater ? targetSince.because : scopeSince.because,
    fromVerdict: -1,
  };
}

/**
 * When everything that the phase demands was true: the mail accepted and every isolation confirmed. What a verdict from
 * `beforeVerdict` on demanded is left out.
 */
function metAt(record: IncidentRecord, phase: Phase, beforeVerdict = record.verdicts.length): Instant | null {
  if (phase.fromVerdict < 0) return null;
  const isOfPhase = (verdict: number) => verdict >= phase.fromVerdict && verdict < beforeVerdict;
  const mails = Object.values(record.effects).filter(
    ({ status, verdict, settledAt }) =>
      status === 'done' && settledAt !== null && verdict !== null && isOfPhase(verdict),
  );
  const mailAt = mails.map(({ settledAt }) => settledAt ?? '').sort()[0];
  if (mailAt === undefined) return null;
  const times: Instant[] = [mailAt];
  const dueMs = toMs(phase.startsAt) + TARGET_MS;
  for (const { target } of record.devices) {
    // An isolation that was first demanded after the time was up, such as after a tuning period, was not owed within it.
    if (target === null || !isOfPhase(target.verdict) || toMs(target.since) > dueMs) continue;
    if (target.isolatedAt !== null) times.push(target.isolatedAt);
    else if (!isolationHasNoClock(target, dueMs)) return null;
  }
  return latest(mailAt, ...times);
}

type TargetOf = NonNullable<IncidentRecord['devices'][number]['target']>;

/** An isolation that is not owed (tuning period, server left alone, called off before its time was up) has no clock. */
function isolationHasNoClock({ judged, ended }: TargetOf, dueMs = Infinity): boolean {
  return judged?.waived !== undefined || (ended !== null && toMs(ended.at) <= dueMs);
}

/** Does the verdict demand an isolation that none before it did? */
function demandsMore(record: IncidentRecord, index: number): boolean {
  return record.devices.some(
    ({ target }) => target !== null && target.verdict === index && !isolationHasNoClock(target),
  );
}

/**
 * The phases of the target through the verdicts: a raise after a timely lower verdict, or a raise or a further device
 * after all was met, has 3 hours of its own.
 */
function currentPhase(record: IncidentRecord): Phase | undefined {
  const base = basePhase(record);
  if (base === undefined) return undefined;
  let phase = base;
  let lowerTimely = true;
  record.verdicts.forEach((verdict, index) => {
    const previous = record.verdicts[index - 1];
    const dueAt = plus(phase.startsAt, TARGET_MS);
    if (verdict.level <= 2) {
      lowerTimely = lowerTimely && toMs(verdict.at) <= toMs(dueAt);
      return;
    }
    if (previous === undefined) {
      phase = { ...phase, fromVerdict: index };
    } else if (previous.level <= 2) {
      const startsAt = lowerTimely ? latest(verdict.at, base.startsAt) : phase.startsAt;
      phase = {
        startsAt,
        because: lowerTimely && startsAt === verdict.at ? 'level-raised' : phase.because,
        fromVerdict: index,
      };
      lowerTimely = true;
    } else if (verdict.level > previous.level || demandsMore(record, index)) {
      const met = metAt(record, phase, index);
      if (met !== null && toMs(met) <= toMs(verdict.at) && toMs(met) <= toMs(dueAt)) {
        phase = { startsAt: latest(verdict.at, base.startsAt), because: 'level-raised', fromVerdict: index };
      }
    }
  });
  return phase;
}

function newsUnderWay(all: readonly Duty[]): boolean {
  return all.some(({ kind, status }) => (kind === 'mail' || kind === 'isolate') && status === 'running');
}

/** Until when a breach waits for news under way. */
function newsUntilMs({ deadlineSeen }: IncidentRecord, dueAt: Instant, now: Instant): number {
  const seenAt = deadlineSeen?.dueAt === dueAt ? deadlineSeen.at : latest(dueAt, now);
  return toMs(seenAt) + NEWS_DELAY_MS;
}

/**
 * The time target: within 3 hours of the detection the customer has been told by mail whether the detection was right,
 * and the device is isolated. It belongs to levels 3 and 4 on severity High, and runs provisionally before a verdict.
 * Judged by the facts' own times, not by the order in which they were heard.
 */
export function slo(record: IncidentRecord, now: Instant): Slo {
  const lasting: Breach | null = record.lastingBreach;
  const verdict = currentVerdict(record);
  const phase = currentPhase(record);
  const closedWithoutVerdict = record.closed !== null && verdict === undefined;
  const applies = phase !== undefined && !closedWithoutVerdict && (verdict === undefined || verdict.level >= 3);
  if (!applies) {
    return lasting === null ? NOT_APPLICABLE : { ...NOT_APPLICABLE, state: 'breached', dueAt: lasting.dueAt };
  }
  const dueAt = plus(phase.startsAt, TARGET_MS);
  const met = metAt(record, phase);
  const common = {
    provisional: verdict === undefined,
    startsAt: phase.startsAt,
    dueAt,
    because: phase.because,
    metAt: met,
  };
  if (lasting !== null) return { ...common, state: 'breached', dueAt: lasting.dueAt };
  if (met !== null) return { ...common, state: toMs(met) <= toMs(dueAt) ? 'met' : 'breached' };
  const certainMs = newsUnderWay(duties(record)) ? newsUntilMs(record, dueAt, now) : toMs(dueAt);
  if (toMs(now) >= certainMs) return { ...common, state: 'breached' };
  return { ...common, state: toMs(now) >= thresholdMs(phase.startsAt, AT_RISK_PERCENT) ? 'at-risk' : 'running' };
}

function thresholdMs(startsAt: Instant, percent: number): number {
  return toMs(startsAt) + (TARGET_MS * percent) / 100;
}

/** The highest threshold that has passed and of which the SOC has not been warned. Thresholds passed together make one warning. */
export function dueWarning(record: IncidentRecord, now: Instant): { percent: number; dueAt: Instant } | undefined {
  const { state, startsAt, dueAt } = slo(record, now);
  if ((state !== 'running' && state !== 'at-risk') || startsAt === null || dueAt === null) return undefined;
  const passed = WARN_PERCENTS.filter((percent) => toMs(now) >= thresholdMs(startsAt, percent)).at(-1);
  if (passed === undefined) return undefined;
  const warned = record.warnings.some((warning) => warning.dueAt === dueAt && warning.percent >= passed);
  return warned ? undefined : { percent: passed, dueAt };
}

function isOver({ status }: Duty): boolean {
  return status === 'done' || status === 'cancelled';
}

/** Why the target was missed, in words of the service; the first that holds. */
function causeOf(record: IncidentRecord, dueAt: Instant): string {
  const verdict = currentVerdict(record);
  if (verdict === undefined) return 'no-verdict';
  const wasPending = ({ target }: IncidentRecord['devices'][number]) =>
    target?.isolatedAt === null && target.ended !== null && !isolationHasNoClock(target, toMs(dueAt));
  if (record.devices.some(wasPending)) return 'isolation-pending';
  for (const duty of duties(record)) {
    if (duty.kind === 'isolate' && duty.status === 'failed') return duty.reason ?? 'isolation-failed';
    if (duty.kind === 'isolate' && (duty.status === 'running' || duty.status === 'owed')) return 'isolation-pending';
    if (duty.kind === 'mail' && duty.topic !== undefined && 'verdict' in duty.topic && !isOver(duty)) {
      return duty.reason ?? 'mail-not-accepted';
    }
  }
  return 'done-too-late';
}

/** A deadline that has passed and of which the record does not say yet that anybody has seen it. */
export function deadlineToSee(record: IncidentRecord, now: Instant): Instant | undefined {
  const { dueAt, startsAt } = slo(record, now);
  if (dueAt === null || startsAt === null || toMs(now) < toMs(dueAt)) return undefined;
  return record.deadlineSeen?.dueAt === dueAt ? undefined : dueAt;
}

/** A breach that is true and not yet on the record. */
export function dueBreach(record: IncidentRecord, now: Instant): Breach | undefined {
  const { state, dueAt } = slo(record, now);
  if (state !== 'breached' || dueAt === null) return undefined;
  const level = currentVerdict(record)?.level ?? null;
  if (record.breaches.some((breach) => breach.dueAt === dueAt)) return undefined;
  return { dueAt, notedAt: now, level, cause: causeOf(record, dueAt) };
}

/** The next moment at which the clock itself has something to say. */
export function nextThreshold(record: IncidentRecord, now: Instant): Instant | undefined {
  const { state, startsAt, dueAt } = slo(record, now);
  if ((state !== 'running' && state !== 'at-risk') || startsAt === null || dueAt === null) return undefined;
  const ahead = [
    ...WARN_PERCENTS.map((percent) => thresholdMs(startsAt, percent)),
    toMs(dueAt),
    newsUntilMs(record, dueAt, now),
  ].filter((at) => at > toMs(now));
  return ahead[0] === undefined ? undefined : toInstant(ahead[0]);
}
