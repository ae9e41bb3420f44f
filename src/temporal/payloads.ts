import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { Payload } from '@temporalio/common';

/**
 * A payload of a workflow that comes outside of the SDK's own calls, such as a row's memo or a heartbeat.
 *
 * @throws KeyMissing, SealBroken
 */
export async function decodePayload(client: Client, workflowId: string, payload: Payload): Promise<unknown> {
  const { namespace, loadedDataConverter } = client.options;
  const { payloadCodecs, payloadConverter } = loadedDataConverter;
  const context = { type: 'workflow', namespace, workflowId } as const;
  let plain = payload;
  for (const codec of payloadCodecs) [plain = plain] = await codec.decode([plain], context);
  return payloadConverter.fromPayload(plain);
}

/** What the activity under way has said last; undefined where there is none, or it cannot be read: its key may be gone. */
export async function readHeartbeat(
  client: Client,
  { workflowId, raw }: WorkflowExecutionDescription,
): Promise<unknown> {
  const payload = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  if (payload == null) return undefined;
  return decodePayload(client, workflowId, payload).catch(() => undefined);
}
