import type { AuditedType, Finding, Sighting } from '../audit.js';
import { bilingual, type Bilingual, type Language } from '../text.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';
import { paragraph, type Letter, type Section } from './document.js';
import type { RenderedMail } from './kinds.js';
import { whenInAndUtc } from './when.js';
import {
  alsoOverdue,
  customerMatters,
  deviceMatters,
  exclusionMatters,
  feedMatters,
  findingAdvice,
  findingHeadings,
  findingLabels,
  findingSubjects,
  findingTitles,
  howStopped,
  isolationWords,
  owedInStage,
  phoneMatters,
  rejectedMatters,
  inquiryMatters,
  heldMailMatters,
  mailboxMatters,
  strangersMatters,
  whatItIs,
  whatItMeans,
} from './words/finding.js';

export interface FindingReport {
  /** What is told, the first of them in the title. */
  findings: readonly [Finding, ...Finding[]];
  seen: Sighting;
  /** Null for one who is no longer in the customers file. */
  customer: { id: string; name: string; timeZone: string } | null;
  foundAt: Instant;
  namespace: string;
  socMailTo: string;
}

type Row = readonly [label: keyof typeof findingLabels, value: Bilingual | { at: Instant }];

const MAX_DEVICES = 20;

function same(text: string): Bilingual {
  return bilingual(text, text);
}

function customerName({ customer, seen }: FindingReport): string {
  if (customer !== null) return `${line(customer.name, 100)} (${customer.id})`;
  return line(seen.workflowId.split(':')[1] ?? '', 40);
}

function devicesOf({ incident, device }: Sighting): Bilingual[] {
  const devices = incident?.devices ?? (device === null ? [] : [device]);
  return devices.slice(0, MAX_DEVICES).map(({ name, machineId, isolation }) => {
    const called = line(name === machineId ? name : `${name} (${machineId})`, 200);
    const { en, ja } = isolationWords[isolation];
    return bilingual(`${called}: ${en}`, `${called}: ${ja}`);
  });
}

function joined(all: readonly Bilingual[]): Bilingual {
  return bilingual(all.map(({ en }) => en).join(', '), all.map(({ ja }) => ja).join('、'));
}

function rowsOf(report: FindingReport): Row[] {
  const { seen, foundAt } = report;
  const { incident, device, stoppedAt, status, type, workflowId, runId } = seen;
  const dueAt = incident?.slo.dueAt ?? null;
  const devices = devicesOf(seen);
  const { en, ja } = whatItIs[type];
  const id = line(workflowId, 200);
  return [
    ['customer', same(customerName(report))],
    ['process', bilingual(`${en}: ${id}`, `${ja}: ${id}`)],
    ['run', same(runId)],
    ...(incident === null
      ? []
      : [
          ['alert', same(line(incident.title, 200))] as const,
          ['severity', same(line(incident.severity ?? '-', 64))] as const,
          ['level', same(incident.level === null ? '-' : String(incident.level))] as const,
        ]),
    ...(devices.length === 0 ? [] : [['devices', joined(devices)] as const]),
    ...(device === null || device.heldBy.length === 0
      ? []
      : [['heldBy', same(line(device.heldBy.join(', '), 1_000))] as const]),
    ...(status === 'Running' ? [] : [['how', howStopped[status]] as const]),
    ...(stoppedAt === null ? [] : [['since', { at: stoppedAt }] as const]),
    ['found', { at: foundAt }],
    ...(dueAt === null ? [] : [['dueAt', { at: dueAt }] as const]),
  ];
}

/** What it means for whoever reads it that it stands still. */
const MATTERS: Record<AuditedType, readonly Bilingual[]> = {
  incident: [],
  device: [deviceMatters],
  phone: [phoneMatters],
  customer: [customerMatters],
  exclusionRequest: [exclusionMatters],
  alertFeed: [feedMatters],
  rejectedAlert: [rejectedMatters],
  inquiry: [inquiryMatters],
  heldMail: [heldMailMatters],
  strangers: [strangersMatters],
  mailbox: [mailboxMatters],
};

/** One word for a shell, whatever is in it. */
function quoted(text: string): string {
  return /^[\w:.@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function commandFor({ findings: [{ problem }], seen, namespace }: FindingReport): string {
  const about = `--namespace ${quoted(namespace)} --workflow-id ${quoted(seen.workflowId)}`;
  return problem === 'stopped' || seen.status !== 'Running'
    ? `temporal workflow reset ${about} --type LastWorkflowTask --reason "stopped by mistake"`
    : `temporal workflow describe ${about}`;
}

function sectionsOf(report: FindingReport): { heading: Bilingual; paragraphs: Bilingual[] }[] {
  const { seen, findings } = report;
  const [{ problem }] = findings;
  const isAlsoOverdue = problem !== 'overdue' && findings.some((finding) => finding.problem === 'overdue');
  // A deadline that passes after the stop was told is told with what has stopped it.
  const cause = seen.status !== 'Running' ? 'stopped' : problem;
  const byType = MATTERS[seen.type];
  const what = [
    ...new Set([whatItMeans[problem], whatItMeans[cause], ...(isAlsoOverdue ? [alsoOverdue] : []), ...byType]),
  ];
  return [
    { heading: findingHeadings.what, paragraphs: what },
    ...(seen.incident === null
      ? []
      : [{ heading: findingHeadings.owed, paragraphs: [owedInStage[seen.incident.stage]] }]),
    { heading: findingHeadings.advice, paragraphs: [findingAdvice[cause], same(commandFor(report))] },
  ];
}

function letterIn(language: Language, report: FindingReport): Letter {
  const when = whenInAndUtc(language, report.customer?.timeZone ?? 'UTC');
  const rows = rowsOf(report).map(([label, value]) => ({
    label: findingLabels[label][language],
    value: 'at' in value ? when(value.at) : value[language],
  }));
  const sections = sectionsOf(report).map(({ heading, paragraphs }): Section => ({
    heading: heading[language],
    blocks: paragraphs.map((words) => paragraph(words[language])),
  }));
  return {
    language,
    title: findingTitles[report.findings[0].problem][language],
    sections: [{ blocks: [{ type: 'rows', rows }] }, ...sections],
  };
}

/** The incident that a mail program should sort it under, where there is just one. */
export function incidentOf({ type, workflowId, device }: Sighting): string | undefined {
  if (type === 'incident') return workflowId;
  return device?.heldBy.length === 1 ? device.heldBy[0] : undefined;
}

/** Tells the SOC, in both languages, that a process stands still. */
export function findingMail(report: FindingReport): RenderedMail {
  const { ja, en } = findingSubjects[report.findings[0].problem];
  const { incident, workflowId } = report.seen;
  const about = `${line(report.customer?.name ?? '', 40)}: ${line(incident?.title ?? workflowId, 80)}`;
  const letters = [letterIn('ja', report), letterIn('en', report)];
  return {
    kind: 'soc-failure',
    to: [report.socMailTo],
    cc: [],
    subject: line(`[見守り SOC] ${ja} / ${en}: ${about}`, 150),
    letters,
  };
}
