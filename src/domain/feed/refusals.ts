import { bilingual, type Bilingual } from '../text.js';

/*
 * What keeps a feed, by the code that it shows: Entra's and Defender's refusals, and faults of our own, in words that an
 * engineer can act on.
 */

export function refusalWords(code: string): Bilingual {
  return knownRefusal(code) ?? (code.startsWith('AADSTS') ? OF_ENTRA : OTHER);
}

/** Undefined where there are no words for this very code. */
export function knownRefusal(code: string): Bilingual | undefined {
  return Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
}

const OF_ENTRA = bilingual(
  'Microsoft Entra refuses to sign our application in to this tenant: look the code up at https://login.microsoftonline.com/error, and its trace id in the tenant’s sign-in logs.',
  'Microsoft Entra がこのテナントへのサインインを拒否しています。コードを https://login.microsoftonline.com/error で、トレース ID をテナントのサインインログで確認してください。',
);

const OTHER = bilingual(
  'Refused for a reason that we have no words for: the message says what was answered.',
  '既知でない理由で拒否されています。メッセージの応答内容を確認してください。',
);

const CONSENT = bilingual(
  'This tenant has not consented to our application, or the consent was taken back: the customer’s administrator has to open the consent link.',
  'このテナントで本サービスのアプリケーションが同意されていないか、同意が取り消されています。お客様の管理者が同意リンクから承認する必要があります。',
);

const NO_TENANT = bilingual(
  'There is no tenant of this id: look at the customer’s entry in the customers file.',
  'このテナント ID は存在しません。お客様設定ファイルを確認してください。',
);

const NO_PERMISSION = bilingual(
  'The tenant lets our application in without the permission to read alerts (Alert.Read.All): the customer’s administrator has to consent to it.',
  'アラートの読み取り権限 (Alert.Read.All) がありません。お客様の管理者による同意が必要です。',
);

const TOKEN_REFUSED = bilingual(
  'Defender refuses our token, also a fresh one: look whether the customer’s apiBase belongs to the same cloud as the sign-in, and whether the tenant has Defender for Endpoint.',
  'Defender が新しいトークンも受け付けません。お客様設定の apiBase がサインイン先と同じクラウドのものか、テナントで Defender for Endpoint が有効かを確認してください。',
);

const NO_ANSWER = bilingual(
  'No answer, or one that is not Microsoft’s: look at the network and proxies between here and Microsoft, and at Microsoft’s service health. The feed goes on by itself.',
  '応答がないか、Microsoft 以外からの応答です。ネットワークとプロキシ、Microsoft のサービス正常性を確認してください。解消すれば自動で再開します。',
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
  AADSTS700027: bilingual(
    'Our application’s certificate is not registered, has expired, or is not the one of DEFENDER_CLIENT_CERTIFICATE_PATH: register the right one with the application.',
    'アプリケーションの証明書が未登録、期限切れ、または DEFENDER_CLIENT_CERTIFICATE_PATH のものと一致しません。正しい証明書をアプリケーションに登録してください。',
  ),
  AADSTS700016: CONSENT,
  AADSTS7000229: CONSENT,
  AADSTS65001: CONSENT,
  AADSTS500011: bilingual(
    'This tenant has no Defender for Endpoint API to ask for, or has not consented to it: look whether it has a licence, then have its administrator open the consent link.',
    'このテナントに Defender for Endpoint の API がないか、同意されていません。ライセンスを確認し、お客様の管理者に同意リンクから承認していただいてください。',
  ),
  AADSTS53003: bilingual(
    'A conditional access policy of this tenant blocks our application: the customer’s administrator has to exempt it, or to allow the addresses that we come from.',
    'このテナントの条件付きアクセスポリシーにより拒否されています。お客様の管理者による除外設定、または本サービスの接続元アドレスの許可が必要です。',
  ),
  AADSTS90002: NO_TENANT,
  AADSTS900023: NO_TENANT,
  invalid_tenant: NO_TENANT,
  forbidden: NO_PERMISSION,
  Forbidden: NO_PERMISSION,
  unauthorized: TOKEN_REFUSED,
  Unauthorized: TOKEN_REFUSED,
  transient: NO_ANSWER,
  token_endpoint_unavailable: NO_ANSWER,
  internal: bilingual(
    'A fault of our own software, or Temporal cannot be reached: the worker’s log has the rest.',
    '本サービス自体の不具合、または Temporal に接続できない状態です。詳細はワーカーのログを確認してください。',
  ),
  throttled: bilingual(
    'Defender wants no more calls for this tenant for a while: something else may be using up its limit.',
    'Defender がこのテナントの API 呼び出しを制限しています。他の利用により上限に達している可能性があります。',
  ),
};
