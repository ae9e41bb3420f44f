import { z } from 'zod';

/**
 * Defender's resources as really sent: nulls, values never seen before, extra keys, numbers where the documentation
 * says string. Nothing is refused for being new; what is read is read leniently, what is not read is ignored.
 * Source: learn.microsoft.com, Defender for Endpoint API, "Alert", "Machine" and "MachineAction" resource types.
 */

/** Printable ASCII without blanks: whatever Defender uses as an id, safe inside workflow ids and headers. */
const PRINTABLE_ID = /^[\x21-\x7e]+$/;

const idText = z.union([z.string(), z.number()]).transform(String);

export const alertIdSchema = idText.pipe(
  z
    .string()
    .max(128, 'must be at most 128 characters')
    .regex(PRINTABLE_ID, 'must be printable characters without blanks'),
);

export const machineIdSchema = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(PRINTABLE_ID, 'must be printable characters without blanks');

/** A string, or nothing: null, a missing key, and any other type that a later version may send. */
const looseText = z
  .unknown()
  .optional()
  .transform((value) => {
    if (typeof value === 'string') return value.trim() === '' ? undefined : value;
    if (typeof value === 'number') return String(value);
    return undefined;
  });

/** Defender's times are UTC, sometimes with seven fraction digits, in old payloads without the Z. */
export function parseDefenderTime(text: string): string | undefined {
  const ms = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

const looseTime = looseText.transform((text) => (text === undefined ? undefined : parseDefenderTime(text)));

const requiredTime = z.string().transform((text, context) => {
  const instant = parseDefenderTime(text);
  if (instant !== undefined) return instant;
  context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time' });
  return z.NEVER;
});

const evidenceSchema = z.looseObject({
  entityType: looseText,
  detectionStatus: looseText,
  remediationStatus: looseText,
  fileName: looseText,
  filePath: looseText,
  sha1: looseText,
  sha256: looseText,
  /** Not documented for alerts; read in case it comes. */
  certificateThumbprint: looseText,
  processCommandLine: looseText,
  parentProcessFileName: looseText,
  accountName: looseText,
  domainName: looseText,
  userPrincipalName: looseText,
  ipAddress: looseText,
  url: looseText,
  registryKey: looseText,
  registryValueName: looseText,
});

/** An alert as `GET /api/alerts?$expand=evidence` returns it. Only what the process cannot do without is required. */
export const defenderAlertSchema = z.looseObject({
  id: alertIdSchema,
  alertCreationTime: requiredTime,
  title: looseText,
  description: looseText,
  lastUpdateTime: looseTime,
  firstEventTime: looseTime,
  lastEventTime: looseTime,
  incidentId: looseText,
  investigationState: looseText,
  severity: looseText,
  status: looseText,
  classification: looseText,
  determination: looseText,
  category: looseText,
  detectionSource: looseText,
  detectorId: looseText,
  threatFamilyName: looseText,
  threatName: looseText,
  machineId: idText.pipe(machineIdSchema).or(z.literal('')).nullish(),
  computerDnsName: looseText,
  aadTenantId: looseText,
  mitreTechniques: z.array(z.unknown()).nullish(),
  evidence: z.array(evidenceSchema.nullable()).nullish(),
});

export type DefenderAlert = z.infer<typeof defenderAlertSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;

export const defenderMachineSchema = z.looseObject({
  id: idText,
  computerDnsName: looseText,
  osPlatform: looseText,
  healthStatus: looseText,
  onboardingStatus: looseText,
});

export type DefenderMachine = z.infer<typeof defenderMachineSchema>;

/** The states that the process acts on; any other (a new one) counts as still running. */
export const FINAL_ACTION_STATUSES = ['Succeeded', 'Failed', 'TimeOut', 'Cancelled'] as const;

export const machineActionSchema = z.looseObject({
  id: idText,
  type: z.string(),
  status: z.string(),
  machineId: looseText,
  requestor: looseText,
  requestorComment: looseText,
  creationDateTimeUtc: looseTime,
  /** Some of the documentation's examples spell it `lastUpdateTimeUtc`. */
  lastUpdateDateTimeUtc: looseTime,
  lastUpdateTimeUtc: looseTime,
  errorHResult: z.number().nullish(),
});

export type MachineAction = z.infer<typeof machineActionSchema>;

export function isFinal(action: { status: string }): boolean {
  return FINAL_ACTION_STATUSES.some((status) => status === action.status);
}
