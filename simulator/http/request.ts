import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface HttpRequest {
  method: string;
  /** Decoded, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** As the caller addressed this server: `http://127.0.0.1:9100`. */
  baseUrl: string;
  /** Whoever asked no longer waits for the answer. */
  isGone: () => boolean;
}

const bodyLimitBytes = 10 * 1024 * 1024;

export class BodyTooLargeError extends Error {}

const readBody = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of message) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    lengthBytes += bytes.length;
    if (lengthBytes > bodyLimitBytes) throw new BodyTooLargeError('The body is larger than 10 MiB.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

export const readRequest = async (message: IncomingMessage): Promise<HttpRequest> => {
  const baseUrl = `http://${message.headers.host ?? '127.0.0.1'}`;
  // A request line that begins with two slashes would otherwise be read as a host.
  const url = new URL(`http://simulator.invalid/${(message.url ?? '/').replace(/^\/+/, '')}`);
  return {
    method: message.method ?? 'GET',
    path: decodePath(url.pathname),
    query: url.searchParams,
    headers: message.headers,
    body: await readBody(message),
    baseUrl,
    isGone: () => message.socket.destroyed,
  };
};
