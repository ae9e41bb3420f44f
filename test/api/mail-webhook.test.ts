import assert from 'node:assert/strict';
import { mailSignature } from '../../src/api/mail-webhook.js';
import {
  escalated,
  heldPath,
  inquiryOf,
  inquiryPath,
  inquiryWhen,
  PASSED,
  tokenAddress,
} from '../support/customer-mail.js';
import { House, WEBHOOK_SECRET, type Reply } from '../support/house.js';

describe('POST /webhooks/mail', () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house.close());

  const seconds = (agoSeconds = 0) => String(Math.floor(Date.now() / 1000) - agoSeconds);

  async function hand(
    raw: string,
    { at = seconds(), secret = WEBHOOK_SECRET, to = house }: { at?: string; secret?: string; to?: House } = {},
  ): Promise<Reply> {
    const signature = mailSignature(secret, at, Buffer.from(raw));
    return handSigned(raw, at, signature, to);
  }

  async function handSigned(raw: string, at: string, signature: string, to = house): Promise<Reply> {
    const response = await fetch(`${to.url}/webhooks/mail`, {
      method: 'POST',
      headers: { 'Content-Type': 'message/rfc822', 'X-Mimamori-Timestamp': at, 'X-Mimamori-Signature': signature },
      body: raw,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  function mail(id: string, to = 'mimamori@mimamori.example'): string {
    const head = [PASSED, `Message-ID: ${id}`, 'From: sato@acme.example', `To: ${to}`, 'Subject: Re: x'];
    return [...head, 'Content-Type: text/plain; charset=utf-8', '', '質問です。', ''].join('\r\n');
  }

  const refusals: [name: string, hand: () => Promise<Reply>, status: number, code: string][] = [
    ['another secret', () => hand(mail('<w1@x>'), { secret: 'another' }), 403, 'forbidden'],
    ['no signature', () => handSigned(mail('<w2@x>'), seconds(), ''), 403, 'forbidden'],
    [
      'a signature of another mail',
      async () => {
        const at = seconds();
        return handSigned(mail('<w3@x>'), at, mailSignature(WEBHOOK_SECRET, at, Buffer.from('other')));
      },
      403,
      'forbidden',
    ],
    [
      'a signature of another time',
      async () =>
        handSigned(mail('<w4@x>'), seconds(), mailSignature(WEBHOOK_SECRET, seconds(60), Buffer.from(mail('<w4@x>')))),
      403,
      'forbidden',
    ],
    ['an old request', () => hand(mail('<w5@x>'), { at: seconds(600) }), 403, 'forbidden'],
    ['one from the future', () => hand(mail('<w6@x>'), { at: seconds(-600) }), 403, 'forbidden'],
    ['a time that is none', () => hand(mail('<w7@x>'), { at: 'soon' }), 403, 'forbidden'],
    ['no time', () => hand(mail('<w8@x>'), { at: '' }), 403, 'forbidden'],
    ['more than any mail', () => hand('A'.repeat(151 * 1024 * 1024)), 413, 'invalid-input'],
    [
      'a large one with another signature',
      () => hand('A'.repeat(41 * 1024 * 1024), { secret: 'another' }),
      403,
      'forbidden',
    ],
  ];
  for (const [name, ask, status, code] of refusals) {
    it(`${name}: ${status}`, async () => {
      const reply = await ask();
      assert.deepEqual([reply.status, reply.body.code], [status, code], JSON.stringify(reply.body));
    });
  }

  it('takes a mail, and the same request again for the same mail', async () => {
    const { id, mail: primary } = await escalated(house, house.customer('acme'));
    const raw = mail('<w9@acme.example>', tokenAddress(primary));
    const at = seconds();
    const taken = await hand(raw, { at });
    assert.deepEqual([taken.status, taken.body], [200, { is: 'inquiry', workflowId: inquiryOf(id), reason: null }]);
    const again = await hand(raw, { at });
    assert.deepEqual([again.status, again.body], [200, taken.body]);
    const inquiry = await inquiryWhen(house, inquiryOf(id), 'there', ({ mails }) => mails > 0);
    assert.deepEqual([inquiry.conversation.length, inquiry.conversation[0].newText], [1, '質問です。']);
    await hand(mail('<w10@acme.example>', tokenAddress(primary)));
    await inquiryWhen(house, inquiryOf(id), 'a second', ({ mails }) => mails === 2);
    assert.equal((await house.get(inquiryPath(inquiryOf(id)))).body.conversation.length, 2);
  });

  it('holds a mail that is too large by its head, for those whose it is', async () => {
    const { id, mail: primary } = await escalated(house, house.customer('acme'));
    const head = mail('<large@acme.example>', tokenAddress(primary));
    const handed = await hand(`${head}${'A'.repeat(75)}\r\n`.padEnd(41 * 1024 * 1024, 'B'));
    assert.deepEqual([handed.status, handed.body.is, handed.body.reason], [200, 'held', 'too-large']);
    const { body } = await house.get(heldPath(handed.body.workflowId), { as: 'bound' });
    assert.equal(body.incidentId, id);
    assert.match(body.mail.notes.join(), /too large: 4\d{7} bytes/);
    assert.match(body.mail.newText, /^質問です。/);
  });

  it('believes the mail server of a mail only where it is told which one that is', async () => {
    const unknown = (id: string) => mail(id).replace('sato@acme', 'eve@evil');
    const dmarcOf = async (of: House, id: string): Promise<string> => {
      const { body } = await hand(unknown(id), { to: of });
      return (await of.get(heldPath(body.workflowId))).body.mail.authentication.dmarc;
    };
    assert.equal(await dmarcOf(house, '<unbelieved@x>'), 'absent');
    const told = await House.open({ mailWebhookAuthservId: 'mx.mimamori.example' });
    try {
      assert.equal(await dmarcOf(told, '<believed@x>'), 'pass');
    } finally {
      await told.close();
    }
  });

  it('is held where nobody knows whose it is', async () => {
    const held = await hand(mail('<w11@x>').replace('sato@acme', 'eve@evil'));
    assert.deepEqual([held.status, held.body.is, held.body.reason], [200, 'held', 'unknown-sender']);
  });

  it('is shut where no secret is set', async () => {
    const shut = await House.open({ mailWebhookSecret: null, worker: false });
    try {
      for (const secret of [WEBHOOK_SECRET, '', 'undefined']) {
        const reply = await hand(mail('<w12@x>'), { secret, to: shut });
        assert.deepEqual([reply.status, reply.body.code], [403, 'forbidden']);
      }
    } finally {
      await shut.close();
    }
  });
});
