import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';

/**
 * A payload that comes outside of the SDK's own calls, such as a row's memo or a heartbeat.
 *
 * @throws KeyMissing, SealBroken
 */
export async function decodePayload(client: Client, payload: Payload): Promise<unknown> {
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let plain = payload;
  for (const codec of payloadCodecs) [plain = plain] = await codec.decode([plain]);
  return payloadConverter.fromPayload(plain);
}

/** Likewise; undefined where it cannot be read: its key may be gone. */
export async function readPayload(client: Client, payload: Payload | null | undefined): Promise<unknown> {
  if (payload == null) return undefined;
  return decodePayload(client, payload).catch(() => undefined);
}
