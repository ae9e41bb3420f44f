import assert from 'node:assert/strict';
import { createMailSender, MailError, type MailSender, type OutgoingMail } from '../../src/integrations/mail/sender.js';
import { failure } from './secrets.js';
import { startWorld, until, type World } from './world.js';

const mail: OutgoingMail = {
  messageId: '<incident.acme.1.primary@mimamori.example>',
  to: ['security@acme.example'],
  cc: [],
  subject: '【一次エスカレーション】脅威レベル3 PC-001 で不審な動作を検知',
  text: '検知内容:\n髙橋様の端末で①不審な PowerShell を検知しました。\n',
  html: '<p>髙橋様の端末で<b>不審な PowerShell</b> を検知しました。</p>',
  headers: { 'X-Mimamori-Incident': 'incident:acme:1', 'X-Mimamori-Kind': 'primary' },
};

describe('the mail sender', () => {
  let world: World;
  let sender: MailSender;

  before(async () => {
    world = await startWorld();
    const url = new URL(world.smtpUrl);
    sender = createMailSender({
      smtpUrl: `smtp://mimamori:a-smtp-password@${url.host}`,
      from: '見守り SOC <soc@mimamori.example>',
    });
  });
  after(async () => {
    sender.close();
    await world.stop();
  });
  beforeEach(() => world.reset());

  const mailFailure = (changes: Partial<OutgoingMail>): Promise<MailError> =>
    failure(sender.send({ ...mail, ...changes }), MailError, ['a-smtp-password']);

  it('delivers Japanese as it was written, and says when it was taken', async () => {
    const startedAtMs = Date.now();
    const { acceptedAt, response, rejected } = await sender.send({ ...mail, cc: ['ciso@acme.example'] });
    assert.ok(Date.parse(acceptedAt) >= startedAtMs && Date.parse(acceptedAt) <= Date.now());
    assert.match(response, /^250 /);
    assert.deepEqual(rejected, []);
    const [received] = await world.mails();
    assert.ok(received);
    assert.equal(received.subject, mail.subject);
    assert.equal(received.text.replaceAll('\r\n', '\n').trim(), mail.text.trim());
    assert.equal(received.html.trim(), mail.html);
    assert.deepEqual([received.to, received.cc], [['security@acme.example'], ['ciso@acme.example']]);
    assert.equal(received.headers['from'], '見守り SOC <soc@mimamori.example>');
    assert.equal(received.headers['x-mimamori-incident'], 'incident:acme:1');
  });

  it('writes mails that no machine answers', async () => {
    await sender.send(mail);
    const [received] = await world.mails();
    assert.equal(received?.headers['auto-submitted'], 'auto-generated');
    assert.equal(received.headers['x-auto-response-suppress'], 'All');
    assert.equal(received.headers['x-mailer'], undefined);
  });

  it('has answers and delivery reports sent to the mailbox that is read, and no other', async () => {
    const apart = createMailSender({
      smtpUrl: `smtp://mimamori:a-smtp-password@${new URL(world.smtpUrl).host}`,
      from: '見守り SOC <no-reply@mimamori.example>',
      replyTo: 'SOC <answers@mimamori.example>',
    });
    try {
      await apart.send({ ...mail, cc: ['ciso@acme.example'] });
      await apart.send({ ...mail, replyTo: 'answers+t0ken@mimamori.example' });
    } finally {
      apart.close();
    }
    const received = await world.mails();
    const seen = received.map(({ envelope, headers }) => [envelope.from, headers['from'], headers['reply-to']]);
    const from = '見守り SOC <no-reply@mimamori.example>';
    assert.deepEqual(seen.toSorted(), [
      ['answers+t0ken@mimamori.example', from, '見守り SOC <answers+t0ken@mimamori.example>'],
      ['answers@mimamori.example', from, '見守り SOC <answers@mimamori.example>'],
    ]);
    const recipients = received.map(({ envelope }) => envelope.to.length);
    assert.deepEqual(recipients.toSorted(), [1, 2]);
  });

  it('keeps a thread together, and leaves out what is no Message-ID', async () => {
    const second = '<incident.acme.1.secondary@mimamori.example>';
    await sender.send({
      ...mail,
      messageId: second,
      inReplyTo: mail.messageId,
      references: [mail.messageId, 'x\r\ny'],
    });
    const [received] = await world.mails();
    assert.equal(received?.headers['message-id'], second);
    assert.equal(received.headers['in-reply-to'], mail.messageId);
    assert.equal(received.headers['references'], mail.messageId);
  });

  describe('lets nobody inject', () => {
    it('headers through the subject or a header', async () => {
      await sender.send({
        ...mail,
        subject: 'alert\r\nBcc: thief@evil.example\r\n\r\nbody',
        headers: { 'X-Mimamori-Incident': 'incident:acme:1\nBcc: thief@evil.example' },
      });
      const [received] = await world.mails();
      assert.deepEqual(received?.envelope.to, ['security@acme.example']);
      assert.equal(received.headers['bcc'], undefined);
      assert.equal(received.subject, 'alert Bcc: thief@evil.example body');
      assert.equal(received.headers['x-mimamori-incident'], 'incident:acme:1 Bcc: thief@evil.example');
    });

    for (const [what, changes] of [
      ['a line break in an address', { to: ['security@acme.example\r\nRCPT TO:<thief@evil.example>'] }],
      ['two addresses in one', { to: ['security@acme.example, thief@evil.example'] }],
      ['an address in brackets', { cc: ['"security@acme.example" <thief@evil.example>'] }],
      ['an address with a route', { to: ['@evil.example:security@acme.example'] }],
      ['a header of another kind', { headers: { Bcc: 'thief@evil.example' } }],
      ['a line break in a header’s name', { headers: { 'X-A: b\r\nBcc': 'thief@evil.example' } }],
      ['a Message-ID with a line break', { messageId: '<a@b>\r\nBcc: thief@evil.example' }],
      ['no recipient', { to: [] }],
    ] satisfies [string, Partial<OutgoingMail>][]) {
      it(`anything through ${what}`, async () => {
        const error = await mailFailure(changes);
        assert.deepEqual([error.kind, error.mayHaveBeenAccepted], ['permanent', false]);
        assert.deepEqual(await world.mails(), []);
      });
    }

    it('files through texts', async () => {
      await sender.send({ ...mail, html: '<img src="file:///etc/hostname">', text: 'file:///etc/hostname' });
      assert.equal((await world.mails())[0]?.text.trim(), 'file:///etc/hostname');
    });
  });

  describe('tells what became of a mail:', () => {
    it('refused for now', async () => {
      await world.fault({ target: 'smtp', times: 1, status: 451, body: '4.7.1 greylisted, try again later' });
      const error = await mailFailure({});
      assert.deepEqual([error.kind, error.smtpCode, error.enhancedCode], ['transient', 451, '4.7.1']);
      assert.equal(error.mayHaveBeenAccepted, false);
      await sender.send(mail);
      assert.equal((await world.mails()).length, 1);
    });

    for (const [said, told] of [
      [
        '4.2.0 <security@acme.example>: Recipient address rejected: Greylisted',
        '<address>: Recipient address rejected',
      ],
      ['4.7.1 to=security@acme.example: come back, see http://x.example/?id=security%40acme.example.', 'see <address>'],
    ] as const) {
      it(`without the address, where the server quotes it: ${said}`, async () => {
        await world.fault({ target: 'smtp', times: 1, status: 450, body: said });
        const { message, smtpCode } = await failure(sender.send(mail), MailError, ['security@', 'security%40']);
        assert.equal(smtpCode, 450);
        assert.ok(message.includes('450 4.') && message.includes(told), message);
      });
    }

    it('refused for good', async () => {
      await world.fault({ target: 'smtp', times: 1, status: 554, body: '5.7.1 not wanted here' });
      const error = await mailFailure({});
      assert.deepEqual([error.kind, error.smtpCode, error.enhancedCode], ['permanent', 554, '5.7.1']);
      assert.match(error.message, /554 5\.7\.1 not wanted here/);
    });

    it('taken for one of two', async () => {
      await world.mailbox('gone@acme.example', { rejects: 550, message: '5.1.1 no such user' });
      const { rejected } = await sender.send({ ...mail, cc: ['gone@acme.example'] });
      assert.deepEqual(rejected, [{ address: 'gone@acme.example', response: '550 5.1.1 no such user' }]);
      assert.deepEqual((await world.mails())[0]?.envelope.to, ['security@acme.example']);
    });

    it('taken for nobody: again later if one of them is only busy', async () => {
      await world.mailbox('gone@acme.example', { rejects: 550, message: '5.1.1 no such user' });
      await world.mailbox('full@acme.example', { rejects: 452, message: '4.2.2 mailbox full' });
      assert.equal((await mailFailure({ to: ['gone@acme.example'] })).kind, 'permanent');
      assert.equal((await mailFailure({ to: ['gone@acme.example', 'full@acme.example'] })).kind, 'transient');
      assert.equal((await mailFailure({ to: ['full@acme.example', 'gone@acme.example'] })).kind, 'transient');
    });

    it('unknown, when the connection is cut after the mail: the same Message-ID goes out again', async () => {
      await world.fault({ target: 'smtp', times: 1, dropAfterAccept: true });
      const error = await mailFailure({});
      assert.deepEqual([error.kind, error.mayHaveBeenAccepted], ['transient', true]);
      await sender.send(mail);
      const ids = (await world.mails()).map(({ headers }) => headers['message-id']);
      assert.deepEqual(ids, [mail.messageId, mail.messageId]);
    });

    it('unknown, when it is called off after the mail was handed over', async () => {
      await world.fault({ target: 'smtp', times: 1, delayMs: 10_000 });
      const controller = new AbortController();
      const sending = failure(sender.send(mail, controller.signal), MailError, []);
      await until(async () => (await world.mails()).length === 1);
      controller.abort(new Error('the worker shuts down'));
      assert.equal((await sending).mayHaveBeenAccepted, true);
    });

    it('not sent, when it is called off before', async () => {
      const signal = AbortSignal.abort(new Error('the worker shuts down'));
      await assert.rejects(sender.send(mail, signal), /the worker shuts down/);
      assert.deepEqual(await world.mails(), []);
    });

    it('not sent, when the connection is lost before it was handed over', async () => {
      const { host } = new URL(world.smtpUrl);
      const hasty = createMailSender({ smtpUrl: `smtp://${host}`, from: 'soc@mimamori.example', timeoutMs: 500 });
      for (const how of [{}, { delayMs: 2_000 }]) {
        await world.fault({ target: 'smtp', times: 1, stage: 'rcpt', ...how });
        const error = await failure(hasty.send(mail), MailError, []);
        assert.deepEqual([error.kind, error.mayHaveBeenAccepted], ['transient', false], JSON.stringify(how));
      }
      hasty.close();
    });

    it('not sent, when nobody listens', async () => {
      const nowhere = createMailSender({
        smtpUrl: 'smtp://mimamori:a-smtp-password@127.0.0.1:1',
        from: 'soc@x.example',
      });
      const error = await failure(nowhere.send(mail), MailError, ['a-smtp-password']);
      nowhere.close();
      assert.deepEqual([error.kind, error.mayHaveBeenAccepted], ['transient', false]);
      assert.match(error.message, /ECONNREFUSED/);
    });
  });

  it('sends many at once over few connections', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => sender.send({ ...mail, messageId: `<${n}@mimamori.example>` })),
    );
    assert.equal(new Set((await world.mails()).map(({ headers }) => headers['message-id'])).size, 30);
  });

  it('refuses settings that cannot work, without repeating the password', () => {
    for (const smtpUrl of ['http://u:a-smtp-password@h', 'a-smtp-password', '']) {
      assert.throws(
        () => createMailSender({ smtpUrl, from: 'soc@mimamori.example' }),
        (error: unknown) => error instanceof TypeError && !error.message.includes('password'),
      );
    }
    assert.throws(() => createMailSender({ smtpUrl: world.smtpUrl, from: 'nobody' }), /not a sender/);
  });
});
