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
export const allPointersOf = (customerId: string): string => `${customerId}/incidents`;
export const pointersOf = (customerId: string, incidentId: string): string =>
  `${allPointersOf(customerId)}/${sha256(incidentId)}`;
export const pointerName = ({ customerId, incidentId, seq }: Entry): string =>
  `${pointersOf(customerId, incidentId)}/${seqName(seq)}`;

/** `12` of `0000000012.json`. */
export function seqOf(name: string): number | undefined {
  const digits = /^(\d{10})(?:\.json)?$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Nobody has lost so many in a row: what is behind such a gap was never written by this service. */
const WIDEST_GAP = 1_000;

/** The numbers of a chain's entries, by their names, as far as they follow on each other. */
export function seqsOfChain(names: readonly string[]): number[] {
  const seqs = names.flatMap((name) => seqOf(name) ?? []);
  const stray = seqs.findIndex((seq, index) => seq - (seqs[index - 1] ?? 0) > WIDEST_GAP);
  return stray === -1 ? seqs : seqs.slice(0, stray);
}

/** Of a chain's entries. */
export const READ_AT_ONCE = 16;

/** Undefined for what is no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

export function parseEntry(bytes: Uint8Array): Entry | undefined {
  return entrySchema.safeParse(parseJson(bytes)).data;
}
