import { activityInfo, log } from '@temporalio/activity';
import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowSignalWithStartOptions,
} from '@temporalio/client';
import { applyRequest, deviceView, openDevice } from '../domain/device/evolve.js';
import { customerWorkflowId } from '../domain/customers/record.js';
import { deviceWorkflowId } from '../domain/device/record.js';
import { deviceSearch, isSet, searchKeys } from '../domain/lists.js';
import { phoneWorkflowId } from '../domain/phone/record.js';
import { PEOPLE_FIRST, type Outside } from '../domain/ports.js';
import { isOpen, type BusinessHours } from '../holidays.js';
import { oneLine } from '../domain/text.js';
import { toInstant } from '../domain/time.js';
import { customerStart } from '../temporal/customers.js';
import { signalAll, signalRunning } from '../temporal/executions.js';
import type { FindExclusion } from '../temporal/exclusions.js';
import { findIncident } from '../temporal/incidents.js';
import { describe } from '../temporal/known.js';
import type { ReadPolicy } from '../temporal/run-time-policy.js';
import { setGoing } from '../temporal/set-going.js';
import {
  deviceReportSignal,
  deviceRequestSignal,
  exclusionChangeSignal,
  followRequestSignal,
  hasExclusionQuery,
  leadReportSignal,
  phoneRequestSignal,
  policyChangedSignal,
  type CustomerInput,
  type DeviceInput,
  type PhoneInput,
} from '../workflows/messages.js';

const MAX_MATCH_TRIES = 2;

export interface MessageDeps {
  client: Client;
  taskQueue: string;
  readPolicy: ReadPolicy;
  findExclusion: FindExclusion;
  businessHours: BusinessHours;
}

/** What the processes say to each other, and what they read of the service's own files. */
export function messageActivities({
  client,
  taskQueue,
  readPolicy,
  findExclusion,
  businessHours,
}: MessageDeps): Pick<
  Outside,
  | 'askDevice'
  | 'askLead'
  | 'askPhone'
  | 'matchExclusion'
  | 'readPolicy'
  | 'readSignalSender'
  | 'tellIncident'
  | 'tellLinked'
  | 'tellFilter'
  | 'tellPolicyChanged'
> {
  /**
   * Signals the workflow, starting it where there is none. One that was stopped from outside is set going again first: a
   * new one would know nothing of the isolations and calls of the old, and would answer that there are none.
   */
  async function ask<Payload>(
    type: 'customer' | 'device' | 'phone',
    options: WorkflowSignalWithStartOptions<[Payload]> & { args: [CustomerInput | DeviceInput | PhoneInput] },
  ): Promise<void> {
    try {
      await client.workflow.signalWithStart(type, { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await setGoing(client, options.workflowId);
      await client.workflow.signalWithStart(type, options);
    }
  }

  return {
    readPolicy: async ({ customerId }) => (await readPolicy(customerId)) ?? null,

    async matchExclusion({ customerId, matchable }) {
      try {
        return await findExclusion(customerId, matchable, { fresh: true });
      } catch (error) {
        if (activityInfo().attempt < MAX_MATCH_TRIES) throw error;
        // An isolation waits behind this: what nobody knows to be excluded counts meanwhile.
        log.warn('the exclusions cannot be asked for', { customerId, error });
        return 'unknown';
      }
    },

    async tellPolicyChanged({ customerId }) {
      // An exclusion may close what nobody has judged; a tuning period concerns levels 3 and 4. For the others the next
      // verdict reads it anyway.
      const query = [
        `WorkflowType = 'incident' AND ExecutionStatus = 'Running'`,
        `${searchKeys.customerId.name} = '${customerId}'`,
        `(${searchKeys.level.name} >= 3 OR ${searchKeys.stage.name} = 'awaiting-triage')`,
      ].join(' AND ');
      await signalAll(client, query, policyChangedSignal);
    },

    async tellFilter({ customerId, change, registers }) {
      const customer = client.workflow.getHandle(customerWorkflowId(customerId));
      const isTaken = (exclusionId: string) => customer.query(hasExclusionQuery, exclusionId);
      if (registers === true && change.change === 'set' && !isOpen(businessHours)) {
        // An earlier try may have been in time, and its answer lost.
        const isTakenBefore = (await describe(client, customer.workflowId)) !== undefined;
        return isTakenBefore && (await isTaken(change.exclusion.exclusionId)) ? 'done' : 'closed';
      }
      await ask('customer', {
        ...customerStart(taskQueue, customerId),
        signal: exclusionChangeSignal,
        signalArgs: [change],
      });
      // It is answered once what came before has been taken: from then on alerts meet the change.
      const { exclusionId } = change.change === 'set' ? change.exclusion : change;
      return (await isTaken(exclusionId)) || change.change === 'ended' ? 'done' : 'full';
    },

    async askDevice({ customerId, machineId, request }) {
      const at = toInstant(Date.now());
      const record = openDevice(customerId, machineId, at);
      const shown = deviceView(applyRequest(record, request, at));
      const input: DeviceInput = { customerId, machineId, record, shown };
      await ask('device', {
        workflowId: deviceWorkflowId(customerId, machineId),
        taskQueue,
        priority: PEOPLE_FIRST,
        args: [input],
        signal: deviceRequestSignal,
        signalArgs: [request],
        memo: { summary: shown },
        typedSearchAttributes: deviceSearch(shown).filter(isSet),
        staticSummary: oneLine(`${customerId} · device ${machineId}`, 150),
      });
    },

    async tellIncident({ incidentId, report }) {
      await signalRunning(client, incidentId, deviceReportSignal, report);
    },

    async askLead({ leadId, request }) {
      // Between the two looks it may have been taken up again.
      for (;;) {
        if (await signalRunning(client, leadId, followRequestSignal, request)) return 'asked';
        const known = await findIncident(client, leadId);
        if (known === undefined) return 'unknown';
        if (known.state !== 'running') return known.state;
      }
    },

    async tellLinked({ incidentId, report }) {
      await signalRunning(client, incidentId, leadReportSignal, report);
    },

    async askPhone({ customerId, request }) {
      const input: PhoneInput = { customerId };
      await ask('phone', {
        workflowId: phoneWorkflowId(customerId),
        taskQueue,
        priority: PEOPLE_FIRST,
        args: [input],
        signal: phoneRequestSignal,
        signalArgs: [request],
        staticSummary: `${customerId} · telephone`,
      });
    },

    async readSignalSender({ signal, ordinal }) {
      const { workflowId, runId } = activityInfo().workflowExecution ?? {};
      if (workflowId === undefined) return null;
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const sent = (events ?? []).filter(
        ({ workflowExecutionSignaledEventAttributes: signaled }) => signaled?.signalName === signal,
      );
      const identity = sent[ordinal - 1]?.workflowExecutionSignaledEventAttributes?.identity;
      return identity == null || identity === '' ? null : oneLine(identity, 120);
    },
  };
}
