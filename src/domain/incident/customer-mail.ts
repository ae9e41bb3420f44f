import { z } from 'zod';
import { hintSchema } from '../customer-mail/hints.js';
import {
  inquiryStates,
  type CustomerMail,
  type HeldNews,
  type IncidentMail,
  type InquiryNews,
  type InquiryReport,
} from '../customer-mail/news.js';
import { bilingual, clip } from '../text.js';
import type { Instant } from '../time.js';
import { line } from '../templates/clean.js';
import type { Fact } from './facts.js';
import type { IncidentRecord, TimelineEntry } from './record.js';
import { isInDoubt, offersPutAside, releaseOffers } from './release-offers.js';
import { entriesAt } from './timeline-entry.js';

/*
 * What the customer has written to an incident's conversation. A mail is a proposal and never an act: it is shown, and an
 * analyst decides.
 */

/*
 * A record has to stay small however much somebody writes, and the inquiry has all of it: the words of the newest mails are kept here, and
 * of all of them who wrote, when, and under which subject.
 */
const MAX_CHARACTERS = 40_000;
const MAX_WITH_FILES = 10;
const KEPT_OF_OLD_SUBJECT = 100;
/** What an entry of the timeline has of the words: all of them, in an entry for each mail, would be more than the record may hold. */
const MAX_TOLD = 350;
const MAX_TOLD_FILES = 3;
const MAX_TOLD_WITH_WORDS = 60;

const NOTHING: CustomerMail = { mails: [], inquiry: null };

export function customerMailOf(record: IncidentRecord): CustomerMail {
  return record.customerMail ?? NOTHING;
}

/** The facts in news of the customer's mail: what is known already, or older than what is known, is none. */
export function mailFacts(record: IncidentRecord, { mails, report, held }: InquiryNews): Fact[] {
  const known = customerMailOf(record);
  const further = mails.filter(({ key }) => !known.mails.some((mail) => mail.key === key));
  const isNewer = report !== null && report.version > (known.inquiry?.version ?? 0);
  return [
    ...further.map((mail) => ({ type: 'customer-mail' as const, mail })),
    ...(isNewer ? [{ type: 'inquiry-reported' as const, report }] : []),
    ...(held !== undefined && isHeldNews(record, held) ? [{ type: 'mail-held' as const, held }] : []),
  ];
}

/** More are not noted: anybody who knows the conversation can send any number, and one is enough to have somebody look. */
const MAX_HELD = 50;

/** What waits is news once, and never after it has been dealt with; of those that do not fit nothing is. */
function isHeldNews(record: IncidentRecord, { heldId, isWaiting }: HeldNews): boolean {
  const { held = [] } = customerMailOf(record);
  const known = held.find((each) => each.heldId === heldId);
  return known === undefined ? isWaiting && waitingHeld(record).length < MAX_HELD : known.isWaiting && !isWaiting;
}

function waitingHeld(record: IncidentRecord): HeldNews[] {
  return (customerMailOf(record).held ?? []).filter(({ isWaiting }) => isWaiting);
}

export function withHeld(record: IncidentRecord, news: HeldNews): IncidentRecord {
  const known = customerMailOf(record);
  const others = (known.held ?? []).filter(({ heldId }) => heldId !== news.heldId);
  const held = [...others, news];
  // Those that are dealt with give way first.
  const [settled] = held.filter(({ isWaiting }) => !isWaiting);
  const kept = held.length > MAX_HELD ? held.filter((each) => each !== settled) : held;
  return { ...record, customerMail: { ...known, held: kept } };
}

/** Only of the first that waits: whoever looks at it sees the others. Nothing in the mail is shown, for anybody may have written it. */
export function narrateHeld(
  before: IncidentRecord,
  { heldId, reason, isWaiting }: HeldNews,
  at: Instant,
): TimelineEntry[] {
  if (!isWaiting || waitingHeld(before).length > 0) return [];
  const { entry } = entriesAt(at);
  return entry(
    'held-mail',
    bilingual(
      `A mail that names this conversation is held, and waits for an analyst (${reason}).`,
      `このやり取りを参照するメールを保留しています。アナリストの確認が必要です (${reason})。`,
    ),
    { heldId, reason },
  );
}

export function withMail(record: IncidentRecord, mail: IncidentMail, isOffer: boolean): IncidentRecord {
  const { mails, ...rest } = customerMailOf(record);
  let left = MAX_CHARACTERS;
  const kept = [...mails, mail].toReversed().map((each, newer) => {
    const words = left > 0 ? clip(each.words, left) : '';
    left -= words.length;
    const isCut = each.isCut || words !== each.words;
    return newer < MAX_WITH_FILES
      ? { ...each, words, isCut }
      : { ...each, words, isCut, files: [], subject: clip(each.subject, KEPT_OF_OLD_SUBJECT) };
  });
  const offered = isOffer ? { offers: [...(rest.offers ?? []), mail.key] } : {};
  return { ...record, customerMail: { ...rest, ...offered, mails: kept.reverse() } };
}

export function withInquiry(record: IncidentRecord, report: InquiryReport): IncidentRecord {
  return offersPutAside({ ...record, customerMail: { ...customerMailOf(record), inquiry: report } }, report);
}

export function narrateCustomerMail(before: IncidentRecord, mail: IncidentMail, at: Instant): TimelineEntry[] {
  const { entry } = entriesAt(at);
  const { address = '?', name = '' } = mail.from ?? {};
  const sender = line(name === '' ? address : `${name} <${address}>`, 100);
  const subject = line(mail.subject, 60);
  const { messageId, inquiryId, isAuthenticated, receivedAt } = mail;
  const files = mail.files.slice(0, MAX_TOLD_FILES).map((file) => ({ ...file, name: line(file.name, 30) }));
  const hints = mail.hints.map(({ kind }) => kind);
  // The words stand beside the text, which would have them in both languages.
  const words = customerMailOf(before).mails.length < MAX_TOLD_WITH_WORDS ? clip(mail.words, MAX_TOLD) : '';
  const isCut = mail.isCut || words !== mail.words;
  const data = { messageId, inquiryId, receivedAt, files, isAuthenticated, hints, words, isCut };
  if (mail.nature !== 'message') {
    return entry(
      'customer-mail',
      bilingual(
        `Mail that nobody has to answer (${mail.nature}; ${mail.natureBecause}) from ${sender}: ${subject}`,
        `返信不要のメール (${mail.nature}; ${mail.natureBecause})、差出人 ${sender}: ${subject}`,
      ),
      data,
    );
  }
  const { acceptedBy } = mail;
  if (acceptedBy === null) {
    return entry(
      'customer-mail',
      bilingual(`Mail from the customer, ${sender}: ${subject}`, `お客様からのメール、差出人 ${sender}: ${subject}`),
      data,
    );
  }
  return entry(
    'customer-mail',
    bilingual(
      `Held mail that ${acceptedBy} has accepted, with an unproved sender, ${sender}: ${subject}`,
      `${acceptedBy} が受け入れた保留メール (差出人は未確認)、差出人 ${sender}: ${subject}`,
    ),
    { ...data, acceptedBy },
  );
}

/** What was written to the customer in the inquiry; its other changes are told by the inquiry itself. */
export function narrateInquiry(before: IncidentRecord, report: InquiryReport, at: Instant): TimelineEntry[] {
  const { entry } = entriesAt(at);
  const told = customerMailOf(before).inquiry?.lastReply;
  const reply = report.lastReply;
  const isTold = reply === null || (told?.at === reply.at && told.status === reply.status);
  if (isTold || reply.status === 'sending') return [];
  const data = { messageId: reply.messageId, inquiryId: report.inquiryId, reason: reply.reason };
  const what =
    reply.kind === 'answer' ? bilingual('An answer', '回答') : bilingual('A referral', '製品サポート窓口のご案内');
  return reply.status === 'accepted'
    ? entry(
        'inquiry',
        bilingual(
          `${what.en} was sent to the customer. ${reply.text}`.trim(),
          `${what.ja}をお客様へ送信しました。${reply.text}`,
        ),
        data,
        reply.actor,
      )
    : entry(
        'inquiry',
        bilingual(
          `${what.en} did not reach the customer (${reply.reason ?? ''}).`,
          `${what.ja}がお客様に届きませんでした (${reply.reason ?? ''})。`,
        ),
        data,
      );
}

/** What an analyst must see of the customer's mail, by its reason. */
export function mailAttention(record: IncidentRecord): string[] {
  return [
    ...(customerMailOf(record).inquiry?.waitingSince == null ? [] : ['customer-mail']),
    ...(releaseOffers(record).length > 0 ? ['may-be-release-instruction'] : []),
    ...(waitingHeld(record).length > 0 ? ['held-mail'] : []),
  ];
}

export const customerMailSchema = z
  .object({
    key: z.string().meta({ description: 'Names it where its Message-ID does not: it has none, or shares it.' }),
    messageId: z.string().nullable(),
    nature: z.string(),
    from: z.object({ address: z.string(), name: z.string() }).nullable(),
    contactId: z.string().nullable(),
    acceptedBy: z.string().nullable(),
    receivedAt: z.string().meta({ format: 'date-time' }),
    subject: z.string(),
    words: z.string(),
    isCut: z.boolean().meta({ description: 'The inquiry has all of it.' }),
    files: z.array(z.object({ name: z.string(), sizeBytes: z.number() })),
    isAuthenticated: z
      .boolean()
      .meta({ description: 'Our mail server found SPF, DKIM or DMARC of the sender’s own domain to pass.' }),
    mayBe: z
      .array(hintSchema)
      .meta({ description: 'By words in it; nothing comes of it before somebody has confirmed it.' }),
    isOffered: z.boolean().meta({ description: 'It may be an instruction to release on which nobody has decided.' }),
    needsCallBack: z.boolean().meta({
      description: 'As an instruction it is believed only after a call back: unproved, or not from somebody who may.',
    }),
    inquiryId: z.string().nullable(),
  })
  .meta({ id: 'CustomerMail' });

export const inquiryStandingSchema = z
  .object({
    id: z.string(),
    state: z.enum(inquiryStates),
    waitingSince: z.string().nullable().meta({ format: 'date-time' }),
    assignee: z.string().nullable(),
  })
  .meta({ id: 'InquiryStanding' });

export function shownMails(record: IncidentRecord): z.infer<typeof customerMailSchema>[] {
  const offered = new Set(releaseOffers(record).map(({ key }) => key));
  return customerMailOf(record).mails.map((mail) => {
    const { natureBecause: _because, hints, ...shown } = mail;
    return { ...shown, mayBe: hints, isOffered: offered.has(mail.key), needsCallBack: isInDoubt(record, mail) };
  });
}

export function shownInquiry(record: IncidentRecord): z.infer<typeof inquiryStandingSchema> | null {
  const { inquiry } = customerMailOf(record);
  if (inquiry === null) return null;
  const { inquiryId, state, waitingSince, assignee } = inquiry;
  return { id: inquiryId, state, waitingSince, assignee };
}
