import type { HeldReason } from '../../customer-mail/place.js';
import { bilingual, type Bilingual } from '../../text.js';

/** What mails to the SOC about the mails of customers say. Every word in both languages. */

type About = 'waiting' | 'lost' | 'held' | 'strangers' | 'trouble' | 'well';

export const inboundTitles: Record<About, Bilingual> = {
  waiting: bilingual('A customer’s mail waits for an answer', 'お客様からのメールが未回答です'),
  lost: bilingual('An answer has not reached the customer', 'お客様への返信が届いていません'),
  held: bilingual('A mail is held and has to be looked at', '受信メールを保留しました。確認が必要です'),
  strangers: bilingual('Mails of strangers are held', '登録のない差出人からのメールを保留しています'),
  trouble: bilingual('The mailbox cannot be read', 'メールボックスを読み取れません'),
  well: bilingual('The mailbox is read again', 'メールボックスの読み取りが回復しました'),
};

export const inboundSubjects: Record<About, Bilingual> = {
  waiting: bilingual('Mail unanswered', 'メール未回答'),
  lost: bilingual('Answer not delivered', '返信不達'),
  held: bilingual('Mail held', '受信メール保留'),
  strangers: bilingual('Strangers’ mails held', '未登録差出人メール保留'),
  trouble: bilingual('Mailbox not read', 'メールボックス読み取り不可'),
  well: bilingual('Mailbox read again', 'メールボックス読み取り回復'),
};

export const inboundLabels = {
  customer: bilingual('Customer', 'お客様'),
  inquiry: bilingual('Inquiry', 'お問い合わせ'),
  reference: bilingual('Reference', '受付番号'),
  held: bilingual('Held as', '保留番号'),
  from: bilingual('From', '差出人'),
  to: bilingual('To', '宛先'),
  subject: bilingual('Subject', '件名'),
  receivedAt: bilingual('Received at', '受信日時'),
  waitingSince: bilingual('Waits since', '受付日時'),
  waiting: bilingual('Waiting for', '経過時間'),
  count: bilingual('How many', '件数'),
  firstAt: bilingual('First received at', '最初の受信日時'),
  shownAt: bilingual('Shown by', '参照先'),
  since: bilingual('Since', '発生時刻'),
  error: bilingual('Last failure', '直近のエラー'),
};

export const inboundHeadings = {
  what: bilingual('What happened', '内容'),
  advice: bilingual('What you can do', '対応方法'),
};

export const noCustomer = bilingual('not known', '不明');
export const noSender = bilingual('none, or more than one', 'なし、または複数');

export const waitingAdvice = bilingual(
  'The customer has been promised an answer by mail at any hour. Open the inquiry, read the mail, and answer it; refer a question about the product itself to its support desk. An instruction in it (to release a device, for example) has to be recorded as one.',
  'お客様には24時間365日メールで回答するとお伝えしています。お問い合わせを開いてメールを確認し、回答してください。製品自体に関するご質問は製品サポート窓口をご案内してください。隔離解除などのご指示が含まれる場合は、ご指示として登録してください。',
);

export const lostAdvice = bilingual(
  'Reach the customer by other means, for they are waiting. Check the registered addresses, then answer the inquiry once more.',
  'お客様は回答をお待ちです。別の手段で連絡し、ご登録のメールアドレスを確認したうえで、お問い合わせに改めて回答してください。',
);

export const strangersWords = {
  what: bilingual(
    'They name no conversation, and nobody whom a customer has registered has sent them. The SOC is mailed of such mails at most once an hour; each of them is listed.',
    'やり取りを特定できず、差出人もどのお客様にも登録されていないメールです。この種のメールの通知は1時間に1通までにまとめていますが、すべて一覧に表示されます。',
  ),
  advice: bilingual(
    'Look through the list. Accept what a customer’s own people may have written, after asking at a registered address; dismiss the rest.',
    '一覧を確認してください。お客様の関係者と思われるものは、ご登録のメールアドレスに確認したうえで受理し、それ以外は対応不要としてください。',
  ),
};

export const heldWords: Record<HeldReason, { what: Bilingual; advice: Bilingual }> = {
  'no-sender': {
    what: bilingual(
      'The mail names no sender, or more than one: nobody can be held to what it says.',
      '差出人の記載がない、または複数あるため、どなたからのメールか特定できません。',
    ),
    advice: bilingual(
      'Look at the mail in the mailbox. If a customer may have written it, ask them at their registered address; otherwise discard it.',
      'メールボックスで原文を確認してください。お客様からの可能性があれば、ご登録のメールアドレスに確認し、そうでなければ破棄してください。',
    ),
  },
  'unknown-sender': {
    what: bilingual(
      'The sender’s address is registered for no customer.',
      '差出人のメールアドレスは、どのお客様にも登録されていません。',
    ),
    advice: bilingual(
      'If it belongs to a customer, assign the mail to the incident by hand, after asking at a registered address; have the address added to the customers file if it will be used again. Otherwise discard it.',
      'お客様の関係者と思われる場合は、ご登録のメールアドレスに確認したうえで、手動でインシデントに割り当ててください。今後も使われる場合は、お客様設定ファイルに追加してください。該当しなければ破棄してください。',
    ),
  },
  'other-customers-token': {
    what: bilingual(
      'The mail refers to an incident of another customer than its sender’s.',
      '差出人とは別のお客様のインシデントを参照しています。',
    ),
    advice: bilingual(
      'Do not answer it in that thread: nothing of one customer may reach another. Find out how the sender came by the reference, and tell whoever is responsible for both customers.',
      'そのスレッドには返信しないでください (お客様の情報を他のお客様にお伝えしてはなりません)。参照番号を知った経緯を確認し、両方のお客様の担当者に連絡してください。',
    ),
  },
  'not-this-customers-address': {
    what: bilingual(
      'The mail answers an incident, but comes from an address that is not registered for its customer.',
      'インシデントへの返信ですが、そのお客様に登録されていないメールアドレスから送信されています。',
    ),
    advice: bilingual(
      'It may have been forwarded to a colleague, or be an attempt to have a device released. Carry out no instruction in it: confirm with a registered contact first, then assign the mail by hand.',
      'お客様の社内で転送された可能性のほか、隔離解除を狙ったなりすましの可能性もあります。記載されたご指示は実施せず、ご登録の連絡先に確認してから、手動で割り当ててください。',
    ),
  },
  'authentication-failed': {
    what: bilingual(
      'The sender could not be proved (SPF, DKIM, DMARC): the address may be forged.',
      '送信元の認証 (SPF、DKIM、DMARC) に失敗しました。差出人のメールアドレスが詐称されている可能性があります。',
    ),
    advice: bilingual(
      'Carry out no instruction in it and open no attachment. Ring the customer at a registered number to ask whether they have written it.',
      '記載されたご指示は実施せず、添付ファイルも開かないでください。ご登録の電話番号へ連絡し、お客様が送信されたものか確認してください。',
    ),
  },
  'expired-token': {
    what: bilingual(
      'The mail answers a conversation that is too old for its reference to be trusted.',
      '古いスレッドへの返信のため、参照番号の有効期限が切れています。',
    ),
    advice: bilingual(
      'See what it is about. If it belongs to an incident that is still known, assign it by hand; otherwise answer that a new inquiry is welcome.',
      '内容を確認し、該当するインシデントがあれば手動で割り当ててください。なければ、改めてお問い合わせいただくようご案内してください。',
    ),
  },
  ambiguous: {
    what: bilingual(
      'The mail can belong to more than one incident or customer.',
      '複数のインシデントまたはお客様に該当する可能性があります。',
    ),
    advice: bilingual(
      'Read it and assign it by hand. Where that cannot be told from it, ask the sender which alert is meant.',
      '内容を確認し、手動で割り当ててください。判断できない場合は、どのアラートの件か差出人に確認してください。',
    ),
  },
  'too-large': {
    what: bilingual(
      'The mail is too large to be taken in; it lies in the mailbox unread.',
      'サイズが大きすぎるため取り込めません。原文はメールボックスに未読のまま残っています。',
    ),
    advice: bilingual(
      'Read it in the mailbox, without opening its attachments, and assign what it says by hand. Ask the customer to send large files another way.',
      '添付ファイルは開かずにメールボックスで内容を確認し、手動で割り当ててください。大きなファイルは別の方法で送っていただくよう、お客様に依頼してください。',
    ),
  },
  unreadable: {
    what: bilingual(
      'The mail could not be read: it is encrypted, damaged, or has no text.',
      '暗号化、破損、本文なしなどの理由で、内容を読み取れません。',
    ),
    advice: bilingual(
      'Look at it in the mailbox. If it cannot be read there either, ask the customer to send it again as plain text.',
      'メールボックスで原文を確認してください。読み取れない場合は、テキスト形式での再送をお客様に依頼してください。',
    ),
  },
  'unmatched-report': {
    what: bilingual(
      'A mail server reports that a mail was not delivered, and does not say which one.',
      'メールの不達通知を受信しましたが、どのメールに対するものか特定できません。',
    ),
    advice: bilingual(
      'Read the report in the mailbox. If it is about a mail of ours, reach that customer by other means, and check the registered addresses.',
      'メールボックスで通知の内容を確認してください。本サービスのメールであれば、別の手段でお客様に連絡し、登録されているメールアドレスを確認してください。',
    ),
  },
  'not-a-message': {
    what: bilingual(
      'A machine or a mailing list has sent the mail, and it belongs to no conversation that is known.',
      '自動応答またはメーリングリストからのメールで、該当するやり取りを特定できません。',
    ),
    advice: bilingual(
      'Usually nothing has to be done. If a customer may have written it, ask them at their registered address.',
      '通常は対応不要です。お客様からの可能性があれば、ご登録のメールアドレスに確認してください。',
    ),
  },
};

export const mailboxMatters: Record<'trouble' | 'well', Bilingual> = {
  trouble: bilingual(
    'What customers write, also instructions to release a device, is not seen meanwhile. It is tried again and again; nothing is lost in the mailbox.',
    'その間、お客様からのメール (隔離解除のご指示を含む) を把握できません。再試行は続けており、メールボックス内のメールは失われません。',
  ),
  well: bilingual(
    'What has come in meanwhile is being taken in now. Its time of receipt is the mail server’s.',
    'この間に届いたメールを取り込んでいます。受信日時はメールサーバーの記録に基づきます。',
  ),
};

export const mailboxAdvice = bilingual(
  'Read the mailbox by hand until this is over. Check its name, password or token, and whether the mail server can be reached from the worker.',
  '回復するまで、メールボックスを手動で確認してください。アカウント、パスワードまたはトークン、およびワーカーからメールサーバーへの接続を確認してください。',
);
