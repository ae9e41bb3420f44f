import { tuningPeriodAt } from '../customer.js';
import { reasonWords } from '../reasons.js';
import { bilingual, type Bilingual } from '../text.js';
import { latest, plus, toMs, type Instant } from '../time.js';
import { duties, holdOf, isHolding, isReturned, isSettled, outstanding, troublesOf, type Duty } from './duties.js';
import { scopeOf } from './assessment.js';
import { customerMailOf, mailAttention } from './customer-mail.js';
import { releaseOffers } from './release-offers.js';
import { releasedElsewhere } from './elsewhere.js';
import { isOwedThrough } from './link-state.js';
import { currentVerdict, type CloseReason, type IncidentRecord } from './record.js';
import { reminderAt } from './reminders.js';
import { nextThreshold, slo } from './slo.js';
import { isDemanded } from './verdicts.js';

export const stages = ['awaiting-triage', 'responding', 'notified', 'awaiting-release', 'closed'] as const;
export type Stage = (typeof stages)[number];

/** Reopened after an all-clear or without a verdict, the alert has to be judged again. */
function awaitsVerdict(record: IncidentRecord): boolean {
  const verdict = currentVerdict(record);
  if (verdict === undefined) return true;
  return verdict.level === 1 && record.reopenedAt !== null && toMs(verdict.at) <= toMs(record.reopenedAt);
}

export function stageOf(record: IncidentRecord, all: readonly Duty[] = duties(record)): Stage {
  if (record.closed !== null) return 'closed';
  if (outstanding(all).length > 0) return 'responding';
  if (record.devices.some(isHolding)) return 'awaiting-release';
  return awaitsVerdict(record) ? 'awaiting-triage' : 'notified';
}

export function openQuestions(record: IncidentRecord) {
  return record.questions.filter(({ answer }) => answer === null);
}

/** What an analyst must see, by its reason. */
export function attentionOf(record: IncidentRecord, all: readonly Duty[] = duties(record)): string[] {
  const reasons = new Set<string>();
  for (const duty of all) {
    if (duty.status === 'failed') reasons.add(duty.reason ?? `${duty.kind}-failed`);
    if (duty.status === 'running' && duty.reason !== undefined) reasons.add(duty.reason);
    if (isReturned(duty)) reasons.add('mail-bounced');
    if (duty.reason === 'awaiting-text' && duty.status === 'owed') reasons.add('awaiting-text');
  }
  for (const reason of record.devices.flatMap(troublesOf)) reasons.add(reason);
  if (record.closed === null && record.devices.some(({ isLookUpFailing }) => isLookUpFailing === true)) {
    reasons.add('device-look-up-failing');
  }
  if (record.devices.some((device) => releasedElsewhere(device) !== undefined)) {
    reasons.add('isolation-changed-elsewhere');
  }
  for (const reason of mailAttention(record)) reasons.add(reason);
  if (record.changedAfterCloseAt !== null) reasons.add('changed-after-close');
  if (record.rejectedSignalAt !== null) reasons.add('rejected-signal');
  if (record.tuningOverAt != null && record.closed === null) reasons.add('tuning-period-over');
  if (record.untriagedWarnedAt !== null && currentVerdict(record) === undefined && record.closed === null) {
    reasons.add('untriaged');
  }
  return [...reasons].sort();
}

/** The reason for which the incident closes by itself now, if there is one. */
export function dueClosure(record: IncidentRecord, now: Instant): CloseReason | undefined {
  if (record.closed !== null) return undefined;
  const verdict = currentVerdict(record);
  if (verdict === undefined) {
    // An analyst who reopened it wants to judge it: the rules do not take it away again.
    return record.reopenedAt === null ? (scopeOf(record).closeReason ?? undefined) : undefined;
  }
  const all = duties(record);
  const stage = stageOf(record, all);
  // What is linked is told through this one, which must not close before.
  if (stage !== 'notified' || isOwedThrough(record)) return undefined;
  if (verdict.level === 1) return 'no-threat';
  const at = autoCloseAt(record, all);
  return at !== undefined && toMs(now) >= toMs(at) ? 'no-response' : undefined;
}

/** Level 2, told, no question open, nothing failed: closes when it has been silent for long enough. */
function autoCloseAt(record: IncidentRecord, all: readonly Duty[]): Instant | undefined {
  if (record.policy === null || currentVerdict(record)?.level !== 2 || stageOf(record, all) !== 'notified')
    return undefined;
  if (customerMailOf(record).inquiry?.waitingSince != null) return undefined;
  if (openQuestions(record).length > 0 || all.some(({ status }) => status === 'failed')) return undefined;
  return plus(record.updatedAt, record.policy.service.autoCloseMs);
}

/** When an incident without a clock and without a verdict warns the SOC. */
function untriagedWarnAt(record: IncidentRecord, now: Instant): Instant | undefined {
  if (record.policy === null || record.untriagedWarnedAt !== null || record.closed !== null) return undefined;
  if (!awaitsVerdict(record) || slo(record, now).state !== 'not-applicable') return undefined;
  const since = latest(
    record.createdAt,
    record.scopeSince?.at ?? record.createdAt,
    record.reopenedAt ?? record.createdAt,
  );
  return plus(since, record.policy.service.untriagedWarnMs);
}

export function isUntriagedWarningDue(record: IncidentRecord, now: Instant): boolean {
  const at = untriagedWarnAt(record, now);
  return at !== undefined && toMs(now) >= toMs(at);
}

/** A tuning period that begins while an isolation is under way calls it off. */
function nextTuningStart(record: IncidentRecord, all: readonly Duty[], now: Instant): Instant | undefined {
  const pending = all.some(({ kind, status }) => kind === 'isolate' && (status === 'running' || status === 'owed'));
  if (!pending) return undefined;
  return record.policy?.customer.tuningPeriods
    .map(({ from }) => from)
    .filter((from) => toMs(from) > toMs(now))
    .sort()[0];
}

/** Did a tuning period prevent an isolation that the verdict wants still? */
function isPreventedByTuning(record: IncidentRecord, all: readonly Duty[]): boolean {
  if (record.tuningOverAt !== null || record.closed !== null) return false;
  return all.some(
    (duty) =>
      duty.kind === 'isolate' && isSettled(duty) && duty.reason === 'tuning-period' && isDemanded(record, duty.target),
  );
}

/** Ending a period isolates nobody by itself: an analyst judges again. */
export function isTuningOver(record: IncidentRecord, now: Instant): boolean {
  if (!isPreventedByTuning(record, duties(record))) return false;
  return tuningPeriodAt(record.policy?.customer.tuningPeriods ?? [], now) === undefined;
}

/** When the period that prevents an isolation is over, as far as is known now. */
function tuningEnd(record: IncidentRecord, all: readonly Duty[], now: Instant): Instant | undefined {
  if (!isPreventedByTuning(record, all)) return undefined;
  return tuningPeriodAt(record.policy?.customer.tuningPeriods ?? [], now)?.until;
}

export function lingerUntil(record: IncidentRecord): Instant | undefined {
  if (record.closed === null || record.policy === null) return undefined;
  return plus(record.closed.at, record.policy.service.lingerMs);
}

export interface Wake {
  at: Instant;
  /** For Temporal's Web UI. */
  why: string;
}

/** The next moment at which time alone has something to do, if any. */
export function nextWake(record: IncidentRecord, now: Instant): Wake | undefined {
  const all = duties(record);
  const moments: [Instant | undefined, string][] = [
    [nextThreshold(record, now), 'the time target: next warning, or due'],
    [untriagedWarnAt(record, now), 'warns the SOC if nobody has judged it'],
    [autoCloseAt(record, all), 'closes itself if the customer stays silent'],
    [nextTuningStart(record, all, now), 'a tuning period begins'],
    [tuningEnd(record, all, now), 'the tuning period that prevents the isolation ends'],
    [reminderAt(record, now), 'reminds the customer of what is not answered'],
    [lingerUntil(record), 'closed; stays for late news and reopening'],
  ];
  return (
    moments
      // What has come has been seen to; a closed incident that waits for a last mail must not be woken for ever.
      .flatMap(([at, why]) => (at === undefined || toMs(at) <= toMs(now) ? [] : [{ at, why }]))
      .sort((a, b) => toMs(a.at) - toMs(b.at))[0]
  );
}

export interface Waiting {
  who: 'analyst' | 'customer' | 'defender' | 'mail-server' | 'telephone';
  what: Bilingual;
  until: Instant | null;
}

/** Whom and what a mail waits for that is not settled. */
function mailWait({ id, reason }: Duty): Omit<Waiting, 'until'> {
  switch (reason) {
    case 'awaiting-text':
      return { who: 'analyst', what: bilingual('the texts of the mail', 'メールの文面') };
    case 'awaiting-lead':
      return { who: 'analyst', what: bilingual("the lead's primary escalation", 'リードの一次エスカレーション') };
    case 'mail-bounced':
      return {
        who: 'analyst',
        what: bilingual(
          `an address that can be reached: ${id} came back; correct the customers file, or repeat the verdict`,
          `有効なメールアドレス: ${id} が戻ってきました (お客様ファイルの修正、または同じ判定の再登録)`,
        ),
      };
    default:
      return { who: 'mail-server', what: bilingual(`acceptance of ${id}`, `${id} の受付`) };
  }
}

/** Whom the incident waits for, for what, until when: the answer to "what now?" at 3 a.m. */
export function waitingFor(record: IncidentRecord, now: Instant): Waiting[] {
  if (record.closed !== null) return [];
  const all = duties(record);
  const { dueAt, state } = slo(record, now);
  const until = state === 'met' ? null : dueAt;
  const waiting: Waiting[] = [];
  const nameOf = (machineId: string) =>
    record.devices.find((device) => device.machineId === machineId)?.name ?? machineId;
  if (awaitsVerdict(record)) {
    waiting.push({ who: 'analyst', what: bilingual('a verdict (threat level 1 to 4)', '脅威レベルの判定'), until });
  }
  for (const duty of all) {
    if (duty.kind === 'warn') continue;
    if (duty.status === 'failed') {
      const why = reasonWords(duty.reason ?? 'failed');
      waiting.push({
        who: 'analyst',
        what: bilingual(
          `a decision: ${duty.id} failed (${why.en})`,
          `対応の判断: ${duty.id} が失敗しました (${why.ja})`,
        ),
        until: null,
      });
    }
    if (isSettled(duty)) continue;
    switch (duty.kind) {
      case 'mail':
        waiting.push({ ...mailWait(duty), until });
        break;
      case 'isolate':
        waiting.push({
          who: 'defender',
          what: bilingual(`isolation of ${nameOf(duty.target)}`, `${nameOf(duty.target)} の隔離完了`),
          until,
        });
        break;
      case 'release':
        waiting.push({
          who: 'defender',
          what: bilingual(`release of ${nameOf(duty.target)}`, `${nameOf(duty.target)} の隔離解除完了`),
          until: null,
        });
        break;
      case 'phone':
        waiting.push({
          who: 'telephone',
          what: bilingual('a key pressed by the customer', 'お客様による電話の確認'),
          until: null,
        });
        break;
    }
  }
  for (const device of record.devices) {
    if (releasedElsewhere(device) !== undefined) {
      waiting.push({
        who: 'analyst',
        what: bilingual(
          `an acknowledgement: ${device.name} was released outside this service`,
          `承認: ${device.name} の隔離が本サービス以外の操作により解除されました`,
        ),
        until: null,
      });
    } else if (holdOf(device)?.state === 'isolated') {
      waiting.push({
        who: 'customer',
        what: bilingual(`an order to release ${device.name}`, `${device.name} の隔離解除のご指示`),
        until: null,
      });
    }
  }
  for (const { text } of openQuestions(record)) {
    waiting.push({ who: 'customer', what: bilingual(`an answer: ${text}`, `ご回答: ${text}`), until: null });
  }
  const { inquiry } = customerMailOf(record);
  const [offer] = releaseOffers(record);
  if (inquiry?.waitingSince != null || offer !== undefined) {
    waiting.push({
      who: 'analyst',
      what:
        offer === undefined
          ? bilingual('an answer to the customer’s mail', 'お客様のメールへの回答')
          : bilingual(
              'a decision: the customer’s mail may be an instruction to release',
              'お客様のメールの確認 (隔離解除のご指示の可能性があります)',
            ),
      until: null,
    });
  }
  if (waiting.length === 0) {
    waiting.push({
      who: 'analyst',
      what: bilingual('closing, or further news', '完了の操作または続報'),
      until: autoCloseAt(record, all) ?? null,
    });
  }
  return waiting;
}
