import type { Level, Judgement } from '../commands.js';
import type { Acknowledgement, HoldState } from '../device/record.js';
import { reasonWords } from '../reasons.js';
import type { Scope } from '../scope.js';
import { bilingual, clip, oneLine, type Bilingual } from '../text.js';
import { toMs, type Instant } from '../time.js';
import type { Fact } from './facts.js';
import { holdOf } from './duties.js';
import { changeHeard, changeWords, endedElsewhere, releasedElsewhere } from './elsewhere.js';
import type { LeadRefusal } from './link-record.js';
import { followersOf, leadEntry, leadOf } from './link-state.js';
import type { DeviceEntry, IncidentRecord, TimelineEntry, TimelineType } from './record.js';

/** Text of a timeline entry stays far under its 4 kB. */
const SHORT = 600;

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

export function narrateScope(scope: Scope, at: Instant): TimelineEntry {
  const telling = scope.explanation.filter(({ passed, flagged }) => flagged || passed === scope.inScope);
  const reasons = scope.inScope ? telling.filter(({ flagged }) => flagged) : telling;
  const en = reasons.map(({ reason }) => reason.en).join(' ');
  const ja = reasons.map(({ reason }) => reason.ja).join('');
  const text = scope.inScope
    ? bilingual(`In scope. ${en}`.trim(), `監視対象です。${ja}`)
    : bilingual(`Not analysed: ${en}`, `分析対象外です: ${ja}`);
  return { at, actor: 'mimamori', type: 'scope', text, data: { inScope: scope.inScope } };
}

const HOLD_WORDS: Record<HoldState, { type: TimelineType; text: (name: string, why: Bilingual | null) => Bilingual }> =
  {
    wanted: {
      type: 'isolation',
      text: (name) =>
        bilingual(
          `Isolation of ${name} requested from Defender.`,
          `${name} のネットワーク隔離を Defender に要求しました。`,
        ),
    },
    isolated: {
      type: 'isolation',
      text: (name) =>
        bilingual(`${name} is isolated: Defender has confirmed it.`, `${name} の隔離を Defender が確認しました。`),
    },
    failed: {
      type: 'isolation',
      text: (name, why) =>
        bilingual(
          `${name} could not be isolated: ${why?.en ?? ''}.`,
          `${name} を隔離できませんでした: ${why?.ja ?? ''}。`,
        ),
    },
    cancelled: {
      type: 'isolation',
      text: (name, why) =>
        bilingual(
          `Isolation of ${name} was called off before it happened: ${why?.en ?? ''}.`,
          `${name} の隔離は実施前に取り消されました: ${why?.ja ?? ''}。`,
        ),
    },
    held: {
      type: 'release',
      text: (name) =>
        bilingual(
          `${name} stays isolated: another incident holds it.`,
          `${name} は別のインシデントが隔離を必要としているため、隔離を継続します。`,
        ),
    },
    releasing: {
      type: 'release',
      text: (name) =>
        bilingual(`Release of ${name} requested from Defender.`, `${name} の隔離解除を Defender に要求しました。`),
    },
    released: {
      type: 'release',
      text: (name) =>
        bilingual(`${name} is released: Defender has confirmed it.`, `${name} の隔離解除を Defender が確認しました。`),
    },
    'release-failed': {
      type: 'release',
      text: (name, why) =>
        bilingual(
          `${name} could not be released: ${why?.en ?? ''}.`,
          `${name} の隔離を解除できませんでした: ${why?.ja ?? ''}。`,
        ),
    },
  };

function namesOf(record: IncidentRecord, machineIds: readonly string[]): Bilingual {
  const names = machineIds.map((machineId) => nameOf(record, machineId));
  return names.length === 0 ? bilingual('no device', '端末 (該当なし)') : bilingual(names.join(', '), names.join('、'));
}

function nameOf(record: IncidentRecord, machineId: string): string {
  return record.devices.find((device) => device.machineId === machineId)?.name ?? machineId;
}

/** What a fact says on the timeline; nothing for bookkeeping that another entry tells. */
export function narrate(before: IncidentRecord, fact: Fact, after: IncidentRecord, at: Instant): TimelineEntry[] {
  const entry = (
    type: TimelineType,
    text: Bilingual,
    data?: Record<string, unknown>,
    actor = 'mimamori',
  ): TimelineEntry[] => [{ at, actor, type, text, ...(data === undefined ? {} : { data }) }];
  const trouble = (type: TimelineType, reason: string, why: string, data: Record<string, unknown>): TimelineEntry[] => {
    const words = reasonWords(reason);
    return entry(type, bilingual(`In trouble: ${words.en}. ${why}`, `障害: ${words.ja}。${why}`), { ...data, reason });
  };

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
    case 'mail-settled': {
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
        bilingual(
          `Mail withdrawn before it was sent: ${fact.subject}`,
          `送信前にメールを取りやめました: ${fact.subject}`,
        ),
        data,
      );
    }
    case 'device-reported': {
      const { report } = fact;
      const device = after.devices.find(({ machineId }) => machineId === report.machineId);
      const earlier = before.devices.find(({ machineId }) => machineId === report.machineId);
      if (device?.report !== report) return [];
      const told = earlier === undefined ? undefined : holdOf(earlier)?.state;
      const { hold } = report;
      const known = new Set(earlier?.report?.troubles?.map(({ reason }) => reason));
      const troubles = (report.troubles ?? [])
        .filter(({ reason }) => !known.has(reason))
        .flatMap(({ reason, why }) =>
          trouble(hold.want === 'release' ? 'release' : 'isolation', reason, why, { machineId: report.machineId }),
        );
      const elsewhere = narrateElsewhere(after, earlier, device, at);
      if (told === hold.state) return [...elsewhere, ...troubles];
      const accepted = endedElsewhere(device)?.acknowledged;
      if (accepted !== undefined) return [...narrateAcceptance(device, accepted, at), ...troubles];
      const { type, text } = HOLD_WORDS[hold.state];
      const ordered: TimelineEntry[] =
        hold.order !== null && earlier?.order !== device.order
          ? entry(
              'instruction',
              bilingual(
                `The customer ordered the release of device ${device.name} (${hold.order.instructorName}, by ${hold.order.instruction.channel}).`,
                `お客様 (${hold.order.instructorName}) から端末 ${device.name} の隔離解除の指示がありました (${hold.order.instruction.channel})。`,
              ),
              { machineIds: [report.machineId], instruction: hold.order.instruction },
              hold.order.actor,
            )
          : [];
      return [
        ...ordered,
        ...entry(type, text(device.name, hold.reason === null ? null : reasonWords(hold.reason)), {
          machineId: report.machineId,
          state: hold.state,
          reason: hold.reason,
          heldBy: report.heldBy,
          at: hold.at,
          actionId: report.action?.id,
        }),
        ...elsewhere,
        ...troubles,
      ];
    }
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

/** A change past this service, and its end where the device is isolated again for somebody here. */
function narrateElsewhere(
  record: IncidentRecord,
  before: DeviceEntry | undefined,
  device: DeviceEntry,
  at: Instant,
): TimelineEntry[] {
  const { machineId, name, report } = device;
  const entry = (actor: string, text: Bilingual, data: Record<string, unknown>): TimelineEntry[] => [
    { at, actor, type: 'isolation', text, data: { machineId, actionId: report?.action?.id, ...data } },
  ];
  const change = changeHeard(before, device);
  if (change !== undefined) {
    const { isolation, by, seenAt, at: changedAt } = change;
    return entry('defender', changeWords(record, device, change), {
      reason: 'isolation-changed-elsewhere',
      isolation,
      at: changedAt,
      seenAt,
      by,
    });
  }
  const wasFree = before !== undefined && releasedElsewhere(before) !== undefined;
  if (!wasFree || releasedElsewhere(device) !== undefined || holdOf(device)?.state !== 'isolated') return [];
  const text = bilingual(
    `${name} is isolated again: Defender has confirmed it.`,
    `${name} が再度隔離されたことを Defender が確認しました。`,
  );
  return entry('mimamori', text, { isolation: 'isolated', at: report?.isolatedAt });
}

function narrateAcceptance(
  { machineId, name, report }: DeviceEntry,
  { actor, reason, at: acknowledgedAt }: Acknowledgement,
  at: Instant,
): TimelineEntry[] {
  const words = clip(reason, SHORT);
  return [
    {
      at,
      actor,
      type: 'release',
      text: bilingual(
        `The release of ${name} outside this service was acknowledged: ${words}`,
        `本サービス以外の操作による ${name} の隔離解除を承認しました: ${words}`,
      ),
      data: {
        machineId,
        state: 'released',
        reason: 'released-elsewhere',
        at: report?.hold.at,
        acknowledgedAt,
        words,
      },
    },
  ];
}

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
function narrateUnlinked(
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
function narrateLeadReport(before: IncidentRecord, after: IncidentRecord, at: Instant): TimelineEntry[] {
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
    } else if (status === 'failed') {
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
function narrateFollower(
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

function question(before: IncidentRecord, after: IncidentRecord, actor: string, at: Instant): TimelineEntry[] {
  return after.questions.slice(before.questions.length).map(({ text }) => ({
    at,
    actor,
    type: 'question',
    text: bilingual(`The customer is asked: ${clip(text, SHORT)}`, `お客様への確認事項: ${clip(text, SHORT)}`),
  }));
}

function refusedNote(rejected: readonly { address: string }[], language: 'en' | 'ja'): string {
  if (rejected.length === 0) return '';
  const addresses = rejected.map(({ address }) => address).join(', ');
  return language === 'en' ? ` (refused for ${addresses})` : ` (拒否された宛先: ${addresses})`;
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

function narrateCalls(before: IncidentRecord, seq: number, after: IncidentRecord, at: Instant): TimelineEntry[] {
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
