import assert from 'node:assert/strict';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { z } from 'zod';
import { Bench, listOf, until } from '../testing.js';

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
const failureSchema = z.object({
  code: z.string(),
  responseCode: z.number().optional(),
  command: z.string().optional(),
});

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

  const signedIn = () => bench.simulator.smtpUrl.replace('//', '//user:password@');

  const failure = async () =>
    sendMail({}, signedIn()).then(
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
    await sendMail({}, signedIn());
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

  const stages: [string, string, number][] = [
    ['connect', 'CONN', 421],
    ['auth', 'AUTH PLAIN', 535],
    ['mail', 'MAIL FROM', 550],
    ['rcpt', 'RCPT TO', 452],
  ];
  for (const [stage, command, status] of stages) {
    it(`refuses at ${stage}, then no more`, async () => {
      // Both of its recipients, or the mail would go to the other.
      const times = stage === 'rcpt' ? 2 : 1;
      await bench.control('POST', '/faults', { target: 'smtp', stage, status, times, body: 'Not today' });
      const failed = await failure();
      assert.deepEqual([failed.responseCode, failed.command], [status, command]);
      const refused = (await requests()).map((request) => [request.method, request.status]);
      assert.deepEqual(refused, Array(times).fill([stage.toUpperCase(), status]));
      await sendMail({}, signedIn());
      assert.equal((await mails()).length, 1);
    });
  }

  it('cuts the connection, or lets it wait, before the mail', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', stage: 'mail' });
    assert.equal((await failure()).responseCode, undefined);
    await bench.control('POST', '/faults', { target: 'smtp', stage: 'rcpt', delayMs: 200, path: 'boss@' });
    const startedMs = performance.now();
    await sendMail();
    assert.ok(performance.now() - startedMs >= 190);
    assert.equal((await mails()).length, 1);
  });

  it('refuses connections until that is taken back', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', refuseMs: 60_000 });
    const isRefused = () =>
      sendMail().then(
        () => undefined,
        (error: unknown) => /ECONNREFUSED/.test(String(error)) || undefined,
      );
    await until('a refused connection', isRefused);
    assert.equal((await bench.control('DELETE', '/faults')).status, 204);
    await until('an open door', () =>
      sendMail().then(
        () => true,
        () => undefined,
      ),
    );
  });

  it('answers late', async () => {
    await bench.control('POST', '/faults', { target: 'smtp', times: 1, delayMs: 200 });
    const startedMs = performance.now();
    await sendMail();
    assert.ok(performance.now() - startedMs >= 190);
  });
});
