import { createServer, request as ask, type IncomingMessage, type Server } from 'node:http';

/*
 * In front of the embedded server's Web UI: hands what the browser wants decrypted to the API. The embedded server cannot be
 * told to have the browser send a cookie to another origin; here both have one. In operation the Web UI asks the API itself.
 */

const OF_THE_API = new Set(['/decode', '/encode', '/sign-in']);
const LOOPBACK = '127.0.0.1';

export interface WebUi {
  /** Where browsers ask. */
  port: number;
  /** Where the server's own Web UI is. */
  behind: number;
  apiUrl: string;
  /** Whose eyes those of somebody on this machine are who has not signed in; undefined: nobody's. */
  token: string | undefined;
}

/** Other names for this machine could be another page's, which then would read what this one shows. */
function isForUs({ headers }: IncomingMessage, port: number): boolean {
  return headers.host === `${LOOPBACK}:${port}` || headers.host === `localhost:${port}`;
}

export async function startWebUi({ port, behind, apiUrl, token }: WebUi): Promise<Server> {
  const api = new URL(apiUrl);
  const server = createServer((request, response) => {
    if (!isForUs(request, port)) {
      response.writeHead(403).end();
      return;
    }
    const isForApi = OF_THE_API.has((request.url ?? '').split('?')[0] ?? '');
    const { authorization, cookie = '' } = request.headers;
    const isSomebody = authorization !== undefined || cookie.includes('mimamori-operator=');
    const asAnalyst = isForApi && !isSomebody && token !== undefined ? { authorization: `Bearer ${token}` } : {};
    const onward = ask(
      {
        host: isForApi ? api.hostname : LOOPBACK,
        port: isForApi ? api.port : behind,
        method: request.method,
        path: request.url,
        headers: { ...request.headers, ...asAnalyst },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return server;
}
