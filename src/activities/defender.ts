import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { isFinal, type MachineAction } from '../domain/defender.js';
import { changeAfter, endOf, moveAfterLook, standing } from '../domain/device/actions.js';
import { CLOSELY_MS, nextLookInMs } from '../domain/device/follow.js';
import type { ActionRecord } from '../domain/device/record.js';
import type { StepResult } from '../domain/device/evolve.js';
import { machineFacts, type MachineFacts } from '../domain/machine.js';
import type {
  FollowInput,
  IsolationInput,
  LookUpInput,
  MachineInput,
  OfTenant,
  Outside,
  Told,
} from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { MINUTE_MS, SECOND_MS, toInstant, toMs } from '../domain/time.js';
import type { DefenderClient, Tenant } from '../integrations/defender/client.js';
import { DefenderError } from '../integrations/defender/errors.js';
import { SignInError } from '../integrations/defender/sign-in.js';
import type { Policies } from '../policy.js';
import type { ReadPolicy } from '../temporal/run-time-policy.js';
import { createLookUp } from './look-ups.js';
import {
  alive,
  delayedBy,
  isTemporals,
  retryable,
  retryAfterOf,
  TELL_AFTER_MS,
  tryAgain,
  tryAgainOrTell,
  type TellDeps,
} from './support.js';

export interface DefenderDeps extends TellDeps {
  policies: Policies;
  readPolicy: ReadPolicy;
  defender: DefenderClient;
  defaultApiBase: string;
  /** How often a held device is looked at. Default: `WATCH_EVERY_MS`. */
  watchEveryMs?: number;
}

type DefenderActivities = Pick<
  Outside,
  | 'lookUpMachine'
  | 'awaitMachine'
  | 'requestIsolation'
  | 'requestRelease'
  | 'readIsolation'
  | 'watchIsolation'
  | 'followAction'
  | 'cancelAction'
>;

/** With the half of it that looks may fail before it is told, a change or the trouble is known within 15 minutes. */
const WATCH_EVERY_MS = 10 * MINUTE_MS;
const MAX_REQUESTOR_LENGTH = 200;

const watchHeartbeatSchema = z.object({ failingSinceMs: z.number().nullable() }).catch({ failingSinceMs: null });

const LOOK_UP_TIMEOUT_MS = 4 * SECOND_MS;

function actionRecord(action: MachineAction, type: ActionRecord['type']): ActionRecord {
  return {
    id: action.id,
    type,
    status: action.status,
    requestedAt: action.creationDateTimeUtc ?? null,
    updatedAt: action.lastUpdateDateTimeUtc ?? action.lastUpdateTimeUtc ?? null,
  };
}

function now(): string {
  return toInstant(Date.now());
}

/** A refusal that no later try mends becomes a result; everything else a failure for Temporal to retry. */
function refusalOf(error: unknown): StepResult {
  if (isTemporals(error)) throw error;
  if (error instanceof SignInError) {
    if (error.kind === 'permanent') return { outcome: 'failed', reason: 'defender-sign-in', at: now(), action: null };
    throw tryAgain('SignInError', error);
  }
  if (!(error instanceof DefenderError)) throw error;
  const failed = (reason: string): StepResult => ({ outcome: 'failed', reason, at: now(), action: null });
  switch (error.kind) {
    case 'transient':
    case 'throttled':
      throw tryAgain('DefenderError', error, error.retryAfterMs);
    case 'unauthorized':
    case 'forbidden':
      return failed('defender-forbidden');
    case 'not-found':
      return failed('unknown-device');
    case 'rejected':
      if (error.code === 'OsPlatformNotSupported' || error.code === 'ClientVersionNotSupported') {
        return failed('unsupported-device');
      }
      // Somebody else's action came between the look and the post: the next try finds and adopts it.
      if (error.code === 'ActiveRequestAlreadyExists') throw tryAgain('DefenderError', error, SECOND_MS);
      return failed('rejected-by-defender');
  }
}

/** A failure that is none: the next try is the next look, and costs no history. */
function lookAgain(inMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'LookAgain',
    message: 'nobody has changed it',
    nextRetryDelay: inMs,
    category: 'BENIGN',
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * The customer's tenant; of one who has left the file the one that the process knows. Where that began before any was kept,
 * the customer may come back, so it is asked for again.
 */
export function tenantFinder(policies: Policies, defaultApiBase: string): (of: OfTenant) => Tenant {
  return ({ customerId, tenant }) => {
    const known = policies.find(customerId)?.customer.defender ?? tenant;
    if (known === undefined) {
      throw tryAgain('UnknownCustomer', new Error(`The customers file has no ${customerId}: its tenant is not known.`));
    }
    return { tenantId: known.tenantId, apiBase: known.apiBase ?? defaultApiBase };
  };
}

/** What the processes ask of Defender about devices. */
export function defenderActivities({
  policies,
  readPolicy,
  defender,
  defaultApiBase,
  watchEveryMs = WATCH_EVERY_MS,
  ...tell
}: DefenderDeps): DefenderActivities {
  const tenantOf = tenantFinder(policies, defaultApiBase);
  const lookUp = createLookUp(defender);

  async function actionsOf(input: MachineInput, signal: AbortSignal): Promise<ActionRecord[]> {
    const actions = await defender.listIsolationActions(tenantOf(input), input.machineId, signal);
    return actions.map((action) => actionRecord(action, action.type === 'Isolate' ? 'Isolate' : 'Unisolate'));
  }

  async function look(input: MachineInput, signal: AbortSignal): Promise<StepResult> {
    return standing(await actionsOf(input, signal), now());
  }

  async function request(input: IsolationInput, kind: FollowInput['kind'], signal: AbortSignal): Promise<StepResult> {
    const { customerId, machineId, comment } = input;
    const found = await look(input, signal);
    const { tuningPeriods } = (await readPolicy(customerId))?.customer ?? { tuningPeriods: [] };
    const move = moveAfterLook(found, kind, tuningPeriods, now());
    switch (move.do) {
      case 'take':
        return move.step;
      case 'wait':
        throw tryAgain(
          'OtherActionRunning',
          new Error(`Defender is still at ${move.action.type} ${move.action.id}.`),
          SECOND_MS,
        );
      case 'post': {
        const tenant = tenantOf(input);
        if (kind === 'isolate') {
          const action = await defender.isolate(tenant, machineId, comment, signal);
          return { outcome: 'requested', action: actionRecord(action, 'Isolate') };
        }
        const action = await defender.unisolate(tenant, machineId, comment, signal);
        return { outcome: 'requested', action: actionRecord(action, 'Unisolate') };
      }
    }
  }

  async function factsOf(input: LookUpInput, signal: AbortSignal): Promise<MachineFacts> {
    const { machineId, isUrgent = false } = input;
    return machineFacts(machineId, await lookUp(tenantOf(input), machineId, { isUrgent, signal }));
  }

  async function requestOrTell(input: IsolationInput & Told, kind: FollowInput['kind'], signal: AbortSignal) {
    try {
      return await request(input, kind, signal).catch(refusalOf);
    } catch (error) {
      return tryAgainOrTell(error, input, tell);
    }
  }

  /** How the action has ended, or that it runs. */
  async function readRunning(tenant: Tenant, action: ActionRecord, signal: AbortSignal): Promise<StepResult> {
    const seen = await defender.getMachineAction(tenant, action.id, signal);
    if (seen === undefined) throw new Error(`Defender does not know action ${action.id}.`);
    const read = actionRecord(seen, action.type);
    return endOf(read, now()) ?? { outcome: 'requested', action: read };
  }

  return {
    async lookUpMachine(input) {
      try {
        return await factsOf(input, AbortSignal.timeout(LOOK_UP_TIMEOUT_MS));
      } catch {
        // Whatever it was, the patient look-up meets it again and says so.
        return 'unavailable';
      }
    },

    awaitMachine: (input) =>
      alive((signal) => factsOf(input, signal).catch((error: unknown) => tryAgainOrTell(error, input, tell))),

    requestIsolation: (input) => alive((signal) => requestOrTell(input, 'isolate', signal)),

    requestRelease: (input) => alive((signal) => requestOrTell(input, 'release', signal)),

    readIsolation: (input) =>
      alive((signal) => look(input, signal).catch((error: unknown) => tryAgainOrTell(error, input, tell))),

    async watchIsolation(input) {
      const { machineId, known, lookedAt, isTold } = input;
      const { failingSinceMs } = watchHeartbeatSchema.parse(activityInfo().heartbeatDetails);
      let failing = failingSinceMs;
      return alive(
        async (signal) => {
          const dueInMs = lookedAt === null ? 0 : toMs(lookedAt) + watchEveryMs - Date.now();
          if (dueInMs > 0 && isTold !== true) throw lookAgain(dueInMs);
          try {
            const actions = await defender.listIsolationActions(tenantOf(input), machineId, signal, 'following');
            const change = changeAfter(
              actions.map((action) => ({
                ...actionRecord(action, action.type === 'Isolate' ? 'Isolate' : 'Unisolate'),
                by: action.requestor === undefined ? null : oneLine(action.requestor, MAX_REQUESTOR_LENGTH),
              })),
              known,
            );
            if (change !== undefined) return change;
            if (isTold === true) return null;
          } catch (error) {
            const failure = retryable(error);
            const retryAfterMs = retryAfterOf(error) ?? Math.min(MINUTE_MS, watchEveryMs);
            failing ??= Date.now();
            if (isTold !== true && Date.now() - failing >= watchEveryMs / 2) return delayedBy(failure);
            Context.current().heartbeat({ failingSinceMs: failing });
            throw tryAgain('NotSeen', failure, retryAfterMs);
          }
          failing = null;
          Context.current().heartbeat({ failingSinceMs: failing });
          throw lookAgain(watchEveryMs);
        },
        () => ({ failingSinceMs: failing }),
      );
    },

    followAction: (input) =>
      alive(async (signal) => {
        const { action, since, isTold } = input;
        const { tellAfterMs = TELL_AFTER_MS } = tell;
        const sinceMs = since === undefined ? activityInfo().scheduledTimestampMs : toMs(since);
        let failingSinceMs: number | undefined;
        for (;;) {
          const askedMs = Date.now();
          let nextMs = nextLookInMs(askedMs - sinceMs);
          try {
            const running = await readRunning(tenantOf(input), action, signal);
            if (running.outcome !== 'requested' || isTold === true) return running;
            failingSinceMs = undefined;
          } catch (error) {
            // Whatever keeps us from reading it, the action itself goes on: it is followed for as long as it takes.
            const failure = retryable(error);
            if (isTold === true) throw failure;
            failingSinceMs ??= askedMs;
            nextMs = Math.max(retryAfterOf(error) ?? 0, nextLookInMs(Date.now() - failingSinceMs));
            if (Date.now() + nextMs - failingSinceMs >= tellAfterMs) return delayedBy(failure);
          }
          // Where it can be read, a longer wait is left to Temporal: it costs nothing there.
          if (failingSinceMs === undefined && askedMs - sinceMs >= CLOSELY_MS) {
            throw tryAgain('ActionStillRunning', new Error(`Action ${action.id} is still running.`), nextMs);
          }
          await pause(nextMs, signal);
        }
      }),

    cancelAction: (input) =>
      alive(async (signal) => {
        const { action, why } = input;
        try {
          const tenant = tenantOf(input);
          try {
            await defender.cancelAction(tenant, action.id, why, signal);
          } catch (error) {
            const isRefused = error instanceof DefenderError && ['rejected', 'not-found'].includes(error.kind);
            if (!isRefused) throw error;
            // One that has ended meanwhile cannot be cancelled; whoever follows it learns how. One that runs still can.
            const seen = await defender.getMachineAction(tenant, action.id, signal, 'isolation');
            if (seen !== undefined && !isFinal(seen)) throw error;
          }
          return undefined;
        } catch (error) {
          return tryAgainOrTell(error, input, tell);
        }
      }),
  };
}
