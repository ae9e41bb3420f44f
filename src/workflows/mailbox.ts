import { proxyActivities, setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import { feedQueue, type Outside } from '../domain/ports.js';
import type { MailboxInput } from './messages.js';
import { goOnAsNew } from './support.js';

/**
 * Reads the mailbox that customers answer to. One activity holds the connection, and is tried again when it is lost; how it stands
 * is in its heartbeat. It ends, and costs history, only to have that written down.
 */
export async function mailbox({ state: carried }: MailboxInput): Promise<never> {
  const { readMailbox } = proxyActivities<Pick<Outside, 'readMailbox'>>({
    taskQueue: feedQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '3h',
    heartbeatTimeout: '15s',
    // After a worker's death; after whatever keeps the mailbox the activity names its own pause.
    retry: { initialInterval: '2s', backoffCoefficient: 1 },
  });
  let state = carried ?? null;
  for (;;) {
    setCurrentDetails(
      state === null ? 'Begins to read the mailbox.' : `Mails taken until the last checkpoint: ${state.counts.taken}`,
    );
    state = await readMailbox.executeWithOptions({ summary: 'what has come into the mailbox?' }, [{ state }]);
    upsertMemo({ mailbox: state });
    if (workflowInfo().continueAsNewSuggested) return goOnAsNew<typeof mailbox>({ state });
  }
}
