import { reportedIsolations, type MailTopic } from '../incident/duties.js';
import {
  currentVerdict,
  customerTold,
  type DeviceEntry,
  type IncidentRecord,
  type Verdict,
} from '../incident/record.js';
import type { Policy } from '../policy.js';
import { assertNever } from '../text.js';
import type { Instant } from '../time.js';
import {
  closing,
  contextOf,
  deviceSection,
  disconnect,
  greeting,
  head,
  instruction,
  phoneSection,
  proposal,
  question,
  releaseHow,
  releaseQuestion,
  type Context,
} from './customer-parts.js';
import { concernedEntries, deviceName, headNames, tellDevices, type ToldDevice } from './devices.js';
import { paragraph, textSection, type Letter, type Row, type Section } from './document.js';
import type { CustomerMailKind } from './kinds.js';
import { onRecord } from './on-record.js';
import { escalationSummary, isolationSummary, releaseSummary, verdictSummary, wordsOf } from './summary.js';

export type CustomerTopic = Exclude<Extract<MailTopic, { kind: CustomerMailKind }>, { kind: 'reminder' }>;

export function isToCustomer(topic: MailTopic): topic is CustomerTopic {
  return ['primary', 'secondary', 'isolation-result', 'release-result'].includes(topic.kind);
}

/** The primary was refused: whatever is sent now is the first that the customer hears. */
function primaryRefused(record: IncidentRecord): boolean {
  return record.effects['mail:primary'] !== undefined && !customerTold(record);
}

/** The last verdict before this one that the customer was told of, or may have been. */
function toldBefore(record: IncidentRecord, index: number): Verdict | undefined {
  const told = Object.values(record.effects)
    .filter(({ status, maybeAccepted }) => status === 'done' || status === 'running' || maybeAccepted)
    .flatMap(({ verdict }) => (verdict !== null && verdict < index ? [verdict] : []));
  if (told.length > 0) return record.verdicts[Math.max(...told)];
  return primaryRefused(record) ? undefined : record.verdicts[index - 1];
}

function verdictRows({ words }: Context, verdict: Verdict, before: Verdict | undefined): Row[] {
  const told = (is: string, was: string | undefined): string => {
    if (was === undefined) return is;
    return is === was ? words.unchanged(is) : words.changed(was, is);
  };
  return [
    {
      label: words.label.level,
      value: told(words.level[verdict.level], before && words.level[before.level]),
    },
    {
      label: words.label.judgement,
      value: told(words.judgement[verdict.judgement], before && words.judgement[before.judgement]),
    },
  ];
}

/** At level 2 no device is isolated, and from level 3 on the mail says so where none could be named. */
function isolation(context: Context, verdict: Verdict, told: readonly ToldDevice[]): Section[] {
  if (told.length > 0) return deviceSection(context, told);
  const { words } = context;
  if (verdict.level === 1) return [];
  const sentence = verdict.level === 2 ? words.noIsolation : words.noDeviceNamed;
  return [{ heading: words.heading.isolation, blocks: [paragraph(sentence)] }];
}

/** What a mail says between its greeting and its close. In the order in which a reader needs it: what is asked, done, advised, found. */
interface Body {
  summary: string[];
  sections: Section[];
}

function verdictBody(context: Context, verdict: Verdict, before: Verdict | undefined): Body {
  const { record, policy, now, words } = context;
  const { detection, analysis, countermeasures } = verdict.texts;
  const told = tellDevices(record, policy, now, concernedEntries(record, verdict.machineIds));
  const sections = [
    ...question(context, verdict.askCustomer),
    ...(verdict.level === 1 ? releaseQuestion(context, told) : []),
    ...disconnect(context, told),
    ...proposal(context, verdict.exclusionProposal),
    ...isolation(context, verdict, told),
    ...(verdict.level === 4 ? phoneSection(context) : []),
    ...textSection(words.heading.countermeasures, countermeasures),
    head(context, headNames(record, verdict.machineIds), verdictRows(context, verdict, before)),
    ...textSection(words.heading.detection, detection),
    ...textSection(words.heading.analysis, analysis),
    ...releaseHow(context, told),
  ];
  return { summary: verdictSummary(context, verdict, told, before === undefined), sections };
}

function escalationBody(context: Context, index: number): Body {
  const { record, policy, now, words } = context;
  const escalation = onRecord(record.escalations, index, 'escalation');
  const verdict = currentVerdict(record);
  const rows = verdict === undefined ? [] : verdictRows(context, verdict, undefined);
  const machineIds = verdict?.machineIds ?? [];
  const told = tellDevices(record, policy, now, concernedEntries(record, machineIds));
  const sections = [
    ...question(context, escalation.askCustomer),
    ...disconnect(context, told),
    ...proposal(context, escalation.exclusionProposal),
    ...textSection(words.heading.message, escalation.message),
    ...textSection(words.heading.countermeasures, escalation.countermeasures),
    head(context, headNames(record, machineIds), rows),
  ];
  return { summary: escalationSummary(context, escalation, verdict, told, primaryRefused(record)), sections };
}

function namesOf(record: IncidentRecord, entries: readonly DeviceEntry[]): string[] {
  return entries.map((device) => deviceName(record, device));
}

/** A mail in its own thread need not say the level again; one that tells of a linked alert in the lead's does. */
type LevelRows = (context: Context) => readonly Row[];
const NO_LEVEL: LevelRows = () => [];

function currentLevel(context: Context): readonly Row[] {
  const verdict = currentVerdict(context.record);
  return verdict === undefined ? [] : verdictRows(context, verdict, undefined);
}

function isolationResult(context: Context, wave: number, levelRows: LevelRows): Body {
  const { record, policy, now } = context;
  const entries = reportedIsolations(record, wave);
  const told = tellDevices(record, policy, now, entries);
  const sections = [
    ...disconnect(context, told),
    ...deviceSection(context, told),
    head(context, namesOf(record, entries), levelRows(context)),
    ...releaseHow(context, told),
  ];
  return { summary: isolationSummary(context, told), sections };
}

function releaseResult(context: Context, index: number, levelRows: LevelRows): Body {
  const { record, policy, now } = context;
  const order = onRecord(record.orders, index, 'release order');
  const entries = record.devices.filter(({ machineId }) => order.machineIds.includes(machineId));
  const told = tellDevices(record, policy, now, entries);
  const sections = [
    ...deviceSection(context, told),
    instruction(context, order),
    head(context, namesOf(record, entries), levelRows(context)),
    ...releaseHow(context, told),
  ];
  return { summary: releaseSummary(context, told), sections };
}

function bodyOf(context: Context, topic: CustomerTopic, levelRows: LevelRows): Body {
  const { record } = context;
  switch (topic.kind) {
    case 'primary': {
      const verdict = onRecord(record.verdicts, topic.verdict, 'verdict');
      return verdictBody(context, verdict, undefined);
    }
    case 'secondary': {
      if ('escalation' in topic) return escalationBody(context, topic.escalation);
      if ('linked' in topic) {
        const { sections } = onRecord(record.tellings ?? [], topic.linked, 'telling');
        return { summary: [wordsOf(context).linked], sections: [...(sections ?? [])] };
      }
      const verdict = onRecord(record.verdicts, topic.verdict, 'verdict');
      return verdictBody(context, verdict, toldBefore(record, topic.verdict));
    }
    case 'isolation-result':
      return isolationResult(context, topic.wave, levelRows);
    case 'release-result':
      return releaseResult(context, topic.order, levelRows);
    default:
      return assertNever(topic);
  }
}

export function customerLetter(record: IncidentRecord, policy: Policy, topic: CustomerTopic, now: Instant): Letter {
  const context = contextOf(record, policy, now);
  const { words } = context;
  const { summary, sections } = bodyOf(context, topic, NO_LEVEL);
  return {
    language: words.language,
    title: words.titles[topic.kind],
    greeting: greeting(context),
    summary,
    sections: [...sections, ...closing(context)],
  };
}

/** What this incident has to tell the customer, for its lead to send. */
export function linkedSections(record: IncidentRecord, policy: Policy, topic: CustomerTopic, now: Instant): Section[] {
  const context = contextOf(record, policy, now);
  const { summary, sections } = bodyOf(context, topic, currentLevel);
  return [{ heading: context.words.heading.linked, blocks: [paragraph(summary.join('\n'))] }, ...sections];
}
