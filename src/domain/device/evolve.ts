import { z } from 'zod';
import { toMs, type Instant } from '../time.js';
import {
  actionSchema,
  changedElsewhereSchema,
  isolationStates,
  type Acknowledgement,
  type ActionRecord,
  type ChangedElsewhere,
  type DeviceOrder,
  type DeviceRecord,
  type DeviceReport,
  type DeviceRequest,
  type Hold,
  type HoldState,
  type IsolationState,
  type TroubleReason,
} from './record.js';

export function openDevice(customerId: string, machineId: string, at: Instant): DeviceRecord {
  return {
    customerId,
    machineId,
    name: machineId,
    // Versions grow across runs of the workflow too, so that an incident never takes an old snapshot for news.
    version: toMs(at),
    isolation: 'none',
    isolatedAt: null,
    action: null,
    holds: {},
    comment: '',
    orders: [],
    policy: null,
    handled: {},
    told: {},
    ways: 2,
    watches: true,
  };
}

/** As it was opened by runs that began before reports were spared, and before anybody watched. */
export function openDeviceAsBefore(customerId: string, machineId: string, at: Instant): DeviceRecord {
  const { ways: _, watches: __, ...record } = openDevice(customerId, machineId, at);
  return record;
}

function changed(record: DeviceRecord, change: Partial<DeviceRecord>): DeviceRecord {
  return { ...record, ...change, version: record.version + 1 };
}

function mapHolds(record: DeviceRecord, map: (hold: Hold, incidentId: string) => Hold): Record<string, Hold> {
  return Object.fromEntries(Object.entries(record.holds).map(([id, hold]) => [id, map(hold, id)]));
}

/** Does this hold keep the device isolated? A withdrawal that came too late does: only the customer gives it back. */
function keeps(hold: Hold): boolean {
  if (hold.want === 'isolate') return hold.state === 'wanted' || hold.state === 'isolated';
  return hold.want === 'withdraw' && hold.state === 'isolated';
}

/** Is the isolation this hold's, until the customer has given the device back? */
function isOwner({ want, state }: Hold): boolean {
  if (state === 'wanted') return want === 'isolate';
  return ['isolated', 'releasing', 'release-failed'].includes(state);
}

/** Does this hold rest on Defender's word that the device is isolated? */
function restsOnIsolation({ state }: Hold): boolean {
  return state === 'isolated' || state === 'release-failed';
}

function isReleasedElsewhere({ changedElsewhere }: DeviceRecord): boolean {
  return changedElsewhere?.isolation === 'released';
}

export function holdersBeside(record: DeviceRecord, incidentId: string): string[] {
  return Object.entries(record.holds)
    .filter(([id, hold]) => id !== incidentId && keeps(hold))
    .map(([id]) => id);
}

function stateOfRequest(record: DeviceRecord, request: DeviceRequest, before: Hold | undefined): HoldState {
  switch (request.want) {
    case 'isolate':
      return before?.state === 'isolated' && record.isolation === 'isolated' && !isReleasedElsewhere(record)
        ? 'isolated'
        : 'wanted';
    case 'withdraw':
      return before?.state === 'wanted' || before?.state === 'isolated' ? before.state : 'cancelled';
    case 'release':
      return stateOfRelease(record, request.incidentId, before);
  }
}

function stateOfRelease(record: DeviceRecord, incidentId: string, before: Hold | undefined): HoldState {
  const othersHold = holdersBeside(record, incidentId).length > 0;
  switch (before?.state) {
    case 'isolated':
    case 'release-failed':
      return othersHold ? 'held' : 'releasing';
    case 'wanted':
      return othersHold ? 'held' : 'wanted';
    case 'held':
    case 'releasing':
    case 'released':
      return before.state;
    case 'failed':
    case 'cancelled':
    case undefined:
      return 'cancelled';
  }
}

/** Takes an incident's request; one that is not newer than its last is a straggler and changes nothing. */
export function applyRequest(record: DeviceRecord, request: DeviceRequest, at: Instant): DeviceRecord {
  const before = record.holds[request.incidentId];
  if (before !== undefined && request.seq <= before.seq) return record;
  const state = stateOfRequest(record, request, before);
  const hold: Hold = { seq: request.seq, want: request.want, state, reason: null, at, order: null };
  return changed(record, {
    name: request.name,
    policy: request.policy ?? record.policy,
    comment: request.want === 'isolate' ? request.why : record.comment,
    holds: { ...record.holds, [request.incidentId]: hold },
  });
}

/** The incidents that a release of the device itself is for. */
export function releasableHolds(record: DeviceRecord): string[] {
  return Object.entries(record.holds)
    .filter(([, hold]) => keeps(hold) || hold.state === 'release-failed')
    .map(([id]) => id);
}

/** One order of the customer's gives the device back for every incident that holds it. */
export function applyOrder(record: DeviceRecord, order: DeviceOrder): DeviceRecord {
  const wanted = new Set(releasableHolds(record));
  return changed(record, {
    orders: [...record.orders, order],
    holds: mapHolds(record, (hold, id) =>
      wanted.has(id)
        ? {
            ...hold,
            want: 'release',
            state: hold.state === 'wanted' ? 'wanted' : 'releasing',
            reason: null,
            at: order.at,
            order,
          }
        : hold,
    ),
  });
}

/** A change past this service, as the watch reads it from Defender. */
export type ChangeSeen = Omit<ChangedElsewhere, 'seenAt'> & { action: ActionRecord };

/** What a request to Defender, or following its action, has come to. */
export type StepResult =
  | { outcome: 'requested'; action: ActionRecord }
  | { outcome: 'isolated'; at: Instant; action: ActionRecord | null }
  | { outcome: 'released'; at: Instant; action: ActionRecord | null }
  | { outcome: 'cancelled'; byUs: boolean; at: Instant; action: ActionRecord | null }
  | { outcome: 'failed'; reason: string; at: Instant; action: ActionRecord | null }
  | { outcome: 'refused'; reason: 'tuning-period'; at: Instant };

function settleHolds(
  record: DeviceRecord,
  at: Instant,
  next: (hold: Hold, incidentId: string) => { state: HoldState; reason?: string } | undefined,
): Record<string, Hold> {
  return mapHolds(record, (hold, id) => {
    const settled = next(hold, id);
    return settled === undefined ? hold : { ...hold, state: settled.state, reason: settled.reason ?? null, at };
  });
}

/**
 * What a request to isolate has ended as, where the device was not isolated by it. What others hold is another matter,
 * of which it says nothing: whoever watches sees how that stands.
 */
function withoutIsolation(
  record: DeviceRecord,
  isolation: 'none' | 'failed',
  holds: DeviceRecord['holds'],
): Pick<DeviceRecord, 'isolation' | 'holds'> {
  const isOthers = record.watches === true && Object.values(holds).some(restsOnIsolation);
  return { isolation: isOthers ? 'isolated' : isolation, holds };
}

/** Has one incident called the isolation under way off, and another been told to release it? */
export function isCalledOffBesideRelease(record: DeviceRecord): boolean {
  const wanted = Object.values(record.holds).filter(({ state }) => state === 'wanted');
  return wanted.some(({ want }) => want === 'withdraw') && wanted.some(({ want }) => want === 'release');
}

/** What an isolate request has come to. `letsWithdrawnGo` is for histories from before a late withdrawal held. */
export function applyIsolateStep(record: DeviceRecord, step: StepResult, letsWithdrawnGo = false): DeviceRecord {
  switch (step.outcome) {
    case 'requested':
      return changed(record, { isolation: 'requested', action: step.action });
    case 'isolated': {
      const isolated: DeviceRecord = {
        ...record,
        isolation: 'isolated',
        isolatedAt: step.at,
        action: step.action ?? record.action,
        changedElsewhere: undefined,
      };
      // Who called it off too late holds the device from now on: another's release must not take it away. Not so where
      // it was isolated for others before: that was never this one's.
      const isOthers = record.isolation === 'isolated' && Object.values(record.holds).some(isOwner);
      const confirmed = settleHolds(record, step.at, ({ state, want }) => {
        if (state !== 'wanted' || want === 'release') return undefined;
        return { state: want === 'withdraw' && isOthers ? 'cancelled' : 'isolated' };
      });
      const holders = letsWithdrawnGo ? record : { ...record, holds: confirmed };
      return changed(isolated, {
        holds: settleHolds({ ...record, holds: confirmed }, step.at, ({ state }, id) => {
          if (state !== 'wanted') return undefined;
          return { state: holdersBeside(holders, id).length > 0 ? 'held' : 'releasing' };
        }),
      });
    }
    case 'refused':
      return changed(
        record,
        withoutIsolation(
          record,
          'none',
          settleHolds(record, step.at, (hold) =>
            hold.state === 'wanted' ? { state: 'cancelled', reason: step.reason } : undefined,
          ),
        ),
      );
    case 'cancelled': {
      const holds = settleHolds(record, step.at, (hold) => {
        if (hold.state !== 'wanted') return undefined;
        // Asked for again while its cancellation was under way: the request stands.
        if (hold.want === 'isolate') return step.byUs ? undefined : { state: 'failed', reason: 'cancelled-elsewhere' };
        return { state: 'cancelled' };
      });
      return changed(record, {
        ...withoutIsolation(record, 'none', holds),
        action: step.action ?? record.action,
      });
    }
    case 'released':
      return changed(record, { isolation: 'none', isolatedAt: null });
    case 'failed': {
      const holds = settleHolds(record, step.at, (hold) => {
        if (hold.state !== 'wanted') return undefined;
        return hold.want === 'isolate' ? { state: 'failed', reason: step.reason } : { state: 'cancelled' };
      });
      return changed(record, {
        ...withoutIsolation(record, 'failed', holds),
        action: step.action ?? record.action,
      });
    }
  }
}

/** What an unisolate request has come to. */
export function applyReleaseStep(record: DeviceRecord, step: StepResult): DeviceRecord {
  switch (step.outcome) {
    case 'requested':
      return changed(record, { isolation: 'releasing', action: step.action });
    case 'released':
      return changed(record, {
        isolation: 'none',
        isolatedAt: null,
        action: step.action ?? record.action,
        changedElsewhere: undefined,
        holds: settleHolds(record, step.at, (hold) =>
          hold.want === 'release' && ['releasing', 'held', 'release-failed'].includes(hold.state)
            ? { state: 'released' }
            : undefined,
        ),
      });
    case 'isolated':
    case 'refused':
      return record;
    case 'cancelled':
    case 'failed': {
      const reason = step.outcome === 'failed' ? step.reason : 'cancelled-elsewhere';
      return changed(record, {
        isolation: 'isolated',
        action: step.action ?? record.action,
        holds: settleHolds(record, step.at, (hold) =>
          hold.state === 'releasing' ? { state: 'release-failed', reason } : undefined,
        ),
      });
    }
  }
}

/** What has been failing for a while (`why`), or no longer is. */
export function applyTrouble(record: DeviceRecord, reason: TroubleReason, why: string | undefined): DeviceRecord {
  const others = (record.troubles ?? []).filter((trouble) => trouble.reason !== reason);
  if (why !== undefined) return changed(record, { troubles: [...others, { reason, why }] });
  return others.length === (record.troubles?.length ?? 0) ? record : changed(record, { troubles: others });
}

/**
 * With no isolation under way, what was asked for and called off again has never begun: nothing else would settle it.
 * Where the device is isolated for nobody else (a release of this incident's own failed meanwhile), it is still its.
 */
export function settleNeverBegun(record: DeviceRecord, at: Instant): DeviceRecord {
  const isOver = ({ want, state }: Hold) => state === 'wanted' && want !== 'isolate';
  const holds = Object.values(record.holds);
  if (!holds.some(isOver)) return record;
  const isOrphan = record.isolation === 'isolated' && !holds.some(isOwner);
  return changed(record, {
    holds: settleHolds(record, at, (hold) => {
      if (!isOver(hold)) return undefined;
      if (!isOrphan) return { state: 'cancelled' };
      return { state: hold.want === 'release' ? 'releasing' : 'isolated' };
    }),
  });
}

/** What is to be done next about the device, with no action under way. */
export function nextStep(record: DeviceRecord): 'isolate' | 'release' | undefined {
  const holds = Object.values(record.holds);
  if (holds.some(({ want, state }) => want === 'isolate' && state === 'wanted')) return 'isolate';
  if (holds.some(({ state }) => state === 'releasing')) return 'release';
  return undefined;
}

/**
 * Up to when it is known how a held device stands, by Defender's clock: what is newer there was done by somebody else.
 * Undefined where there is nothing to watch: nobody holds it, or this service itself has something to do to it.
 */
export function watchedFrom(record: DeviceRecord): Instant | undefined {
  const isWatched =
    record.watches === true &&
    record.isolation === 'isolated' &&
    nextStep(record) === undefined &&
    Object.values(record.holds).some(restsOnIsolation);
  return isWatched ? (record.changedElsewhere?.at ?? record.isolatedAt ?? undefined) : undefined;
}

/** What the watch has found. Nothing is undone, and nothing is believed of the isolation any more. */
export function applyChangeElsewhere(
  record: DeviceRecord,
  { action, ...change }: ChangeSeen,
  seenAt: Instant,
): DeviceRecord {
  const known = watchedFrom(record);
  if (known === undefined || toMs(change.at) <= toMs(known)) return record;
  return changed(record, {
    action,
    isolatedAt: change.isolation === 'isolated' ? change.at : record.isolatedAt,
    changedElsewhere: { ...change, seenAt },
  });
}

/** The incidents whose holds end when an analyst accepts that the device was released elsewhere. */
export function acknowledgeable(record: DeviceRecord): string[] {
  if (!isReleasedElsewhere(record) || watchedFrom(record) === undefined) return [];
  return Object.entries(record.holds)
    .filter(([, hold]) => restsOnIsolation(hold))
    .map(([id]) => id);
}

/** What Defender says is accepted: the device is free, for whoever held it. */
export function applyAcknowledgement(record: DeviceRecord, acknowledged: Acknowledgement): DeviceRecord {
  const { changedElsewhere } = record;
  if (changedElsewhere === undefined || acknowledgeable(record).length === 0) return record;
  return changed(record, {
    isolation: 'none',
    isolatedAt: null,
    changedElsewhere: undefined,
    holds: mapHolds(record, (hold) =>
      restsOnIsolation(hold) || hold.state === 'held'
        ? { ...hold, state: 'released', reason: 'released-elsewhere', at: changedElsewhere.at, acknowledged }
        : hold,
    ),
  });
}

/** Is an isolation that is under way still wanted by anybody? */
export function isStillWanted(record: DeviceRecord): boolean {
  return Object.values(record.holds).some(({ want, state }) => want === 'isolate' && state === 'wanted');
}

/** Nobody holds it, nothing is under way, and it is on the network: the workflow may end. */
export function isFree(record: DeviceRecord): boolean {
  return nextStep(record) === undefined && (record.isolation === 'none' || record.isolation === 'failed');
}

/** How the device stands for whoever looks: what is asked for and not at Defender yet counts as under way. */
function shownIsolation(record: DeviceRecord): IsolationState {
  const { isolation } = record;
  if (record.ways !== 2 || isolation === 'requested') return isolation;
  const isOnNetwork = isReleasedElsewhere(record);
  switch (nextStep(record)) {
    case 'isolate':
      return isolation === 'isolated' && !isOnNetwork ? isolation : 'requested';
    case 'release':
      return isolation === 'isolated' ? 'releasing' : isolation;
    case undefined:
      return isOnNetwork ? 'none' : isolation;
  }
}

export function reportFor(record: DeviceRecord, incidentId: string): DeviceReport | undefined {
  const hold = record.holds[incidentId];
  if (hold === undefined) return undefined;
  return {
    version: record.version,
    machineId: record.machineId,
    isolation: shownIsolation(record),
    action: record.action,
    isolatedAt: record.isolatedAt,
    hold,
    heldBy: holdersBeside(record, incidentId),
    ...(record.troubles === undefined || record.troubles.length === 0 ? {} : { troubles: record.troubles }),
    ...(record.changedElsewhere === undefined || !restsOnIsolation(hold)
      ? {}
      : { changedElsewhere: record.changedElsewhere }),
  };
}

/** An incident knows itself that it has asked; what Defender says of a release is told with its end. */
function isNews(record: DeviceRecord, { hold }: DeviceReport): boolean {
  const hasOnlyAsked = hold.want === 'isolate' && hold.state === 'wanted' && record.isolation !== 'requested';
  const wasEverInTrouble = record.troubles !== undefined;
  return record.ways !== 2 || !hasOnlyAsked || wasEverInTrouble;
}

/** The reports that somebody has not been told yet. */
export function untold(record: DeviceRecord): { incidentId: string; report: DeviceReport; digest: string }[] {
  return Object.keys(record.holds).flatMap((incidentId) => {
    const report = reportFor(record, incidentId);
    if (report === undefined) return [];
    const { version: _, ...facts } = report;
    const isReleasing = record.ways === 2 && report.hold.state === 'releasing';
    const digest = JSON.stringify(isReleasing ? { ...facts, action: null } : facts);
    return digest === record.told[incidentId] || !isNews(record, report) ? [] : [{ incidentId, report, digest }];
  });
}

export const deviceViewSchema = z
  .object({
    machineId: z.string(),
    customerId: z.string(),
    name: z.string(),
    isolation: z.enum(isolationStates),
    heldBy: z.array(z.string()).meta({ description: 'Ids of the incidents that hold it.' }),
    action: actionSchema.nullable(),
    changedElsewhere: changedElsewhereSchema
      .optional()
      .meta({ description: 'What somebody has made of it past this service. `released`: waits to be acknowledged.' }),
  })
  .meta({ id: 'Device' });
export type DeviceView = z.infer<typeof deviceViewSchema>;

export function deviceView(record: DeviceRecord): DeviceView {
  return {
    machineId: record.machineId,
    customerId: record.customerId,
    name: record.name,
    isolation: shownIsolation(record),
    heldBy: Object.entries(record.holds)
      .filter(([, hold]) => keeps(hold) || ['releasing', 'release-failed'].includes(hold.state))
      .map(([id]) => id),
    action: record.action,
    ...(record.changedElsewhere === undefined ? {} : { changedElsewhere: record.changedElsewhere }),
  };
}
