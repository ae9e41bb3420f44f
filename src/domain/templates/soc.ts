import { duties, dutyKinds, isSettled, type Duty, type MailTopic } from '../incident/duties.js';
import { currentVerdict, type IncidentRecord } from '../incident/record.js';
import type { Policy } from '../policy.js';
import { knownReason, reasonWords } from '../reasons.js';
import { assertNever, bilingual, type Bilingual, type Language } from '../text.js';
import { MINUTE_MS, toMs, type Instant } from '../time.js';
import { line } from './clean.js';
import { deviceName, headNames } from './devices.js';
import { paragraph, type Letter, type Section } from './document.js';
import type { CustomerMailKind } from './kinds.js';
import { onRecord } from './on-record.js';
import { whenInAndUtc } from './when.js';
import {
  advice,
  deviceDutyWords,
  duration,
  mailWords,
  phoneWords,
  socHeadings,
  socLabels,
  socLevels,
  socSentences,
  socTitles,
  statusWords,
} from './words/soc.js';

export type SocTopic = Exclude<MailTopic, { kind: CustomerMailKind }>;

/** A value in both languages, or a time, which is written when the language is known. */
type Value = Bilingual | { at: Instant };
type SocRow = readonly [label: keyof typeof socLabels, value: Value];
interface SocSection {
  heading: keyof typeof socHeadings;
  items: readonly Bilingual[];
}
interface SocLetter {
  title: Bilingual;
  rows: readonly SocRow[];
  sections: readonly SocSection[];
}

function same(text: string): Bilingual {
  return bilingual(text, text);
}

/** Analysts see the code too: it is what logs and the API call it. */
function reasonAndCode(code: string): Bilingual {
  const words = reasonWords(code);
  if (knownReason(code) === undefined) return words;
  const shown = line(code, 80);
  return bilingual(`${words.en} (${shown})`, `${words.ja} (${shown})`);
}

function deviceCalled(record: IncidentRecord, machineId: string): string {
  const device = record.devices.find((entry) => entry.machineId === machineId);
  return device === undefined ? line(machineId, 128) : deviceName(record, device);
}

function dutyWords(record: IncidentRecord, { kind, target, topic, id }: Duty): Bilingual {
  switch (kind) {
    case 'isolate':
    case 'release':
      return deviceDutyWords[kind](deviceCalled(record, target));
    case 'phone':
      return phoneWords;
    case 'mail':
    case 'warn':
      return topic === undefined ? same(line(id, 200)) : mailWords[topic.kind];
  }
}

function owedWords(record: IncidentRecord, duty: Duty): Bilingual {
  const what = dutyWords(record, duty);
  const status = statusWords[duty.status];
  const why = duty.reason === undefined ? undefined : reasonAndCode(duty.reason);
  return bilingual(
    `${what.en}: ${status.en}${why === undefined ? '' : `, ${why.en}`}`,
    `${what.ja}: ${status.ja}${why === undefined ? '' : `、${why.ja}`}`,
  );
}

/** What the customer is still owed: what failed belongs to it, since nobody has it. */
function owed(record: IncidentRecord): SocSection {
  const open = duties(record).filter((duty) => duty.kind !== 'warn' && (!isSettled(duty) || duty.status === 'failed'));
  const items = [
    ...(currentVerdict(record) === undefined ? [socSentences.triage] : []),
    ...open.map((duty) => owedWords(record, duty)),
  ];
  return { heading: 'owed', items: items.length === 0 ? [socSentences.nothingOwed] : items };
}

function minutesBetween(from: Instant, to: Instant): number {
  return Math.max(0, Math.floor((toMs(to) - toMs(from)) / MINUTE_MS));
}

function warning(record: IncidentRecord, topic: Extract<SocTopic, { kind: 'soc-warning' }>, now: Instant): SocLetter {
  const { about } = topic;
  if (about === 'untriaged') {
    return {
      title: socTitles.untriaged,
      rows: [
        ['receivedAt', { at: record.createdAt }],
        ['waiting', duration(minutesBetween(record.createdAt, now))],
      ],
      sections: [{ heading: 'advice', items: [socSentences.triageNow] }],
    };
  }
  if ('notice' in about) {
    const notice = onRecord(record.socNotices, about.notice, 'notice');
    return {
      title: socTitles.notice,
      rows: [['at', { at: notice.at }]],
      sections: [{ heading: 'notice', items: [bilingual(line(notice.text.en, 1_000), line(notice.text.ja, 1_000))] }],
    };
  }
  const { percent, dueAt } = onRecord(record.warnings, about.warning, 'warning');
  return {
    title: socTitles.threshold,
    rows: [
      ['passed', same(`${percent} %`)],
      ['dueAt', { at: dueAt }],
      ['remaining', duration(minutesBetween(now, dueAt))],
    ],
    sections: [owed(record)],
  };
}

function breach(record: IncidentRecord, index: number): SocLetter {
  const { dueAt, level, cause } = onRecord(record.breaches, index, 'breach');
  return {
    title: socTitles.breach,
    rows: [
      ['dueAt', { at: dueAt }],
      ['level', level === null ? socSentences.noLevel : socLevels[level]],
      ['cause', reasonAndCode(cause)],
    ],
    sections: [owed(record)],
  };
}

/** The duty of that id. One that the record no longer owes is told by what its id says. */
function dutyOf(record: IncidentRecord, dutyId: string): Duty {
  const found = duties(record).find(({ id }) => id === dutyId);
  if (found !== undefined) return found;
  const [name = ''] = dutyId.split(':', 1);
  const kind = dutyKinds.find((known) => known === name) ?? 'warn';
  return { id: dutyId, kind, target: dutyId.slice(name.length + 1), status: 'failed' };
}

function failure(record: IncidentRecord, dutyId: string): SocLetter {
  const duty = dutyOf(record, dutyId);
  return {
    title: socTitles.failure,
    rows: [
      ['duty', dutyWords(record, duty)],
      ...(duty.reason === undefined ? [] : [['reason', reasonAndCode(duty.reason)] as const]),
    ],
    sections: [{ heading: 'advice', items: [advice(duty.kind, duty.reason)] }],
  };
}

function contentOf(record: IncidentRecord, topic: SocTopic, now: Instant): SocLetter {
  switch (topic.kind) {
    case 'soc-warning':
      return warning(record, topic, now);
    case 'soc-breach':
      return breach(record, topic.breach);
    case 'soc-failure':
      return failure(record, topic.dutyId);
    default:
      return assertNever(topic);
  }
}

function headRows(record: IncidentRecord, policy: Policy): SocRow[] {
  const { alert, incidentId } = record;
  const verdict = currentVerdict(record);
  const names = headNames(record, verdict?.machineIds ?? []).join(', ');
  const severity = alert.severityRaw === null ? socSentences.unknownSeverity : same(line(alert.severityRaw, 64));
  return [
    ['customer', same(`${line(policy.customer.name, 100)} (${policy.customer.id})`)],
    ['incident', same(incidentId)],
    ['alert', same(line(alert.title, 200))],
    ['severity', severity],
    ['devices', names === '' ? socSentences.noDevice : same(names)],
    ['detectedAt', { at: alert.createdAt }],
  ];
}

function inLanguage(language: Language, policy: Policy, { title, rows, sections }: SocLetter): Letter {
  const when = whenInAndUtc(language, policy.customer.timeZone);
  const table: Section = {
    blocks: [
      {
        type: 'rows',
        rows: rows.map(([label, value]) => ({
          label: socLabels[label][language],
          value: 'at' in value ? when(value.at) : value[language],
        })),
      },
    ],
  };
  return {
    language,
    title: title[language],
    sections: [
      table,
      ...sections.map(({ heading, items }): Section => {
        const [only] = items;
        return {
          heading: socHeadings[heading][language],
          blocks:
            items.length === 1 && only !== undefined
              ? [paragraph(only[language])]
              : [{ type: 'list', items: items.map((item) => item[language]) }],
        };
      }),
    ],
  };
}

/** Japanese first, then English: whoever is on duty reads one of them. */
export function socLetters(record: IncidentRecord, policy: Policy, topic: SocTopic, now: Instant): Letter[] {
  const content = contentOf(record, topic, now);
  const letter = { ...content, rows: [...headRows(record, policy), ...content.rows] };
  return [inLanguage('ja', policy, letter), inLanguage('en', policy, letter)];
}
