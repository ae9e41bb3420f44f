import { createHash } from 'node:crypto';
import { entrySchema, type Entry } from '../../domain/archive/entry.js';

/*
 * In the folder of each customer:
 *
 *   entries/0000000001.json                the chain
 *   records/<SHA-256 of it>.bin            a sealed record; nothing is one before an entry names it
 *   incidents/<SHA-256 of the id>/<seq>    empty: by which the entries of an incident are found
 *
 * All of it is put once and never written over.
 */

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function seqName(seq: number): string {
  return String(seq).padStart(10, '0');
}

export const entriesOf = (customerId: string): string => `${customerId}/entries`;
export const entryName = (customerId: string, seq: number): string => `${entriesOf(customerId)}/${seqName(seq)}.json`;
export const recordName = (customerId: string, hash: string): string => `${customerId}/records/${hash}.bin`;
export const pointersOf = (customerId: string, incidentId: string): string =>
  `${customerId}/incidents/${sha256(incidentId)}`;
export const pointerName = ({ customerId, incidentId, seq }: Entry): string =>
  `${pointersOf(customerId, incidentId)}/${seqName(seq)}`;

/** `12` of `0000000012.json`. */
export function seqOf(name: string): number | undefined {
  const digits = /^(\d{10})(?:\.json)?$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function parseEntry(bytes: Uint8Array): Entry | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
