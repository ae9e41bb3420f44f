import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { House, polledCustomers, type Reply } from '../support/house.js';

const ALERTS = Number(process.env['FEED_ALERTS'] ?? 600);
const IN_SCOPE = ALERTS / 40;
const UPDATES = 3;

describe('a tenant with a backlog, half of whose pages are throttled', function () {
  this.timeout(60_000 + ALERTS * 60);
  let house: House;
  let acme: string;
  before(async () => {
    house = await House.open({ customers: polledCustomers().slice(0, 1), feeds: true });
    acme = house.customer('acme');
  });
  after(() => house.close());

  const tenant = (path: string) => `/sim/tenants/${house.tenantOf(acme)}/${path}`;
  const feed = async (): Promise<Reply['body']> => (await house.get('/v1/feeds')).body.items[0];
  const open = async () => (await house.get(`/v1/customers/${acme}`)).body.openIncidents;

  it('ends with an incident for each alert, the right ones open, and counts that add up', async () => {
    // Devices that the alert alone does not keep out are looked up: those calls are not what this is about.
    await house.control('PATCH', `/sim/tenants/${house.tenantOf(acme)}`, {
      callsPerMinute: 10_000,
      callsPerHour: 100_000,
    });
    const throttle = (times: number) =>
      house.control('POST', '/sim/faults', {
        target: 'defender',
        path: '/api/alerts',
        status: 429,
        retryAfterSeconds: 1,
        times,
      });
    await throttle(1);
    const startedMs = Date.now();
    const raised = await house.control('POST', tenant('alerts/bulk'), { count: ALERTS, inScope: IN_SCOPE });
    assert.equal(raised.alertIds.inScope.length, IN_SCOPE);
    await until(
      'every alert has been seen',
      async () => ((await feed()).alerts.opened >= ALERTS ? true : undefined),
      ALERTS * 50 + 30_000,
    );
    process.stdout.write(`    ${ALERTS} alerts in ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`);
    for (let update = 0; update < UPDATES; update += 1) {
      await throttle(1);
      await house.control('POST', tenant('alerts/bulk-update'), { changes: { assignedTo: `somebody-${update}` } });
      const updatedMs = Date.now();
      await until(
        'the changes have been seen',
        async () => {
          const { alerts, backlog } = await feed();
          return alerts.seen >= ALERTS * (update + 2) && backlog === false ? true : undefined;
        },
        ALERTS * 50 + 30_000,
      );
      process.stdout.write(`    changes of ${ALERTS} in ${((Date.now() - updatedMs) / 1000).toFixed(1)} s\n`);
    }
    const { alerts, error } = await feed();
    const { seen, ...parts } = alerts;
    assert.equal(
      Object.values<number>(parts).reduce((sum, part) => sum + part),
      seen,
    );
    assert.deepEqual([alerts.opened, alerts.rejected, alerts.refused, error], [ALERTS, 0, 0, null]);
    const counts = await until('the lists have caught up', async () => {
      const now = await open();
      return now['awaiting-triage'] === IN_SCOPE ? now : undefined;
    });
    assert.deepEqual([counts.responding, counts.notified, counts.closed], [0, 0, 0]);
    for (const id of raised.alertIds.outOfScope.slice(0, 10)) {
      const incident = await house.incident(`incident:${acme}:${id}`);
      assert.equal(incident.stage, 'closed');
      assert.ok(['out-of-scope', 'neutralised'].includes(incident.closeReason), incident.closeReason);
    }
  });
});
