import type { AlertRecord } from '../alert.js';
import type { Instant } from '../time.js';
import { detectedAt, hasTarget } from './assessment.js';
import { incidentIdOf, type DeviceEntry, type IncidentRecord } from './record.js';

export interface Opening {
  /** What a look at the customer's exclusions has found; without it the incident looks itself. */
  exclusion?: IncidentRecord['exclusion'];
  customerId: string;
  alert: AlertRecord;
  fingerprint: string;
  receivedAt: Instant;
}

export function deviceEntry(machineId: string, name: string, namedByAlert: boolean): DeviceEntry {
  return {
    machineId,
    name,
    namedByAlert,
    claimedName: null,
    facts: null,
    target: null,
    asked: null,
    report: null,
    order: null,
  };
}

/** The record of an alert that has just arrived. */
export function openRecord({ customerId, alert, fingerprint, receivedAt, exclusion = null }: Opening): IncidentRecord {
  const detected = detectedAt(alert, receivedAt);
  const record: IncidentRecord = {
    incidentId: incidentIdOf(customerId, alert.alertId),
    customerId,
    createdAt: receivedAt,
    updatedAt: receivedAt,
    revision: 1,
    seq: 0,
    alert,
    fingerprint,
    policy: null,
    scopeSince: null,
    targetSince: hasTarget(alert) ? { at: detected, because: 'detected' } : null,
    verdicts: [],
    escalations: [],
    questions: [],
    orders: [],
    devices:
      alert.machineId === null ? [] : [deviceEntry(alert.machineId, alert.computerDnsName ?? alert.machineId, true)],
    effects: {},
    retries: {},
    phone: null,
    warnings: [],
    breaches: [],
    lastingBreach: null,
    deadlineSeen: null,
    untriagedWarnedAt: null,
    socNotices: [],
    assignee: null,
    closed: null,
    reopenedAt: null,
    changedAfterCloseAt: null,
    watchesClosed: true,
    rejectedSignalAt: null,
    tuningOverAt: null,
    reminders: { due: [], ofThisWait: 0, pausesForMail: true },
    exclusion,
    handled: {},
    ways: 2,
    timeline: [],
  };
  return {
    ...record,
    timeline: [
      {
        at: receivedAt,
        actor: 'defender',
        type: 'alert-received',
        text: {
          en: `Alert received: ${alert.title} (severity ${alert.severityRaw ?? 'not given'}).`,
          ja: `アラートを受信しました: ${alert.title} (危険度 ${alert.severityRaw ?? '指定なし'})。`,
        },
        data: { alertCreationTime: alert.createdAt, severity: alert.severityRaw },
      },
    ],
  };
}

export function withDevice(record: IncidentRecord, machineId: string, change: (device: DeviceEntry) => DeviceEntry) {
  return {
    ...record,
    devices: record.devices.map((device) => (device.machineId === machineId ? change(device) : device)),
  };
}
