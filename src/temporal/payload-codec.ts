import {
  defaultPayloadConverter,
  type Payload,
  type PayloadCodec,
  type SerializationContext,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import { KeyMissing, scopeOfWorkflow, SERVICE_SCOPE, type Sealing } from '../domain/sealing.js';
import { isFailurePart } from './failure-parts.js';

const PayloadMessage = proto.temporal.api.common.v1.Payload;

/** As Temporal's own samples name it, so that other tools know what they see. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

const utf8 = new TextDecoder();

function metadata({ metadata: fields }: Payload, name: string): string | undefined {
  const value = fields?.[name];
  return value == null ? undefined : utf8.decode(value);
}

/** The name of the key; undefined for what is not encrypted. */
export function keyIdOf(payload: Payload): string | undefined {
  return metadata(payload, 'encoding') === ENCRYPTED ? metadata(payload, KEY_ID) : undefined;
}

export async function sealPayload(sealing: Sealing, scope: string, payload: Payload): Promise<Payload> {
  const { keyId, bytes } = await sealing.seal(scope, PayloadMessage.encode(payload).finish());
  return { metadata: { encoding: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(keyId) }, data: bytes };
}

/** What is not encrypted, as somebody sends a Signal by hand, stays as it is. */
export async function openPayload(sealing: Sealing, payload: Payload): Promise<Payload> {
  const keyId = keyIdOf(payload);
  if (keyId === undefined || payload.data == null) return payload;
  return PayloadMessage.decode(await sealing.open({ keyId, bytes: payload.data }));
}

/** Of a failure whose own words nobody may keep any more, what is left to say. */
async function sealFailurePart(sealing: Sealing, scope: string, part: Payload): Promise<Payload> {
  try {
    return await sealPayload(sealing, scope, part);
  } catch (error) {
    if (!(error instanceof KeyMissing)) throw error;
    const words = { message: `what failed cannot be kept: ${error.message}`, stack_trace: '' };
    return sealPayload(sealing, SERVICE_SCOPE, defaultPayloadConverter.toPayload(words));
  }
}

/**
 * Temporal holds ciphertext: what belongs to a customer's workflow is encrypted with that customer's key.
 *
 * Temporal's documentation: "Payload Codec", "Data encryption".
 */
export function createPayloadCodec(sealing: Sealing): PayloadCodec {
  return {
    encode(payloads: Payload[], context?: SerializationContext) {
      const scope = scopeOfWorkflow(context?.workflowId);
      return Promise.all(
        payloads.map((payload) =>
          isFailurePart(payload) ? sealFailurePart(sealing, scope, payload) : sealPayload(sealing, scope, payload),
        ),
      );
    },
    decode: (payloads: Payload[]) => Promise.all(payloads.map((payload) => openPayload(sealing, payload))),
  };
}
