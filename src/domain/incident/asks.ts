import { tuningPeriodAt } from '../customer.js';
import type { DeviceRequest } from '../device/record.js';
import type { PhoneRequest } from '../phone/record.js';
import type { Instant } from '../time.js';
import { scopeOf } from './assessment.js';
import { duties, holdOf, type Duty } from './duties.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord } from './record.js';
import { isRequestStanding } from './verdicts.js';

/*
 * What the incident has to ask of others at this moment. The workflow makes it durable; here it is only decided.
 */

/** Devices that Defender has to be asked about: the alert's own, and every other that is to be isolated. */
export function toLookUp(record: IncidentRecord): DeviceEntry[] {
  if (record.closed !== null) return [];
  return record.devices.filter(
    ({ facts, namedByAlert, target }) => facts === null && (namedByAlert || target !== null),
  );
}

/**
 * Has nobody looked yet whether this version of the alert matches an exclusion? A triaged alert is not excluded any more,
 * nor one that an analyst took up again.
 */
export function needsExclusionLook(record: IncidentRecord): boolean {
  const { exclusion, alert, closed, fingerprint, reopenedAt } = record;
  if (exclusion === undefined || alert.matchable === undefined || reopenedAt !== null) return false;
  if (currentVerdict(record) !== undefined || (closed !== null && closed.reason !== 'excluded')) return false;
  // What the other rules keep out needs no exclusion.
  const others = scopeOf({ ...record, exclusion: null });
  return others.inScope && exclusion?.lookedFor !== fingerprint;
}

function isolateDutyOf(record: IncidentRecord, { machineId }: DeviceEntry): Duty | undefined {
  return duties(record).find(({ id }) => id === `isolate:${machineId}`);
}

/** Isolations that are owed and of which nobody has judged whether they may be asked for. */
export function unjudged(record: IncidentRecord): DeviceEntry[] {
  return record.devices.filter(
    (device) =>
      device.target !== null &&
      device.target.judged === null &&
      device.facts !== null &&
      isolateDutyOf(record, device)?.status === 'owed',
  );
}

/** Isolations under way into a tuning period that has begun, going by what was last read of it. */
export function overtakenByTuning(record: IncidentRecord, now: Instant): DeviceEntry[] {
  const periods = record.policy?.customer.tuningPeriods ?? [];
  if (tuningPeriodAt(periods, now) === undefined) return [];
  return beingIsolated(record).filter(({ target }) => target?.ended === null);
}

/** Devices whose isolation is under way. */
export function beingIsolated(record: IncidentRecord): DeviceEntry[] {
  return record.devices.filter((device) => isolateDutyOf(record, device)?.status === 'running');
}

/** What the device's workflow is to be asked now. */
export function deviceWant(record: IncidentRecord, device: DeviceEntry): DeviceRequest['want'] | undefined {
  const { target, asked, order } = device;
  if (order !== null) {
    const orderedAt = record.orders[order]?.at ?? '';
    const orderedOnDevice = holdOf(device)?.order?.at === orderedAt;
    // A new order after a release that failed is passed on like the first.
    const passedOn = asked?.want === 'release' && asked.at >= orderedAt;
    return asked !== null && !passedOn && !orderedOnDevice ? 'release' : undefined;
  }
  if (target === null || target.isolatedAt !== null) return undefined;
  const isOff = target.ended !== null || target.judged?.waived !== undefined || target.judged?.refused !== undefined;
  if (isOff) return isRequestStanding(device) ? 'withdraw' : undefined;
  const mayAsk = target.judged !== null && isolateDutyOf(record, device)?.status === 'owed';
  return mayAsk ? 'isolate' : undefined;
}

/** What the customer's telephone is to be asked now. */
export function phoneWant(record: IncidentRecord): PhoneRequest['want'] | undefined {
  const duty = duties(record).find(({ kind }) => kind === 'phone');
  if (duty?.status === 'owed') return 'ring';
  const calledOff =
    duty?.status === 'running' && currentVerdict(record)?.level !== 4 && record.phone?.cancelledAt === null;
  return calledOff ? 'cancel' : undefined;
}

/** The customer's mail that can be sent now: none while another is on its way. */
export function nextMailToCustomer(all: readonly Duty[]): Duty | undefined {
  const mails = all.filter(({ kind }) => kind === 'mail');
  if (mails.some(({ status }) => status === 'running')) return undefined;
  return mails.find(({ status, topic, reason }) => status === 'owed' && topic !== undefined && reason === undefined);
}

/**
 * An all-clear before the primary could be handed over: nobody was told of a threat, and nobody is to be. Where an analyst
 * has more to say to the customer already, it stays: what follows it would follow nothing.
 */
export function isPrimaryWithdrawn(record: IncidentRecord): boolean {
  const primary = record.effects['mail:primary'];
  if (primary?.status !== 'running' || primary.maybeAccepted || record.escalations.length > 0) return false;
  const told = record.verdicts[primary.verdict ?? 0]?.level ?? 1;
  return told >= 2 && currentVerdict(record)?.level === 1;
}
