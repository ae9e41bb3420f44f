import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { z } from 'zod';
import { routes } from '../../src/api/app.js';
import { until } from '../../simulator/testing.js';
import { APP_TOKEN, startApp, type LoneApp } from '../support/app.js';
import { operatorRoles } from '../../src/operators.js';
import { EXCLUSION, everyRequest, type Scene } from '../support/every-route.js';
import { House, verdict, type Reply } from '../support/house.js';

const problemSchema = z.object({ code: z.string(), requestId: z.string() });

function assertProblem({ status, headers, body }: Reply, expected: number, code: string): void {
  assert.equal(status, expected, JSON.stringify(body));
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.deepEqual(Object.keys(body).sort(), ['code', 'detail', 'instance', 'requestId', 'status', 'title', 'type']);
  assert.equal(body.code, code);
  assert.equal(body.status, expected);
  assert.equal(body.requestId, headers.get('x-request-id'));
}

describe('who may do what', () => {
  let house: House;
  let acme = '';
  let globex = '';
  let ours = '';
  let theirs = '';
  /** What there is of the other customer. */
  let scene: Scene;
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
    globex = house.customer('globex');
    ours = (await house.alert(acme)).id;
    const other = await house.alert(globex);
    theirs = other.id;
    await house.command(theirs, 'triage', verdict(3));
    await house.incidentWhen(theirs, 'isolated', ({ stage }) => stage === 'awaiting-release');
    const proposed = await house.post(`/v1/customers/${globex}/exclusions`, EXCLUSION);
    const mailFrom = (from: string) =>
      house.handIn(`From: ${from}\r\nSubject: a question\r\nMessage-ID: <${from}>\r\n\r\nWhich program?\r\n`);
    scene = {
      customerId: globex,
      incident: theirs,
      machineId: other.alert.machineId,
      exclusion: proposed.body.id,
      inquiry: (await mailFrom('security@globex.example')).body.workflowId,
      held: (await mailFrom('stranger@elsewhere.example')).body.workflowId,
    };
    await until('both listed', async () =>
      (await house.get(`/v1/incidents?customer=${acme}`)).body.items.length === 1 ? true : undefined,
    );
  });
  after(() => house.close());

  const at = (id: string, command = '') => `/v1/incidents/${encodeURIComponent(id)}${command}`;

  it('is asked of every route that is served', async () => {
    assert.equal((await everyRequest(house, scene)).length, routes.length);
  });

  it('turns away whoever has no token, a wrong one, or one in the wrong place', async () => {
    // In turn, and at two APIs: whoever guesses more than fifty times within ten seconds is turned away for that.
    const another = await House.open({ worker: false });
    const wrong = [
      '',
      'Bearer wrong',
      'Basic dG9rZW4tYW5hbHlzdDo=',
      'token-analyst',
      'Bearer token-analyst x',
      'Bearer ',
    ];
    for (const [index, { method, path, body }] of (await everyRequest(house, scene)).entries()) {
      const Authorization = wrong[index % wrong.length] ?? '';
      const asked = index < 40 ? house : another;
      const reply = await asked.ask(method, path, body, { headers: { Authorization } });
      assertProblem(reply, 401, 'unauthenticated');
      assert.equal(reply.headers.get('www-authenticate'), 'Bearer');
    }
    const inQuery = await house.get('/v1/queue?access_token=token-analyst', { headers: { Authorization: '' } });
    assertProblem(inQuery, 401, 'unauthenticated');
    await another.close();
  });

  /** The table, as it was agreed; the API has its own, which it is made from. */
  function isAllowed(role: string, method: string, path: string): boolean {
    if (path === '/v1/audit') return role === 'lead';
    const isOfTheService = path === '/v1/feeds' || path.endsWith('/rejected') || path === '/v1/mailbox';
    const isRead = method === 'GET' || path === '/decode' || path === '/encode';
    switch (role) {
      case 'viewer':
        return isRead;
      case 'feed':
        return path.endsWith('/alerts');
      case 'engineer':
        return method === 'GET' && isOfTheService;
      default:
        return true;
    }
  }

  for (const as of ['viewer', 'feed', 'engineer'] as const) {
    it(`lets ${as} do what that role may, and nothing else`, async () => {
      let refused = 0;
      for (const { method, path, body } of await everyRequest(house, scene)) {
        const reply = await house.ask(method, path, body, { as });
        if (isAllowed(as, method, path)) {
          // After twenty refusals within a minute the role that may not act is locked out.
          if (refused < 20) assert.ok(reply.status < 300, `${method} ${path}: ${reply.status}`);
          continue;
        }
        refused += 1;
        if (refused <= 20) assertProblem(reply, 403, 'forbidden');
        else assertProblem(reply, 429, 'too-many-requests');
      }
      assert.equal((await house.incident(theirs)).verdict.level, 3);
    });
  }

  it('is said of each route in the OpenAPI document, role by role', async () => {
    const { paths } = (await house.get('/openapi.json')).body;
    let seen = 0;
    for (const [template, operations] of Object.entries<Record<string, { 'x-roles': string[] }>>(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        for (const role of operatorRoles) {
          const path = template.replace('/mailbox/attention/{id}', '/held');
          assert.equal(
            operation['x-roles'].includes(role),
            isAllowed(role, method.toUpperCase(), path),
            `${method} ${template} as ${role}`,
          );
          seen += 1;
        }
      }
    }
    assert.equal(seen, routes.length * operatorRoles.length);
  });

  it('shows nothing of other customers to whoever is bound to one, as if they did not exist', async () => {
    const as = 'bound';
    const idsOf = ({ body }: Reply): string[] => body.items.map(({ id }: { id: string }) => id);
    assert.deepEqual(idsOf(await house.get('/v1/incidents', { as })), [ours]);
    assert.deepEqual(idsOf(await house.get(`/v1/incidents?customer=${globex}`, { as })), []);
    assert.deepEqual(idsOf(await house.get('/v1/queue', { as })), [ours]);
    assert.deepEqual(idsOf(await house.get(`/v1/queue?customer=${globex}`, { as })), []);
    assert.deepEqual((await house.get('/v1/devices', { as })).body.items, []);
    assert.deepEqual((await house.get(`/v1/devices?customer=${globex}`, { as })).body.items, []);

    const codes: Record<string, string> = {
      customers: 'unknown-customer',
      feeds: 'unknown-customer',
      incidents: 'unknown-incident',
      devices: 'unknown-device',
      exclusions: 'unknown-exclusion',
      inquiries: 'unknown-inquiry',
      mailbox: 'unknown-mail',
    };
    const onlyOurs = async (path: string, id: string) =>
      (await house.get(path, { as })).body.items.map((item: Record<string, unknown>) => item[id]);
    assert.deepEqual(await onlyOurs('/v1/customers', 'id'), [acme]);
    assert.deepEqual(await onlyOurs('/v1/feeds', 'customerId'), [acme]);

    assert.deepEqual(await onlyOurs('/v1/exclusions', 'customerId'), []);
    assert.deepEqual(await onlyOurs('/v1/inquiries', 'id'), []);
    assert.deepEqual(await onlyOurs('/v1/mailbox/attention', 'id'), []);

    const lists = [
      ...['/v1/incidents', '/v1/queue', '/v1/devices', '/v1/customers', '/v1/feeds', '/v1/exclusions'],
      ...['/v1/inquiries', '/v1/mailbox', '/v1/mailbox/attention', '/v1/audit', '/decode', '/encode'],
    ];
    const nobody = house.customer('globex').replace('globex', 'nobody');
    for (const { method, path, body } of await everyRequest(house, scene)) {
      if (lists.includes(path)) continue;
      const hidden = await house.ask(method, path, body, { as });
      assertProblem(hidden, 404, codes[path.split('/')[2] ?? ''] ?? '');
      // Told apart from what really does not exist by nothing but the name that was asked for.
      const absent = await house.ask(method, path.replace(globex, nobody), body, { as });
      assert.deepEqual(shape(hidden), { ...shape(absent), detail: shape(absent).detail.replace(nobody, globex) });
    }
    assert.equal((await house.get(at(ours), { as })).status, 200);
    await house.command(ours, 'notes', { text: 'mine' }, { as });
    assert.equal((await house.incident(ours)).timeline.at(-1).actor, 'bound');
    assert.equal((await house.incident(theirs)).verdict.level, 3);
  });

  function shape({ status, body }: Reply): { status: number; code: string; detail: string } {
    return { status, code: body.code, detail: body.detail };
  }

  it('serves a hundred requests at once to whoever has a token', async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => house.get(at(ours), { as: 'analyst' })));
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
  });
});

describe('what every answer carries', () => {
  let app: LoneApp;
  let logged = '';
  const log = pino(
    { level: 'trace' },
    new Writable({
      write(chunk, _encoding, done) {
        logged += String(chunk);
        done();
      },
    }),
  );
  before(async () => {
    app = await startApp({ log });
  });
  after(() => app.close());

  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`${app.url}${path}`, { ...init, headers: { Authorization: `Bearer ${APP_TOKEN}`, ...headers } });

  it('the headers that keep a browser safe', async () => {
    for (const path of ['/healthz', '/docs', '/openapi.json', '/v1/incidents?limit=x', '/nothing']) {
      const { headers } = await ask(path);
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/, path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.match(headers.get('x-frame-options') ?? '', /SAMEORIGIN|DENY/);
      assert.equal(headers.get('x-powered-by'), null);
    }
    assert.equal((await ask('/v1/incidents?limit=x')).headers.get('cache-control'), 'no-store');
  });

  it("the caller's request id, or one of its own where that cannot be used", async () => {
    const given = await ask('/nothing', { 'X-Request-Id': 'trace.me_1-2' });
    assert.equal(given.headers.get('x-request-id'), 'trace.me_1-2');
    assert.equal(problemSchema.parse(await given.json()).requestId, 'trace.me_1-2');
    const made = new Set<string | null>();
    for (const id of ['', 'a b', '<script>', 'x'.repeat(65)]) {
      const { headers } = await ask('/healthz', { 'X-Request-Id': id });
      assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      made.add(headers.get('x-request-id'));
    }
    assert.equal(made.size, 4);
  });

  it('refuses telephone callbacks that Twilio has not signed', async () => {
    for (const hook of ['voice', 'status']) {
      for (const body of ['CallSid=1&CallStatus=completed', '', 'a=1&'.repeat(2_000), 'x'.repeat(100_000)]) {
        const path = `/webhooks/twilio/${hook}?customer=${app.customer}&attempt=1`;
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Twilio-Signature': 'forged' };
        const reply = await ask(path, headers, { method: 'POST', body });
        assert.ok([403, 413].includes(reply.status), `${reply.status}`);
        assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/);
      }
    }
  });

  it('answers 429 to whoever guesses tokens, and still lets in whoever has one', async () => {
    const guess = () => ask('/v1/incidents?limit=x', { Authorization: 'Bearer a-guess-of-mine' });
    const replies: Response[] = [];
    for (let count = 0; count < 60; count += 1) replies.push(await guess());
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [401, 429]);
    const last = replies.at(-1);
    assert.match(last?.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(problemSchema.parse(await last?.json()).code, 'too-many-requests');
    assert.ok(Number(last?.headers.get('retry-after')) > 0);
    assert.equal((await ask('/v1/incidents?limit=x')).status, 422);
    assert.equal((await ask('/healthz')).status, 200);
  });

  it('logs every request and never a token', async () => {
    await ask('/v1/incidents?limit=x', { 'X-Request-Id': 'look-for-me' });
    await until('logged', () => (logged.includes('look-for-me') ? true : undefined));
    assert.ok(!logged.includes(APP_TOKEN));
    assert.ok(!logged.includes('a-guess-of-mine'));
    assert.ok(!logged.includes('secret-of-twilio'));
  });
});
