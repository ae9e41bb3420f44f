import { z } from 'zod';
import {
  defenderMachineSchema,
  machineActionSchema,
  type DefenderMachine,
  type MachineAction,
} from '../../domain/defender.js';
import type { AllowedIndicator } from '../../domain/exclusion/indicator.js';
import { oneLine } from '../../domain/text.js';
import { toMs } from '../../domain/time.js';
import { read, readIfFound, succeeded } from './answer.js';
import { createCaller, type Call, type CallerOptions, type Tenant, type Urgency } from './caller.js';
import { DefenderError } from './errors.js';
import { imported, indicatorListSchema, isSameValue, spellings } from './indicators.js';
import type { ImportedIndicator, ListedIndicator } from './indicators.js';

export type { Tenant } from './caller.js';
export type { ImportedIndicator, ListedIndicator } from './indicators.js';

/** Characters; Defender documents no limit, the portal shows about this much. */
const MAX_COMMENT_LENGTH = 1_000;

/** The most that one answer may list. Source: "List MachineActions API". */
const MAX_ACTIONS = 10_000;

/** The most indicators that one call may bring or take. Source: "Import Indicators API", "Batch Delete Indicators API". */
const MAX_BATCH = 500;

const actionListSchema = z.object({ value: z.array(z.looseObject({ type: z.unknown() })) });
const alertListSchema = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().optional().catch(undefined),
});
const isolationActionsSchema = z.array(machineActionSchema);

export interface AlertPage {
  rows: unknown[];
  hasMore: boolean;
}

/**
 * Microsoft Defender for Endpoint's API for many tenants. Every method throws DefenderError or SignInError; a `signal`
 * that aborts makes it throw the signal's reason, and whether Defender got the call is unknown then. Where there is an
 * `urgency`, the first of the two is the usual one.
 * Source: learn.microsoft.com, Defender for Endpoint API, "Machine" and "MachineAction" methods.
 */
export interface DefenderClient {
  /** Undefined: the tenant has no such device. */
  getMachine(
    tenant: Tenant,
    machineId: string,
    signal?: AbortSignal,
    urgency?: Extract<Urgency, 'look-up' | 'isolation'>,
  ): Promise<DefenderMachine | undefined>;
  /**
   * One page of the alerts changed at `since` (ISO 8601) or later, and before `until` where it is given, with their
   * evidence, as they came: what one of them means is the caller's to read. In no order that anybody has promised.
   * `hasMore`: Defender says that it has left some out. Source: "List alerts API".
   */
  listAlerts(
    tenant: Tenant,
    page: { since: string; until: string | null; skip: number; top: number },
    signal?: AbortSignal,
  ): Promise<AlertPage>;
  /** The device's isolations and releases, newest first. */
  listIsolationActions(
    tenant: Tenant,
    machineId: string,
    signal?: AbortSignal,
    urgency?: Extract<Urgency, 'isolation' | 'following'>,
  ): Promise<MachineAction[]>;
  /** Undefined: not known; an action created a moment ago may not be known yet. */
  getMachineAction(
    tenant: Tenant,
    actionId: string,
    signal?: AbortSignal,
    urgency?: Extract<Urgency, 'following' | 'isolation'>,
  ): Promise<MachineAction | undefined>;
  /**
   * Asks for full isolation; the result is accepted, not done. `ActiveRequestAlreadyExists` (rejected): such an action
   * runs already. `comment` becomes one line.
   */
  isolate(tenant: Tenant, machineId: string, comment: string, signal?: AbortSignal): Promise<MachineAction>;
  /** Asks for the release from isolation; as `isolate`. */
  unisolate(tenant: Tenant, machineId: string, comment: string, signal?: AbortSignal): Promise<MachineAction>;
  /** Cancels an action that has not begun on the device. */
  cancelAction(tenant: Tenant, actionId: string, comment: string, signal?: AbortSignal): Promise<void>;
  /**
   * The tenant's indicators of that type and value, whoever made them: `importIndicators` would write over them.
   * Source: "List Indicators API".
   */
  listIndicators(
    tenant: Tenant,
    wanted: Pick<AllowedIndicator, 'indicatorType' | 'indicatorValue'>,
    signal?: AbortSignal,
  ): Promise<ListedIndicator[]>;
  /**
   * Sets indicators, and tells of each what became of it, in the order in which they were given. One that is there for
   * the same type and value is updated and keeps its id, so that a second try does no harm. They go in batches: where a
   * later one brings no answer, the earlier are set. Source: "Import Indicators API".
   */
  importIndicators(
    tenant: Tenant,
    indicators: readonly AllowedIndicator[],
    signal?: AbortSignal,
  ): Promise<ImportedIndicator[]>;
  /** Takes indicators away; one that is gone already is as good. Source: "Batch Delete Indicators API". */
  deleteIndicators(tenant: Tenant, ids: readonly string[], signal?: AbortSignal): Promise<void>;
}

export function createDefenderClient(options: CallerOptions): DefenderClient {
  const call = createCaller(options);

  /** False: there is no such indicator, or one of several is unknown and none was deleted. */
  async function isDeleted(tenant: Tenant, request: Call, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      succeeded(await call(tenant, request, signal));
      return true;
    } catch (error) {
      if (error instanceof DefenderError && error.kind === 'not-found') return false;
      throw error;
    }
  }

  return {
    async getMachine(tenant, machineId, signal, urgency = 'look-up') {
      const answer = await call(tenant, { urgency, method: 'GET', path: machinePath(machineId) }, signal);
      const machine = readIfFound(answer, defenderMachineSchema);
      // Defender looks the path up as a computer name too; two devices may share one, and only the id means a device.
      return machine?.id.toLowerCase() === machineId.toLowerCase() ? machine : undefined;
    },

    async listAlerts(tenant, { since, until, skip, top }, signal) {
      const query = {
        $filter: `lastUpdateTime ge ${since}${until === null ? '' : ` and lastUpdateTime lt ${until}`}`,
        $expand: 'evidence',
        $top: String(top),
        ...(skip === 0 ? {} : { $skip: String(skip) }),
      };
      const answer = await call(tenant, { urgency: 'feed', method: 'GET', path: '/api/alerts', query }, signal);
      const { value, '@odata.nextLink': next } = read(answer, alertListSchema);
      return { rows: value, hasMore: next !== undefined };
    },

    async listIsolationActions(tenant, machineId, signal, urgency = 'isolation') {
      const query = { $filter: `machineId eq ${odataString(machineId)}`, $top: String(MAX_ACTIONS) };
      const answer = await call(tenant, { urgency, method: 'GET', path: '/api/machineactions', query }, signal);
      // Other kinds of actions may look as they like; only these two are read closely.
      const schema = actionListSchema
        .transform(({ value }) => value.filter(({ type }) => type === 'Isolate' || type === 'Unisolate'))
        .pipe(isolationActionsSchema);
      return read(answer, schema).sort((a, b) => createdMs(b) - createdMs(a));
    },

    async getMachineAction(tenant, actionId, signal, urgency = 'following') {
      const answer = await call(tenant, { urgency, method: 'GET', path: actionPath(actionId) }, signal);
      return readIfFound(answer, machineActionSchema);
    },

    async isolate(tenant, machineId, comment, signal) {
      const body = { Comment: commentText(comment), IsolationType: 'Full' };
      const answer = await call(
        tenant,
        { urgency: 'isolation', method: 'POST', path: `${machinePath(machineId)}/isolate`, body },
        signal,
      );
      return read(answer, machineActionSchema);
    },

    async unisolate(tenant, machineId, comment, signal) {
      const body = { Comment: commentText(comment) };
      const answer = await call(
        tenant,
        { urgency: 'isolation', method: 'POST', path: `${machinePath(machineId)}/unisolate`, body },
        signal,
      );
      return read(answer, machineActionSchema);
    },

    async cancelAction(tenant, actionId, comment, signal) {
      const body = { Comment: commentText(comment) };
      succeeded(
        await call(
          tenant,
          { urgency: 'isolation', method: 'POST', path: `${actionPath(actionId)}/cancel`, body },
          signal,
        ),
      );
    },

    async listIndicators(tenant, wanted, signal) {
      const values = spellings(wanted).map((value) => `indicatorValue eq ${odataString(value)}`);
      const query = {
        $filter: `indicatorType eq ${odataString(wanted.indicatorType)} and (${values.join(' or ')})`,
      };
      const answer = await call(tenant, { urgency: 'look-up', method: 'GET', path: '/api/indicators', query }, signal);
      return read(answer, indicatorListSchema).value.filter((listed) => isSameValue(wanted, listed));
    },

    async importIndicators(tenant, indicators, signal) {
      const results: ImportedIndicator[] = [];
      for (const batch of batches(indicators)) {
        const request: Call = {
          urgency: 'look-up',
          method: 'POST',
          path: '/api/indicators/import',
          body: { Indicators: batch },
        };
        results.push(...read(await call(tenant, request, signal), imported(batch)));
      }
      return results;
    },

    async deleteIndicators(tenant, ids, signal) {
      for (const batch of batches(ids)) {
        const body = { IndicatorIds: batch };
        if (
          await isDeleted(
            tenant,
            { urgency: 'look-up', method: 'POST', path: '/api/indicators/BatchDelete', body },
            signal,
          )
        )
          continue;
        // Defender deletes none of a batch in which one is gone already.
        for (const id of batch) {
          await isDeleted(
            tenant,
            { urgency: 'look-up', method: 'DELETE', path: `/api/indicators/${encodeURIComponent(id)}` },
            signal,
          );
        }
      }
    },
  };
}

function batches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MAX_BATCH) }, (_, index) =>
    all.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
  );
}

function machinePath(machineId: string): string {
  return `/api/machines/${encodeURIComponent(machineId)}`;
}

function actionPath(actionId: string): string {
  return `/api/machineactions/${encodeURIComponent(actionId)}`;
}

function odataString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function commentText(comment: string): string {
  return oneLine(comment, MAX_COMMENT_LENGTH);
}

function createdMs({ creationDateTimeUtc }: MachineAction): number {
  return creationDateTimeUtc === undefined ? 0 : toMs(creationDateTimeUtc);
}
