import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { createPhoneClient, PhoneError, type PhoneClient } from '../../src/integrations/phone/client.js';
import { isFromTwilio } from '../../src/integrations/phone/signature.js';
import { announcement, goodbye } from '../../src/integrations/phone/twiml.js';
import { failure } from './secrets.js';
import { startWorld, until, type World } from './world.js';

const to = '+81312345678';
const from = '+815012345678';

interface Callback {
  path: string;
  params: Record<string, string>;
  genuine: boolean;
}

describe('the phone client', () => {
  let world: World;
  let phone: PhoneClient;
  let webhooks: Server;
  let webhookUrl: string;
  let callbacks: Callback[];

  before(async () => {
    world = await startWorld();
    const { twilioAccountSid: accountSid, twilioAuthToken: authToken } = world.credentials;
    phone = createPhoneClient({ accountSid, authToken, from, apiBase: world.httpUrl, timeoutMs: 2_000 });
    webhooks = createServer((request, response) => {
      void text(request).then((body) => {
        const path = request.url ?? '';
        const params = Object.fromEntries(new URLSearchParams(body));
        const signature = request.headers['x-twilio-signature'];
        callbacks.push({
          path,
          params,
          genuine: isFromTwilio({ authToken, signature, url: webhookUrl + path, params }),
        });
        response.setHeader('content-type', 'text/xml');
        response.end(goodbye({ text: 'ありがとうございました。', language: 'ja' }));
      });
    }).listen(0, '127.0.0.1');
    await once(webhooks, 'listening');
    const address = webhooks.address();
    assert.ok(typeof address === 'object' && address !== null);
    webhookUrl = `http://127.0.0.1:${address.port}`;
  });
  after(async () => {
    webhooks.close();
    await world.stop();
  });
  beforeEach(async () => {
    callbacks = [];
    await world.reset();
  });

  const call = () => ({
    to,
    twiml: announcement({
      text: '脅威レベル4です。',
      language: 'ja',
      actionUrl: `${webhookUrl}/voice?incident=1&contact=sato`,
    }),
    statusCallbackUrl: `${webhookUrl}/status?incident=1`,
    ringSeconds: 30,
  });
  const phoneFailure = (work: Promise<unknown>): Promise<PhoneError> => {
    const { twilioAccountSid, twilioAuthToken } = world.credentials;
    const basic = Buffer.from(`${twilioAccountSid}:${twilioAuthToken}`).toString('base64');
    return failure(work, PhoneError, [twilioAuthToken, basic]);
  };

  it('rings somebody, who hears the text and presses a key, and hears of all of it from Twilio', async () => {
    const { sid } = await phone.placeCall(call());
    await until(() => callbacks.some(({ params }) => params['CallStatus'] === 'completed'));
    assert.equal((await phone.getCall(sid)).status, 'completed');
    const key = callbacks.find(({ path }) => path === '/voice?incident=1&contact=sato');
    assert.equal(key?.params['Digits'], '1');
    assert.equal(key.params['CallSid'], sid);
    const progress = callbacks
      .filter(({ path }) => path.startsWith('/status'))
      .map(({ params }) => params['CallStatus']);
    assert.deepEqual(progress, ['initiated', 'ringing', 'in-progress', 'completed']);
    assert.ok(callbacks.every(({ genuine }) => genuine));
    assert.deepEqual((await world.calls())[0]?.said, ['脅威レベル4です。', 'ありがとうございました。']);
  });

  it('hears that nobody pressed a key: voicemail', async () => {
    await world.phone(to, { answers: 'voicemail', afterSeconds: 0 });
    await phone.placeCall(call());
    await until(() => callbacks.some(({ path }) => path.startsWith('/voice')));
    const answer = callbacks.find(({ path }) => path.startsWith('/voice'));
    assert.equal(answer?.params['Digits'] ?? '', '');
  });

  it('finds the call that a cut connection left behind, and not an older one', async () => {
    await phone.placeCall(call());
    const older = await phone.findCall({ to, placedAfter: new Date(Date.now() - 60_000).toISOString() });
    assert.ok(older);
    assert.equal(await phone.findCall({ to, placedAfter: new Date(Date.now() + 2_000).toISOString() }), undefined);
    assert.equal(await phone.findCall({ to: '+81398765432', placedAfter: '2026-01-01T00:00:00.000Z' }), undefined);

    await world.fault({ target: 'twilio', times: 1, dropAfterAccept: true });
    const placedAfter = new Date().toISOString();
    const error = await phoneFailure(phone.placeCall(call()));
    assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
    const found = await phone.findCall({ to, placedAfter });
    assert.equal(found?.sid, (await world.calls()).at(-1)?.sid);
  });

  it('hangs up a call that rings, one in progress, and one that has ended', async () => {
    await world.phone(to, { answers: 'human', presses: null, afterSeconds: 30 });
    const ringing = await phone.placeCall(call());
    await until(async () => (await phone.getCall(ringing.sid)).status === 'ringing');
    await phone.hangUp(ringing.sid);
    assert.equal((await phone.getCall(ringing.sid)).status, 'canceled');
    await phone.hangUp(ringing.sid);

    await world.phone(to, { answers: 'voicemail', afterSeconds: 2 });
    const answered = await phone.placeCall(call());
    await until(async () => (await phone.getCall(answered.sid)).status === 'in-progress');
    await phone.hangUp(answered.sid);
    assert.equal((await phone.getCall(answered.sid)).status, 'completed');
  });

  describe('tells what went wrong:', () => {
    it('a number that is none', async () => {
      const error = await phoneFailure(phone.placeCall({ ...call(), to: '0312345678' }));
      assert.deepEqual([error.kind, error.code, error.status, error.mayHaveWorked], ['permanent', '21211', 400, false]);
      assert.match(error.message, /^Twilio answered 400 21211: .*<number>/);
      assert.doesNotMatch(error.message, /0312345678/);
    });

    it('wrong credentials', async () => {
      const stranger = createPhoneClient({
        accountSid: world.credentials.twilioAccountSid,
        authToken: 'a-wrong-token',
        from,
        apiBase: world.httpUrl,
        timeoutMs: 2_000,
      });
      const error = await failure(stranger.placeCall(call()), PhoneError, ['a-wrong-token']);
      assert.deepEqual([error.kind, error.code], ['permanent', '20003']);
    });

    it('no such call', async () => {
      const error = await phoneFailure(phone.getCall('CA00000000000000000000000000000000'));
      assert.deepEqual([error.kind, error.status], ['permanent', 404]);
    });

    it('too many calls, and a failing server', async () => {
      await world.fault({ target: 'twilio', times: 1, status: 429 });
      const many = await phoneFailure(phone.placeCall(call()));
      assert.deepEqual([many.kind, many.code, many.mayHaveWorked], ['transient', '20429', false]);
      await world.fault({ target: 'twilio', times: 1, status: 503 });
      const failing = await phoneFailure(phone.placeCall(call()));
      assert.deepEqual([failing.kind, failing.mayHaveWorked], ['transient', true]);
    });

    for (const body of ['<html>', '', '{"sid":"CA', '[]', 'null', '{}']) {
      it(`${JSON.stringify(body)} instead of an answer`, async () => {
        await world.fault({ target: 'twilio', times: 3, status: 200, body });
        const placing = await phoneFailure(phone.placeCall(call()));
        assert.deepEqual([placing.kind, placing.mayHaveWorked], ['transient', true]);
        assert.equal((await phoneFailure(phone.getCall('CA1'))).mayHaveWorked, false);
        const finding = await phoneFailure(phone.findCall({ to, placedAfter: new Date().toISOString() }));
        assert.equal(finding.kind, 'transient');
      });
    }

    it('no answer in time, and nobody there', async () => {
      const { twilioAccountSid: accountSid, twilioAuthToken: authToken } = world.credentials;
      await world.fault({ target: 'twilio', times: 1, delayMs: 10_000 });
      const hasty = createPhoneClient({ accountSid, authToken, from, apiBase: world.httpUrl, timeoutMs: 200 });
      const late = await phoneFailure(hasty.placeCall(call()));
      assert.deepEqual([late.kind, late.code, late.mayHaveWorked], ['transient', 'ETIMEDOUT', true]);
      const nowhere = createPhoneClient({ accountSid, authToken, from, apiBase: 'http://127.0.0.1:1', timeoutMs: 200 });
      const alone = await phoneFailure(nowhere.placeCall(call()));
      assert.deepEqual([alone.kind, alone.code, alone.mayHaveWorked], ['transient', 'ECONNREFUSED', false]);
    });
  });
});
