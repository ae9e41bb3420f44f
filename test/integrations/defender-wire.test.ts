import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createDefenderClient } from '../../src/integrations/defender/client.js';
import { DefenderError } from '../../src/integrations/defender/errors.js';
import { failure } from './secrets.js';

const token = 'a-token-that-nobody-may-see';
const client = createDefenderClient({
  signIn: { token: () => Promise.resolve(token) },
  timeoutMs: 1_000,
  maxInFlightPerTenant: 2,
});

/** Answers that the simulator cannot give: broken below HTTP, or by whoever sits in between. */
describe('the Defender client on the wire', () => {
  let server: Server | TcpServer | undefined;
  let seen: string[];

  beforeEach(() => {
    seen = [];
  });
  afterEach(() => {
    server?.close();
  });

  async function portOf(listening: Server | TcpServer): Promise<number> {
    server = listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const address = listening.address();
    assert.ok(typeof address === 'object' && address !== null);
    return address.port;
  }

  /** What comes of asking a server that answers like this. */
  async function isolateAt(answer: RequestListener): Promise<DefenderError> {
    const port = await portOf(
      createServer((request, response) => {
        seen.push(request.url ?? '');
        answer(request, response);
      }),
    );
    return isolate(`http://127.0.0.1:${port}`);
  }

  // A tenant for each, as a tenant that wants no calls is remembered.
  const isolate = (apiBase: string): Promise<DefenderError> =>
    failure(client.isolate({ tenantId: apiBase, apiBase }, 'a/b', 'level 3'), DefenderError, [token]);

  it('asks for alerts between two moments, and hears of a rest that is left out', async () => {
    const answers = [
      { value: [{ id: 1 }], '@odata.nextLink': 'https://elsewhere.example/api/alerts?$skip=1' },
      { value: [] },
    ];
    const port = await portOf(
      createServer((request, response) => {
        seen.push(new URL(request.url ?? '', 'http://host').searchParams.toString());
        response.end(JSON.stringify(answers.shift()));
      }),
    );
    const tenant = { tenantId: `listed at ${port}`, apiBase: `http://127.0.0.1:${port}` };
    const [since, until] = ['2026-11-24T00:00:00.000Z', '2026-11-24T01:00:00.000Z'];
    const first = await client.listAlerts(tenant, { since, until, skip: 0, top: 500 });
    assert.deepEqual(first, { rows: [{ id: 1 }], hasMore: true });
    const second = await client.listAlerts(tenant, { since, until: null, skip: 7, top: 25 });
    assert.deepEqual(second, { rows: [], hasMore: false });
    const query = (all: Record<string, string>) => new URLSearchParams(all).toString();
    assert.deepEqual(seen, [
      query({
        $filter: `lastUpdateTime ge ${since} and lastUpdateTime lt ${until}`,
        ...{ $expand: 'evidence', $top: '500' },
      }),
      query({ $filter: `lastUpdateTime ge ${since}`, $expand: 'evidence', $top: '25', $skip: '7' }),
    ]);
  });

  it('takes an answer that breaks off for none', async () => {
    const error = await isolateAt((_request, response) => {
      response.writeHead(201, { 'content-length': 1_000 }).write('{"id":"1"', () => response.destroy());
    });
    assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
    assert.deepEqual(seen, ['/api/machines/a%2Fb/isolate']);
  });

  it('waits for the end of an answer no longer than for its beginning', async () => {
    const error = await isolateAt((_request, response) => {
      const drip = setInterval(() => response.write(' '), 50);
      response.on('close', () => {
        clearInterval(drip);
      });
    });
    assert.deepEqual([error.kind, error.code, error.mayHaveWorked], ['transient', 'ETIMEDOUT', true]);
  });

  it('reads no more than it can hold', async () => {
    const error = await isolateAt((_request, response) => {
      response.writeHead(200, { 'content-length': 100_000_000 }).write('{');
    });
    assert.equal(error.kind, 'transient');
  });

  it('carries its token nowhere else', async () => {
    const error = await isolateAt((request, response) => {
      response.writeHead(307, { location: `http://${request.headers.host ?? ''}/elsewhere` }).end();
    });
    assert.deepEqual([error.kind, error.status], ['transient', 307]);
    assert.equal(seen.length, 1);
  });

  it('reads the time after which to come back as a date too, and has one of its own', async () => {
    const date = new Date(Date.now() + 120_000).toUTCString();
    const dated = await isolateAt((_request, response) => response.writeHead(429, { 'retry-after': date }).end());
    assert.equal(dated.kind, 'throttled');
    assert.ok((dated.retryAfterMs ?? 0) > 110_000 && (dated.retryAfterMs ?? 0) <= 120_000);
    server?.close();
    const silent = await isolateAt((_request, response) => response.writeHead(429).end());
    assert.deepEqual([silent.kind, silent.retryAfterMs], ['throttled', 10_000]);
  });

  it('knows that nothing was asked when the connection never stood', async () => {
    const port = await portOf(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.resume();
      }),
    );
    const error = await isolate(`https://127.0.0.1:${port}`);
    assert.deepEqual([error.kind, error.code, error.mayHaveWorked], ['transient', 'ETIMEDOUT', false]);
  });
});
