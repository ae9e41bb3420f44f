import { bilingual, oneLine, type Bilingual } from './text.js';

/**
 * Every reason code of the service in plain words: clauses that fit behind a colon, without a full stop. They say the
 * same to a customer and to an analyst, so nothing internal stands in them.
 */
const REASONS = {
  // Why a device is not isolated
  'tuning-period': bilingual(
    'no device is isolated during the whitelist tuning period',
    'ホワイトリストチューニング期間中は隔離を実施しません',
  ),
  'server-left': bilingual(
    'the device is a server and is left on the network on the analyst’s decision',
    'サーバーのため、アナリストの判断により隔離の対象外としています',
  ),
  'device-mismatch': bilingual(
    'the name given does not belong to the device that Defender knows under this id',
    '指定された端末名が、Defender に登録された端末と一致しません',
  ),
  'server-decision-needed': bilingual(
    'the device is a server, which is isolated only on an analyst’s explicit decision',
    'サーバーのため、隔離するかどうかについてアナリストの明示的な判断が必要です',
  ),
  'unknown-device': bilingual('Defender does not know the device', 'Defender に該当する端末が見つかりません'),
  'unsupported-device': bilingual(
    'the device’s operating system or Defender version does not support network isolation',
    '端末の OS または Defender のバージョンがネットワーク隔離に対応していません',
  ),
  'isolation-timeout': bilingual(
    'the device was not reached within 3 days, presumably because it is switched off or offline',
    '端末が電源オフまたはオフラインのためか、3 日以内に応答がありませんでした',
  ),
  'isolation-failed': bilingual(
    'Defender reported that the isolation failed',
    'Defender から隔離に失敗したとの応答がありました',
  ),
  'isolation-pending': bilingual(
    'Defender has not confirmed the isolation yet',
    'Defender による隔離の完了がまだ確認できていません',
  ),
  'cancelled-elsewhere': bilingual(
    'the request was cancelled outside this service, for example in Defender’s portal',
    'Defender の管理画面など、本サービス以外の操作により要求が取り消されました',
  ),
  'rejected-by-defender': bilingual('Defender refused the request', 'Defender が要求を受け付けませんでした'),
  // Why an isolation, or the wish for one, came to an end
  'level-lowered': bilingual('the threat level was lowered', '脅威レベルが引き下げられました'),
  'not-named': bilingual(
    'the later assessment no longer concerns the device',
    'その後の判定で、この端末は対象から外れました',
  ),
  released: bilingual('the customer instructed the release', 'お客様から隔離解除のご指示をいただきました'),
  'released-elsewhere': bilingual(
    'the device was released outside this service, for example in Defender’s portal',
    'Defender の管理画面など、本サービス以外の操作により隔離が解除されました',
  ),
  held: bilingual('another incident still needs the isolation', '別のインシデントで引き続き隔離が必要です'),
  cancelled: bilingual('the request was cancelled', '要求が取り消されました'),
  'cancelled-before-isolated': bilingual(
    'the request was cancelled before the device was isolated',
    '端末が隔離される前に要求が取り消されました',
  ),
  'never-isolated': bilingual('the device had not been isolated', '端末は隔離されていませんでした'),
  'release-timeout': bilingual(
    'the device was not reached in time to release it, presumably because it is switched off or offline',
    '端末が電源オフまたはオフラインのためか、隔離解除の要求に時間内の応答がありませんでした',
  ),
  'release-failed': bilingual(
    'Defender reported that the release failed',
    'Defender から隔離解除に失敗したとの応答がありました',
  ),
  // Mail and phone
  'mail-rejected': bilingual('the mail server refused the mail', 'メールサーバーがメールの受信を拒否しました'),
  'told-by-later-mail': bilingual('a later mail has said it', '後続のメールでお伝えしています'),
  'mail-not-accepted': bilingual(
    'no mail server has accepted the mail yet',
    'メールがまだメールサーバーに受け付けられていません',
  ),
  'mail-bounced': bilingual(
    'the mail was returned as undeliverable by the recipient’s mail server',
    '宛先のメールサーバーから、配信できないとしてメールが返送されました',
  ),
  'phone-exhausted': bilingual(
    'none of the registered contacts acknowledged the call',
    'ご登録の連絡先のいずれからも、お電話での確認をいただけませんでした',
  ),
  'no-contact-to-ring': bilingual('no contact is registered for calls', '電話連絡先が登録されていません'),
  'awaiting-text': bilingual('the analyst’s texts are still missing', 'アナリストによる記載がまだ揃っていません'),
  'awaiting-primary': bilingual('the primary escalation has to be sent first', '一次エスカレーションの送信待ちです'),
  'awaiting-lead': bilingual(
    'the primary escalation of the incident that this one is linked to has to be sent first',
    '紐付け先のインシデントの一次エスカレーションの送信待ちです',
  ),
  'lead-rings': bilingual(
    'the customer is rung for the incident that this one is linked to',
    '紐付け先のインシデントでお客様にお電話でご連絡しています',
  ),
  // What goes on being tried, and has failed for a while
  'mail-delayed': bilingual(
    'the mail server does not take the mail; it is sent again until it does',
    'メールサーバーがメールを受け付けていません (再送を続けています)',
  ),
  'device-look-up-failing': bilingual(
    'the device cannot be looked up in Defender; it is tried again until it can',
    'Defender で端末の情報を取得できません (再試行を続けています)',
  ),
  'defender-request-failing': bilingual(
    'the request cannot be handed to Defender; it is tried again until it can',
    'Defender に要求を渡せません (再試行を続けています)',
  ),
  'defender-state-unknown': bilingual(
    'Defender does not say how the request or the device stands; it is asked again until it does',
    'Defender で要求または端末の状況を確認できません (再試行を続けています)',
  ),
  'defender-cancel-failing': bilingual(
    'the request cannot be cancelled in Defender; it is tried again until it can, or has ended',
    'Defender で要求を取り消せません (再試行を続けています)',
  ),
  'phone-failing': bilingual(
    'the telephone service does not do what it is asked; the calls go on',
    '電話サービスが要求に応じません (電話連絡は続けています)',
  ),
  // The clock
  'no-verdict': bilingual('no threat level had been judged', '脅威レベルが判定されていませんでした'),
  'done-too-late': bilingual(
    'everything was done, but after the target time',
    '対応は完了しましたが、目標時間を過ぎていました',
  ),
} satisfies Record<string, Bilingual>;

type Reason = keyof typeof REASONS;

/** What is ours to mend, and no business of the customer's: words for analysts and the engineer only. */
const INTERNAL_REASONS: Readonly<Record<string, Bilingual>> = {
  'defender-forbidden': bilingual(
    'Defender refused our application (401 or 403): check its permissions and the administrator’s consent in this tenant',
    'Defender が本サービスのアプリケーションを拒否しました (401 または 403)。このテナントでの権限と管理者の同意を確認してください',
  ),
  'defender-sign-in': bilingual(
    'Entra refused our application’s sign-in to this tenant: check its secret or certificate, and the consent',
    'このテナントへの本サービスのサインインを Entra が拒否しました。シークレットまたは証明書と同意を確認してください',
  ),
  'indicator-of-others': bilingual(
    'the tenant has an indicator for the same value that this exclusion has not set: it is not written over',
    '同じ値のインジケーターがすでにテナントにあり、この登録によるものではないため、上書きしません',
  ),
  'too-many-exclusions': bilingual(
    'our own filter for this customer is full: others have to end first',
    'このお客様の当社フィルターは上限に達しています。他の登録を終了する必要があります',
  ),
  'made-by-hand': bilingual(
    'it was made by hand in Defender’s portal, and has to be removed there',
    'Defender の管理画面で手動設定されたものです。管理画面での削除が必要です',
  ),
  'indicator-not-possible': bilingual(
    'Defender has no indicator for these conditions',
    'Defender にはこの条件に対応するインジケーターがありません',
  ),
};

/** Defender's own words for what the service has a word for. */
const DEFENDER_CODES: Readonly<Record<string, Reason>> = {
  OsPlatformNotSupported: 'unsupported-device',
  ClientVersionNotSupported: 'unsupported-device',
  NotFound: 'unknown-device',
  ResourceNotFound: 'unknown-device',
  TimeOut: 'isolation-timeout',
  Cancelled: 'cancelled-elsewhere',
  Failed: 'isolation-failed',
  BadRequest: 'rejected-by-defender',
  InvalidInput: 'rejected-by-defender',
  Forbidden: 'rejected-by-defender',
  Unauthorized: 'rejected-by-defender',
  DisabledFeature: 'rejected-by-defender',
  DisallowedOperation: 'rejected-by-defender',
};

function isReason(code: string): code is Reason {
  return Object.hasOwn(REASONS, code);
}

/** The words for a code, or undefined for one that the service does not know. */
export function knownReason(code: string): Bilingual | undefined {
  if (isReason(code)) return REASONS[code];
  const ours = Object.hasOwn(DEFENDER_CODES, code) ? DEFENDER_CODES[code] : undefined;
  return ours === undefined ? undefined : REASONS[ours];
}

/** What analysts read: the words for a code; a code that nobody has words for is shown as it is. */
export function reasonWords(code: string): Bilingual {
  const shown = oneLine(code, 80);
  const internal = Object.hasOwn(INTERNAL_REASONS, code) ? INTERNAL_REASONS[code] : undefined;
  return knownReason(code) ?? internal ?? bilingual(`another reason (${shown})`, `その他の理由 (${shown})`);
}

/** What analysts read of a mail that came back: whom it did not reach, and why in the mail server's words. */
export function bouncedWords(address: string, diagnostic: string): Bilingual {
  const to = oneLine(address, 320);
  const why = oneLine(diagnostic, 300);
  return bilingual(
    `The customer was not reached: ${to}${why === '' ? '' : `: ${why}`}`,
    `お客様に届きませんでした: ${to}${why === '' ? '' : `: ${why}`}`,
  );
}

/** What customers read: never a code. */
export function reasonForCustomer(code: string): Bilingual {
  return knownReason(code) ?? bilingual('a technical problem occurred', '技術的な問題が発生しました');
}
