import assert from 'node:assert/strict';
import { createSecureServer } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { plainConnection, temporalConfig } from '../../src/temporal/connect.js';
import { createAuthority, type Authority } from '../support/certificates.js';

/*
 * Temporal's own variables, and what reaches a server that wants TLS: of the client that asks, and of the worker's.
 */

interface Guarded {
  address: string;
  /** The client certificates' names, and the keys, that it has seen. */
  certificates: string[];
  keys: (string | undefined)[];
  stop(): void;
}

/** A message of gRPC without a field: not compressed, of no length. */
const EMPTY_MESSAGE = Buffer.alloc(5);

/** It lets in nobody without a certificate of the authority, and answers them nothing. */
async function startGuarded(authority: Authority): Promise<Guarded> {
  const { cert, key } = authority.issue('temporal', 'DNS:localhost');
  const server = createSecureServer({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
  const guarded = { certificates: [] as string[], keys: [] as (string | undefined)[] };
  server.on('secureConnection', (socket: TLSSocket) => {
    guarded.certificates.push(String(socket.getPeerCertificate().subject.CN));
  });
  server.on('stream', (stream, headers) => {
    guarded.keys.push(headers.authorization);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY_MESSAGE);
  });
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return { ...guarded, address: `localhost:${address.port}`, stop: () => server.close() };
}

describe('TLS to Temporal', () => {
  let authority: Authority;
  let server: Guarded;
  let usual: NodeJS.ProcessEnv;

  before(async () => {
    authority = createAuthority();
    server = await startGuarded(authority);
    usual = { ...process.env };
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in usual)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, usual);
    server.certificates.length = 0;
    server.keys.length = 0;
  });
  after(() => {
    server.stop();
    authority.remove();
  });

  /** Both ways in: the API's, and the worker's. */
  const ways: [string, () => Promise<{ close(): Promise<void> }>][] = [
    ['the client', () => Connection.connect({ ...temporalConfig().clientOptions, connectTimeout: 5_000 })],
    ['the worker', () => NativeConnection.connect(temporalConfig().connectionOptions)],
  ];

  function settings(more: Record<string, string>): void {
    Object.assign(process.env, { TEMPORAL_ADDRESS: server.address, TEMPORAL_API_KEY: 'key-of-the-namespace', ...more });
  }

  for (const [who, connect] of ways) {
    it(`${who} shows its certificate and its key to a server that it has verified`, async () => {
      const own = authority.issue('mimamori', 'DNS:mimamori.example');
      settings({
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority.certPath,
        TEMPORAL_TLS_CLIENT_CERT_PATH: own.certPath,
        TEMPORAL_TLS_CLIENT_KEY_PATH: own.keyPath,
      });
      const connection = await connect();
      await connection.close();
      assert.ok(server.certificates.length > 0 && server.certificates.every((name) => name === 'mimamori'));
      assert.ok(server.keys.length > 0 && server.keys.every((key) => key === 'Bearer key-of-the-namespace'));
    });

    it(`${who} says nothing to one that it cannot verify, whatever is set`, async () => {
      const own = authority.issue('mimamori', 'DNS:mimamori.example');
      settings({
        TEMPORAL_TLS_CLIENT_CERT_PATH: own.certPath,
        TEMPORAL_TLS_CLIENT_KEY_PATH: own.keyPath,
        TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true',
      });
      await assert.rejects(connect());
      assert.deepEqual(server.keys, []);
    });

    it(`${who} sends a key by TLS, also where nothing else asks for it`, async () => {
      settings({});
      await assert.rejects(connect());
      assert.deepEqual(server.keys, []);
    });
  }

  it('is not turned off where there is a key to send', () => {
    settings({ TEMPORAL_TLS: 'false' });
    assert.throws(temporalConfig, /TEMPORAL_TLS/);
  });

  for (const [what, isTold, set] of [
    ['plain to another machine', true, { TEMPORAL_ADDRESS: 'temporal:7233' }],
    ['plain because somebody has said so', true, { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_TLS: 'false' }],
    ['plain to this machine', false, { TEMPORAL_ADDRESS: '127.0.0.1:7233' }],
    ['plain to this machine by IPv6', false, { TEMPORAL_ADDRESS: '[::1]:7233' }],
    ['plain by default', false, {}],
    ['TLS', false, { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_TLS: 'true' }],
    ['TLS for a key', false, { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_API_KEY: 'key' }],
  ] as const) {
    it(`is ${isTold ? 'missed and told' : 'not missed'} at the start where the connection is ${what}`, () => {
      Object.assign(process.env, set);
      const told = plainConnection(temporalConfig());
      if (isTold) assert.match(told ?? '', /plain.*TEMPORAL_TLS/);
      else assert.equal(told, undefined);
    });
  }
});
