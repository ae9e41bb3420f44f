import { reasonForCustomer } from '../../reasons.js';
import { assertNever } from '../../text.js';
import type { DeviceState } from '../devices.js';
import type { When } from '../when.js';
import type { CustomerWords, PhoneState } from './words.js';

function until(at: string | null, when: When): string {
  return at === null ? '' : ` (${when(at)} まで)`;
}

function device(state: DeviceState, when: When): string {
  switch (state.is) {
    case 'to-be-requested':
      return 'ネットワーク隔離の手続きを進めています。現時点では隔離されていません。';
    case 'being-verified':
      return '対象の端末を確認しています。現時点では隔離されていません。';
    case 'requested':
      return `ネットワーク隔離を要求しました (${when(state.at)})。隔離の完了はまだ確認できていません。結果は改めてご連絡いたします。`;
    case 'isolated':
      return `${when(state.since)} からネットワーク隔離中です。`;
    case 'released-elsewhere':
      return `${when(state.at)} に、Defender の管理画面など本サービス以外の操作によりネットワーク隔離が解除されました。現在は隔離されていません。`;
    case 'waived-tuning':
      return `ホワイトリストチューニング期間中${until(state.until, when)} のため、ネットワーク隔離は実施していません。`;
    case 'server-left':
      return 'サーバーのため、アナリストの判断によりネットワーク隔離は実施していません。';
    case 'failed':
      return `ネットワーク隔離ができませんでした。理由: ${reasonForCustomer(state.reason).ja}。この端末はネットワークに接続されたままの可能性があります。`;
    case 'cancelling':
      return '隔離の完了を確認できていないため、隔離要求の取り消しを進めています。';
    case 'cancelled':
      return `隔離要求は取り消されました。隔離されていません。理由: ${reasonForCustomer(state.reason).ja}。`;
    case 'cancelled-tuning':
      return `ホワイトリストチューニング期間${until(state.until, when)} に入ったため、隔離要求を取り消しました。隔離されていません。`;
    case 'releasing':
      return `${when(state.since)} からネットワーク隔離中です。ご指示に基づき、隔離の解除を進めています。`;
    case 'released':
      return `${when(state.at)} にネットワーク隔離を解除しました。`;
    case 'held':
      return state.by.length === 0
        ? '別のインシデントで引き続き隔離が必要なため、まだ隔離されています。'
        : `お客様の別のインシデント (${state.by.join('、')}) で引き続き隔離が必要なため、まだ隔離されています。解除をご希望の場合は、そちらのインシデントについてもご指示ください。`;
    case 'still-requested':
      return `お客様の別のインシデント${state.by.length === 0 ? '' : ` (${state.by.join('、')})`} で隔離が必要なため、隔離の要求を継続しています。隔離を希望されない場合は、そちらのインシデントについてもご指示ください。`;
    case 'release-failed':
      return `ネットワーク隔離を解除できませんでした。引き続き隔離されています。理由: ${reasonForCustomer(state.reason).ja}。アナリストが対応いたします。`;
    case 'release-cancelled-request':
      return '隔離される前に要求を取り消しました。この端末は隔離されていません。';
    case 'was-not-isolated':
      return 'この端末は隔離されていなかったため、解除の必要はありませんでした。';
    default:
      return assertNever(state);
  }
}

function phone(state: PhoneState, when: When): string {
  switch (state.is) {
    case 'to-be-rung':
      return '脅威レベル4のため、ご登録の連絡先へ順にお電話でもご連絡いたします。';
    case 'ringing':
      return '脅威レベル4のため、ご登録の連絡先へ順にお電話でもご連絡しています。';
    case 'acknowledged':
      return `${when(state.at)} に${state.by === null ? '' : ` ${state.by} 様に`}お電話でご確認いただきました。`;
    case 'unanswered':
      return 'ご登録の連絡先へお電話いたしましたが、ご確認をいただけませんでした。';
    case 'no-contact':
      return '電話連絡先のご登録がないため、お電話でのご連絡ができませんでした。';
    default:
      return assertNever(state);
  }
}

export const ja: CustomerWords = {
  language: 'ja',
  service: '見守り',
  titles: {
    primary: '一次エスカレーション',
    secondary: '二次エスカレーション',
    'isolation-result': '二次エスカレーション: ネットワーク隔離の結果',
    'release-result': '隔離解除の結果',
    reminder: 'ご回答・ご指示のお願い',
    'inquiry-answer': 'お問い合わせへの回答',
    'inquiry-referral': '製品サポート窓口のご案内',
    'exclusion-confirmed': 'ホワイトリスト追加登録の完了',
    'exclusion-reminder': 'ホワイトリスト登録の有効期限',
    'exclusion-ended': 'ホワイトリスト登録の終了・見送り',
  },
  greeting: (customer) =>
    `${customer} 御中\n\n平素よりお世話になっております。見守り SOC (セキュリティ監視センター) です。`,
  label: {
    reference: 'インシデント番号',
    alert: 'アラート',
    detectedAt: '検知日時',
    severity: '危険度 (Severity)',
    devices: '対象端末',
    level: '脅威レベル',
    judgement: '検知の正否',
    instructor: 'ご指示いただいた方',
    instructedAt: 'ご指示の受付日時',
    channel: '受付方法',
    calledBackAt: '折り返しのお電話による確認',
    supportName: '窓口',
    supportMail: 'メール',
    supportPhone: '電話番号',
    supportUrl: 'ウェブサイト',
    supportNote: '備考',
    inquiryReference: '受付番号',
    inquiryAt: 'お問い合わせの受信日時',
    proposedWhat: '登録内容',
    proposedWhy: '理由',
  },
  heading: {
    facts: '検知の概要',
    question: 'お客様へのご確認事項',
    releaseQuestion: '隔離解除のご確認',
    disconnect: 'ネットワークからの切り離しのお願い',
    isolation: 'ネットワーク隔離の状況',
    phone: 'お電話でのご連絡',
    detection: '検知内容',
    analysis: '分析結果',
    countermeasures: '推奨対策案',
    message: '追加のご連絡',
    linked: '関連するアラート',
    proposal: 'ホワイトリスト追加登録のご提案 (打診)',
    instruction: '承った隔離解除のご指示',
    release: '隔離の解除について',
    answer: '回答',
    referral: '製品サポート窓口',
    remark: '補足',
    yourWords: 'いただいたお問い合わせ',
    inquiry: 'ご返信・お問い合わせについて',
  },
  level: {
    4: 'レベル4 (複数の端末に感染が広がっていると強く疑われるイベント)',
    3: 'レベル3 (1つの端末でマルウェアの感染が強く疑われるイベント)',
    2: 'レベル2 (SOCでは安全であるか判断できないイベント)',
    1: 'レベル1 (分析で問題なしと判断できたイベント)',
  },
  judgement: { 'true-positive': '正検知', 'false-positive': '誤検知', undetermined: '判断不可' },
  changed: (from, to) => `${to}、変更前: ${from}`,
  unchanged: (value) => `${value} ※変更なし`,
  unknown: '不明',
  none: 'アラートに端末の指定なし',
  channel: { mail: 'メール', phone: 'お電話', portal: 'ポータル' },
  device,
  phone,
  noIsolation: '脅威レベル2のため、ネットワーク隔離は実施していません。',
  noDeviceNamed: '隔離の対象となる端末が特定できていないため、ネットワーク隔離は実施していません。',
  answerByReply: '本メールへの返信にてご回答くださいますようお願いいたします。',
  askRelease: (devices) =>
    `次の端末はネットワーク隔離されたままです: ${devices.join('、')}\n隔離を解除してよろしいか、本メールへの返信またはお電話にてご指示ください。ご指示をいただくまで、隔離を継続いたします。`,
  askedSince: (text, since) => `${text}\n(${since} にお伺いしました)`,
  isolatedSince: (device, since) => `${device}: ${since} から隔離中`,
  inquiry: {
    answered: 'いただいたお問い合わせについて、下記のとおり回答いたします。',
    noReply: 'ご不明な点がなければ、ご返信は不要です。',
    referred:
      'いただいたお問い合わせは製品 (Microsoft Defender) の仕様・不具合に関する内容のため、製品サポート窓口での対応となります。',
    askThere: 'お手数ですが、下記の製品サポート窓口へお問い合わせください。',
    askUs: '窓口の連絡先がご不明な場合は、本メールへの返信にてお知らせください。',
  },
  askDisconnect: (devices) =>
    `次の端末は、Defender によるネットワーク隔離ができませんでした: ${devices.join('、')}\nLAN ケーブルを抜く、無線 LAN を無効にするなどの方法で、ネットワークから切り離してください。切り離しが難しい場合は、本メールへの返信にてご相談ください。`,
  proposalHow:
    '登録をご希望の場合は、本メールへの返信にてご依頼ください。当社営業日の9時から18時に登録し、登録後にメールの返信でご連絡いたします。ご依頼がない限り、登録はいたしません。',
  releaseHow: (people) =>
    [
      '隔離の解除は、お客様のご判断とご指示をいただいた場合にのみ、24時間365日実施いたします。',
      people.length === 0
        ? 'ご指示いただける方のご登録がまだありません。本メールへの返信にてご相談ください。'
        : `ご指示いただける方: ${people.map((name) => `${name} 様`).join('、')}`,
      '本メールへの返信またはお電話にてご指示ください。お電話の場合は、ご登録の電話番号へ当社から折り返し、ご本人であることを確認いたします。',
    ].join('\n'),
  inquiryHow:
    '本件に関するご質問・ご回答・ご指示は、本メールへの返信にて24時間365日承ります。アナリストがメールで回答いたします。\nご返信の際は、件名を変更せずにお送りください。',
  productHow: (desk) =>
    desk === null
      ? '製品 (Microsoft Defender) の仕様・不具合に関するお問い合わせは、製品サポート窓口へお願いいたします。'
      : `製品 (Microsoft Defender) の仕様・不具合に関するお問い合わせは、製品サポート窓口へお願いいたします: ${desk}`,
  signature: '見守り SOC (セキュリティ監視センター)',
  listOf: (items) => items.join('、'),
  call: {
    announcement: (titles, more) =>
      [
        'こちらは、見守り、セキュリティ監視センターです。',
        '脅威レベル4の、緊急のご連絡です。複数の端末に、感染が広がっていることが強く疑われます。',
        titles.length === 0 ? '' : `アラートは、${titles.join('、')}${more > 0 ? `、ほか${more}件` : ''}、です。`,
        '詳しくは、お送りするメールをご確認ください。',
        'このご連絡を確認された方は、電話機の1を押してください。',
      ].join(''),
    acknowledgement:
      'ご確認、ありがとうございます。詳しい内容は、メールをご覧ください。見守り、セキュリティ監視センターでした。',
  },
};
