import { activityInfo } from '@temporalio/activity';
import { isFinal, type MachineAction } from '../domain/defender.js';
import type { ActionRecord } from '../domain/device/record.js';
import type { StepResult } from '../domain/device/evolve.js';
import { tuningPeriodAt } from '../domain/customer.js';
import { NEWS_DELAY_MS } from '../domain/incident/slo.js';
import { machineFacts, type MachineFacts } from '../domain/machine.js';
import type { FollowInput, IsolationInput, MachineInput, Outside } from '../domain/ports.js';
import { HOUR_MS, SECOND_MS, toInstant } from '../domain/time.js';
import type { DefenderClient, Tenant } from '../integrations/defender/client.js';
import { DefenderError } from '../integrations/defender/errors.js';
import { SignInError } from '../integrations/defender/sign-in.js';
import type { Policies } from '../policy.js';
import { alive, isTemporals, tryAgain } from './support.js';

export interface DefenderDeps {
  policies: Policies;
  defender: DefenderClient;
  defaultApiBase: string;
}

type DefenderActivities = Pick<
  Outside,
  | 'lookUpMachine'
  | 'awaitMachine'
  | 'requestIsolation'
  | 'requestRelease'
  | 'readIsolation'
  | 'followAction'
  | 'cancelAction'
>;

const LOOK_UP_TIMEOUT_MS = 4 * SECOND_MS;
/** A follow polls by itself for so long, then leaves the wait to Temporal, where it costs nothing. */
const FOLLOW_MS = 20 * SECOND_MS;
const FIRST_POLL_MS = 300;
const LONGEST_POLL_MS = 5 * SECOND_MS;
const POLL_LATER_MS = 10 * SECOND_MS;
/** A device that has been offline for hours is asked about less often, but in time for the clock to hear of it. */
const POLL_OLD_MS = NEWS_DELAY_MS - 5 * SECOND_MS;

function actionRecord(action: MachineAction, type: ActionRecord['type']): ActionRecord {
  return {
    id: action.id,
    type,
    status: action.status,
    requestedAt: action.creationDateTimeUtc ?? null,
    updatedAt: action.lastUpdateDateTimeUtc ?? action.lastUpdateTimeUtc ?? null,
  };
}

function endedAt(action: ActionRecord): string {
  return action.updatedAt ?? toInstant(Date.now());
}

function now(): string {
  return toInstant(Date.now());
}

/** The end of an action in the service's words; undefined while it runs. */
export function endOf(action: ActionRecord): StepResult | undefined {
  const at = endedAt(action);
  const isolates = action.type === 'Isolate';
  switch (action.status) {
    case 'Succeeded':
      return isolates ? { outcome: 'isolated', at, action } : { outcome: 'released', at, action };
    case 'Cancelled':
      return { outcome: 'cancelled', byUs: false, at, action };
    case 'TimeOut':
      return { outcome: 'failed', reason: isolates ? 'isolation-timeout' : 'release-timeout', at, action };
    case 'Failed':
      return { outcome: 'failed', reason: isolates ? 'isolation-failed' : 'release-failed', at, action };
    default:
      return undefined;
  }
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

/** Everything that the processes ask of Defender. */
export function defenderActivities({ policies, defender, defaultApiBase }: DefenderDeps): DefenderActivities {
  function tenantOf(customerId: string): Tenant {
    const policy = policies.find(customerId);
    if (policy === undefined) {
      throw tryAgain('UnknownCustomer', new Error(`The customers file has no ${customerId}: its tenant is not known.`));
    }
    const { tenantId, apiBase } = policy.customer.defender;
    return { tenantId, apiBase: apiBase ?? defaultApiBase };
  }

  async function actionsOf({ customerId, machineId }: MachineInput, signal: AbortSignal): Promise<ActionRecord[]> {
    const actions = await defender.listIsolationActions(tenantOf(customerId), machineId, signal);
    return actions.map((action) => actionRecord(action, action.type === 'Isolate' ? 'Isolate' : 'Unisolate'));
  }

  /** Defender has no isolation field: the newest action that succeeded tells, unless one is under way. */
  function standing(actions: readonly ActionRecord[]): StepResult {
    const running = actions.find((action) => !isFinal(action));
    if (running !== undefined) return { outcome: 'requested', action: running };
    const last = actions.find(({ status }) => status === 'Succeeded');
    if (last === undefined) return { outcome: 'released', at: now(), action: null };
    return last.type === 'Isolate'
      ? { outcome: 'isolated', at: endedAt(last), action: last }
      : { outcome: 'released', at: endedAt(last), action: last };
  }

  async function look(input: MachineInput, signal: AbortSignal): Promise<StepResult> {
    return standing(await actionsOf(input, signal));
  }

  async function request(
    input: IsolationInput,
    wanted: { type: ActionRecord['type']; outcome: 'isolated' | 'released' },
    signal: AbortSignal,
  ): Promise<StepResult> {
    const found = await look(input, signal);
    if (found.outcome === wanted.outcome) return found;
    if (found.outcome === 'requested') {
      if (found.action.type === wanted.type) return found;
      throw tryAgain(
        'OtherActionRunning',
        new Error(`Defender is still at ${found.action.type} ${found.action.id}.`),
        SECOND_MS,
      );
    }
    const { customerId, machineId, comment } = input;
    const tenant = tenantOf(customerId);
    if (wanted.type === 'Isolate') {
      // The last look before the request itself: it may have waited for hours.
      const { tuningPeriods } = policies.find(customerId)?.customer ?? { tuningPeriods: [] };
      if (tuningPeriodAt(tuningPeriods, now()) !== undefined)
        return { outcome: 'refused', reason: 'tuning-period', at: now() };
      const action = await defender.isolate(tenant, machineId, comment, signal);
      return { outcome: 'requested', action: actionRecord(action, 'Isolate') };
    }
    const action = await defender.unisolate(tenant, machineId, comment, signal);
    return { outcome: 'requested', action: actionRecord(action, 'Unisolate') };
  }

  async function factsOf({ customerId, machineId }: MachineInput, signal: AbortSignal): Promise<MachineFacts> {
    return machineFacts(machineId, await defender.getMachine(tenantOf(customerId), machineId, signal));
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
      alive(async (signal) => {
        try {
          return await factsOf(input, signal);
        } catch (error) {
          if (isTemporals(error) || !(error instanceof Error)) throw error;
          throw tryAgain(error.name, error, error instanceof DefenderError ? error.retryAfterMs : undefined);
        }
      }),

    requestIsolation: (input) =>
      alive((signal) => request(input, { type: 'Isolate', outcome: 'isolated' }, signal).catch(refusalOf)),

    requestRelease: (input) =>
      alive((signal) => request(input, { type: 'Unisolate', outcome: 'released' }, signal).catch(refusalOf)),

    readIsolation: (input) => alive((signal) => look(input, signal).catch(refusalOf)),

    followAction: (input: FollowInput) =>
      alive(async (signal) => {
        const tenant = tenantOf(input.customerId);
        const until = Date.now() + FOLLOW_MS;
        let waitMs = FIRST_POLL_MS;
        try {
          for (;;) {
            const seen = await defender.getMachineAction(tenant, input.action.id, signal);
            const end = seen === undefined ? undefined : endOf(actionRecord(seen, input.action.type));
            if (end !== undefined) return end;
            if (Date.now() + waitMs > until) break;
            await pause(waitMs, signal);
            waitMs = Math.min(waitMs * 1.5, LONGEST_POLL_MS);
          }
        } catch (error) {
          if (isTemporals(error) || !(error instanceof Error)) throw error;
          // Whatever keeps us from reading it, the action itself goes on: it is followed for as long as it takes.
          throw tryAgain(error.name, error, error instanceof DefenderError ? error.retryAfterMs : undefined);
        }
        const ageMs = Date.now() - activityInfo().scheduledTimestampMs;
        throw tryAgain(
          'ActionStillRunning',
          new Error(`Action ${input.action.id} is still running.`),
          ageMs > HOUR_MS ? POLL_OLD_MS : POLL_LATER_MS,
        );
      }),

    cancelAction: ({ customerId, action, why }) =>
      alive(async (signal) => {
        try {
          await defender.cancelAction(tenantOf(customerId), action.id, why, signal);
        } catch (error) {
          if (isTemporals(error) || !(error instanceof Error)) throw error;
          if (error instanceof DefenderError && (error.kind === 'rejected' || error.kind === 'not-found')) {
            // It has ended meanwhile; whoever follows it learns how.
            return;
          }
          throw tryAgain(error.name, error, error instanceof DefenderError ? error.retryAfterMs : undefined);
        }
      }),
  };
}
