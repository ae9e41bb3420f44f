import {
  allHandlersFinished,
  condition,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { assignSchema, type CommandOutcome } from '../domain/commands.js';
import { meantMail } from '../domain/customer-mail/named.js';
import { takenMailSchema } from '../domain/customer-mail/news.js';
import {
  inquiryAnswerSchema,
  inquiryClosureSchema,
  inquiryReferralSchema,
  isAnswerSchema,
} from '../domain/inquiry/commands.js';
import { inquiryDetails } from '../domain/inquiry/details.js';
import { eachMailWaits, evolve } from '../domain/inquiry/evolve.js';
import type { InquiryFact } from '../domain/inquiry/facts.js';
import { bouncedReplySchema } from '../domain/inquiry/bounce.js';
import { judgeCloseInquiry, judgeIsAnswer, judgeReply } from '../domain/inquiry/judge.js';
import type { InquiryRecord } from '../domain/inquiry/record.js';
import { dueReminder, inquirySummary, inquiryView, nextReminder, type InquirySummary } from '../domain/inquiry/view.js';
import { inputErrors } from '../domain/input.js';
import { inquirySearch } from '../domain/lists.js';
import type { Policy } from '../domain/policy.js';
import { clip } from '../domain/text.js';
import { MINUTE_MS, plus, toMs, type Instant } from '../domain/time.js';
import { commandsOf } from './commands.js';
import { InquiryWork } from './inquiry/work.js';
import {
  inquiryAnswerUpdate,
  inquiryAssignUpdate,
  inquiryBouncedSignal,
  inquiryCloseUpdate,
  inquiryIsAnswerUpdate,
  inquiryMailSignal,
  inquiryQuery,
  inquiryReferUpdate,
  type InquiryInput,
} from './messages.js';
import { recorded } from './outside.js';
import { Alarm, goOnAsNew, now, Showcase } from './support.js';

const MAX_PAYLOAD = 800;
const POLICY_AGAIN_MS = 10 * MINUTE_MS;

/**
 * One conversation that the customer has begun, until everything in it has been answered; then it stays for a while, and a
 * further mail opens it again. A loop: wait until something has happened, do what has not been done, wait again.
 *
 * @returns the record, from which a later run goes on when another mail comes
 */
export async function inquiry({ record: initial }: InquiryInput): Promise<InquiryRecord> {
  let record = initial;
  let changes = 0;
  const touch = (): void => {
    changes += 1;
  };
  const apply = (fact: InquiryFact): void => {
    const after = evolve(record, fact, now());
    if (after === record) return;
    record = after;
    touch();
  };
  const work = new InquiryWork(() => record, apply, touch, readPolicy);
  const alarm = new Alarm();
  const startedFresh = workflowInfo().continuedFromExecutionRunId === undefined;
  const showcase = new Showcase<{ inquiry: InquirySummary }>(
    ({ inquiry: shown }) => inquirySearch(shown),
    ({ inquiry: shown }) => JSON.stringify(shown),
    startedFresh ? { inquiry: inquirySummary(initial) } : undefined,
  );

  function rejected(signal: string, payload: unknown, errors: ReturnType<typeof inputErrors>): void {
    apply({
      type: 'signal-rejected',
      signal,
      errors,
      payload: clip(payload === undefined ? 'nothing' : JSON.stringify(payload), MAX_PAYLOAD),
    });
  }
  setHandler(
    inquiryMailSignal,
    (payload: unknown) => {
      const parsed = takenMailSchema.safeParse(payload);
      if (parsed.success) apply({ type: 'mail-came', taken: parsed.data });
      else rejected(inquiryMailSignal.name, payload, inputErrors(parsed.error));
    },
    { description: 'A mail of the customer’s. The same one again changes nothing.' },
  );
  setHandler(
    inquiryBouncedSignal,
    (payload: unknown) => {
      const parsed = bouncedReplySchema.safeParse(payload);
      if (parsed.success) apply({ type: 'reply-bounced', ...parsed.data });
      else rejected(inquiryBouncedSignal.name, payload, inputErrors(parsed.error));
    },
    { description: 'A reply did not reach the customer.' },
  );

  const command = commandsOf({
    handled: () => record.handled,
    keep: (handled) => apply({ type: 'command-handled', ...handled }),
  });
  const take = (fact: InquiryFact): CommandOutcome => {
    apply(fact);
    return { revision: record.revision, at: now() };
  };
  command(
    inquiryAnswerUpdate,
    inquiryAnswerSchema,
    'A reply to the customer, in the thread.',
    ({ body: { seen } }) => judgeReply(record, seen),
    ({ body, actor }) => take({ type: 'answered', ...body, actor }),
  );
  command(
    inquiryReferUpdate,
    inquiryReferralSchema,
    'The product’s own support desk answers it: a reply that names it.',
    ({ body: { seen } }) => judgeReply(record, seen),
    ({ body, actor }) => take({ type: 'referred', text: null, ...body, actor }),
  );
  command(
    inquiryAssignUpdate,
    assignSchema,
    'Who answers it.',
    () => undefined,
    ({ body: { operatorId }, actor }) => take({ type: 'assigned', operatorId, actor }),
  );
  command(
    inquiryCloseUpdate,
    inquiryClosureSchema,
    'Nothing has to be answered.',
    ({ body: { seen } }) => judgeCloseInquiry(record, seen),
    ({ body, actor }) => take({ type: 'closed', ...body, actor }),
  );
  command(
    inquiryIsAnswerUpdate,
    isAnswerSchema,
    'The mail answers what the incident has asked.',
    ({ body: { mail } }) => judgeIsAnswer(record, mail),
    ({ body: { mail }, actor }) => {
      const meant = meantMail(record.mails, mail);
      return take({ type: 'is-answer', mailKey: 'code' in meant ? '' : meant.mail.key, actor });
    },
  );
  setHandler(inquiryQuery, () => inquiryView(record), {
    description: 'The whole conversation: the customer’s mails, the replies, what happened.',
  });

  let policy: Policy | undefined;
  for (;;) {
    const seen = changes;
    policy ??= await readPolicy();
    const { service } = policy;
    remind(service.inquiryRemindMinutes ?? [], policy);
    work.start();
    showcase.show({ inquiry: inquirySummary(record) });
    setCurrentDetails(inquiryDetails(record));
    if (changes !== seen) continue;

    // From here to the return nothing is awaited: a signal that comes now starts another task, which sees it.
    const isQuiet = work.isIdle && allHandlersFinished();
    const endsAt = record.waitingSince === null ? plus(record.updatedAt, service.lingerMs) : undefined;
    const hasEnded = endsAt !== undefined && toMs(now()) >= toMs(endsAt);
    if (isQuiet && hasEnded) {
      alarm.stop();
      return record;
    }
    if (isQuiet && workflowInfo().continueAsNewSuggested) {
      alarm.stop();
      return goOnAsNew<typeof inquiry>({ record: eachMailWaits(record) });
    }
    alarm.set(wake(endsAt, service.inquiryRemindMinutes ?? []));
    const isLeaving = hasEnded || workflowInfo().continueAsNewSuggested;
    await condition(() => changes !== seen || alarm.fired || (isLeaving && work.isIdle && allHandlersFinished()));
  }

  function remind(remindAfterMinutes: readonly number[], by: Policy): void {
    const minutes = dueReminder(record, remindAfterMinutes, now());
    if (minutes === undefined) return;
    apply({ type: 'reminded', minutes });
    work.remind(minutes, by);
  }

  function wake(endsAt: Instant | undefined, remindAfterMinutes: readonly number[]) {
    const reminder = nextReminder(record, remindAfterMinutes);
    if (reminder !== undefined) return { at: reminder.at, why: 'reminds the SOC of what is unanswered' };
    return endsAt === undefined ? undefined : { at: endsAt, why: 'everything is answered; stays for a further mail' };
  }

  /**
   * Of a customer who has left the file the one that was in force. Without any nobody knows whom to write to: the customer
   * may come back.
   */
  async function readPolicy(): Promise<Policy> {
    const { customerId } = record;
    for (;;) {
      const summary = "the customer's addresses";
      const read = await recorded.readPolicy.executeWithOptions({ summary }, [{ customerId }]);
      if (read !== null) return read;
      if (policy !== undefined && patched('goes-on-by-kept-policy')) return policy;
      await sleep(POLICY_AGAIN_MS, { summary: 'the customer is not in the customers file' });
    }
  }
}
