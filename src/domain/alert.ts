import { z } from 'zod';
import type { DefenderAlert, Evidence } from './defender.js';
import { matchableOf, matchableSchema } from './exclusion/matchable.js';
import { clip, oneLine } from './text.js';
import { sentInstantSchema, toMs } from './time.js';

/** Defender's severity as the rules use it; what is not one of Defender's four is `unknown` and counts as High. */
export type Severity = 'High' | 'Medium' | 'Low' | 'Informational' | 'unknown';

const SEVERITIES: readonly Severity[] = ['High', 'Medium', 'Low', 'Informational'];

export function severityOf(raw: string | undefined): Severity {
  return SEVERITIES.find((severity) => severity.toLowerCase() === raw?.toLowerCase()) ?? 'unknown';
}

const severitySchema = z.enum(['High', 'Medium', 'Low', 'Informational', 'unknown']);
const nullableText = z.string().nullable();
const nullableInstant = sentInstantSchema.nullable();

/** What Defender did about the evidence that can be judged: files, processes, URLs, registry. */
const neutralisationSchema = z.object({ judged: z.int(), good: z.int(), active: z.int() });
export type Neutralisation = z.infer<typeof neutralisationSchema>;

/**
 * The one projection of an alert that an incident keeps: all that the rules, the analyst and the mails need, bounded in
 * size whatever Defender sends.
 */
export const alertRecordSchema = z.object({
  alertId: z.string(),
  title: z.string(),
  description: z.string(),
  createdAt: sentInstantSchema,
  lastUpdateAt: nullableInstant,
  firstEventAt: nullableInstant,
  lastEventAt: nullableInstant,
  defenderIncidentId: nullableText,
  /** As Defender spelt it. */
  severityRaw: nullableText,
  severity: severitySchema,
  status: nullableText,
  classification: nullableText,
  determination: nullableText,
  category: nullableText,
  detectionSource: nullableText,
  investigationState: nullableText,
  threatName: nullableText,
  machineId: nullableText,
  computerDnsName: nullableText,
  mitreTechniques: z.array(z.string()),
  evidence: z.array(
    z.object({
      entityType: z.string(),
      what: z.string(),
      detectionStatus: z.string().optional(),
      remediationStatus: z.string().optional(),
    }),
  ),
  evidenceTotal: z.int(),
  /** Of the files that the judged evidence names, as SHA-256 or else SHA-1. Absent in records from before it was kept. */
  fileHashes: z.array(z.string()).optional(),
  neutralisation: neutralisationSchema,
  /** What exclusions are matched with. Absent in records from before there were any. */
  matchable: matchableSchema.optional(),
});
export type AlertRecord = z.infer<typeof alertRecordSchema>;

/** Is the version older than the one that is known? Versions may arrive in any order. */
export function isOlder(alert: AlertRecord, known: AlertRecord): boolean {
  return (
    known.lastUpdateAt !== null && alert.lastUpdateAt !== null && toMs(alert.lastUpdateAt) < toMs(known.lastUpdateAt)
  );
}

/** A newer version of an alert, on its way to its incident. The fingerprint tells versions apart. */
export const alertNewsSchema = z.object({ alert: alertRecordSchema, fingerprint: z.string().min(1) });
export type AlertNews = z.infer<typeof alertNewsSchema>;

const MAX_EVIDENCE = 30;
const MAX_TECHNIQUES = 30;

const JUDGED_ENTITIES = ['file', 'process', 'url', 'registry', 'registrykey', 'registryvalue'];
const GOOD_DETECTION = ['prevented', 'blocked'];
const GOOD_REMEDIATION = ['remediated', 'prevented', 'blocked'];
const ACTIVE_REMEDIATION = ['active', 'pendingapproval', 'declined', 'unremediated', 'running', 'partiallyremediated'];

function isOneOf(list: readonly string[], value: string | undefined): boolean {
  return value !== undefined && list.includes(value.toLowerCase());
}

function isActive(evidence: Evidence): boolean {
  return isOneOf(ACTIVE_REMEDIATION, evidence.remediationStatus);
}

/** Blocked as it ran but still active afterwards is a contradiction: the dangerous reading wins. */
function isGood(evidence: Evidence): boolean {
  const stopped =
    isOneOf(GOOD_DETECTION, evidence.detectionStatus) || isOneOf(GOOD_REMEDIATION, evidence.remediationStatus);
  return stopped && !isActive(evidence);
}

function neutralisationOf(evidence: readonly Evidence[]): Neutralisation {
  // User, Machine and Ip evidence reads "Detected" even where the process was blocked, so it proves nothing.
  const judged = evidence.filter((item) => isOneOf(JUDGED_ENTITIES, item.entityType));
  return {
    judged: judged.length,
    good: judged.filter(isGood).length,
    active: judged.filter(isActive).length,
  };
}

const MAX_HASHES = 20;

function hashesOf(evidence: readonly Evidence[]): string[] {
  const hashes = evidence
    .filter((item) => isOneOf(JUDGED_ENTITIES, item.entityType))
    .map(({ sha256, sha1 }) => (sha256 ?? sha1 ?? '').toLowerCase())
    .filter((hash) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash));
  return [...new Set(hashes)].slice(0, MAX_HASHES);
}

function describe(evidence: Evidence): string {
  const account = [evidence.domainName, evidence.accountName].filter((part) => part !== undefined).join('\\');
  const path = [evidence.filePath, evidence.fileName].filter((part) => part !== undefined).join('\\');
  const parts = [
    path,
    evidence.processCommandLine,
    evidence.sha256 ?? evidence.sha1,
    account,
    evidence.ipAddress,
    evidence.url,
    evidence.registryKey,
    evidence.registryValueName,
  ];
  return oneLine(parts.filter((part) => part !== undefined && part !== '').join(' · '), 300);
}

function line(text: string | undefined, limit: number): string | null {
  return text === undefined ? null : oneLine(text, limit);
}

export function projectAlert(alert: DefenderAlert): AlertRecord {
  const evidence = (alert.evidence ?? []).flatMap((item) => (item === null ? [] : [item]));
  const machineId = alert.machineId === '' ? null : (alert.machineId ?? null);
  return {
    alertId: alert.id,
    title: oneLine(alert.title ?? alert.category ?? alert.id, 200),
    description: clip(alert.description ?? '', 2_000),
    createdAt: alert.alertCreationTime,
    lastUpdateAt: alert.lastUpdateTime ?? null,
    firstEventAt: alert.firstEventTime ?? null,
    lastEventAt: alert.lastEventTime ?? null,
    defenderIncidentId: line(alert.incidentId, 64),
    severityRaw: line(alert.severity, 64),
    severity: severityOf(alert.severity),
    status: line(alert.status, 64),
    classification: line(alert.classification, 64),
    determination: line(alert.determination, 64),
    category: line(alert.category, 64),
    detectionSource: line(alert.detectionSource, 64),
    investigationState: line(alert.investigationState, 64),
    threatName: line(alert.threatName ?? alert.threatFamilyName, 128),
    machineId,
    computerDnsName: line(alert.computerDnsName, 255),
    mitreTechniques: (alert.mitreTechniques ?? [])
      .filter((technique) => typeof technique === 'string')
      .slice(0, MAX_TECHNIQUES)
      .map((technique) => oneLine(technique, 32)),
    evidence: evidence.slice(0, MAX_EVIDENCE).map((item) => ({
      entityType: oneLine(item.entityType ?? '?', 32),
      what: describe(item),
      detectionStatus: item.detectionStatus === undefined ? undefined : oneLine(item.detectionStatus, 32),
      remediationStatus: item.remediationStatus === undefined ? undefined : oneLine(item.remediationStatus, 32),
    })),
    evidenceTotal: evidence.length,
    fileHashes: hashesOf(evidence),
    neutralisation: neutralisationOf(evidence),
    matchable: matchableOf(alert),
  };
}
