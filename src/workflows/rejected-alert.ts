import { condition, setCurrentDetails, setHandler, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { Rejected, RejectedOutcome } from '../domain/feed/rejected.js';
import { HOUR_MS, MINUTE_MS } from '../domain/time.js';
import { rejectedQuery, tryAgainSignal, type RejectedInput } from './messages.js';
import { quick } from './outside.js';
import { goOnAsNew, now } from './support.js';

/** An incident that was stopped may be set going at any time, and what fails may work; what nobody understands waits. */
const SHORTEST_PAUSE_MS = MINUTE_MS;
const LONGEST_PAUSE_MS = HOUR_MS;

/**
 * Keeps one alert that a feed could not take to an incident, whole, until it can. Tried again whenever a worker starts
 * (it may be a newer one) or the customers file has changed, and at times where only an incident's workflow stands in the
 * way, or nobody knows what does.
 */
export async function rejectedAlert(input: RejectedInput): Promise<void> {
  const { customerId, raw } = input;
  let shown: Rejected = input.shown;
  let asked = 0;
  let pauseMs = SHORTEST_PAUSE_MS;
  setHandler(tryAgainSignal, () => {
    asked += 1;
  });
  setHandler(rejectedQuery, () => ({ ...shown, raw }), { description: 'The alert as Defender sent it.' });
  for (;;) {
    setCurrentDetails(
      `**${shown.reason}**\n\n${shown.errors.map(({ path, message }) => `- ${path} ${message}`).join('\n')}`,
    );
    const seen = asked;
    if (shown.reason === 'incident-stopped' || shown.reason === 'failing') {
      await condition(() => asked !== seen, pauseMs);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    } else {
      await condition(() => asked !== seen);
    }
    const outcome: RejectedOutcome = await quick.deliverRejected.executeWithOptions(
      { summary: 'can it be taken now?' },
      [{ customerId, raw }],
    );
    if (outcome.is === 'delivered') return;
    shown = { ...shown, reason: outcome.reason, errors: outcome.errors, triedAt: now() };
    upsertMemo({ rejected: shown });
    if (workflowInfo().continueAsNewSuggested) return goOnAsNew<typeof rejectedAlert>({ customerId, raw, shown });
  }
}
