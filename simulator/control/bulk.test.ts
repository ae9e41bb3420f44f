import assert from 'node:assert/strict';
import { z } from 'zod';
import { Bench, errorSchema, listOf, send } from '../testing.js';

const raisedSchema = z.object({
  count: z.number(),
  inScope: z.number(),
  alertIds: z.object({ inScope: z.array(z.string()), outOfScope: z.array(z.string()) }),
});

const alertSchema = z.object({
  id: z.string(),
  severity: z.string(),
  detectionSource: z.string(),
  investigationState: z.string(),
  machineId: z.string(),
  title: z.string(),
  category: z.string(),
  alertCreationTime: z.string(),
  lastUpdateTime: z.string(),
  evidence: z.array(z.object({ entityType: z.string(), detectionStatus: z.string().nullable() })),
});
type Alert = z.output<typeof alertSchema>;
const pageSchema = z.object({ value: z.array(alertSchema) });
const problemSchema = z.object({ errors: z.array(z.object({ path: z.string() })) });

const pageSize = 500;

describe('Alerts in bulk', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));

  const raise = async (wanted: object) => {
    const answer = await bench.tenantControl('POST', '/alerts/bulk', wanted);
    assert.equal(answer.status, 201, answer.text);
    return answer.json(raisedSchema);
  };

  const all = async () => (await bench.tenantControl('GET', '/alerts')).json(listOf(alertSchema)).items;

  const platforms = async () => {
    const machines = z.object({ id: z.string(), osPlatform: z.string() });
    const items = (await bench.tenantControl('GET', '/machines')).json(listOf(machines)).items;
    return new Map(items.map(({ id, osPlatform }) => [id, osPlatform]));
  };

  it('raises as many in scope as wanted, the others out of it for every reason', async () => {
    const { count, inScope, alertIds } = await raise({ count: 200, inScope: 60 });
    assert.deepEqual([count, inScope, alertIds.inScope.length, alertIds.outOfScope.length], [200, 60, 60, 140]);
    const system = await platforms();
    const reasonsOutside = (alert: Alert): string[] => {
      const judged = alert.evidence.filter(({ entityType }) => entityType !== 'User' && entityType !== 'Ip');
      assert.ok(judged.length > 0, alert.title);
      return [
        ...(['Medium', 'High'].includes(alert.severity) ? [] : [alert.severity]),
        ...(alert.detectionSource === 'WindowsDefenderAtp' ? [] : [alert.detectionSource]),
        ...(system.get(alert.machineId)?.startsWith('Windows') === true ? [] : ['system']),
        ...(judged.every(({ detectionStatus }) => detectionStatus !== 'Detected') ? ['stopped'] : []),
        ...(alert.investigationState === 'SuccessfullyRemediated' ? ['remediated'] : []),
      ];
    };
    const byId = new Map((await all()).map((alert) => [alert.id, alert]));
    const reasons = (ids: readonly string[]) =>
      ids.map((id) => {
        const alert = byId.get(id);
        assert.ok(alert !== undefined);
        return reasonsOutside(alert).join();
      });
    assert.deepEqual(new Set(reasons(alertIds.inScope)), new Set(['']));
    assert.deepEqual(
      new Set(reasons(alertIds.outOfScope)),
      new Set(['Low', 'Informational', 'WindowsDefenderAv', 'CustomDetection', 'system', 'stopped', 'remediated']),
    );
    assert.ok(new Set([...byId.values()].map(({ title }) => title)).size >= 10);
  });

  it('spreads them over the time that is named, or the last hour', async () => {
    const from = '2026-03-01T00:00:00Z';
    const until = '2026-03-01T09:00:00+09:00';
    assert.equal((await bench.tenantControl('POST', '/alerts/bulk', { count: 1, from, until })).status, 201);
    await bench.control('POST', '/reset');
    await raise({ count: 50, from: '2026-03-01T00:00:00Z', until: '2026-03-01T02:00:00Z' });
    const alerts = await all();
    const times = alerts.flatMap(({ alertCreationTime, lastUpdateTime }) => [alertCreationTime, lastUpdateTime]);
    assert.ok(times.every((time) => time >= '2026-03-01T00:00:00' && time <= '2026-03-01T02:00:00'));
    assert.ok(alerts.every(({ alertCreationTime, lastUpdateTime }) => alertCreationTime <= lastUpdateTime));
    assert.ok(times.some((time) => time < '2026-03-01T00:20') && times.some((time) => time > '2026-03-01T01:40'));

    await bench.control('POST', '/reset');
    const startedMs = Date.now();
    await raise({ count: 10 });
    for (const { alertCreationTime } of await all()) {
      const ageMs = startedMs - Date.parse(alertCreationTime);
      assert.ok(ageMs > -1000 && ageMs <= 3_600_000, alertCreationTime);
    }
  });

  it('raises the same for the same seed', async () => {
    const told = async (seed: number) => {
      await bench.control('POST', '/reset');
      await raise({ count: 30, seed, until: '2026-03-01T00:00:00Z' });
      return (await all()).map((alert) => ({ ...alert, id: undefined }));
    };
    const first = await told(7);
    assert.deepEqual(await told(7), first);
    assert.notDeepEqual(await told(8), first);
  });

  it('moves many at once, each to now, with the changes that are named', async () => {
    const { alertIds } = await raise({ count: 20, inScope: 5, until: '2026-03-01T00:00:00Z' });
    const before = new Date().toISOString();
    const changed = await bench.tenantControl('POST', '/alerts/bulk-update', {
      alertIds: alertIds.inScope,
      changes: { severity: 'High', status: 'InProgress' },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.json(z.object({ count: z.number(), alertIds: z.array(z.string()) })), {
      count: 5,
      alertIds: alertIds.inScope,
    });
    const moved = (await all()).filter(({ lastUpdateTime }) => lastUpdateTime >= before);
    assert.deepEqual(new Set(moved.map(({ id }) => id)), new Set(alertIds.inScope));
    assert.equal(new Set(moved.map(({ lastUpdateTime }) => lastUpdateTime)).size, 5);
    assert.ok(moved.every(({ severity }) => severity === 'High'));
    await bench.tenantControl('POST', '/alerts/bulk-update');
    assert.ok((await all()).every(({ lastUpdateTime }) => lastUpdateTime >= before));
  });

  const wrong: [string, object, string[]][] = [
    ['/alerts/bulk', {}, ['count']],
    ['/alerts/bulk', { count: 2, inScope: 3 }, ['inScope']],
    ['/alerts/bulk', { count: 2, from: '2026-03-02T00:00:00Z', until: '2026-03-01T00:00:00Z' }, ['from']],
    ['/alerts/bulk', { count: 2, until: 'now' }, ['until']],
    ['/alerts/bulk-update', { alertIds: ['da1_1'] }, ['alertIds.0']],
    ['/alerts/bulk-update', { changes: { id: 'da1_1' } }, ['changes.id']],
  ];
  for (const [path, body, fields] of wrong)
    it(`names what is wrong in ${path} ${JSON.stringify(body)}`, async () => {
      const answer = await bench.tenantControl('POST', path, body);
      assert.equal(answer.status, 422);
      assert.deepEqual(
        answer.json(problemSchema).errors.map((error) => error.path),
        fields,
      );
    });

  describe('of a tenant with 12,000', () => {
    const count = 12_000;
    let authorization = '';
    let ids = new Set<string>();

    beforeEach(async () => {
      await bench.tenantControl('PATCH', '', { callsPerMinute: 1000, callsPerHour: 10_000 });
      authorization = `Bearer ${await bench.token()}`;
      const { alertIds } = await raise({ count, inScope: 3000 });
      ids = new Set([...alertIds.inScope, ...alertIds.outOfScope]);
    });

    const page = async (query: string) =>
      send('GET', `${bench.simulator.url}/api/alerts?${query}`, { headers: { authorization } });

    it('pages come quickly, and hold each alert once', async () => {
      const tookMs: number[] = [];
      const seen: string[] = [];
      const hourAgo = new Date(Date.now() - 2 * 3_600_000).toISOString();
      for (let skip = 0; ; skip += pageSize) {
        const query = `$filter=lastUpdateTime ge ${hourAgo}&$expand=evidence&$top=${pageSize}&$skip=${skip}`;
        const startedMs = performance.now();
        const answer = await page(query);
        tookMs.push(performance.now() - startedMs);
        const { value } = answer.json(pageSchema);
        assert.doesNotMatch(answer.text, /nextLink/);
        assert.ok(value.every(({ evidence }) => evidence.length > 0));
        seen.push(...value.map(({ id }) => id));
        if (value.length < pageSize) break;
      }
      assert.equal(seen.length, count);
      assert.deepEqual(new Set(seen), ids);
      const [quickestMs = 0] = tookMs.toSorted((a, b) => a - b);
      // The quickest: a machine that is busy with something else delays most of them.
      assert.ok(quickestMs < 250, `${quickestMs} ms`);
    });

    it('the largest page is 10,000: more is an error, and who names none gets the link to the next', async () => {
      const linkSchema = z.object({ '@odata.nextLink': z.string(), value: z.array(z.unknown()) });
      const first = (await page('$filter=severity ne null')).json(linkSchema);
      assert.equal(first.value.length, 10_000);
      const rest = await send('GET', first['@odata.nextLink'], { headers: { authorization } });
      assert.equal(rest.json(pageSchema).value.length, 2000);
      assert.doesNotMatch(rest.text, /nextLink/);
      const beyond = await page('$top=10001');
      assert.equal(beyond.status, 400);
      assert.equal(beyond.json(errorSchema).error.code, 'ODataError');
      assert.doesNotMatch((await page('$top=10000')).text, /nextLink/);
      assert.equal((await page('$top=500&$skip=20000')).json(pageSchema).value.length, 0);
    });
  });
});
