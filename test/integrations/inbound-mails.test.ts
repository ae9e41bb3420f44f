import assert from 'node:assert/strict';
import fc from 'fast-check';
import { inboundMailSchema, type InboundMail } from '../../src/domain/customer-mail/mail.js';
import { NO_AUTHSERV_ID } from '../../src/integrations/mail/inbound/authentication.js';
import { parseInbound } from '../../src/integrations/mail/inbound/index.js';
import { base64, bytes, HEAD, mail, multipart, type RawPart } from '../support/raw-mail.js';

const OPTIONS = { ownMessageIdDomain: 'mimamori.example', receivedAt: '2026-11-24T03:00:00.000Z' };

function parts(subtype: string, list: RawPart[], headers: string[] = []): Uint8Array {
  const { header, body } = multipart(subtype, list);
  return mail([header, ...headers], body);
}

function deep(depth: number): Uint8Array {
  const heads = Array.from(
    { length: depth },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
  );
  return bytes(`${HEAD.join('\r\n')}\r\n`, heads.join(''), 'Content-Type: text/plain\r\n\r\ndeep words');
}

const HTML = 'Content-Type: text/html; charset=utf-8';
const BIN = 'Content-Type: application/octet-stream';

/** What a reader would notice; whatever is not named here is not looked at. */
interface Seen {
  newText?: string;
  quotedText?: string;
  subject?: string;
  from?: string | null;
  nature?: InboundMail['nature'];
  notes?: string[];
  files?: string[];
  recipients?: string[];
}

function seen(read: InboundMail): Required<Seen> {
  const { newText, quotedText, subject, from, nature, notes, attachments, recipients } = read;
  return {
    newText,
    quotedText,
    subject,
    from: from?.address ?? null,
    nature,
    notes,
    files: attachments.map(({ name }) => name),
    recipients,
  };
}

const MAILS: [name: string, raw: Uint8Array, expected: Seen][] = [
  ['nothing', new Uint8Array(), { newText: '', from: null, notes: ['no-from', 'no-text'] }],
  ['bytes of no meaning', Uint8Array.of(0, 255, 27, 13, 10, 200), { from: null, nature: 'message' }],
  [
    'text without headers',
    bytes('隔離を解除してください\nよろしく'),
    { newText: '隔離を解除してください\nよろしく', from: null },
  ],
  ['headers only', bytes(HEAD.join('\r\n')), { newText: '', from: 'taro@acme.example', notes: ['no-text'] }],
  ['bare line feeds', bytes(`${HEAD.join('\n')}\n\nHello`), { newText: 'Hello', from: 'taro@acme.example' }],
  [
    "mbox's first line",
    bytes('From taro Tue Nov 24\n', HEAD.join('\n'), '\n\nHello'),
    { newText: 'Hello', from: 'taro@acme.example' },
  ],
  ['multiparts 200 deep, cut off', deep(200), { newText: 'deep words' }],
  [
    'a multipart without a boundary',
    mail(['Content-Type: multipart/mixed'], 'words'),
    { newText: 'words', notes: ['unreadable-part'] },
  ],
  [
    'a multipart without its parts',
    mail(['Content-Type: multipart/mixed; boundary=q'], 'words'),
    { newText: 'words', notes: ['unreadable-part'] },
  ],
  [
    'a part without an empty line',
    mail(['Content-Type: multipart/mixed; boundary=q'], '--q\r\nContent-Type: text/plain\r\n--q\r\n\r\nwords\r\n--q--'),
    { newText: 'words' },
  ],
  [
    'base64 that is cut off',
    mail(['Content-Transfer-Encoding: base64'], base64('Hello there').slice(0, 10)),
    { newText: 'Hello t' },
  ],
  [
    'base64 that is padded in each line',
    mail(['Content-Transfer-Encoding: base64'], 'SGU=\r\nbGxv\r\n'),
    { newText: 'Hello' },
  ],
  [
    'an encoding nobody knows',
    mail(['Content-Transfer-Encoding: x-uuencode'], 'begin 644 a'),
    { newText: 'begin 644 a', notes: ['unreadable-part'] },
  ],
  [
    'a charset nobody knows',
    mail(['Content-Type: text/plain; charset=klingon'], 'こんにちは'),
    { newText: 'こんにちは' },
  ],
  [
    '2,000 parts',
    parts(
      'mixed',
      Array.from({ length: 2_000 }, () => ({ body: 'x' })),
    ),
    { notes: ['too-many-parts'] },
  ],
  [
    "a zip bomb's name",
    parts('mixed', [
      { body: 'see' },
      {
        headers: ['Content-Type: application/zip', 'Content-Disposition: attachment; filename="../../a\u202egpj.exe"'],
        body: 'PK',
      },
    ]),
    { newText: 'see', files: ['.._.._agpj.exe'] },
  ],
  ['two From headers', mail(['From: a@acme.example', 'From: b@evil.example']), { from: null, notes: ['several-from'] }],
  [
    'two senders in one header',
    mail(['From: a@acme.example, b@evil.example']),
    { from: null, notes: ['several-from'] },
  ],
  [
    'two addresses in brackets',
    mail(['From: <a@acme.example><b@evil.example>']),
    { from: null, notes: ['several-from'] },
  ],
  ['a group as sender', mail(['From: Team: a@acme.example;']), { from: null, notes: ['several-from'] }],
  ['an address as a name', mail(['From: "ceo@acme.example" <x@evil.example>']), { from: 'x@evil.example' }],
  [
    'an address as a name without quotes',
    mail(['From: ceo@acme.example <x@evil.example>']),
    { from: 'x@evil.example' },
  ],
  [
    'an address in an encoded name',
    mail(['From: =?utf-8?q?ceo=40acme.example_=3Cceo=40acme.example=3E?= <x@evil.example>']),
    { from: 'x@evil.example' },
  ],
  [
    'an address in an encoded word alone',
    mail(['From: =?utf-8?q?=3Cceo=40acme.example=3E?=']),
    { from: null, notes: ['no-from'] },
  ],
  ['an address in a comment', mail(['From: x@evil.example (ceo@acme.example)']), { from: 'x@evil.example' }],
  ['a name with a comma', mail(['From: Yamada, Taro <Taro@Acme.example>']), { from: 'taro@acme.example' }],
  ['a subject with line breaks in a word', mail([`Subject: =?utf-8?q?a=0D=0ABcc:_x?=`]), { subject: 'a Bcc: x' }],
  [
    'envelope recipients',
    mail([
      'To: a@m.example',
      'Cc: B <b@m.example>',
      'Delivered-To: c@m.example',
      'X-Original-To: d@m.example',
      'Envelope-To: e@m.example',
      'X-Envelope-To: <f@m.example>',
      'Resent-To: g@m.example',
    ]),
    {
      recipients: [
        'a@m.example',
        'b@m.example',
        'g@m.example',
        'c@m.example',
        'd@m.example',
        'e@m.example',
        'f@m.example',
      ],
    },
  ],
  [
    'an alternative',
    parts('alternative', [{ body: 'plain' }, { headers: [HTML], body: '<p>html</p>' }]),
    { newText: 'plain', files: [] },
  ],
  [
    'an alternative with empty text',
    parts('alternative', [{ body: ' ' }, { headers: [HTML], body: '<p>html</p>' }]),
    { newText: 'html' },
  ],
  [
    'HTML with hidden text',
    mail(
      [HTML],
      '<head><title>t</title><style>p{}</style></head><p>Yes</p><span style="font-size:0">No</span><div style="display: none">No</div><script>No</script><!-- No --><p>please&nbsp;&#33;</p>',
    ),
    { newText: 'Yes\nplease !' },
  ],
  [
    "Gmail's HTML",
    mail(
      [HTML],
      '<div dir="ltr">解除してください</div><br><div class="gmail_quote"><div class="gmail_attr">2026年11月24日(火) 12:00 SOC &lt;<a href="mailto:s@m.example">s@m.example</a>&gt;:<br></div><blockquote class="gmail_quote">隔離しました</blockquote></div>',
    ),
    { newText: '解除してください' },
  ],
  [
    "Outlook's HTML",
    mail(
      [HTML],
      '<p class=MsoNormal>Release it.<o:p></o:p></p><div style="border-top:solid #E1E1E1 1.0pt"><p class=MsoNormal><b>From:</b> SOC<br><b>Sent:</b> Tue<br><b>To:</b> Taro<br><b>Subject:</b> alert</p></div><p>We isolated it.</p>',
    ),
    { newText: 'Release it.' },
  ],
  [
    'a link that leads elsewhere',
    mail([HTML], '<a href="https://evil.example/x">https://bank.example</a>'),
    { newText: 'https://bank.example <https://evil.example/x>' },
  ],
  [
    'flowed text',
    mail(['Content-Type: text/plain; format=flowed; delsp=yes'], '隔離を \r\n解除\r\n> 引用 \r\n> 文\r\n'),
    { newText: '隔離を解除', quotedText: '> 引用文' },
  ],
  [
    'encrypted by S/MIME',
    mail(['Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m'], 'x'),
    { notes: ['encrypted', 'no-text'], files: ['smime.p7m'] },
  ],
  [
    'encrypted by PGP',
    parts('encrypted', [
      { headers: ['Content-Type: application/pgp-encrypted'], body: 'Version: 1' },
      { headers: [BIN], body: 'x' },
    ]),
    { notes: ['encrypted', 'no-text'] },
  ],
  [
    'signed',
    parts('signed', [
      { body: 'words' },
      { headers: ['Content-Type: application/pkcs7-signature; name=smime.p7s'], body: 'x' },
    ]),
    { newText: 'words', notes: ['signed'] },
  ],
  [
    'an invitation',
    parts('alternative', [
      { body: 'come' },
      { headers: ['Content-Type: text/calendar; method=REQUEST'], body: 'BEGIN:VCALENDAR' },
    ]),
    { newText: 'come', notes: ['calendar'], files: [] },
  ],
  [
    'a mail inside',
    parts('mixed', [
      { body: 'see' },
      { headers: ['Content-Type: message/rfc822'], body: 'From: x@y.example\r\n\r\ninside' },
    ]),
    { newText: 'see', files: ['message.eml'] },
  ],
  ['out of office', mail(['Auto-Submitted: auto-replied', 'Subject: 自動返信: 不在']), { nature: 'auto-reply' }],
  [
    'a person who writes of 自動返信',
    mail(['Subject: 自動返信の設定について', 'Auto-Submitted: no']),
    { nature: 'message' },
  ],
  ['a person who writes of 配信不能', mail(['Subject: 配信不能の件']), { nature: 'message' }],
  ["Exchange's mark", mail(['X-Auto-Response-Suppress: All']), { nature: 'auto-reply' }],
  ['an empty return path', mail(['Return-Path: <>']), { nature: 'auto-reply' }],
  ['a list', mail(['List-Id: <a.b.example>']), { nature: 'list' }],
  ['bulk', mail(['Precedence: bulk']), { nature: 'list' }],
  ['our own, come back', mail(['Message-ID: <x.y@mimamori.example>']), { nature: 'own' }],
  ['our own by its mark', mail(['X-Mimamori-Kind: primary']), { nature: 'own' }],
  [
    'a read receipt',
    mail(
      ['Content-Type: multipart/report; report-type=disposition-notification; boundary=z'],
      '--z\r\n\r\nread\r\n--z--',
    ),
    { nature: 'read-receipt' },
  ],
  ['a postmaster who is a person', mail(['From: postmaster@acme.example']), { nature: 'message' }],
];

const OUR_ID = '<incident.1@mimamori.example>';
const DSN = parts(
  'report; report-type=delivery-status',
  [
    { body: 'Your mail could not be delivered.' },
    {
      headers: ['Content-Type: message/delivery-status'],
      body: 'Reporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; Taro@acme.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n such user\r\n\r\nFinal-Recipient: rfc822;jiro@acme.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n',
    },
    { headers: ['Content-Type: text/rfc822-headers'], body: `Subject: x\r\nMessage-ID: ${OUR_ID}\r\n` },
  ],
  ['Return-Path: <>'],
);
const BOUNCES: [name: string, raw: Uint8Array, messageId: string, recipients: string[]][] = [
  [
    'RFC 3464',
    DSN,
    OUR_ID,
    ['taro@acme.example failed 5.1.1 550 5.1.1 no such user', 'jiro@acme.example delayed 4.4.1 '],
  ],
  [
    'qmail',
    mail(
      ['From: MAILER-DAEMON@mx.acme.example'],
      `Hi. This is the qmail-send program at mx.acme.example.\nI'm afraid I wasn't able to deliver your message.\n\n<taro@acme.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nMessage-ID: ${OUR_ID}\nTo: other@acme.example\n`,
    ),
    OUR_ID,
    ['taro@acme.example failed 5.1.1 Sorry, no mailbox here by that name. (#5.1.1)'],
  ],
  [
    'Exim',
    mail(
      ['From: Mail Delivery System <Mailer-Daemon@mx.acme.example>', 'X-Failed-Recipients: taro@acme.example'],
      `A message that you sent could not be delivered.\n\n  taro@acme.example\n    host mx [192.0.2.1]\n    550 5.1.1 Unknown user\n\n------ This is a copy of your message\n\nMessage-ID: ${OUR_ID}\n`,
    ),
    OUR_ID,
    ['taro@acme.example failed 5.1.1 host mx [192.0.2.1] 550 5.1.1 Unknown user'],
  ],
  [
    'Exchange, Japanese',
    mail(
      ['From: postmaster@acme.example', 'Return-Path: <>', `In-Reply-To: ${OUR_ID}`],
      "次の受信者またはグループへの配信に失敗しました:\n\ntaro@acme.example<mailto:taro@acme.example>\n入力した電子メール アドレスが見つかりませんでした。\n\n管理者向けの診断情報:\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\n",
    ),
    OUR_ID,
    ['taro@acme.example failed 5.1.10 入力した電子メール アドレスが見つかりませんでした。'],
  ],
];

const AUTH: [name: string, headers: string[], verdict: InboundMail['authentication']['verdict']][] = [
  [
    'DMARC passed',
    ['Authentication-Results: mx.m.example 1; dmarc=pass (p=reject) header.from=acme.example'],
    'authenticated',
  ],
  [
    'folded, with comments',
    ['Authentication-Results: mx.m.example (us);\r\n dkim=pass (2048; x) header.d=acme.example'],
    'authenticated',
  ],
  [
    'SPF of a subdomain',
    ['Authentication-Results: mx.m.example; spf=pass smtp.mailfrom=b@bounce.acme.example'],
    'authenticated',
  ],
  ['DKIM of another domain', ['Authentication-Results: mx.m.example; dkim=pass header.d=evil.example'], 'unknown'],
  [
    'a domain that ends alike',
    ['Authentication-Results: mx.m.example; dkim=pass header.d=evilacme.example'],
    'unknown',
  ],
  ['a whole top-level domain', ['Authentication-Results: mx.m.example; dkim=pass header.d=example'], 'unknown'],
  ['DMARC failed', ['Authentication-Results: mx.m.example; spf=pass smtp.mailfrom=acme.example; dmarc=fail'], 'failed'],
  ["another server's", ['Authentication-Results: mx.evil.example; dmarc=pass'], 'unknown'],
  [
    "the sender's below ours",
    ['Authentication-Results: mx.m.example; dmarc=fail', 'Authentication-Results: mx.m.example; dmarc=pass'],
    'failed',
  ],
  ['a result inside a comment', ['Authentication-Results: mx.m.example; none (; dmarc=pass)'], 'unknown'],
  ['two senders', ['From: a@acme.example, b@x.example', 'Authentication-Results: mx.m.example; dmarc=pass'], 'unknown'],
];

/** As Exchange Online writes it: no authserv-id, folded, and more in comments than in the results. */
function exchange(results: string): string {
  return `Authentication-Results: ${results}`;
}

const PASSED = [
  'spf=pass (sender IP is 192.0.2.25)',
  ' smtp.mailfrom=acme.example; dkim=pass (signature was verified)',
  ' header.d=acme.example;dmarc=pass action=none',
  ' header.from=acme.example;compauth=pass reason=100',
].join('\r\n');
const FORGED = [
  'spf=pass (sender IP is 203.0.113.9)',
  ' smtp.mailfrom=evil.example; dkim=none (message not signed)',
  ' header.d=none;dmarc=fail action=oreject',
  ' header.from=acme.example;compauth=fail reason=000',
].join('\r\n');
const NO_POLICY = [
  'spf=none (sender IP is 203.0.113.9)',
  ' smtp.mailfrom=evil.example; soc.example; dkim=none (message not signed)',
  ' header.d=none;soc.example; dmarc=none action=none',
  ' header.from=acme.example;compauth=fail reason=001',
].join('\r\n');

const AUTH_WITHOUT_ID: typeof AUTH = [
  ['all passed', [exchange(PASSED)], 'authenticated'],
  ['DMARC failed', [exchange(FORGED)], 'failed'],
  ['nothing known of the domain', [exchange(NO_POLICY)], 'unknown'],
  [
    'no policy, but its own signature',
    [
      exchange(
        'spf=pass (sender IP is 192.0.2.25)\r\n smtp.mailfrom=bounces.mailer.example; dkim=pass (signature was verified)\r\n header.d=acme.example;dmarc=bestguesspass action=none\r\n header.from=acme.example;compauth=pass reason=109',
      ),
    ],
    'authenticated',
  ],
  ['a forged one below', [exchange(FORGED), exchange(PASSED)], 'failed'],
  ['a forged one below, of a domain without a policy', [exchange(NO_POLICY), exchange(PASSED)], 'unknown'],
  ['one with a name only', ['Authentication-Results: mx.evil.example; dmarc=pass header.from=acme.example'], 'unknown'],
  [
    'a name that is the word for none',
    ['Authentication-Results: _none; dmarc=pass header.from=acme.example'],
    'unknown',
  ],
  [
    'its own below one with a name',
    ['Authentication-Results: gateway.example; dmarc=pass header.from=acme.example', exchange(FORGED)],
    'failed',
  ],
];

describe('a mail that comes in', () => {
  for (const [name, raw, expected] of MAILS) {
    it(`is read as far as it can be: ${name}`, async () => {
      const read = await parseInbound(raw, OPTIONS);
      assert.equal(inboundMailSchema.safeParse(read).success, true);
      assert.deepEqual({ ...seen(read), ...expected }, seen(read));
    });
  }

  for (const [name, raw, messageId, recipients] of BOUNCES) {
    it(`says who was not reached: ${name}`, async () => {
      const { nature, report } = await parseInbound(raw, OPTIONS);
      assert.equal(nature, 'delivery-report');
      assert.equal(report?.messageId, messageId);
      assert.deepEqual(
        report.recipients.map((one) => `${one.address} ${one.action} ${one.status} ${one.diagnostic}`),
        recipients,
      );
    });
  }

  for (const [name, headers, verdict] of AUTH) {
    it(`is ${verdict} by the server's word: ${name}`, async () => {
      const raw = mail(headers);
      assert.equal(
        (await parseInbound(raw, { ...OPTIONS, authservId: 'mx.m.example' })).authentication.verdict,
        verdict,
      );
      assert.equal((await parseInbound(raw, OPTIONS)).authentication.verdict, 'unknown');
    });
  }

  for (const [name, headers, verdict] of AUTH_WITHOUT_ID) {
    it(`is ${verdict} by a server that writes no name: ${name}`, async () => {
      const raw = mail(headers);
      const { authentication } = await parseInbound(raw, { ...OPTIONS, authservId: NO_AUTHSERV_ID });
      assert.equal(authentication.verdict, verdict);
      const named = await parseInbound(raw, { ...OPTIONS, authservId: 'mx.m.example' });
      assert.equal(named.authentication.verdict, 'unknown');
    });
  }

  it('takes the results of a server that writes no name apart', async () => {
    const raw = mail([exchange(PASSED)]);
    const { authentication } = await parseInbound(raw, { ...OPTIONS, authservId: NO_AUTHSERV_ID });
    assert.deepEqual(authentication, { spf: 'pass', dkim: 'pass', dmarc: 'pass', verdict: 'authenticated' });
  });

  it('has one key however it came, and another with another content', async () => {
    const key = async (raw: Uint8Array): Promise<string> => (await parseInbound(raw, OPTIONS)).key;
    const first = await key(mail(['Received: a'], 'Hello\r\nthere\r\n'));
    assert.equal(await key(mail(['Delivered-To: x@y.example'], 'Hello\nthere\n\n')), first);
    assert.equal(await key(mail(['Content-Transfer-Encoding: base64'], base64('Hello\r\nthere\r\n'))), first);
    assert.notEqual(await key(mail([], 'Hello\r\nhere\r\n')), first);
    assert.notEqual(await key(mail(['Subject: other'], 'Hello\r\nthere\r\n')), first);
  });

  it('is read whatever its bytes are', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...MAILS.filter(([, raw]) => raw.length < 3_000).flatMap(([, raw]) =>
          Buffer.from(raw)
            .toString('latin1')
            .split(/(?<=\n)/),
        ),
      ),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\r\n', '\n\n', '--b1', '--b1--', '=?', '?=', '\x1b$B', '<', '>', '"', '(', ';', ' '),
    );
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(piece, { maxLength: 30 }).map((pieces) => new Uint8Array(Buffer.from(pieces.join(''), 'latin1'))),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (raw) => {
        const read = await parseInbound(raw, { ...OPTIONS, authservId: 'mx.m.example' });
        assert.equal(inboundMailSchema.safeParse(read).success, true);
        assert.ok(!read.notes.includes('unreadable'));
      }),
      { numRuns: 500 },
    );
  });
});
