import type { CloseReason, Effect } from '../../incident/record.js';
import type { DutyKind, DutyStatus } from '../../incident/duties.js';
import { bilingual, type Bilingual } from '../../text.js';

/** What the readable page of an incident's whole record says beside the words of the mails. Every word in both languages. */

export const reportTitle = bilingual('Record of the incident', 'インシデントの記録');

export const reportHeadings = {
  verdicts: bilingual('Verdicts', '脅威レベルの判定'),
  escalations: bilingual('Further escalations', '二次エスカレーション'),
  questions: bilingual('Questions and answers', 'ご確認事項とご回答'),
  duties: bilingual('What the service owed', '対応事項'),
  instructions: bilingual('Instructions of the customer', 'お客様のご指示'),
  mails: bilingual('Mails that were sent', '送信したメール'),
  customerMails: bilingual('Mails of the customer', 'お客様からのメール'),
  timeline: bilingual('What happened', '経過'),
  proof: bilingual('Where it lies in the archive', '保管に関する情報'),
} as const;

export const reportLabels = {
  customer: bilingual('Customer', 'お客様'),
  status: bilingual('Status', '状態'),
  closedAt: bilingual('Closed', '完了日時'),
  closedBecause: bilingual('Because', '完了の理由'),
  target: bilingual('Time target', '時間目標'),
  by: bilingual('By', '担当'),
  words: bilingual('In these words', 'ご指示の内容'),
  messageId: bilingual('Message-ID', 'Message-ID'),
  sha256: bilingual('SHA-256 of its text', '本文の SHA-256'),
  to: bilingual('To', '宛先'),
  from: bilingual('From', '差出人'),
  subject: bilingual('Subject', '件名'),
  receivedAt: bilingual('Received', '受信日時'),
  entry: bilingual('Entry', '保管番号'),
  entrySha256: bilingual('SHA-256 of the entry', '保管記録の SHA-256'),
  previous: bilingual('SHA-256 of the entry before it', '直前の保管記録の SHA-256'),
  archivedAt: bilingual('Archived', '保管日時'),
  exportedAt: bilingual('Written out', '出力日時'),
} as const;

export const closeReasonWords: Record<CloseReason, Bilingual> = {
  'out-of-scope': bilingual('not a subject of the analysis', '分析対象外'),
  neutralised: bilingual('neutralised by Defender', 'Defender により無害化'),
  excluded: bilingual('matches a registered exclusion', '検知対象外リストに該当'),
  'no-threat': bilingual('analysed, no problem', '分析の結果、問題なし'),
  resolved: bilingual('closed by an analyst', 'アナリストによる完了'),
  'no-response': bilingual('nothing more was heard from the customer', 'お客様からの追加連絡なし'),
};

export const openWords = bilingual('not closed', '対応中');

export const dutyKindWords: Record<DutyKind, Bilingual> = {
  isolate: bilingual('isolation', 'ネットワーク隔離'),
  release: bilingual('release', '隔離の解除'),
  mail: bilingual('mail', 'メール'),
  phone: bilingual('telephone', '電話'),
  warn: bilingual('warning to the SOC', 'SOC への警告'),
};

export const dutyStatusWords: Record<DutyStatus, Bilingual> = {
  owed: bilingual('owed', '未着手'),
  running: bilingual('under way', '対応中'),
  done: bilingual('done', '完了'),
  failed: bilingual('failed', '失敗'),
  waived: bilingual('not to be done', '対象外'),
  cancelled: bilingual('called off', '取りやめ'),
};

export const mailStatusWords: Record<Effect['status'], Bilingual> = {
  running: bilingual('being sent', '送信中'),
  done: bilingual('accepted by the mail server', 'メールサーバーが受付'),
  failed: bilingual('refused', '送信失敗'),
  cancelled: bilingual('called off', '取りやめ'),
  bounced: bilingual('came back', '不達'),
};

export const sloStateWords = {
  'not-applicable': bilingual('none', '対象外'),
  running: bilingual('running', '計測中'),
  'at-risk': bilingual('at risk', '超過のおそれ'),
  met: bilingual('met', '達成'),
  breached: bilingual('missed', '超過'),
} as const;

export const actorWords = {
  mimamori: bilingual('Mimamori', '見守り'),
  defender: bilingual('Defender', 'Defender'),
} as const;

export function notesLeftOut(count: number): Bilingual {
  return bilingual(
    `Internal notes of the SOC that are left out here: ${count}.`,
    `SOC の内部メモ (${count}件) は本書には記載していません。`,
  );
}

export const notSent = bilingual('none was sent', '送信なし');
export const wholeMailElsewhere = bilingual('(the beginning of the mail)', '(メールの冒頭部分)');
