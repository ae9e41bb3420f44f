import type { Level, Judgement } from '../commands.js';
import { reasonWords } from '../reasons.js';
import { bilingual, clip, oneLine, type Bilingual } from '../text.js';
import { toMs, type Instant } from '../time.js';
import { narrateCustomerMail, narrateHeld, narrateInquiry } from './customer-mail.js';
import type { Fact } from './facts.js';
import { narrateBounce } from './narrate-bounce.js';
import { narrateCalls, narrateMail } from './narrate-contact.js';
import { nameOf, namesOf, narrateDevice } from './narrate-devices.js';
import { narrateFollower, narrateLeadReport, narrateUnlinked } from './narrate-links.js';
import type { IncidentRecord, TimelineEntry } from './record.js';
import { awaited } from './reminders.js';
import { entriesAt, SHORT } from './timeline-entry.js';

const JUDGEMENTS: Record<Judgement, Bilingual> = {
  'true-positive': bilingual('true positive', '正検知'),
  'false-positive': bilingual('false positive', '誤検知'),
  undetermined: bilingual('undetermined', '判断不可'),
};

export function judgementWords(judgement: Judgement): Bilingual {
  return JUDGEMENTS[judgement];
}

function levelWords(level: Level): Bilingual {
  return bilingual(`threat level ${level}`, `脅威レベル${level}`);
}

/** What a fact says on the timeline; nothing for bookkeeping that another entry tells. */
export function narrate(before: IncidentRecord, fact: Fact, after: IncidentRecord, at: Instant): TimelineEntry[] {
  const { entry, trouble } = entriesAt(at);
  switch (fact.type) {
    case 'policy-read':
    case 'exclusions-looked':
    case 'device-asked':
    case 'command-handled':
    case 'mail-started':
    case 'deadline-seen':
    case 'link-asked':
    case 'lead-asked':
    case 'follower-told':
      return [];
    case 'retry-asked':
      return entry(
        'duty',
        bilingual('What had failed is tried again.', '失敗した対応を再試行します。'),
        undefined,
        fact.actor,
      );
    case 'customer-mail':
      return narrateCustomerMail(before, fact.mail, at);
    case 'inquiry-reported':
      return narrateInquiry(before, fact.report, at);
    case 'mail-held':
      return narrateHeld(before, fact.held, at);
    case 'untriaged-warned':
      return entry(
        'warning',
        bilingual(
          'Nobody has judged this alert yet: the SOC was warned.',
          'まだ判定されていないため、SOC に警告しました。',
        ),
      );
    case 'tuning-over':
      return entry(
        'warning',
        bilingual(
          'The tuning period that prevented the isolation is over. Nothing is isolated by itself: judge again to isolate.',
          '隔離を見送ったチューニング期間が終了しました。自動では隔離しません。隔離する場合は再度判定してください。',
        ),
      );
    case 'reminder-due':
      return entry(
        'reminder',
        bilingual(
          'The customer has not answered yet, and is reminded.',
          'お客様からまだご回答がないため、再度ご連絡します。',
        ),
        { index: (after.reminders?.due.length ?? 1) - 1, since: awaited(before).since },
      );
    case 'device-known': {
      const { facts } = fact;
      return entry(
        'device-known',
        facts.found
          ? bilingual(
              `Device ${facts.name ?? facts.machineId}: ${facts.osPlatform ?? 'system unknown'}.`,
              `端末 ${facts.name ?? facts.machineId}: ${facts.osPlatform ?? 'OS 不明'}。`,
            )
          : bilingual(
              `Defender does not know device ${facts.machineId}.`,
              `端末 ${facts.machineId} は Defender に登録がありません。`,
            ),
        { machineId: facts.machineId, kind: facts.kind, found: facts.found },
      );
    }
    case 'alert-updated':
      return entry(
        'alert-updated',
        bilingual(
          `Defender changed the alert: ${changes(before, after).join(', ') || 'details'}.`,
          `Defender のアラートが更新されました: ${changes(before, after).join('、') || '詳細'}。`,
        ),
        {
          severity: after.alert.severityRaw,
          investigationState: after.alert.investigationState,
          status: after.alert.status,
          lastUpdateTime: after.alert.lastUpdateAt,
        },
        'defender',
      );
    case 'verdict': {
      const level = levelWords(fact.body.level);
      const judgement = judgementWords(fact.body.judgement);
      const completed = after.verdicts.length === before.verdicts.length;
      return [
        ...entry(
          'verdict',
          completed
            ? bilingual(`Texts added to the verdict: ${level.en}.`, `判定の文面を追加しました: ${level.ja}。`)
            : bilingual(`Verdict: ${level.en}, ${judgement.en}.`, `判定: ${level.ja}、${judgement.ja}。`),
          {
            level: fact.body.level,
            judgement: fact.body.judgement,
            machineIds: after.verdicts.at(-1)?.machineIds ?? [],
            analysis: fact.body.analysis === undefined ? null : clip(fact.body.analysis, SHORT),
          },
          fact.actor,
        ),
        ...question(before, after, fact.actor, at),
      ];
    }
    case 'escalation':
      return [
        ...entry(
          'escalation',
          bilingual('Secondary escalation written.', '二次エスカレーションを作成しました。'),
          { message: clip(fact.body.message, SHORT) },
          fact.actor,
        ),
        ...question(before, after, fact.actor, at),
      ];
    case 'answer':
      return entry(
        'answer',
        bilingual(
          `The customer answered (${oneLine(fact.body.by, 100)}, by ${fact.body.channel}).`,
          `お客様から回答がありました (${oneLine(fact.body.by, 100)}、${fact.body.channel})。`,
        ),
        { ...fact.body, words: clip(fact.body.words, SHORT) },
        fact.actor,
      );
    case 'release-ordered':
      return entry(
        'instruction',
        bilingual(
          `The customer ordered the release of ${namesOf(before, fact.machineIds).en} (${fact.instructorName}, by ${fact.instruction.channel}${fact.through === undefined ? '' : `, through the lead ${fact.through.leadId}`}).`,
          `お客様 (${fact.instructorName}) から ${namesOf(before, fact.machineIds).ja} の隔離解除の指示がありました (${fact.instruction.channel}${fact.through === undefined ? '' : `、紐付け先 ${fact.through.leadId} 経由`})。`,
        ),
        {
          machineIds: fact.machineIds,
          ...(fact.through === undefined ? {} : { through: fact.through.leadId }),
          instruction: { ...fact.instruction, words: clip(fact.instruction.words, SHORT) },
        },
        fact.actor,
      );
    case 'release-passed-on':
      return entry(
        'instruction',
        bilingual(
          `The customer's order to release (${fact.instructorName}, by ${fact.instruction.channel}) is passed on to the linked incident ${fact.incidentId}.`,
          `お客様 (${fact.instructorName}) からの隔離解除の指示 (${fact.instruction.channel}) を、紐付けられたインシデント ${fact.incidentId} に伝えます。`,
        ),
        {
          incidentId: fact.incidentId,
          machineIds: fact.machineIds,
          instruction: { ...fact.instruction, words: clip(fact.instruction.words, SHORT) },
        },
        fact.actor,
      );
    case 'unlinked':
      return narrateUnlinked(before, 'asked', at, fact.actor);
    case 'lead-reported':
      return narrateLeadReport(before, after, at);
    case 'lead-gone':
      return after.link == null ? narrateUnlinked(before, 'gone', at) : [];
    case 'follow-requested':
      return narrateFollower(before, after, fact.request.incidentId, at);
    case 'assigned':
      return entry(
        'assigned',
        fact.operatorId === null
          ? bilingual('Nobody is assigned any more.', '担当者を解除しました。')
          : bilingual(`Assigned to ${fact.operatorId}.`, `担当者: ${fact.operatorId}。`),
        { operatorId: fact.operatorId },
        fact.actor,
      );
    case 'note':
      return entry('note', bilingual(fact.text, fact.text), undefined, fact.actor);
    case 'closed':
      return entry('closed', closedWords(fact.reason, fact.words), { reason: fact.reason }, fact.actor);
    case 'reopened':
      return entry(
        'reopened',
        bilingual(`Reopened: ${fact.words}`, `再開しました: ${fact.words}`),
        undefined,
        fact.actor,
      );
    case 'signal-rejected':
      return entry(
        'rejected-signal',
        bilingual(
          `Signal "${fact.signal}" rejected: it had no effect.`,
          `シグナル「${fact.signal}」を拒否しました。何も行っていません。`,
        ),
        { signal: fact.signal, errors: fact.errors.slice(0, 10), payload: fact.payload },
        fact.actor,
      );
    case 'signal-unverified':
      return entry(
        'note',
        bilingual(
          `Signal "${fact.signal}" came from Temporal's own tools: the actor is unverified.`,
          `シグナル「${fact.signal}」は Temporal のツールから送られました。送信者は未確認です。`,
        ),
        { unverified: true },
        fact.actor,
      );
    case 'isolation-judged': {
      const reason = fact.waived ?? fact.refused;
      if (reason === undefined) return [];
      const words = reasonWords(reason);
      const name = nameOf(after, fact.machineId);
      return entry(
        'isolation',
        bilingual(`${name} is not isolated: ${words.en}.`, `${name} は隔離しません: ${words.ja}。`),
        { machineId: fact.machineId, reason },
      );
    }
    case 'isolation-ended': {
      const words = reasonWords(fact.reason);
      const name = nameOf(after, fact.machineId);
      return entry(
        'isolation',
        bilingual(`Isolation of ${name} is called off: ${words.en}.`, `${name} の隔離を取り消します: ${words.ja}。`),
        { machineId: fact.machineId, reason: fact.reason },
      );
    }
    case 'phone-asked':
      return entry(
        'call',
        fact.want === 'ring'
          ? bilingual('The customer is being rung.', 'お客様への電話連絡を開始しました。')
          : bilingual('The calls are called off.', '電話連絡を取りやめます。'),
      );
    case 'mail-uncertain':
      return entry(
        'mail',
        bilingual(
          'The connection was cut while the mail server took a mail: sent again with the same Message-ID.',
          'メールサーバーとの通信が途中で切れたため、同じ Message-ID で再送します。',
        ),
        { dutyId: fact.dutyId },
      );
    case 'mail-delayed':
      return trouble('mail', 'mail-delayed', fact.why, { dutyId: fact.dutyId });
    case 'look-up-failing':
      return trouble('device-known', 'device-look-up-failing', fact.why, { machineId: fact.machineId });
    case 'mail-settled':
      return narrateMail(before, fact, at);
    case 'mail-bounced':
      return narrateBounce(before, fact.report, after, at);
    case 'device-reported':
      return narrateDevice(before, fact.report, after, at);
    case 'phone-reported':
      return [
        ...narrateCalls(before, fact.report.seq, after, at),
        ...(after.phone?.report === fact.report &&
        fact.report.trouble !== undefined &&
        before.phone?.report?.trouble === undefined
          ? trouble('call', 'phone-failing', fact.report.trouble, {})
          : []),
      ];
    case 'warned':
      return entry(
        'warning',
        bilingual(
          `${fact.percent}% of the time target has passed; due at ${fact.dueAt}.`,
          `時間目標の ${fact.percent}% が経過しました。期限 ${fact.dueAt}。`,
        ),
        { percent: fact.percent, dueAt: fact.dueAt },
      );
    case 'breached': {
      const { dueAt, cause, level } = fact.breach;
      const words = reasonWords(cause);
      const lastAt = before.timeline.at(-1)?.at;
      // The entry carries the time at which it became true, unless something later is already told.
      const trueAt = lastAt === undefined || toMs(lastAt) <= toMs(dueAt) ? dueAt : at;
      return [
        {
          at: trueAt,
          actor: 'mimamori',
          type: 'breach',
          text: bilingual(
            `The time target was missed at ${dueAt}: ${words.en}.`,
            `${dueAt} に時間目標を超過しました: ${words.ja}。`,
          ),
          data: { dueAt, recordedAt: at, cause, level },
        },
      ];
    }
  }
}

function question(before: IncidentRecord, after: IncidentRecord, actor: string, at: Instant): TimelineEntry[] {
  return after.questions.slice(before.questions.length).map(({ text }) => ({
    at,
    actor,
    type: 'question',
    text: bilingual(`The customer is asked: ${clip(text, SHORT)}`, `お客様への確認事項: ${clip(text, SHORT)}`),
  }));
}

function changes(before: IncidentRecord, after: IncidentRecord): string[] {
  const watched = ['severityRaw', 'status', 'investigationState', 'classification', 'determination', 'title'] as const;
  const labels = { severityRaw: 'severity' } as const;
  return watched.flatMap((key) => {
    const from = before.alert[key];
    const to = after.alert[key];
    if (from === to) return [];
    return [`${key === 'severityRaw' ? labels.severityRaw : key} ${from ?? '–'} → ${to ?? '–'}`];
  });
}

function closedWords(reason: string, words: string | null): Bilingual {
  const known: Record<string, Bilingual> = {
    'out-of-scope': bilingual('Closed: not a subject of the analysis.', '完了: 分析対象外です。'),
    neutralised: bilingual('Closed: Defender has neutralised the alert.', '完了: Defender により無害化されました。'),
    excluded: bilingual('Closed: matches a registered exclusion.', '完了: 検知対象外リストに該当します。'),
    'no-threat': bilingual('Closed: analysed, no problem.', '完了: 分析の結果、問題ありません。'),
    resolved: bilingual('Closed by an analyst.', 'アナリストが完了しました。'),
    'no-response': bilingual(
      'Closed: nothing more was heard from the customer.',
      '完了: お客様からの追加連絡がありませんでした。',
    ),
  };
  const text = known[reason] ?? bilingual('Closed.', '完了。');
  return words === null ? text : bilingual(`${text.en} ${words}`, `${text.ja}${words}`);
}
