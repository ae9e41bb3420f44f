import type { DutyKind, DutyStatus, MailTopic } from '../../incident/duties.js';
import type { Level } from '../../commands.js';
import { bilingual, type Bilingual } from '../../text.js';

/** What mails to the SOC say. Analysts read both languages, so every word stands here in both. */

export const socTitles: Record<'threshold' | 'untriaged' | 'notice' | 'breach' | 'failure', Bilingual> = {
  threshold: bilingual('The time target is at risk', '時間目標に注意が必要です'),
  untriaged: bilingual('An incident waits for its threat level', '脅威レベルが判定されていないインシデントがあります'),
  notice: bilingual('An incident needs attention', 'インシデントの確認が必要です'),
  breach: bilingual('The time target was missed', '時間目標を超過しました'),
  failure: bilingual('Something owed to the customer failed', 'お客様への対応に失敗しました'),
};

export const socLabels = {
  customer: bilingual('Customer', 'お客様'),
  incident: bilingual('Incident', 'インシデント'),
  alert: bilingual('Alert', 'アラート'),
  severity: bilingual('Severity', '危険度'),
  devices: bilingual('Devices', '対象端末'),
  level: bilingual('Threat level', '脅威レベル'),
  detectedAt: bilingual('Detected at', '検知日時'),
  receivedAt: bilingual('Received at', '受信日時'),
  passed: bilingual('Time gone', '経過'),
  dueAt: bilingual('Due at', '期限'),
  remaining: bilingual('Time left', '残り時間'),
  waiting: bilingual('Waiting for', '経過時間'),
  at: bilingual('At', '日時'),
  cause: bilingual('Cause', '原因'),
  duty: bilingual('What failed', '失敗した対応'),
  reason: bilingual('Reason', '理由'),
};

export const socHeadings = {
  owed: bilingual('Still owed', '未完了の対応'),
  notice: bilingual('What happened', '内容'),
  advice: bilingual('What you can do', '対応方法'),
};

export const socSentences = {
  nothingOwed: bilingual('Nothing is owed any more.', '未完了の対応はありません。'),
  noLevel: bilingual('not judged yet', '未判定'),
  noDevice: bilingual('none named', '指定なし'),
  unknownSeverity: bilingual('unknown', '不明'),
  triage: bilingual('Threat level: to be judged', '脅威レベル判定: 未実施'),
  triageNow: bilingual(
    'Please judge the incident: level, judgement and texts.',
    '脅威レベル、検知の正否、記載内容を判定してください。',
  ),
};

export const socLevels: Record<Level, Bilingual> = {
  4: bilingual('Level 4', 'レベル4'),
  3: bilingual('Level 3', 'レベル3'),
  2: bilingual('Level 2', 'レベル2'),
  1: bilingual('Level 1', 'レベル1'),
};

export const statusWords: Record<DutyStatus, Bilingual> = {
  owed: bilingual('to be done', '未実施'),
  running: bilingual('under way', '実施中'),
  done: bilingual('done', '完了'),
  failed: bilingual('failed', '失敗'),
  waived: bilingual('not owed', '対象外'),
  cancelled: bilingual('cancelled', '取り消し'),
};

export const mailWords: Record<MailTopic['kind'], Bilingual> = {
  primary: bilingual('Mail: primary escalation', 'メール: 一次エスカレーション'),
  secondary: bilingual('Mail: secondary escalation', 'メール: 二次エスカレーション'),
  'isolation-result': bilingual('Mail: result of the isolation', 'メール: ネットワーク隔離の結果'),
  'release-result': bilingual('Mail: result of the release', 'メール: 隔離解除の結果'),
  reminder: bilingual('Mail: reminder', 'メール: ご回答のお願い'),
  'soc-warning': bilingual('Warning to the SOC', 'SOC への警告'),
  'soc-breach': bilingual('Notice of a missed target to the SOC', 'SOC への目標時間超過の通知'),
  'soc-failure': bilingual('Notice of a failure to the SOC', 'SOC への対応失敗の通知'),
};

export const deviceDutyWords: Record<Extract<DutyKind, 'isolate' | 'release'>, (device: string) => Bilingual> = {
  isolate: (device) => bilingual(`Network isolation of ${device}`, `${device} のネットワーク隔離`),
  release: (device) => bilingual(`Release of ${device}`, `${device} の隔離解除`),
};

export const phoneWords = bilingual('Phone call to the customer', 'お客様への電話連絡');

export function duration(minutes: number): Bilingual {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return bilingual(
    hours === 0 ? `${rest} min` : `${hours} h ${rest} min`,
    hours === 0 ? `${rest}分` : `${hours}時間${rest}分`,
  );
}

const REPEAT = bilingual(
  'Repeat the same verdict to have what failed tried again.',
  '同じ判定をもう一度登録すると、失敗した対応が再実行されます。',
);

function thenRepeat(words: Bilingual): Bilingual {
  return bilingual(`${words.en} ${REPEAT.en}`, `${words.ja}${REPEAT.ja}`);
}

const ADVICE_BY_REASON: Readonly<Record<string, Bilingual>> = {
  'device-mismatch': bilingual(
    'Check the device’s id and name in Defender, and judge again naming the right device.',
    'Defender で端末の ID と名前を確認し、正しい端末を指定して判定し直してください。',
  ),
  'server-decision-needed': bilingual(
    'Judge again and say whether servers are to be isolated or left.',
    'サーバーを隔離するかどうかを指定して、判定し直してください。',
  ),
  'unknown-device': bilingual(
    'Find the device in Defender’s portal: it may have been merged or offboarded. Judge again naming the right device, or agree with the customer on disconnecting it by hand.',
    'Defender の管理画面で端末を確認してください (統合または登録解除された可能性があります)。正しい端末を指定して判定し直すか、手作業での切り離しをお客様とご相談ください。',
  ),
  'unsupported-device': bilingual(
    'Defender cannot isolate this device. Agree with the customer on disconnecting it by hand.',
    'この端末は Defender では隔離できません。手作業でのネットワーク切り離しをお客様とご相談ください。',
  ),
  'isolation-timeout': thenRepeat(
    bilingual(
      'Ask the customer where the device is and to keep it off the network.',
      '端末の所在をお客様に確認し、ネットワークに接続しないよう依頼してください。',
    ),
  ),
  'mail-bounced': bilingual(
    'The address does not exist or does not take our mail. Reach the customer by telephone, and have the address in the customers file corrected.',
    '宛先のメールアドレスが存在しないか、メールを受け付けていません。お電話などでお客様に連絡し、お客様設定ファイルのメールアドレスを修正してください。',
  ),
  'no-contact-to-ring': bilingual(
    'Reach the customer by other means, and have contacts for calls registered.',
    '別の手段でお客様に連絡し、電話連絡先を登録してください。',
  ),
};

const ADVICE_BY_KIND: Record<DutyKind, Bilingual> = {
  isolate: thenRepeat(
    bilingual('Check the device in Defender’s portal.', 'Defender の管理画面で端末を確認してください。'),
  ),
  release: bilingual(
    'The device is still isolated although the customer wants it back. Check it in Defender’s portal, release it there if need be, and tell the customer.',
    'お客様のご指示にもかかわらず、端末は隔離されたままです。Defender の管理画面で確認し、必要に応じて管理画面から解除して、お客様にお知らせください。',
  ),
  mail: thenRepeat(
    bilingual(
      'The customer has not been told. Reach them by other means, and check the registered addresses.',
      'お客様に届いていません。別の手段で連絡し、登録されているメールアドレスを確認してください。',
    ),
  ),
  phone: bilingual(
    'Nobody at the customer has acknowledged level 4. Ring them yourself.',
    'レベル4の電話連絡について、お客様の確認が得られていません。直接お電話してください。',
  ),
  warn: bilingual('Check the incident.', 'インシデントを確認してください。'),
};

export function advice(kind: DutyKind, reason: string | undefined): Bilingual {
  const byReason =
    reason !== undefined && Object.hasOwn(ADVICE_BY_REASON, reason) ? ADVICE_BY_REASON[reason] : undefined;
  return byReason ?? ADVICE_BY_KIND[kind];
}
