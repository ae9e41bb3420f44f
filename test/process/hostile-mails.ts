import assert from 'node:assert/strict';
import { bounceOf, PASSED, subjectTag, tokenAddress, type Escalated } from '../support/customer-mail.js';
import { MAILBOX_ADDRESS, SERVICE, type Reply, type SimMail } from '../support/house.js';

/** What there is before the mails come. */
export interface Ground {
  acme: Escalated;
  globex: Escalated;
  /** Of acme's, for the report that its mail came back. */
  bounced: Escalated;
  /** Of acme's, and the answer in its inquiry, which comes back. */
  asked: Escalated;
  answer: SimMail;
  /** What the SOC was told of a held mail. */
  notice: SimMail;
  /** Where mails of a conversation of globex's went that has been over for more than 90 days. */
  longOver: string;
}

interface Hostile {
  name: string;
  /** Of POST /sim/mails; a name of its own for each, so that every mail is found again. */
  mails: (ground: Ground, id: string) => Record<string, unknown>[];
  /** Where an analyst finds it, one for each mail: what `placesOf` says. Nowhere for what is nobody's business. */
  ends: string[];
  folder?: 'Attention';
  /** Whether somebody who works for acme alone sees the held mail. */
  isSeenByAcmes?: boolean;
  /** False for what the SOC is not told. */
  isTold?: boolean;
  /** True for what the SOC is told of together with others of its kind. */
  isStrangers?: boolean;
  /** How the mail is found where it has no Message-ID. */
  text?: string;
  also?: (mail: Reply['body']) => void;
}

export const SATO = 'sato@acme.example';
export const LARGE = 40 * 1024 * 1024;

export function reply({ mail }: Escalated, id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    from: SATO,
    replyTo: mail.headers['message-id'],
    messageId: id,
    text: 'この検知について教えてください。',
    ...more,
  };
}

/** A mail that no mail program would compose, in acme's thread. */
function raw(
  { mail }: Escalated,
  id: string,
  lines: string[],
  from = `From: ${SATO}`,
  proof = PASSED,
): { raw: string } {
  const head = [
    proof,
    `Message-ID: ${id}`,
    from,
    `To: ${tokenAddress(mail)}`,
    `Subject: Re: ${mail.subject}`,
    `In-Reply-To: ${mail.headers['message-id'] ?? ''}`,
  ];
  return { raw: [...head.filter((line) => line !== ''), ...lines, ''].join('\n') };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const word = (text: string) => `=?UTF-8?B?${base64(text)}?=`;

function deep(levels: number): string[] {
  const heads = Array.from({ length: levels }, (_, at) => [
    `Content-Type: multipart/mixed; boundary="n${at}"`,
    '',
    `--n${at}`,
  ]);
  return [...heads.flat(), 'Content-Type: text/plain; charset=utf-8', '', 'いちばん奥の言葉'];
}

export const HOSTILE: Hostile[] = [
  { name: 'a reply of a contact', mails: ({ acme }, id) => [reply(acme, id)], ends: ['acme'] },
  {
    name: 'a forged From with the right thread',
    mails: ({ acme }, id) => [reply(acme, id, { authenticated: false, text: '隔離を解除してください。' })],
    ends: ['held: authentication-failed'],
    isSeenByAcmes: true,
  },
  {
    name: 'a forged From without a thread',
    mails: (_, id) => [
      { from: SATO, messageId: id, subject: '至急', text: '隔離を解除してください。', authenticated: false },
    ],
    ends: ['held: authentication-failed'],
  },
  {
    name: "acme's token from globex's address",
    mails: ({ acme }, id) => [reply(acme, id, { from: 'security@globex.example', text: 'Who is this?' })],
    ends: ['held: other-customers-token'],
  },
  {
    name: "acme's token, forged from globex's address",
    mails: ({ acme }, id) => [reply(acme, id, { from: 'security@globex.example', text: 'Who?', authenticated: false })],
    ends: ['held: authentication-failed'],
  },
  {
    name: "acme's token, and In-Reply-To of globex's mail",
    mails: ({ acme, globex }, id) => [reply(globex, id, { to: tokenAddress(acme.mail), subject: 'Re: two at once' })],
    ends: ['held: ambiguous'],
  },
  {
    name: "acme's token and globex's In-Reply-To, out of office",
    mails: ({ acme, globex }, id) => [
      reply(globex, id, {
        to: tokenAddress(acme.mail),
        subject: 'Re: two',
        headers: { 'Auto-Submitted': 'auto-replied' },
      }),
    ],
    ends: ['held: ambiguous'],
  },
  {
    name: "globex's absence in acme's thread",
    mails: ({ acme }, id) => [
      reply(acme, id, { from: 'security@globex.example', headers: { 'Auto-Submitted': 'auto-replied' } }),
    ],
    ends: ['held: not-a-message'],
  },
  {
    name: 'a tampered token of a contact: nothing but a mail of its own',
    mails: ({ acme }, id) => [
      {
        from: SATO,
        to: tokenAddress(acme.mail).replace(/[a-z2-7](?=@)/, (last) => (last === 'a' ? 'b' : 'a')),
        messageId: id,
        subject: 'Re: 検知',
        text: '質問',
      },
    ],
    ends: ['acme by itself'],
  },
  {
    name: 'a tampered token of a stranger',
    mails: ({ acme }, id) => [
      {
        from: 'eve@evil.example',
        to: tokenAddress(acme.mail).replace(/[a-z2-7](?=@)/, (last) => (last === 'a' ? 'b' : 'a')),
        messageId: id,
        subject: 'Re: hello',
        text: 'hi',
      },
    ],
    ends: ['held: unknown-sender'],
    isStrangers: true,
  },
  {
    name: 'the right token of a stranger',
    mails: ({ acme }, id) => [
      { from: 'eve@evil.example', to: tokenAddress(acme.mail), messageId: id, subject: 'Re: hello', text: 'hi' },
    ],
    ends: ['held: not-this-customers-address'],
    isSeenByAcmes: true,
  },
  {
    name: 'headers injected into the subject',
    mails: ({ acme }, id) =>
      [raw(acme, id, ['Content-Type: text/plain', '', 'question'])].map((mail) => ({
        raw: mail.raw.replace(/^Subject: .*$/m, `Subject: ${word('Re: 検知\r\nBcc: eve@evil.example\r\n\r\nbody')}`),
      })),
    ends: ['acme'],
    also: ({ subject }) => assert.doesNotMatch(subject, /[\r\n]/),
  },
  {
    name: 'headers injected into the name',
    mails: ({ acme }, id) => [
      raw(acme, id, ['', 'question'], `From: ${word('佐藤\r\nBcc: eve@evil.example')} <${SATO}>`),
    ],
    ends: ['acme'],
    also: ({ from }) => assert.doesNotMatch(from.name, /[\r\n]/),
  },
  {
    name: 'an address for a name',
    mails: ({ acme }, id) => [raw(acme, id, ['', 'hi'], `From: "${SATO}" <eve@evil.example>`, '')],
    ends: ['held: not-this-customers-address'],
    isSeenByAcmes: true,
  },
  {
    name: 'a bomb by its name',
    mails: ({ acme }, id) => [
      reply(acme, id, {
        attachments: [
          { filename: '../../etc/42.zip', contentType: 'application/zip', base64: base64('PK\u0003\u0004bomb') },
          { filename: 'invoice\u202Efdp.exe', contentType: 'application/pdf', base64: base64('MZ') },
        ],
      }),
    ],
    ends: ['acme'],
    also: ({ attachments }) => {
      assert.deepEqual(
        attachments.map(({ type, sizeBytes }: Reply['body']) => [type, sizeBytes]),
        [
          ['application/zip', 8],
          ['application/pdf', 2],
        ],
      );
      for (const { name } of attachments) assert.doesNotMatch(name, /[\u202e\r\n]/);
    },
  },
  {
    name: 'multiparts a hundred deep',
    mails: ({ acme }, id) => [raw(acme, id, deep(100))],
    ends: ['acme'],
    also: ({ newText }) => assert.equal(newText, 'いちばん奥の言葉'),
  },
  {
    name: 'an empty mail in the thread',
    mails: ({ acme }, id) => [raw(acme, id, [''])],
    ends: ['acme'],
    also: ({ notes }) => assert.deepEqual(notes, ['no-text']),
  },
  {
    name: 'nothing at all',
    mails: () => [{ raw: 'X-Nothing: 1\n\n' }],
    ends: ['held: no-sender'],
    isStrangers: true,
    text: '',
  },
  {
    name: 'out of office, in the thread',
    mails: ({ acme }, id) => [reply(acme, id, { headers: { 'Auto-Submitted': 'auto-replied' } })],
    ends: ['on acme’s record'],
  },
  {
    name: 'out of office of Exchange, in the thread',
    mails: ({ acme }, id) => [reply(acme, id, { headers: { 'X-Auto-Response-Suppress': 'All' } })],
    ends: ['on acme’s record'],
  },
  {
    name: 'out of office of a stranger',
    mails: (_, id) => [
      {
        from: 'eve@evil.example',
        messageId: id,
        subject: 'away',
        text: 'away',
        headers: { 'Auto-Submitted': 'auto-replied' },
      },
    ],
    ends: ['held: not-a-message'],
    isStrangers: true,
  },
  {
    name: 'a read receipt',
    mails: ({ acme }, id) => [
      raw(acme, id, [
        'Content-Type: multipart/report; report-type=disposition-notification; boundary=b',
        '',
        '--b',
        '',
        'read',
        '--b--',
      ]),
    ],
    ends: ['on acme’s record'],
  },
  {
    name: 'a mailing list in the thread',
    mails: ({ acme }, id) => [reply(acme, id, { headers: { 'List-Id': '<all.acme.example>', Precedence: 'list' } })],
    ends: ['on acme’s record'],
  },
  {
    name: 'a mailing list of a stranger',
    mails: (_, id) => [
      {
        from: 'news@shop.example',
        messageId: id,
        subject: 'Sale',
        text: 'buy',
        headers: { 'List-Id': '<news.shop.example>' },
      },
    ],
    ends: ['held: not-a-message'],
    isStrangers: true,
  },
  {
    name: 'the escalation came back',
    mails: ({ bounced }, id) => [{ raw: bounceOf(bounced.mail.headers['message-id'] ?? '', bounced.mail.to, { id }) }],
    ends: [],
  },
  {
    name: 'an answer came back',
    mails: ({ answer }, id) => [{ raw: bounceOf(answer.headers['message-id'] ?? '', [SATO], { id }) }],
    ends: [],
  },
  {
    name: 'a report on a mail that nobody knows',
    mails: (_, id) => [{ raw: bounceOf('<other@elsewhere.example>', ['who@elsewhere.example'], { id }) }],
    ends: ['held: unmatched-report'],
  },
  {
    name: 'a forged report on a mail of ours that there never was',
    mails: (_, id) => [
      { raw: bounceOf('<incident+acme+none.mail+primary@mimamori.example>', ['security@acme.example'], { id }) },
    ],
    ends: ['held: unmatched-report'],
  },
  {
    name: 'a forged report that acme’s mail did not reach globex',
    mails: ({ acme }, id) => [
      {
        raw: bounceOf(acme.mail.headers['message-id'] ?? '', ['security@globex.example'], {
          id,
          from: 'postmaster@globex.example',
        }),
      },
    ],
    ends: [],
  },
  {
    name: 'the token of a conversation that is long over, of an unregistered colleague',
    mails: ({ longOver }, id) => [
      { from: 'new@globex.example', to: longOver, messageId: id, subject: 'Re: last year', text: 'Once more.' },
    ],
    ends: ['held: expired-token'],
  },
  {
    name: 'the token of a conversation that is long over, out of office',
    mails: ({ longOver }, id) => [
      {
        from: 'security@globex.example',
        to: longOver,
        messageId: id,
        subject: 'away',
        text: 'away',
        headers: { 'Auto-Submitted': 'auto-replied' },
      },
    ],
    ends: ['held: expired-token'],
  },
  {
    name: 'the token of a conversation that is long over, of a contact',
    mails: ({ longOver }, id) => [
      { from: 'security@globex.example', to: longOver, messageId: id, subject: 'Re: last year', text: 'A new matter.' },
    ],
    ends: ['globex by itself'],
  },
  {
    name: 'what the SOC was told came back',
    mails: ({ notice }, id) => [{ raw: bounceOf(notice.headers['message-id'] ?? '', [SERVICE.socMailTo], { id }) }],
    ends: [],
  },
  {
    name: 'what the SOC was told came back from where it is forwarded to: no loop',
    mails: ({ notice }, id) => [
      {
        raw: bounceOf(notice.headers['message-id'] ?? '', ['night@duty.example'], {
          id,
          from: 'MAILER-DAEMON@duty.example',
        }),
      },
    ],
    ends: [],
  },
  {
    name: "the SOC's ticket system thanks for its mail: no loop",
    mails: ({ notice }, id) => [
      {
        from: 'noreply@tickets.example',
        messageId: id,
        subject: `Ticket 1: ${notice.subject}`,
        text: 'Thank you.',
        inReplyTo: notice.headers['message-id'],
        headers: { 'Auto-Submitted': 'auto-replied' },
      },
    ],
    ends: [],
  },
  {
    name: "the SOC's ticket system, which does not say that it is one: no loop",
    mails: ({ notice }, id) => [
      {
        from: 'noreply@tickets.example',
        messageId: id,
        subject: `Ticket 2: ${notice.subject}`,
        text: 'Thank you.',
        inReplyTo: notice.headers['message-id'],
      },
    ],
    ends: ['held: unknown-sender'],
    isTold: false,
  },
  {
    name: 'one of our own mails',
    mails: ({ acme }, id) => [reply(acme, id, { from: MAILBOX_ADDRESS, headers: { 'X-Mimamori-Kind': 'secondary' } })],
    ends: [],
  },
  {
    name: 'a customer’s mail that says to be ours',
    mails: ({ acme }, id) => [reply(acme, id, { headers: { 'X-Mimamori-Kind': 'secondary' } })],
    ends: ['acme'],
  },
  {
    name: 'a meeting',
    mails: ({ acme }, id) => [
      raw(acme, id, [
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        '打ち合わせ',
        '--b',
        'Content-Type: text/calendar; method=REQUEST',
        '',
        'BEGIN:VCALENDAR',
        'END:VCALENDAR',
        '--b--',
      ]),
    ],
    ends: ['acme'],
    also: ({ notes }) => assert.deepEqual(notes, ['calendar']),
  },
  {
    name: 'signed by S/MIME',
    mails: ({ acme }, id) => [
      raw(acme, id, [
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        '署名つき',
        '--b',
        'Content-Type: application/pkcs7-signature; name=smime.p7s',
        'Content-Transfer-Encoding: base64',
        '',
        'AAAA',
        '--b--',
      ]),
    ],
    ends: ['acme'],
    also: ({ notes, newText }) => assert.deepEqual([notes, newText], [['signed'], '署名つき']),
  },
  {
    name: 'encrypted by S/MIME',
    mails: ({ acme }, id) => [
      raw(acme, id, [
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
        'Content-Transfer-Encoding: base64',
        '',
        'AAAA',
      ]),
    ],
    ends: ['acme'],
    also: ({ notes }) => assert.ok(notes.includes('encrypted'), notes),
  },
  {
    name: 'two From headers',
    mails: ({ acme }, id) => [raw(acme, id, ['', '隔離を解除してください。'], `From: ${SATO}\nFrom: eve@evil.example`)],
    ends: ['held: no-sender'],
    isSeenByAcmes: true,
  },
  {
    name: 'two addresses in one From',
    mails: ({ acme }, id) => [raw(acme, id, ['', 'hi'], `From: ${SATO}, eve@evil.example`)],
    ends: ['held: no-sender'],
    isSeenByAcmes: true,
  },
  {
    name: 'the same mail twice',
    mails: ({ acme }, id) => [raw(acme, id, ['', 'twice']), raw(acme, id, ['', 'twice'])],
    ends: ['acme'],
  },
  {
    name: 'the same Message-ID with other words',
    mails: ({ acme }, id) => [raw(acme, id, ['', 'first']), raw(acme, id, ['', 'second'])],
    ends: ['acme', 'acme'],
  },
  {
    name: 'no Message-ID',
    mails: ({ acme }) => [
      { raw: raw(acme, '<x@x>', ['', 'without a Message-ID']).raw.replace(/^Message-ID:.*\n/m, '') },
    ],
    ends: ['acme'],
    text: 'without a Message-ID',
  },
  {
    name: 'a token in the subject only',
    mails: ({ acme }, id) => [
      { from: SATO, messageId: id, subject: `質問 ${subjectTag(acme.mail)}`, text: '質問です。' },
    ],
    ends: ['acme'],
  },
  {
    name: 'the right token in the subject, of a stranger',
    mails: ({ acme }, id) => [
      { from: 'eve@evil.example', messageId: id, subject: `hi ${subjectTag(acme.mail)}`, text: 'hi' },
    ],
    ends: ['held: not-this-customers-address'],
    isSeenByAcmes: true,
  },
  {
    name: 'results of the mail server, written by the sender below the failed ones',
    mails: ({ acme }, id) => [
      raw(acme, id, [PASSED, '', '隔離を解除してください。'], `From: ${SATO}`, PASSED.replace('pass', 'fail')),
    ],
    ends: ['held: authentication-failed'],
    isSeenByAcmes: true,
  },
  {
    name: 'results of another mail server',
    mails: ({ acme }, id) => [
      raw(acme, id, ['', 'trust me'], `From: ${SATO}`, PASSED.replace('mx.mimamori', 'mx.evil')),
    ],
    ends: ['acme'],
    also: ({ authentication }) => assert.equal(authentication.verdict, 'unknown'),
  },
  {
    name: 'an unregistered colleague',
    mails: ({ acme }, id) => [reply(acme, id, { from: 'yamada@acme.example' })],
    ends: ['held: not-this-customers-address'],
    isSeenByAcmes: true,
  },
  {
    name: 'a colleague of a registered domain',
    mails: ({ globex }, id) => [reply(globex, id, { from: 'smith@globex.example', text: 'What is this?' })],
    ends: ['globex'],
  },
  {
    name: 'a contact’s own mail',
    mails: (_, id) => [{ from: SATO, messageId: id, subject: '教えてください', text: 'Defender のポータルの使い方' }],
    ends: ['acme by itself'],
  },
  {
    name: 'a colleague of a registered domain, without a thread',
    mails: (_, id) => [{ from: 'smith@globex.example', messageId: id, subject: 'hello', text: 'hello' }],
    ends: ['held: unknown-sender'],
  },
  {
    name: 'a stranger',
    mails: (_, id) => [{ from: 'eve@evil.example', messageId: id, subject: 'hello', text: 'hello' }],
    ends: ['held: unknown-sender'],
    isStrangers: true,
  },
  {
    name: 'Reply-To of somebody else',
    mails: ({ acme }, id) => [
      raw(acme, id, ['Reply-To: eve@evil.example', 'Disposition-Notification-To: eve@evil.example', '', 'answer me']),
    ],
    ends: ['acme'],
  },
  {
    name: 'a page of HTML that calls home',
    mails: ({ acme }, id) => [
      raw(acme, id, [
        'Content-Type: text/html',
        '',
        '<p>words</p><img src="http://evil.example/x.png"><script>alert(1)</script>',
      ]),
    ],
    ends: ['acme'],
    also: ({ newText }) => assert.doesNotMatch(newText, /alert|<img/),
  },
  {
    name: 'a Message-ID like ours',
    mails: ({ acme }) => [reply(acme, '<incident+x.mail+primary@mimamori.example>')],
    ends: ['acme'],
    text: 'この検知について教えてください。',
  },
];
