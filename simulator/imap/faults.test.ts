import assert from 'node:assert/strict';
import { once } from 'node:events';
import { z } from 'zod';
import type { Moment } from '../index.js';
import { Bench, listOf, until } from '../testing.js';
import { Clients, folders, put } from './testing.js';

const requestSchema = z.object({ method: z.string(), path: z.string(), status: z.number().nullable() });

describe('faults of IMAP', () => {
  let bench: Bench;
  let clients: Clients;
  let watch: (moment: Moment) => 'go-on' | 'cut' = () => 'go-on';

  before(async () => {
    bench = await Bench.start({ watch: (moment) => Promise.resolve(watch(moment)) });
    clients = new Clients(bench);
  });

  after(() => bench.simulator.stop());

  beforeEach(async () => {
    watch = () => 'go-on';
    await bench.control('POST', '/reset');
    const client = await clients.connected();
    await client.mailboxCreate('Processed');
    await put(bench);
  });
  afterEach(() => clients.closeAll());

  const fault = async (changes: Record<string, unknown>) => {
    const answer = await bench.control('POST', '/faults', { target: 'imap', ...changes });
    assert.equal(answer.status, 201, answer.text);
  };

  const held = async () => {
    const { INBOX, Processed } = await folders(bench);
    return [INBOX?.length, Processed?.length];
  };

  const lastRequest = async () =>
    (await bench.control('GET', '/requests?target=imap')).json(listOf(requestSchema)).items.at(-1);

  const move = async () => {
    const client = await clients.inInbox();
    return client.messageMove('1', 'Processed', { uid: true });
  };

  it('cuts the connection before the command is done', async () => {
    await fault({ path: 'UID MOVE' });
    assert.equal(await move(), false);
    assert.deepEqual(await held(), [1, 0]);
    assert.deepEqual(await lastRequest(), { method: 'UID MOVE', path: 'UID MOVE 1 Processed', status: null });
    await move();
    assert.deepEqual(await held(), [0, 1]);
  });

  it('does the work, and cuts the connection in the place of the answer', async () => {
    await fault({ path: 'UID MOVE', dropAfterAccept: true });
    assert.equal(await move(), false);
    assert.deepEqual(await held(), [0, 1]);
  });

  it('refuses with NO', async () => {
    await fault({ path: 'UID MOVE', status: 503, body: '[INUSE] Try again' });
    assert.equal(await move(), false);
    assert.deepEqual([await held(), (await lastRequest())?.status], [[1, 0], 503]);
  });

  it('refuses a sign-in', async () => {
    await fault({ path: 'AUTHENTICATE', status: 401 });
    await assert.rejects(clients.connected(), { authenticationFailed: true });
    await clients.connected();
  });

  it('answers late, with the work done at once', async () => {
    await fault({ path: 'UID MOVE', delayMs: 1_000 });
    const startedMs = performance.now();
    let isAnswered = false;
    const moving = move().then(() => {
      isAnswered = true;
    });
    await until('the move', async () => ((await held())[1] === 1 ? true : undefined));
    assert.equal(isAnswered, false);
    await moving;
    assert.ok(performance.now() - startedMs >= 990);
  });

  it('cuts off an idling client, at once or after a while', async () => {
    for (const delayMs of [undefined, 200]) {
      await fault({ path: 'IDLE', dropAfterAccept: true, delayMs });
      const client = await clients.inInbox();
      const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
      void client.idle().catch(() => undefined);
      await closed;
      await (await clients.inInbox()).noop();
    }
  });

  it('tells an idling client nothing for a while', async () => {
    await fault({ path: 'IDLE', delayMs: 200 });
    const client = await clients.inInbox();
    const told = once(client, 'exists');
    const startedMs = performance.now();
    void client.idle();
    await until('the IDLE', async () => ((await lastRequest())?.method === 'IDLE' ? true : undefined));
    await put(bench);
    await told;
    assert.ok(performance.now() - startedMs >= 190);
  });

  it('refuses connections for a while', async () => {
    await fault({ refuseMs: 60_000 });
    await until('a refused connection', () =>
      clients.connected().then(
        () => undefined,
        (error: unknown) => /ECONNREFUSED/.test(String(error)) || undefined,
      ),
    );
    await bench.control('DELETE', '/faults');
    await until('an open door', () =>
      clients.connected().then(
        () => true,
        () => undefined,
      ),
    );
    assert.deepEqual(await held(), [1, 0]);
  });

  it('takes no fault that means nothing', async () => {
    const wrong = { target: 'imap', status: 250, stage: 'data', garble: 'html', method: 'X', code: 'X' };
    const answer = await bench.control('POST', '/faults', wrong);
    assert.equal(answer.status, 422);
    for (const path of ['status', 'stage', 'garble', 'method', 'code'])
      assert.ok(answer.text.includes(`"${path}"`), path);
  });

  for (const phase of ['arrived', 'done'] as const) {
    it(`is cut by who watches, when a command is ${phase}`, async () => {
      watch = (moment) =>
        moment.kind === 'request' && moment.method === 'UID MOVE' && moment.phase === phase ? 'cut' : 'go-on';
      assert.equal(await move(), false);
      assert.deepEqual(await held(), phase === 'arrived' ? [1, 0] : [0, 1]);
    });
  }
});
