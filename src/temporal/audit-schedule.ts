import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client, type ScheduleOptions } from '@temporalio/client';
import { AUDIT_PACE, type AuditPace } from '../domain/audit.js';

const SCHEDULE_ID = 'audit';

/**
 * Sees to it that the auditor runs: the schedule starts one, also after one was stopped, and never a second beside it.
 * Idempotent, so that every start of a worker does it. A schedule that somebody has paused stays so.
 */
export async function ensureAudit(
  client: Client,
  taskQueue: string,
  pace: AuditPace = AUDIT_PACE,
): Promise<'scheduled' | 'paused'> {
  const schedule = {
    spec: { intervals: [{ every: '1m' }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'auditor',
      workflowId: 'auditor',
      taskQueue,
      args: [{ pace }],
      staticSummary: 'tells the SOC of processes that stand still',
    },
    policies: { overlap: 'SKIP' as const, catchupWindow: '1m' },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  const handle = client.schedule.getHandle(SCHEDULE_ID);
  try {
    await client.schedule.create({ scheduleId: SCHEDULE_ID, ...schedule });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update((previous) => ({ ...schedule, state: previous.state }));
    if ((await handle.describe()).state.paused) return 'paused';
  }
  // Not by `triggerImmediately`: what that has started counts as none, and the next minute would start a second.
  await handle.trigger('SKIP');
  return 'scheduled';
}

/** Longer than any look takes, with its mails and the pause before the next. */
const LOOKED_WITHIN_MS = 10 * AUDIT_PACE.lookEveryMs;

/** As the server describes why an activity's last try came to nothing. */
type PendingFailure = { applicationFailureInfo?: { type?: string | null } | null } | null | undefined;

/** Did the last look fail? One that found nothing new ended by a failure that is none; one that timed out has no type. */
export function hasFailed(lastFailure: PendingFailure): boolean {
  return lastFailure != null && lastFailure.applicationFailureInfo?.type !== 'NothingNew';
}

/** Is there an auditor, looking, and nothing that would keep the next one from being started? */
export async function isAuditing(client: Client): Promise<boolean> {
  try {
    const { state, info } = await client.schedule.getHandle(SCHEDULE_ID).describe();
    const auditor = info.runningActions.at(-1)?.workflow;
    if (state.paused || auditor === undefined) return false;
    const { status, raw, startTime } = await client.workflow.getHandle(auditor.workflowId).describe();
    const [look] = raw.pendingActivities ?? [];
    // Between two looks, and at its beginning, it has a step to take first.
    const stirred = look?.lastStartedTime ?? look?.scheduledTime ?? raw.pendingWorkflowTask?.originalScheduledTime;
    const stirredAtMs = stirred == null ? startTime.getTime() : Number(stirred.seconds ?? 0) * 1000;
    return status.name === 'RUNNING' && !hasFailed(look?.lastFailure) && Date.now() - stirredAtMs < LOOKED_WITHIN_MS;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
