import assert from 'node:assert/strict';
import { z } from 'zod';
import { Bench, errorSchema, listOf, machineActionSchema, until } from '../testing.js';

const machineId = 'a'.repeat(40);
const problemSchema = z.object({ errors: z.array(z.object({ path: z.string(), message: z.string() })) });
const requestSchema = z.object({
  at: z.iso.datetime(),
  target: z.string(),
  method: z.string(),
  path: z.string(),
  tenantId: z.string().optional(),
  status: z.number().nullable(),
});

describe('Simulator control', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));

  const requests = async (query = '') =>
    (await bench.control('GET', `/requests${query}`)).json(listOf(requestSchema)).items;

  const fault = async (body: object) => {
    const answer = await bench.control('POST', '/faults', body);
    assert.equal(answer.status, 201, answer.text);
  };

  it('lists the requests of the real protocols, not its own', async () => {
    await bench.defender('GET', '/api/alerts?$top=1');
    const items = await requests();
    assert.deepEqual(
      items.map(({ target, method, path, tenantId, status }) => ({ target, method, path, tenantId, status })),
      [
        {
          target: 'entra',
          method: 'POST',
          path: `/${bench.tenantId}/oauth2/v2.0/token`,
          tenantId: bench.tenantId,
          status: 200,
        },
        { target: 'defender', method: 'GET', path: '/api/alerts', tenantId: bench.tenantId, status: 200 },
      ],
    );
    assert.equal((await requests('?target=entra')).length, 1);
    assert.equal((await requests('?target=twilio')).length, 0);
  });

  const wrongInput: [string, string, unknown, string[]][] = [
    ['POST', '/faults', { target: 'fax', times: 0, tims: 1 }, ['target', 'times', 'tims']],
    ['POST', '/faults', { target: 'defender', times: 1, retryAfterSeconds: 3 }, ['retryAfterSeconds']],
    ['POST', '/faults', { target: 'smtp', times: 1, status: 250 }, ['status']],
    [
      'POST',
      '/faults',
      { target: 'smtp', method: 'POST', garble: 'html', number: '+81312345678' },
      ['number', 'method', 'garble'],
    ],
    ['POST', '/faults', { target: 'smtp', stage: 'rcpt', dropAfterAccept: true }, ['dropAfterAccept']],
    ['POST', '/faults', { target: 'entra', stage: 'auth', tenantId: 't' }, ['tenantId', 'stage']],
    ['POST', '/faults', { target: 'defender', refuseMs: 100, status: 503 }, ['refuseMs']],
    ['PUT', '/phones/+81312345678', { answers: 'dog' }, ['answers']],
    ['PUT', '/mailboxes/a@b.example', { rejects: 250 }, ['rejects']],
    ['PATCH', '/tenants/t/machines/m', { online: 'no' }, ['online']],
    ['PATCH', '/tenants/t', { roles: 'all' }, ['roles']],
    ['POST', '/tenants/t/machines/m/portal', { type: 'reboot' }, ['type']],
    ['POST', '/tenants/t/alerts', { evidence: [{ entityType: 1 }] }, ['evidence.0.entityType']],
    ['GET', '/requests?target=fax', undefined, ['target']],
  ];
  for (const [method, path, body, fields] of wrongInput) {
    it(`names what is wrong in ${method} ${path}: ${fields.join(', ')}`, async () => {
      const answer = await bench.control(method, path, body);
      assert.equal(answer.status, 422);
      assert.deepEqual(
        answer.json(problemSchema).errors.map((error) => error.path),
        fields,
      );
    });
  }

  it('tells its paths, and which of them does not exist', async () => {
    const paths = (await bench.control('GET', '')).json(listOf(z.string())).items;
    assert.ok(paths.includes('POST /sim/faults'));
    assert.equal((await bench.control('GET', '/nothing')).status, 404);
    assert.equal((await bench.control('DELETE', '/mails')).headers.get('allow'), 'GET, POST');
  });

  it('refuses an id that is taken', async () => {
    await bench.tenantControl('POST', '/alerts', { id: 'da1_1' });
    assert.equal((await bench.tenantControl('POST', '/alerts', { id: 'da1_1' })).status, 422);
  });

  describe('faults', () => {
    it('fail the next requests in the vendor’s shape, then no more', async () => {
      await fault({ target: 'defender', times: 2, status: 429, retryAfterSeconds: 7 });
      for (const left of [1, 0]) {
        const answer = await bench.defender('GET', '/api/alerts');
        assert.equal(answer.status, 429);
        assert.equal(answer.headers.get('retry-after'), '7');
        assert.equal(answer.json(errorSchema).error.code, 'TooManyRequests');
        assert.equal((await bench.control('GET', '/faults')).json(listOf(z.unknown())).items.length, left);
      }
      assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
    });

    it('carry a code of their own, or a page instead of JSON', async () => {
      await fault({ target: 'defender', times: 1, status: 403, code: 'DisabledFeature' });
      assert.equal((await bench.defender('GET', '/api/alerts')).json(errorSchema).error.code, 'DisabledFeature');
      await fault({ target: 'defender', times: 1, status: 502, body: '<html>Bad gateway</html>' });
      const answer = await bench.defender('GET', '/api/alerts');
      assert.equal(answer.text, '<html>Bad gateway</html>');
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    });

    it('speak Entra’s language at the token endpoint', async () => {
      await fault({ target: 'entra', times: 1, status: 503 });
      const answer = await bench.requestToken();
      assert.equal(answer.status, 503);
      assert.equal(answer.json(z.object({ error: z.string() })).error, 'temporarily_unavailable');
    });

    it('hit only the path they name', async () => {
      await fault({ target: 'defender', path: '/isolate', times: 1, status: 500 });
      assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
      await bench.tenantControl('PATCH', `/machines/${machineId}`, {});
      const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, {});
      assert.equal(answer.json(errorSchema).error.code, 'InternalServerError');
    });

    it('cut the connection before the work, or after it', async () => {
      await bench.tenantControl('PATCH', `/machines/${machineId}`, { online: false });
      const actions = async () =>
        (await bench.tenantControl('GET', '/machineactions')).json(listOf(machineActionSchema)).items.length;
      await fault({ target: 'defender', times: 1 });
      await assert.rejects(bench.isolate(machineId));
      assert.equal(await actions(), 0);
      await fault({ target: 'defender', times: 1, dropAfterAccept: true });
      await assert.rejects(bench.isolate(machineId));
      assert.equal(await actions(), 1);
      const log = await requests('?target=defender');
      assert.deepEqual(
        log.map(({ status }) => status),
        [null, null],
      );
    });

    it('delay the answer', async () => {
      await fault({ target: 'defender', times: 1, delayMs: 200 });
      const startedMs = performance.now();
      assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
      assert.ok(performance.now() - startedMs >= 190);
    });

    it('hit only the tenant and the method they name, and a path to its end', async () => {
      const other = '22222222-2222-4222-8222-222222222222';
      await fault({ target: 'defender', tenantId: other, method: 'GET', path: '/api/machineactions$', status: 500 });
      const status = async (method: string, path: string, tenantId = other) =>
        (await bench.defender(method, path, undefined, tenantId)).status;
      assert.equal(await status('GET', '/api/machineactions', bench.tenantId), 200);
      assert.equal(await status('POST', '/api/machineactions'), 405);
      assert.equal(await status('GET', '/api/machineactions/00000000-0000-4000-8000-000000000000'), 404);
      assert.equal(await status('GET', '/api/machineactions'), 500);
      assert.equal(await status('GET', '/api/machineactions'), 200);
    });

    for (const [garble, text] of [
      ['html', /^<!DOCTYPE html>/],
      ['empty', /^$/],
      ['truncated', /^\{"@odata\.context".*[^}]$/],
    ] as const)
      it(`leave an answer ${garble}, its work done`, async () => {
        await bench.tenantControl('PATCH', `/machines/${machineId}`, { online: false });
        await fault({ target: 'defender', path: '/isolate', garble });
        const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, {
          Comment: 'A test',
          IsolationType: 'Full',
        });
        assert.equal(answer.status, 201);
        assert.match(answer.text, text);
        const done = (await bench.tenantControl('GET', '/machineactions')).json(listOf(machineActionSchema)).items;
        assert.equal(done.length, 1);
      });

    it('put a page or nothing into the place of the work, with a status', async () => {
      await fault({ target: 'defender', path: '/isolate', status: 200, garble: 'html' });
      await bench.tenantControl('PATCH', `/machines/${machineId}`, {});
      const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, {});
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
      assert.deepEqual((await bench.tenantControl('GET', '/machineactions')).json(listOf(z.unknown())).items, []);
    });

    it('blow an answer up to 50 MB', async () => {
      await fault({ target: 'entra', garble: 'huge' });
      const answer = await bench.requestToken();
      assert.ok(answer.text.length > 50_000_000);
      assert.ok(answer.json(z.object({ access_token: z.string() })).access_token.length > 0);
    });

    it('shut the door for a while', async () => {
      await fault({ target: 'defender', refuseMs: 2_000 });
      await until('a refused connection', () =>
        bench.defender('GET', '/api/alerts').then(
          () => undefined,
          () => true,
        ),
      );
      await until('an answer', () =>
        bench.defender('GET', '/api/alerts').then(
          ({ status }) => (status === 200 ? true : undefined),
          () => undefined,
        ),
      );
    });

    it('can be taken back one by one', async () => {
      const one = await bench.control('POST', '/faults', { target: 'defender', times: 5, status: 500 });
      const path = `/faults/${one.json(z.object({ id: z.guid() })).id}`;
      assert.equal((await bench.control('DELETE', path)).status, 204);
      assert.equal((await bench.control('DELETE', path)).status, 404);
      assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
    });

    it('can be taken back', async () => {
      await fault({ target: 'defender', times: 5, status: 500 });
      assert.equal((await bench.control('DELETE', '/faults')).status, 204);
      assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
    });
  });

  it('forgets everything on reset', async () => {
    await bench.tenantControl('POST', '/alerts', { machineId });
    await bench.isolate(machineId);
    await fault({ target: 'defender', times: 5, status: 500 });
    assert.equal((await bench.control('POST', '/reset')).status, 204);
    for (const path of ['/requests', '/faults', '/mails', '/calls'])
      assert.deepEqual((await bench.control('GET', path)).json(listOf(z.unknown())).items, [], path);
    for (const path of ['/alerts', '/machines', '/machineactions'])
      assert.deepEqual((await bench.tenantControl('GET', path)).json(listOf(z.unknown())).items, [], path);
    assert.equal((await bench.defender('GET', `/api/machines/${machineId}`)).status, 404);
  });
});
