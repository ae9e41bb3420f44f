import {
  allHandlersFinished,
  condition,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { CommandOutcome } from '../domain/commands.js';
import {
  carriedOn,
  endTuningSchema,
  evolveCustomer,
  exclusionChangeSchema,
  exclusionsBytes,
  hasRoomFor,
  judgeEndTuning,
  judgeTuning,
  openCustomer,
  tuningSchema,
  type CustomerFact,
  type CustomerMemo,
  type CustomerRecord,
} from '../domain/customers/record.js';
import type { Outside } from '../domain/ports.js';
import { SECOND_MS } from '../domain/time.js';
import { inputErrors } from '../domain/input.js';
import { commandsOf } from './commands.js';
import {
  customerQuery,
  endTuningUpdate,
  exclusionChangeSignal,
  exclusionsQuery,
  hasExclusionQuery,
  setTuningUpdate,
  type CustomerInput,
} from './messages.js';
import { goOnAsNew, now } from './support.js';

/** Lists lag: whoever came to wait for an isolation in this very moment is told by the second look. */
const TELL_AGAIN_AFTER_MS = 3 * SECOND_MS;

/** What changes about one customer at run time. Open incidents are told of each change, and read the policy anew. */
export async function customer({ customerId, record: carried }: CustomerInput): Promise<void> {
  let record: CustomerRecord = carried ?? openCustomer(customerId);
  const { tellPolicyChanged } = proxyActivities<Pick<Outside, 'tellPolicyChanged'>>({
    startToCloseTimeout: '1m',
    retry: { initialInterval: '1s', maximumInterval: '1m' },
  });
  // A new run has told nobody of what the one before may have been about to tell.
  let toldRevision = 1;
  const memo = (): CustomerMemo & Record<string, unknown> => ({
    tuningPeriods: record.tuningPeriods,
    exclusionsRevision: record.exclusionsRevision,
    exclusionsBytes: exclusionsBytes(record.exclusions),
  });

  const apply = (fact: CustomerFact): void => {
    record = evolveCustomer(record, fact, now());
  };

  const command = commandsOf({
    handled: () => record.handled,
    keep: (handled) => apply({ type: 'command-handled', ...handled }),
  });
  /** Shown at once: whoever reads the policy after this answer must find it. */
  const take = (fact: CustomerFact): CommandOutcome => {
    apply(fact);
    upsertMemo(memo());
    return { revision: record.revision, at: now() };
  };

  command(
    setTuningUpdate,
    tuningSchema,
    'No isolation inside this period.',
    ({ body }) => judgeTuning(record, body, now()),
    ({ body, actor }) => take({ type: 'tuning-set', body, actor }),
  );
  command(
    endTuningUpdate,
    endTuningSchema,
    'Ends a tuning period before its time. Isolates nobody by itself.',
    ({ body }) => judgeEndTuning(record, body, now()),
    ({ body, actor }) => take({ type: 'tuning-ended', body, actor }),
  );
  setHandler(
    exclusionChangeSignal,
    (payload: unknown) => {
      const parsed = exclusionChangeSchema.safeParse(payload);
      if (!parsed.success) {
        log.warn('a change of the exclusions was not understood and had no effect', {
          errors: inputErrors(parsed.error),
        });
        return;
      }
      const { data } = parsed;
      // Whoever has sent it looks whether it was taken.
      if (data.change === 'set' && !hasRoomFor(record, data.exclusion) && patched('room-for-exclusions')) return;
      apply(
        data.change === 'set'
          ? { type: 'exclusion-set', exclusion: data.exclusion }
          : { type: 'exclusion-ended', exclusionId: data.exclusionId },
      );
      upsertMemo(memo());
    },
    { description: "An exclusion's workflow has our own filter take it, or give it up." },
  );
  setHandler(exclusionsQuery, () => record.exclusions, { description: 'What our own filter matches alerts with.' });
  setHandler(
    hasExclusionQuery,
    (exclusionId: string) => record.exclusions.some((known) => known.exclusionId === exclusionId),
    { description: 'Does our own filter have that exclusion?' },
  );
  setHandler(customerQuery, () => ({ ...record, exclusions: [] }), {
    description: 'Tuning periods, and who set and ended them.',
  });

  const tell = (summary: string) => tellPolicyChanged.executeWithOptions({ summary }, [{ customerId }]);
  for (;;) {
    setCurrentDetails(detailsOf(record));
    await condition(() => record.revision !== toldRevision);
    toldRevision = record.revision;
    setCurrentDetails(detailsOf(record));
    await tell('open incidents read the policy anew');
    await condition(() => record.revision !== toldRevision, TELL_AGAIN_AFTER_MS, {
      summary: 'then whoever came meanwhile is told',
    });
    if (record.revision !== toldRevision) continue;
    await tell('whoever came meanwhile reads it too');
    if (record.revision === toldRevision && allHandlersFinished() && workflowInfo().continueAsNewSuggested) {
      return goOnAsNew<typeof customer>({ customerId, record: carriedOn(record) });
    }
  }
}

function detailsOf({ tuningPeriods }: CustomerRecord): string {
  if (tuningPeriods.length === 0) return 'No tuning period was set at run time.';
  const lines = tuningPeriods.map(
    ({ id, from, until, ended }) => `- ${id}: ${from} – ${until}${ended === null ? '' : `, ended ${ended.at}`}`,
  );
  return ['**Tuning periods**', '', ...lines].join('\n');
}
