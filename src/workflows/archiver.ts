import { proxyActivities, setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { Outside } from '../domain/ports.js';
import type { ArchiverInput } from './messages.js';
import { goOnAsNew } from './support.js';

/**
 * Has every closed incident put into the archive: by looking, so that an archive that is away keeps no incident from closing, and is
 * caught up with. One activity is tried again and again, which is how it looks. It ends, and costs history, when something was
 * archived: the ends of the chains are then in the memo, out of reach of whoever can write to the archive alone.
 */
export async function archiver({ state: carried }: ArchiverInput): Promise<never> {
  const { archiveClosed } = proxyActivities<Pick<Outside, 'archiveClosed'>>({
    startToCloseTimeout: '3h',
    heartbeatTimeout: '15s',
    // After a worker's death; between looks the activity names its own pause.
    retry: { initialInterval: '2s', backoffCoefficient: 1 },
  });
  let state = carried ?? null;
  for (;;) {
    setCurrentDetails(
      state === null
        ? 'Begins to archive what is closed.'
        : `Entries in the archive: ${Object.values(state.heads).reduce((sum, { seq }) => sum + seq, 0)}`,
    );
    state = await archiveClosed.executeWithOptions({ summary: 'which closed incidents are not in the archive?' }, [
      { state },
    ]);
    upsertMemo({ archiver: state });
    if (workflowInfo().continueAsNewSuggested) return goOnAsNew<typeof archiver>({ state });
  }
}
