/*
 * What customers suffer is kept encrypted, with keys of each customer's own: without them nobody reads it, and where they
 * are destroyed nobody ever will.
 */

/** Whose keys: a customer's id, or this for what belongs to no customer. Ids of customers have no underscore. */
export const SERVICE_SCOPE = '_service';

/** What is encrypted, and with which key: `acme.2` is the second of the scope `acme`. */
export interface Sealed {
  keyId: string;
  bytes: Uint8Array;
}

export interface Sealing {
  /** @throws KeyMissing */
  seal(scope: string, plain: Uint8Array): Promise<Sealed>;
  /** @throws KeyMissing, SealBroken */
  open(sealed: Sealed): Promise<Uint8Array>;
}

/** The key is not there: it was never handed to this process, or it has been destroyed. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing';

  constructor(
    message: string,
    /** For good, as somebody has decided: nothing is wrong with the keys. */
    readonly isDestroyed = false,
    /** There never was one for that scope: nothing of it can be kept, or be there. */
    readonly hasNone = false,
  ) {
    super(message);
  }
}

/** The key does not fit, or what it is to open has been changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** The missing or unfitting key behind an error of Temporal's client; undefined where it has another reason. */
export function keyErrorIn(error: unknown): KeyMissing | SealBroken | undefined {
  if (error instanceof KeyMissing || error instanceof SealBroken) return error;
  return error instanceof Error ? keyErrorIn(error.cause) : undefined;
}

/** Was it read in vain for the sake of a customer whose keys were destroyed? */
export function isForgotten(error: unknown): boolean {
  const keyError = keyErrorIn(error);
  return keyError instanceof KeyMissing && keyError.isDestroyed;
}

/** `acme` of `acme.2`. */
export function scopeOfKey(keyId: string): string {
  return keyId.slice(0, keyId.lastIndexOf('.'));
}

/** What ids begin with that go on with a customer's: `incident:acme:…`. */
export const customersTypes = [
  'incident',
  'device',
  'phone',
  'feed',
  'rejected',
  'customer',
  'exclusion',
  'inquiry',
] as const;
const OF_CUSTOMERS: ReadonlySet<string> = new Set(customersTypes);

/** Whose a workflow is. What belongs to no customer, such as the auditor and mails that are held, is the service's. */
export function scopeOfWorkflow(workflowId: string | undefined): string {
  const [type = '', customerId = ''] = (workflowId ?? '').split(':');
  return OF_CUSTOMERS.has(type) && customerId !== '' ? customerId : SERVICE_SCOPE;
}
