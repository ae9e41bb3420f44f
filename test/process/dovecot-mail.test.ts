import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { escalated, inquiryOf, inquiryPath, inquiryWhen, tokenAddress } from '../support/customer-mail.js';
import { startDovecot, type RunningDovecot } from '../support/dovecot.js';
import { House, type SimMail } from '../support/house.js';
import { bytes, encode, multipart, type Body } from '../support/raw-mail.js';
import { startRelay, type Relay } from '../support/relay.js';

const FROM = { acme: 'sato@acme.example', globex: 'security@globex.example' };

interface Row {
  name: string;
  who: keyof typeof FROM;
  /** How the mail program writes the mail around the words. */
  style: (words: string, mail: SimMail) => string;
  /** Beside it, as an alternative. */
  html?: (words: string, mail: SimMail) => string;
  charset: 'ISO-2022-JP' | 'Shift_JIS' | 'UTF-8';
  subject: string;
  words: string;
}

const quoted = ({ text }: SimMail) => text.replace(/^/gm, '> ');
const STYLES = {
  outlookJa: (words: string, mail: SimMail) =>
    `${words}\n\n________________________________\n差出人: Mimamori SOC <mimamori@mimamori.example>\n送信日時: 2026年11月24日 12:00\n宛先: security@acme.example\n件名: ${mail.subject}\n\n${mail.text}`,
  outlookEn: (words: string, mail: SimMail) =>
    `${words}\n\nFrom: Mimamori SOC <mimamori@mimamori.example>\nSent: Tuesday, November 24, 2026 12:00 PM\nTo: security@globex.example\nSubject: ${mail.subject}\n\n${mail.text}`,
  gmailJa: (words: string, mail: SimMail) =>
    `${words}\n\n2026年11月24日(火) 12:00 Mimamori SOC <mimamori@mimamori.example>:\n\n${quoted(mail)}`,
  gmailEn: (words: string, mail: SimMail) =>
    `${words}\n\nOn Tue, Nov 24, 2026 at 12:00 PM Mimamori SOC <mimamori@mimamori.example>\nwrote:\n\n${quoted(mail)}`,
  plain: (words: string, mail: SimMail) => `${words}\n\n${quoted(mail)}`,
};

const ROWS: Row[] = [
  {
    name: 'Outlook in Japanese, ISO-2022-JP with Microsoft’s own characters',
    who: 'acme',
    style: STYLES.outlookJa,
    charset: 'ISO-2022-JP',
    subject: 'Re: 髙橋の端末 ①',
    words: '髙橋の端末です。①この操作は業務によるものです。',
  },
  {
    name: 'Gmail in Japanese, UTF-8',
    who: 'acme',
    style: STYLES.gmailJa,
    charset: 'UTF-8',
    subject: 'Re: 髙橋の端末 ①',
    words: '髙橋の端末です。①いつ検知されましたか。',
  },
  {
    name: 'plain, Shift_JIS',
    who: 'acme',
    style: STYLES.plain,
    charset: 'Shift_JIS',
    subject: 'Re: ①髙橋の端末について',
    words: '①表示されたソフトは、髙橋が業務で使用しています。',
  },
  {
    name: 'Outlook in English, UTF-8',
    who: 'globex',
    style: STYLES.outlookEn,
    charset: 'UTF-8',
    subject: 'Re: alert',
    words: 'Which file was it?',
  },
  {
    name: 'Gmail in English, UTF-8',
    who: 'globex',
    style: STYLES.gmailEn,
    charset: 'UTF-8',
    subject: 'Re: alert',
    words: 'When was it seen – today?',
  },
  {
    name: 'Outlook in Japanese, its HTML beside an empty text',
    who: 'acme',
    style: () => ' ',
    html: (words, mail) =>
      `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0mm;}</style></head><body lang="JA"><div class="WordSection1">${words
        .split('\n')
        .map((line) => `<p class="MsoNormal"><span lang="EN-US">${line}<o:p></o:p></span></p>`)
        .join(
          '',
        )}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0mm 0mm 0mm"><p class="MsoNormal"><b>From:</b> Mimamori SOC &lt;mimamori@mimamori.example&gt;<br><b>Sent:</b> Tuesday, November 24, 2026 12:00 PM<br><b>To:</b> security@acme.example<br><b>Subject:</b> ${mail.subject}</p></div>${mail.html}</div></body></html>`,
    charset: 'ISO-2022-JP',
    subject: 'Re: 髙橋の端末 ①',
    words: '髙橋です。\n①業務で使用しています。',
  },
  {
    name: 'Gmail in English, its text and its HTML',
    who: 'globex',
    style: STYLES.gmailEn,
    html: (words, mail) =>
      `<div dir="ltr">${words}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Tue, Nov 24, 2026 at 12:00 PM Mimamori SOC &lt;<a href="mailto:mimamori@mimamori.example">mimamori@mimamori.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">${mail.html}</blockquote></div>`,
    charset: 'UTF-8',
    subject: 'Re: alert',
    words: 'It is the laptop of our CFO.',
  },
  {
    name: 'Gmail in Japanese, its HTML beside an empty text',
    who: 'acme',
    style: () => '',
    html: (words, mail) =>
      `<div dir="ltr">${words}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">2026年11月24日(火) 12:00 Mimamori SOC &lt;<a href="mailto:mimamori@mimamori.example">mimamori@mimamori.example</a>&gt;:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">${mail.html}</blockquote></div>`,
    charset: 'UTF-8',
    subject: 'Re: 髙橋の端末 ①',
    words: '①髙橋の端末です。',
  },
];

const TO = { 'ISO-2022-JP': 'JIS', Shift_JIS: 'SJIS' } as const;

/** Characters of Microsoft's that standard encoders leave out: as CP50221 and CP932 have them. */
const MICROSOFTS: ReadonlyMap<string, Record<'JIS' | 'SJIS', readonly number[]>> = new Map([
  ['①', { JIS: [0x1b, 0x24, 0x42, 0x2d, 0x21, 0x1b, 0x28, 0x42], SJIS: [0x87, 0x40] }],
  ['髙', { JIS: [0x1b, 0x24, 0x42, 0x7c, 0x62, 0x1b, 0x28, 0x42], SJIS: [0xfb, 0xfc] }],
]);

function coded(text: string, charset: Row['charset']): Body {
  if (charset === 'UTF-8') return text;
  const to = TO[charset];
  const pieces = text.split(/([①髙])/).map((piece) => {
    const own = MICROSOFTS.get(piece);
    return own === undefined ? encode(piece, to) : Uint8Array.from(own[to]);
  });
  return bytes(...pieces);
}

function base64(text: string, charset: Row['charset']): string {
  return Buffer.from(bytes(coded(text, charset)))
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n');
}

describe('through an SMTP server and Dovecot', () => {
  let dovecot: RunningDovecot;
  let relay: Relay;
  let house: House;
  before(async function () {
    this.timeout(60_000);
    dovecot = await startDovecot();
    relay = await startRelay((raw) => dovecot.deliver(raw));
    house = await House.open({ mailbox: true, imapUrl: dovecot.imapUrl });
  });
  after(async () => {
    await house.close();
    await relay.stop();
    await dovecot.stop();
  });

  for (const [index, { name, who, style, html, charset, subject, words }] of ROWS.entries()) {
    it(`${name}: matched, shown with the right words, and answered in the thread`, async () => {
      const { id, mail } = await escalated(house, house.customer(who));
      const messageId = `<reply-${index}@customer.example>`;
      const about = mail.headers['message-id'] ?? '';
      const head = [
        `Message-ID: ${messageId}`,
        `From: ${FROM[who]}`,
        `To: ${tokenAddress(mail)}`,
        `Subject: =?${charset}?B?${base64(subject, charset)}?=`,
        `In-Reply-To: ${about}`,
        `References: ${about}`,
      ];
      const part = (type: string, text: string) => ({
        headers: [`Content-Type: text/${type}; charset=${charset}`, 'Content-Transfer-Encoding: base64'],
        body: `${base64(text, charset)}\r\n`,
      });
      const plain = part('plain', style(words, mail));
      const { header, body } =
        html === undefined
          ? { header: plain.headers.join('\r\n'), body: plain.body }
          : multipart('alternative', [plain, part('html', html(words, mail))]);
      const raw = bytes([...head, header].join('\r\n'), '\r\n\r\n', body);
      await relay.send(raw, { from: FROM[who], to: tokenAddress(mail) });
      const inquiry = await inquiryWhen(house, inquiryOf(id), 'there', ({ mails }) => mails === 1);
      const [shown] = inquiry.conversation;
      assert.deepEqual([shown.newText, shown.subject, shown.messageId], [words, subject, messageId]);
      assert.notEqual(shown.quotedText, '');
      assert.equal(shown.authentication.dmarc, 'pass');
      await house.post(inquiryPath(inquiryOf(id), 'answer'), { text: '回答です。' });
      const reply = await until('answered', async () =>
        (await house.mails(id)).find(({ headers }) => headers['x-mimamori-kind'] === 'inquiry-answer'),
      );
      assert.equal(reply.headers['in-reply-to'], messageId);
      assert.ok(reply.headers['references']?.includes(about));
      assert.ok(reply.to.includes(FROM[who]), reply.to.join());
      await until('moved', async () => {
        const processed = await dovecot.folder('Processed').catch(() => []);
        const inbox = await dovecot.folder('INBOX');
        return processed.some((raw) => raw.includes(messageId)) && inbox.length === 0 ? true : undefined;
      });
    });
  }
});
