import { timeOf } from '../clock.js';
import type { Random } from '../random.js';
import type { Alert, AlertChanges } from './alert.js';
import { deviceOf, somebody, type FleetDevice, type Platform } from './fleet.js';
import { scenarios, type GivenEvidence } from './scenarios.js';
import type { Tenant } from './tenant.js';

/** Why a managed service would leave an alert alone: each is one way for it to fall outside. */
export const outsideReasons = [
  'low',
  'informational',
  'antivirus',
  'custom-detection',
  'prevented',
  'remediated',
  'other-system',
] as const;
export type OutsideReason = (typeof outsideReasons)[number];
export type AlertKind = 'in-scope' | OutsideReason;

interface Wanted {
  kind: AlertKind;
  /** How many devices of each platform the customer has. */
  fleetSize: number;
  atMs: number;
  /** The latest moment in which Defender may have touched it. */
  untilMs: number;
  /** What is to be different. */
  changes?: AlertChanges;
}

const severityOf = (kind: AlertKind, usual: string): string => {
  if (kind === 'low') return 'Low';
  return kind === 'informational' ? 'Informational' : usual;
};

const sourceOf = (kind: AlertKind): string => {
  if (kind === 'antivirus') return 'WindowsDefenderAv';
  return kind === 'custom-detection' ? 'CustomDetection' : 'WindowsDefenderAtp';
};

/** The evidence of which Defender says whether it was stopped. */
export const isJudged = ({ entityType }: GivenEvidence): boolean => entityType !== 'User' && entityType !== 'Ip';

export const stopped = <E extends GivenEvidence>(evidence: readonly E[], detectionStatus: string): E[] =>
  evidence.map((item) => (isJudged(item) ? { ...item, detectionStatus } : item));

const lastingStates = [
  'UnsupportedAlertType',
  'UnsupportedAlertType',
  'UnsupportedAlertType',
  'PendingApproval',
] as const;

const minuteMs = 60_000;

/** An alert as Defender might raise it, of the kind that is wanted. */
const plausibleAlert = (device: FleetDevice, { kind, atMs, untilMs }: Wanted, random: Random): AlertChanges => {
  const scenario = random.pick(scenarios);
  const person = somebody(random);
  // It is seen before it is reported, and looked at by Defender once more soon afterwards.
  const firstMs = atMs - random.between(0.5, 12) * minuteMs;
  const at = timeOf(firstMs);
  const domainName = 'CORP';
  const evidence = scenario.evidence({ device, person, domainName, at, random });
  return {
    title: scenario.title,
    description: scenario.description,
    category: scenario.category,
    severity: severityOf(kind, scenario.severity),
    mitreTechniques: scenario.mitreTechniques,
    threatFamilyName: scenario.threatFamilyName ?? null,
    detectionSource: sourceOf(kind),
    investigationState: kind === 'remediated' ? 'SuccessfullyRemediated' : random.pick(lastingStates),
    investigationId: kind === 'remediated' ? random.whole(100, 99_999) : null,
    machineId: device.machineId,
    computerDnsName: device.computerDnsName,
    firstEventTime: at,
    lastEventTime: timeOf(random.between(firstMs, atMs)),
    alertCreationTime: timeOf(atMs),
    lastUpdateTime: timeOf(random.between(atMs, Math.min(untilMs, atMs + 10 * minuteMs))),
    relatedUser: { userName: person.accountName, domainName },
    loggedOnUsers: [{ accountName: person.accountName, domainName }],
    evidence: kind === 'prevented' ? stopped(evidence, random.pick(['Prevented', 'Blocked'])) : evidence,
  };
};

/** Raises it in the tenant, on one of the tenant's devices. */
export const raisePlausibleAlert = (tenant: Tenant, wanted: Wanted, random: Random): Alert => {
  const platform: Platform = wanted.kind === 'other-system' ? 'other' : 'windows';
  const device = deviceOf(tenant.id, platform, random.whole(0, wanted.fleetSize - 1));
  // What somebody has said of the device in the meantime stays.
  if (!tenant.machines.has(device.machineId)) tenant.changeMachine(device.machineId, device.machine);
  return tenant.raiseAlert({ ...plausibleAlert(device, wanted, random), ...wanted.changes });
};

/** So many kinds, `inScope` of them in scope and spread evenly among the others, whose reasons take turns. */
export const mixedKinds = (count: number, inScope: number): AlertKind[] => {
  const kinds: AlertKind[] = [];
  let outside = 0;
  for (let place = 1; place <= count; place += 1) {
    const isIn = Math.floor((place * inScope) / count) > Math.floor(((place - 1) * inScope) / count);
    if (isIn) kinds.push('in-scope');
    else {
      kinds.push(outsideReasons[outside % outsideReasons.length] ?? 'low');
      outside += 1;
    }
  }
  return kinds;
};
