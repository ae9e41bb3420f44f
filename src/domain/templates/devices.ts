import { tuningPeriodAt } from '../customer.js';
import { duties, type Duty } from '../incident/duties.js';
import { endedElsewhere, releasedElsewhere } from '../incident/elsewhere.js';
import { parseIncidentId, type DeviceEntry, type IncidentRecord } from '../incident/record.js';
import type { Policy } from '../policy.js';
import type { Instant } from '../time.js';
import { line } from './clean.js';

/** What may honestly be said of a device's isolation. Only `isolated` and what follows from it rests on Defender's word. */
export type DeviceState =
  | { is: 'to-be-requested' }
  | { is: 'being-verified' }
  | { is: 'requested'; at: Instant }
  | { is: 'isolated'; since: Instant }
  | { is: 'released-elsewhere'; at: Instant }
  | { is: 'waived-tuning'; until: Instant | null }
  | { is: 'server-left' }
  | { is: 'failed'; reason: string }
  | { is: 'cancelling' }
  | { is: 'cancelled'; reason: string }
  | { is: 'cancelled-tuning'; until: Instant | null }
  | { is: 'releasing'; since: Instant }
  | { is: 'released'; at: Instant }
  | { is: 'held'; by: string[] }
  | { is: 'still-requested'; by: string[] }
  | { is: 'release-failed'; reason: string }
  | { is: 'release-cancelled-request' }
  | { is: 'was-not-isolated' };

export interface ToldDevice {
  machineId: string;
  name: string;
  state: DeviceState;
}

const MAX_NAME_LENGTH = 100;

/** An analyst has to look at these first; until then the customer is told that the device is being verified. */
const INTERNAL_REASONS: readonly string[] = ['device-mismatch', 'server-decision-needed'];

function tuningUntil(policy: Policy, at: Instant): Instant | null {
  return tuningPeriodAt(policy.customer.tuningPeriods, at)?.until ?? null;
}

function releaseState(record: IncidentRecord, device: DeviceEntry, duty: Duty): DeviceState {
  const isolatedAt = device.target?.isolatedAt ?? null;
  switch (duty.status) {
    case 'done':
      if (duty.reason === 'cancelled-before-isolated') return { is: 'release-cancelled-request' };
      if (duty.reason === 'never-isolated') return { is: 'was-not-isolated' };
      return { is: 'released', at: duty.doneAt ?? record.updatedAt };
    case 'waived': {
      const others = device.report?.heldBy ?? [];
      const covers = device.order === null ? [] : (record.orders[device.order]?.covers ?? []);
      // The same instruction was given for the others: they let go of it as well.
      const isCovered = others.length > 0 && others.every((id) => covers.includes(id));
      if (isCovered) return isolatedAt === null ? { is: 'cancelling' } : { is: 'releasing', since: isolatedAt };
      const by = others.filter((id) => parseIncidentId(id)?.customerId === record.customerId);
      const isIsolated = isolatedAt !== null || device.report?.isolation === 'isolated';
      return { is: isIsolated ? 'held' : 'still-requested', by };
    }
    case 'failed':
      return { is: 'release-failed', reason: duty.reason ?? 'release-failed' };
    case 'owed':
    case 'running':
    case 'cancelled':
      return isolatedAt === null ? { is: 'cancelling' } : { is: 'releasing', since: isolatedAt };
  }
}

function isolateState(device: DeviceEntry, duty: Duty, policy: Policy, now: Instant): DeviceState {
  const { target, asked, namedByAlert, facts } = device;
  const ended = target?.ended ?? null;
  switch (duty.status) {
    case 'done': {
      const gone = releasedElsewhere(device) ?? endedElsewhere(device);
      return gone === undefined
        ? { is: 'isolated', since: duty.doneAt ?? now }
        : { is: 'released-elsewhere', at: gone.at };
    }
    case 'waived':
      return duty.reason === 'server-left'
        ? { is: 'server-left' }
        : { is: 'waived-tuning', until: tuningUntil(policy, target?.judged?.at ?? now) ?? tuningUntil(policy, now) };
    case 'failed': {
      const reason = duty.reason ?? 'isolation-failed';
      return INTERNAL_REASONS.includes(reason) ? { is: 'being-verified' } : { is: 'failed', reason };
    }
    case 'cancelled':
      return duty.reason === 'tuning-period'
        ? { is: 'cancelled-tuning', until: tuningUntil(policy, ended?.at ?? now) ?? tuningUntil(policy, now) }
        : { is: 'cancelled', reason: duty.reason ?? 'cancelled' };
    case 'running':
      if (ended !== null || asked?.want !== 'isolate') return { is: 'cancelling' };
      return { is: 'requested', at: asked.at };
    case 'owed':
      return !namedByAlert && facts === null ? { is: 'being-verified' } : { is: 'to-be-requested' };
  }
}

/** The name to call a device by: its own, with its id where two have the same. */
export function deviceName(record: IncidentRecord, device: DeviceEntry): string {
  const name = line(device.name, MAX_NAME_LENGTH) || line(device.machineId, MAX_NAME_LENGTH);
  const twin = record.devices.some(
    (other) => other.machineId !== device.machineId && line(other.name, MAX_NAME_LENGTH) === name,
  );
  return twin ? `${name} (${line(device.machineId, MAX_NAME_LENGTH)})` : name;
}

/** The devices with what became of them; those that nobody ever wanted isolated are left out. */
export function tellDevices(
  record: IncidentRecord,
  policy: Policy,
  now: Instant,
  devices: readonly DeviceEntry[],
): ToldDevice[] {
  const all = new Map(duties(record).map((duty) => [duty.id, duty]));
  return devices.flatMap((device) => {
    const { machineId } = device;
    const release = all.get(`release:${machineId}`);
    const isolate = all.get(`isolate:${machineId}`);
    const state =
      release !== undefined
        ? releaseState(record, device, release)
        : isolate !== undefined
          ? isolateState(device, isolate, policy, now)
          : undefined;
    return state === undefined ? [] : [{ machineId, name: deviceName(record, device), state }];
  });
}

/** Every device that the incident ever wanted isolated, those of the verdict first. */
export function concernedEntries(record: IncidentRecord, machineIds: readonly string[]): DeviceEntry[] {
  const first = record.devices.filter(({ machineId }) => machineIds.includes(machineId));
  const others = record.devices.filter((device) => device.target !== null && !first.includes(device));
  return [...first, ...others];
}

/** The names for the mail's head: the devices concerned, or else the alert's. */
export function headNames(record: IncidentRecord, machineIds: readonly string[]): string[] {
  const concerned = concernedEntries(record, machineIds);
  const named = concerned.length > 0 ? concerned : record.devices.filter(({ namedByAlert }) => namedByAlert);
  if (named.length > 0) return named.map((device) => deviceName(record, device));
  const { computerDnsName, machineId } = record.alert;
  const name = computerDnsName ?? machineId;
  return name === null ? [] : [line(name, MAX_NAME_LENGTH)];
}
