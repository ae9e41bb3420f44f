import { activityInfo, Context, log } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { InputError } from '../domain/errors.js';
import { rejectedWorkflowId, type Rejected, type RejectedOutcome, type RejectReason } from '../domain/feed/rejected.js';
import { afterTold, feedNews } from '../domain/feed/news.js';
import {
  afterFailure,
  afterPage,
  countedAs,
  feedStateSchema,
  hasFailing,
  inTenant,
  isCheckpointDue,
  isGivenUp,
  isSeen,
  nextPage,
  pauseMs,
  spanOf,
  type FeedFailure,
  type FeedState,
  type Page,
  type Taken,
  type Version,
} from '../domain/feed/state.js';
import { searchKeys } from '../domain/lists.js';
import { feedMail } from '../domain/templates/feed.js';
import { messageIdOf } from '../domain/templates/thread.js';
import type { Policy } from '../domain/policy.js';
import type { Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { SECOND_MS, toInstant, toMs, type Instant } from '../domain/time.js';
import { USED_UP } from '../integrations/defender/caller.js';
import type { AlertPage, DefenderClient } from '../integrations/defender/client.js';
import { DefenderError } from '../integrations/defender/errors.js';
import { SignInError } from '../integrations/defender/sign-in.js';
import { bodyOf } from '../integrations/mail/body.js';
import type { MailSender } from '../integrations/mail/sender.js';
import type { Policies } from '../policy.js';
import { deliver, isOfTenant, type Delivered, type Delivery } from '../temporal/delivery.js';
import { isOutage } from '../temporal/grpc.js';
import { memoryMs } from '../temporal/memory.js';
import type { RejectedInput } from '../workflows/messages.js';
import { hashOf, looseIdOf, readingOf, type Reading } from './alert-reading.js';
import { alive, isTemporals } from './support.js';

export interface FeedDeps extends Delivery {
  policies: Policies;
  defender: DefenderClient;
  mail: MailSender;
  defaultApiBase: string;
  /** How far a tenant's first poll looks back. */
  feedLookBackMs: number;
  /** How long a feed may be in trouble before the SOC hears of it. Default: `TELL_FEED_AFTER_MS`. */
  tellFeedAfterMs?: number;
}

/** Alerts of one page that are taken to their incidents at the same time. */
const TAKEN_AT_ONCE = 8;
/** Temporal takes no payload over 2 MB. */
const MAX_RAW_LENGTH = 600_000;
/** The code of what nobody has foreseen. */
const INTERNAL = 'internal';

type Refused = Extract<RejectedOutcome, { is: 'rejected' }>;
type TakenOrFailed = Taken | { is: 'failed'; version: Version };
type Brought =
  Extract<Delivered, { is: 'opened' | 'updated' | 'unchanged' }> | Refused | { is: 'refused'; createdAt: Instant };

/**
 * What keeps a feed, whatever it is: a fault of the program too has to be shown and told, for it may last as long as any
 * refusal. What is Temporal's own goes on its way.
 */
export function failureOf(error: unknown): FeedFailure {
  if (error instanceof SignInError) return { code: error.code, message: error.message };
  if (error instanceof DefenderError) {
    const { code, kind, message, retryAfterMs } = error;
    return {
      code: kind === 'transient' || kind === 'throttled' ? kind : (code ?? kind),
      message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      isTooLarge: code === 'ERR_BAD_RESPONSE',
    };
  }
  if (isTemporals(error)) throw error;
  log.error('the feed met what nobody has foreseen', { err: error });
  return { code: INTERNAL, message: messageOf(error) };
}

/** Brings alerts in from Defender. */
export function feedActivities(deps: FeedDeps): Pick<Outside, 'pollFeed' | 'deliverRejected'> {
  const { client, taskQueue, policies, defender, mail, defaultApiBase, feedLookBackMs, tellFeedAfterMs } = deps;

  async function keepAside(customerId: string, raw: unknown, { reason, errors }: Refused): Promise<void> {
    const at = toInstant(Date.now());
    const text = JSON.stringify(raw);
    const cut = text.length > MAX_RAW_LENGTH;
    const shown: Rejected = {
      customerId,
      alertId: looseIdOf(raw),
      reason,
      errors: cut ? [...errors, { path: '', message: `is ${text.length} characters long; the rest was cut` }] : errors,
      receivedAt: at,
      triedAt: at,
    };
    const input: RejectedInput = { customerId, raw: text.slice(0, MAX_RAW_LENGTH), shown };
    try {
      await client.workflow.start('rejectedAlert', {
        workflowId: rejectedWorkflowId(customerId, hashOf(text)),
        taskQueue,
        args: [input],
        memo: { rejected: shown },
        typedSearchAttributes: [{ key: searchKeys.customerId, value: customerId }],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: `${customerId} · alert kept aside: ${reason}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Takes one alert to its incident, or says why it cannot be. Throws where the next try may. */
  async function bring(customerId: string, policy: Policy, reading: Reading, openedAfter?: number): Promise<Brought> {
    if (reading.is === 'not-understood') return rejected('not-understood', reading.errors);
    if (reading.is === 'fault') throw reading.fault;
    const { alert, news, version } = reading;
    if (!isOfTenant(alert, policy)) {
      return rejected('other-tenant', [{ path: 'aadTenantId', message: "is not the customer's tenant" }]);
    }
    // What was closed before then is forgotten: nobody could tell whether it was judged.
    const opens = Date.now() - toMs(news.alert.createdAt) < (await memoryMs(client));
    const delivered = await deliver(deps, customerId, policy, news, {
      opens,
      ...(openedAfter === undefined ? {} : { openedAfter }),
    });
    switch (delivered.is) {
      case 'opened':
      case 'updated':
      case 'unchanged':
        return delivered;
      case 'stopped':
        return rejected('incident-stopped', [
          { path: '', message: `${delivered.incidentId}: its workflow was stopped from outside` },
        ]);
      case 'unsettled':
        if (!opens) return { is: 'refused', createdAt: news.alert.createdAt };
        throw new Error(`${version.key} changes faster than it can be told`);
    }
  }

  /** As `bring`; what fails for this alert alone is a reason to keep it aside, and says nothing of the others. */
  async function bringOrSay(...[customerId, policy, reading, openedAfter]: Parameters<typeof bring>): Promise<Brought> {
    try {
      return await bring(customerId, policy, reading, openedAfter);
    } catch (error) {
      if (!isOfTheAlert(error)) throw error;
      log.error('an alert could not be taken to its incident', { customerId, alert: reading.version.key, err: error });
      return rejected('failing', [{ path: '', message: messageOf(error) }]);
    }
  }

  async function take(customerId: string, policy: Policy, state: FeedState, reading: Reading): Promise<TakenOrFailed> {
    const { version, raw } = reading;
    const brought = await bringOrSay(customerId, policy, reading, state.counts.seen);
    switch (brought.is) {
      case 'rejected':
        if (brought.reason === 'failing' && !isGivenUp(state, version.key)) return { is: 'failed', version };
        await keepAside(customerId, raw, brought);
        return { is: 'rejected', version };
      case 'refused':
        return { is: 'refused', version, createdAt: brought.createdAt };
      default:
        return { is: countedAs(state, version, brought), version };
    }
  }

  async function takePage(
    customerId: string,
    policy: Policy,
    state: FeedState,
    askedAt: Instant,
    { rows, hasMore }: AlertPage,
  ): Promise<Page> {
    const readings = rows.map(readingOf);
    const taken: Taken[] = [];
    const failed: string[] = [];
    const waiting = readings.filter(({ version }) => !isSeen(state, version));
    const lane = async (): Promise<void> => {
      for (let reading = waiting.shift(); reading !== undefined; reading = waiting.shift()) {
        const one = await take(customerId, policy, state, reading);
        if (one.is === 'failed') failed.push(one.version.key);
        else taken.push(one);
      }
    };
    await Promise.all(Array.from({ length: TAKEN_AT_ONCE }, lane));
    const changes = readings.flatMap(({ version: { changedAt } }) => changedAt ?? []);
    return { askedAt, rows: rows.length, hasMore, ...spanOf(changes), taken, failed };
  }

  async function tellSoc(
    customerId: string,
    policy: Policy,
    state: FeedState,
    signal: AbortSignal,
  ): Promise<FeedState> {
    let next = state;
    for (const news of feedNews(state, toInstant(Date.now()), tellFeedAfterMs)) {
      const { socMailTo, mailDomain } = policy.service;
      const { kind, letters, ...envelope } = feedMail(news, policy.customer, socMailTo);
      // A number alone comes again when the counts begin anew, and a mail of the same id may be dropped as known.
      const about =
        news.about === 'rejected'
          ? `rejected:${state.startedAt}:${state.counts.rejected}`
          : `${news.about}:${news.since}`;
      await mail.send(
        {
          ...envelope,
          ...bodyOf(letters),
          messageId: messageIdOf(`feed:${customerId}`, about, mailDomain),
          references: [],
          headers: { 'X-Mimamori-Kind': kind },
        },
        signal,
      );
      next = afterTold(next, news, toInstant(Date.now()));
    }
    return next;
  }

  return {
    async pollFeed({ customerId, state: carried }) {
      const info = activityInfo();
      const heartbeat: unknown = info.heartbeatDetails;
      const stood = feedStateSchema.safeParse(heartbeat).data ?? carried;
      const policy = policies.find(customerId);
      if (policy === undefined) return { state: stood, ended: true };
      const { tenantId, apiBase = defaultApiBase, pollIntervalSeconds } = policy.customer.defender;
      let state = inTenant(stood, tenantId, toInstant(Date.now()), feedLookBackMs);
      let retryAfterMs: number | undefined;
      return alive(
        async (signal) => {
          try {
            do {
              const askedAt = toInstant(Date.now());
              const answer = await defender.listAlerts({ tenantId, apiBase }, nextPage(state, askedAt), signal);
              const page = await takePage(customerId, policy, state, askedAt, answer);
              state = afterPage(state, page, toInstant(Date.now()));
              Context.current().heartbeat(state);
            } while (state.pass !== null && !hasFailing(state));
          } catch (error) {
            const failure = failureOf(error);
            retryAfterMs = failure.retryAfterMs;
            // That it leaves room for isolations is no trouble.
            if (!isUsedUp(error)) state = afterFailure(state, failure, toInstant(Date.now()));
          }
          // A mail that cannot be sent now is sent at the next poll: it is not told yet.
          state = await tellSoc(customerId, policy, state, signal).catch((error: unknown) => {
            if (isTemporals(error)) throw error;
            return state;
          });
          Context.current().heartbeat(state);
          if (isCheckpointDue(toInstant(info.scheduledTimestampMs), toInstant(Date.now())))
            return { state, ended: false };
          // A failure that is none: the next try is the next poll, and costs no history.
          throw ApplicationFailure.create({
            type: 'PollAgain',
            message: state.trouble?.message ?? 'polls again',
            nextRetryDelay: Math.max(1, pauseMs(state, pollIntervalSeconds * SECOND_MS, retryAfterMs)),
            category: 'BENIGN',
          });
        },
        () => state,
      );
    },

    async deliverRejected({ customerId, raw }) {
      const policy = policies.find(customerId);
      if (policy === undefined) {
        return rejected('not-understood', [{ path: 'customerId', message: 'is no customer any more' }]);
      }
      let alert: unknown;
      try {
        alert = JSON.parse(raw);
      } catch {
        return rejected('not-understood', [{ path: '', message: 'was too long to be kept whole' }]);
      }
      const brought = await bringOrSay(customerId, policy, readingOf(alert));
      if (brought.is === 'rejected') return brought;
      if (brought.is !== 'refused') return { is: 'delivered', incidentId: brought.incidentId };
      return rejected('not-understood', [{ path: 'alertCreationTime', message: 'is older than what is remembered' }]);
    },
  };
}

function isUsedUp(error: unknown): boolean {
  return error instanceof DefenderError && error.code === USED_UP;
}

function rejected(reason: RejectReason, errors: InputError[]): Refused {
  return { is: 'rejected', reason, errors };
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), 300);
}

/** Is it this alert that cannot be taken, as far as one can tell, and not Temporal that is away or this worker that ends? */
function isOfTheAlert(error: unknown): boolean {
  return !isOutage(error) && !isTemporals(error);
}
