import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { TakenMail, InquiryNews } from '../domain/customer-mail/news.js';
import type { BouncedReply } from '../domain/inquiry/bounce.js';
import { inquiryTitle } from '../domain/inquiry/details.js';
import { eachMailWaits, evolve, openInquiry } from '../domain/inquiry/evolve.js';
import type { InquiryRecord } from '../domain/inquiry/record.js';
import { inquirySummary, inquirySummarySchema, type InquirySummary } from '../domain/inquiry/view.js';
import { inquirySearch, isSet } from '../domain/lists.js';
import { MAIL_BEHIND } from '../domain/ports.js';
import { toInstant } from '../domain/time.js';
import {
  inquiryBouncedSignal,
  inquiryMailSignal,
  inquiryNewsSignal,
  type IncidentInput,
  type InquiryInput,
  type InquiryWorkflow,
} from '../workflows/messages.js';
import { signalRunning } from './executions.js';
import { findIncident, incidentStart, type Reach } from './incidents.js';
import { findRun, type KnownRun } from './known.js';
import { setGoing } from './set-going.js';

/** An inquiry as it can be read right now. */
export type KnownInquiry = KnownRun<InquiryRecord>;

export function findInquiry(client: Client, id: string): Promise<KnownInquiry | undefined> {
  return findRun<InquiryWorkflow>(client, 'inquiry', id);
}

export function memoInquiry(memo: Record<string, unknown> | undefined): InquirySummary | undefined {
  return inquirySummarySchema.safeParse(memo?.['inquiry']).data;
}

/** Between a look and a signal a workflow may end or begin; a few looks settle it. */
const MAX_LOOKS = 5;

/**
 * Hands a mail to its inquiry: to the one that runs, to the next run of one that has ended, or to a new one. Twice the same mail is
 * one.
 */
export async function tellInquiry(
  { client, taskQueue }: Reach,
  of: { inquiryId: string; customerId: string; incidentId: string | null },
  taken: TakenMail,
): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    if (await signalRunning(client, of.inquiryId, inquiryMailSignal, taken)) return;
    const known = await findInquiry(client, of.inquiryId);
    if (known?.state === 'running') continue;
    if (known?.state === 'stopped') {
      await setGoing(client, of.inquiryId);
      continue;
    }
    const at = toInstant(Date.now());
    const record = known === undefined ? openInquiry(of, at) : eachMailWaits(known.record);
    // What lists show from the first moment.
    const shown = inquirySummary(evolve(record, { type: 'mail-came', taken }, at));
    const input: InquiryInput = { record };
    try {
      await client.workflow.signalWithStart('inquiry', {
        workflowId: of.inquiryId,
        taskQueue,
        args: [input],
        signal: inquiryMailSignal,
        signalArgs: [taken],
        memo: { inquiry: shown },
        typedSearchAttributes: inquirySearch(shown).filter(isSet),
        staticSummary: inquiryTitle(record),
        priority: MAIL_BEHIND,
        workflowIdReusePolicy: known === undefined ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
  throw new Error(`the inquiry ${of.inquiryId} changes faster than it can be told`);
}

/** A reply that did not arrive; false where the inquiry is gone, or was stopped. */
export async function tellReplyBounced(client: Client, inquiryId: string, bounced: BouncedReply): Promise<boolean> {
  return signalRunning(client, inquiryId, inquiryBouncedSignal, bounced);
}

/** `stopped`: from outside; it can be set going again, and has heard nothing. `gone`: there is nobody to tell any more. */
export type Told = 'told' | 'stopped' | 'gone';

/** Tells an incident of its customer's mail. One that has ended goes on with its record for that, and ends again. */
export async function tellIncidentOfMail(
  { client, taskQueue }: Reach,
  incidentId: string,
  news: InquiryNews,
): Promise<Told> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    if (await signalRunning(client, incidentId, inquiryNewsSignal, news)) return 'told';
    const known = await findIncident(client, incidentId);
    if (known === undefined) return 'gone';
    if (known.state === 'stopped') return 'stopped';
    if (known.state === 'running') continue;
    const input: IncidentInput = { record: known.record };
    await client.workflow.signalWithStart('incident', {
      ...incidentStart(taskQueue, known.record),
      args: [input],
      signal: inquiryNewsSignal,
      signalArgs: [news],
    });
    return 'told';
  }
  throw new Error(`the incident ${incidentId} changes faster than it can be told`);
}
