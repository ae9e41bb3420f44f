import { z } from 'zod';
import {
  ArchiveError,
  ChainBroken,
  ifReadable,
  type Archive,
  type ArchivedIncident,
  type Entry,
  type Head,
  type Placed,
  type ToArchive,
} from '../../domain/archive/entry.js';
import { parseIncidentId, type IncidentRecord } from '../../domain/incident/record.js';
import { incidentSchema, incidentSummarySchema } from '../../domain/incident/view.js';
import { KeyMissing, SealBroken, scopeOfKey, type Sealing } from '../../domain/sealing.js';
import { checkArchive } from './check.js';
import {
  entriesOf,
  entryName,
  parseEntry,
  parseJson,
  pointerName,
  pointersOf,
  READ_AT_ONCE,
  recordName,
  seqOf,
  seqsOfChain,
  sha256,
} from './names.js';
import type { ArchiveStore } from './store.js';

/** The whole record has no schema but its type: what is read has been written by this service, as its seal proves. */
const recordSchema = z.custom<IncidentRecord>(
  (value) => typeof value === 'object' && value !== null && 'incidentId' in value && 'timeline' in value,
);
const keptSchema = z.object({ record: recordSchema, view: incidentSchema });
type Kept = z.output<typeof keptSchema>;

interface SealedPart {
  keyId: string | null;
  bytes: Uint8Array;
}

async function seal(sealing: Sealing | undefined, customerId: string, value: unknown): Promise<SealedPart> {
  const plain = Buffer.from(JSON.stringify(value));
  return sealing === undefined ? { keyId: null, bytes: plain } : sealing.seal(customerId, plain);
}

/** So often another process may have put an entry first. */
const MAX_TRIES = 20;

/** The archive in a store: what is encrypted is so with the customer's keys; without `sealing` it is plain. */
export function createArchive(store: ArchiveStore, sealing: Sealing | undefined): Archive {
  /** Where each chain was last seen to end: it has only grown, but for what was lost. */
  const ends = new Map<string, Placed>();
  /** How far each chain was found to be plain from its beginning. */
  const plainThrough = new Map<string, number>();
  /** The looks for each chain's first sealed entry that are under way. */
  const scans = new Map<string, Promise<number>>();

  async function at(customerId: string, seq: number): Promise<Placed | undefined> {
    const bytes = await store.get(entryName(customerId, seq));
    if (bytes === undefined) return undefined;
    const entry = parseEntry(bytes);
    if (entry?.seq !== seq || entry.customerId !== customerId) {
      throw new ChainBroken(`entry ${seq} of ${customerId} in the archive cannot be read: npm run archive-check`);
    }
    return { entry, sha256: sha256(bytes) };
  }

  /** The number of a chain's first sealed entry, or of the next where none is. One that is lost or damaged tells nothing. */
  async function firstSealed(customerId: string): Promise<number> {
    const seqs = seqsOfChain(await store.list(entriesOf(customerId)));
    const unread = seqs.filter((seq) => seq > (plainThrough.get(customerId) ?? 0));
    for (let from = 0; from < unread.length; from += READ_AT_ONCE) {
      const some = unread.slice(from, from + READ_AT_ONCE);
      for (const placed of await Promise.all(some.map((seq) => ifReadable(at(customerId, seq))))) {
        if (placed === undefined) continue;
        if (placed.entry.record.keyId !== null) return placed.entry.seq;
        plainThrough.set(customerId, placed.entry.seq);
      }
    }
    return (seqs.at(-1) ?? 0) + 1;
  }

  /** Is it plain because there were no keys yet? Then so is everything before it. */
  async function isFromBeforeKeys({ customerId, seq, record, summary }: Entry): Promise<boolean> {
    if (record.keyId !== null || summary.keyId !== null) return false;
    if (seq <= (plainThrough.get(customerId) ?? 0)) return true;
    let scan = scans.get(customerId);
    if (scan === undefined) {
      scan = firstSealed(customerId).finally(() => scans.delete(customerId));
      scans.set(customerId, scan);
    }
    return seq < (await scan);
  }

  /**
   * Whoever can write to the archive has every customer's sealed parts, and can write plain ones: a part is read with the keys
   * of its own chain's customer, and in plain only where that customer had none.
   *
   * @throws ChainBroken, KeyMissing, SealBroken
   */
  async function unseal(entry: Entry, { keyId, bytes }: SealedPart): Promise<unknown> {
    const { customerId, seq } = entry;
    if (keyId === null) {
      if (sealing === undefined || (await isFromBeforeKeys(entry))) return parseJson(bytes);
      throw new ChainBroken(`entry ${seq} of ${customerId} in the archive is plain, and stands behind sealed ones`);
    }
    if (scopeOfKey(keyId) !== customerId) {
      throw new ChainBroken(`entry ${seq} of ${customerId} in the archive is sealed with the key ${keyId}`);
    }
    if (sealing === undefined) throw new KeyMissing(`the key ${keyId} is not here: no keys are set`);
    return parseJson(await sealing.open({ keyId, bytes }));
  }

  /** The last of those that follow on that one. */
  async function follow(customerId: string, from: Placed | undefined): Promise<Placed | undefined> {
    let last = from;
    for (;;) {
      const next = await at(customerId, (last?.entry.seq ?? 0) + 1);
      if (next === undefined) break;
      if (next.entry.previous !== (last?.sha256 ?? null)) {
        throw new ChainBroken(
          `entry ${next.entry.seq} of ${customerId} in the archive does not follow on the one before`,
        );
      }
      last = next;
    }
    if (last !== undefined) ends.set(customerId, last);
    return last;
  }

  async function tail(customerId: string): Promise<Placed | undefined> {
    const known = ends.get(customerId);
    const isStillThere = known !== undefined && (await at(customerId, known.entry.seq))?.sha256 === known.sha256;
    if (isStillThere) return follow(customerId, known);
    const seq = await lastName(customerId);
    return follow(customerId, seq === 0 ? undefined : await at(customerId, seq));
  }

  async function lastName(customerId: string): Promise<number> {
    return seqsOfChain(await store.list(entriesOf(customerId))).at(-1) ?? 0;
  }

  /** The chain's end, which follows on what somebody knows of it. */
  async function tailBehind(customerId: string, known: Head | undefined): Promise<Placed | undefined> {
    if (known === undefined) return tail(customerId);
    const there = await at(customerId, known.seq);
    if (there?.sha256 !== known.sha256) {
      throw new ChainBroken(
        `the archive of ${customerId} does not hold entry ${known.seq} as it was written: npm run archive-check`,
      );
    }
    return follow(customerId, there);
  }

  /** The numbers of the incident's entries. A name that is none was not put there by this service, and hides none. */
  async function pointedTo(customerId: string, incidentId: string): Promise<number[]> {
    return (await store.list(pointersOf(customerId, incidentId))).flatMap((name) => seqOf(name) ?? []);
  }

  async function findPlace(incidentId: string): Promise<Placed | undefined> {
    const customerId = parseIncidentId(incidentId)?.customerId;
    if (customerId === undefined) return undefined;
    const seq = (await pointedTo(customerId, incidentId)).at(-1);
    if (seq === undefined) return undefined;
    const found = await at(customerId, seq);
    if (found?.entry.incidentId === incidentId) return found;
    throw new ChainBroken(`entry ${seq} of ${customerId} in the archive is not that of ${incidentId}`);
  }

  async function bytesOf({ customerId, seq, record }: Entry): Promise<Uint8Array> {
    const bytes = await store.get(recordName(customerId, record.sha256));
    if (bytes !== undefined && sha256(bytes) === record.sha256) return bytes;
    throw new ChainBroken(`the record of entry ${seq} of ${customerId} in the archive is missing, or was changed`);
  }

  /** What an entry keeps: of the incident that it names, and no other. @throws ChainBroken, KeyMissing, SealBroken */
  async function keptBy(entry: Entry, bytes: Uint8Array): Promise<Kept> {
    const { customerId, seq, incidentId, revision } = entry;
    const kept = keptSchema.safeParse(await unseal(entry, { keyId: entry.record.keyId, bytes }));
    if (!kept.success) throw new ChainBroken(`the record of entry ${seq} of ${customerId} is none that is known`);
    const { record, view } = kept.data;
    const isNamed = [record.incidentId, view.id].every((id) => id === incidentId);
    if (isNamed && record.customerId === customerId && record.revision === revision) return kept.data;
    throw new ChainBroken(`the record of entry ${seq} of ${customerId} in the archive is not that of ${incidentId}`);
  }

  async function find(incidentId: string): Promise<ArchivedIncident | undefined> {
    const placed = await findPlace(incidentId);
    if (placed === undefined) return undefined;
    return { ...placed, ...(await keptBy(placed.entry, await bytesOf(placed.entry))) };
  }

  /**
   * Of an entry that nobody has said to be there: one of us has written it, before they died.
   *
   * @throws ChainBroken where it is of somebody without the keys
   */
  async function prove({ entry }: Placed): Promise<void> {
    const { customerId, seq, incidentId, revision } = entry;
    try {
      await keptBy(entry, await bytesOf(entry));
    } catch (error) {
      if (!(error instanceof KeyMissing || error instanceof SealBroken)) throw error;
      throw new ChainBroken(`entry ${seq} of ${customerId} in the archive is not of this service: ${error.message}`);
    }
    const before = (await pointedTo(customerId, incidentId)).findLast((other) => other < seq);
    const replaced = before === undefined ? undefined : await at(customerId, before);
    if (replaced === undefined || replaced.entry.revision < revision) return;
    throw new ChainBroken(`entry ${seq} of ${customerId} in the archive takes ${incidentId} back to what it was`);
  }

  async function put(given: ToArchive, previous: Placed | undefined): Promise<Placed | undefined> {
    const { customerId, record, view, summary, run, archivedAt } = given;
    const sealed = await seal(sealing, customerId, { record, view });
    const shown = await seal(sealing, customerId, summary);
    const hash = sha256(sealed.bytes);
    const entry: Entry = {
      version: 1,
      customerId,
      seq: (previous?.entry.seq ?? 0) + 1,
      previous: previous?.sha256 ?? null,
      incidentId: record.incidentId,
      revision: record.revision,
      closedAt: record.closed?.at ?? record.updatedAt,
      archivedAt,
      run,
      record: { sha256: hash, bytes: sealed.bytes.length, keyId: sealed.keyId },
      summary: { keyId: shown.keyId, data: Buffer.from(shown.bytes).toString('base64') },
    };
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    // The record first: a crash between the two leaves one that no entry names, and the chain as it was.
    await store.putNew(recordName(customerId, hash), sealed.bytes);
    const isPut = (await store.putNew(entryName(customerId, entry.seq), bytes)) === 'put';
    return isPut ? { entry, sha256: sha256(bytes) } : undefined;
  }

  /** Also of entries whose writer died before it had said where they are to be found. */
  async function point(placed: Placed): Promise<Placed> {
    await store.putNew(pointerName(placed.entry), new Uint8Array());
    return placed;
  }

  return {
    find,
    findPlace,
    at,
    tail,

    async lastSeq(customerId) {
      try {
        return (await tail(customerId))?.entry.seq ?? 0;
      } catch (error) {
        if (error instanceof ChainBroken) return lastName(customerId);
        throw error;
      }
    },

    async summaryOf(entry) {
      const { incidentId, customerId, summary } = entry;
      try {
        const opened = await unseal(entry, { keyId: summary.keyId, bytes: Buffer.from(summary.data, 'base64') });
        const { data } = incidentSummarySchema.safeParse(opened);
        return data?.id === incidentId && data.customerId === customerId ? data : undefined;
      } catch (error) {
        if (error instanceof KeyMissing || error instanceof SealBroken || error instanceof ChainBroken)
          return undefined;
        throw error;
      }
    },

    customers: () => store.folders(),

    async append(given, known) {
      const { customerId, record } = given;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const end = await tailBehind(customerId, known);
        for (let seq = (known?.seq ?? 0) + 1; seq <= (end?.entry.seq ?? 0); seq += 1) {
          const written = await at(customerId, seq);
          if (written === undefined) continue;
          await prove(written);
          await point(written);
        }
        const there = await findPlace(record.incidentId);
        if (there !== undefined && there.entry.revision >= record.revision) return there;
        const placed = await put(given, end);
        if (placed !== undefined) {
          ends.set(customerId, placed);
          return point(placed);
        }
      }
      throw new ArchiveError(`others write to the archive of ${customerId} all the time`);
    },

    check: (held, ...written) =>
      checkArchive(store, { held, written }, async (entry, bytes) => {
        try {
          await keptBy(entry, bytes);
          return 'read';
        } catch (error) {
          if (error instanceof KeyMissing) return error.isDestroyed ? 'forgotten' : 'no-key';
          if (error instanceof SealBroken) return 'broken';
          if (error instanceof ChainBroken) return 'foreign';
          throw error;
        }
      }),
  };
}
