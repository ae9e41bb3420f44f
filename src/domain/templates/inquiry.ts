import type { Policy } from '../policy.js';
import { clip } from '../text.js';
import type { Instant } from '../time.js';
import { line, prose } from './clean.js';
import { closing } from './customer-parts.js';
import { textSection, type Letter, type Row, type Section } from './document.js';
import type { RenderedMail } from './kinds.js';
import { supportRows } from './support-desk.js';
import { whenIn } from './when.js';
import { customerWords } from './words/index.js';
import type { CustomerWords } from './words/words.js';

export interface InquiryReply {
  policy: Policy;
  /** Of the thread, with its `Re:`. */
  subject: string;
  /** What the customer's mail is filed under, e.g. the incident's id. */
  reference: string;
  answeredTo: { receivedAt: Instant; words: string };
}

const MAX_SUBJECT_LENGTH = 150;
const MAX_REFERENCE_LENGTH = 200;
const MAX_NAME_LENGTH = 100;
const MAX_QUOTE_LENGTH = 1_000;

function facts({ policy, reference, answeredTo }: InquiryReply, { label }: CustomerWords): Row[] {
  const { language, timeZone } = policy.customer;
  return [
    { label: label.inquiryReference, value: line(reference, MAX_REFERENCE_LENGTH) },
    { label: label.inquiryAt, value: whenIn(language, timeZone)(answeredTo.receivedAt) },
  ];
}

/** The mail that is answered, cut where it is long: the customer has it. */
function quoted(reply: InquiryReply, words: CustomerWords): Section {
  const text = clip(prose(reply.answeredTo.words), MAX_QUOTE_LENGTH);
  return {
    heading: words.heading.yourWords,
    blocks: [{ type: 'rows', rows: facts(reply, words) }, ...(text === '' ? [] : [{ type: 'quote', text } as const])],
  };
}

function replyMail(
  reply: InquiryReply,
  kind: 'inquiry-answer' | 'inquiry-referral',
  words: CustomerWords,
  { summary, sections }: Pick<Letter, 'summary' | 'sections'>,
): RenderedMail {
  const { policy, subject } = reply;
  const { customer } = policy;
  const letter: Letter = {
    language: words.language,
    title: words.titles[kind],
    greeting: words.greeting(line(customer.name, MAX_NAME_LENGTH)),
    summary,
    sections: [...sections, quoted(reply, words), ...closing({ words, policy })],
  };
  return {
    kind,
    to: [...customer.mail.to],
    cc: [...customer.mail.cc],
    subject: line(subject, MAX_SUBJECT_LENGTH),
    letters: [letter],
  };
}

/** An analyst's answer to a customer's mail. */
export function inquiryAnswerMail(reply: InquiryReply & { text: string }): RenderedMail {
  const words = customerWords[reply.policy.customer.language];
  return replyMail(reply, 'inquiry-answer', words, {
    summary: [words.inquiry.answered, words.inquiry.noReply],
    sections: textSection(words.heading.answer, reply.text),
  });
}

/** Refers a question about the product itself to the product's support desk; `text`: what the analyst adds. */
export function inquiryReferralMail(reply: InquiryReply & { text?: string }): RenderedMail {
  const { customer } = reply.policy;
  const words = customerWords[customer.language];
  const rows = supportRows(customer, words);
  return replyMail(reply, 'inquiry-referral', words, {
    summary: [words.inquiry.referred, rows.length === 0 ? words.inquiry.askUs : words.inquiry.askThere],
    sections: [
      ...(rows.length === 0 ? [] : [{ heading: words.heading.referral, blocks: [{ type: 'rows', rows } as const] }]),
      ...textSection(words.heading.remark, reply.text),
    ],
  });
}
