import { hintsOf } from '../customer-mail/hints.js';
import { isNobodys, type TakenMail } from '../customer-mail/news.js';
import { assertNever, clip } from '../text.js';
import { toMs, type Instant } from '../time.js';
import type { InquiryFact } from './facts.js';
import { narrate } from './narrate.js';
import type { InquiryState } from '../customer-mail/news.js';
import {
  MAX_KEPT_TEXT,
  MAX_NOTED,
  MAX_NOTED_WORDS,
  type InquiryMail,
  type InquiryRecord,
  type Reply,
} from './record.js';

export function openInquiry(
  opening: { inquiryId: string; customerId: string; incidentId: string | null },
  at: Instant,
): InquiryRecord {
  return {
    ...opening,
    createdAt: at,
    updatedAt: at,
    revision: 1,
    state: 'open',
    assignee: null,
    waitingSince: null,
    remindedMinutes: null,
    mails: [],
    replies: [],
    toldRevision: 0,
    handled: {},
    timeline: [],
    ways: 2,
  };
}

/** One that began before each mail waited for itself, as its next run takes it up. */
export function eachMailWaits(record: InquiryRecord): InquiryRecord {
  if (record.ways === 2) return record;
  const { waitingSince } = record;
  const since = waitingSince === null ? Infinity : toMs(waitingSince);
  const mails = record.mails.map((mail) => ({ ...mail, waits: toMs(mail.receivedAt) >= since }));
  // After a lost reply it waited since the loss: its last mail is what was not answered.
  if (waitingSince !== null && !mails.some(({ waits }) => waits)) {
    const last = mails.at(-1);
    if (last !== undefined) mails.splice(-1, 1, { ...last, waits: true });
  }
  const after: InquiryRecord = { ...record, mails, ways: 2 };
  return { ...after, waitingSince: oldestWaiting(after) };
}

/** For a mail that an analyst has accepted although nobody can be held to it: several senders, or none. */
const NOBODY = { address: '?', name: '' };

function mailOf({ mail, contactId, acceptedBy }: TakenMail, revision: number): InquiryMail {
  const from = mail.from ?? NOBODY;
  return {
    key: mail.key,
    messageId: mail.messageId,
    references: mail.references,
    from,
    contactId,
    acceptedBy,
    receivedAt: mail.receivedAt,
    subject: mail.subject,
    newText: mail.newText,
    quotedText: mail.quotedText,
    isCut: mail.isCut,
    attachments: mail.attachments,
    attachmentsLeftOut: mail.attachmentsLeftOut,
    notes: mail.notes,
    authentication: mail.authentication,
    hints: hintsOf(mail),
    isTold: false,
    revision,
    waits: true,
  };
}

/** Nothing waits because of it, and what is answered or closed stays so. */
function note(record: InquiryRecord, { mail }: TakenMail): InquiryRecord {
  const before = record.noted ?? [];
  if (before.some(({ key }) => key === mail.key)) return record;
  const { key, messageId, nature, natureBecause, from, receivedAt, subject, newText } = mail;
  const words = clip(newText, MAX_NOTED_WORDS);
  const noted = { key, messageId, nature, natureBecause, from, receivedAt, subject, words };
  return { ...record, noted: [...before, noted].slice(-MAX_NOTED) };
}

const KEPT_OF_OLD = 1_000;

/** The newest mails whole, of the older ones the beginning, so that a run can carry them all. */
function fitting(mails: readonly InquiryMail[]): InquiryMail[] {
  let left = MAX_KEPT_TEXT;
  return mails
    .toReversed()
    .map((mail) => {
      left -= mail.newText.length + mail.quotedText.length;
      if (left >= 0 || mail.newText.length + mail.quotedText.length <= KEPT_OF_OLD) return mail;
      return { ...mail, newText: clip(mail.newText, KEPT_OF_OLD), quotedText: '', isCut: true };
    })
    .toReversed();
}

function withReply(record: InquiryRecord, number: number, change: (reply: Reply) => Reply): InquiryRecord {
  return { ...record, replies: record.replies.map((reply, index) => (index === number ? change(reply) : reply)) };
}

/** Mails may come out of order: what waits longest is the oldest of them, not the first that came. */
function oldestWaiting({ mails }: InquiryRecord): Instant | null {
  return mails.find(({ waits }) => waits)?.receivedAt ?? null;
}

function takeUp(record: InquiryRecord, since: Instant): InquiryRecord {
  const isWaiting = record.waitingSince !== null;
  return {
    ...record,
    state: record.assignee === null ? 'open' : 'assigned',
    waitingSince: record.ways === 2 ? oldestWaiting(record) : (record.waitingSince ?? since),
    remindedMinutes: isWaiting ? record.remindedMinutes : null,
  };
}

/** A reply is lost: what it had dealt with waits again, all the time since it came. */
function takeUpAgain(record: InquiryRecord, number: number, at: Instant): InquiryRecord {
  if (record.ways !== 2) return takeUp(record, at);
  const { settles = [], mailKey } = record.replies[number] ?? {};
  const keys = [...settles, mailKey];
  const mails = record.mails.map((mail) => (keys.includes(mail.key) ? { ...mail, waits: true } : mail));
  return takeUp({ ...record, mails, remindFrom: at }, at);
}

/** Was it there in what somebody has read? */
function isSeen({ revision = 0 }: InquiryMail, seen: number | undefined): boolean {
  return seen === undefined || revision <= seen;
}

/** Some of the mails are dealt with. It is in that state once none waits; a mail that nobody has seen does. */
function settle(
  record: InquiryRecord,
  state: InquiryState,
  isDealtWith: (mail: InquiryMail) => boolean,
): InquiryRecord {
  const mails = record.mails.map((mail) => (isDealtWith(mail) ? { ...mail, waits: false } : mail));
  const { remindFrom: _, ...rest } = record;
  const waitingSince = oldestWaiting({ ...record, mails });
  if (waitingSince === null) return { ...rest, mails, state, waitingSince, remindedMinutes: null };
  const isSame = waitingSince === record.waitingSince;
  return {
    ...(isSame ? record : rest),
    mails,
    state: record.assignee === null ? 'open' : 'assigned',
    waitingSince,
    remindedMinutes: isSame ? record.remindedMinutes : null,
  };
}

/** A reply to what was read. */
function answer(
  record: InquiryRecord,
  written: Pick<Reply, 'kind' | 'text' | 'actor' | 'at'>,
  seen: number | undefined,
): InquiryRecord {
  const read = record.mails.filter((mail) => isSeen(mail, seen));
  const reply: Reply = {
    ...written,
    mailKey: (read.at(-1) ?? record.mails.at(-1))?.key ?? '',
    settles: read.filter(({ waits }) => waits).map(({ key }) => key),
    status: 'sending',
    settledAt: null,
    reason: null,
    messageId: '',
    to: [],
    isFailureTold: false,
  };
  const state = written.kind === 'answer' ? 'answered' : 'referred';
  return settle({ ...record, replies: [...record.replies, reply] }, state, (mail) => isSeen(mail, seen));
}

function change(record: InquiryRecord, fact: InquiryFact, at: Instant): InquiryRecord {
  switch (fact.type) {
    case 'mail-came': {
      if (isNobodys(fact.taken)) return note(record, fact.taken);
      const mail = mailOf(fact.taken, record.revision + 1);
      if (record.mails.some(({ key }) => key === mail.key)) return record;
      const mails = [...record.mails, mail].sort((a, b) => toMs(a.receivedAt) - toMs(b.receivedAt));
      return takeUp({ ...record, mails: fitting(mails) }, mail.receivedAt);
    }
    case 'assigned': {
      const { operatorId } = fact;
      const isWaiting = record.state === 'open' || record.state === 'assigned';
      const state = operatorId === null ? 'open' : 'assigned';
      return { ...record, assignee: operatorId, state: isWaiting ? state : record.state };
    }
    case 'answered':
      return answer(record, { kind: 'answer', text: fact.text, actor: fact.actor, at }, fact.seen);
    case 'referred':
      return answer(record, { kind: 'referral', text: fact.text, actor: fact.actor, at }, fact.seen);
    case 'closed': {
      const after = settle(record, 'closed', (mail) => isSeen(mail, fact.seen));
      const mails = after.mails.map((mail) => (isSeen(mail, fact.seen) ? { ...mail, isPutAside: true } : mail));
      return { ...after, mails };
    }
    case 'is-answer':
      return settle(record, 'closed', ({ key }) => record.ways !== 2 || key === fact.mailKey);
    case 'reply-started':
      return withReply(record, fact.number, (before) => ({ ...before, messageId: fact.messageId, to: fact.to }));
    case 'reply-delayed':
      return withReply(record, fact.number, (before) => ({ ...before, reason: 'mail-delayed' }));
    case 'reply-settled': {
      const { outcome, reason } = fact;
      const next = withReply(record, fact.number, (before) => ({
        ...before,
        status: outcome,
        settledAt: fact.at,
        reason,
      }));
      return outcome === 'failed' ? takeUpAgain(next, fact.number, at) : next;
    }
    case 'reply-bounced': {
      const number = record.replies.findIndex(({ messageId }) => messageId === fact.messageId);
      const before = record.replies[number];
      if (before === undefined || before.status === 'bounced') return record;
      return takeUpAgain(
        withReply(record, number, (bounced) => ({
          ...bounced,
          status: 'bounced',
          reason: 'mail-bounced',
          isFailureTold: false,
        })),
        number,
        at,
      );
    }
    case 'failure-told':
      return withReply(record, fact.number, (before) => ({ ...before, isFailureTold: true }));
    case 'reminded':
      return { ...record, remindedMinutes: fact.minutes };
    case 'incident-told':
      return {
        ...record,
        toldRevision: fact.revision,
        mails: record.mails.map((mail) => (fact.mailKeys.includes(mail.key) ? { ...mail, isTold: true } : mail)),
      };
    case 'signal-rejected':
      return { ...record };
    case 'command-handled':
      return {
        ...record,
        handled: { ...record.handled, [fact.key]: { bodyHash: fact.bodyHash, outcome: fact.outcome } },
      };
    default:
      return assertNever(fact);
  }
}

/** Bookkeeping that nobody reads. */
const SILENT: readonly InquiryFact['type'][] = ['incident-told', 'command-handled', 'failure-told', 'reply-started'];

/** The record after a fact; the same object where the fact says nothing new. */
export function evolve(record: InquiryRecord, fact: InquiryFact, at: Instant): InquiryRecord {
  const after = change(record, fact, at);
  if (after === record || SILENT.includes(fact.type)) return after;
  return {
    ...after,
    revision: record.revision + 1,
    updatedAt: at,
    timeline: [...after.timeline, ...narrate(fact, after, at)],
  };
}
