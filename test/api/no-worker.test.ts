import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { APP_TOKEN, startApp, type LoneApp } from '../support/app.js';
import { House, verdict, type Reply } from '../support/house.js';

const ANSWERED_WITHIN_MS = 10_000;

async function inTime<T>(what: string, ask: () => Promise<T>): Promise<T> {
  const startMs = Date.now();
  const answer = await ask();
  const tookMs = Date.now() - startMs;
  assert.ok(tookMs < ANSWERED_WITHIN_MS, `${what} took ${tookMs} ms`);
  return answer;
}

function assertUnavailable({ status, headers, body }: Reply, code: string): void {
  assert.equal(status, 503, JSON.stringify(body));
  assert.equal(body.code, code);
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.ok(Number(headers.get('retry-after')) > 0);
}

describe('a house whose worker is away', () => {
  let house: House;
  let acme = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  it('takes alerts, shows what it knows, and carries out no command that it has refused', async function () {
    this.timeout(60_000);
    const { id: known } = await house.alert(acme, { title: 'Before the outage' });
    await house.incidentWhen(known, 'looked up', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'device-known'),
    );
    const judged = await house.alert(acme, { title: 'Judged before the outage' });
    await house.command(judged.id, 'triage', verdict(2));
    await house.incidentWhen(judged.id, 'told', ({ stage }) => stage === 'notified');
    await house.stopWorker();

    // Each waits for its own deadline: all at once, so that they are in time also together.
    const path = `/v1/incidents/${encodeURIComponent(known)}`;
    const keyed = { headers: { 'Idempotency-Key': 'once' } };
    const [posted, triaged, noted, assigned, closed, released, one, list, queue, devices, device] = await Promise.all([
      inTime('POST of an alert', () => house.alert(acme, { title: 'During the outage' })),
      inTime('triage', () => house.post(`${path}/triage`, verdict(3))),
      inTime('notes', () => house.post(`${path}/notes`, { text: 'with a key' }, keyed)),
      inTime('assign', () => house.post(`${path}/assign`, { operatorId: 'analyst' })),
      inTime('close', () => house.post(`/v1/incidents/${encodeURIComponent(judged.id)}/close`, { reason: 'done' })),
      inTime('release', () => house.post(`${path}/release`, { instruction: instructionNow() })),
      inTime('GET of the incident', () => house.get(path)),
      inTime('the list', () => house.get(`/v1/incidents?customer=${acme}`)),
      inTime('the queue', () => house.get(`/v1/queue?customer=${acme}`)),
      inTime('the devices', () => house.get(`/v1/devices?customer=${acme}`)),
      inTime('a device', () => house.get(`/v1/devices/${acme}/${judged.alert.machineId}`)),
    ]);
    for (const reply of [triaged, noted, assigned, closed, released]) assertUnavailable(reply, 'worker-unavailable');
    assert.equal(one.status, 200);
    assert.equal(one.body.partial, true);
    assert.equal(one.body.title, 'Before the outage');
    assert.equal(one.body.stage, 'awaiting-triage');
    assert.equal(one.headers.get('etag'), null);
    assert.equal(list.status, 200);
    const titles = (reply: Reply): string[] => reply.body.items.map(({ title }: { title: string }) => title);
    for (const title of ['Before the outage', 'Judged before the outage']) assert.ok(titles(list).includes(title));
    assert.equal(queue.status, 200);
    assert.ok(titles(queue).includes('Before the outage'));
    assert.equal(devices.status, 200);
    assert.equal(device.status, 200);
    assert.equal(device.body.isolation, 'none');

    const fresh = await inTime('the new alert', () => house.incident(posted.id));
    assert.equal(fresh.partial, true);
    assert.equal(fresh.stage, 'awaiting-triage');
    assert.deepEqual((await house.get('/healthz')).status, 200);

    await house.startWorker();
    await house.incidentWhen(posted.id, 'analysed', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'device-known'),
    );
    // The worker has taken up the others too once it has done something new for them.
    const headers = { 'Idempotency-Key': 'once' };
    const first = await house.command(known, 'notes', { text: 'with a key' }, { headers });
    const again = await house.command(known, 'notes', { text: 'with a key' }, { headers });
    assert.deepEqual(again.accepted, first.accepted);
    await house.command(judged.id, 'notes', { text: 'afterwards' });

    const after = await house.incident(known);
    assert.equal(after.partial, undefined);
    assert.equal(after.verdict, null);
    assert.equal(after.assignee, null);
    const types: string[] = after.timeline.map(({ type }: { type: string }) => type);
    assert.equal(types.filter((type) => type === 'note').length, 1);
    assert.ok(!types.includes('verdict') && !types.includes('assigned'), types.join());
    assert.equal((await house.incident(judged.id)).stage, 'notified');
    assert.deepEqual(await house.actions(acme), []);
    assert.deepEqual(await house.mailKinds(known), []);
  });
});

function instructionNow() {
  return { by: 'sato', channel: 'mail', receivedAt: new Date().toISOString(), words: '解除してください。' };
}

describe('a house that begins without a worker', () => {
  let house: House;
  before(async () => {
    house = await House.open({ worker: false });
  });
  after(() => house.close());

  it('says that the worker is missing, and is ready once it has come', async () => {
    const { status, body } = await house.get('/readyz');
    assert.equal(status, 503);
    assert.deepEqual(body, { ready: false, missing: ['worker'] });
    await house.startWorker();
    const ready = await until('ready', async () => {
      const reply = await house.get('/readyz');
      return reply.status === 200 ? reply.body : undefined;
    });
    // No house on the server that the tests share has an auditor.
    assert.deepEqual(ready, { ready: true, missing: ['auditor', 'archiver'] });
  });
});

describe('an API that cannot reach Temporal', () => {
  let app: LoneApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.close());

  async function ask(method: string, path: string, body?: unknown): Promise<Reply> {
    const response = await fetch(`${app.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${APP_TOKEN}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  it('says so for everything, in time', async () => {
    const id = `/v1/incidents/incident:${app.customer}:da-1`;
    const requests: [string, string, unknown?][] = [
      ['POST', `/v1/customers/${app.customer}/alerts`, { id: 'da-1', alertCreationTime: '2026-01-01T00:00:00Z' }],
      ['GET', '/v1/incidents'],
      ['GET', '/v1/queue'],
      ['GET', id],
      ['POST', `${id}/triage`, verdict(3)],
      ['POST', `${id}/escalations`, { message: 'm' }],
      ['POST', `${id}/answers`, { by: 'a', channel: 'mail', receivedAt: '2026-01-01T00:00:00Z', words: 'w' }],
      ['POST', `${id}/release`, { instruction: instructionNow() }],
      ['POST', `${id}/assign`, { operatorId: null }],
      ['POST', `${id}/notes`, { text: 'n' }],
      ['POST', `${id}/close`, { reason: 'r' }],
      ['POST', `${id}/reopen`, { reason: 'r' }],
      ['GET', '/v1/devices'],
      ['GET', `/v1/devices/${app.customer}/m`],
      ['POST', `/v1/devices/${app.customer}/m/release`, { instruction: instructionNow() }],
    ];
    const replies = await Promise.all(
      requests.map(([method, path, body]) => inTime(`${method} ${path}`, () => ask(method, path, body))),
    );
    for (const reply of replies) assertUnavailable(reply, 'temporal-unavailable');
  });

  it('refuses bad input all the same, and lives', async () => {
    const bad = await ask('POST', `/v1/incidents/incident:${app.customer}:da-1/triage`, { ...verdict(3), level: 9 });
    assert.equal(bad.status, 422);
    const ready = await inTime('readyz', () => ask('GET', '/readyz'));
    assert.equal(ready.status, 503);
    assert.equal(ready.body.ready, false);
    assert.ok(ready.body.missing.includes('temporal'));
    assert.deepEqual((await ask('GET', '/healthz')).body, { status: 'ok' });
    assert.equal((await ask('GET', '/openapi.json')).status, 200);
  });
});
