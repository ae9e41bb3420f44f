import { allHandlersFinished, condition, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { reasonSchema, type CommandOutcome } from '../domain/commands.js';
import { approvalSchema, recordedRequestSchema, shorteningSchema } from '../domain/exclusion/commands.js';
import { exclusionDetails } from '../domain/exclusion/details.js';
import { evolve } from '../domain/exclusion/evolve.js';
import type { ExclusionFact } from '../domain/exclusion/facts.js';
import {
  judgeApproval,
  judgeCustomerRequest,
  judgeDecline,
  judgeRetry,
  judgeShortening,
  judgeWithdrawal,
} from '../domain/exclusion/judge.js';
import { inBusinessHours, next, type Step } from '../domain/exclusion/next.js';
import type { ExclusionRecord } from '../domain/exclusion/record.js';
import { exclusionSummary, exclusionView, type ExclusionSummary } from '../domain/exclusion/view.js';
import { exclusionSearch } from '../domain/lists.js';
import { assertNever } from '../domain/text.js';
import type { Instant } from '../domain/time.js';
import { commandsOf } from './commands.js';
import { ExclusionWork } from './exclusion/work.js';
import {
  exclusionApproveUpdate,
  exclusionDeclineUpdate,
  exclusionQuery,
  exclusionRequestUpdate,
  exclusionRetryUpdate,
  exclusionShortenUpdate,
  exclusionWithdrawUpdate,
  type ExclusionRequestInput,
} from './messages.js';
import { recorded } from './outside.js';
import { Alarm, goOnAsNew, now, Showcase } from './support.js';

/**
 * One exclusion from its proposal to its end: approved by others than its proposer, registered in business hours, taken
 * back when its time is over. A loop: ask the rules what is next, begin it, wait until something has happened.
 *
 * @returns the record, once nothing of the exclusion is left to take back
 */
export async function exclusionRequest({ record: initial }: ExclusionRequestInput): Promise<ExclusionRecord> {
  let record = initial;
  let changes = 0;
  const touch = (): void => {
    changes += 1;
  };
  const apply = (fact: ExclusionFact): void => {
    const after = evolve(record, fact, now());
    if (after === record) return;
    record = after;
    touch();
  };
  const work = new ExclusionWork(() => record, apply, touch);
  const alarm = new Alarm();
  const startedFresh = workflowInfo().continuedFromExecutionRunId === undefined;
  const showcase = new Showcase<{ exclusion: ExclusionSummary }>(
    ({ exclusion }) => exclusionSearch(exclusion),
    ({ exclusion }) => JSON.stringify(exclusion),
    startedFresh ? { exclusion: exclusionSummary(initial) } : undefined,
  );

  const command = commandsOf({
    handled: () => record.handled,
    keep: (handled) => apply({ type: 'command-handled', ...handled }),
  });
  const take = (fact: ExclusionFact): CommandOutcome => {
    apply(fact);
    return { revision: record.revision, at: now() };
  };
  command(
    exclusionRequestUpdate,
    recordedRequestSchema,
    'The customer asks for the registration.',
    ({ body }) => judgeCustomerRequest(record, body, now()),
    ({ body, actor }) => take({ type: 'customer-requested', request: body, actor }),
  );
  command(
    exclusionApproveUpdate,
    approvalSchema,
    'By another operator than the one who proposed it.',
    ({ actor }) => judgeApproval(record, actor, now()),
    ({ body: { reason = '' }, actor }) => take({ type: 'approved', actor, reason }),
  );
  command(
    exclusionDeclineUpdate,
    reasonSchema,
    'It is not to be registered.',
    () => judgeDecline(record, now()),
    ({ body: { reason }, actor }) => take({ type: 'declined', actor, reason }),
  );
  command(
    exclusionWithdrawUpdate,
    reasonSchema,
    'Whoever wanted it no longer does.',
    () => judgeWithdrawal(record, now()),
    ({ body: { reason }, actor }) => take({ type: 'withdrawn', actor, reason }),
  );
  command(
    exclusionShortenUpdate,
    shorteningSchema,
    'It ends sooner, or now.',
    ({ body: { expiresAt } }) => judgeShortening(record, expiresAt, now()),
    ({ body: { expiresAt, reason }, actor }) => take({ type: 'expiry-shortened', expiresAt, actor, reason }),
  );
  command(
    exclusionRetryUpdate,
    reasonSchema,
    'What has failed is tried again.',
    () => judgeRetry(record, now()),
    ({ body: { reason }, actor }) => take({ type: 'retry-asked', actor, reason }),
  );
  setHandler(exclusionQuery, () => exclusionView(record), {
    description: 'The whole exclusion: how far it is, what it has set, what happened.',
  });

  for (;;) {
    const seen = changes;
    const step = await nextStep();
    if (changes !== seen) continue;
    const until = begin(step);
    showcase.show({ exclusion: exclusionSummary(record) });
    setCurrentDetails(exclusionDetails(record));
    if (changes !== seen) continue;

    // From here to the return nothing is awaited: a command that comes now starts another task, which sees it.
    const isQuiet = work.isIdle && allHandlersFinished();
    if (isQuiet && step.do === 'nothing') {
      alarm.stop();
      return record;
    }
    if (isQuiet && workflowInfo().continueAsNewSuggested) {
      alarm.stop();
      return goOnAsNew<typeof exclusionRequest>({ record });
    }
    alarm.set(until === null ? undefined : { at: until, why: step.do });
    const isLeaving = step.do === 'nothing' || workflowInfo().continueAsNewSuggested;
    await condition(() => changes !== seen || alarm.fired || (isLeaving && work.isIdle && allHandlersFinished()));
  }

  /**
   * Not by a local activity: pieces of work end beside it, and where a worker is told to stop in between, a later replay
   * may meet the two in another order.
   */
  async function nextStep(): Promise<Step> {
    const step = next(record, now());
    if (step.do !== 'register' || work.isSetting(step.parts)) return step;
    const at = now();
    const opening = await recorded.readBusinessHours.executeWithOptions({ summary: 'is it business hours?' }, [{ at }]);
    return inBusinessHours(step, record, at, opening);
  }

  /** Begins what is to be done, if it is not under way; returns when to look again where nothing else happens before. */
  function begin(step: Step): Instant | null {
    if (record.ended === null) work.keep();
    else work.stopSetting();
    switch (step.do) {
      case 'await-customer-request':
      case 'await-approval':
      case 'await-retry':
      case 'wait':
        return step.until;
      case 'await-calendar':
        work.tellCalendar(step.date);
        return step.until;
      case 'wait-for-business-hours':
        apply({ type: 'waiting', until: step.opensAt });
        return step.until;
      case 'register':
        work.set(step.parts);
        return record.expiresAt;
      case 'confirm':
        work.confirm();
        return record.expiresAt;
      case 'remind':
        work.remind();
        return record.expiresAt;
      case 'expire':
        apply({ type: 'expired' });
        return null;
      case 'remove':
        work.remove(step.parts);
        return null;
      case 'tell-end':
        work.tellEnd();
        return null;
      case 'nothing':
        return null;
      default:
        return assertNever(step);
    }
  }
}
