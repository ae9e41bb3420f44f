import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { deviceWorkflowId } from '../domain/device/record.js';
import { phoneWorkflowId } from '../domain/phone/record.js';
import type { Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import type { Policies } from '../policy.js';
import { deviceRequestSignal, phoneRequestSignal, type DeviceInput, type PhoneInput } from '../workflows/messages.js';

export interface MessageDeps {
  client: Client;
  taskQueue: string;
  policies: Policies;
}

/** What the processes say to each other, and what they read of the service's own files. */
export function messageActivities({
  client,
  taskQueue,
  policies,
}: MessageDeps): Pick<Outside, 'askDevice' | 'askPhone' | 'readPolicy' | 'readSignalSender'> {
  return {
    readPolicy: ({ customerId }) => Promise.resolve(policies.find(customerId) ?? null),

    async askDevice({ customerId, machineId, request }) {
      const input: DeviceInput = { customerId, machineId };
      await client.workflow.signalWithStart('device', {
        workflowId: deviceWorkflowId(customerId, machineId),
        taskQueue,
        args: [input],
        signal: deviceRequestSignal,
        signalArgs: [request],
        staticSummary: oneLine(`${customerId} · device ${machineId}`, 150),
      });
    },

    async askPhone({ customerId, request }) {
      const input: PhoneInput = { customerId };
      await client.workflow.signalWithStart('phone', {
        workflowId: phoneWorkflowId(customerId),
        taskQueue,
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
