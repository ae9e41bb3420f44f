import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { MAILBOX_ID, mailboxStateSchema } from '../domain/mailbox/state.js';
import type { MailboxInput } from '../workflows/messages.js';
import { newestRun } from './executions.js';
import type { Reach } from './incidents.js';

/** Sees to it that the mailbox is read: starts that where nothing does, as it stood. Idempotent, so that every worker does it now and then. */
export async function ensureMailbox({ client, taskQueue }: Reach): Promise<void> {
  const newest = await newestRun(client, MAILBOX_ID);
  if (newest?.isOpen === true) return;
  const state = newest === undefined ? null : (mailboxStateSchema.safeParse(newest.memo['mailbox']).data ?? null);
  const input: MailboxInput = { state };
  try {
    await client.workflow.start('mailbox', {
      workflowId: MAILBOX_ID,
      taskQueue,
      args: [input],
      ...(state === null ? {} : { memo: { mailbox: state } }),
      staticSummary: 'reads the mailbox that customers answer to',
    });
  } catch (error) {
    // Another worker was faster.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
