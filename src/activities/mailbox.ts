import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { conversationOf } from '../domain/customer-mail/conversation.js';
import { MAIL_BYTES, type InboundMail } from '../domain/customer-mail/mail.js';
import {
  afterMail,
  afterReading,
  afterTold,
  afterTrouble,
  isMailboxCheckpointDue,
  mailGapMs,
  mailboxNews,
  mailboxPauseMs,
  mailboxStateSchema,
  MAILBOX_ID,
  openMailbox,
  type MailboxCount,
  type MailboxState,
} from '../domain/mailbox/state.js';
import { Suspects } from '../domain/mailbox/suspects.js';
import type { Outside } from '../domain/ports.js';
import { mailboxTroubleMail } from '../domain/templates/inbound-soc.js';
import { messageIdOf } from '../domain/templates/thread.js';
import { assertNever, oneLine } from '../domain/text.js';
import { MINUTE_MS, SECOND_MS, toInstant } from '../domain/time.js';
import { bodyOf } from '../integrations/mail/body.js';
import { parseInbound } from '../integrations/mail/inbound/index.js';
import type { MailSender } from '../integrations/mail/sender.js';
import {
  mailboxFolders,
  MailboxError,
  type MailboxClient,
  type MailboxFolder,
  type OpenMailbox,
  type WaitingMail,
} from '../integrations/mailbox/client.js';
import { BACKLOG, waitingTasks } from '../temporal/backlog.js';
import { isTrouble } from '../temporal/grpc.js';
import { tellIncidentOfMail } from '../temporal/inquiries.js';
import { hand, holdTooLarge, holdUnreadable, takeIn, type Intake, type MailOutcome } from '../temporal/mail-intake.js';
import { tellOfStranger } from '../temporal/strangers.js';
import { asTrace } from '../temporal/tracing.js';
import { alive, isTemporals } from './support.js';

export interface MailboxDeps extends Intake {
  mail: MailSender;
  /** Null where no mailbox is set: customers' mails then come by the webhook, or not at all. */
  mailbox: MailboxClient | null;
  /** Whose `Authentication-Results` are believed. */
  authservId: string | undefined;
}

/** Mails that are taken before those of them that are done are moved. */
const BATCH = 20;
/** Taken at the same time: enough to keep up, few enough to keep nobody else waiting. */
const TAKEN_AT_ONCE = 4;
const SHORT_HEAD_BYTES = 16 * 1024;
/** A server that tells nothing of new mails is asked again after this. */
const LOOK_AGAIN_MS = 30 * SECOND_MS;

/** At most between two tries to tell an incident that was stopped. */
const LONGEST_TELL_PAUSE_MS = MINUTE_MS;

/** So long at most the next mails wait for workflows that have not caught up all the same: a crowd elsewhere may last for hours. */
const CATCH_UP_MS = 5 * SECOND_MS;
const CATCH_UP_LOOK_MS = 100;

interface Done {
  uid: number;
  folder: MailboxFolder;
  count: MailboxCount;
}

function countOf({ is }: MailOutcome): MailboxCount {
  switch (is) {
    case 'inquiry':
      return 'taken';
    case 'recorded':
      return 'recorded';
    case 'report':
      return 'reports';
    case 'held':
      return 'held';
    case 'own':
      return 'own';
    default:
      return assertNever(is);
  }
}

/** Brings customers' mails in. */
export function mailboxActivities(
  deps: MailboxDeps,
): Pick<Outside, 'readMailbox' | 'passOnMail' | 'tellOfInquiry' | 'tellOfStranger'> {
  const { mailbox, mail: sender, policies, authservId } = deps;
  const { service } = policies;

  function parse(raw: Uint8Array, receivedAt: string): Promise<InboundMail> {
    return parseInbound(raw, {
      ownMessageIdDomain: service.mailDomain,
      receivedAt,
      ...(authservId === undefined ? {} : { authservId }),
    });
  }

  async function takeOne(raw: Buffer, { uid, sizeBytes, receivedAt }: WaitingMail): Promise<Done> {
    const mail = await parse(raw, receivedAt);
    if (sizeBytes > MAIL_BYTES.whole) {
      await holdTooLarge(deps, mail, sizeBytes);
      return { uid, folder: 'Attention', count: 'held' };
    }
    const outcome = await takeIn(deps, mail);
    return { uid, folder: outcome.is === 'held' ? 'Attention' : 'Processed', count: countOf(outcome) };
  }

  const suspects = new Suspects();
  const nameOf = ({ uid, receivedAt }: WaitingMail): string => `${uid} ${receivedAt}`;

  /** Held with no more than its head, or without even that: then it is known by its place in the mailbox. */
  async function giveUp(open: OpenMailbox, waiting: WaitingMail, isUnread: boolean): Promise<Done[]> {
    const raw = isUnread ? new Uint8Array() : await open.read(waiting.uid, SHORT_HEAD_BYTES);
    if (raw === undefined) return [];
    const head = await parse(raw, waiting.receivedAt);
    const bare = { ...head, newText: '', quotedText: '', attachments: [], isCut: true };
    const key = createHash('sha256').update(nameOf(waiting)).digest('hex').slice(0, 32);
    if (isUnread) await holdUnreadable(deps, { ...bare, key }, 'the mail server did not give it');
    else await holdUnreadable(deps, bare, 'could not be taken');
    return [{ uid: waiting.uid, folder: 'Attention', count: 'held' }];
  }

  /** Takes one mail, or says why not. Throws where it may not be the mail's fault. */
  async function tryOne(open: OpenMailbox, waiting: WaitingMail): Promise<Done[] | { failed: unknown }> {
    const name = nameOf(waiting);
    const suspicion = suspects.of(name);
    let isRead = false;
    try {
      if (suspicion === 'given-up' || suspicion === 'given-up-unread') {
        return await giveUp(open, waiting, suspicion === 'given-up-unread');
      }
      const { uid, sizeBytes } = waiting;
      const raw = await open.read(uid, sizeBytes > MAIL_BYTES.whole ? MAIL_BYTES.head : MAIL_BYTES.whole);
      if (raw === undefined) {
        // Gone, or listed and never given.
        suspects.failed(name, { isOwn: false, isRead });
        return [];
      }
      isRead = true;
      const done = await takeOne(raw, waiting);
      suspects.took(name);
      return [done];
    } catch (error) {
      if (isTemporals(error)) throw error;
      // Where the mailbox or Temporal does not answer, the mail is mostly not to blame.
      const isOwn = !(error instanceof MailboxError || isTrouble(error));
      suspects.failed(name, { isOwn, isRead });
      log.warn('a mail could not be taken', { uid: waiting.uid, err: error });
      if (!isOwn) throw error;
      return { failed: error };
    }
  }

  /**
   * Takes what waits, some at a time; a mail is moved only once it has been taken. What kept another mail, or the moving, is
   * returned beside what was done: that counts all the same.
   */
  async function takeBatch(
    open: OpenMailbox,
    waiting: readonly WaitingMail[],
    gapMs: number,
    signal: AbortSignal,
  ): Promise<{ done: Done[]; kept: unknown[] }> {
    const done: Done[] = [];
    const kept: unknown[] = [];
    const { mails: left, areSuspect } = suspects.next(waiting, nameOf);
    let slotMs = Date.now();
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const pauseMs = slotMs - Date.now();
        slotMs += gapMs;
        if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
        const taken = await asTrace('TakeMail', () => tryOne(open, next));
        if ('failed' in taken) kept.push(taken.failed);
        else done.push(...taken);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: areSuspect ? 1 : TAKEN_AT_ONCE }, lane));
    for (const result of lanes) if (result.status === 'rejected') kept.push(result.reason);
    const moved: Done[] = [];
    for (const folder of mailboxFolders) {
      const own = done.filter((each) => each.folder === folder);
      const uids = own.map(({ uid }) => uid);
      try {
        await open.move(uids, folder);
        moved.push(...own);
      } catch (error) {
        kept.push(error);
      }
    }
    return { done: moved, kept };
  }

  async function catchUp(signal: AbortSignal): Promise<void> {
    const { client, taskQueue } = deps;
    const deadlineMs = Date.now() + CATCH_UP_MS;
    while ((await waitingTasks(client, taskQueue, SECOND_MS)) >= BACKLOG && Date.now() < deadlineMs) {
      await sleep(CATCH_UP_LOOK_MS, undefined, { signal });
    }
  }

  async function tellSoc(state: MailboxState, signal: AbortSignal): Promise<MailboxState> {
    const news = mailboxNews(state, toInstant(Date.now()));
    if (news === undefined) return state;
    const { kind, letters, ...envelope } = mailboxTroubleMail({ service, ...news });
    const about = `warn:${news.isOver ? 'over' : 'trouble'}:${news.since}`;
    await sender.send(
      {
        ...envelope,
        ...bodyOf(letters),
        messageId: messageIdOf(MAILBOX_ID, about, service.mailDomain),
        references: [],
        headers: { 'X-Mimamori-Kind': kind },
      },
      signal,
    );
    return afterTold(state, news);
  }

  return {
    async tellOfInquiry({ incidentId, news }) {
      if ((await tellIncidentOfMail(deps, incidentId, news)) !== 'stopped') return;
      // Whoever sets it going again is to find the mail on it.
      throw ApplicationFailure.create({
        type: 'IncidentStopped',
        message: `${incidentId} was stopped from outside: told as soon as it goes on`,
        nextRetryDelay: Math.min(LONGEST_TELL_PAUSE_MS, 200 * 2 ** Math.min(activityInfo().attempt - 1, 10)),
        category: 'BENIGN',
      });
    },

    async passOnMail({ mail, inquiryId, acceptedBy }) {
      const conversation = conversationOf(inquiryId);
      if (conversation !== undefined) await hand(deps, mail, conversation, acceptedBy);
    },

    tellOfStranger: (news) => tellOfStranger(deps, news),

    async readMailbox({ state: carried }) {
      const info = activityInfo();
      const heartbeat: unknown = info.heartbeatDetails;
      let state = mailboxStateSchema.safeParse(heartbeat).data ?? carried ?? openMailbox(toInstant(Date.now()));
      const now = () => toInstant(Date.now());
      const isDue = () => isMailboxCheckpointDue(toInstant(info.scheduledTimestampMs), now());
      return alive(
        async (signal) => {
          let open: OpenMailbox | undefined;
          try {
            if (mailbox === null) throw new Error('no mailbox is set (IMAP_URL)');
            open = await mailbox.open();
            const openedMs = Date.now();
            for (;;) {
              signal.throwIfAborted();
              // Beside those that cannot be taken there is always room for others.
              const waiting = await open.waiting(BATCH + suspects.size);
              const gapMs = waiting.length < BATCH ? 0 : mailGapMs(Date.now() - openedMs);
              const { done, kept } = await takeBatch(open, waiting, gapMs, signal);
              for (const { count } of done) state = afterMail(state, count);
              // A list alone proves nothing: a mailbox of which no mail can be taken is in trouble for as long as that lasts.
              if (kept.length > 0) throw kept.find(isTemporals) ?? kept[0];
              if (waiting.length > 0 && done.length === 0) {
                throw new MailboxError('the mail server lists mails and gives none of them');
              }
              state = afterReading(state, waiting.length === 0, now());
              Context.current().heartbeat(state);
              state = await tellSoc(state, signal).catch((error: unknown) => {
                if (isTemporals(error)) throw error;
                return state;
              });
              if (isDue()) return state;
              if (waiting.length === 0) await open.news(LOOK_AGAIN_MS, signal);
              else await catchUp(signal);
            }
          } catch (error) {
            if (isTemporals(error) || signal.aborted) throw error;
            const message = oneLine(error instanceof Error ? error.message : String(error), 300);
            log.warn('the mailbox cannot be read', { err: error });
            state = afterTrouble(state, message, now());
            state = await tellSoc(state, signal).catch((failure: unknown) => {
              if (isTemporals(failure)) throw failure;
              return state;
            });
            Context.current().heartbeat(state);
            if (isDue()) return state;
            throw ApplicationFailure.create({
              type: 'ReadAgain',
              message,
              nextRetryDelay: mailboxPauseMs(state),
              category: 'BENIGN',
            });
          } finally {
            open?.close();
          }
        },
        () => state,
      );
    },
  };
}
