import { customerSchema, type Customer } from '../../src/domain/customer.js';
import type { DeviceReport, Hold } from '../../src/domain/device/record.js';
import type { DeviceEntry, Effect, IncidentRecord, Target, Verdict } from '../../src/domain/incident/record.js';
import type { Policy } from '../../src/domain/policy.js';
import type { Language } from '../../src/domain/text.js';
import { toInstant } from '../../src/domain/time.js';

/** 24 November 2026, a given hour UTC. */
export function at(hour: number, minute = 0): string {
  return toInstant(Date.UTC(2026, 10, 24, hour, minute));
}

export const NOW = at(4);
export const OPERATOR = 'op-tanaka-secret';

export function policyFor(language: Language, changes: Partial<Customer> = {}): Policy {
  const customer = customerSchema.parse({
    id: 'acme',
    name: '株式会社アクメ',
    language,
    timeZone: 'Asia/Tokyo',
    defender: { tenantId: '11111111-1111-4111-8111-111111111111' },
    mail: { to: ['security@acme.example'], cc: ['boss@acme.example'] },
    contacts: [
      { id: 'sato-id', name: '佐藤', phone: '+81312345678', mayInstruct: true, ringOrder: 1 },
      { id: 'suzuki-id', name: '鈴木', phone: '+81312345679', ringOrder: 2 },
    ],
    tuningPeriods: [{ from: '2026-11-01T00:00:00+09:00', until: '2026-12-01T00:00:00+09:00' }],
  });
  return {
    customer: { ...customer, ...changes },
    service: {
      socMailTo: 'soc@mimamori.example',
      mailDomain: 'mimamori.example',
      untriagedWarnMs: 0,
      autoCloseMs: 0,
      lingerMs: 0,
      phoneRingSeconds: 30,
      phoneRounds: 3,
      phoneRoundPauseMs: 0,
    },
  };
}

export function verdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    at: at(3),
    actor: OPERATOR,
    revision: 2,
    level: 3,
    judgement: 'true-positive',
    texts: { detection: 'DETECTION-TEXT', analysis: 'ANALYSIS-TEXT', countermeasures: 'COUNTER-TEXT' },
    askCustomer: null,
    machineIds: ['m1'],
    servers: null,
    exclusionProposal: null,
    ...changes,
  };
}

export const level2 = verdict({
  level: 2,
  judgement: 'undetermined',
  machineIds: [],
  askCustomer: 'QUESTION-TEXT',
  exclusionProposal: { what: 'PROPOSED-WHAT', why: 'PROPOSED-WHY' },
});
export const allClear = verdict({
  level: 1,
  judgement: 'false-positive',
  texts: { detection: null, analysis: 'ANALYSIS-TEXT', countermeasures: null },
  machineIds: [],
});
export const level4 = verdict({ level: 4 });
export const breached = { dueAt: at(5), notedAt: at(5), level: 3, cause: 'isolation-pending' } as const;

export const target: Target = {
  verdict: 0,
  since: at(3),
  judged: { at: at(3) },
  ended: null,
  isolatedAt: null,
};

export function device(changes: Partial<DeviceEntry> = {}): DeviceEntry {
  return {
    machineId: 'm1',
    name: 'pc-1.acme.local',
    namedByAlert: true,
    claimedName: null,
    facts: { machineId: 'm1', found: true, name: 'pc-1.acme.local', osPlatform: 'Windows11', kind: 'windows-client' },
    target,
    asked: null,
    report: null,
    order: null,
    ...changes,
  };
}

export function report(hold: Partial<Hold>, changes: Partial<DeviceReport> = {}): DeviceReport {
  return {
    version: 1,
    machineId: 'm1',
    isolation: 'requested',
    action: null,
    isolatedAt: null,
    hold: { seq: 1, want: 'isolate', state: 'wanted', reason: null, at: at(3, 20), order: null, ...hold },
    heldBy: [],
    ...changes,
  };
}

export const asked = { seq: 1, want: 'isolate', at: at(3, 5) } as const;
export const isolated = device({ target: { ...target, isolatedAt: at(3, 10) }, asked });
export const requested = device({ asked, report: report({}) });

export function effect(changes: Partial<Effect> = {}): Effect {
  return {
    status: 'done',
    startedAt: at(3, 1),
    settledAt: at(3, 2),
    reason: null,
    messageId: '<primary@mimamori.example>',
    verdict: null,
    maybeAccepted: false,
    ...changes,
  };
}

export function recordOf(changes: Partial<IncidentRecord> = {}): IncidentRecord {
  return {
    incidentId: 'incident:acme:da637_-1',
    customerId: 'acme',
    createdAt: at(2),
    updatedAt: at(3),
    revision: 2,
    seq: 1,
    alert: {
      alertId: 'da637_-1',
      title: 'Suspicious PowerShell',
      description: '',
      createdAt: at(2),
      lastUpdateAt: null,
      firstEventAt: null,
      lastEventAt: null,
      defenderIncidentId: null,
      severityRaw: 'High',
      severity: 'High',
      status: null,
      classification: null,
      determination: null,
      category: null,
      detectionSource: null,
      investigationState: null,
      threatName: null,
      machineId: 'm1',
      computerDnsName: 'pc-1.acme.local',
      mitreTechniques: [],
      evidence: [],
      evidenceTotal: 0,
      neutralisation: { judged: 0, good: 0, active: 0 },
    },
    fingerprint: '',
    policy: null,
    scopeSince: null,
    targetSince: null,
    verdicts: [verdict()],
    escalations: [],
    questions: [],
    orders: [],
    devices: [requested],
    effects: {},
    retries: {},
    phone: null,
    warnings: [],
    breaches: [],
    lastingBreach: null,
    deadlineSeen: null,
    untriagedWarnedAt: null,
    socNotices: [],
    assignee: OPERATOR,
    closed: null,
    reopenedAt: null,
    changedAfterCloseAt: null,
    rejectedSignalAt: null,
    handled: {},
    timeline: [{ at: at(3), actor: OPERATOR, type: 'note', text: { en: 'INTERNAL-NOTE', ja: 'INTERNAL-NOTE' } }],
    ...changes,
  };
}

const order = {
  at: at(5),
  actor: OPERATOR,
  machineIds: ['m1'],
  instruction: {
    by: 'sato-id',
    channel: 'phone',
    receivedAt: at(5),
    words: 'please',
    calledBackAt: at(5, 10),
  },
  instructorName: '佐藤',
} as const;

/** A record in which the customer ordered m1 back, and what the device's workflow said to it. */
export function ordered(hold: Partial<Hold>, changes: Partial<DeviceReport> = {}, wasIsolated = true): IncidentRecord {
  return recordOf({
    effects: { 'mail:primary': effect({ verdict: 0 }) },
    orders: [{ ...order, machineIds: [...order.machineIds] }],
    devices: [
      device({
        target: { ...target, isolatedAt: wasIsolated ? at(3, 10) : null },
        asked: { seq: 2, want: 'release', at: at(5) },
        order: 0,
        report: report({ seq: 2, want: 'release', at: at(5, 30), ...hold }, changes),
      }),
    ],
  });
}

export const ringing = { askedSeq: 3, askedAt: at(3), report: null, cancelledAt: null };
export const calls = { calls: [], acknowledgedBy: null, reason: null };
export const noDevice = { devices: [device({ target: null })] };
