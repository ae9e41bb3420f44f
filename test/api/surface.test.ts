import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Writable } from 'node:stream';
import express from 'express';
import { pino } from 'pino';
import { until } from '../../simulator/testing.js';
import { createApiServer, type ServerPatience } from '../../src/api/server.js';
import { startApp, type LoneApp } from '../support/app.js';
import { createAuthority, type Authority, type Pair } from '../support/certificates.js';

/** Connects, says what `says` has it say, and gives what had been answered when the other side hung up. */
async function untilCut(
  url: string,
  says: (socket: net.Socket, isOver: () => boolean) => Promise<void>,
): Promise<{ answer: string; tookMs: number }> {
  const startedMs = performance.now();
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  let isOver = false;
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => (isOver = true));
  await Promise.all([says(socket, () => isOver), closed]);
  return { answer, tookMs: performance.now() - startedMs };
}

describe('a caller who is slow on purpose', () => {
  const patience: ServerPatience = {
    headersMs: 400,
    requestMs: 800,
    silenceMs: 5_000,
    keepAliveMs: 300,
    lookEveryMs: 50,
  };
  let app: LoneApp;
  before(async () => {
    app = await startApp({ serverOf: (served) => createApiServer(served, undefined, patience) });
  });
  after(() => app.close());

  async function trickle(socket: net.Socket, isOver: () => boolean, piece: string): Promise<void> {
    while (!isOver()) {
      socket.write(piece);
      await sleep(20);
    }
  }

  it('with the headers is cut off', async () => {
    const { answer, tookMs } = await untilCut(app.url, async (socket, isOver) => {
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n');
      await trickle(socket, isOver, 'X: y\r\n');
    });
    assert.match(answer, /^HTTP\/1\.1 (408|431) /);
    assert.ok(tookMs >= patience.headersMs, `${tookMs}`);
  });

  it('with the body is cut off', async () => {
    const { answer } = await untilCut(app.url, async (socket, isOver) => {
      const head = [
        `POST /v1/customers/${app.customer}/alerts HTTP/1.1`,
        'Host: x',
        `Authorization: Bearer ${app.token}`,
        'Content-Length: 1000000',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n{`);
      await trickle(socket, isOver, ' ');
    });
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  it('who says nothing at all is cut off', async () => {
    await untilCut(app.url, () => Promise.resolve());
  });

  it('who has been answered, and says nothing more, is cut off', async () => {
    const { answer } = await untilCut(app.url, (socket) => {
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      return Promise.resolve();
    });
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });

  it('has these limits in production', () => {
    const server = createApiServer(express());
    const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = server;
    assert.deepEqual(
      { headersTimeout, requestTimeout, timeout, keepAliveTimeout },
      { headersTimeout: 15_000, requestTimeout: 30_000, timeout: 60_000, keepAliveTimeout: 5_000 },
    );
  });
});

describe('a body that is nested without end', () => {
  let app: LoneApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.close());

  async function send(body: string) {
    const response = await fetch(`${app.url}/v1/customers/${app.customer}/alerts`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${app.token}` },
      body,
    });
    const answer: unknown = await response.json();
    assert.ok(typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer);
    return [response.status, answer.code, answer.detail];
  }

  const nested = (levels: number, open: string, close: string) => `${open.repeat(levels)}1${close.repeat(levels)}`;

  for (const [what, body] of [
    ['arrays', nested(100_000, '[', ']')],
    ['objects', nested(100_000, '{"a":', '}')],
    [
      'arrays in an alert',
      `{"id":"da1","alertCreationTime":"2026-01-01T00:00:00Z","evidence":${nested(100_000, '[', ']')}}`,
    ],
    ['as much as fits', nested(1_000_000, '[', ']')],
  ] as const) {
    it(`${what}: 422`, async () => {
      assert.deepEqual(await send(body), [422, 'invalid-input', 'The body is nested too deeply.']);
      assert.equal((await fetch(`${app.url}/healthz`)).status, 200);
    });
  }

  it('is one that nobody needs: what an alert may hold is far from it', async () => {
    const [status, code, detail] = await send(nested(32, '[', ']'));
    assert.deepEqual([status, code, detail], [422, 'invalid-input', 'The body was not understood.']);
  });
});

describe('the API by HTTPS', () => {
  let authority: Authority;
  let pair: Pair;
  let app: LoneApp;
  before(async () => {
    authority = createAuthority();
    pair = authority.issue('soc', 'IP:127.0.0.1');
    app = await startApp({ serverOf: (served) => createApiServer(served, pair) });
  });
  after(async () => {
    await app.close();
    authority.remove();
  });

  it('answers as by HTTP, and has browsers stay with it', async () => {
    assert.match(app.url, /^https:/);
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      https
        .get(`${app.url}/healthz`, { ca: authority.cert, agent: false }, (response) => {
          response.resume();
          assert.equal(response.statusCode, 200);
          resolve(response.headers);
        })
        .once('error', reject);
    });
    assert.match(String(headers['strict-transport-security']), /^max-age=31536000/);
  });

  it('speaks no TLS that is broken', async () => {
    const { port } = new URL(app.url);
    const socket = tls.connect({ port: Number(port), host: '127.0.0.1', ca: authority.cert, maxVersion: 'TLSv1.1' });
    await assert.rejects(
      new Promise((resolve, reject) => {
        socket.once('secureConnect', resolve);
        socket.once('error', reject);
      }),
    );
  });

  it('does not begin with a key of another certificate', () => {
    const { keyPath } = authority.issue('other', 'IP:127.0.0.1');
    const { certPath } = pair;
    assert.throws(() => createApiServer(express(), { certPath, keyPath }), /API_TLS_CERT_PATH and API_TLS_KEY_PATH/);
  });
});

describe('who calls, behind a proxy', () => {
  const guess = async (app: LoneApp, forwardedFor: string) => {
    const response = await fetch(`${app.url}/v1/incidents/incident:x:y/notes`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': forwardedFor, Authorization: 'Bearer a-guess' },
    });
    await response.arrayBuffer();
    return response.status;
  };

  async function fromOf(trustedProxies: string[], forwardedFor: string): Promise<string> {
    let logged = '';
    const sink = new Writable({
      write(chunk, _encoding, done) {
        logged += String(chunk);
        done();
      },
    });
    const app = await startApp({ trustedProxies, log: pino(sink) });
    try {
      await guess(app, forwardedFor);
      return await until('written down', () => /"from":"([^"]+)"/.exec(logged)?.[1]);
    } finally {
      await app.close();
    }
  }

  it('is whoever the trusted proxy says, in the audit log', async () => {
    assert.equal(await fromOf(['127.0.0.0/8'], '203.0.113.9'), '203.0.113.9');
    // What a caller has written before the proxy's own word counts for nothing.
    assert.equal(await fromOf(['127.0.0.0/8'], '198.51.100.1, 203.0.113.9'), '203.0.113.9');
    assert.equal(await fromOf(['127.0.0.0/8', '10.0.0.0/8'], '203.0.113.9, 10.0.0.7'), '203.0.113.9');
  });

  it('is the proxy itself where none is trusted', async () => {
    assert.equal(await fromOf([], '203.0.113.9'), '127.0.0.1');
    assert.equal(await fromOf(['10.0.0.0/8'], '203.0.113.9'), '127.0.0.1');
  });

  it('shares what an operator may ask for with whoever else has that token', async () => {
    const app = await startApp({ trustedProxies: ['127.0.0.1'] });
    /** What is left within the window: to the address, to the operator. */
    const left = async (forwardedFor: string) => {
      const headers = { 'X-Forwarded-For': forwardedFor, Authorization: `Bearer ${app.token}` };
      const response = await fetch(`${app.url}/v1/incidents?limit=x`, { headers });
      return [...(response.headers.get('ratelimit') ?? '').matchAll(/r=(\d+)/g)].map(([, rest]) => Number(rest));
    };
    try {
      assert.deepEqual(await left('203.0.113.9'), [4_999, 4_999]);
      assert.deepEqual(await left('203.0.113.10'), [4_999, 4_998]);
    } finally {
      await app.close();
    }
  });

  it('is turned away for their own guesses alone', async () => {
    const app = await startApp({ trustedProxies: ['127.0.0.1'] });
    try {
      const seen = new Set<number>();
      for (let count = 0; count < 60; count += 1) seen.add(await guess(app, '203.0.113.9'));
      assert.deepEqual([...seen], [401, 429]);
      assert.equal(await guess(app, '203.0.113.10'), 401);
    } finally {
      await app.close();
    }
  });
});

describe('what is answered without a token', () => {
  const ASKERS = 20;
  let temporal: http2.Http2Server;
  const sessions: http2.ServerHttp2Session[] = [];
  let app: LoneApp;
  let arrived = 0;
  /** How often Temporal was asked who polls. It answers once all askers are there: nobody does. */
  let asked = 0;

  before(async () => {
    temporal = http2.createServer().listen(0, '127.0.0.1');
    temporal.on('session', (session) => sessions.push(session));
    temporal.on('stream', (stream, { ':path': path = '' }) => {
      const isLook = path.endsWith('/DescribeTaskQueue');
      if (isLook) asked += 1;
      void until('all have asked', () => (!isLook || arrived >= ASKERS ? true : undefined)).then(() => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        // A message without a field.
        stream.end(Buffer.alloc(5));
      });
    });
    await once(temporal, 'listening');
    const address = temporal.address();
    assert.ok(address !== null && typeof address !== 'string');
    app = await startApp({
      address: `127.0.0.1:${address.port}`,
      watch: (_request, _response, next) => {
        arrived += 1;
        next();
      },
    });
  });
  after(async () => {
    await app.close();
    temporal.close();
    for (const session of sessions) session.destroy();
  });

  const ready = async () => {
    const response = await fetch(`${app.url}/readyz`);
    return [response.status, await response.json()];
  };

  it('costs Temporal one look, however many ask whether the API is ready', async () => {
    const answers = await Promise.all(Array.from({ length: ASKERS }, ready));
    for (const answer of answers) assert.deepEqual(answer, [503, { ready: false, missing: ['worker'] }]);
    assert.equal(asked, 1);
    await until('another look', async () => {
      await ready();
      return asked === 2 ? true : undefined;
    });
  });

  it('counts toward what an address may ask, but for whether the API lives', async () => {
    for (const path of ['/readyz', '/docs', '/docs/swagger-ui.css', '/openapi.json', '/sign-in', '/nothing']) {
      const response = await fetch(`${app.url}${path}`);
      await response.arrayBuffer();
      assert.match(response.headers.get('ratelimit') ?? '', /r=\d+/, path);
    }
    assert.equal((await fetch(`${app.url}/healthz`)).headers.get('ratelimit'), null);
  });
});

describe('the cookie of the sign-in', () => {
  it('goes by HTTPS alone where that is how browsers reach the API, also behind a proxy that does not say so', async () => {
    const app = await startApp();
    try {
      const body = new URLSearchParams({ token: app.token });
      const response = await fetch(`${app.url}/sign-in`, { method: 'POST', body });
      assert.match(response.headers.get('set-cookie') ?? '', /; HttpOnly; Secure; SameSite=Strict$/);
    } finally {
      await app.close();
    }
  });
});
