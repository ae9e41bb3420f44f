import assert from 'node:assert/strict';
import { parseInbound } from '../../src/integrations/mail/inbound/index.js';
import { base64, bytes, encode, mail, multipart, quotedPrintable } from '../support/raw-mail.js';

const OPTIONS = { ownMessageIdDomain: 'mimamori.example', receivedAt: '2026-11-24T03:00:00.000Z' };
const TEXT = '髙橋です。①隔離を解除してください。';

const CHARSETS: [label: string, raw: Uint8Array][] = [
  ['ISO-2022-JP', encode(TEXT, 'JIS')],
  ['ISO-2022-JP-MS', encode(TEXT, 'JIS')],
  ['CP50220', encode(TEXT, 'JIS')],
  ['cp50221', encode(TEXT, 'JIS')],
  ['CP50222', encode(TEXT, 'JIS')],
  ['Shift_JIS', encode(TEXT, 'SJIS')],
  ['CP932', encode(TEXT, 'SJIS')],
  ['Windows-31J', encode(TEXT, 'SJIS')],
  ['x-sjis', encode(TEXT, 'SJIS')],
  ['EUC-JP', encode(TEXT, 'EUCJP')],
  ['eucJP-ms', encode(TEXT, 'EUCJP')],
  ['UTF-8', bytes(TEXT)],
];

describe('Japanese in a mail that comes in', () => {
  for (const [label, raw] of CHARSETS) {
    const type = `Content-Type: text/plain; charset="${label}"`;
    const bodies: [string, Uint8Array][] = [
      ['as it is', mail([type], raw)],
      ['in base64', mail([type, 'Content-Transfer-Encoding: base64'], base64(raw))],
      ['quoted-printable', mail([type, 'Content-Transfer-Encoding: quoted-printable'], quotedPrintable(raw))],
    ];
    for (const [how, whole] of bodies) {
      it(`is read in the body: ${label}, ${how}`, async () =>
        assert.equal((await parseInbound(whole, OPTIONS)).newText, TEXT));
    }
    const word = (part: Uint8Array): string => `=?${label}?B?${base64(part)}?=`;
    const subjects: [string, string][] = [
      ['one word', `=?${label}?B?${Buffer.from(raw).toString('base64')}?=`],
      ['split in the middle of a character', `${word(raw.subarray(0, 20))}\r\n ${word(raw.subarray(20))}`],
      ['in Q', `=?${label}?Q?${quotedPrintable(raw).replaceAll('=\r\n', '').replaceAll('?', '=3F')}?=`],
    ];
    for (const [how, subject] of subjects) {
      it(`is read in the subject: ${label}, ${how}`, async () =>
        assert.equal((await parseInbound(mail([`Subject: ${subject}`]), OPTIONS)).subject, TEXT));
    }
  }

  for (const [label, raw] of [
    ['JIS', encode(TEXT, 'JIS')],
    ['Shift_JIS', encode(TEXT, 'SJIS')],
    ['EUC-JP', encode(TEXT, 'EUCJP')],
    ['UTF-8', bytes(TEXT)],
  ] as const) {
    it(`is read without any name of an encoding: ${label} in subject, sender, body and file name`, async () => {
      const { header, body } = multipart('mixed', [
        { body: raw },
        { headers: ['Content-Type: text/csv', 'Content-Disposition: attachment; filename*0="x.csv"'], body: 'a,b' },
      ]);
      const head = bytes('Message-ID: <a@b>\r\nSubject: ', raw, '\r\nFrom: "', raw, '" <taro@acme.example>\r\n');
      const read = await parseInbound(bytes(head, header, '\r\n\r\n', body), OPTIONS);
      assert.deepEqual(
        [read.subject, read.from, read.newText],
        [TEXT, { address: 'taro@acme.example', name: TEXT }, TEXT],
      );
    });
  }

  it('is read in half-width katakana by escapes and by shifts', async () => {
    for (const raw of ['\x1b(I123\x1b(B!', '\x0e123\x0f!']) {
      const read = await parseInbound(mail(['Content-Type: text/plain; charset=cp50222'], raw), OPTIONS);
      assert.equal(read.newText, 'ｱｲｳ!');
    }
  });

  for (const [how, disposition] of [
    ['RFC 2231', `attachment; filename*=utf-8''${encodeURIComponent('報告①.xlsx')}`],
    [
      'RFC 2231 in pieces',
      `attachment; filename*0*=utf-8''%E5%A0%B1%E5; filename*1*=%91%8A%E2%91%A0; filename*2=.xlsx`,
    ],
    [
      'encoded words',
      `attachment; filename="=?ISO-2022-JP-MS?B?${Buffer.from(encode('報告①.xlsx', 'JIS')).toString('base64')}?="`,
    ],
  ] as const) {
    it(`is read in a file's name: ${how}`, async () => {
      const { header, body } = multipart('mixed', [
        { body: 'see' },
        { headers: ['Content-Type: application/octet-stream', `Content-Disposition: ${disposition}`], body: 'x' },
      ]);
      assert.equal((await parseInbound(mail([header], body), OPTIONS)).attachments[0]?.name, '報告①.xlsx');
    });
  }
});
