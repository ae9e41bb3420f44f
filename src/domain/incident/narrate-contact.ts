import { reasonWords } from '../reasons.js';
import { bilingual, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import type { Fact } from './facts.js';
import type { IncidentRecord, TimelineEntry } from './record.js';
import { entriesAt } from './timeline-entry.js';

/* What the timeline says of mails and calls: whom they have reached, and how they have failed. */

/** What has become of a mail. */
export function narrateMail(
  before: IncidentRecord,
  fact: Extract<Fact, { type: 'mail-settled' }>,
  at: Instant,
): TimelineEntry[] {
  const { entry } = entriesAt(at);
  const messageId = before.effects[fact.dutyId]?.messageId;
  const data = { dutyId: fact.dutyId, messageId, subject: fact.subject, to: fact.to };
  const { outcome } = fact;
  if (outcome.status === 'accepted') {
    return entry(
      'mail',
      bilingual(
        `Mail accepted by the mail server: ${fact.subject}${refusedNote(outcome.rejected, 'en')}`,
        `メールサーバーがメールを受け付けました: ${fact.subject}${refusedNote(outcome.rejected, 'ja')}`,
      ),
      { ...data, acceptedAt: outcome.at, rejected: outcome.rejected.slice(0, 10) },
    );
  }
  if (outcome.status === 'rejected') {
    return entry(
      'mail',
      bilingual(
        `The mail server refused a mail for good: ${fact.subject} (${outcome.response})`,
        `メールサーバーがメールを拒否しました: ${fact.subject} (${outcome.response})`,
      ),
      data,
    );
  }
  return entry(
    'mail',
    bilingual(`Mail withdrawn before it was sent: ${fact.subject}`, `送信前にメールを取りやめました: ${fact.subject}`),
    data,
  );
}

function refusedNote(rejected: readonly { address: string }[], language: 'en' | 'ja'): string {
  if (rejected.length === 0) return '';
  const addresses = rejected.map(({ address }) => address).join(', ');
  return language === 'en' ? ` (refused for ${addresses})` : ` (拒否された宛先: ${addresses})`;
}

/** The calls that have ended since the last report, and what came of them all. */
export function narrateCalls(before: IncidentRecord, seq: number, after: IncidentRecord, at: Instant): TimelineEntry[] {
  const report = after.phone?.report;
  if (report?.seq !== seq || report === before.phone?.report) return [];
  const told = new Map(before.phone?.report?.calls.map((call) => [call.attempt, call.status]) ?? []);
  const calls = report.calls
    .filter((call) => call.endedAt !== null && told.get(call.attempt) !== call.status)
    .map((call): TimelineEntry => ({
      at,
      actor: 'telephone',
      type: 'call',
      text: bilingual(
        `Call to ${call.contactName}: ${call.status}.`,
        `${call.contactName} 様への電話: ${call.status}。`,
      ),
      data: { contactId: call.contactId, attempt: call.attempt, status: call.status, sid: call.sid },
    }));
  if (report.outcome === before.phone?.report?.outcome) return calls;
  const name = report.acknowledgedBy ?? '';
  const why = report.reason === null ? null : reasonWords(report.reason);
  const closing: Record<typeof report.outcome, Bilingual | null> = {
    ringing: null,
    acknowledged: bilingual(`${name} acknowledged the call.`, `${name} 様が電話を確認しました。`),
    exhausted: bilingual(
      `Nobody acknowledged a call: ${why?.en ?? ''}.`,
      `電話で確認が取れませんでした: ${why?.ja ?? ''}。`,
    ),
    cancelled: bilingual('The calls were called off.', '電話連絡を取りやめました。'),
  };
  const text = closing[report.outcome];
  if (text === null) return calls;
  return [
    ...calls,
    {
      at,
      actor: 'mimamori',
      type: 'call',
      text,
      data: { outcome: report.outcome, acknowledgedBy: report.acknowledgedBy },
    },
  ];
}
