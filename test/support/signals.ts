import type { Client } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import { decodePayload } from '../../src/temporal/payloads.js';

/** What the workflow's current run has been sent by that signal, oldest first: each time its only argument. */
export async function signalsSent<Payload>(
  client: Client,
  workflowId: string,
  { name }: SignalDefinition<[Payload]>,
): Promise<Payload[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const payloads = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
    const payload = signaled?.signalName === name ? signaled.input?.payloads?.[0] : undefined;
    return payload == null ? [] : [payload];
  });
  // It was this definition's own payload when it was sent.
  return Promise.all(payloads.map(async (payload) => (await decodePayload(client, workflowId, payload)) as Payload));
}
