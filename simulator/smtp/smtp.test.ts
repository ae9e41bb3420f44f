import assert from 'node:assert/strict';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { z } from 'zod';
import { Bench, listOf } from '../testing.js';

const mailSchema = z.object({
  from: z.string(),
  to: z.array(z.string()),
  cc: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  headers: z.record(z.string(), z.string()),
  raw: z.string(),
  envelope: z.object({ from: z.string(), to: z.array(z.string()) }),
});
const requestSchema = z.object({ method: z.string(), path: z.string(), status: z.number().nullable() });
const failureSchema = z.object({ code: z.string(), responseCode: z.number().optional() });

const mail: SendMailOptions = {
  from: '"SOC" <soc@mimamori.example>',
  to: '佐藤 <security@acme.example>',
  cc: 'boss@acme.example',
  subject: '【重要】端末をネットワークから隔離しました',
  text: '本文\n二行目',
  html: '<p>本文</p>',
  headers: { 'X-Mimamori-Kind': 'primary', 'X-Words': '隔離の結果をお知らせします。'.repeat(5) },
};

describe('SMTP', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));

  const sendMail = async (changes: SendMailOptions = {}, url = bench.simulator.smtpUrl) => {
    const transport = nodemailer.createTransport(url);
    try {
      return await transport.sendMail({ ...mail, ...changes });
    } finally {
      transport.close();
    }
  };

  const failure = async () =>
    sendMail().then(
      () => assert.fail('The mail was taken.'),
      (error: unknown) => failureSchema.parse(error),
    );

  const mails = async () => (await bench.control('GET', '/mails')).json(listOf(mailSchema)).items;
  const requests = async () => (await bench.control('GET', '/requests?target=smtp')).json(listOf(requestSchema)).items;

  it('keeps a mail, read as its reader would', async () => {
    await sendMail();
    const [kept] = await mails();
    assert.equal(kept?.from, 'soc@mimamori.example');
    assert.deepEqual(kept.to, ['security@acme.example']);
    assert.deepEqual(kept.cc, ['boss@acme.example']);
    assert.deepEqual(kept.envelope.to, ['security@acme.example', 'boss@acme.example']);
    assert.equal(kept.subject, mail.subject);
    assert.equal(kept.text, '本文\n二行目');
    assert.equal(kept.html, '<p>本文</p>');
    assert.equal(kept.headers['x-mimamori-kind'], 'primary');
    assert.equal(kept.headers['x-words'], '隔離の結果をお知らせします。'.repeat(5));
    assert.match(kept.raw, /^X-Mimamori-Kind: primary\r$/m);
    assert.deepEqual(await requests(), [
      { method: 'DATA', path: 'security@acme.example,boss@acme.example', status: 250 },
    ]);
  });

  it('lets anybody sign in', async () => {
    await sendMail({}, bench.simulator.smtpUrl.replace('//', '//user:password@'));
    assert.equal((await mails()).length, 1);
  });

  it('refuses one recipient at RCPT and serves the other', async () => {
    await bench.control('PUT', '/mailboxes/Boss@acme.example', { rejects: 550, message: 'No such user' });
    const sent = await sendMail();
    assert.deepEqual(sent.rejected, ['boss@acme.example']);
    assert.deepEqual((await mails())[0]?.envelope.to, ['security@acme.example']);
    assert.deepEqual((await requests())[0], { method: 'RCPT', path: 'boss@acme.example', status: 550 });

    await bench.control('PUT', '/mailboxes/boss@acme.example', { rejects: null });
    assert.deepEqual((await sendMail()).rejected, []);
  });

  for (const status of [451, 554]) {
    it(`answers ${status} at the end of DATA where that was asked for, and keeps nothing`, async () => {
      await bench.control('POST', '/faults', { target: 'smtp', times: 1, status });
      assert.equal((await failure()).responseCode, status);
      assert.equal((await mails()).length, 0);
      assert.equal((await requests())[0]?.status, status);
      await sendMail();
      assert.equal((await mails()).length, 1);
    });
  }

  it('cuts the connection after the mail was kept', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', times: 1, dropAfterAccept: true });
    assert.equal((await failure()).responseCode, undefined);
    assert.equal((await mails()).length, 1);
    assert.equal((await requests())[0]?.status, null);
  });

  it('cuts the connection before anything is kept, for the recipients named', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', times: 1, path: 'security@acme.example' });
    await sendMail({ to: 'other@acme.example' });
    assert.equal((await failure()).responseCode, undefined);
    assert.deepEqual(
      (await mails()).map((kept) => kept.to),
      [['other@acme.example']],
    );
  });

  it('answers late', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', times: 1, delayMs: 200 });
    const startedMs = performance.now();
    await sendMail();
    assert.ok(performance.now() - startedMs >= 190);
  });
});
