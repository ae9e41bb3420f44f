import assert from 'node:assert/strict';
import { parseInbound } from '../../src/integrations/mail/inbound/index.js';
import { base64, bytes, HEAD, mail, multipart } from '../support/raw-mail.js';

const OPTIONS = { ownMessageIdDomain: 'mimamori.example', receivedAt: '2026-11-24T03:00:00.000Z' };
const MB = 1_000_000;

function nested(depth: number): Uint8Array {
  let body: Uint8Array = bytes('deep words\r\n');
  const heads: string[] = [];
  for (let at = 0; at < depth; at++) heads.push(`Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`);
  body = bytes(heads.join(''), 'Content-Type: text/plain\r\n\r\n', body);
  return bytes(`${HEAD.join('\r\n')}\r\n`, body);
}

function html(body: string): Uint8Array {
  return mail(['Content-Type: text/html; charset=utf-8'], body);
}

function plain(body: string): Uint8Array {
  return mail(['Content-Type: text/plain; charset=utf-8'], body);
}

const attachment = multipart('mixed', [
  { body: 'See the file.' },
  {
    headers: ['Content-Type: application/octet-stream; name=a.bin', 'Content-Transfer-Encoding: base64'],
    body: base64(Buffer.alloc(18 * MB, 7)),
  },
]);
const many = multipart(
  'mixed',
  Array.from({ length: 10_000 }, (_, at) => ({ headers: ['Content-Type: text/plain'], body: `part ${at}` })),
);

/** A regular expression that looks again and again, or a loop in a loop, takes minutes for these. */
const LARGE: [name: string, raw: () => Uint8Array][] = [
  ['25 MB with an attachment', () => mail([attachment.header], attachment.body)],
  ['25 MB of one line', () => plain('x'.repeat(25 * MB))],
  ['25 MB of line breaks', () => plain('\n'.repeat(25 * MB))],
  [
    '25 MB of line ends and hyphens',
    () => mail(['Content-Type: multipart/mixed; boundary=xx'], '\n--xy'.repeat(5 * MB)),
  ],
  ['25 MB of zeroes', () => new Uint8Array(25 * MB)],
  ['100,000 header lines', () => mail(Array.from({ length: 100_000 }, (_, at) => `X-H${at}: ${at}`))],
  ['100,000 From headers', () => mail(Array.from({ length: 100_000 }, (_, at) => `From: a${at}@b.example`))],
  ['100,000 folded lines', () => mail([`Subject: a${'\r\n b'.repeat(100_000)}`])],
  ['100,000 recipients', () => mail([`To: ${'a@b.example,\r\n '.repeat(100_000)}`])],
  ['10,000 parts', () => mail([many.header], many.body)],
  ['multiparts 10,000 deep', () => nested(10_000)],
  ['quotes 10,000 deep', () => plain(Array.from({ length: 2_000 }, () => `${'>'.repeat(10_000)} x`).join('\n'))],
  ['blockquotes 10,000 deep', () => html('<blockquote>'.repeat(10_000) + 'x<br>'.repeat(10_000))],
  ['100,000 attributions', () => plain('On 1 Nov 2026, at 11:00,\nA wrote:\n'.repeat(30_000))],
  ['100,000 From lines', () => plain('From: a\nSent: b\n'.repeat(60_000))],
  ['tags that never end', () => html('<a '.repeat(MB))],
  ['quotes that never end', () => html('<a =">'.repeat(MB / 2) + "<a ='>")],
  ['links in links', () => html('<a href="http://x.example/y">z'.repeat(100_000) + '</a>'.repeat(100_000))],
  ['hidden things that never end', () => html('<i style="display:none">'.repeat(100_000) + '</b>'.repeat(500_000))],
  ['comments that never end', () => html('<!--'.repeat(MB))],
  ['encoded words that never end', () => mail([`Subject: ${'=?utf-8?q?'.repeat(100_000)}`])],
  [
    'comments in comments',
    () => mail([`From: ${'('.repeat(60_000)} <a@b.example>`, `Content-Type: text/plain ${'('.repeat(60_000)}`]),
  ],
  ['addresses that never end', () => mail([`To: ${'<'.repeat(60_000)}`, `Cc: ${'"'.repeat(60_000)}`])],
];

describe('a large or hostile mail', () => {
  for (const [name, raw] of LARGE) {
    it(`is read in time: ${name}`, async () => {
      const input = raw();
      const start = performance.now();
      await parseInbound(input, OPTIONS);
      const ms = performance.now() - start;
      if (process.env.SHOW_MS !== undefined) process.stdout.write(`${Math.round(ms)} ms ${name}\n`);
      // A machine that is busy may be ten times slower than these were measured on.
      assert.ok(ms < 10_000, `${ms} ms`);
    });
  }
});
