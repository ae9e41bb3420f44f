import { escapeMarkdown } from '../incident/details.js';
import type { PhoneRecord } from './record.js';

/** What the Temporal Web UI shows of a customer's telephone: for whom it rings, who was called, how it went. */
export function phoneDetails(record: PhoneRecord): string {
  const lines = ['**Incidents**', ''];
  for (const [incidentId, { outcome, acknowledgedBy }] of Object.entries(record.asks)) {
    lines.push(
      `- \`${incidentId}\`: **${outcome}**${acknowledgedBy === null ? '' : ` by ${escapeMarkdown(acknowledgedBy)}`}`,
    );
  }
  if (record.calls.length > 0) lines.push('', '**Calls**', '');
  for (const { round, contactName, status, startedAt } of record.calls) {
    lines.push(`- round ${round}, ${escapeMarkdown(contactName)}: ${status} (${startedAt})`);
  }
  return lines.join('\n');
}
