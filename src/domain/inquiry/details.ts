import { escapeMarkdown } from '../incident/details.js';
import { oneLine } from '../text.js';
import type { InquiryRecord } from './record.js';
import { inquirySummary } from './view.js';

const MAX_SUMMARY = 150;

export function inquiryTitle({ customerId, incidentId }: InquiryRecord): string {
  return oneLine(`${customerId} · the customer's mail${incidentId === null ? '' : ` · ${incidentId}`}`, MAX_SUMMARY);
}

/** What the Temporal Web UI shows of an inquiry: what it is, since when it waits. */
export function inquiryDetails(record: InquiryRecord): string {
  const { state, subject, from, waitingSince, assignee, attention, incidentId, mails } = inquirySummary(record);
  return [
    `**${escapeMarkdown(subject)}**`,
    '',
    '| | |',
    '|---|---|',
    `| State | **${state}** |`,
    `| From | ${escapeMarkdown(from)} |`,
    `| Mails | ${mails} |`,
    ...(waitingSince === null ? [] : [`| Waits since | **${waitingSince}** |`]),
    ...(assignee === null ? [] : [`| Assigned to | ${escapeMarkdown(assignee)} |`]),
    ...(incidentId === null ? [] : [`| Incident | ${escapeMarkdown(incidentId)} |`]),
    ...(attention.length === 0 ? [] : [`| **Attention** | ${attention.join(', ')} |`]),
  ].join('\n');
}
