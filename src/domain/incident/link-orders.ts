import type { Instruction, ReleaseBody, ReleaseOutcome } from '../commands.js';
import type { Fact } from './facts.js';
import type { PassedOrder } from './link-record.js';
import { followersOf, isFollowing, withFollower } from './link-state.js';
import type { IncidentRecord } from './record.js';
import { releasable } from './releases.js';

/*
 * The customer's instruction to release, given in the lead's conversation: it is the lead's own, and is passed on to each
 * linked incident whose devices it gives back.
 */

/** The devices of linked incidents that a release would give back. */
export function releasableOfLinked(
  record: IncidentRecord,
  { machineIds }: Pick<ReleaseBody, 'machineIds'>,
): { incidentId: string; machineIds: string[] }[] {
  return followersOf(record).flatMap(([incidentId, { devices }]) => {
    const mine = devices
      .filter((device) => device.releasable && (machineIds === undefined || machineIds.includes(device.machineId)))
      .map(({ machineId }) => machineId);
    return mine.length === 0 ? [] : [{ incidentId, machineIds: mine }];
  });
}

/** Is it a device of an incident that is linked to this one? */
export function isOfLinked(record: IncidentRecord, machineId: string): boolean {
  return followersOf(record).some(([, { devices }]) => devices.some((device) => device.machineId === machineId));
}

/** What an accepted instruction means: an order of this incident's, and one passed on to each linked one it concerns. */
export function orderFacts(
  record: IncidentRecord,
  body: Pick<ReleaseBody, 'machineIds'>,
  said: { instruction: Instruction; instructorName: string; actor: string },
): Extract<Fact, { type: 'release-ordered' | 'release-passed-on' }>[] {
  const machineIds = releasable(record, body).map(({ machineId }) => machineId);
  const linked = releasableOfLinked(record, body);
  if (linked.length === 0) return [{ type: 'release-ordered', machineIds, ...said }];
  const covers = [record.incidentId, ...linked.map(({ incidentId }) => incidentId)];
  return [
    ...(machineIds.length === 0 ? [] : [{ type: 'release-ordered' as const, machineIds, ...said, covers }]),
    ...linked.map((each) => ({ type: 'release-passed-on' as const, ...each, ...said, covers })),
  ];
}

export function applyPassedOn(
  record: IncidentRecord,
  { incidentId, ...order }: { incidentId: string } & Omit<PassedOrder, 'number'>,
): IncidentRecord {
  return withFollower(record, incidentId, (follower) => {
    const number = follower.lastOrder + 1;
    return { ...follower, lastOrder: number, orders: [...follower.orders, { ...order, number }] };
  });
}

/** Orders that were passed on, as they were numbered. */
export interface PassedOn {
  incidentId: string;
  number: number;
  machineIds: string[];
}

/** What has become of an instruction that was passed on; undefined until the linked incident has said it of every device. */
export function passedOutcomes(
  record: IncidentRecord,
  { incidentId, number, machineIds }: PassedOn,
): ReleaseOutcome[] | undefined {
  const follower = record.followers?.[incidentId];
  if (follower === undefined || !isFollowing(follower)) return [];
  if (follower.ordersSeen < number) return undefined;
  const outcomes = machineIds.map(
    (machineId) => follower.devices.find((device) => device.machineId === machineId)?.outcome ?? null,
  );
  return outcomes.every((outcome) => outcome !== null) ? outcomes : undefined;
}

/** One answer for each device, though several incidents may hold it: it is held only where none of them gives it back. */
export function mergedOutcomes(all: readonly ReleaseOutcome[]): ReleaseOutcome[] {
  const merged = new Map<string, ReleaseOutcome>();
  for (const outcome of all) {
    const known = merged.get(outcome.machineId);
    if (known === undefined || known.outcome === 'held') merged.set(outcome.machineId, outcome);
  }
  return [...merged.values()];
}
