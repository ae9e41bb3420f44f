import assert from 'node:assert/strict';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { freePort } from '../../scripts/start/ports.js';
import { startWebUi, type WebUi } from '../../scripts/start/web-ui.js';

/** A server that answers with its name and remembers what it was asked. */
async function listener(name: string): Promise<{ server: Server; port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const port = await freePort();
  const server = createServer((incoming, response) => {
    asked.push(incoming);
    response.setHeader('X-Who', name);
    incoming.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port, asked };
}

describe("npm start's Web UI", () => {
  let api: Awaited<ReturnType<typeof listener>>;
  let temporal: Awaited<ReturnType<typeof listener>>;
  const open: Server[] = [];
  before(async () => {
    [api, temporal] = [await listener('api'), await listener('temporal')];
    open.push(api.server, temporal.server);
  });
  after(() => open.forEach((server) => server.close()));

  async function start(token: string | undefined): Promise<WebUi> {
    const port = await freePort();
    const webUi = { port, behind: temporal.port, apiUrl: `http://127.0.0.1:${api.port}`, token };
    open.push(await startWebUi(webUi));
    return webUi;
  }

  function ask({ port }: WebUi, path: string, headers: IncomingHttpHeaders = {}, body = '') {
    return new Promise<{ who: unknown; status: number | undefined; text: string }>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
        response.once('end', () => resolve({ who: response.headers['x-who'], status: response.statusCode, text }));
      });
      asked.once('error', reject);
      asked.end(body);
    });
  }

  const lastAuthorization = () => api.asked.at(-1)?.headers.authorization;

  it('hands what is to be decrypted to the API, as the analyst, and all else to Temporal', async () => {
    const webUi = await start('token-of-the-analyst');
    assert.deepEqual(await ask(webUi, '/decode', {}, '{"payloads":[]}'), {
      who: 'api',
      status: 200,
      text: '{"payloads":[]}',
    });
    assert.equal(lastAuthorization(), 'Bearer token-of-the-analyst');
    assert.equal((await ask(webUi, '/api/v1/namespaces?x=/decode')).who, 'temporal');
    assert.equal(temporal.asked.at(-1)?.headers.authorization, undefined);
  });

  it('leaves whoever has signed in who they are', async () => {
    const webUi = await start('token-of-the-analyst');
    await ask(webUi, '/decode', { cookie: 'other=1; mimamori-operator=token-of-another' });
    assert.equal(lastAuthorization(), undefined);
    assert.equal(api.asked.at(-1)?.headers.cookie, 'other=1; mimamori-operator=token-of-another');
    await ask(webUi, '/decode', { authorization: 'Bearer own' });
    assert.equal(lastAuthorization(), 'Bearer own');
  });

  it("is nobody where the operators are the caller's own", async () => {
    await ask(await start(undefined), '/decode');
    assert.equal(lastAuthorization(), undefined);
  });

  it('answers to no other name: a page elsewhere could take it for its own server', async () => {
    const webUi = await start('token-of-the-analyst');
    const before = api.asked.length;
    assert.equal((await ask(webUi, '/decode', { host: `evil.example:${webUi.port}` })).status, 403);
    assert.equal(api.asked.length, before);
  });

  it('says that the API is away, and goes on', async () => {
    const port = await freePort();
    const apiUrl = `http://127.0.0.1:${await freePort()}`;
    const webUi = { port, behind: temporal.port, apiUrl, token: undefined };
    open.push(await startWebUi(webUi));
    assert.equal((await ask(webUi, '/decode')).status, 502);
    assert.equal((await ask(webUi, '/')).who, 'temporal');
  });
});
