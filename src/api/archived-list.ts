import { z } from 'zod';
import { ifReadable, type Archive, type ChainPositions, type Placed } from '../domain/archive/entry.js';
import type { IncidentSummary } from '../domain/incident/view.js';
import { isForgotten, type Sealing } from '../domain/sealing.js';
import { SECOND_MS } from '../domain/time.js';

/*
 * What a list goes on with once Temporal has nothing more: the newest entries of the archive first, of several customers the newest
 * of any.
 */

/** So long a page looks for rows: then it is given as it is, with a token for the rest. */
const PAGE_LASTS_MS = 2 * SECOND_MS;
/** Of one customer's chain, read at the same time. */
const READ_AHEAD = 16;
/** Asked for in one query. */
const ASKED_AT_ONCE = 100;

const positionsSchema = z.record(z.string(), z.int().min(0));

export function writePositions(positions: ChainPositions): string {
  return Buffer.from(JSON.stringify(positions)).toString('base64url');
}

/** Undefined for what `writePositions` has not written. */
export function readPositions(token: string): ChainPositions | undefined {
  try {
    return positionsSchema.safeParse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Those whose keys were not destroyed: for the others nothing can be sealed any more. */
export async function notForgotten(sealing: Sealing | undefined, customerIds: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    customerIds.map(async (id) => {
      const isGone = await sealing?.seal(id, new Uint8Array()).then(() => false, isForgotten);
      return isGone === true ? [] : [id];
    }),
  );
  return found.flat();
}

/** Reads one customer's chain towards its beginning. */
class Cursor {
  private readonly ahead: Placed[] = [];

  constructor(
    private readonly archive: Archive,
    private readonly customerId: string,
    /** The next that is not read yet. */
    private unread: number,
  ) {}

  /** Where whoever goes on begins. */
  get position(): number {
    return this.ahead[0]?.entry.seq ?? this.unread;
  }

  /** The newest that has not been taken; undefined at the chain's beginning. */
  async first(): Promise<Placed | undefined> {
    while (this.ahead.length === 0 && this.unread > 0) {
      const seqs = Array.from({ length: Math.min(READ_AHEAD, this.unread) }, (_, index) => this.unread - index);
      // One that is missing or cannot be read keeps no list from being shown: the check names it.
      const read = await Promise.all(seqs.map((seq) => ifReadable(this.archive.at(this.customerId, seq))));
      this.unread -= seqs.length;
      this.ahead.push(...read.filter((each) => each !== undefined));
    }
    return this.ahead[0];
  }

  take(): void {
    this.ahead.shift();
  }
}

export interface ArchivedPage {
  items: IncidentSummary[];
  /** Undefined where there is nothing more. */
  next: ChainPositions | undefined;
}

/** An entry that nobody can read any more is shown as far as its id goes. */
function unreadable({ entry: { incidentId, customerId, closedAt } }: Placed): IncidentSummary {
  return {
    id: incidentId,
    customerId,
    alertId: incidentId.slice(`incident:${customerId}:`.length),
    defenderIncidentId: null,
    title: incidentId,
    severity: null,
    stage: 'closed',
    level: null,
    slo: { state: 'not-applicable', dueAt: null, provisional: false },
    devices: [],
    assignee: null,
    attention: ['unreadable-summary'],
    createdAt: closedAt,
    updatedAt: closedAt,
  };
}

/**
 * One page of what is in the archive and not in Temporal any more. It may have fewer rows than asked for, also none, and go on.
 *
 * @throws ArchiveError
 */
export async function listArchived(
  archive: Archive,
  from: ChainPositions,
  limit: number,
  how: {
    matches: (summary: IncidentSummary) => boolean;
    /** Which of these incidents Temporal still knows, and lists itself. */
    known: (ids: string[]) => Promise<ReadonlySet<string>>;
  },
): Promise<ArchivedPage> {
  const deadlineMs = Date.now() + PAGE_LASTS_MS;
  const cursors = new Map(Object.entries(from).map(([id, position]) => [id, new Cursor(archive, id, position)]));
  const items: IncidentSummary[] = [];

  async function newest(): Promise<{ cursor: Cursor; placed: Placed } | undefined> {
    const firsts = await Promise.all(
      [...cursors.values()].map(async (cursor) => ({ cursor, placed: await cursor.first() })),
    );
    let found: { cursor: Cursor; placed: Placed } | undefined;
    for (const { cursor, placed } of firsts) {
      if (placed === undefined) continue;
      if (found === undefined || placed.entry.archivedAt > found.placed.entry.archivedAt) found = { cursor, placed };
    }
    return found;
  }

  /** Rows that match, of entries that no later one replaces. */
  async function candidates(most: number): Promise<IncidentSummary[]> {
    const rows: IncidentSummary[] = [];
    while (rows.length < most && Date.now() < deadlineMs) {
      const next = await newest();
      if (next === undefined) break;
      const { cursor, placed } = next;
      const summary = (await archive.summaryOf(placed.entry)) ?? unreadable(placed);
      const isLatest = async () => (await ifReadable(archive.findPlace(summary.id)))?.entry.seq === placed.entry.seq;
      if (how.matches(summary) && (await isLatest())) rows.push(summary);
      cursor.take();
    }
    return rows;
  }

  const more = () => [...cursors].filter(([, { position }]) => position > 0);
  while (items.length < limit && more().length > 0 && Date.now() < deadlineMs) {
    const rows = await candidates(Math.min(ASKED_AT_ONCE, limit - items.length));
    if (rows.length === 0) continue;
    const stillThere = await how.known(rows.map(({ id }) => id));
    items.push(...rows.filter(({ id }) => !stillThere.has(id)).map((row) => ({ ...row, archived: true as const })));
  }
  const left = more().map(([id, { position }]) => [id, position] as const);
  return { items, next: left.length === 0 ? undefined : Object.fromEntries(left) };
}
