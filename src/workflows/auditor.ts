import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { AUDIT_PACE, type Suspects } from '../domain/audit.js';
import type { Outside } from '../domain/ports.js';
import type { AuditorInput } from './messages.js';

/**
 * Watches the other workflows from outside: what was stopped or cannot go on says nothing itself. One activity is tried
 * again and again, which is how it looks; it ends, and costs history, only when something new has been told.
 */
export async function auditor({ told: carried = [], pace = AUDIT_PACE }: AuditorInput): Promise<never> {
  const { audit } = proxyActivities<Pick<Outside, 'audit'>>({
    startToCloseTimeout: '3m',
    heartbeatTimeout: '15s',
    retry: { initialInterval: pace.lookEveryMs, backoffCoefficient: 1 },
  });
  let told = carried;
  let suspects: Suspects = {};
  for (;;) {
    setCurrentDetails(`Looks for processes that stand still. Told of and not mended: ${told.length}`);
    ({ told, suspects = {} } = await audit.executeWithOptions({ summary: 'does any process stand still?' }, [
      { told, suspects, patienceMs: pace.patienceMs },
    ]));
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof auditor>({ told, pace });
  }
}
