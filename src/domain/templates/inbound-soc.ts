import type { HeldReason } from '../customer-mail/place.js';
import type { Policy, ServiceSettings } from '../policy.js';
import { reasonWords } from '../reasons.js';
import { bilingual, type Bilingual, type Language } from '../text.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';
import { paragraph, type Letter, type Section } from './document.js';
import type { RenderedMail } from './kinds.js';
import { whenInAndUtc } from './when.js';
import {
  heldWords,
  inboundHeadings,
  inboundLabels,
  inboundSubjects,
  inboundTitles,
  lostAdvice,
  mailboxAdvice,
  mailboxMatters,
  noCustomer,
  noSender,
  strangersWords,
  waitingAdvice,
} from './words/inbound-soc.js';
import { duration } from './words/soc.js';

/*
 * What the SOC hears of the mails that come in. Of a mail only its sender and subject are shown: the rest may be anything,
 * and is read where it can be seen for what it is.
 */

const MAX_SUBJECT_LENGTH = 150;
const MAX_SHOWN_LENGTH = 200;
const MAX_WHY_LENGTH = 500;
/** Where no customer gives one: the provider's own. */
const PROVIDERS_TIME_ZONE = 'Asia/Tokyo';

type InboundRow = readonly [label: keyof typeof inboundLabels, value: Bilingual | { at: Instant }];
type InboundSection = readonly [heading: keyof typeof inboundHeadings, words: Bilingual];

interface Notice {
  kind: 'soc-warning' | 'soc-failure';
  about: keyof typeof inboundTitles;
  /** What the subject names. */
  named: string;
  timeZone: string;
  rows: readonly InboundRow[];
  sections: readonly InboundSection[];
}

function same(text: string): Bilingual {
  return bilingual(text, text);
}

function shown(text: string): Bilingual {
  return same(line(text, MAX_SHOWN_LENGTH));
}

function senderOf(from: string | null): Bilingual {
  return from === null || from.trim() === '' ? noSender : shown(from);
}

function letterIn(language: Language, { about, timeZone, rows, sections }: Notice): Letter {
  const when = whenInAndUtc(language, timeZone);
  const table: Section = {
    blocks: [
      {
        type: 'rows',
        rows: rows.map(([label, value]) => ({
          label: inboundLabels[label][language],
          value: 'at' in value ? when(value.at) : value[language],
        })),
      },
    ],
  };
  return {
    language,
    title: inboundTitles[about][language],
    sections: [
      table,
      ...sections.map(([heading, words]) => ({
        heading: inboundHeadings[heading][language],
        blocks: [paragraph(words[language])],
      })),
    ],
  };
}

function socMail(notice: Notice, { socMailTo }: Pick<ServiceSettings, 'socMailTo'>): RenderedMail {
  const { ja, en } = inboundSubjects[notice.about];
  const named = notice.named === '' ? '' : `: ${notice.named}`;
  return {
    kind: notice.kind,
    to: [socMailTo],
    cc: [],
    subject: line(`[見守り SOC] ${ja} / ${en}${named}`, MAX_SUBJECT_LENGTH),
    letters: [letterIn('ja', notice), letterIn('en', notice)],
  };
}

export interface InquiryWaiting {
  policy: Policy;
  inquiryId: string;
  /** What it is filed under, e.g. the incident's id. */
  reference: string;
  waitingSince: Instant;
  waitedMinutes: number;
  /** The sender's address; null where the mail names none. */
  from: string | null;
  subject: string;
}

/** Tells the SOC that a customer's mail has not been answered. */
export function inquiryWaitingMail(inquiry: InquiryWaiting): RenderedMail {
  const { policy, inquiryId, reference, waitingSince, waitedMinutes, from, subject } = inquiry;
  const { customer, service } = policy;
  return socMail(
    {
      kind: 'soc-warning',
      about: 'waiting',
      named: `${line(customer.name, 40)}: ${line(subject, 80)}`,
      timeZone: customer.timeZone,
      rows: [
        ['customer', same(`${line(customer.name, 100)} (${customer.id})`)],
        ['inquiry', shown(inquiryId)],
        ['reference', shown(reference)],
        ['from', senderOf(from)],
        ['subject', shown(subject)],
        ['waitingSince', { at: waitingSince }],
        ['waiting', duration(waitedMinutes)],
      ],
      sections: [['advice', waitingAdvice]],
    },
    service,
  );
}

export interface LostReply {
  policy: Policy;
  inquiryId: string;
  reference: string;
  to: readonly string[];
  subject: string;
  /** A code of `reasons.ts`. */
  reason: string;
}

/** Tells the SOC that an answer did not reach the customer. */
export function lostReplyMail({ policy, inquiryId, reference, to, subject, reason }: LostReply): RenderedMail {
  const { customer, service } = policy;
  return socMail(
    {
      kind: 'soc-failure',
      about: 'lost',
      named: `${line(customer.name, 40)}: ${line(subject, 80)}`,
      timeZone: customer.timeZone,
      rows: [
        ['customer', same(`${line(customer.name, 100)} (${customer.id})`)],
        ['inquiry', shown(inquiryId)],
        ['reference', shown(reference)],
        ['to', shown(to.join(', '))],
        ['subject', shown(subject)],
        ['error', reasonWords(reason)],
      ],
      sections: [['advice', lostAdvice]],
    },
    service,
  );
}

export interface HeldMail {
  service: Pick<ServiceSettings, 'socMailTo'>;
  heldId: string;
  reason: HeldReason;
  from: string | null;
  subject: string;
  receivedAt: Instant;
  /** Null where it could not be told whose mail it is. */
  customerName: string | null;
  incidentId: string | null;
}

/** Tells the SOC that a mail which could not be matched or trusted waits for a person. */
export function heldMailNotice(held: HeldMail): RenderedMail {
  const { service, heldId, reason, from, subject, receivedAt, customerName, incidentId } = held;
  const { what, advice } = heldWords[reason];
  return socMail(
    {
      kind: 'soc-warning',
      about: 'held',
      named: [customerName ?? '', subject]
        .map((part) => line(part, 70))
        .filter((part) => part !== '')
        .join(': '),
      timeZone: PROVIDERS_TIME_ZONE,
      rows: [
        ['customer', customerName === null ? noCustomer : shown(customerName)],
        ...(incidentId === null ? [] : [['reference', shown(incidentId)] as const]),
        ['held', shown(heldId)],
        ['from', senderOf(from)],
        ['subject', shown(subject)],
        ['receivedAt', { at: receivedAt }],
      ],
      sections: [
        ['what', what],
        ['advice', advice],
      ],
    },
    service,
  );
}

export interface Strangers {
  service: Pick<ServiceSettings, 'socMailTo'>;
  count: number;
  /** When the first of them was received. */
  since: Instant;
}

/** Tells the SOC of several strangers' mails that are held. */
export function strangersNotice({ service, count, since }: Strangers): RenderedMail {
  return socMail(
    {
      kind: 'soc-warning',
      about: 'strangers',
      named: String(count),
      timeZone: PROVIDERS_TIME_ZONE,
      rows: [
        ['count', same(String(count))],
        ['firstAt', { at: since }],
        ['shownAt', same('GET /v1/mailbox/attention')],
      ],
      sections: [
        ['what', strangersWords.what],
        ['advice', strangersWords.advice],
      ],
    },
    service,
  );
}

export interface MailboxTrouble {
  service: Pick<ServiceSettings, 'socMailTo'>;
  since: Instant;
  /** The last failure, in the mail server's words or ours. */
  why: string;
  /** It is read again. */
  isOver: boolean;
}

/** Tells the SOC that the mailbox in which customers' mails arrive cannot be read, and when it is read again. */
export function mailboxTroubleMail({ service, since, why, isOver }: MailboxTrouble): RenderedMail {
  const about = isOver ? 'well' : 'trouble';
  return socMail(
    {
      kind: 'soc-failure',
      about,
      named: '',
      timeZone: PROVIDERS_TIME_ZONE,
      rows: [
        ['since', { at: since }],
        ['error', same(line(why, MAX_WHY_LENGTH))],
      ],
      sections: [['what', mailboxMatters[about]], ...(isOver ? [] : [['advice', mailboxAdvice] as const])],
    },
    service,
  );
}
