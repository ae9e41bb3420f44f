import type { Problem, AuditedType, StoppedStatus } from '../../audit.js';
import type { Stage } from '../../incident/stage.js';
import { bilingual, type Bilingual } from '../../text.js';

/** What mails to the SOC about a process that stands still say. Every word in both languages. */

export const findingTitles: Record<Problem, Bilingual> = {
  stopped: bilingual('A process was stopped from outside', '処理が外部から停止されました'),
  stuck: bilingual('A process cannot go on', '処理を継続できない状態です'),
  overdue: bilingual('The time target passed and nobody noted it', '時間目標の超過が記録されていません'),
};

export const findingSubjects: Record<Problem, Bilingual> = {
  stopped: bilingual('Process stopped', '処理停止'),
  stuck: bilingual('Process stuck', '処理停滞'),
  overdue: bilingual('Target missed unnoticed', '期限超過未記録'),
};

export const whatItIs: Record<AuditedType, Bilingual> = {
  incident: bilingual('Incident', 'インシデント'),
  device: bilingual('Device', '端末'),
  phone: bilingual('Telephone of the customer', 'お客様への電話連絡'),
  customer: bilingual('What was set for the customer at run time', 'お客様の運用中の設定'),
  exclusionRequest: bilingual('Exclusion', '検知対象外リストの登録'),
  alertFeed: bilingual('Feed of the tenant’s alerts', 'テナントのアラート取り込み'),
  rejectedAlert: bilingual('Alert that could not be taken in', '取り込めなかったアラート'),
  inquiry: bilingual('Inquiry of the customer', 'お客様からのお問い合わせ'),
  heldMail: bilingual('Mail that is held for an analyst', '保留中の受信メール'),
  strangers: bilingual('Notices of strangers’ mails', '未登録差出人メールの通知'),
  mailbox: bilingual('Reading of the mailbox', 'メールボックスの読み取り'),
};

export const whatItMeans: Record<Problem, Bilingual> = {
  stopped: bilingual(
    'Its workflow no longer runs: nothing more is done for it, nobody is warned, and new versions of the alert are refused, until it is set going again.',
    'ワークフローが停止しているため、再開するまでは対応も警告も行われず、アラートの更新も受け付けられません。',
  ),
  stuck: bilingual(
    'Its worker fails at every try to run it. Nothing is lost, but nothing more is done for it until that is mended.',
    'ワーカーが処理の実行に繰り返し失敗しています。データは失われませんが、解消するまで対応は行われません。',
  ),
  overdue: bilingual(
    'Its time target has passed, and its workflow has not noted that.',
    '時間目標を過ぎましたが、ワークフローに記録されていません。',
  ),
};

export const alsoOverdue = bilingual(
  'Its time target has passed meanwhile, and that is not on its record.',
  'その間に時間目標を過ぎており、そのことは記録されていません。',
);

export const deviceMatters = bilingual(
  'Isolations and releases of this device are neither carried out nor reported meanwhile.',
  'その間、この端末のネットワーク隔離・隔離解除は実施も報告もされません。',
);

export const customerMatters = bilingual(
  'Its tuning periods hold as they were; no new one can be set, and none can be ended, until it is set going again.',
  '設定済みのチューニング期間は有効なままですが、再開するまで追加も終了もできません。',
);

export const exclusionMatters = bilingual(
  'It is neither approved nor registered nor taken back meanwhile. Our own filter still ends at its expiry, and so does an indicator in Defender.',
  'その間、承認・登録・取り消しは行われません。当社フィルターと Defender のインジケーターは、有効期限どおりに終了します。',
);

export const feedMatters = bilingual(
  'No alert of this tenant comes in by itself meanwhile: watch Defender’s portal.',
  'その間、このテナントのアラートは自動では取り込まれません。Defender の管理画面を確認してください。',
);

export const rejectedMatters = bilingual(
  'The alert is not tried again by itself: look at it in Defender’s portal.',
  'このアラートは自動では再試行されません。Defender の管理画面で確認してください。',
);

export const inquiryMatters = bilingual(
  'What the customer writes there is not shown to anybody, and no answer goes out: read the mailbox.',
  'お客様からのメールが表示されず、回答も送信されません。メールボックスを確認してください。',
);

export const strangersMatters = bilingual(
  'Of mails that came from strangers last the SOC may not have been told: look through GET /v1/mailbox/attention.',
  '直近に届いた未登録の差出人からのメールが通知されていない可能性があります。GET /v1/mailbox/attention で確認してください。',
);

export const heldMailMatters = bilingual(
  'The mail cannot be accepted or put aside: look at it in the mailbox, in the folder Attention.',
  'このメールの受理・却下ができません。メールボックスの Attention フォルダーで確認してください。',
);

export const mailboxMatters = bilingual(
  'No mail of a customer comes in meanwhile: read the mailbox.',
  'その間、お客様からのメールは取り込まれません。メールボックスを確認してください。',
);

export const phoneMatters = bilingual(
  'The customer may not have been reached by telephone: ring them yourself if an incident of level 4 is open.',
  'お客様に電話がつながっていない可能性があります。レベル4のインシデントがあれば、直接お電話してください。',
);

export const howStopped: Record<StoppedStatus, Bilingual> = {
  Terminated: bilingual('terminated by hand', '手動で強制終了'),
  Canceled: bilingual('cancelled', 'キャンセル'),
  Failed: bilingual('failed', '失敗'),
  TimedOut: bilingual('ended by a timeout', 'タイムアウトによる終了'),
};

export const findingLabels = {
  customer: bilingual('Customer', 'お客様'),
  process: bilingual('Process', '処理'),
  run: bilingual('Run', '実行 ID'),
  alert: bilingual('Alert', 'アラート'),
  severity: bilingual('Severity', '危険度'),
  level: bilingual('Threat level', '脅威レベル'),
  devices: bilingual('Devices', '対象端末'),
  heldBy: bilingual('Isolated for', '隔離の対象インシデント'),
  how: bilingual('How it was stopped', '停止の種類'),
  since: bilingual('Stands still since', '停止日時'),
  found: bilingual('Found at', '検出日時'),
  dueAt: bilingual('Due at', '期限'),
};

export const findingHeadings = {
  what: bilingual('What happened', '内容'),
  owed: bilingual('What is owed, as far as is known', '未完了の対応 (判明している範囲)'),
  advice: bilingual('What you can do', '対応方法'),
};

export const owedInStage: Record<Stage, Bilingual> = {
  'awaiting-triage': bilingual('Threat level: to be judged', '脅威レベル判定: 未実施'),
  responding: bilingual(
    'What the threat level demands: mail, isolation or call are not all done',
    '脅威レベルに応じた対応 (メール・隔離・電話): 未完了',
  ),
  notified: bilingual(
    'The customer has been told; the incident is open',
    'お客様へ通知済み (インシデントは未クローズ)',
  ),
  'awaiting-release': bilingual(
    'A device is isolated and waits for the customer’s instruction to release it',
    '隔離中の端末があり、お客様からの隔離解除のご指示待ち',
  ),
  closed: bilingual('Nothing: the incident is closed', 'なし (クローズ済み)'),
};

export const isolationWords = {
  none: bilingual('not isolated', '隔離なし'),
  requested: bilingual('isolation requested', '隔離要求中'),
  isolated: bilingual('isolated', '隔離中'),
  releasing: bilingual('being released', '隔離解除中'),
  failed: bilingual('isolation failed', '隔離失敗'),
};

/** For an engineer. The commands are shown on a line of their own. */
export const findingAdvice: Record<Problem, Bilingual> = {
  stopped: bilingual(
    'Set it going again from its last step; nothing that it knew is lost. Until then act by hand on what is owed.',
    '次のコマンドで直前の処理から再開できます (記録は失われません)。再開するまでは、未完了の対応を手作業で行ってください。',
  ),
  stuck: bilingual(
    'See why in the worker’s log or by the command, and put a worker that works in its place: the process then goes on by itself. Until then act by hand on what is owed.',
    'ワーカーのログまたは次のコマンドで原因を確認し、正常なワーカーに入れ替えてください。処理は自動的に再開します。それまでは、未完了の対応を手作業で行ってください。',
  ),
  overdue: bilingual(
    'Tell whoever is responsible for the customer. See by the command what the process waits for, and whether a worker serves its task queue.',
    'お客様の担当者に連絡してください。次のコマンドで処理の状態と、タスクキューを処理するワーカーの有無を確認してください。',
  ),
};
