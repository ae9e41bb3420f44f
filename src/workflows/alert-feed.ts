import { patched, proxyActivities, setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import { feedMemo } from '../domain/feed/state.js';
import { feedQueue, type Outside } from '../domain/ports.js';
import type { FeedInput } from './messages.js';
import { goOnAsNew } from './support.js';

/**
 * Brings one tenant's alerts in. One activity is tried again and again, which is how it polls; where it stands is in its
 * heartbeat. It ends, and costs history, only to have that written down, and when the customer has left the file; the feed
 * of one who comes back begins with what was written last.
 */
export async function alertFeed({ customerId, state: carried }: FeedInput): Promise<void> {
  const { pollFeed } = proxyActivities<Pick<Outside, 'pollFeed'>>({
    // Its own queue: a hundred tenants that hang must not keep an isolation waiting.
    taskQueue: feedQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '10m',
    heartbeatTimeout: '10s',
    // After a worker's death; between polls, and after whatever keeps one, the activity names its own pause.
    retry: { initialInterval: '2s', backoffCoefficient: 1 },
  });
  let state = carried ?? null;
  for (;;) {
    setCurrentDetails(
      state === null
        ? 'Begins to read the tenant’s alerts.'
        : `Everything changed before ${state.watermark} has been taken; seen until the last checkpoint: ${state.counts.seen}`,
    );
    const polled = await pollFeed.executeWithOptions({ summary: "what has changed in the customer's tenant?" }, [
      { customerId, state },
    ]);
    state = polled.state;
    const memo = state === null ? undefined : feedMemo(state);
    if (polled.ended) {
      if (memo !== undefined && patched('ends-where-it-stood')) upsertMemo(memo);
      return;
    }
    if (memo !== undefined) upsertMemo(memo);
    if (workflowInfo().continueAsNewSuggested) return goOnAsNew<typeof alertFeed>({ customerId, state });
  }
}
