import { STRANGERS_ID, type StrangersNews } from '../domain/held-mail/strangers.js';
import { MAIL_BEHIND } from '../domain/ports.js';
import { strangersMailSignal, type StrangersInput } from '../workflows/messages.js';
import type { Reach } from './incidents.js';

/** Brings a stranger's mail to what tells the SOC of them, and starts that where nothing does. */
export async function tellOfStranger({ client, taskQueue }: Reach, news: StrangersNews): Promise<void> {
  const input: StrangersInput = {};
  await client.workflow.signalWithStart('strangers', {
    workflowId: STRANGERS_ID,
    taskQueue,
    args: [input],
    signal: strangersMailSignal,
    signalArgs: [news],
    staticSummary: 'tells the SOC of strangers’ mails, at most once an hour',
    priority: MAIL_BEHIND,
  });
}
