import type { CheckedChain, Entry, Fault, Finding, Head, Heads } from '../../domain/archive/entry.js';
import { MINUTE_MS, toMs } from '../../domain/time.js';
import {
  allPointersOf,
  entriesOf,
  entryName,
  parseEntry,
  pointerName,
  READ_AT_ONCE,
  recordName,
  seqOf,
  seqsOfChain,
  sha256,
} from './names.js';
import type { ArchiveStore } from './store.js';

/**
 * What becomes of a record that is as it was written: it can be read, its key was destroyed, is not here or does not fit, or it
 * is none that the entry may hold.
 */
export type OpenRecord = (
  entry: Entry,
  bytes: Uint8Array,
) => Promise<'read' | 'forgotten' | 'no-key' | 'broken' | 'foreign'>;

/** Ends of the chains: of all of them as they were a moment ago, where somebody knows, and of some at any time. */
export interface KnownEnds {
  held: Heads | undefined;
  written: readonly Heads[];
}

/** Between an entry's writing and Temporal's holding it. Clocks differ by less. */
const ON_ITS_WAY_MS = 5 * MINUTE_MS;

interface Seen {
  seq: number;
  /** Null where there is no file of that number. */
  sha256: string | null;
  entry: Entry | undefined;
  faults: Fault[];
  isRead: boolean;
  isUnreadable: boolean;
  missingKey: string | null;
}

async function look(store: ArchiveStore, open: OpenRecord, customerId: string, seq: number): Promise<Seen> {
  const bytes = await store.get(entryName(customerId, seq));
  const none: Seen = {
    ...{ seq, sha256: null, entry: undefined, faults: [] },
    ...{ isRead: false, isUnreadable: false, missingKey: null },
  };
  if (bytes === undefined) return { ...none, faults: ['entry-missing'] };
  const entry = parseEntry(bytes);
  const seen: Seen = { ...none, sha256: sha256(bytes), entry };
  if (entry === undefined) return { ...seen, faults: ['entry-unreadable'] };
  if (entry.seq !== seq || entry.customerId !== customerId) return { ...seen, faults: ['entry-out-of-place'] };
  const [record, pointer] = await Promise.all([
    store.get(recordName(customerId, entry.record.sha256)),
    store.get(pointerName(entry)),
  ]);
  if (pointer === undefined) seen.faults.push('not-findable');
  if (record === undefined) seen.faults.push('record-missing');
  else if (sha256(record) !== entry.record.sha256) seen.faults.push('record-changed');
  else {
    const opened = await open(entry, record);
    if (opened === 'broken') seen.faults.push('record-changed');
    if (opened === 'foreign') seen.faults.push('record-foreign');
    seen.isRead = opened === 'read';
    seen.isUnreadable = opened === 'forgotten' || opened === 'no-key';
    if (opened === 'no-key') seen.missingKey = entry.record.keyId;
  }
  return seen;
}

/**
 * Names those that are not as they were written, from the end to the beginning: an entry is believed about the one before it
 * only while it is itself what its own witness says.
 */
function judge(seen: readonly Seen[], known: readonly Head[]): void {
  let witness: string | null | undefined;
  for (const each of [...seen].reverse()) {
    const said = known.find(({ seq }) => seq === each.seq)?.sha256 ?? witness;
    const isChanged = said !== undefined && each.sha256 !== null && each.sha256 !== said;
    if (isChanged) each.faults.push('entry-changed');
    const isBelieved = !isChanged && each.entry !== undefined && !each.faults.includes('entry-out-of-place');
    witness = isBelieved ? each.entry?.previous : undefined;
  }
}

/**
 * Looks at what stands behind the end that Temporal holds, and is too old to be on its way there. Temporal may have been put back
 * to an earlier time: how many are of this service all the same, as their records open. The others it names.
 */
function judgeNewer(seen: readonly Seen[], held: Head): number {
  let notHeld = 0;
  const revisions = new Map<string, number>();
  for (const [index, { seq, entry, faults, isRead }] of seen.entries()) {
    if (entry === undefined) continue;
    const { incidentId, revision, previous, archivedAt } = entry;
    if (seq > held.seq && Math.abs(Date.now() - toMs(archivedAt)) >= ON_ITS_WAY_MS) {
      const follows = [null, previous].includes(seen[index - 1]?.sha256 ?? null);
      // This service takes no incident back to what it was: somebody has put a copy there.
      const isCopy = revision <= (revisions.get(incidentId) ?? -Infinity);
      if (!isRead || !follows || isCopy) {
        faults.push('entry-not-held');
        continue;
      }
      notHeld += 1;
    }
    revisions.set(incidentId, revision);
  }
  return notHeld;
}

/** The numbers of what leads from an incident to an entry that is not of it; 0 for a name that leads to none. */
async function unexplained(store: ArchiveStore, customerId: string, seen: readonly Seen[]): Promise<number[]> {
  const explained = new Set(seen.flatMap(({ entry }) => (entry === undefined ? [] : [pointerName(entry)])));
  const amiss = new Set(seen.flatMap(({ seq, faults }) => (faults.length === 0 ? [] : [seq])));
  const found: number[] = [];
  for (const name of await store.list(allPointersOf(customerId))) {
    const seq = seqOf(name.slice(name.lastIndexOf('/') + 1)) ?? 0;
    const pointer = `${allPointersOf(customerId)}/${name}`;
    // Of an entry that is not as it was written nobody knows what leads to it.
    if (explained.has(pointer) || amiss.has(seq)) continue;
    const bytes = await store.get(entryName(customerId, seq));
    const entry = bytes === undefined ? undefined : parseEntry(bytes);
    // It may have been written since.
    if (entry === undefined || pointerName(entry) !== pointer) found.push(seq);
  }
  return found;
}

async function checkChain(
  store: ArchiveStore,
  open: OpenRecord,
  customerId: string,
  { held, written }: KnownEnds,
): Promise<CheckedChain> {
  const known = [held ?? {}, ...written].flatMap((heads) => heads[customerId] ?? []);
  const names = await store.list(entriesOf(customerId));
  const last = Math.max(seqsOfChain(names).at(-1) ?? 0, ...known.map(({ seq }) => seq));
  const seen: Seen[] = [];
  for (let from = 1; from <= last; from += READ_AT_ONCE) {
    const some = Array.from({ length: Math.min(READ_AT_ONCE, last - from + 1) }, (_, index) => from + index);
    seen.push(...(await Promise.all(some.map((seq) => look(store, open, customerId, seq)))));
  }
  judge(seen, known);
  const heldEnd = held?.[customerId];
  const notHeld = heldEnd === undefined ? 0 : judgeNewer(seen, heldEnd);
  const end = seen.findLast((each) => each.sha256 !== null);
  const finding = (seq: number, fault: Fault, incidentId: string | null = null): Finding => ({
    ...{ customerId, seq, incidentId, fault },
  });
  const strays = names.flatMap((name) => seqOf(name) ?? []).filter((seq) => seq > last);
  return {
    customerId,
    head: end?.sha256 == null ? null : { seq: end.seq, sha256: end.sha256 },
    entries: seen.filter((each) => each.sha256 !== null).length,
    unreadable: seen.filter((each) => each.isUnreadable).length,
    notHeld,
    missingKeys: [...new Set(seen.flatMap(({ missingKey }) => missingKey ?? []))].sort(),
    findings: [
      ...seen.flatMap(({ seq, entry, faults }) => faults.map((fault) => finding(seq, fault, entry?.incidentId))),
      ...strays.map((seq) => finding(seq, 'entry-out-of-place')),
      ...(await unexplained(store, customerId, seen)).map((seq) => finding(seq, 'pointer-unexplained')),
    ],
  };
}

/** Reads all chains and records, and compares them with what is known of their ends. */
export async function* checkArchive(
  store: ArchiveStore,
  ends: KnownEnds,
  open: OpenRecord,
): AsyncIterable<CheckedChain> {
  const known = [ends.held ?? {}, ...ends.written].flatMap((heads) => Object.keys(heads));
  for (const customerId of [...new Set([...(await store.folders()), ...known])].sort()) {
    yield await checkChain(store, open, customerId, ends);
  }
}
