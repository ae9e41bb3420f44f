import { whenIn } from '../templates/when.js';
import type { Instant } from '../time.js';
import { duties } from './duties.js';
import { judgementWords } from './narrate.js';
import { currentVerdict, type IncidentRecord } from './record.js';
import { slo } from './slo.js';
import { waitingFor } from './stage.js';
import { summaryOf } from './view.js';

/** Text from an alert in Markdown: nothing of it may become a link, a tag, a table's column or a heading. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|#~:!]/g, (character) => `\\${character}`).replace(/www\./gi, 'www\\.');
}

function when(record: IncidentRecord, at: Instant): string {
  const timeZone = record.policy?.customer.timeZone ?? 'UTC';
  return whenIn('en', timeZone)(at);
}

/** What the Temporal Web UI shows of a running incident: what it is, what is owed, until when. */
export function incidentDetails(record: IncidentRecord, now: Instant): string {
  const summary = summaryOf(record, now);
  const verdict = currentVerdict(record);
  const clock = slo(record, now);
  const lines: string[] = [
    `**${escapeMarkdown(summary.title)}**`,
    '',
    `| | |`,
    `|---|---|`,
    `| Stage | **${summary.stage}**${summary.closeReason === undefined ? '' : ` (${summary.closeReason})`} |`,
    `| Severity (危険度) | ${escapeMarkdown(summary.severity ?? 'not given')} |`,
    `| Threat level (脅威レベル) | ${verdict === undefined ? '–' : `**${verdict.level}**, ${judgementWords(verdict.judgement).en}`} |`,
    `| Time target | **${clock.state}**${clock.dueAt === null ? '' : `, due ${when(record, clock.dueAt)}`}${clock.provisional ? ' (provisional)' : ''} |`,
    `| Assigned to | ${escapeMarkdown(summary.assignee ?? '–')} |`,
  ];
  if (summary.attention.length > 0) lines.push(`| **Attention** | ${summary.attention.join(', ')} |`);
  if (summary.devices.length > 0) {
    lines.push('', '**Devices**', '');
    for (const device of summary.devices) lines.push(`- ${escapeMarkdown(device.name)}: **${device.isolation}**`);
  }
  const waiting = waitingFor(record, now);
  if (waiting.length > 0) {
    lines.push('', '**Waits for**', '');
    for (const { who, what, until } of waiting) {
      lines.push(
        `- ${who}: ${escapeMarkdown(`${what.en} / ${what.ja}`)}${until === null ? '' : ` (until ${when(record, until)})`}`,
      );
    }
  }
  const owed = duties(record);
  if (owed.length > 0) {
    lines.push('', '**Duties**', '');
    for (const duty of owed) {
      lines.push(`- ${escapeMarkdown(duty.id)}: ${duty.status}${duty.reason === undefined ? '' : ` (${duty.reason})`}`);
    }
  }
  return lines.join('\n');
}

/** Temporal takes no more of a summary. */
const MAX_SUMMARY_BYTES = 200;

/** The one line under the workflow's name in Temporal's Web UI. */
export function staticSummary(record: IncidentRecord): string {
  const { alert, customerId } = record;
  const device = alert.computerDnsName ?? 'no device';
  const text = `${customerId} · ${alert.severityRaw ?? '?'} · ${escapeMarkdown(alert.title)} · ${device}`;
  let bytes = 0;
  let summary = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > MAX_SUMMARY_BYTES - 3) return `${summary}…`;
    summary += character;
  }
  return summary;
}
