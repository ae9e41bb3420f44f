import type { CustomerRequest } from '../../exclusion/commands.js';
import type { ExclusionPart } from '../../exclusion/record.js';
import { bilingual, type Bilingual, type Language } from '../../text.js';

type About = 'confirmed' | 'reminder' | 'declined' | 'withdrawn' | 'expired' | 'never-registered';

/** What mails to a customer about an exclusion say, in one language. */
export interface ExclusionWords {
  openings: Record<About, string>;
  subjects: Record<About, string>;
  label: Record<
    | 'reference'
    | 'incident'
    | 'conditions'
    | 'registeredAt'
    | 'expiresAt'
    | 'requestedBy'
    | 'requestedAt'
    | 'channel'
    | 'left'
    | 'hits'
    | 'because',
    string
  >;
  heading: Record<'facts' | 'set' | 'notSet' | 'removed' | 'meaning' | 'warning' | 'takeBack' | 'renewal', string>;
  channel: Record<CustomerRequest['channel'], string>;
  notSet: string;
  /** Our own filter is set. */
  notAnalysed: string;
  /** It is not: what Defender still raises is analysed as ever. */
  stillAnalysed: string;
  whatFollows: (until: string, isReminded: boolean) => string;
  takeBack: string;
  renewal: (until: string) => string;
  /** What the customer is asked to do, if anything. */
  asks: Record<About, string>;
  /** Nothing of it is in force. */
  analysedAgain: string;
  /** A rule that somebody made by hand in Defender’s portal is still there. */
  ruleStays: string;
  askAnew: string;
}

const ja: ExclusionWords = {
  openings: {
    confirmed: '検知対象外リスト (ホワイトリスト) への登録が完了しましたので、お知らせいたします。',
    reminder:
      '検知対象外リスト (ホワイトリスト) への次の登録について、有効期限が近づいておりますので、お知らせいたします。',
    declined:
      'ご依頼いただいた検知対象外リスト (ホワイトリスト) への登録は、検討の結果、見送らせていただくこととなりましたので、お知らせいたします。',
    withdrawn:
      'ご依頼いただいた検知対象外リスト (ホワイトリスト) への登録は、取り下げといたしましたので、お知らせいたします。',
    expired: '検知対象外リスト (ホワイトリスト) への次の登録が、有効期限により終了しましたので、お知らせいたします。',
    'never-registered':
      'ご依頼いただいた検知対象外リスト (ホワイトリスト) への登録は、有効期限までに完了いたしませんでした。登録は行われておりません。',
  },
  subjects: {
    confirmed: 'ホワイトリスト登録完了',
    reminder: 'ホワイトリスト有効期限のお知らせ',
    declined: 'ホワイトリスト登録見送りのお知らせ',
    withdrawn: 'ホワイトリスト登録取り下げのお知らせ',
    expired: 'ホワイトリスト登録終了のお知らせ',
    'never-registered': 'ホワイトリスト未登録のお知らせ',
  },
  label: {
    reference: '登録番号',
    incident: 'インシデント番号',
    conditions: '登録内容 (すべての条件に一致するもの)',
    registeredAt: '登録日時',
    expiresAt: '有効期限',
    requestedBy: 'ご依頼いただいた方',
    requestedAt: 'ご依頼の受付日時',
    channel: '受付方法',
    left: '残り期間',
    hits: '登録以降に該当したアラート',
    because: '理由',
  },
  heading: {
    facts: '登録の概要',
    set: '設定したもの',
    notSet: '設定できていないもの',
    removed: '今後について',
    meaning: '登録による変更点',
    warning: 'ご注意ください',
    takeBack: '登録の取り消しについて',
    renewal: '継続または終了について',
  },
  channel: { mail: 'メール', phone: 'お電話', portal: 'ポータル' },
  notSet: '次のものは設定できていません。アナリストが確認しております。',
  notAnalysed:
    '登録内容のすべての条件に一致するアラートは、記録のみを行い、分析いたしません。該当するアラートについては、メールやお電話でのご連絡、端末のネットワーク隔離も行いません。',
  stillAnalysed:
    '登録内容に該当する検知が、Defender で発生しないようにするための設定です。それでもアラートが発生した場合は、これまでどおり分析いたします。',
  whatFollows: (until, isReminded) =>
    `登録の有効期限は ${until} です。${isReminded ? '期限の14日前に、改めてお知らせいたします。' : ''}期限後に発生したアラートは、これまでどおり分析いたします。`,
  takeBack:
    '登録の取り消し、または有効期限の繰り上げをご希望の場合は、本メールへの返信にてご依頼ください。当社営業日の9時から18時に対応いたします。',
  renewal: (until) =>
    `継続をご希望の場合は、期限までに余裕をもって、本メールへの返信にてご依頼ください。当社営業日の9時から18時に改めて登録し、登録後にメールでご連絡いたします。\nご依頼がない場合、登録は ${until} に終了し、以降に発生したアラートはこれまでどおり分析いたします。`,
  asks: {
    confirmed: 'お客様に行っていただくお手続きはございません。登録内容と有効期限をご確認ください。',
    reminder:
      '継続をご希望の場合は、期限までに本メールへの返信にてご依頼ください。終了してよろしければ、お手続きは不要です。',
    declined: '該当するアラートは、これまでどおり分析いたします。お客様に行っていただくお手続きはございません。',
    withdrawn: '該当するアラートは、これまでどおり分析いたします。お客様に行っていただくお手続きはございません。',
    expired: '該当するアラートは、これまでどおり分析いたします。再度の登録をご希望の場合のみ、ご返信ください。',
    'never-registered':
      '該当するアラートは、これまでどおり分析いたします。改めて登録をご希望の場合のみ、ご返信ください。',
  },
  analysedAgain: '該当するアラートは、これまでどおり分析の対象です。',
  ruleStays:
    'Defender の管理画面で手動設定されたルールは、自動では削除されません。不要な場合は、管理画面での削除をお願いいたします。',
  askAnew: '改めて登録をご希望の場合は、本メールへの返信にてご依頼ください。当社営業日の9時から18時に対応いたします。',
};

const en: ExclusionWords = {
  openings: {
    confirmed: 'The registration in the whitelist is complete.',
    reminder: 'A registration in the whitelist is about to end.',
    declined: 'After consideration, the registration in the whitelist that you asked for has not been made.',
    withdrawn: 'The registration in the whitelist that you asked for has been withdrawn. It has not been made.',
    expired: 'A registration in the whitelist has ended, as its time was over.',
    'never-registered':
      'The registration in the whitelist that you asked for was not complete before its time was over. It has not been made.',
  },
  subjects: {
    confirmed: 'Whitelist registration complete',
    reminder: 'Whitelist registration ends soon',
    declined: 'Whitelist registration declined',
    withdrawn: 'Whitelist registration withdrawn',
    expired: 'Whitelist registration ended',
    'never-registered': 'Whitelist registration not made',
  },
  label: {
    reference: 'Registration number',
    incident: 'Incident number',
    conditions: 'What is registered (all conditions together)',
    registeredAt: 'Registered at',
    expiresAt: 'Ends at',
    requestedBy: 'Requested by',
    requestedAt: 'Received at',
    channel: 'Received by',
    left: 'Time left',
    hits: 'Alerts that it has matched so far',
    because: 'Reason',
  },
  heading: {
    facts: 'The registration',
    set: 'What was set',
    notSet: 'What is not set yet',
    removed: 'What follows',
    meaning: 'What this means',
    warning: 'Please note',
    takeBack: 'How to have it taken back',
    renewal: 'Renew it, or let it end',
  },
  channel: { mail: 'mail', phone: 'phone', portal: 'portal' },
  notSet: 'This could not be set so far. Our analysts are looking into it.',
  notAnalysed:
    'Alerts that meet all of these conditions are recorded and no longer analysed: we do not write or call about them, and no device is isolated because of them.',
  stillAnalysed:
    'It is set so that Defender does not raise such detections again. Should there be such an alert all the same, we analyse it as before.',
  whatFollows: (until, isReminded) =>
    `The registration ends at ${until}.${isReminded ? ' We will remind you 14 days before.' : ''} Alerts after that are analysed as before.`,
  takeBack:
    'If you want the registration to be taken back, or to end sooner, please ask for it by replying to this mail. We do this on our business days between 9:00 and 18:00 (Japan time).',
  renewal: (until) =>
    `If you want it to go on, please ask for it in good time by replying to this mail. We register it anew on our business days between 9:00 and 18:00 (Japan time) and confirm by mail.\nIf you do not ask for it, the registration ends at ${until}, and alerts after that are analysed as before.`,
  asks: {
    confirmed: 'You need not do anything. Please check what is registered, and until when.',
    reminder:
      'If you want it to go on, please ask for it in time by replying to this mail. If it may end, you need not do anything.',
    declined: 'Such alerts are analysed as before. You need not do anything.',
    withdrawn: 'Such alerts are analysed as before. You need not do anything.',
    expired: 'Such alerts are analysed as before. Please reply only if you want it to be registered anew.',
    'never-registered': 'Such alerts are analysed as before. Please reply only if you still want it to be registered.',
  },
  analysedAgain: 'Such alerts are analysed as before.',
  ruleStays:
    'The rule that was made by hand in Defender’s portal does not end by itself: please remove it there if it is no longer needed.',
  askAnew:
    'If you want it to be registered anew, please ask for it by replying to this mail. We do this on our business days between 9:00 and 18:00 (Japan time).',
};

export const exclusionWords: Readonly<Record<Language, ExclusionWords>> = { ja, en };

/** `days`: what is left, begun ones counted. */
export function daysLeft(days: number): Bilingual {
  return days <= 1 ? bilingual('at most a day', '1日以内') : bilingual(`${days} days`, `${days}日`);
}

export function hitWords(hits: number): Bilingual {
  return bilingual(hits === 1 ? '1 alert' : `${hits} alerts`, `${hits} 件`);
}

/** Defender itself lets it pass: no alert comes that could be counted. */
export const notCounted = bilingual(
  'cannot be counted, as Defender itself was set',
  'Defender 側の設定のため、件数は把握できません',
);

// What the SOC reads, in both languages

type SocAbout = 'reminder' | 'set' | 'remove' | 'calendar' | 'unreached';

export const exclusionSocTitles: Record<SocAbout, Bilingual> = {
  reminder: bilingual('An exclusion ends soon', '検知対象外リストの登録の有効期限が近づいています'),
  set: bilingual('An exclusion could not be set', '検知対象外リストの登録を設定できませんでした'),
  remove: bilingual('An exclusion could not be removed', '検知対象外リストの登録を削除できませんでした'),
  unreached: bilingual(
    'The customer could not be told of an exclusion',
    '検知対象外リストの登録について、お客様にお知らせできませんでした',
  ),
  calendar: bilingual(
    'An exclusion waits: the calendar of holidays ends too soon',
    '祝日カレンダーの範囲外のため、検知対象外リストへの登録を保留しています',
  ),
};

export const exclusionSocSubjects: Record<SocAbout, Bilingual> = {
  reminder: bilingual('Exclusion ends soon', '除外登録の期限間近'),
  set: bilingual('Exclusion not set', '除外登録失敗'),
  remove: bilingual('Exclusion not removed', '除外登録の削除失敗'),
  unreached: bilingual('Customer not told of exclusion', '除外登録の通知失敗'),
  calendar: bilingual('Holiday calendar ends', '祝日カレンダー不足'),
};

export const exclusionSocLabels = {
  customer: bilingual('Customer', 'お客様'),
  exclusion: bilingual('Exclusion', '登録'),
  incident: bilingual('Incident', 'インシデント'),
  conditions: bilingual('Conditions', '条件'),
  why: bilingual('Why it was proposed', '登録理由'),
  proposer: bilingual('Proposed by', '起案者'),
  expiresAt: bilingual('Ends at', '有効期限'),
  left: bilingual('Time left', '残り期間'),
  hits: bilingual('Alerts that it has matched so far', '登録以降に該当したアラート'),
  part: bilingual('What failed', '失敗した設定'),
  reason: bilingual('Reason', '理由'),
  ids: bilingual('Ids in Defender', 'Defender での ID'),
  date: bilingual('Day that is not known', '範囲外の日付'),
};

export const exclusionSocHeadings = {
  set: bilingual('What is set', '設定済みのもの'),
  advice: bilingual('What you can do', '対応方法'),
};

export const renewalAdvice = bilingual(
  'If it is still needed, propose a new exclusion with a later end in good time: it needs an approval and is registered in business hours. Otherwise let it end; alerts after that are analysed again. The customer has been asked the same.',
  '引き続き必要な場合は、余裕をもって新しい期限で改めて起案してください (承認が必要で、営業時間内に登録されます)。不要であればそのまま終了し、以降のアラートは分析対象に戻ります。お客様にも同じご案内をお送りしています。',
);

export const noHits = bilingual(
  'It has matched nothing so far: it may not be needed any more.',
  'これまで該当したアラートはありません。不要となっている可能性があります。',
);

export const ruleByHand = bilingual(
  'The rule in Defender’s portal was made by hand and does not end with the exclusion: remove it by hand once that has ended.',
  'Defender 管理画面のルールは手動設定のため、登録が終了しても残ります。登録の終了後、手動で削除してください。',
);

export const calendarAdvice = bilingual(
  'Nobody knows whether that day is a business day, and nothing is registered on a guess. Update the software: its calendar of public holidays reaches further then, and the exclusion goes on by itself. It ends unregistered when its time passes before.',
  'この日が営業日か判断できないため、登録を保留しています。ソフトウェアを更新してください (祝日カレンダーも更新されます)。更新後は自動的に登録されますが、それまでに有効期限を過ぎた場合は、登録されないまま終了します。',
);

const CALL_THEM = bilingual(
  'Look at the addresses in the customers file, and tell the customer by telephone.',
  'お客様ファイルのメールアドレスを確認し、お電話などでお客様にお伝えください。',
);
const CONFIRM_AGAIN = bilingual(
  'Of a registration, the confirmation can be sent again: have it tried again.',
  '登録完了のお知らせは、再試行を指示すると再送されます。',
);

const TRY_AGAIN = bilingual('Then have it tried again.', 'その後、再試行を指示してください。');
const REGISTERED_MEANWHILE = bilingual(
  'Until then it is not in force in this part, and the customer has not been told that it is.',
  'それまでは、この設定は有効になっておらず、お客様にも有効とはお伝えしていません。',
);

const SETTING: Record<ExclusionPart, Bilingual> = {
  'own-filter': bilingual(
    'See in the worker’s log why; such alerts go on being analysed.',
    'ワーカーのログで原因を確認してください。該当するアラートは引き続き分析対象です。',
  ),
  'defender-indicator': bilingual(
    'Look at the tenant’s indicators in Defender’s portal: whether the value is one that Defender takes, whether there is another indicator for the same value, whether the tenant’s limit of 15,000 is reached.',
    'Defender の管理画面でテナントのインジケーターを確認してください (値の形式、同じ値の別のインジケーターの有無、テナントの上限 15,000 件)。',
  ),
  'portal-rule': bilingual(
    'Look at the rule in Defender’s portal, which is made by hand.',
    'Defender の管理画面で、手動設定のルールを確認してください。',
  ),
};

const REMOVING: Record<ExclusionPart, Bilingual> = {
  'own-filter': bilingual(
    'See in the worker’s log why; an exclusion that has ended matches no more alerts.',
    'ワーカーのログで原因を確認してください。終了した登録は、以降のアラートには適用されません。',
  ),
  'defender-indicator': bilingual(
    'Until it is removed, Defender goes on allowing it on every device of the tenant, at the latest until the indicator’s own expiry. Remove it by hand in Defender’s portal, among the tenant’s indicators.',
    '削除されるまで (遅くともインジケーター自体の有効期限まで)、Defender はテナントのすべての端末で許可を続けます。Defender の管理画面のインジケーター一覧から、手動で削除してください。',
  ),
  'portal-rule': ruleByHand,
};

const PERMISSION = bilingual(
  'The customer’s administrator has to consent to our application’s permission for indicators (Ti.ReadWrite or Ti.ReadWrite.All).',
  'お客様の管理者に、本サービスのアプリケーションのインジケーター権限 (Ti.ReadWrite または Ti.ReadWrite.All) へ同意していただく必要があります。',
);

const SIGN_IN = bilingual(
  'Have our application let into this tenant again: a valid secret or certificate, the administrator’s consent.',
  '本サービスのアプリケーションがこのテナントに再びサインインできるようにしてください (シークレットまたは証明書、管理者の同意)。',
);

const TRIED_ON = bilingual(
  'Nothing needs to be done unless it lasts: it is tried again by itself until Defender takes it.',
  '自動的に再試行を続けているため、長引かないかぎり対応は不要です。',
);

const PERMISSION_REASONS: readonly string[] = ['defender-forbidden', 'forbidden', 'Forbidden'];

function together(...parts: readonly Bilingual[]): Bilingual {
  return bilingual(parts.map(({ en: words }) => words).join(' '), parts.map(({ ja: words }) => words).join(''));
}

/** What can be done about a customer who could not be told. A mail that is delayed is sent again by itself. */
export function unreachedAdvice(reason: string): Bilingual {
  return reason === 'mail-delayed' ? CALL_THEM : together(CALL_THEM, CONFIRM_AGAIN);
}

/** What removes the cause, where that lies in no indicator. */
function causeAdvice(reason: string): Bilingual | undefined {
  if (PERMISSION_REASONS.includes(reason)) return PERMISSION;
  if (reason === 'defender-sign-in') return SIGN_IN;
  return reason === 'defender-request-failing' ? TRIED_ON : undefined;
}

/** What can be done about a part that could not be set or removed. */
export function partAdvice(part: ExclusionPart, action: 'set' | 'remove', reason: string): Bilingual {
  const cause = part === 'defender-indicator' ? causeAdvice(reason) : undefined;
  // What is tried again by itself cannot be told to be.
  if (cause === TRIED_ON) return together(TRIED_ON, action === 'remove' ? REMOVING[part] : REGISTERED_MEANWHILE);
  if (action === 'remove') return together(REMOVING[part], ...(cause === undefined ? [] : [cause]));
  return together(cause ?? SETTING[part], TRY_AGAIN, REGISTERED_MEANWHILE);
}
