import type { DeviceView } from './device/evolve.js';
import { NEWS_DELAY_MS } from './incident/slo.js';
import type { IncidentSummary } from './incident/view.js';
import { MINUTE_MS, plus, toMs, type Instant } from './time.js';

/*
 * What the auditor makes of what it sees of the other workflows from outside: in lists, which lag, and whose memo is as
 * old as the workflow's last step.
 */

export const auditedTypes = [
  'incident',
  'device',
  'phone',
  'customer',
  'exclusionRequest',
  'alertFeed',
  'rejectedAlert',
  'inquiry',
  'heldMail',
  'strangers',
  'mailbox',
] as const;
export type AuditedType = (typeof auditedTypes)[number];

/** Ends that no workflow of ours comes to by itself. */
export const stoppedStatuses = ['Terminated', 'Failed', 'Canceled', 'TimedOut'] as const;
export type StoppedStatus = (typeof stoppedStatuses)[number];

/** A running incident notes its breach itself; only then does its silence mean something. */
const OVERDUE_AFTER_MS = NEWS_DELAY_MS + MINUTE_MS;

/** One run of a workflow as the server shows it. */
export interface Sighting {
  type: AuditedType;
  workflowId: string;
  runId: string;
  /** Running, or how it was stopped. */
  status: 'Running' | StoppedStatus;
  stoppedAt: Instant | null;
  /** The server counts failures of its task, one after the other. */
  hasFailingTask: boolean;
  /** Its memo, where it can be read. Only incidents and devices have one of these. */
  incident: IncidentSummary | null;
  device: DeviceView | null;
}

export const problems = ['stopped', 'stuck', 'overdue'] as const;
export type Problem = (typeof problems)[number];

/** One thing that the SOC must be told, once. */
export interface Finding {
  /** Its name: the same thing has the same one at every look. */
  key: string;
  problem: Problem;
}

/** Was anything left to do? What nobody can tell counts as owed. */
export function owes({ type, incident, device }: Sighting): boolean {
  switch (type) {
    case 'incident':
      return incident?.stage !== 'closed';
    case 'device':
      return device === null || device.heldBy.length > 0 || !['none', 'failed'].includes(device.isolation);
    // It ends two minutes after its last call: one that is there was wanted.
    case 'phone':
    // It never ends by itself.
    case 'customer':
    // These end by themselves once nothing is left to do.
    case 'exclusionRequest':
    case 'rejectedAlert':
    case 'inquiry':
    case 'heldMail':
    case 'strangers':
      return true;
    // A worker starts another one, which goes on where it stood.
    case 'alertFeed':
    case 'mailbox':
      return false;
  }
}

/** A deadline that has passed while the workflow was to note it, and has not. */
function missedDeadline({ status, incident }: Sighting, now: Instant): Instant | undefined {
  const { dueAt, state } = incident?.slo ?? { dueAt: null, state: 'not-applicable' };
  if (dueAt === null || (state !== 'running' && state !== 'at-risk')) return undefined;
  const certainAt = status === 'Running' ? plus(dueAt, OVERDUE_AFTER_MS) : dueAt;
  return toMs(now) >= toMs(certainAt) ? dueAt : undefined;
}

/** What is wrong with it. */
export function findings(seen: Sighting, now: Instant): Finding[] {
  const { status, workflowId, runId, hasFailingTask } = seen;
  const isStopped = status !== 'Running' && owes(seen);
  const isStuck = status === 'Running' && hasFailingTask;
  const dueAt = missedDeadline(seen, now);
  return [
    ...(isStopped ? [{ key: `stopped:${runId}`, problem: 'stopped' as const }] : []),
    ...(isStuck ? [{ key: `stuck:${runId}`, problem: 'stuck' as const }] : []),
    // Of the incident, not of its run: the same deadline after a reset is no news.
    ...(dueAt === undefined ? [] : [{ key: `overdue:${workflowId}:${dueAt}`, problem: 'overdue' as const }]),
  ];
}

/**
 * Is it only late? When a worker is back after an outage, incidents whose deadline has passed note it one after the
 * other: until they have had their time, that is no finding.
 */
export function mayStillMend({ status, hasFailingTask }: Sighting, { problem }: Finding): boolean {
  return problem === 'overdue' && status === 'Running' && !hasFailingTask;
}

/** What has been looked at before and when it was first so: a `mayStillMend` that lasts is told after all. */
export type Suspects = Readonly<Record<string, Instant>>;

export function isRipe(suspects: Suspects, key: string, patienceMs: number, now: Instant): boolean {
  const since = suspects[key];
  return since !== undefined && toMs(now) - toMs(since) >= patienceMs;
}

export interface AuditPace {
  lookEveryMs: number;
  /** How long what may still mend by itself must have been seen before it is told. */
  patienceMs: number;
}

export const AUDIT_PACE: AuditPace = { lookEveryMs: MINUTE_MS, patienceMs: 2 * MINUTE_MS };
