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
    'They were not understood, belong to another tenant, or their incident was stopped. They are kept whole, are shown by the API, and are tried again when the software is updated or the incident set going; until then nobody judges them unless an analyst looks.',
    '内容を解釈できない、別テナントのもの、またはインシデントが停止しているアラートです。全文を保管し API で参照できます。ソフトウェア更新時またはインシデント再開時に再試行しますが、それまではアナリストが確認する必要があります。',
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

/** Entra's and Defender's refusals in words that an engineer can act on. */
export function refusalWords(code: string): Bilingual | undefined {
  return Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
}

const CONSENT = bilingual(
  'This tenant has not consented to our application, or the consent was taken back: the customer’s administrator has to open the consent link.',
  'このテナントで本サービスのアプリケーションが同意されていないか、同意が取り消されています。お客様の管理者が同意リンクから承認する必要があります。',
);

const REFUSALS: Readonly<Record<string, Bilingual>> = {
  AADSTS7000215: bilingual(
    'Our application’s secret is wrong: set DEFENDER_CLIENT_SECRET to the secret’s value (not its id).',
    'アプリケーションのシークレットが正しくありません。DEFENDER_CLIENT_SECRET にシークレットの値 (ID ではなく) を設定してください。',
  ),
  AADSTS7000222: bilingual(
    'Our application’s secret has expired: make a new one and set DEFENDER_CLIENT_SECRET.',
    'アプリケーションのシークレットの有効期限が切れています。新しいシークレットを発行し DEFENDER_CLIENT_SECRET に設定してください。',
  ),
  AADSTS700016: CONSENT,
  AADSTS7000229: CONSENT,
  AADSTS500011: CONSENT,
  AADSTS90002: bilingual(
    'There is no tenant of this id: look at the customer’s entry in the customers file.',
    'このテナント ID は存在しません。お客様設定ファイルを確認してください。',
  ),
  forbidden: bilingual(
    'The tenant lets our application in without the permission to read alerts (Alert.Read.All): the customer’s administrator has to consent to it.',
    'アラートの読み取り権限 (Alert.Read.All) がありません。お客様の管理者による同意が必要です。',
  ),
  Forbidden: bilingual(
    'The tenant lets our application in without the permission to read alerts (Alert.Read.All): the customer’s administrator has to consent to it.',
    'アラートの読み取り権限 (Alert.Read.All) がありません。お客様の管理者による同意が必要です。',
  ),
  throttled: bilingual(
    'Defender wants no more calls for this tenant for a while: something else may be using up its limit.',
    'Defender がこのテナントの API 呼び出しを制限しています。他の利用により上限に達している可能性があります。',
  ),
};
