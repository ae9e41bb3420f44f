import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import {
  ArchiveError,
  ChainBroken,
  type Archive,
  type ArchivedIncident,
  type Heads,
  type Placed,
} from '../domain/archive/entry.js';
import { ARCHIVER_ID, archiverStateSchema, isFailing, type ArchiverState } from '../domain/archive/state.js';
import { parseIncidentId } from '../domain/incident/record.js';
import { isForgotten, keyErrorIn } from '../domain/sealing.js';
import { MINUTE_MS, SECOND_MS, toInstant } from '../domain/time.js';
import type { ArchiverInput } from '../workflows/messages.js';
import { newestRun } from './executions.js';
import type { Reach } from './incidents.js';
import { describe } from './known.js';
import { readHeartbeat } from './payloads.js';

function stateIn(value: unknown): ArchiverState | undefined {
  return archiverStateSchema.safeParse(value).data;
}

/**
 * Sees to it that what is closed is archived: starts that where nothing does, as it stood. Idempotent, so that every worker
 * does it now and then.
 */
export async function ensureArchiver({ client, taskQueue }: Reach): Promise<void> {
  const newest = await newestRun(client, ARCHIVER_ID);
  if (newest?.isOpen === true) return;
  const state = newest === undefined ? null : (stateIn(newest.memo['archiver']) ?? null);
  const input: ArchiverInput = { state };
  try {
    await client.workflow.start('archiver', {
      workflowId: ARCHIVER_ID,
      taskQueue,
      args: [input],
      ...(state === null ? {} : { memo: { archiver: state } }),
      staticSummary: 'puts closed incidents into the archive',
    });
  } catch (error) {
    // Another worker was faster.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export interface ArchiverStanding {
  isRunning: boolean;
  /** Where its activity stands, or else what was written down last; undefined before its first look. */
  state: ArchiverState | undefined;
}

/** Undefined where there is no archiver. */
export async function readArchiver(client: Client): Promise<ArchiverStanding | undefined> {
  const description = await describe(client, ARCHIVER_ID);
  if (description === undefined) return undefined;
  const { memo, status } = description;
  const stands = stateIn(await readHeartbeat(client, description));
  return { isRunning: status.name === 'RUNNING', state: stands ?? stateIn(memo?.['archiver']) };
}

/** The ends of the chains as Temporal holds them; undefined where nothing there says any. */
export async function archiveHeads(client: Client): Promise<Heads | undefined> {
  return (await readArchiver(client))?.state?.heads;
}

const HEADS_FOR_MS = 15 * SECOND_MS;
const lastHeads = new WeakMap<Client, { heads: Promise<Heads>; atMs: number }>();

/** Likewise, as they were a moment ago; none where nobody can read them. */
export function recentHeads(client: Client): Promise<Heads> {
  const before = lastHeads.get(client);
  if (before !== undefined && Date.now() - before.atMs < HEADS_FOR_MS) return before.heads;
  const heads = archiveHeads(client).then(
    (found) => found ?? {},
    (error: unknown) => {
      if (keyErrorIn(error) === undefined) throw error;
      return {};
    },
  );
  lastHeads.set(client, { heads, atMs: Date.now() });
  heads.catch(() => lastHeads.delete(client));
  return heads;
}

/** Also where it cannot be read: then one knows at least that this is the archive. */
async function isThere(archive: Pick<Archive, 'at'>, customerId: string, seq: number): Promise<boolean> {
  try {
    return (await archive.at(customerId, seq)) !== undefined;
  } catch (error) {
    if (error instanceof ChainBroken) return true;
    throw error;
  }
}

/** Whose ends were found in the archive, for as long as those heads are held: each new alert asks. */
const foundThere = new WeakMap<Heads, Set<string>>();

interface Searched<K extends keyof Archive> {
  archive: Pick<Archive, K | 'at'>;
  heads: () => Promise<Heads>;
}

/**
 * The newest record of an incident in the archive; undefined where there is none, or its customer's keys were destroyed.
 *
 * @throws ArchiveError also where the archive has not even what Temporal knows to be in it: nobody can tell then; KeyMissing
 */
export async function findArchived(
  searched: Searched<'find'>,
  incidentId: string,
): Promise<ArchivedIncident | undefined> {
  const found = await searched.archive.find(incidentId).catch((error: unknown) => {
    if (isForgotten(error)) return undefined;
    throw error;
  });
  return found ?? missing(searched, incidentId);
}

/** Likewise its place alone: nobody has looked yet whether its record can be read. @throws ArchiveError likewise */
export async function findArchivedPlace(
  searched: Searched<'findPlace'>,
  incidentId: string,
): Promise<Placed | undefined> {
  return (await searched.archive.findPlace(incidentId)) ?? missing(searched, incidentId);
}

/** @throws ArchiveError */
async function missing({ archive, heads }: Searched<'at'>, incidentId: string): Promise<undefined> {
  const customerId = parseIncidentId(incidentId)?.customerId ?? '';
  const held = await heads();
  const head = held[customerId];
  const there = foundThere.get(held) ?? new Set<string>();
  if (head === undefined || there.has(customerId)) return undefined;
  if (await isThere(archive, customerId, head.seq)) {
    foundThere.set(held, there.add(customerId));
    return undefined;
  }
  throw new ArchiveError(
    `the archive does not hold entry ${head.seq} of ${customerId}: it is another one, or is not mounted`,
  );
}

/**
 * Whose chains are in the archive, or are to be, as Temporal knows.
 *
 * @throws ArchiveError also where it is empty, and Temporal knows that it was not
 */
export async function customersIn(archive: Pick<Archive, 'customers'>, heads: Heads): Promise<string[]> {
  const found = await archive.customers();
  const known = Object.keys(heads);
  if (found.length > 0 || known.length === 0) return [...new Set([...found, ...known])];
  throw new ArchiveError('the archive is empty, and was not: it is another one, or is not mounted');
}

/** Far longer than any pause between two looks. */
const LOOKED_WITHIN_MS = 60 * MINUTE_MS;

/** Is there an archiver, and has it been looking without failing for long? */
export async function isArchiving(client: Client): Promise<boolean> {
  const standing = await readArchiver(client);
  if (standing?.isRunning !== true) return false;
  const { state } = standing;
  const nowMs = Date.now();
  if (state === undefined) return true;
  const isStill = state.lookedAt !== null && nowMs - Date.parse(state.lookedAt) > LOOKED_WITHIN_MS;
  return !isStill && !isFailing(state, toInstant(nowMs));
}
