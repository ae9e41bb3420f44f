import { duties } from '../incident/duties.js';
import type { ExclusionProposal, IncidentRecord, ReleaseOrder } from '../incident/record.js';
import type { Policy } from '../policy.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';
import { type ToldDevice } from './devices.js';
import { paragraph, textSection, type Row, type Section } from './document.js';
import { supportDesk } from './support-desk.js';
import { whenIn, type When } from './when.js';
import { customerWords } from './words/index.js';
import type { CustomerWords, PhoneState } from './words/words.js';

/** What every part of a customer's mail needs. */
export interface Context {
  record: IncidentRecord;
  policy: Policy;
  now: Instant;
  words: CustomerWords;
  when: When;
}

export const MAX_TITLE_LENGTH = 200;
const MAX_PERSON_LENGTH = 100;

export function contextOf(record: IncidentRecord, policy: Policy, now: Instant): Context {
  const { language, timeZone } = policy.customer;
  return { record, policy, now, words: customerWords[language], when: whenIn(language, timeZone) };
}

export function greeting({ words, policy }: Context): string {
  return words.greeting(line(policy.customer.name, MAX_PERSON_LENGTH));
}

/** The alert, the devices that the mail is about, and what its kind adds. */
export function head({ record, words, when }: Context, names: readonly string[], more: readonly Row[]): Section {
  const { alert, incidentId } = record;
  const { label } = words;
  const severity = alert.severity === 'unknown' ? line(alert.severityRaw ?? '', 64) || words.unknown : alert.severity;
  const rows: Row[] = [
    { label: label.reference, value: incidentId },
    { label: label.alert, value: line(alert.title, MAX_TITLE_LENGTH) },
    { label: label.detectedAt, value: when(alert.createdAt) },
    { label: label.severity, value: severity },
    { label: label.devices, value: names.length === 0 ? words.none : words.listOf(names) },
    ...more,
  ];
  return { heading: words.heading.facts, blocks: [{ type: 'rows', rows }] };
}

export function question({ words }: Context, text: string | null | undefined): Section[] {
  if (text === null || text === undefined) return [];
  return [
    { heading: words.heading.question, callout: true, blocks: [paragraph(text), paragraph(words.answerByReply)] },
  ];
}

export function proposal({ words }: Context, proposed: ExclusionProposal | null | undefined): Section[] {
  if (proposed === null || proposed === undefined) return [];
  const { label, heading } = words;
  return [
    {
      heading: heading.proposal,
      callout: true,
      blocks: [
        paragraph(`${label.proposedWhat}: ${proposed.what}`),
        paragraph(`${label.proposedWhy}: ${proposed.why}`),
        paragraph(words.proposalHow),
      ],
    },
  ];
}

export function deviceSection({ words, when }: Context, told: readonly ToldDevice[]): Section[] {
  if (told.length === 0) return [];
  const rows = told.map(({ name, state }) => ({ label: name, value: words.device(state, when) }));
  return [{ heading: words.heading.isolation, blocks: [{ type: 'rows', rows }] }];
}

/** Asked only for what is isolated and not yet ordered back. */
export function releaseQuestion({ words }: Context, told: readonly ToldDevice[]): Section[] {
  const isolated = told.filter(({ state }) => state.is === 'isolated').map(({ name }) => name);
  if (isolated.length === 0) return [];
  return [{ heading: words.heading.releaseQuestion, callout: true, blocks: [paragraph(words.askRelease(isolated))] }];
}

/** What could not be isolated may spread what is on it: the customer can do by hand what Defender could not. */
export function disconnect({ words }: Context, told: readonly ToldDevice[]): Section[] {
  const failed = told.filter(({ state }) => state.is === 'failed').map(({ name }) => name);
  if (failed.length === 0) return [];
  return [{ heading: words.heading.disconnect, callout: true, blocks: [paragraph(words.askDisconnect(failed))] }];
}

function mayComeToRelease({ state }: ToldDevice): boolean {
  switch (state.is) {
    case 'to-be-requested':
    case 'being-verified':
    case 'requested':
    case 'isolated':
    case 'cancelling':
    case 'held':
    case 'still-requested':
    case 'release-failed':
      return true;
    case 'waived-tuning':
    case 'server-left':
    case 'failed':
    case 'cancelled':
    case 'cancelled-tuning':
    case 'releasing':
    case 'released':
    case 'released-elsewhere':
    case 'release-cancelled-request':
    case 'was-not-isolated':
      return false;
  }
}

export function releaseHow({ words, policy }: Context, told: readonly ToldDevice[]): Section[] {
  if (!told.some(mayComeToRelease)) return [];
  const people = policy.customer.contacts
    .filter(({ mayInstruct }) => mayInstruct)
    .map(({ name }) => line(name, MAX_PERSON_LENGTH));
  return textSection(words.heading.release, words.releaseHow(people));
}

function phoneState({ record, policy }: Context): PhoneState | undefined {
  const duty = duties(record).find(({ kind }) => kind === 'phone');
  switch (duty?.status) {
    case 'owed':
      return { is: 'to-be-rung' };
    case 'running':
      return { is: 'ringing' };
    case 'done': {
      const report = record.phone?.report;
      const by = report?.acknowledgedBy ?? null;
      const contact = policy.customer.contacts.find(({ id, name }) => id === by || name === by);
      return {
        is: 'acknowledged',
        at: duty.doneAt ?? record.updatedAt,
        by: contact === undefined ? null : line(contact.name, MAX_PERSON_LENGTH),
      };
    }
    case 'failed':
      return duty.reason === 'no-contact-to-ring' ? { is: 'no-contact' } : { is: 'unanswered' };
    case 'waived':
    case 'cancelled':
    case undefined:
      return undefined;
  }
}

export function phoneSection(context: Context): Section[] {
  const { words, when } = context;
  const state = phoneState(context);
  return state === undefined ? [] : textSection(words.heading.phone, words.phone(state, when));
}

export function instruction({ words, when }: Context, order: ReleaseOrder): Section {
  const { label, heading, channel } = words;
  const { receivedAt, channel: through, calledBackAt } = order.instruction;
  const rows: Row[] = [
    { label: label.instructor, value: line(order.instructorName, MAX_PERSON_LENGTH) },
    { label: label.instructedAt, value: when(receivedAt) },
    { label: label.channel, value: channel[through] },
    ...(calledBackAt === undefined ? [] : [{ label: label.calledBackAt, value: when(calledBackAt) }]),
  ];
  return { heading: heading.instruction, blocks: [{ type: 'rows', rows }] };
}

/** How the customer reaches us, and the product's support desk. */
export function closing({ words, policy }: Pick<Context, 'words' | 'policy'>): Section[] {
  const how = `${words.inquiryHow}\n${words.productHow(supportDesk(policy.customer, words))}`;
  return [...textSection(words.heading.inquiry, how), { blocks: [paragraph(words.signature)] }];
}
