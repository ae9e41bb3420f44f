import { continueAsNew, proxyActivities, setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import { feedQueue, type Outside } from '../domain/ports.js';
import type { FeedInput } from './messages.js';

/**
 * Brings one tenant's alerts in. One activity is tried again and again, which is how it polls; where it stands is in its
 * heartbeat. It ends, and costs history, only to have that written down, and when the customer has left the file.
 */
export async function alertFeed({ customerId, state: carried }: FeedInput): Promise<void> {
  const { pollFeed } = proxyActivities<Pick<Outside, 'pollFeed'>>({
    // Its own queue: a hundred tenants that hang must not keep an isolation waiting.
    taskQueue: feedQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '10m',
    heartbeatTimeout: '10s',
    // After a worker's death, and where Temporal cannot be reached; between polls the activity names its own pause.
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
    if (polled.ended) return;
    state = polled.state;
    if (state !== null) upsertMemo({ feed: { ...state, seen: {} } });
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof alertFeed>({ customerId, state });
  }
}
