import { reasonWords } from '../reasons.js';
import { bilingual, clip, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import type { LeadRefusal } from './link-record.js';
import { followersOf, leadEntry, leadOf } from './link-state.js';
import type { IncidentRecord, TimelineEntry } from './record.js';

/* What the timelines of linked incidents say of the link, and of the mails that the lead sends for the others. */

const UNLINKED: Record<LeadRefusal | 'asked' | 'gone', Bilingual> = {
  asked: bilingual('an analyst has unlinked it', 'アナリストが紐付けを解除しました'),
  gone: bilingual('the workflow of the lead has ended or was stopped', '紐付け先の処理が終了または停止しています'),
  'incident-closed': bilingual('the lead is closed', '紐付け先が完了しています'),
  'lead-all-clear': bilingual(
    'the lead was found to be no threat, and nobody was told of it',
    '紐付け先は問題なしと判定され、お客様への連絡がありません',
  ),
  'lead-is-linked': bilingual('the lead is itself linked', '紐付け先が別のインシデントに紐付けられています'),
};

/** Back to its own conversation; nothing where it was never linked. */
export function narrateUnlinked(
  before: IncidentRecord,
  why: keyof typeof UNLINKED,
  at: Instant,
  actor = 'mimamori',
): TimelineEntry[] {
  const leadId = leadOf(before);
  if (leadId === undefined) return [];
  const { en, ja } = UNLINKED[why];
  return [
    {
      at,
      actor,
      type: 'unlinked',
      text: bilingual(
        `No longer linked to ${leadId}: ${en}. Whatever is owed from now on goes in a conversation of its own.`,
        `${leadId} への紐付けを解除しました: ${ja}。以後の連絡は、このインシデント自身のスレッドで行います。`,
      ),
      data: { leadId, reason: why },
    },
  ];
}

/** What came of the link, and of the mails that the lead sends for this incident. */
export function narrateLeadReport(before: IncidentRecord, after: IncidentRecord, at: Instant): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  const leadId = leadOf(after);
  if (leadId !== undefined && leadOf(before) === undefined) {
    entries.push({
      at,
      actor: after.link?.actor ?? 'mimamori',
      type: 'linked',
      text: bilingual(
        `Linked to ${leadId}: the customer is told through its conversation.`,
        `${leadId} に紐付けました。お客様への連絡は、紐付け先のスレッドで行います。`,
      ),
      data: { leadId },
    });
  }
  for (const [dutyId, effect] of Object.entries(after.effects)) {
    const { via, status, settledAt, messageId } = effect;
    if (via === undefined || before.effects[dutyId]?.status === status) continue;
    const data = { dutyId, messageId, leadId: via.leadId };
    if (status === 'done') {
      entries.push({
        at,
        actor: 'mimamori',
        type: 'mail',
        text: bilingual(
          `The customer was told through the lead ${via.leadId}: its mail was accepted by the mail server.`,
          `紐付け先 ${via.leadId} のスレッドでお客様に連絡しました。メールサーバーがメールを受け付けました。`,
        ),
        data: { ...data, acceptedAt: settledAt },
      });
    } else if (status === 'failed' || status === 'bounced') {
      const why = reasonWords(effect.reason ?? 'mail-rejected');
      entries.push({
        at,
        actor: 'mimamori',
        type: 'mail',
        text: bilingual(
          `The mail of the lead ${via.leadId} that was to tell of this incident failed: ${why.en}.`,
          `このインシデントを伝える紐付け先 ${via.leadId} のメールが失敗しました: ${why.ja}。`,
        ),
        data: { ...data, reason: effect.reason },
      });
    }
  }
  if (after.link != null || before.link == null) return entries;
  const refusal = leadEntry(after, before.link.leadId)?.report?.refusal ?? 'incident-closed';
  return [...entries, ...narrateUnlinked(before, refusal, at)];
}

/** On the lead's timeline: who is linked to it from now on, and who no longer. */
export function narrateFollower(
  before: IncidentRecord,
  after: IncidentRecord,
  incidentId: string,
  at: Instant,
): TimelineEntry[] {
  const isLinked = (record: IncidentRecord) => followersOf(record).some(([id]) => id === incidentId);
  const [was, is] = [isLinked(before), isLinked(after)];
  if (was === is) return [];
  const title = clip(after.followers?.[incidentId]?.title ?? '', 200);
  return [
    {
      at,
      actor: 'mimamori',
      type: is ? 'linked' : 'unlinked',
      text: is
        ? bilingual(
            `${incidentId} is linked to this incident, and told in its conversation: ${title}`,
            `${incidentId} がこのインシデントに紐付けられました。このスレッドで連絡します: ${title}`,
          )
        : bilingual(`${incidentId} is no longer linked to this incident.`, `${incidentId} の紐付けが解除されました。`),
      data: { incidentId },
    },
  ];
}
