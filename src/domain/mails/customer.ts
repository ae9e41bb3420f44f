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
import type { Opening } from './words/words.js';

export type CustomerTopic = Extract<MailTopic, { kind: CustomerMailKind }>;

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

/** What a mail says between its greeting and its close, and the sentence that opens it. */
interface Body {
  opening: Opening;
  sections: Section[];
}

function verdictBody(context: Context, verdict: Verdict, before: Verdict | undefined): Body {
  const { record, policy, now, words } = context;
  const { detection, analysis, countermeasures } = verdict.texts;
  const told = tellDevices(record, policy, now, concernedEntries(record, verdict.machineIds));
  const allClear = verdict.level === 1;
  const opening = before === undefined ? 'primary' : 'changed';
  const sections = [
    head(context, headNames(record, verdict.machineIds), verdictRows(context, verdict, before)),
    ...question(context, verdict.askCustomer),
    ...(allClear ? releaseQuestion(context, told) : []),
    ...isolation(context, verdict, told),
    ...(verdict.level === 4 ? phoneSection(context) : []),
    ...textSection(words.heading.detection, detection),
    ...textSection(words.heading.analysis, analysis),
    ...textSection(words.heading.countermeasures, countermeasures),
    ...proposal(context, verdict.exclusionProposal),
    ...releaseHow(context, told),
  ];
  return { opening: allClear ? `${opening}-all-clear` : opening, sections };
}

function escalationBody(context: Context, index: number): Body {
  const { record, words } = context;
  const escalation = onRecord(record.escalations, index, 'escalation');
  const verdict = currentVerdict(record);
  const rows = verdict === undefined ? [] : verdictRows(context, verdict, undefined);
  const sections = [
    head(context, headNames(record, verdict?.machineIds ?? []), rows),
    ...question(context, escalation.askCustomer),
    ...textSection(words.heading.message, escalation.message),
    ...textSection(words.heading.countermeasures, escalation.countermeasures),
    ...proposal(context, escalation.exclusionProposal),
  ];
  return { opening: primaryRefused(record) ? 'primary' : 'more', sections };
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
  const complete = told.length > 0 && told.every(({ state }) => state.is === 'isolated');
  const sections = [
    head(context, namesOf(record, entries), levelRows(context)),
    ...deviceSection(context, told),
    ...releaseHow(context, told),
  ];
  return { opening: complete ? 'all-isolated' : 'isolation-result', sections };
}

function releaseResult(context: Context, index: number, levelRows: LevelRows): Body {
  const { record, policy, now } = context;
  const order = onRecord(record.orders, index, 'release order');
  const entries = record.devices.filter(({ machineId }) => order.machineIds.includes(machineId));
  const told = tellDevices(record, policy, now, entries);
  const complete = told.length > 0 && told.every(({ state }) => state.is === 'released');
  const sections = [
    head(context, namesOf(record, entries), levelRows(context)),
    ...deviceSection(context, told),
    instruction(context, order),
    ...releaseHow(context, told),
  ];
  return { opening: complete ? 'all-released' : 'release-result', sections };
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
        return { opening: 'linked', sections: [...(sections ?? [])] };
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
  const { opening, sections } = bodyOf(context, topic, NO_LEVEL);
  return {
    language: words.language,
    title: words.titles[topic.kind],
    sections: [greeting(context, opening), ...sections, ...closing(context)],
  };
}

/** What this incident has to tell the customer, for its lead to send. */
export function linkedSections(record: IncidentRecord, policy: Policy, topic: CustomerTopic, now: Instant): Section[] {
  const context = contextOf(record, policy, now);
  const { heading, openings } = context.words;
  const { opening, sections } = bodyOf(context, topic, currentLevel);
  return [{ heading: heading.linked, blocks: [paragraph(openings[opening])] }, ...sections];
}
