import { bilingual, type Bilingual } from '../../text.js';

/** What mails to the SOC about a tenant's feed of alerts say. Every word in both languages. */

type About = 'trouble' | 'behind' | 'well' | 'rejected';

export const feedTitles: Record<About, Bilingual> = {
  trouble: bilingual('No alerts come in from this tenant', 'このテナントからアラートを取得できません'),
  behind: bilingual('The alerts of this tenant come in late', 'このテナントのアラート取得が遅れています'),
  well: bilingual('Alerts come in from this tenant again', 'このテナントのアラート取得が回復しました'),
  rejected: bilingual('Alerts were kept aside', '取り込めないアラートを保管しました'),
};

export const feedSubjects: Record<About, Bilingual> = {
  trouble: bilingual('No alerts', 'アラート取得不可'),
  behind: bilingual('Alerts late', 'アラート取得遅延'),
  well: bilingual('Alerts again', 'アラート取得回復'),
  rejected: bilingual('Alerts kept aside', 'アラート保管'),
};

export const feedMatters: Record<About, Bilingual> = {
  trouble: bilingual(
    'New alerts of this customer are not seen, and changes of known ones neither, until this is mended. It is tried again and again; nothing is lost in Defender, and everything since is taken then.',
    '解消するまで、このお客様の新しいアラートも既存アラートの変化も把握できません。再試行は続けており、Defender 上のアラートは失われず、回復後にすべて取り込みます。',
  ),
  behind: bilingual(
    'There is more to read than could be read so far; what is read is worked on. Look whether Defender throttles this tenant, or whether its number of alerts is unusual.',
    '未取得のアラートが残っています。取得済みのものは処理しています。Defender による制限、またはアラート数の急増を確認してください。',
  ),
  well: bilingual('Everything that was changed meanwhile has been taken.', 'この間の変更はすべて取り込みました。'),
  rejected: bilingual(
    'They were not understood, belong to another tenant, their incident was stopped, or taking them in failed again and again. They are kept whole, are shown by the API, and are tried again: when the software is updated, the customers file changed or the incident set going, and what fails ever less often. Until then nobody judges them unless an analyst looks.',
    '内容を解釈できない、別テナントのもの、インシデントが停止している、または取り込みに繰り返し失敗したアラートです。全文を保管し API で参照できます。ソフトウェア更新時、お客様設定ファイルの変更時、インシデント再開時に再試行し、失敗したものは間隔を空けて再試行しますが、取り込まれるまではアナリストが確認する必要があります。',
  ),
};

export const feedLabels = {
  customer: bilingual('Customer', 'お客様'),
  since: bilingual('Since', '発生時刻'),
  error: bilingual('Last failure', '直近のエラー'),
  meaning: bilingual('Meaning', '意味'),
  count: bilingual('How many', '件数'),
  shownAt: bilingual('Shown by', '参照先'),
};
