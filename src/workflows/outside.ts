import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { isDelayed, type Delayed, type Outside, type Told } from '../domain/ports.js';

/** Short reads and signals: as local activities they cost one history event. A failed one is tried again for ever. */
export const quick = proxyLocalActivities<Outside>({
  startToCloseTimeout: '8s',
  localRetryThreshold: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

type AskDevice = Parameters<Outside['askDevice']>[0];
type AskPhone = Parameters<Outside['askPhone']>[0];

/** Requests and reports to other workflows that have to be on record before anybody hears of them. */
export const recorded = proxyActivities<Outside>({
  startToCloseTimeout: '8s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/**
 * Requests to a device's or the telephone's workflow, which goes on by itself from then on. Not by a local activity: that
 * would run before the command that it follows from is on record, and a server that dies in between knows of no command.
 * Runs that began before this was seen (`ways`) replay as they went.
 */
export function askDevice(ways: 2 | undefined, summary: string, input: AskDevice): Promise<void> {
  return (ways === 2 ? recorded : quick).askDevice.executeWithOptions({ summary }, [input]);
}

export function askPhone(ways: 2 | undefined, summary: string, input: AskPhone): Promise<void> {
  return (ways === 2 ? recorded : quick).askPhone.executeWithOptions({ summary }, [input]);
}

/** What talks to the outside for longer, or waits for it: durable tries until it has worked. */
export const patient = proxyActivities<Outside>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** What is looked at now and then, for as long as it takes: each look that has nothing to say names the time of the next. */
export const watching = proxyActivities<Pick<Outside, 'watchIsolation'>>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1m', backoffCoefficient: 1 },
});

/** Placing a call: tried a few times, for less than a minute where nothing answers, then the next contact is rung. */
export const persistent = proxyActivities<Outside>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 4 },
});

/** Has something done, however long it takes; `tell` hears once that it has been failing for a while, and why. */
export async function untilDone<Input, Result>(
  run: (input: Input & Told) => Promise<Result | Delayed>,
  input: Input,
  tell: (why: string) => void,
): Promise<Result> {
  for (let told: Told = {}; ; told = { isTold: true }) {
    const result = await run({ ...input, ...told });
    if (!isDelayed(result)) return result;
    tell(result.delayed);
  }
}
