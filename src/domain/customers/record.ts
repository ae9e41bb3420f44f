import { z } from 'zod';
import type { CommandOutcome } from '../commands.js';
import type { TuningPeriod } from '../customer.js';
import { reject, type Rejection } from '../errors.js';
import { registeredExclusionSchema, type RegisteredExclusion } from '../exclusion/match.js';
import { bilingual, clip, utf8Bytes, type Bilingual } from '../text.js';
import { instantSchema, sentInstantSchema, toMs, type Instant } from '../time.js';

/*
 * What changes about a customer at run time, beside the reviewed file: tuning periods that the SOC has agreed with the
 * customer since. The file's own periods join them.
 */

const reason = z.string().trim().min(1, 'must not be empty').max(1_000, 'must be at most 1000 characters');

/** `[from, until)`: no isolation inside. */
export const tuningSchema = z
  .strictObject({ from: instantSchema, until: instantSchema, reason })
  .refine(({ from, until }) => toMs(from) < toMs(until), { message: 'must be later than from', path: ['until'] });
export type TuningBody = z.infer<typeof tuningSchema>;

export const endTuningSchema = z.strictObject({ periodId: z.string().min(1).max(64), reason });
export type EndTuningBody = z.infer<typeof endTuningSchema>;

const saidSchema = z.object({ actor: z.string(), reason: z.string(), at: sentInstantSchema });

const runTimePeriodSchema = z.object({
  id: z.string(),
  from: sentInstantSchema,
  until: sentInstantSchema,
  set: saidSchema,
  ended: saidSchema.nullable(),
});
export type RunTimePeriod = z.infer<typeof runTimePeriodSchema>;

export interface CustomerEntry {
  at: Instant;
  actor: string;
  type: 'tuning-set' | 'tuning-ended' | 'exclusion-set' | 'exclusion-ended';
  text: Bilingual;
}

export interface CustomerRecord {
  customerId: string;
  revision: number;
  tuningPeriods: RunTimePeriod[];
  /** What our own filter matches alerts with. */
  exclusions: RegisteredExclusion[];
  /** Grows with every change of the exclusions, so that whoever keeps a copy knows whether it is good. */
  exclusionsRevision: number;
  /** Oldest first. */
  timeline: CustomerEntry[];
  handled: Record<string, { bodyHash: string; outcome: CommandOutcome }>;
}

/** What everybody may read of it without asking its workflow. */
export const customerMemoSchema = z.object({
  // Temporal takes an empty list in a memo for none.
  tuningPeriods: z.array(runTimePeriodSchema).default([]),
  exclusionsRevision: z.int().default(0),
  exclusionsBytes: z.int().default(0),
});
export type CustomerMemo = z.infer<typeof customerMemoSchema>;

/** What an exclusion's own workflow has our filter take, or give up. */
export const exclusionChangeSchema = z.discriminatedUnion('change', [
  z.object({ change: z.literal('set'), exclusion: registeredExclusionSchema }),
  z.object({ change: z.literal('ended'), exclusionId: z.string() }),
]);
export type ExclusionChange = z.infer<typeof exclusionChangeSchema>;

/** So many periods that are over stay in the record, and so many may be set that are not. */
const MAX_PERIODS = 200;
const MAX_TIMELINE = 1_000;
/** Temporal takes 2 MB for a run's input and for an answer; periods, timeline and keys have the rest. */
const MAX_EXCLUSIONS_BYTES = 1_000_000;
/** An answer is repeated for as long as a client may try again, not for ever. */
const MAX_HANDLED = 500;

export function customerWorkflowId(customerId: string): string {
  return `customer:${customerId}`;
}

export function openCustomer(customerId: string): CustomerRecord {
  return {
    customerId,
    revision: 1,
    tuningPeriods: [],
    exclusions: [],
    exclusionsRevision: 0,
    timeline: [],
    handled: {},
  };
}

export function exclusionsBytes(exclusions: readonly RegisteredExclusion[]): number {
  return utf8Bytes(JSON.stringify(exclusions));
}

/** May our own filter take one more, beside so many bytes of others? */
export function judgeRoom(takenBytes: number, exclusion: RegisteredExclusion): Rejection | undefined {
  if (takenBytes + exclusionsBytes([exclusion]) <= MAX_EXCLUSIONS_BYTES) return undefined;
  return reject(
    'too-many-exclusions',
    'The customer’s own filter is full; let others end first, or make one of several.',
  );
}

/** One that it has already is only another version of it. */
export function hasRoomFor({ exclusions }: CustomerRecord, exclusion: RegisteredExclusion): boolean {
  const isKnown = exclusions.some(({ exclusionId }) => exclusionId === exclusion.exclusionId);
  return isKnown || judgeRoom(exclusionsBytes(exclusions), exclusion) === undefined;
}

/** What the next run goes on with. */
export function carriedOn(record: CustomerRecord): CustomerRecord {
  const newest = Object.entries(record.handled)
    .sort(([, a], [, b]) => toMs(a.outcome.at) - toMs(b.outcome.at))
    .slice(-MAX_HANDLED);
  return { ...record, handled: Object.fromEntries(newest) };
}

export type CustomerFact =
  | { type: 'tuning-set'; body: TuningBody; actor: string }
  | { type: 'tuning-ended'; body: EndTuningBody; actor: string }
  | { type: 'exclusion-set'; exclusion: RegisteredExclusion }
  | { type: 'exclusion-ended'; exclusionId: string }
  | { type: 'command-handled'; key: string; bodyHash: string; outcome: CommandOutcome };

export function periodIdAt(revision: number): string {
  return `tp-${revision}`;
}

function isOver({ until, ended }: RunTimePeriod, at: Instant): boolean {
  return ended !== null || toMs(until) <= toMs(at);
}

/** Without those that have been over for longest; the timeline still tells of them. */
function remembered(periods: readonly RunTimePeriod[], at: Instant): RunTimePeriod[] {
  const forgotten = new Set(periods.filter((period) => isOver(period, at)).slice(0, -MAX_PERIODS));
  return periods.filter((period) => !forgotten.has(period));
}

function entry(record: CustomerRecord, made: CustomerEntry): CustomerEntry[] {
  return [...record.timeline, made].slice(-MAX_TIMELINE);
}

export function evolveCustomer(record: CustomerRecord, fact: CustomerFact, at: Instant): CustomerRecord {
  switch (fact.type) {
    case 'tuning-set': {
      const { actor, body } = fact;
      const revision = record.revision + 1;
      const { from, until } = body;
      const period: RunTimePeriod = {
        id: periodIdAt(revision),
        from,
        until,
        set: { actor, reason: body.reason, at },
        ended: null,
      };
      const why = clip(body.reason, 300);
      return {
        ...record,
        revision,
        tuningPeriods: remembered([...record.tuningPeriods, period], at),
        timeline: entry(record, {
          at,
          actor,
          type: 'tuning-set',
          text: bilingual(
            `Tuning period ${period.id} from ${from} until ${until}: ${why}`,
            `チューニング期間 ${period.id} を設定: ${from} から ${until} まで。${why}`,
          ),
        }),
      };
    }
    case 'tuning-ended': {
      const { actor, body } = fact;
      const why = clip(body.reason, 300);
      return {
        ...record,
        revision: record.revision + 1,
        tuningPeriods: record.tuningPeriods.map((period) =>
          period.id === body.periodId ? { ...period, ended: { actor, reason: body.reason, at } } : period,
        ),
        timeline: entry(record, {
          at,
          actor,
          type: 'tuning-ended',
          text: bilingual(
            `Tuning period ${body.periodId} ended: ${why}`,
            `チューニング期間 ${body.periodId} を終了。${why}`,
          ),
        }),
      };
    }
    case 'exclusion-set': {
      const { exclusion } = fact;
      const { exclusionId } = exclusion;
      const before = record.exclusions.find((known) => known.exclusionId === exclusionId);
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(exclusion)) return record;
      return {
        ...record,
        revision: record.revision + 1,
        exclusionsRevision: record.exclusionsRevision + 1,
        exclusions: [...record.exclusions.filter((known) => known.exclusionId !== exclusionId), exclusion],
        timeline: entry(record, {
          at,
          actor: 'mimamori',
          type: 'exclusion-set',
          text: bilingual(`Our own filter takes ${exclusionId}.`, `当社フィルターに ${exclusionId} を登録しました。`),
        }),
      };
    }
    case 'exclusion-ended': {
      const { exclusionId } = fact;
      if (!record.exclusions.some((known) => known.exclusionId === exclusionId)) return record;
      return {
        ...record,
        revision: record.revision + 1,
        exclusionsRevision: record.exclusionsRevision + 1,
        exclusions: record.exclusions.filter((known) => known.exclusionId !== exclusionId),
        timeline: entry(record, {
          at,
          actor: 'mimamori',
          type: 'exclusion-ended',
          text: bilingual(
            `Our own filter no longer has ${exclusionId}.`,
            `当社フィルターから ${exclusionId} を削除しました。`,
          ),
        }),
      };
    }
    case 'command-handled':
      return {
        ...record,
        handled: { ...record.handled, [fact.key]: { bodyHash: fact.bodyHash, outcome: fact.outcome } },
      };
  }
}

export function judgeTuning(record: CustomerRecord, { until }: TuningBody, now: Instant): Rejection | undefined {
  if (toMs(until) <= toMs(now)) {
    return reject('invalid-input', 'until lies in the past', [{ path: 'until', message: 'lies in the past' }]);
  }
  const unfinished = record.tuningPeriods.filter((period) => !isOver(period, now));
  if (unfinished.length < MAX_PERIODS) return undefined;
  const message = `${unfinished.length} tuning periods are set that are not over; end some of them first`;
  return reject('invalid-input', message, [{ path: '', message }]);
}

export function judgeEndTuning(
  record: CustomerRecord,
  { periodId }: EndTuningBody,
  now: Instant,
): Rejection | undefined {
  const period = record.tuningPeriods.find(({ id }) => id === periodId);
  if (period === undefined) return reject('unknown-tuning-period', `There is no tuning period ${periodId}.`);
  if (!isOver(period, now)) return undefined;
  return reject('tuning-period-over', 'This tuning period is over already.');
}

/** The periods as they hold: one that was ended early ends then, one that was ended before it began never was. */
export function periodsInForce(periods: readonly RunTimePeriod[]): TuningPeriod[] {
  return periods.flatMap(({ from, until, ended }) => {
    if (ended === null) return [{ from, until }];
    return toMs(ended.at) <= toMs(from) ? [] : [{ from, until: toMs(ended.at) < toMs(until) ? ended.at : until }];
  });
}
