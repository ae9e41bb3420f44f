import assert from 'node:assert/strict';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import PostalMime, { type Email } from 'postal-mime';
import { Bench } from '../testing.js';
import { Clients, folders, put } from './testing.js';

describe('mail into the mailbox', () => {
  let bench: Bench;
  let clients: Clients;

  before(async () => {
    bench = await Bench.start({ mailboxAddress: 'Answers@mimamori.example' });
    clients = new Clients(bench);
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));
  afterEach(() => clients.closeAll());

  const source = async (uid: number): Promise<Buffer> => {
    const client = await clients.inInbox();
    const message = await client.fetchOne(String(uid), { source: true }, { uid: true });
    return (message !== false && message.source) || assert.fail('no mail');
  };

  const read = async (uid: number): Promise<Email & { header: (name: string) => string | undefined }> => {
    const email = await PostalMime.parse(await source(uid));
    return { ...email, header: (name) => email.headers.find(({ key }) => key === name)?.value };
  };

  const sendBySmtp = async (mail: SendMailOptions) => {
    const transport = nodemailer.createTransport(bench.simulator.smtpUrl);
    await transport.sendMail({ from: 'soc@mimamori.example', subject: 'Sent', text: 'Text', ...mail });
    transport.close();
  };

  it('arrives by SMTP where it is for the mailbox, also with a plus part', async () => {
    const raw = Buffer.from('Subject: 8 bit\r\nMessage-ID: <m@x>\r\n\r\n\xe9\x80\r\n.dot\r\n', 'latin1');
    const to = ['ANSWERS+Case-7@mimamori.example', 'other@mimamori.example', 'answers@mimamori.example'];
    await sendBySmtp({ envelope: { from: 'bounce@acme.example', to }, raw });
    await sendBySmtp({ to: 'other@mimamori.example' });
    assert.equal((await folders(bench))['INBOX']?.length, 1);
    const top = `Return-Path: <bounce@acme.example>\r\nDelivered-To: ${to[0]}\r\nDelivered-To: ${to[2]}\r\n`;
    assert.deepEqual(await source(1), Buffer.concat([Buffer.from(top), raw]));
  });

  it('is composed, with what the server found out about it on top', async () => {
    const { messageId, uid } = await put(bench, {
      from: '佐藤 <sato@acme.example>',
      cc: ['boss@acme.example'],
      subject: '解除をお願いします',
      text: '本文',
      html: '<p>本文</p>',
      messageId: '<one@acme.example>',
      inReplyTo: '<zero@mimamori.example>',
      references: ['<a@x>', '<zero@mimamori.example>'],
      headers: { 'Auto-Submitted': 'auto-replied' },
      attachments: [
        { filename: '証跡.txt', contentType: 'text/plain', base64: Buffer.from('data').toString('base64') },
      ],
    });
    const mail = await read(uid);
    assert.deepEqual([messageId, mail.messageId], ['<one@acme.example>', '<one@acme.example>']);
    assert.deepEqual(mail.to, [{ name: '', address: 'Answers@mimamori.example' }]);
    assert.deepEqual(
      [mail.subject, mail.text?.trim(), mail.html?.trim()],
      ['解除をお願いします', '本文', '<p>本文</p>'],
    );
    assert.deepEqual([mail.inReplyTo, mail.references], ['<zero@mimamori.example>', '<a@x> <zero@mimamori.example>']);
    assert.equal(mail.header('auto-submitted'), 'auto-replied');
    assert.equal(mail.attachments[0]?.filename, '証跡.txt');
    assert.equal(
      mail.header('authentication-results'),
      'mx.mimamori.example; spf=pass smtp.mailfrom=sato@acme.example; dkim=pass header.d=acme.example; dmarc=pass header.from=acme.example',
    );
    assert.equal(mail.headers[0]?.key, 'authentication-results');
    const forged = await read((await put(bench, { authenticated: false })).uid);
    assert.match(forged.header('authentication-results') ?? '', /dmarc=fail/);
  });

  it('answers a mail as a mail program does', async () => {
    await sendBySmtp({
      to: 'sato@acme.example',
      replyTo: 'answers+t0ken@mimamori.example',
      subject: '【重要】隔離しました',
      text: 'Line one\n\nLine two',
      messageId: '<sent@mimamori.example>',
      references: '<first@mimamori.example>',
    });
    const { uid } = await put(bench, { subject: undefined, text: 'はい', replyTo: '<sent@mimamori.example>' });
    const mail = await read(uid);
    assert.deepEqual(mail.to?.[0]?.address, 'answers+t0ken@mimamori.example');
    assert.equal(mail.subject, 'Re: 【重要】隔離しました');
    assert.equal(mail.inReplyTo, '<sent@mimamori.example>');
    assert.equal(mail.references, '<first@mimamori.example> <sent@mimamori.example>');
    assert.match(mail.text ?? '', /^はい\n\nOn .* wrote:\n> Line one\n> \n> Line two/);
  });

  it('is taken as it is, too', async () => {
    const { messageId, uid } = await put(bench, { raw: 'Message-ID: <r@x>\nSubject: raw\n\nText\n' });
    assert.equal(messageId, '<r@x>');
    assert.equal((await source(uid)).toString(), 'Message-ID: <r@x>\r\nSubject: raw\r\n\r\nText\r\n');
  });

  it('says what it cannot make a mail of', async () => {
    for (const [body, path] of [
      [{ subject: 'From nobody' }, 'from'],
      [{ from: 'a@b.example', replyTo: '<none@x>' }, 'replyTo'],
      [{ from: 'a@b.example', attachment: [] }, 'attachment'],
      [{ rawBase64: '***' }, 'rawBase64'],
    ] as const) {
      const answer = await bench.control('POST', '/mails', body);
      assert.equal(answer.status, 422);
      assert.ok(answer.text.includes(`"path":"${path}"`), answer.text);
    }
  });
});
