import { assertNever, bilingual, clip, oneLine, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { conditionsWords } from './conditions.js';
import type { ExclusionFact } from './facts.js';
import {
  isApproved,
  setParts,
  type ExclusionPart,
  type ExclusionRecord,
  type ExclusionTimelineEntry,
} from './record.js';

/** Text of a timeline entry stays far under its 4 kB. */
const SHORT = 400;

const PARTS: Record<ExclusionPart, Bilingual> = {
  'own-filter': bilingual('our own filter', '当社フィルター'),
  'defender-indicator': bilingual('the indicator in Defender', 'Defender のインジケーター'),
  'portal-rule': bilingual('the rule made in Defender’s portal', 'Defender 管理画面のルール'),
};

export function partName(part: ExclusionPart): Bilingual {
  return PARTS[part];
}

function short(text: string): string {
  return oneLine(text, SHORT);
}

export function narrateOpening(record: ExclusionRecord, at: Instant): ExclusionTimelineEntry[] {
  const { conditions, reason, expiresAt, breadth, approvalsNeeded, proposer, customerRequest } = record;
  const what = conditionsWords(conditions);
  const { matched, of } = breadth;
  const second = approvalsNeeded === 2;
  const proposed: ExclusionTimelineEntry = {
    at,
    actor: proposer,
    type: 'proposed',
    text: bilingual(
      `Exclusion proposed: ${clip(what.en, SHORT)}, until ${expiresAt}. ${matched} of ${of} past alerts would have matched${second ? '; a second approval is needed' : ''}. Reason: ${short(reason)}`,
      `検知対象外リストへの登録を起案しました: ${clip(what.ja, SHORT)}、有効期限 ${expiresAt}。過去のアラート ${of} 件中 ${matched} 件が該当${second ? ' (2 人目の承認が必要)' : ''}。理由: ${short(reason)}`,
    ),
  };
  return customerRequest === null ? [proposed] : [proposed, requested(record, proposer, at)];
}

function requested({ customerRequest }: ExclusionRecord, actor: string, at: Instant): ExclusionTimelineEntry {
  const { by = '', channel = '', receivedAt = '', words = '' } = customerRequest ?? {};
  return {
    at,
    actor,
    type: 'customer-request',
    text: bilingual(
      `${short(by)} asked for the registration by ${channel} at ${receivedAt}: ${short(words)}`,
      `${short(by)} 様より登録のご依頼がありました (${channel}、${receivedAt}): ${short(words)}`,
    ),
  };
}

const ENDED = {
  declined: bilingual('The exclusion was declined', '登録は見送られました'),
  withdrawn: bilingual('The exclusion was withdrawn', '登録の起案は取り下げられました'),
} as const;

/** An approval need not say why. */
function because(reason: string): string {
  return reason === '' ? '' : `: ${short(reason)}`;
}

/** What a fact adds to the exclusion's own timeline. */
export function narrate(
  before: ExclusionRecord,
  fact: ExclusionFact,
  after: ExclusionRecord,
  at: Instant,
): ExclusionTimelineEntry[] {
  const entry = (
    type: ExclusionTimelineEntry['type'],
    text: Bilingual,
    actor = 'mimamori',
  ): ExclusionTimelineEntry => ({ at, actor, type, text });
  switch (fact.type) {
    case 'customer-requested':
      return [requested(after, fact.actor, at)];
    case 'approved': {
      const missing = after.approvalsNeeded - after.approvals.length;
      return [
        entry(
          'approved',
          bilingual(
            `Approved${because(fact.reason)}${isApproved(after) ? '' : ` (${missing} more approval needed)`}`,
            `承認しました${because(fact.reason)}${isApproved(after) ? '' : ` (あと ${missing} 人の承認が必要です)`}`,
          ),
          fact.actor,
        ),
      ];
    }
    case 'declined':
    case 'withdrawn': {
      const words = ENDED[fact.type];
      return [
        entry(
          'ended',
          bilingual(`${words.en}: ${short(fact.reason)}`, `${words.ja}: ${short(fact.reason)}`),
          fact.actor,
        ),
      ];
    }
    case 'expiry-shortened':
      return [
        entry(
          'expiry-changed',
          bilingual(
            `The expiry was brought forward from ${before.expiresAt} to ${after.expiresAt}: ${short(fact.reason)}`,
            `有効期限を ${before.expiresAt} から ${after.expiresAt} に早めました: ${short(fact.reason)}`,
          ),
          fact.actor,
        ),
      ];
    case 'retry-asked':
      return [
        entry(
          'retry',
          bilingual(
            `What had failed is tried again: ${short(fact.reason)}`,
            `失敗した処理を再試行します: ${short(fact.reason)}`,
          ),
          fact.actor,
        ),
      ];
    case 'waiting':
      return [
        entry(
          'waiting',
          bilingual(
            `It is registered in business hours, from ${fact.until}.`,
            `営業時間内に登録します (${fact.until} 以降)。`,
          ),
        ),
      ];
    case 'part-set': {
      const name = PARTS[fact.part];
      return [
        entry('part', bilingual(`Set: ${name.en}.`, `${name.ja}を設定しました。`)),
        ...(before.registeredAt === null && after.registeredAt !== null ? [registered(after, at)] : []),
      ];
    }
    case 'part-failed': {
      const name = PARTS[fact.part];
      return [
        entry(
          'part',
          bilingual(
            `Could not be set: ${name.en} (${short(fact.reason)}).`,
            `${name.ja}を設定できませんでした (${short(fact.reason)})。`,
          ),
        ),
        ...(before.registeredAt === null && after.registeredAt !== null ? [registered(after, at)] : []),
      ];
    }
    case 'part-removed': {
      const name = PARTS[fact.part];
      return [entry('part', bilingual(`Removed: ${name.en}.`, `${name.ja}を削除しました。`))];
    }
    case 'removal-failed': {
      const name = PARTS[fact.part];
      return [
        entry(
          'part',
          bilingual(
            `Could not be removed so far: ${name.en} (${short(fact.reason)}).`,
            `${name.ja}をまだ削除できていません (${short(fact.reason)})。`,
          ),
        ),
      ];
    }
    case 'confirmed':
      return [
        entry(
          'confirmation',
          bilingual('The registration was confirmed to the customer.', '登録完了をお客様にお知らせしました。'),
        ),
      ];
    case 'confirmation-failed':
      return [
        entry(
          'confirmation',
          bilingual(
            `The confirmation did not reach the customer: ${short(fact.reason)}`,
            `登録完了のお知らせを送信できませんでした: ${short(fact.reason)}`,
          ),
        ),
      ];
    case 'end-mailed':
      return [
        entry(
          'end-mail',
          bilingual(
            'The customer was told that it is not in force.',
            '登録が有効でないことをお客様にお知らせしました。',
          ),
        ),
      ];
    case 'end-mail-failed':
      return [
        entry(
          'end-mail',
          bilingual(
            `The customer could not be told that it is not in force: ${short(fact.reason)}`,
            `登録が有効でないことをお客様にお知らせできませんでした: ${short(fact.reason)}`,
          ),
        ),
      ];
    case 'reminded':
      return [
        entry(
          'reminder',
          bilingual(`It expires at ${after.expiresAt}.`, `有効期限 (${after.expiresAt}) が近づいています。`),
        ),
      ];
    case 'expired':
      return [entry('ended', expiredWords(after))];
    case 'command-handled':
      return [];
    default:
      return assertNever(fact);
  }
}

function registered(record: ExclusionRecord, at: Instant): ExclusionTimelineEntry {
  const names = setParts(record).map((part) => PARTS[part]);
  return {
    at,
    actor: 'mimamori',
    type: 'registered',
    text: bilingual(
      `Registered until ${record.expiresAt}: ${names.map(({ en }) => en).join(', ')}.`,
      `検知対象外リストへ登録しました (有効期限 ${record.expiresAt}): ${names.map(({ ja }) => ja).join('、')}。`,
    ),
  };
}

function expiredWords(record: ExclusionRecord): Bilingual {
  const isLeft = record.parts['portal-rule']?.status === 'set';
  return bilingual(
    `The exclusion has expired.${isLeft ? ' The rule in Defender’s portal was made by hand and has to be removed by hand.' : ''}`,
    `登録の有効期限が切れました。${isLeft ? 'Defender 管理画面のルールは手動設定のため、手動での削除が必要です。' : ''}`,
  );
}
