import type { Random } from '../random.js';
import type { Alert, AlertChanges } from './alert.js';
import { somebody } from './fleet.js';
import { stopped } from './plausible.js';

/** What becomes of an alert some time after it was raised. */
export interface LifeStep {
  afterMs: number;
  /** Worked out when it happens: the alert may have been changed by others in the meantime. */
  changes: (alert: Alert, now: string) => AlertChanges;
}

export interface Life {
  /** What is different from the beginning. */
  atBirth: AlertChanges;
  steps: LifeStep[];
}

const secondMs = 1000;
const automation = 'Automation';

const after = (random: Random, leastSeconds: number, mostSeconds: number): number =>
  Math.round(random.between(leastSeconds, mostSeconds) * secondMs);

const worse: Record<string, string> = { Informational: 'Low', Low: 'Medium', Medium: 'High' };

const resolved = (assignedTo: string, now: string): AlertChanges => ({
  status: 'Resolved',
  assignedTo,
  resolvedTime: now,
});

/** The same goes on, and is taken more seriously. */
const grows = (random: Random): Life => {
  const processId = random.whole(1200, 19_999);
  return {
    atBirth: {},
    steps: [
      {
        afterMs: after(random, 40, 120),
        changes: ({ severity, evidence }, now) => {
          const again = evidence.find(({ entityType }) => entityType === 'Process');
          const more =
            again === undefined ? [] : [{ ...again, evidenceCreationTime: now, processCreationTime: now, processId }];
          return { severity: worse[severity] ?? severity, lastEventTime: now, evidence: [...evidence, ...more] };
        },
      },
    ],
  };
};

const isInvestigated = (random: Random): Life => {
  const beginsMs = after(random, 15, 40);
  const endsMs = beginsMs + after(random, 45, 180);
  const result = random.pick(['SuccessfullyRemediated', 'SuccessfullyRemediated', 'Failed', 'Benign'] as const);
  return {
    atBirth: { investigationState: 'Queued', investigationId: random.whole(100, 99_999) },
    steps: [
      { afterMs: beginsMs, changes: () => ({ investigationState: 'Running' }) },
      {
        afterMs: endsMs,
        changes: (_alert, now) => ({
          investigationState: result,
          // Where nothing is left to do, the alert closes with its investigation.
          ...(result === 'Failed' ? {} : resolved(automation, now)),
        }),
      },
    ],
  };
};

const isStoppedLate = (random: Random): Life => {
  const detectionStatus = random.pick(['Prevented', 'Blocked']);
  return {
    atBirth: {},
    steps: [
      { afterMs: after(random, 20, 90), changes: ({ evidence }) => ({ evidence: stopped(evidence, detectionStatus) }) },
    ],
  };
};

interface Judgement {
  classification: string;
  determination: string;
}

const judgements: readonly [Judgement, ...Judgement[]] = [
  { classification: 'TruePositive', determination: 'Malware' },
  { classification: 'TruePositive', determination: 'CompromisedUser' },
  { classification: 'InformationalExpectedActivity', determination: 'LineOfBusinessApplication' },
  { classification: 'FalsePositive', determination: 'NotMalicious' },
];

/** Somebody at the customer's works in the portal. */
const isWorkedOn = (random: Random): Life => {
  const assignedTo = `${somebody(random).accountName}@corp.example`;
  const takenMs = after(random, 60, 150);
  const judgement = random.pick(judgements);
  return {
    atBirth: {},
    steps: [
      { afterMs: takenMs, changes: () => ({ status: 'InProgress', assignedTo }) },
      {
        afterMs: takenMs + after(random, 60, 180),
        changes: ({ comments }, now) => ({
          ...judgement,
          ...resolved(assignedTo, now),
          comments: [...comments, { comment: 'Checked on the device.', createdBy: assignedTo, createdTime: now }],
        }),
      },
    ],
  };
};

const isLeftAlone = (): Life => ({ atBirth: {}, steps: [] });

/** Everything about it is decided at once, so that the same seed gives the same lives whatever the clock does. */
export const lifeOfAny = (random: Random): Life =>
  random.pick([isLeftAlone, grows, isInvestigated, isInvestigated, isStoppedLate, isWorkedOn])(random);

/** Changes, and stays as serious as it was or becomes more so. */
export const lifeOfFirst = (random: Random): Life => grows(random);
