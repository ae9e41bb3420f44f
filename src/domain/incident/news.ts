import type { DeviceReport, HoldState } from '../device/record.js';
import { isByRules } from '../scope.js';
import { assertNever } from '../text.js';
import { latest, toMs, type Instant } from '../time.js';
import { dangers } from './after-close.js';
import { reassess } from './assessment.js';
import { acceptedMail } from './bounces.js';
import { askedForDemand, duties } from './duties.js';
import { changeHeard, changeNotice } from './elsewhere.js';
import type { Fact } from './facts.js';
import { deviceEntry, withDevice } from './opening.js';
import type { DeviceEntry, IncidentRecord } from './record.js';
import { triedAgain } from './mails-again.js';

export function applyReport(record: IncidentRecord, report: DeviceReport, at: Instant): IncidentRecord {
  const entry = record.devices.find(({ machineId }) => machineId === report.machineId);
  if (entry === undefined || !isNews(entry, report)) return record;
  let next = withDevice(record, report.machineId, (before) => {
    const { changedElsewhere } = report;
    const device = changedElsewhere === undefined ? before : { ...before, changeHeardAt: changedElsewhere.at };
    const { target } = device;
    if (target === null) return { ...device, report };
    const held = isConfirmed(device, report);
    const { state, reason } = report.hold;
    const refused = state === 'cancelled' && reason === 'tuning-period' && askedForDemand(device) !== null;
    return {
      ...device,
      report,
      target: {
        ...target,
        isolatedAt: target.isolatedAt ?? (held ? (report.isolatedAt ?? report.hold.at) : null),
        ended: refused && target.ended === null ? { at, reason: 'tuning-period' } : target.ended,
      },
    };
  });
  next = withNotice(next, entry, report, at);
  const { order } = report.hold;
  const isKnown = record.orders.some(
    ({ at: orderedAt, machineIds }) => orderedAt === order?.at && machineIds.includes(report.machineId),
  );
  if (order !== null && !isKnown) {
    const dutyId = `release:${report.machineId}`;
    const hadFailed = duties(record).some(({ id, status }) => id === dutyId && status === 'failed');
    next = {
      ...next,
      retries: triedAgain(next, hadFailed ? [dutyId] : []),
      orders: [...next.orders, { ...order, machineIds: [report.machineId] }],
    };
    const index = next.orders.length - 1;
    next = withDevice(next, report.machineId, (device) => ({ ...device, order: index }));
  }
  return next;
}

/** The SOC is told once of each change past this service. */
function withNotice(record: IncidentRecord, before: DeviceEntry, report: DeviceReport, at: Instant): IncidentRecord {
  const device = record.devices.find(({ machineId }) => machineId === report.machineId);
  const change = changeHeard(before, device);
  if (device === undefined || change === undefined) return record;
  const text = changeNotice(record, device, change);
  return { ...record, socNotices: [...record.socNotices, { at, about: 'isolation-changed-elsewhere', text }] };
}

/** The states of a release that follow only an isolation that Defender has confirmed. */
const RELEASE_STATES: readonly HoldState[] = ['releasing', 'released', 'release-failed'];

/**
 * Has Defender confirmed the isolation for this incident? One that came true although it was called off is the incident's
 * too. An incident that gave the device up while only another's isolation was under way never had it isolated: not by
 * that one's release either, nor by what the other asks for afterwards.
 */
function isConfirmed(device: DeviceEntry, report: DeviceReport): boolean {
  if (report.hold.state === 'isolated') return true;
  const before = device.report?.hold.seq === report.hold.seq ? device.report.hold.state : undefined;
  const gaveUpBefore = before === 'held' || before === 'released';
  return RELEASE_STATES.includes(report.hold.state) && askedForDemand(device) !== null && !gaveUpBefore;
}

/** Is the report newer than the last one, and not about a request that has been overtaken? */
export function isNews(device: DeviceEntry, report: DeviceReport): boolean {
  if (device.asked === null || report.hold.seq < device.asked.seq) return false;
  return device.report === null || report.version > device.report.version;
}

export function settleMail(
  record: IncidentRecord,
  { dutyId, outcome, to }: Extract<Fact, { type: 'mail-settled' }>,
  at: Instant,
): IncidentRecord {
  const effect = record.effects[dutyId];
  if (effect === undefined) return record;
  switch (outcome.status) {
    case 'accepted':
      return { ...record, effects: { ...record.effects, [dutyId]: acceptedMail(effect, outcome, to) } };
    case 'rejected':
      return {
        ...record,
        effects: {
          ...record.effects,
          [dutyId]: { ...effect, status: 'failed', settledAt: at, reason: outcome.reason },
        },
      };
    case 'withdrawn': {
      const { [dutyId]: _, ...others } = record.effects;
      return { ...record, effects: others };
    }
    default:
      return assertNever(outcome);
  }
}

/** News about an alert, also after it was closed: closed by the rules it reopens, closed by an analyst the SOC is told. */
export function applyAlertUpdate(
  record: IncidentRecord,
  fact: Extract<Fact, { type: 'alert-updated' }>,
  at: Instant,
): IncidentRecord {
  const since = latest(record.alert.createdAt, fact.alert.lastUpdateAt ?? at);
  const renamed = { ...record, alert: fact.alert, fingerprint: fact.fingerprint };
  const { machineId } = fact.alert;
  const withItsDevice =
    machineId === null || renamed.devices.some((device) => device.machineId === machineId)
      ? renamed
      : {
          ...renamed,
          devices: [...renamed.devices, deviceEntry(machineId, fact.alert.computerDnsName ?? machineId, true)],
        };
  const next = reassess(record, withItsDevice, at, toMs(since) > toMs(at) ? at : since);
  if (record.closed === null || isByRules(record.closed.reason)) return next;
  const found = dangers(record, next);
  if (found.length === 0) return next;
  return {
    ...next,
    changedAfterCloseAt: at,
    socNotices: [
      ...next.socNotices,
      {
        at,
        about: 'changed-after-close',
        text: {
          en: `The alert changed in Defender after an analyst closed the incident: ${found.map(({ en }) => en).join(', ')}.`,
          ja: `アナリストがインシデントを完了した後に、Defender のアラートが変化しました: ${found.map(({ ja }) => ja).join('、')}。`,
        },
      },
    ],
  };
}
