import type { IncidentRecord, Question } from '../incident/record.js';
import type { Policy } from '../policy.js';
import { toMs, type Instant } from '../time.js';
import { closing, contextOf, greeting, head, releaseHow, releaseQuestion, type Context } from './customer-parts.js';
import { concernedEntries, headNames, tellDevices, type ToldDevice } from './devices.js';
import { paragraph, type Letter, type Section } from './document.js';
import type { RenderedMail } from './kinds.js';
import { customerSubject } from './subject.js';
import { isIsolated, reminderSummary } from './summary.js';

/** What in an incident waits for the customer. */
export interface Waiting {
  questions: Question[];
  /** Isolated, and nobody has ordered them back. */
  devices: ToldDevice[];
  /** The oldest of it; null where nothing waits. */
  since: Instant | null;
}

export function waitsForCustomer(record: IncidentRecord, policy: Policy, now: Instant): Waiting {
  const questions = record.questions.filter(({ answer }) => answer === null);
  const devices = tellDevices(record, policy, now, concernedEntries(record, [])).filter(isIsolated);
  const times = [
    ...questions.map(({ askedAt }) => askedAt),
    ...devices.flatMap(({ state }) => (state.is === 'isolated' ? [state.since] : [])),
  ];
  const [since = null] = times.sort((a, b) => toMs(a) - toMs(b));
  return { questions, devices, since };
}

function openQuestions({ words, when }: Context, questions: readonly Question[]): Section[] {
  if (questions.length === 0) return [];
  const asked = questions.map(({ text, askedAt }) => paragraph(words.askedSince(text, when(askedAt))));
  return [{ heading: words.heading.question, callout: true, blocks: [...asked, paragraph(words.answerByReply)] }];
}

function openReleases(context: Context, devices: readonly ToldDevice[]): Section[] {
  const { words, when } = context;
  const since = devices.flatMap(({ name, state }) =>
    state.is === 'isolated' ? [words.isolatedSince(name, when(state.since))] : [],
  );
  return releaseQuestion(context, devices).map((section) => ({
    ...section,
    blocks: [{ type: 'list', items: since }, ...section.blocks],
  }));
}

/** Reminds the customer, in the incident's thread, of the questions and the isolated devices that wait for them. */
export function reminderMail(record: IncidentRecord, policy: Policy, now: Instant): RenderedMail {
  const context = contextOf(record, policy, now);
  const { words, when } = context;
  const { questions, devices, since } = waitsForCustomer(record, policy, now);
  const letter: Letter = {
    language: words.language,
    title: words.titles.reminder,
    greeting: greeting(context),
    summary: reminderSummary(context, since === null ? null : when(since), [
      questions.length > 0 && 'answer',
      devices.length > 0 && 'decide-release',
    ]),
    sections: [
      ...openQuestions(context, questions),
      ...openReleases(context, devices),
      head(context, headNames(record, []), []),
      ...releaseHow(context, devices),
      ...closing(context),
    ],
  };
  return {
    kind: 'reminder',
    to: [...policy.customer.mail.to],
    cc: [...policy.customer.mail.cc],
    subject: customerSubject(record, policy, 'reminder'),
    letters: [letter],
  };
}
