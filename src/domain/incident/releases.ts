import type { ReleaseBody, ReleaseOutcome } from '../commands.js';
import { holdOf, isHolding } from './duties.js';
import type { DeviceEntry, IncidentRecord } from './record.js';

/** Devices of this incident that a release would give back. */
export function releasable(record: IncidentRecord, body: Pick<ReleaseBody, 'machineIds'>): DeviceEntry[] {
  return record.devices.filter((device) => {
    if (body.machineIds !== undefined && !body.machineIds.includes(device.machineId)) return false;
    return isHolding(device) && (device.order === null || holdOf(device)?.state === 'release-failed');
  });
}

/** What the device's workflow has made of a release; undefined until it has answered. */
export function releaseOutcome(record: IncidentRecord, machineId: string): ReleaseOutcome | undefined {
  const device = record.devices.find((entry) => entry.machineId === machineId);
  const hold = device === undefined ? undefined : holdOf(device);
  if (device?.asked?.want !== 'release' || hold === undefined) return undefined;
  const heldBy = hold.state === 'held' ? (device.report?.heldBy ?? []) : [];
  switch (hold.state) {
    case 'held':
      return { machineId, outcome: 'held', heldBy };
    case 'wanted':
    case 'cancelled':
    case 'failed':
      return { machineId, outcome: 'cancelled', heldBy };
    case 'isolated':
    case 'releasing':
    case 'released':
    case 'release-failed':
      return { machineId, outcome: 'releasing', heldBy };
  }
}
