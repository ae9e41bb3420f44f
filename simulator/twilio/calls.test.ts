import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import twilio from 'twilio';
import type { CallListInstanceCreateOptions } from 'twilio/lib/rest/api/v2010/account/call.js';
import { z } from 'zod';
import { Bench, listOf, until } from '../testing.js';

const callSchema = z.object({
  sid: z.string(),
  status: z.string(),
  answeredBy: z.string().nullable(),
  digits: z.string().nullable(),
  said: z.array(z.string()),
  problems: z.array(z.string()),
});
const requestSchema = z.object({ method: z.string(), path: z.string(), status: z.number().nullable() });
const refusalSchema = z.object({ status: z.number(), code: z.number() });

interface Received {
  path: string;
  params: Record<string, string>;
  isSigned: boolean;
}

const to = '+81312345678';
const from = '+81501234567';

describe('Twilio', () => {
  let bench: Bench;
  let service: Server;
  let serviceUrl: string;
  let received: Received[] = [];
  /** What the service answers, by path. */
  let twimlOf: Record<string, string> = {};

  const newClient = (authToken = bench.simulator.credentials.twilioAuthToken) => {
    const client = twilio(bench.simulator.credentials.twilioAccountSid, authToken);
    client.api.baseUrl = bench.simulator.url;
    return client;
  };

  before(async () => {
    bench = await Bench.start();
    service = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const params = Object.fromEntries(new URLSearchParams(body));
        const path = request.url ?? '';
        const signature = request.headers['x-twilio-signature']?.toString() ?? '';
        const { twilioAuthToken } = bench.simulator.credentials;
        const isSigned = twilio.validateRequest(twilioAuthToken, signature, `${serviceUrl}${path}`, params);
        received.push({ path, params, isSigned });
        response.writeHead(200, { 'content-type': 'text/xml', connection: 'close' });
        response.end(twimlOf[path] ?? '<Response/>');
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const address = service.address();
    assert.ok(address !== null && typeof address !== 'string');
    serviceUrl = `http://127.0.0.1:${address.port}`;
  });

  after(async () => {
    await bench.simulator.stop();
    service.close();
  });

  beforeEach(async () => {
    await bench.control('POST', '/reset');
    received = [];
    twimlOf = {};
  });

  const gather = (text = '1を押してください', attributes = '') =>
    `<Response><Gather numDigits="1" timeout="5" action="${serviceUrl}/pressed" ${attributes}><Say>${text}</Say></Gather>` +
    '<Say>入力がありません</Say></Response>';

  const dial = (options: Partial<CallListInstanceCreateOptions> = {}) =>
    newClient().calls.create({ to, from, twiml: gather(), ...options });

  const ended = (sid: string) =>
    until('the end of the call', async () => {
      const { items } = (await bench.control('GET', '/calls')).json(listOf(callSchema));
      return items.find((call) => call.sid === sid && !['queued', 'ringing', 'in-progress'].includes(call.status));
    });

  const phone = (behaviour: object) => bench.control('PUT', `/phones/${encodeURIComponent(to)}`, behaviour);

  const refusalOf = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail('It was taken.'),
      (error: unknown) => refusalSchema.parse(error),
    );

  const callbackStatuses = () =>
    received.filter(({ path }) => path === '/status').map(({ params }) => params['CallStatus']);

  it('is answered by a human who presses 1, and runs what comes back', async () => {
    twimlOf['/pressed'] = '<Response><Say>ありがとうございます</Say><Hangup/></Response>';
    const created = await dial();
    assert.match(created.sid, /^CA[0-9a-f]{32}$/);
    assert.equal(created.status, 'queued');
    const call = await ended(created.sid);
    assert.equal(call.status, 'completed');
    assert.equal(call.answeredBy, 'human');
    assert.equal(call.digits, '1');
    assert.deepEqual(call.said, ['1を押してください', 'ありがとうございます']);
    const [pressed] = received;
    assert.equal(pressed?.path, '/pressed');
    assert.equal(pressed.params['Digits'], '1');
    assert.equal(pressed.params['CallSid'], created.sid);
    assert.equal(pressed.params['CallStatus'], 'in-progress');
    assert.ok(pressed.isSigned);
  });

  it('fetches its TwiML from a Url, resolves what is relative to it, and ignores Twiml next to it', async () => {
    twimlOf['/voice?call=1'] = '<Response><Gather numDigits="1" action="pressed"><Say>押して</Say></Gather></Response>';
    twimlOf['/pressed'] = '<Response><Redirect>/bye</Redirect></Response>';
    twimlOf['/bye'] = '<Response><Say>さようなら</Say></Response>';
    const created = await dial({ url: `${serviceUrl}/voice?call=1`, twiml: 'nonsense' });
    assert.deepEqual((await ended(created.sid)).said, ['押して', 'さようなら']);
    assert.deepEqual(
      received.map(({ path, isSigned }) => [path, isSigned]),
      [
        ['/voice?call=1', true],
        ['/pressed', true],
        ['/bye', true],
      ],
    );
  });

  it('tells the subscribed events in order, signed', async () => {
    await dial({
      statusCallback: `${serviceUrl}/status`,
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    });
    await until('the last callback', () => (callbackStatuses().includes('completed') ? true : undefined));
    assert.deepEqual(callbackStatuses(), ['initiated', 'ringing', 'in-progress', 'completed']);
    const callbacks = received.filter(({ path }) => path === '/status');
    assert.ok(callbacks.every(({ isSigned }) => isSigned));
    assert.deepEqual(
      callbacks.map(({ params }) => params['SequenceNumber']),
      ['0', '1', '2', '3'],
    );
    assert.ok(Number(callbacks.at(-1)?.params['CallDuration']) >= 1);
  });

  it('tells of nothing but the end unless asked to', async () => {
    await dial({ statusCallback: `${serviceUrl}/status` });
    await until('the callback', () => (callbackStatuses().length > 0 ? true : undefined));
    assert.deepEqual(callbackStatuses(), ['completed']);
  });

  it('goes past a Gather that nobody answers, or asks for the action all the same', async () => {
    await phone({ presses: null, afterSeconds: 0.05 });
    const passed = await ended((await dial()).sid);
    assert.deepEqual(passed.said, ['1を押してください', '入力がありません']);
    assert.equal(passed.digits, null);
    assert.equal(received.length, 0);

    await ended((await dial({ twiml: gather('どうぞ', 'actionOnEmptyResult="true"') })).sid);
    assert.equal(received[0]?.params['Digits'], '');
  });

  it('leaves its words on a voicemail, which presses nothing', async () => {
    await phone({ answers: 'voicemail', afterSeconds: 0.05 });
    const call = await ended((await dial({ machineDetection: 'Enable', url: `${serviceUrl}/voice` })).sid);
    assert.equal(call.status, 'completed');
    assert.equal(call.answeredBy, 'machine_start');
    assert.equal(received[0]?.params['AnsweredBy'], 'machine_start');
    const listed = await newClient().calls(call.sid).fetch();
    assert.equal(listed.answeredBy, 'machine_start');
  });

  it('tells who answered only to those who asked for it', async () => {
    await phone({ answers: 'voicemail', afterSeconds: 0.05 });
    const { sid } = await dial({ url: `${serviceUrl}/voice` });
    await ended(sid);
    assert.equal(received[0]?.params['AnsweredBy'], undefined);
    assert.equal((await newClient().calls(sid).fetch()).answeredBy, null);
  });

  it('rings in vain, for as long as the caller lets it', async () => {
    await phone({ answers: 'nobody' });
    const { sid } = await dial({ timeout: 0 });
    assert.equal((await ended(sid)).status, 'no-answer');
    await phone({ answers: 'nobody', afterSeconds: 0.1 });
    assert.equal((await ended((await dial({ timeout: 60 })).sid)).status, 'no-answer');
  });

  it('is busy', async () => {
    await phone({ answers: 'busy', afterSeconds: 0.05 });
    assert.equal((await ended((await dial()).sid)).status, 'busy');
  });

  it('is hung up by the caller: canceled while it rings, completed afterwards', async () => {
    await phone({ answers: 'nobody' });
    const ringing = await dial({ statusCallback: `${serviceUrl}/status` });
    await newClient().calls(ringing.sid).update({ status: 'canceled' });
    assert.equal((await ended(ringing.sid)).status, 'canceled');
    await until('the callback', () => (callbackStatuses().length > 0 ? true : undefined));
    assert.deepEqual(callbackStatuses(), ['canceled']);

    await phone({ answers: 'human', presses: null, afterSeconds: 0 });
    const answered = await dial({
      twiml: '<Response><Pause length="0"/><Redirect>http://127.0.0.1:9/</Redirect></Response>',
    });
    const problem = await ended(answered.sid);
    assert.match(problem.problems[0] ?? '', /^11200: /);
    assert.equal((await refusalOf(newClient().calls(answered.sid).update({ status: 'completed' }))).code, 21220);
  });

  it('lists calls, newest first, filtered and in pages', async () => {
    const first = await dial();
    await ended(first.sid);
    await phone({ answers: 'nobody' });
    const second = await dial();
    const third = await dial({ to: '+81399999999' });
    const client = newClient();
    const sids = async (options: object) => (await client.calls.list(options)).map((call) => call.sid);
    assert.deepEqual(await sids({}), [third.sid, second.sid, first.sid]);
    assert.deepEqual(await sids({ to, from }), [second.sid, first.sid]);
    assert.deepEqual(await sids({ to, status: 'completed' }), [first.sid]);
    assert.deepEqual(await sids({ pageSize: 1 }), [third.sid, second.sid, first.sid]);
    assert.deepEqual(await sids({ startTimeAfter: new Date(Date.now() + 60_000) }), []);
    const [newest] = await client.calls.list({ limit: 1 });
    assert.ok(newest !== undefined && Math.abs(newest.dateCreated.getTime() - Date.now()) < 60_000);
    assert.equal(newest.direction, 'outbound-api');
  });

  const refusals: [string, Partial<CallListInstanceCreateOptions>, number][] = [
    ['a number that is none', { to: '03-1234-5678' }, 21211],
    ['a caller that is none', { from: 'SOC' }, 21212],
    ['neither Url nor Twiml', { twiml: undefined }, 21205],
    ['a Url that is none', { url: '/voice' }, 21205],
    ['a StatusCallback that is none', { statusCallback: 'nowhere' }, 21609],
    ['TwiML that is none', { twiml: '<Response>' }, 12100],
    ['more TwiML than fits', { twiml: `<Response><Say>${'x'.repeat(4000)}</Say></Response>` }, 21625],
  ];
  for (const [what, options, code] of refusals) {
    it(`refuses ${what}`, async () => {
      assert.deepEqual(await refusalOf(dial(options)), { status: 400, code });
    });
  }

  it('refuses a wrong token, and does not know a call that it never made', async () => {
    assert.deepEqual(await refusalOf(newClient('wrong').calls.list()), { status: 401, code: 20003 });
    assert.deepEqual(await refusalOf(newClient().calls('CA0').fetch()), { status: 404, code: 20404 });
  });

  it('fails where it was told to, with or without having dialled', async () => {
    await bench.control('POST', '/faults', { target: 'twilio', times: 1, status: 503 });
    assert.equal((await refusalOf(dial())).status, 503);
    await bench.control('POST', '/faults', { target: 'twilio', path: '/Calls', times: 1, dropAfterAccept: true });
    await assert.rejects(dial());
    const { items } = (await bench.control('GET', '/calls')).json(listOf(callSchema));
    assert.equal(items.length, 1);
    const log = (await bench.control('GET', '/requests?target=twilio')).json(listOf(requestSchema)).items;
    assert.deepEqual(
      log.map(({ status }) => status),
      [503, null],
    );
  });
});
