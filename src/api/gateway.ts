import { randomUUID } from 'node:crypto';
import {
  QueryNotRegisteredError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Command, CommandOutcome } from '../domain/commands.js';
import { isRejectionCode, type InputError } from '../domain/errors.js';
import { handledBefore, judgeEnvelope, type Handled } from '../domain/incident/judge.js';
import type { IncidentRecord } from '../domain/incident/record.js';
import { PEOPLE_FIRST } from '../domain/ports.js';
import { SECOND_MS, toInstant } from '../domain/time.js';
import type { CommandUpdate, IncidentInput } from '../workflows/messages.js';
import { GRPC, grpcCode, isOutage, isThrottled } from '../temporal/grpc.js';
import { incidentStart, type Reach } from '../temporal/incidents.js';
import { describe as describeWorkflow } from '../temporal/known.js';
import { putFirst } from './people-first.js';
import { Problem } from './problem.js';

/** A caller has its answer within 10 s, whatever is down. */
const COMMAND_DEADLINE_MS = 7 * SECOND_MS;
const READ_DEADLINE_MS = 3 * SECOND_MS;
const PROBE_DEADLINE_MS = SECOND_MS;
const DEADLINE_GRACE_MS = 200;

export type Gateway = Reach;

/** The moment after which a worker must refuse a command that is sent now. */
export function commandDeadline(): { deadlineMs: number; notAfter: string } {
  const deadlineMs = Date.now() + COMMAND_DEADLINE_MS;
  return { deadlineMs, notAfter: toInstant(deadlineMs) };
}

function isInputErrors(details: unknown): details is InputError[] {
  return Array.isArray(details) && details.every((item) => typeof item === 'object' && item !== null && 'path' in item);
}

class Late extends Error {}

/** The client's own deadline is overrun by the pause before its last try; ours is not. */
async function within<T>({ client }: Gateway, deadlineMs: number, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late()), deadlineMs + DEADLINE_GRACE_MS - Date.now());
  });
  try {
    return await Promise.race([client.withDeadline(deadlineMs, call), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Says whether Temporal itself or only a worker is missing when nothing has answered in time. */
export async function unavailable(gateway: Gateway): Promise<Problem> {
  try {
    await within(gateway, Date.now() + PROBE_DEADLINE_MS, () => gateway.client.workflowService.getSystemInfo({}));
    return new Problem(
      'worker-unavailable',
      'No worker has answered in time. What none has taken by now will not be carried out; the incident shows whether it was.',
    );
  } catch {
    return temporalAway();
  }
}

function temporalAway(): Problem {
  return new Problem('temporal-unavailable', 'Temporal does not answer; the command was not carried out.');
}

/** Temporal's failures in the API's words; what is none of them is thrown on. */
async function translate(gateway: Gateway, error: unknown): Promise<unknown> {
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    const { type, message, details } = error.cause;
    if (type != null && isRejectionCode(type)) {
      const [errors] = details ?? [];
      return new Problem(type, message, isInputErrors(errors) ? errors : []);
    }
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof Late) return unavailable(gateway);
  if (grpcCode(error) === GRPC.failedPrecondition) {
    return new Problem(
      'worker-unavailable',
      'The workflow cannot be asked: its worker fails whenever it tries to run it.',
    );
  }
  // A worker that leaves a run of a newer version alone knows none of its queries. The next one that is asked may know them.
  if (error instanceof QueryNotRegisteredError) {
    return new Problem(
      'worker-unavailable',
      'A worker of another version was asked, which leaves this workflow alone.',
    );
  }
  if (isThrottled(error)) return temporalAway();
  if (isOutage(error)) return unavailable(gateway);
  return error;
}

/** Every call to Temporal goes through here: it ends in time, and fails in the API's words. */
export async function reach<T>(
  gateway: Gateway,
  call: () => Promise<T>,
  deadlineMs = Date.now() + READ_DEADLINE_MS,
): Promise<T> {
  try {
    return await within(gateway, deadlineMs, call);
  } catch (error) {
    throw await translate(gateway, error);
  }
}

export type Sent = { state: 'done'; outcome: CommandOutcome } | { state: 'not-running' };

/** One command to one running workflow. */
export async function sendCommand<Body>(
  gateway: Gateway,
  workflowId: string,
  update: CommandUpdate<Body>,
  command: Command<Body>,
  deadlineMs: number,
): Promise<Sent> {
  try {
    // The update's own id is per try: the record itself knows repeated keys, in every run of the workflow.
    const outcome = await reach(
      gateway,
      async () => {
        await putFirst(gateway, workflowId);
        return gateway.client.workflow
          .getHandle(workflowId)
          .executeUpdate(update, { args: [command], updateId: randomUUID() });
      },
      deadlineMs,
    );
    return { state: 'done', outcome };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { state: 'not-running' };
    throw error;
  }
}

/**
 * What a command that finds its workflow ended came to before the end, under the same key; undefined where it was not carried out.
 *
 * @throws Problem where the key was used with another body, or the command is too late
 */
export function outcomeBefore(handled: Handled, command: Command<unknown>): CommandOutcome | undefined {
  const fault = judgeEnvelope(handled, command, toInstant(Date.now()));
  if (fault !== undefined) throw Problem.of(fault);
  return handledBefore(handled, command)?.outcome;
}

/** Takes an ended incident up again with its record, and sends it a command in the same step. */
export async function resumeWithCommand<Body>(
  gateway: Gateway,
  record: IncidentRecord,
  update: CommandUpdate<Body>,
  command: Command<Body>,
  deadlineMs: number,
): Promise<CommandOutcome> {
  const startWorkflowOperation = new WithStartWorkflowOperation('incident', {
    ...incidentStart(gateway.taskQueue, record),
    args: [{ record } satisfies IncidentInput],
    priority: PEOPLE_FIRST,
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  return reach(
    gateway,
    () =>
      gateway.client.workflow.executeUpdateWithStart(update, {
        startWorkflowOperation,
        args: [command],
        updateId: randomUUID(),
      }),
    deadlineMs,
  );
}

/** The workflow's newest run as the server knows it, worker or no worker; undefined when there is none. */
export function describe(gateway: Gateway, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
  return reach(gateway, () => describeWorkflow(gateway.client, workflowId));
}
