import { createHash } from 'node:crypto';
import { activityInfo, Context } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { AlertNews } from '../domain/alert.js';
import { defenderAlertSchema, type DefenderAlert } from '../domain/defender.js';
import type { InputError } from '../domain/errors.js';
import { rejectedWorkflowId, type Rejected, type RejectedOutcome, type RejectReason } from '../domain/feed/rejected.js';
import {
  afterFailure,
  afterPage,
  afterTold,
  countedAs,
  feedNews,
  feedStateSchema,
  isCheckpointDue,
  isSeen,
  nextPage,
  openFeed,
  pauseMs,
  type FeedFailure,
  type FeedState,
  type Taken,
  type Version,
} from '../domain/feed/state.js';
import { inputErrors } from '../domain/input.js';
import { searchKeys } from '../domain/lists.js';
import { feedMail } from '../domain/mails/feed.js';
import { messageIdOf } from '../domain/mails/thread.js';
import type { Policy } from '../domain/policy.js';
import type { Outside } from '../domain/ports.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS, toInstant, toMs, type Instant } from '../domain/time.js';
import type { DefenderClient } from '../integrations/defender/client.js';
import { DefenderError } from '../integrations/defender/errors.js';
import { SignInError } from '../integrations/defender/sign-in.js';
import type { MailSender } from '../integrations/mail/sender.js';
import type { Policies } from '../policy.js';
import { deliver, isOfTenant, newsOf, type Delivered, type Delivery } from '../temporal/delivery.js';
import type { RejectedInput } from '../workflows/messages.js';
import { alive, isTemporals, tryAgain } from './support.js';

export interface FeedDeps extends Delivery {
  policies: Policies;
  defender: DefenderClient;
  mail: MailSender;
  defaultApiBase: string;
  /** How far a tenant's first poll looks back. */
  feedLookBackMs: number;
}

/** Alerts of one page that are taken to their incidents at the same time. */
const TAKEN_AT_ONCE = 8;
/** Leaves two thirds of Defender's hundred calls a minute to isolations and look-ups. */
const CALLS_PER_MINUTE = 30;
/** Temporal takes no payload over 2 MB. */
const MAX_RAW_LENGTH = 600_000;

/** What is read of an alert that cannot be read, to name it. */
const looseIdSchema = z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) });

/** One row of Defender's list: an alert, or what nobody can read. */
type Reading =
  | { version: Version; alert: DefenderAlert; news: AlertNews }
  | { version: Version; news?: undefined; errors: InputError[] };

type Refused = Extract<RejectedOutcome, { is: 'rejected' }>;
type Brought =
  Extract<Delivered, { is: 'opened' | 'updated' | 'unchanged' }> | Refused | { is: 'refused'; createdAt: Instant };

function failureOf(error: unknown): FeedFailure {
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
  throw error;
}

/** Brings alerts in from Defender. */
export function feedActivities(deps: FeedDeps): Pick<Outside, 'pollFeed' | 'deliverRejected'> {
  const { client, taskQueue, policies, defender, mail, defaultApiBase, feedLookBackMs } = deps;
  const calledAtMs = new Map<string, number[]>();
  let remembered: Promise<number> | undefined;
  let rememberedAtMs = 0;

  /** For how long Temporal remembers a closed incident, in ms. */
  function memoryMs(): Promise<number> {
    if (remembered !== undefined && Date.now() - rememberedAtMs < HOUR_MS) return remembered;
    rememberedAtMs = Date.now();
    remembered = client.workflowService
      .describeNamespace({ namespace: client.options.namespace })
      .then(({ config }) => Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * SECOND_MS || Infinity);
    remembered.catch(() => {
      remembered = undefined;
    });
    return remembered;
  }

  /** How long this tenant's feed has to wait, so that others of the tenant find room; 0 counts the call that follows. */
  function waitsMs(customerId: string): number {
    const nowMs = Date.now();
    const recent = (calledAtMs.get(customerId) ?? []).filter((atMs) => nowMs - atMs < MINUTE_MS);
    const [first] = recent;
    if (first !== undefined && recent.length >= CALLS_PER_MINUTE) return first + MINUTE_MS - nowMs;
    calledAtMs.set(customerId, [...recent, nowMs]);
    return 0;
  }

  async function keepAside(customerId: string, raw: unknown, { reason, errors }: Refused): Promise<void> {
    const at = toInstant(Date.now());
    const text = JSON.stringify(raw);
    const cut = text.length > MAX_RAW_LENGTH;
    const shown: Rejected = {
      customerId,
      alertId: looseIdSchema.safeParse(raw).data?.id.slice(0, 200) ?? null,
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
    if (reading.news === undefined) return rejected('not-understood', reading.errors);
    const { alert, news, version } = reading;
    if (!isOfTenant(alert, policy)) {
      return rejected('other-tenant', [{ path: 'aadTenantId', message: "is not the customer's tenant" }]);
    }
    // What was closed before then is forgotten: nobody could tell whether it was judged.
    const opens = Date.now() - toMs(news.alert.createdAt) < (await memoryMs());
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
        throw tryAgain('Unsettled', new Error(`${version.key} changes faster than it can be told`));
    }
  }

  async function take(customerId: string, policy: Policy, state: FeedState, raw: unknown): Promise<Taken[]> {
    const reading = readingOf(raw);
    const { version } = reading;
    if (isSeen(state, version)) return [];
    const brought = await bring(customerId, policy, reading, state.counts.seen);
    switch (brought.is) {
      case 'rejected':
        await keepAside(customerId, raw, brought);
        return [{ is: 'rejected', version }];
      case 'refused':
        return [{ is: 'refused', version, createdAt: brought.createdAt }];
      default:
        return [{ is: countedAs(state, version, brought), version }];
    }
  }

  async function takePage(
    customerId: string,
    policy: Policy,
    state: FeedState,
    rows: readonly unknown[],
  ): Promise<Taken[]> {
    const taken: Taken[] = [];
    const waiting = [...rows];
    const lane = async (): Promise<void> => {
      for (let raw = waiting.shift(); raw !== undefined; raw = waiting.shift()) {
        taken.push(...(await take(customerId, policy, state, raw)));
      }
    };
    await Promise.all(Array.from({ length: TAKEN_AT_ONCE }, lane));
    return taken;
  }

  async function tellSoc(
    customerId: string,
    policy: Policy,
    state: FeedState,
    signal: AbortSignal,
  ): Promise<FeedState> {
    let next = state;
    for (const news of feedNews(state, toInstant(Date.now()))) {
      const { socMailTo, mailDomain } = policy.service;
      const { kind, ...rendered } = feedMail(news, policy.customer, socMailTo);
      const about = news.about === 'rejected' ? `rejected:${state.counts.rejected}` : `${news.about}:${news.since}`;
      await mail.send(
        {
          ...rendered,
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
      const policy = policies.find(customerId);
      if (policy === undefined) return { state: carried, ended: true };
      const info = activityInfo();
      const heartbeat: unknown = info.heartbeatDetails;
      const { tenantId, apiBase = defaultApiBase, pollIntervalSeconds } = policy.customer.defender;
      let state =
        feedStateSchema.safeParse(heartbeat).data ?? carried ?? openFeed(toInstant(Date.now()), feedLookBackMs);
      let retryAfterMs: number | undefined;
      return alive(
        async (signal) => {
          try {
            do {
              const waitMs = waitsMs(customerId);
              if (waitMs > 0) {
                retryAfterMs = waitMs;
                break;
              }
              const page = nextPage(state);
              const rows = await defender.listAlerts({ tenantId, apiBase }, page, signal);
              const taken = await takePage(customerId, policy, state, rows);
              state = afterPage(state, rows.length, taken, toInstant(Date.now()));
              Context.current().heartbeat(state);
            } while (state.pass !== null);
          } catch (error) {
            if (isTemporals(error)) throw error;
            const failure = failureOf(error);
            retryAfterMs = failure.retryAfterMs;
            state = afterFailure(state, failure, toInstant(Date.now()));
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
      const brought = await bring(customerId, policy, readingOf(alert));
      if (brought.is === 'rejected') return brought;
      if (brought.is !== 'refused') return { is: 'delivered', incidentId: brought.incidentId };
      return rejected('not-understood', [{ path: 'alertCreationTime', message: 'is older than what is remembered' }]);
    },
  };
}

function rejected(reason: RejectReason, errors: InputError[]): Refused {
  return { is: 'rejected', reason, errors };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readingOf(raw: unknown): Reading {
  const parsed = defenderAlertSchema.safeParse(raw);
  if (!parsed.success) {
    const fingerprint = hashOf(JSON.stringify(raw));
    const version = { key: `?${fingerprint.slice(0, 16)}`, fingerprint, changedAt: toInstant(Date.now()) };
    return { version, errors: inputErrors(parsed.error) };
  }
  const news = newsOf(parsed.data);
  const { alertId, createdAt, lastUpdateAt } = news.alert;
  const version = { key: alertId, fingerprint: news.fingerprint, changedAt: lastUpdateAt ?? createdAt };
  return { version, alert: parsed.data, news };
}
