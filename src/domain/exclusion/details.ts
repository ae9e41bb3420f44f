import { escapeMarkdown } from '../incident/details.js';
import { oneLine } from '../text.js';
import { conditionsWords } from './conditions.js';
import { exclusionView } from './view.js';
import type { ExclusionRecord } from './record.js';

/** Temporal takes no more of a summary. */
const MAX_SUMMARY = 150;

export function exclusionTitle({ customerId, conditions }: ExclusionRecord): string {
  return oneLine(`${customerId} · ${conditionsWords(conditions).en}`, MAX_SUMMARY);
}

/** What the Temporal Web UI shows of an exclusion: how far it is, what it waits for, what it has set. */
export function exclusionDetails(record: ExclusionRecord): string {
  const { state, conditions, breadth, parts, waitingFor, expiresAt, proposer, attention } = exclusionView(record);
  const lines = [
    `**${escapeMarkdown(conditionsWords(conditions).en)}**`,
    '',
    `| | |`,
    `|---|---|`,
    `| State | **${state}** |`,
    `| Until | ${expiresAt} |`,
    `| Proposed by | ${escapeMarkdown(proposer)} |`,
    `| Would have excluded | ${breadth.matched} of ${breadth.of} |`,
  ];
  if (attention.length > 0) lines.push(`| **Attention** | ${attention.join(', ')} |`);
  lines.push(
    '',
    ...parts.map(({ part, status, reason }) => {
      const why = reason === null ? '' : ` (${escapeMarkdown(reason)})`;
      return `- ${part}: **${status}**${why}`;
    }),
  );
  if (waitingFor.length > 0) {
    lines.push('', '**Waits for**', '');
    for (const { who, what, until } of waitingFor) {
      lines.push(`- ${who}: ${escapeMarkdown(what.en)}${until === null ? '' : ` (until ${until})`}`);
    }
  }
  return lines.join('\n');
}
