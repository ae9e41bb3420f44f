import {
  defaultPayloadConverter,
  type Payload,
  type PayloadCodec,
  type SerializationContext,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import { KeyMissing, SealBroken, scopeOfKey, scopeOfWorkflow, SERVICE_SCOPE, type Sealing } from '../domain/sealing.js';
import { isFailurePart } from './failure-parts.js';
import { unreadable } from './unreadable.js';

const PayloadMessage = proto.temporal.api.common.v1.Payload;

/** As Temporal's own samples name it, so that other tools know what they see. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** Closed in with what the service's key holds, where a customer's workflow may read it too. */
const FOR_CUSTOMERS = 'for-customers';

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

/** With the service's key, for whichever workflow it will be: what goes there is not known, or its own key is gone. */
export function sealForCustomers(sealing: Sealing, payload: Payload): Promise<Payload> {
  const metadata = { ...payload.metadata, [FOR_CUSTOMERS]: new Uint8Array() };
  return sealPayload(sealing, SERVICE_SCOPE, { ...payload, metadata });
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
    return sealForCustomers(sealing, defaultPayloadConverter.toPayload(words));
  }
}

/**
 * Opens what belongs into the workflow. Whoever may send Signals can copy another customer's ciphertext into one: opened there, it
 * would be shown to this customer's operators. It stays closed, and so does what the service's key does not fit, as after a slip
 * from another installation: neither is to keep the workflow from going on. A replay must find the same, so that a key is missing
 * decides nothing here, and no key is ever exchanged under its name.
 *
 * @throws KeyMissing, and SealBroken where the workflow's own key does not fit: both are over once the right keys are given.
 */
async function openWithin(sealing: Sealing, scope: string, payload: Payload): Promise<Payload> {
  const keyId = keyIdOf(payload);
  if (keyId === undefined || scopeOfKey(keyId) === scope) return openPayload(sealing, payload);
  if (scopeOfKey(keyId) !== SERVICE_SCOPE) return unreadable('it was encrypted for another customer');
  try {
    const plain = await openPayload(sealing, payload);
    return plain.metadata?.[FOR_CUSTOMERS] === undefined ? unreadable('it was not encrypted for a customer') : plain;
  } catch (error) {
    if (error instanceof SealBroken) return unreadable(error.message);
    throw error;
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
    decode(payloads: Payload[], context?: SerializationContext) {
      const { workflowId } = context ?? {};
      return Promise.all(
        payloads.map((payload) =>
          workflowId === undefined
            ? openPayload(sealing, payload)
            : openWithin(sealing, scopeOfWorkflow(workflowId), payload),
        ),
      );
    },
  };
}

/**
 * For where no keys are set. Workflows that take ciphertext for a slip of somebody's hand would go astray: a worker that was started
 * without its keys has to fail at each step until it has them.
 *
 * @throws KeyMissing for what is encrypted
 */
export const keylessCodec: PayloadCodec = {
  encode: (payloads: Payload[]) => Promise.resolve(payloads),
  decode(payloads: Payload[]) {
    const keyId = payloads.map(keyIdOf).find((id) => id !== undefined);
    return keyId === undefined
      ? Promise.resolve(payloads)
      : Promise.reject(new KeyMissing(`the key ${keyId} is not here: no keys are set (ENCRYPTION_KEYS_FILE)`));
  },
};
