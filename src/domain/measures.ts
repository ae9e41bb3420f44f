import { toMs, SECOND_MS, HOUR_MS, MINUTE_MS } from './time.js';
import { dutyKinds, duties, type Duty } from './incident/duties.js';
import type { Effect, IncidentRecord } from './incident/record.js';
import type { CallRecord, PhoneRecord } from './phone/record.js';

/*
 * What a worker counts while its workflows go on: the difference that one change has made to a record, so that each thing is
 * counted once, when it happens. Labels are words of the process, of which there are few: never an id, a name or a text.
 */

const mailOutcomes = ['accepted', 'refused', 'bounced'] as const;
type MailOutcome = (typeof mailOutcomes)[number];
/** Twilio's words for an end, and ours. */
const callOutcomes = [
  'acknowledged',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
  'ended-by-us',
  'not-placed',
  'other',
] as const;

/** From a minute to a day, with the target of three hours and its warnings at half, three quarters and nine tenths. */
const BUCKETS_MS = [
  ...[1, 5, 15, 30, 60, 90, 135, 162, 180].map((minutes) => minutes * MINUTE_MS),
  ...[6, 12, 24].map((hours) => hours * HOUR_MS),
];

interface Definition {
  kind: 'counter' | 'histogram';
  /** Whose workflow counts it. */
  workflowType: 'incident' | 'phone';
  help: string;
  labels: Readonly<Record<string, readonly string[]>>;
}

/** Every measure, with all values that its labels can have. */
export const measures = {
  mimamori_verdicts_total: {
    kind: 'counter',
    workflowType: 'incident',
    help: 'Verdicts, changed ones among them.',
    labels: { level: ['1', '2', '3', '4'] },
  },
  mimamori_time_to_verdict_seconds: {
    kind: 'histogram',
    workflowType: 'incident',
    help: 'From the detection to the first verdict, once for each incident.',
    labels: {},
  },
  mimamori_time_to_isolation_seconds: {
    kind: 'histogram',
    workflowType: 'incident',
    help: 'From the verdict that demands an isolation to its confirmation by Defender, for each device.',
    labels: {},
  },
  mimamori_duties_failed_total: {
    kind: 'counter',
    workflowType: 'incident',
    help: 'Duties that have failed; one that was tried again and fails again counts again.',
    labels: { kind: dutyKinds },
  },
  mimamori_breaches_total: {
    kind: 'counter',
    workflowType: 'incident',
    help: 'Time targets that were missed.',
    labels: {},
  },
  mimamori_mails_total: {
    kind: 'counter',
    workflowType: 'incident',
    help: 'Mails of incidents, to customers and to the SOC: what the mail server said, and which have come back.',
    labels: { outcome: mailOutcomes },
  },
  mimamori_calls_total: {
    kind: 'counter',
    workflowType: 'phone',
    help: 'Telephone calls that have ended, by how.',
    labels: { outcome: callOutcomes },
  },
} as const satisfies Record<string, Definition>;
export type MeasureName = keyof typeof measures;

function isMeasureName(name: string): name is MeasureName {
  return name in measures;
}

export const measureNames: readonly MeasureName[] = Object.keys(measures).filter(isMeasureName);

/** The upper bounds of every histogram's buckets, in seconds. */
export const histogramBuckets: Readonly<Record<string, number[]>> = Object.fromEntries(
  Object.entries(measures)
    .filter(([, { kind }]) => kind === 'histogram')
    .map(([name]) => [name, BUCKETS_MS.map((ms) => ms / SECOND_MS)]),
);

/** Every set of labels that a measure can have. */
export function labelSets(name: MeasureName): Record<string, string>[] {
  const labelled: Definition['labels'] = measures[name].labels;
  return Object.entries(labelled).reduce<Record<string, string>[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

export interface Measure {
  name: MeasureName;
  /** Seconds of a histogram; how many of a counter. */
  value: number;
  labels: Record<string, string>;
}

function count(name: MeasureName, labels: Record<string, string> = {}): Measure {
  return { name, value: 1, labels };
}

/** Never below zero: the clocks are not all ours. */
function secondsBetween(from: string, until: string): number {
  return Math.max(0, toMs(until) - toMs(from)) / SECOND_MS;
}

function verdicts(before: IncidentRecord, after: IncidentRecord): Measure[] {
  return after.verdicts.slice(before.verdicts.length).flatMap(({ level, at }, index) => {
    const isFirst = before.verdicts.length + index === 0;
    const value = secondsBetween(after.alert.createdAt, at);
    return [
      count('mimamori_verdicts_total', { level: String(level) }),
      ...(isFirst ? [{ name: 'mimamori_time_to_verdict_seconds' as const, value, labels: {} }] : []),
    ];
  });
}

function isolations(before: IncidentRecord, after: IncidentRecord): Measure[] {
  if (after.devices === before.devices) return [];
  const isolatedAt = new Map(before.devices.map(({ machineId, target }) => [machineId, target?.isolatedAt ?? null]));
  return after.devices.flatMap(({ machineId, target }) => {
    if (target?.isolatedAt == null || isolatedAt.get(machineId) === target.isolatedAt) return [];
    const value = secondsBetween(target.since, target.isolatedAt);
    return [{ name: 'mimamori_time_to_isolation_seconds' as const, value, labels: {} }];
  });
}

function failedDuties(before: IncidentRecord, after: IncidentRecord): Measure[] {
  const failed = ({ status }: Duty) => status === 'failed';
  const now = duties(after).filter(failed);
  if (now.length === 0) return [];
  const known = new Set(duties(before).flatMap((duty) => (failed(duty) ? [duty.id] : [])));
  return now.filter(({ id }) => !known.has(id)).map(({ kind }) => count('mimamori_duties_failed_total', { kind }));
}

function mailOutcome({ status, via }: Effect): MailOutcome | undefined {
  // The lead's own record counts what it has sent for this one.
  if (via !== undefined) return undefined;
  switch (status) {
    case 'done':
      return 'accepted';
    case 'failed':
      return 'refused';
    case 'bounced':
      return 'bounced';
    case 'running':
    case 'cancelled':
      return undefined;
  }
}

function mails(before: IncidentRecord, after: IncidentRecord): Measure[] {
  if (after.effects === before.effects) return [];
  return Object.entries(after.effects).flatMap(([dutyId, effect]) => {
    const outcome = mailOutcome(effect);
    if (outcome === undefined || effect.status === before.effects[dutyId]?.status) return [];
    return [count('mimamori_mails_total', { outcome })];
  });
}

/**
 * What an incident counts for by its beginning alone: it may come after its time is up. Only the record that it was opened with
 * was never changed; a later run begins with another.
 */
export function openingMeasures({ createdAt, updatedAt, breaches }: IncidentRecord): Measure[] {
  return createdAt === updatedAt ? breaches.map(() => count('mimamori_breaches_total')) : [];
}

/** What one change of an incident's record counts for. */
export function incidentMeasures(before: IncidentRecord, after: IncidentRecord): Measure[] {
  return [
    ...verdicts(before, after),
    ...isolations(before, after),
    ...failedDuties(before, after),
    ...after.breaches.slice(before.breaches.length).map(() => count('mimamori_breaches_total')),
    ...mails(before, after),
  ];
}

function callOutcome({ status }: CallRecord): string {
  return callOutcomes.find((known) => known === status) ?? 'other';
}

/** Likewise of a customer's telephone. */
export function phoneMeasures(before: PhoneRecord, after: PhoneRecord): Measure[] {
  if (after.calls === before.calls) return [];
  const going = new Map(before.calls.map(({ attempt, endedAt }) => [attempt, endedAt === null]));
  return after.calls
    .filter(({ attempt, endedAt }) => endedAt !== null && going.get(attempt) !== false)
    .map((call) => count('mimamori_calls_total', { outcome: callOutcome(call) }));
}
