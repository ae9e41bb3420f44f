import assert from 'node:assert/strict';
import { z } from 'zod';
import { Bench, errorSchema, send } from '../testing.js';

const alertSchema = z.looseObject({
  id: z.string(),
  machineId: z.string(),
  computerDnsName: z.string(),
  severity: z.string(),
  status: z.string(),
  lastUpdateTime: z.string(),
  alertCreationTime: z.string(),
  aadTenantId: z.string(),
  evidence: z.array(z.object({ entityType: z.string(), detectionStatus: z.string().nullable() })),
});
const alertsSchema = z.object({ '@odata.context': z.string(), value: z.array(alertSchema) });
const machinesSchema = z.object({ value: z.array(z.object({ id: z.string(), osPlatform: z.string() })) });

describe('Defender API', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));

  const raise = async (partial: object = {}) =>
    (await bench.tenantControl('POST', '/alerts', partial)).json(alertSchema);

  const alerts = async (query: string) => {
    const answer = await bench.defender('GET', `/api/alerts?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json(alertsSchema).value;
  };

  it('returns a raised alert, with evidence only for those who expand it', async () => {
    const raised = await raise();
    assert.match(raised.id, /^da\d{18}_-?\d+$/);
    assert.match(raised.machineId, /^[0-9a-f]{40}$/);
    assert.equal(raised.aadTenantId, bench.tenantId);
    const [bare] = await alerts('');
    assert.equal(bare?.id, raised.id);
    assert.deepEqual(bare.evidence, []);
    const [expanded] = await alerts('$expand=evidence');
    assert.equal(expanded?.evidence[0]?.detectionStatus, 'Detected');
  });

  it('serves /api/v1.0 alike, compressed, with the headers of the real one', async () => {
    await raise();
    const answer = await bench.defender('GET', '/api/v1.0/alerts');
    assert.equal(answer.json(alertsSchema).value.length, 1);
    assert.match(answer.headers.get('content-type') ?? '', /odata\.metadata=minimal/);
    assert.equal(answer.headers.get('content-encoding'), 'deflate');
    assert.ok(answer.headers.has('mise-correlation-id'));
  });

  it('filters by time to the last decimal', async () => {
    const first = await raise();
    const second = await raise();
    const ids = async (filter: string) => (await alerts(`$filter=${filter}`)).map((alert) => alert.id);
    assert.deepEqual(await ids(`lastUpdateTime ge ${first.lastUpdateTime}`), [second.id, first.id]);
    assert.deepEqual(await ids(`lastUpdateTime gt ${first.lastUpdateTime}`), [second.id]);
    assert.deepEqual(
      await ids('lastUpdateTime+ge+2019-11-22T00:00:00Z+and+lastUpdateTime+lt+2019-11-23T00:00:00Z'),
      [],
    );
  });

  it('lists alerts in whatever order the tenant has, and no more at once than it gives', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push((await raise()).id);
    const [first = ''] = ids;
    await bench.tenantControl('PATCH', `/alerts/${first}`, { severity: 'Low' });
    const listed = async (settings: object, query = '') => {
      await bench.tenantControl('PATCH', '', settings);
      return (await alerts(query)).map(({ id }) => id);
    };
    const changed = [...ids.slice(1), first];
    assert.deepEqual(await listed({ alertOrder: 'newest-created' }), ids.toReversed());
    assert.deepEqual(await listed({ alertOrder: 'oldest-updated' }), changed);
    assert.deepEqual(await listed({ alertOrder: 'newest-updated' }), changed.toReversed());
    const shuffled = await listed({ alertOrder: 'shuffled' });
    assert.deepEqual(shuffled.toSorted(), ids.toSorted());
    await bench.tenantControl('PATCH', `/alerts/${first}`, { severity: 'High' });
    assert.deepEqual(await listed({}), shuffled);
    assert.deepEqual(await listed({}, '$orderby=alertCreationTime asc'), ids);
    const few = { alertOrder: 'newest-created', alertsPerAnswer: 4 };
    assert.deepEqual(await listed(few, '$top=5&$skip=1'), ids.toReversed().slice(1, 5));
  });

  it('filters by the documented fields and refuses the others', async () => {
    await raise({ severity: 'Medium' });
    const high = await raise();
    const found = await alerts("$filter=(severity eq 'High' or severity eq 'Low') and status eq 'New'");
    assert.deepEqual(
      found.map((alert) => alert.id),
      [high.id],
    );
    for (const filter of [
      "computerDnsName eq 'x'",
      "lastUpdateTime ge '2019-11-22T00:00:00Z'",
      "severity eq 'High",
      'and',
    ]) {
      const answer = await bench.defender('GET', `/api/alerts?$filter=${encodeURIComponent(filter)}`);
      assert.equal(answer.status, 400, filter);
      assert.equal(answer.json(errorSchema).error.code, 'BadRequest');
    }
    assert.equal((await bench.defender('GET', '/api/alerts?$top=10001')).status, 400);
  });

  it('updates an alert: what is not named stays, lastUpdateTime moves', async () => {
    const raised = await raise({ assignedTo: 'taro' });
    const answer = await bench.defender('PATCH', `/api/alerts/${raised.id}`, { status: 'Resolved', comment: 'Seen' });
    assert.equal(answer.status, 200);
    const updated = answer.json(
      z.looseObject({
        status: z.string(),
        assignedTo: z.string(),
        lastUpdateTime: z.string(),
        resolvedTime: z.string(),
        comments: z.array(z.object({ comment: z.string() })),
      }),
    );
    assert.equal(updated.status, 'Resolved');
    assert.equal(updated.assignedTo, 'taro');
    assert.equal(updated.comments[0]?.comment, 'Seen');
    assert.ok(updated.lastUpdateTime > raised.lastUpdateTime);
    assert.equal((await bench.defender('PATCH', '/api/alerts/da1_1', { status: 'Resolved' })).status, 404);
    assert.equal((await bench.defender('GET', '/api/alerts/da1_1')).status, 404);
  });

  it('changes an alert as Defender itself would', async () => {
    const raised = await raise();
    await bench.tenantControl('PATCH', `/alerts/${raised.id}`, {
      investigationState: 'SuccessfullyRemediated',
      evidence: [{ entityType: 'File', detectionStatus: 'Prevented' }],
    });
    const [changed] = await alerts(`$expand=evidence&$filter=lastUpdateTime gt ${raised.lastUpdateTime}`);
    assert.equal(changed?.['investigationState'], 'SuccessfullyRemediated');
    assert.equal(changed.evidence[0]?.detectionStatus, 'Prevented');
  });

  it('knows a machine from its first mention on, and the tenant of each', async () => {
    const raised = await raise({ computerDnsName: 'pc-1.acme.example' });
    const byName = await bench.defender('GET', "/api/machines?$filter=computerDnsName eq 'pc-1.acme.example'");
    assert.deepEqual(byName.json(machinesSchema).value, [{ id: raised.machineId, osPlatform: 'Windows11' }]);
    assert.equal((await bench.defender('GET', `/api/machines/${raised.machineId}`)).status, 200);
    assert.equal((await bench.defender('GET', '/api/machines/pc-1.acme.example')).status, 200);
    assert.equal((await bench.defender('GET', `/api/machines/${'c'.repeat(40)}`)).status, 404);

    const otherTenant = '22222222-2222-4222-8222-222222222222';
    assert.equal(
      (await bench.defender('GET', `/api/machines/${raised.machineId}`, undefined, otherTenant)).status,
      404,
    );
  });

  it('keeps the name that a machine was given when an alert says another', async () => {
    const machineId = 'd'.repeat(40);
    await bench.tenantControl('PATCH', `/machines/${machineId}`, { computerDnsName: 'renamed' });
    await raise({ machineId, computerDnsName: 'old-name' });
    const answer = await bench.defender('GET', `/api/machines/${machineId}`);
    assert.equal(answer.json(z.object({ computerDnsName: z.string() })).computerDnsName, 'renamed');
  });

  it('answers 401 without a token and with a wrong one', async () => {
    for (const headers of [undefined, { authorization: 'Bearer a.b.c' }]) {
      const answer = await send('GET', `${bench.simulator.url}/api/alerts`, { headers });
      assert.equal(answer.status, 401);
      assert.equal(answer.json(errorSchema).error.code, 'Unauthorized');
    }
  });

  it('answers 403 where the role of the endpoint is missing', async () => {
    const { machineId } = await raise();
    await bench.tenantControl('PATCH', '', { roles: ['Alert.Read.All'] });
    assert.equal((await bench.defender('GET', '/api/alerts')).status, 200);
    for (const [method, path] of [
      ['GET', '/api/machines'],
      ['GET', '/api/machineactions'],
      ['POST', `/api/machines/${machineId}/isolate`],
      ['PATCH', '/api/alerts/x'],
    ] as const) {
      const answer = await bench.defender(method, path, method === 'GET' ? undefined : {});
      assert.equal(answer.status, 403, path);
      assert.equal(answer.json(errorSchema).error.code, 'Forbidden');
    }
  });

  it('answers 405 with an empty body and Allow', async () => {
    const answer = await bench.defender('GET', `/api/machines/${'a'.repeat(40)}/isolate`);
    assert.equal(answer.status, 405);
    assert.equal(answer.text, '');
    assert.equal(answer.headers.get('allow'), 'POST');
  });

  it('throttles each tenant on its own', async () => {
    await bench.tenantControl('PATCH', '', { callsPerMinute: 2 });
    const statuses = [];
    for (let count = 0; count < 2; count += 1) statuses.push((await bench.defender('GET', '/api/alerts')).status);
    assert.deepEqual(statuses, [200, 200]);
    const answer = await bench.defender('GET', '/api/machines');
    assert.equal(answer.status, 429);
    assert.equal(answer.json(errorSchema).error.code, 'TooManyRequests');
    const retryAfterSeconds = Number(answer.headers.get('retry-after'));
    assert.ok(retryAfterSeconds > 50 && retryAfterSeconds <= 60);
    const otherTenant = '22222222-2222-4222-8222-222222222222';
    assert.equal((await bench.defender('GET', '/api/alerts', undefined, otherTenant)).status, 200);
  });
});
