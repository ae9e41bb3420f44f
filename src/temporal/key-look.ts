import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { keyErrorIn, KeyMissing, type Sealing } from '../domain/sealing.js';
import { MINUTE_MS, SECOND_MS } from '../domain/time.js';
import { keyIdOf, openPayload } from './payload-codec.js';

const LOOKED_AT = 200;
const FIRST_PAUSE_MS = 2 * SECOND_MS;

export interface UnreadableKey {
  keyId: string;
  /** How many of the executions that were looked at cannot be read for the lack of it. */
  executions: number;
  why: string;
}

/**
 * Which keys the newest of what Temporal holds was encrypted with and cannot be read by. Keys that were destroyed are
 * none of them.
 */
export async function unreadableKeys(client: Client, sealing: Sealing | undefined): Promise<UnreadableKey[]> {
  const { namespace } = client.options;
  const { executions } = await client.workflowService.listWorkflowExecutions({ namespace, pageSize: LOOKED_AT });
  const found = new Map<string, UnreadableKey>();
  for (const { memo } of executions) {
    const unread = new Map<string, string>();
    for (const payload of Object.values(memo?.fields ?? {})) {
      const keyId = keyIdOf(payload);
      if (keyId === undefined) continue;
      try {
        if (sealing === undefined) unread.set(keyId, 'no keys are given (ENCRYPTION_KEYS_FILE)');
        else await openPayload(sealing, payload);
      } catch (error) {
        const keyError = keyErrorIn(error);
        if (keyError === undefined) throw error;
        if (!(keyError instanceof KeyMissing && keyError.isDestroyed)) unread.set(keyId, keyError.message);
      }
    }
    for (const [keyId, why] of unread) {
      found.set(keyId, { keyId, why, executions: (found.get(keyId)?.executions ?? 0) + 1 });
    }
  }
  return [...found.values()].sort((one, other) => one.keyId.localeCompare(other.keyId));
}

/** Looks once Temporal can be asked, and tells of every key that is missing. Never fails. */
export async function tellUnreadableKeys(
  client: Client,
  sealing: Sealing | undefined,
  log: Pick<Logger, 'error'>,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MINUTE_MS)) {
    try {
      const keys = await unreadableKeys(client, sealing);
      if (keys.length > 0) {
        log.error(
          { keys },
          `Temporal holds what cannot be read here: keys ${keys.map(({ keyId }) => keyId).join(', ')}`,
        );
      }
      return;
    } catch {
      await sleep(pauseMs, undefined, { ref: false });
    }
  }
}
