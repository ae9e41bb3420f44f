import { escapeMarkdown } from '../incident/details.js';
import { deviceView } from './evolve.js';
import type { DeviceRecord } from './record.js';

/** What the Temporal Web UI shows of a device: isolated or not, for whom, by which action. */
export function deviceDetails(record: DeviceRecord): string {
  const { isolation, heldBy, action } = deviceView(record);
  const lines = [
    `**${escapeMarkdown(record.name)}** is **${isolation}**${record.isolatedAt === null ? '' : ` since ${record.isolatedAt}`}`,
  ];
  if (action !== null) lines.push('', `Action ${action.id}: ${action.type}, ${action.status}`);
  if (heldBy.length > 0) lines.push('', '**Held by**', '', ...heldBy.map((id) => `- \`${id}\``));
  return lines.join('\n');
}
