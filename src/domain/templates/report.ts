import type { ArchivePlace } from '../archive/entry.js';
import type { Effect, IncidentRecord, TimelineEntry, Verdict } from '../incident/record.js';
import type { IncidentView } from '../incident/view.js';
import { reasonWords } from '../reasons.js';
import type { Bilingual, Language } from '../text.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';
import { paragraph, textSection, type Block, type Letter, type Row, type Section } from './document.js';
import { dayIn, whenIn, type When } from './when.js';
import { customerWords } from './words/index.js';
import {
  actorWords,
  closeReasonWords,
  dutyKindWords,
  dutyStatusWords,
  mailStatusWords,
  notesLeftOut,
  notSent,
  openWords,
  reportHeadings,
  reportLabels,
  reportTitle,
  sloStateWords,
  wholeMailElsewhere,
} from './words/report.js';
import type { CustomerWords } from './words/words.js';

/*
 * An incident's whole record as a page to read, in the customer's language and time zone: what a customer is given who asks a year
 * later. Notes of the SOC to itself are not on it.
 */

export interface Reported {
  record: IncidentRecord;
  /** As it was shown when it was archived, or is now. */
  view: IncidentView;
  /** Null for one that is not read from the archive. */
  place: ArchivePlace | null;
  exportedAt: Instant;
  customer: { name: string; language: Language; timeZone: string };
}

interface Context extends Reported {
  words: CustomerWords;
  when: When;
  say: (words: Bilingual) => string;
}

function label({ say }: Context, name: keyof typeof reportLabels): string {
  return say(reportLabels[name]);
}

function heading({ say }: Context, name: keyof typeof reportHeadings): string {
  return say(reportHeadings[name]);
}

function facts(context: Context): Section {
  const { record, view, words, when, say, customer } = context;
  const { closed } = record;
  const rows: Row[] = [
    { label: label(context, 'customer'), value: customer.name },
    { label: words.label.reference, value: record.incidentId },
    { label: words.label.alert, value: record.alert.title },
    { label: words.label.detectedAt, value: when(record.alert.createdAt) },
    { label: words.label.severity, value: record.alert.severityRaw ?? words.unknown },
    {
      label: words.label.devices,
      value: view.devices.length === 0 ? words.none : words.listOf(view.devices.map(({ name }) => name)),
    },
    ...(view.level === null ? [] : [{ label: words.label.level, value: words.level[view.level] }]),
    ...(view.verdict === null
      ? []
      : [{ label: words.label.judgement, value: words.judgement[view.verdict.judgement] }]),
    { label: label(context, 'target'), value: targetWords(context) },
    ...(closed === null
      ? [{ label: label(context, 'status'), value: say(openWords) }]
      : [
          { label: label(context, 'closedAt'), value: when(closed.at) },
          {
            label: label(context, 'closedBecause'),
            value: [say(closeReasonWords[closed.reason]), closed.words].filter((part) => part !== null).join(': '),
          },
        ]),
  ];
  return { heading: words.heading.facts, blocks: [{ type: 'rows', rows }] };
}

function targetWords({ view: { slo }, say, when }: Context): string {
  const state = say(sloStateWords[slo.state]);
  return slo.dueAt === null ? state : `${state} (${when(slo.dueAt)})`;
}

function verdictSections(context: Context): Section[] {
  const { record, words, when } = context;
  return record.verdicts.flatMap((verdict: Verdict, index): Section[] => {
    const { level, judgement, at, actor, texts } = verdict;
    const rows: Row[] = [
      { label: words.label.level, value: words.level[level] },
      { label: words.label.judgement, value: words.judgement[judgement] },
      { label: label(context, 'by'), value: `${actor}, ${when(at)}` },
    ];
    const number = record.verdicts.length === 1 ? '' : ` ${index + 1}`;
    return [
      { heading: `${heading(context, 'verdicts')}${number}`, blocks: [{ type: 'rows', rows }] },
      ...textSection(words.heading.detection, texts.detection),
      ...textSection(words.heading.analysis, texts.analysis),
      ...textSection(words.heading.countermeasures, texts.countermeasures),
    ];
  });
}

function escalations(context: Context): Section[] {
  const { record, when } = context;
  if (record.escalations.length === 0) return [];
  const blocks = record.escalations.flatMap(({ at, actor, message, countermeasures }): Block[] => [
    paragraph(`${when(at)} · ${actor}`),
    { type: 'quote', text: [message, countermeasures].filter((part) => part != null).join('\n\n') },
  ]);
  return [{ heading: heading(context, 'escalations'), blocks }];
}

function questions(context: Context): Section[] {
  const { record, when } = context;
  if (record.questions.length === 0) return [];
  const blocks = record.questions.flatMap(({ text, askedAt, answer }): Block[] => [
    paragraph(`${when(askedAt)}\n${text}`),
    ...(answer === null
      ? []
      : [
          paragraph(`${when(answer.receivedAt)} · ${answer.by}`),
          { type: 'quote', text: answer.words } satisfies Block,
        ]),
  ]);
  return [{ heading: heading(context, 'questions'), blocks }];
}

function instructions(context: Context): Section[] {
  const { record, words, when } = context;
  if (record.orders.length === 0) return [];
  const nameOf = (id: string) => record.devices.find(({ machineId }) => machineId === id)?.name ?? id;
  const blocks = record.orders.map(({ instruction, instructorName, machineIds, actor, at }): Block => {
    const { receivedAt, channel, words: said, calledBackAt, mail } = instruction;
    const rows: Row[] = [
      { label: words.label.instructor, value: instructorName },
      { label: words.label.instructedAt, value: when(receivedAt) },
      { label: words.label.channel, value: words.channel[channel] },
      ...(calledBackAt === undefined ? [] : [{ label: words.label.calledBackAt, value: when(calledBackAt) }]),
      { label: label(context, 'words'), value: said },
      { label: words.label.devices, value: words.listOf(machineIds.map(nameOf)) },
      ...(mail?.messageId == null ? [] : [{ label: label(context, 'messageId'), value: mail.messageId }]),
      { label: label(context, 'by'), value: `${actor}, ${when(at)}` },
    ];
    return { type: 'rows', rows };
  });
  return [{ heading: heading(context, 'instructions'), blocks }];
}

function dutySection(context: Context): Section[] {
  const { record, view, when, say, words } = context;
  const owed = view.duties.filter(({ id, kind }) => kind !== 'warn' && !isToSoc(id));
  if (owed.length === 0) return [];
  const rows = owed.map(({ id, kind, target, status, reason, doneAt }): Row => {
    const device = record.devices.find(({ machineId }) => machineId === target)?.name;
    const what = kind === 'mail' ? titleOfMail(words, id) : device === undefined ? undefined : line(device, 100);
    const why = reason === undefined ? [] : [say(reasonWords(reason))];
    const at = doneAt === undefined ? [] : [when(doneAt)];
    return {
      label: [say(dutyKindWords[kind]), what].filter((part) => part !== undefined).join(' · '),
      value: [say(dutyStatusWords[status]), ...why, ...at].join(' · '),
    };
  });
  return [{ heading: heading(context, 'duties'), blocks: [{ type: 'rows', rows }] }];
}

function isToSoc(dutyId: string): boolean {
  return dutyId.startsWith('mail:soc-');
}

/** Those to the customer, the oldest first, and those that came back before they were sent anew. */
function mails(context: Context): Section[] {
  const { record, when, say, words } = context;
  const sent: [string, Effect][] = [
    ...(record.bouncedMails ?? []).map((mail): [string, Effect] => [mail.dutyId, mail]),
    ...Object.entries(record.effects),
  ].filter(([dutyId]) => !isToSoc(dutyId));
  sent.sort(([, a], [, b]) => a.startedAt.localeCompare(b.startedAt));
  const blocks = sent.map(([dutyId, { status, settledAt, messageId, to, textSha256, reason }]): Block => {
    const why = reason === null ? [] : [say(reasonWords(reason))];
    const rows: Row[] = [
      {
        label: titleOfMail(words, dutyId),
        value: [say(mailStatusWords[status]), ...why, ...(settledAt === null ? [] : [when(settledAt)])].join(' · '),
      },
      ...(to === undefined ? [] : [{ label: label(context, 'to'), value: to.join(', ') }]),
      { label: label(context, 'messageId'), value: messageId },
      ...(textSha256 === undefined ? [] : [{ label: label(context, 'sha256'), value: textSha256 }]),
    ];
    return { type: 'rows', rows };
  });
  return [{ heading: heading(context, 'mails'), blocks: blocks.length === 0 ? [paragraph(say(notSent))] : blocks }];
}

/** Of `mail:isolation-result:v0`. */
function titleOfMail({ titles }: CustomerWords, dutyId: string): string {
  const known: Readonly<Record<string, string | undefined>> = titles;
  const kind = dutyId.split(':')[1] ?? dutyId;
  return known[kind] ?? kind;
}

function customerMails(context: Context): Section[] {
  const { view, when, say } = context;
  if (view.customerMails.length === 0) return [];
  const blocks = view.customerMails.flatMap(({ from, receivedAt, subject, messageId, words: said, isCut }): Block[] => [
    {
      type: 'rows',
      rows: [
        { label: label(context, 'from'), value: from === null ? '–' : `${from.name} <${from.address}>`.trim() },
        { label: label(context, 'receivedAt'), value: when(receivedAt) },
        { label: label(context, 'subject'), value: subject },
        ...(messageId === null ? [] : [{ label: label(context, 'messageId'), value: messageId }]),
      ],
    },
    { type: 'quote', text: isCut ? `${said}\n${say(wholeMailElsewhere)}` : said },
  ]);
  return [{ heading: heading(context, 'customerMails'), blocks }];
}

function timeline(context: Context): Section[] {
  const { view, say, customer } = context;
  const dayOf = dayIn(customer.language, customer.timeZone);
  const shown = view.timeline.filter(({ type }) => type !== 'note');
  const days = new Map<string, Row[]>();
  for (const entry of shown) {
    const { day, time } = dayOf(entry.at);
    days.set(day, [
      ...(days.get(day) ?? []),
      { label: time, value: `${say(entry.text)} (${actorOf(context, entry)})` },
    ]);
  }
  const notes = view.timeline.length - shown.length;
  return [...days].map(([day, rows], index) => ({
    heading: index === 0 ? `${heading(context, 'timeline')}: ${day}` : day,
    blocks: [
      { type: 'rows', rows },
      ...(notes > 0 && index === days.size - 1 ? [paragraph(say(notesLeftOut(notes)))] : []),
    ],
  }));
}

function actorOf({ say }: Context, { actor }: Pick<TimelineEntry, 'actor'>): string {
  const known: Readonly<Record<string, Bilingual | undefined>> = actorWords;
  const words = known[actor];
  return words === undefined ? actor : say(words);
}

function proof(context: Context): Section {
  const { place, exportedAt, when } = context;
  const rows: Row[] = [
    ...(place === null
      ? []
      : [
          { label: label(context, 'entry'), value: String(place.seq) },
          { label: label(context, 'archivedAt'), value: when(place.archivedAt) },
          { label: label(context, 'entrySha256'), value: place.sha256 },
          ...(place.previous === null ? [] : [{ label: label(context, 'previous'), value: place.previous }]),
        ]),
    { label: label(context, 'exportedAt'), value: when(exportedAt) },
  ];
  return { heading: heading(context, 'proof'), blocks: [{ type: 'rows', rows }] };
}

/** The record as a document; whoever makes a page of it escapes every text. */
export function incidentReport(reported: Reported): Letter {
  const { language, timeZone } = reported.customer;
  const context: Context = {
    ...reported,
    words: customerWords[language],
    when: whenIn(language, timeZone),
    say: (words) => words[language],
  };
  return {
    language,
    title: `${reportTitle[language]}: ${line(reported.record.alert.title, 200)}`,
    sections: [
      facts(context),
      ...verdictSections(context),
      ...escalations(context),
      ...questions(context),
      ...instructions(context),
      ...dutySection(context),
      ...mails(context),
      ...customerMails(context),
      ...timeline(context),
      proof(context),
    ],
  };
}
