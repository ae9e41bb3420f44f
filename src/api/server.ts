import { readFileSync } from 'node:fs';
import http, { type Server, type ServerOptions } from 'node:http';
import https from 'node:https';
import type { Express } from 'express';
import { SECOND_MS } from '../domain/time.js';

export interface TlsFiles {
  certPath: string;
  keyPath: string;
}

/** How long whoever connects may take: a slow caller holds a connection, and many of them all that there are. */
export interface ServerPatience {
  headersMs: number;
  /** For a request from its first byte to its last, body and all. */
  requestMs: number;
  /** For a connection on which nothing moves, while it is answered too. */
  silenceMs: number;
  /** Between two requests on one connection. */
  keepAliveMs: number;
  /** How often it is looked who is too slow. */
  lookEveryMs: number;
}

const PATIENCE: ServerPatience = {
  headersMs: 15 * SECOND_MS,
  requestMs: 30 * SECOND_MS,
  silenceMs: 60 * SECOND_MS,
  keepAliveMs: 5 * SECOND_MS,
  lookEveryMs: SECOND_MS,
};

const HANDSHAKE_MS = 10 * SECOND_MS;
const REQUESTS_PER_CONNECTION = 1_000;
const HEADERS = 100;

/** The API's server: HTTPS where there are a certificate and a key. @throws where those cannot be used */
export function createApiServer(app: Express, tls?: TlsFiles, patience: ServerPatience = PATIENCE): Server {
  const { headersMs, requestMs, silenceMs, keepAliveMs, lookEveryMs } = patience;
  const options: ServerOptions = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: lookEveryMs,
  };
  const server = tls === undefined ? http.createServer(options, app) : secured(tls, options, app);
  server.setTimeout(silenceMs);
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.maxHeadersCount = HEADERS;
  return server;
}

function secured({ certPath, keyPath }: TlsFiles, options: ServerOptions, app: Express): https.Server {
  const pair = { cert: readFileSync(certPath), key: readFileSync(keyPath) };
  try {
    return https.createServer({ ...options, ...pair, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS }, app);
  } catch {
    // OpenSSL's own words are dropped: nobody can promise what they quote.
    throw new Error('API_TLS_CERT_PATH and API_TLS_KEY_PATH hold no certificate with its key (PEM, unencrypted)');
  }
}
