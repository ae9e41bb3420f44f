import type { Language } from '../../src/domain/text.js';

/** What analysts and customers of the gallery write. */
export interface Texts {
  title: string;
  devices: readonly [string, string, string];
  detection: string;
  analysis: string;
  countermeasures: string;
  question: string;
  allClear: string;
  proposal: { what: string; why: string };
  more: string;
  moreCountermeasures: string;
  inquiry: string;
  answer: string;
  productInquiry: string;
  remark: string;
  reason: string;
  instruction: string;
  tooBroad: string;
}

export const texts: Readonly<Record<Language, Texts>> = {
  ja: {
    title: 'Suspicious PowerShell command line',
    devices: ['ACM-PC-0142', 'ACM-PC-0178', 'ACM-PC-0203'],
    detection:
      '12:03 頃、ACM-PC-0142 において、メールの添付ファイル (請求書_1124.zip) から起動した PowerShell が、難読化されたコマンドを実行しました。\n同じコマンドが 12:11 に ACM-PC-0178 でも実行されています。',
    analysis:
      'コマンドは外部サーバー (203.0.113.45) から実行ファイルをダウンロードし、スタートアップに登録するものです。両端末で同じファイル (SHA-256: 9f2c…41ab) の作成と、同サーバーへの通信を確認しました。\n業務上の操作である可能性は低く、マルウェアの感染が広がっていると判断しています。',
    countermeasures:
      '1. 隔離中の端末の電源は切らず、そのままの状態で保管してください (調査に必要な情報が失われます)。\n2. 対象端末の利用者のパスワードを、別の端末から変更してください。\n3. 件名「請求書送付のご案内」のメールを受信された方がほかにいらっしゃらないか、ご確認ください。\n4. プロキシまたはファイアウォールで、203.0.113.45 への通信を遮断してください。',
    question:
      '11月24日 12:00 頃、ACM-PC-0142 の利用者が「請求書_1124.zip」を開いたかどうか、また業務で PowerShell を使用されるかどうかをご確認ください。',
    allClear:
      'ファイルとコマンドを詳しく分析した結果、貴社の資産管理ツールの更新処理であることを確認しました。外部への不審な通信はありません。',
    proposal: {
      what: 'ファイル名「assetmgr_update.ps1」、フォルダー「C:\\Program Files\\AssetMgr\\」の実行',
      why: '貴社の資産管理ツールの更新と思われ、今後も同じ検知が繰り返されるため。',
    },
    more: '隔離した端末のメモリーを分析し、ダウンロードされたファイルが情報窃取型のマルウェアであることを確認しました。ブラウザーに保存されたパスワードが外部に送信された可能性があります。',
    moreCountermeasures: '対象端末のブラウザーに保存されていたすべてのパスワードを変更してください。',
    inquiry:
      'お世話になっております。アクメの佐藤です。\n隔離された端末の利用者が、社内のファイルサーバーにアクセスしていました。\nファイルサーバーも確認したほうがよいでしょうか。',
    answer:
      'ファイルサーバー (ACM-FS-01) についても、過去7日間のログを確認いたしました。不審なファイルの作成・実行、および外部への通信はありませんでした。\n念のため、共有フォルダーに見覚えのない実行ファイルがないか、貴社でもご確認ください。',
    productInquiry: 'Defender の「自動調査」の設定画面が開けません。ライセンスの問題でしょうか。',
    remark: '本件アラートの監視・分析には影響ございません。',
    reason: 'バックアップソフトの正規の動作のため',
    instruction: '端末の初期化が完了しましたので、隔離の解除をお願いします。',
    tooBroad: '条件が広く、攻撃による実行も検知できなくなるおそれがあるため',
  },
  en: {
    title: 'Suspicious PowerShell command line',
    devices: ['glx-lap-0142', 'glx-lap-0178', 'glx-lap-0203'],
    detection:
      'At about 03:03, PowerShell was started on glx-lap-0142 from a mail attachment (invoice_1124.zip) and ran an obfuscated command.\nThe same command ran on glx-lap-0178 at 03:11.',
    analysis:
      'The command downloads a program from 203.0.113.45 and has it started at every sign-in. On both devices we found the same file (SHA-256: 9f2c…41ab) and connections to that server.\nThis is unlikely to be anybody’s work: we conclude that malware is spreading.',
    countermeasures:
      '1. Please leave the isolated devices switched on and as they are: what the investigation needs would be lost.\n2. Please change the passwords of the people who use them, from another device.\n3. Please find out who else has received the mail with the subject “Your invoice”.\n4. Please block connections to 203.0.113.45 at your proxy or firewall.',
    question:
      'Did the user of glx-lap-0142 open “invoice_1124.zip” on 24 November at about 03:00, and do they use PowerShell in their work?',
    allClear:
      'Having looked into the file and the command in detail, we know that it was an update of your own asset management. There were no suspicious connections.',
    proposal: {
      what: 'Running “assetmgr_update.ps1” from “C:\\Program Files\\AssetMgr\\”',
      why: 'It appears to be the update of your asset management, and will be detected again each time.',
    },
    more: 'In the memory of the isolated device we found that the downloaded program steals information. Passwords saved in the browser may have been sent out.',
    moreCountermeasures: 'Please change every password that was saved in the browsers of the devices concerned.',
    inquiry:
      'Hello,\nthe user of the isolated laptop had files open on our file server.\nShould we have a look at that as well?\nAlex',
    answer:
      'We have looked through the last seven days of the file server’s (glx-fs-01) logs. No suspicious file was made or run there, and there were no connections to the outside.\nTo be on the safe side, please check the shared folders for programs that nobody knows.',
    productInquiry:
      'We cannot open the settings of “automated investigation” in Defender. Is this a matter of our licence?',
    remark: 'The monitoring and analysis of this alert are not affected.',
    reason: 'Our backup software works like this.',
    instruction: 'We have reinstalled the laptop. Please release it.',
    tooBroad: 'The conditions are so wide that an attack could hide behind them.',
  },
};
