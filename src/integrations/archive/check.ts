import type { CheckedChain, Entry, Fault, Finding, Head, Heads } from '../../domain/archive/entry.js';
import { entriesOf, entryName, parseEntry, pointerName, recordName, seqOf, sha256 } from './names.js';
import type { ArchiveStore } from './store.js';

/** What becomes of a record that is as it was written: it can be read, there is no key for it, or the key does not fit. */
export type OpenRecord = (entry: Entry, bytes: Uint8Array) => Promise<'read' | 'no-key' | 'broken'>;

const READ_AT_ONCE = 16;

interface Seen {
  seq: number;
  /** Null where there is no file of that number. */
  sha256: string | null;
  entry: Entry | undefined;
  faults: Fault[];
  isUnreadable: boolean;
}

async function look(store: ArchiveStore, open: OpenRecord, customerId: string, seq: number): Promise<Seen> {
  const bytes = await store.get(entryName(customerId, seq));
  if (bytes === undefined)
    return { seq, sha256: null, entry: undefined, faults: ['entry-missing'], isUnreadable: false };
  const entry = parseEntry(bytes);
  const seen: Seen = { seq, sha256: sha256(bytes), entry, faults: [], isUnreadable: false };
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
    seen.isUnreadable = opened === 'no-key';
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

async function checkChain(
  store: ArchiveStore,
  open: OpenRecord,
  customerId: string,
  known: readonly Head[],
): Promise<CheckedChain> {
  const seqs = (await store.list(entriesOf(customerId))).flatMap((name) => seqOf(name) ?? []);
  const last = Math.max(seqs.at(-1) ?? 0, ...known.map(({ seq }) => seq));
  const seen: Seen[] = [];
  for (let from = 1; from <= last; from += READ_AT_ONCE) {
    const some = Array.from({ length: Math.min(READ_AT_ONCE, last - from + 1) }, (_, index) => from + index);
    seen.push(...(await Promise.all(some.map((seq) => look(store, open, customerId, seq)))));
  }
  judge(seen, known);
  const end = seen.findLast((each) => each.sha256 !== null);
  const findings = seen.flatMap(({ seq, entry, faults }) =>
    faults.map((fault): Finding => ({ customerId, seq, incidentId: entry?.incidentId ?? null, fault })),
  );
  return {
    customerId,
    head: end?.sha256 == null ? null : { seq: end.seq, sha256: end.sha256 },
    entries: seen.filter((each) => each.sha256 !== null).length,
    unreadable: seen.filter((each) => each.isUnreadable).length,
    findings,
  };
}

/** Reads all chains and records, and compares them with what was written down of their ends. */
export async function* checkArchive(
  store: ArchiveStore,
  known: readonly Heads[],
  open: OpenRecord,
): AsyncIterable<CheckedChain> {
  const customers = new Set([...(await store.folders()), ...known.flatMap((heads) => Object.keys(heads))]);
  for (const customerId of [...customers].sort()) {
    const ends = known.flatMap((heads) => heads[customerId] ?? []);
    yield await checkChain(store, open, customerId, ends);
  }
}
