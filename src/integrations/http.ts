import http, { ClientRequest } from 'node:http';
import https from 'node:https';
import axios, { type CreateAxiosDefaults } from 'axios';

/** What went wrong below HTTP: a plain description that holds neither headers nor bodies, so nothing secret. */
export interface ConnectionFailure {
  /** Node's or axios' code, e.g. `ECONNREFUSED`, `ETIMEDOUT`. */
  code: string;
  /** Whether the whole request had left this machine: if so, the other side may have acted on it. */
  sent: boolean;
}

/**
 * Reads an axios (or any other) error. The error itself must not travel on, not even as a `cause`: it holds the
 * request's configuration, with the authorization header in it.
 */
export function connectionFailure(error: unknown): ConnectionFailure {
  if (!axios.isAxiosError(error)) return { code: 'UNKNOWN', sent: true };
  const request: unknown = error.request;
  // A request that waits for its connection (or the TLS handshake) still holds its bytes: it is not finished.
  const sent = request instanceof ClientRequest && request.writableFinished;
  // axios names the time limit, which is set through a signal, a cancellation.
  return { code: axios.isCancel(error) ? 'ETIMEDOUT' : (error.code ?? 'UNKNOWN'), sent };
}

/**
 * How every client of an HTTP API here talks: kept connections, answers of a bounded size (bytes), no redirects (they
 * would carry the token elsewhere), and no opinion on status codes, which are read where they are understood.
 */
export function httpDefaults({ maxAnswerBytes }: { maxAnswerBytes: number }): CreateAxiosDefaults {
  return {
    httpAgent: new http.Agent({ keepAlive: true }),
    httpsAgent: new https.Agent({ keepAlive: true }),
    proxy: false,
    maxRedirects: 0,
    maxContentLength: maxAnswerBytes,
    validateStatus: () => true,
  };
}

/** A text as JSON, or undefined: content types lie, so only the text itself tells. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
