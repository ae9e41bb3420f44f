import { randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../clock.js';

const text = z.string();
const nullableText = z.string().nullable();

/** Open, as Microsoft adds fields without notice. */
const evidenceShape = z.looseObject({
  entityType: text,
  evidenceCreationTime: text,
  sha1: nullableText,
  sha256: nullableText,
  fileName: nullableText,
  filePath: nullableText,
  processId: z.number().nullable(),
  processCommandLine: nullableText,
  processCreationTime: nullableText,
  parentProcessId: z.number().nullable(),
  parentProcessCreationTime: nullableText,
  parentProcessFileName: nullableText,
  parentProcessFilePath: nullableText,
  ipAddress: nullableText,
  url: nullableText,
  registryKey: nullableText,
  registryHive: nullableText,
  registryValueType: nullableText,
  registryValue: nullableText,
  registryValueName: nullableText,
  accountName: nullableText,
  domainName: nullableText,
  userSid: nullableText,
  aadUserId: nullableText,
  userPrincipalName: nullableText,
  detectionStatus: nullableText,
});

const commentShape = z.looseObject({ comment: nullableText, createdBy: nullableText, createdTime: nullableText });

/** The fields of the alert resource; every value that Microsoft might add to is an open string. */
const alertShape = z.looseObject({
  id: z.string().min(1),
  incidentId: z.int(),
  investigationId: z.int().nullable(),
  assignedTo: nullableText,
  severity: text,
  status: text,
  classification: nullableText,
  determination: nullableText,
  investigationState: text,
  detectionSource: text,
  detectorId: nullableText,
  category: nullableText,
  threatFamilyName: nullableText,
  title: text,
  description: nullableText,
  alertCreationTime: text,
  firstEventTime: text,
  lastEventTime: text,
  lastUpdateTime: text,
  resolvedTime: nullableText,
  machineId: z.string().min(1).nullable(),
  computerDnsName: nullableText,
  rbacGroupName: nullableText,
  aadTenantId: text,
  threatName: nullableText,
  mitreTechniques: z.array(text),
  relatedUser: z.looseObject({ userName: nullableText, domainName: nullableText }).nullable(),
  loggedOnUsers: z.array(z.looseObject({ accountName: text, domainName: nullableText })),
  comments: z.array(commentShape),
  domains: z.array(z.unknown()),
});

export type Evidence = z.infer<typeof evidenceShape>;
export type Alert = z.infer<typeof alertShape> & { evidence: Evidence[] };

export const alertChangesSchema = z.looseObject({
  ...alertShape.partial().shape,
  evidence: z.array(evidenceShape.partial()).optional(),
});
export type AlertChanges = z.infer<typeof alertChangesSchema>;

const blankEvidence = (now: string): Evidence => ({
  entityType: 'File',
  evidenceCreationTime: now,
  sha1: null,
  sha256: null,
  fileName: null,
  filePath: null,
  processId: null,
  processCommandLine: null,
  processCreationTime: null,
  parentProcessId: null,
  parentProcessCreationTime: null,
  parentProcessFileName: null,
  parentProcessFilePath: null,
  ipAddress: null,
  url: null,
  registryKey: null,
  registryHive: null,
  registryValueType: null,
  registryValue: null,
  registryValueName: null,
  accountName: null,
  domainName: null,
  userSid: null,
  aadUserId: null,
  userPrincipalName: null,
  detectionStatus: null,
});

const processEvidence = (now: string): Evidence => ({
  ...blankEvidence(now),
  entityType: 'Process',
  sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  fileName: 'powershell.exe',
  filePath: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0',
  processId: 4890,
  processCommandLine: 'powershell.exe -NoProfile -EncodedCommand VwByAGkAdABlAC0ASABvAHMAdAA=',
  processCreationTime: now,
  parentProcessId: 1212,
  parentProcessCreationTime: now,
  parentProcessFileName: 'winword.exe',
  parentProcessFilePath: 'C:\\Program Files\\Microsoft Office\\root\\Office16',
  accountName: 'taro',
  domainName: 'EXAMPLE',
  detectionStatus: 'Detected',
});

const fillEvidence = (given: AlertChanges['evidence'], now: string): Evidence[] | undefined =>
  given?.map((item) => ({ ...blankEvidence(now), ...item }));

interface NewAlert {
  given: AlertChanges;
  tenantId: string;
  machine: { id: string; computerDnsName: string } | null;
  incidentId: number;
  clock: Clock;
}

/** An alert of the EDR sensor that nobody has dealt with yet, in everything that was not said. */
export const newAlert = ({ given, tenantId, machine, incidentId, clock }: NewAlert): Alert => {
  const now = clock.now();
  return {
    id: `da${clock.dotNetTicks()}_${randomInt(-2_147_483_648, 2_147_483_647)}`,
    incidentId,
    investigationId: null,
    assignedTo: null,
    severity: 'High',
    status: 'New',
    classification: null,
    determination: null,
    investigationState: 'UnsupportedAlertType',
    detectionSource: 'WindowsDefenderAtp',
    detectorId: randomUUID(),
    category: 'Execution',
    threatFamilyName: null,
    title: 'Suspicious PowerShell command line',
    description: 'A suspicious PowerShell activity was observed on the machine.',
    alertCreationTime: now,
    firstEventTime: now,
    lastEventTime: now,
    lastUpdateTime: now,
    resolvedTime: null,
    machineId: machine?.id ?? null,
    computerDnsName: machine?.computerDnsName ?? null,
    rbacGroupName: null,
    aadTenantId: tenantId,
    threatName: null,
    mitreTechniques: ['T1059.001'],
    relatedUser: { userName: 'taro', domainName: 'EXAMPLE' },
    loggedOnUsers: [{ accountName: 'taro', domainName: 'EXAMPLE' }],
    comments: [],
    domains: [],
    ...given,
    evidence: fillEvidence(given.evidence, now) ?? [processEvidence(now)],
  };
};

/** Changes it in place; `lastUpdateTime` moves unless it is among the changes. */
export const changeAlert = (alert: Alert, changes: AlertChanges, clock: Clock): void => {
  const now = clock.now();
  const evidence = fillEvidence(changes.evidence, now) ?? alert.evidence;
  Object.assign(alert, { lastUpdateTime: now }, changes, { evidence });
};
