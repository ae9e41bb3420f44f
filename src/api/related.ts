import { z } from 'zod';
import { incidentSummarySchema, type IncidentSummary } from '../domain/incident/view.js';
import { searchKeys, searchWord } from '../domain/lists.js';
import { DAY_MS, toInstant, toMs } from '../domain/time.js';
import type { Gateway } from './gateway.js';
import type { ShownIncident } from './known-incidents.js';
import { equals, listRows, quoted, summaryIn } from './lists.js';
import { Problem } from './problem.js';

const whySchema = z.enum(['same-defender-incident', 'same-device', 'same-file']);

export const relatedSchema = incidentSummarySchema
  .pick({ id: true, stage: true, level: true, createdAt: true, title: true, linkedTo: true })
  .extend({ why: z.array(whySchema) })
  .meta({ id: 'RelatedIncident' });
export type Related = z.infer<typeof relatedSchema>;

/** An incident that was closed longer ago is history. */
const CLOSED_WITHIN_MS = 30 * DAY_MS;
/** A closed incident's workflow stays for a while: by when it ended the list is narrowed only roughly. */
const ENDED_WITHIN_MS = 60 * DAY_MS;
const MAX_RELATED = 50;
const MAX_LOOKED_AT = 200;

const hashesSchema = z.array(z.string()).catch([]);

function oneOf(key: { name: string }, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`${key.name} IN (${words.map((word) => quoted(searchWord(word))).join(', ')})`];
}

function shares(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.includes(one));
}

function machinesOf({ devices }: Pick<IncidentSummary, 'devices'>): string[] {
  return devices.map(({ machineId }) => machineId);
}

/**
 * The customer's other incidents that may belong to the same attack: of the same incident in Defender, on the same
 * device, or about the same file. Undefined where no list can be asked: the incident is shown all the same.
 */
export async function relatedTo(gateway: Gateway, incident: ShownIncident): Promise<Related[] | undefined> {
  const hashes = hashesSchema.parse(incident.alert['fileHashes']);
  const machines = machinesOf(incident);
  const alike = [
    ...equals(searchKeys.defenderIncidentId, incident.defenderIncidentId ?? undefined),
    ...oneOf(searchKeys.devices, machines),
    ...oneOf(searchKeys.fileHashes, hashes),
  ];
  if (alike.length === 0) return [];
  const nowMs = Date.now();
  const filters = [
    ...equals(searchKeys.customerId, incident.customerId),
    `(${alike.join(' OR ')})`,
    `(ExecutionStatus = 'Running' OR CloseTime > '${toInstant(nowMs - ENDED_WITHIN_MS)}')`,
  ];
  try {
    const { rows } = await listRows(gateway, 'incident', filters, MAX_LOOKED_AT);
    return rows
      .flatMap((row): Related[] => {
        const other = summaryIn(row);
        const isOld = other.stage === 'closed' && toMs(other.updatedAt) < nowMs - CLOSED_WITHIN_MS;
        if (other.id === incident.id || isOld) return [];
        const { id, stage, level, createdAt, title, linkedTo, defenderIncidentId } = other;
        const why: Related['why'] = [
          ...(defenderIncidentId !== null && defenderIncidentId === incident.defenderIncidentId
            ? ['same-defender-incident' as const]
            : []),
          ...(shares(machinesOf(other), machines) ? ['same-device' as const] : []),
          ...(shares(hashesSchema.parse(row.memo['fileHashes']), hashes) ? ['same-file' as const] : []),
        ];
        return [{ id, why, stage, level, createdAt, title, ...(linkedTo === undefined ? {} : { linkedTo }) }];
      })
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
      .slice(0, MAX_RELATED);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
