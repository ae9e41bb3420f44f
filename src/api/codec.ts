import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { KeyMissing, SealBroken, scopeOfKey, SERVICE_SCOPE, type Sealing } from '../domain/sealing.js';
import type { Operator } from '../operators.js';
import { keyIdOf, openPayload, sealForCustomers, sealPayload } from '../temporal/payload-codec.js';
import { maySee } from './operators.js';
import { route, type Route } from './route.js';

/*
 * Temporal's "remote codec": its Web UI and its command line hand over what they have read, and show what comes back.
 * https://docs.temporal.io/remote-data-encoding
 */

const LARGEST_BODY = '16mb';

/** Payloads as JSON of protobuf has them: bytes are base64. What else belongs to one goes back as it came. */
const payloadSchema = z
  .looseObject({ metadata: z.record(z.string(), z.base64()).default({}), data: z.base64().optional() })
  .meta({ id: 'Payload' });

const payloadsSchema = z.object({ payloads: z.array(payloadSchema).max(10_000) }).meta({ id: 'Payloads' });

type SentPayload = z.output<typeof payloadSchema>;

function payloadOf({ metadata, data }: SentPayload): Payload {
  const fields = Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
  return { metadata: Object.fromEntries(fields), data: Buffer.from(data ?? '', 'base64') };
}

function sent({ metadata, data }: Payload): SentPayload {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)] as const);
  return { metadata: Object.fromEntries(fields), ...(data == null ? {} : { data: base64(data) }) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function mayRead(operator: Operator, scope: string): boolean {
  return scope === SERVICE_SCOPE ? operator.customers === '*' : maySee(operator, scope);
}

/** In place of what nobody can read, so that whoever looks sees why. */
function unreadable(error: Error): SentPayload {
  return {
    metadata: { encoding: base64(Buffer.from('json/plain')) },
    data: base64(Buffer.from(JSON.stringify(`(${error.message})`))),
  };
}

/** What another customer's key has closed stays closed: it is handed back as it came. */
async function opened(sealing: Sealing, operator: Operator, given: SentPayload): Promise<SentPayload> {
  const payload = payloadOf(given);
  const keyId = keyIdOf(payload);
  if (keyId === undefined || !mayRead(operator, scopeOfKey(keyId))) return given;
  try {
    return sent(await openPayload(sealing, payload));
  } catch (error) {
    if (error instanceof KeyMissing || error instanceof SealBroken) return unreadable(error);
    throw error;
  }
}

/** Temporal does not say whose workflow it is for. */
function closed(sealing: Sealing, { customers }: Operator, given: SentPayload): Promise<Payload> {
  const [only, ...others] = customers === '*' ? [] : customers;
  const payload = payloadOf(given);
  return only !== undefined && others.length === 0
    ? sealPayload(sealing, only, payload)
    : sealForCustomers(sealing, payload);
}

type Change = (sealing: Sealing, operator: Operator, payload: SentPayload) => Promise<SentPayload>;

/** One payload after the other; all as they came where nothing is encrypted. */
function codecRoute(path: string, summary: string, change: Change): Route {
  return route({
    method: 'post',
    path,
    summary,
    access: 'read',
    body: payloadsSchema,
    bodyLimit: LARGEST_BODY,
    isForWebUi: true,
    answers: { 200: { description: 'As many, in the same order.', schema: payloadsSchema } },
    async handle({ deps: { sealing }, operator, body: { payloads } }) {
      if (sealing === undefined) return { status: 200, body: { payloads } };
      const changed = await Promise.all(payloads.map((payload) => change(sealing, operator, payload)));
      return { status: 200, body: { payloads: changed } };
    },
  });
}

export const codecRoutes: Route[] = [
  codecRoute(
    '/decode',
    "Temporal's Web UI and command line: what they have read, decrypted where the operator may see the customer",
    opened,
  ),
  codecRoute(
    '/encode',
    "Temporal's Web UI and command line: what they are about to send, encrypted",
    async (sealing, operator, payload) => sent(await closed(sealing, operator, payload)),
  ),
];
