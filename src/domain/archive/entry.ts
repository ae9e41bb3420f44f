import { z } from 'zod';
import type { IncidentRecord } from '../incident/record.js';
import type { IncidentSummary, IncidentView } from '../incident/view.js';
import { sentInstantSchema, type Instant } from '../time.js';

/*
 * The archive: for each customer a chain of entries that only grows. An entry says which incident's record it holds and what
 * the entry before it was; so none can be changed, taken out or put in without the next one, or whoever has written down the
 * last one, telling.
 */

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex');

/** What stands in the open, beside the sealed record: ids, times and hashes, no word of an alert or a person. */
export const entrySchema = z.strictObject({
  version: z.literal(1),
  customerId: z.string(),
  /** 1 for the customer's first, and no number left out. */
  seq: z.int().min(1),
  /** SHA-256 of the entry before it, as it lies there; null for the first. */
  previous: sha256Schema.nullable(),
  incidentId: z.string(),
  /** Of the record: a higher one of the same incident is a later entry. */
  revision: z.int(),
  closedAt: sentInstantSchema,
  archivedAt: sentInstantSchema,
  /** The workflow run that it was taken from, and whether that had ended by then. */
  run: z.strictObject({ id: z.string(), hasEnded: z.boolean() }),
  /** Of the sealed record. `keyId` is null where nothing is encrypted. */
  record: z.strictObject({ sha256: sha256Schema, bytes: z.int(), keyId: z.string().nullable() }),
  /** What lists show, sealed likewise, in base64. */
  summary: z.strictObject({ keyId: z.string().nullable(), data: z.base64() }),
});
export type Entry = z.infer<typeof entrySchema>;

/** A place in a customer's chain, which holds all that is before it. */
export const headSchema = z.object({ seq: z.int().min(1), sha256: sha256Schema });
export type Head = z.infer<typeof headSchema>;

export type Heads = Readonly<Record<string, Head>>;

/** An entry with the SHA-256 that the next one knows it by. */
export interface Placed {
  entry: Entry;
  sha256: string;
}

/** Where in the archive a record lies, as the API shows it. */
export const archivePlaceSchema = z.object({
  seq: z.int().meta({ description: "Number in the customer's chain." }),
  sha256: z.string().meta({ description: 'Of the entry: it holds the hash of the record and of the entry before.' }),
  previous: z.string().nullable(),
  archivedAt: z.string().meta({ format: 'date-time' }),
});
export type ArchivePlace = z.infer<typeof archivePlaceSchema>;

export function placeOf({ entry, sha256 }: Placed): ArchivePlace {
  const { seq, previous, archivedAt } = entry;
  return { seq, sha256, previous, archivedAt };
}

/** An incident as it was when it was archived: its record, from which it can go on, and what was shown of it. */
export interface ArchivedIncident extends Placed {
  record: IncidentRecord;
  view: IncidentView;
}

export interface ToArchive {
  customerId: string;
  record: IncidentRecord;
  view: IncidentView;
  summary: IncidentSummary;
  run: Entry['run'];
  archivedAt: Instant;
}

/** Why an entry, or the chain at its place, is not as it was written. */
export type Fault =
  /** There are later ones, or somebody has written down that there was one. */
  | 'entry-missing'
  | 'entry-unreadable'
  /** The entry after it, or whoever has written it down, knows it by another hash. */
  | 'entry-changed'
  | 'entry-out-of-place'
  /** It stands behind the end that Temporal holds, is too old to be on its way there, and nothing shows it to be of this service. */
  | 'entry-not-held'
  | 'record-missing'
  | 'record-changed'
  /** It is another incident's, or sealed in a way in which this service would not have sealed it. */
  | 'record-foreign'
  /** Nobody would find the incident by its id. */
  | 'not-findable'
  /** What leads to an entry from an incident that it is not of, or to none. */
  | 'pointer-unexplained';

export interface Finding {
  customerId: string;
  seq: number;
  /** Null where nobody can tell. */
  incidentId: string | null;
  fault: Fault;
}

export interface CheckedChain {
  customerId: string;
  /** Null where there is none. */
  head: Head | null;
  entries: number;
  /** Records that nobody can read: their key was destroyed, or is not among the keys here. */
  unreadable: number;
  /** Entries behind the end that Temporal holds, too old to be on their way there, which this service has written: Temporal lags. */
  notHeld: number;
  /** Keys that are not here, and were not destroyed either: of what they have sealed nothing was checked but its hash. */
  missingKeys: string[];
  findings: Finding[];
}

/** How far down each chain has been read: below these nothing has been looked at. */
export type ChainPositions = Readonly<Record<string, number>>;

export interface Archive {
  /** The newest entry of that incident, with its record; undefined where there is none. @throws ArchiveError, KeyMissing */
  find(incidentId: string): Promise<ArchivedIncident | undefined>;
  /** Its place alone. @throws ArchiveError */
  findPlace(incidentId: string): Promise<Placed | undefined>;
  /** What lists show of it; undefined where nobody can read it any more. */
  summaryOf(entry: Entry): Promise<IncidentSummary | undefined>;
  /** Of those customers that have anything in it. @throws ArchiveError */
  customers(): Promise<string[]>;
  /** One entry; undefined where there is none. @throws ArchiveError */
  at(customerId: string, seq: number): Promise<Placed | undefined>;
  /** The number of the last entry, also of one that cannot be read; 0 where there is none. @throws ArchiveError */
  lastSeq(customerId: string): Promise<number>;
  /** The last entry; undefined where there is none. @throws ArchiveError */
  tail(customerId: string): Promise<Placed | undefined>;
  /**
   * Puts a record at the end of its customer's chain; one that is there with that revision is left as it is. `known`: an
   * earlier end of that chain, which must still be in it, and behind which nothing may stand but what this service has written.
   *
   * @throws ArchiveError; ChainBroken where that is not so
   */
  append(record: ToArchive, known: Head | undefined): Promise<Placed>;
  /**
   * Reads every entry and record. `held`: the ends of all chains, a moment ago; undefined where nobody knows. `written`: ends of
   * some, that were written down at any time.
   */
  check(held: Heads | undefined, ...written: Heads[]): AsyncIterable<CheckedChain>;
}

/** What the archive is kept in does not answer, or refuses. */
export class ArchiveError extends Error {
  override readonly name: string = 'ArchiveError';
}

/** What was in the archive is not in it any more, or is another. */
export class ChainBroken extends ArchiveError {
  override readonly name = 'ChainBroken';
}

/** Undefined for what is in the archive and cannot be read. */
export async function ifReadable<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof ChainBroken) return undefined;
    throw error;
  });
}
