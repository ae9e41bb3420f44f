import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Outside } from '../domain/ports.js';

/** Short reads and signals: as local activities they cost one history event. A failed one is tried again for ever. */
export const quick = proxyLocalActivities<Outside>({
  startToCloseTimeout: '8s',
  localRetryThreshold: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** What talks to the outside for longer, or waits for it: durable tries until it has worked. */
export const patient = proxyActivities<Outside>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Placing a call: tried a few times, then the next contact is rung. */
export const persistent = proxyActivities<Outside>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 5 },
});
