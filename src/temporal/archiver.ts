import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { Heads } from '../domain/archive/entry.js';
import { ARCHIVER_ID, archiverStateSchema, isFailing, type ArchiverState } from '../domain/archive/state.js';
import { MINUTE_MS, toInstant } from '../domain/time.js';
import type { ArchiverInput } from '../workflows/messages.js';
import { newestRun } from './executions.js';
import type { Reach } from './incidents.js';
import { describe } from './known.js';
import { readPayload } from './payloads.js';

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
  const { memo, status, raw } = description;
  const [look] = raw.pendingActivities ?? [];
  const stands = stateIn(await readPayload(client, look?.heartbeatDetails?.payloads?.[0]));
  return { isRunning: status.name === 'RUNNING', state: stands ?? stateIn(memo?.['archiver']) };
}

/** The ends of the chains as Temporal holds them. */
export async function archiveHeads(client: Client): Promise<Heads> {
  return (await readArchiver(client))?.state?.heads ?? {};
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
