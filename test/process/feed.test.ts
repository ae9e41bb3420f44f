import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { feedWorkflowId } from '../../src/domain/feed/view.js';
import { HOUR_MS, toInstant } from '../../src/domain/time.js';
import { signalRunning } from '../../src/temporal/executions.js';
import { ensureFeeds, tryRejectedAgain } from '../../src/temporal/feeds.js';
import { setGoing } from '../../src/temporal/set-going.js';
import { tryAgainSignal } from '../../src/workflows/messages.js';
import { House, polledCustomers, type Reply } from '../support/house.js';

describe('alerts that come in by themselves', function () {
  this.timeout(120_000);
  let house: House;
  let acme: string;
  let globex: string;
  before(async () => {
    house = await House.open({ customers: polledCustomers(), feeds: true });
    acme = house.customer('acme');
    globex = house.customer('globex');
  });
  after(() => house.close());

  const feedOf = async (customerId: string): Promise<Reply['body']> => {
    const { body } = await house.get('/v1/feeds');
    return body.items.find((item: Reply['body']) => item.customerId === customerId);
  };
  const feedWhen = (customerId: string, what: string, holds: (feed: Reply['body']) => boolean) =>
    until(
      `the feed of ${customerId}: ${what}`,
      async () => {
        const feed = await feedOf(customerId);
        return holds(feed) ? feed : undefined;
      },
      30_000,
    );
  const idOf = (customerId: string, alert: Reply['body']) => `incident:${customerId}:${alert.id}`;
  const opened = (customerId: string, alert: Reply['body'], timeoutMs = 20_000) =>
    until(
      `${alert.id} is an incident`,
      async () => {
        const reply = await house.get(`/v1/incidents/${encodeURIComponent(idOf(customerId, alert))}`);
        return reply.status === 200 ? reply.body : undefined;
      },
      timeoutMs,
    );
  const change = (customerId: string, alert: Reply['body'], changes: Record<string, unknown>) =>
    house.control('PATCH', `/sim/tenants/${house.tenantOf(customerId)}/alerts/${alert.id}`, changes);

  it('become incidents of their own customers, in scope or not, and changes follow', async () => {
    const alert = await house.raise(acme, { title: 'Came by itself', severity: 'Low' });
    const other = await house.raise(globex, { title: 'Another tenant’s' });
    const low = await opened(acme, alert);
    assert.deepEqual([low.customerId, low.title, low.closeReason], [acme, 'Came by itself', 'out-of-scope']);
    assert.equal((await opened(globex, other)).customerId, globex);
    // What the alert alone keeps out is cheap: few events, and Defender is not asked for the device.
    const { events } = await house.client.workflow.getHandle(idOf(acme, alert)).fetchHistory();
    assert.ok((events ?? []).length <= 8, `${events?.length} events`);
    const { items: requests } = await house.control('GET', '/sim/requests?target=defender');
    assert.ok(!requests.some(({ path }: Reply['body']) => path.includes(alert.machineId)));
    await change(acme, alert, { severity: 'High' });
    const raised = await house.incidentWhen(idOf(acme, alert), 'open', ({ stage }) => stage === 'awaiting-triage');
    assert.equal(raised.slo.state, 'running');
    const feed = await feedWhen(acme, 'has seen both versions', ({ alerts }) => alerts.seen >= 2);
    assert.deepEqual([feed.state, feed.error, feed.backlog], ['running', null, false]);
    const { seen, ...parts } = feed.alerts;
    assert.equal(
      Object.values<number>(parts).reduce((sum, part) => sum + part),
      seen,
    );
  });

  it('cost no history while nothing new comes', async () => {
    const events = async () => {
      const { history } = await house.client.workflow
        .getHandle(feedWorkflowId(acme))
        .fetchHistory()
        .then(({ events: all }) => ({ history: all ?? [] }));
      return history.length;
    };
    const before = await events();
    const { lastSuccessAt } = await feedOf(acme);
    await feedWhen(
      acme,
      'has polled twice more',
      (feed) => Date.parse(feed.lastSuccessAt) >= Date.parse(lastSuccessAt) + 8_000,
    );
    assert.equal(await events(), before);
  });

  it('one that cannot be read is kept whole and told, the rest of its page goes on', async () => {
    const odd = await house.raise(globex, { alertCreationTime: 'the day before', title: 'An odd one' });
    const plain = await house.raise(globex, { title: 'A plain one' });
    await opened(globex, plain);
    const rejected = await until('it is kept aside', async () => {
      const { body } = await house.get(`/v1/feeds/${globex}/rejected`);
      return body.items.length > 0 ? body.items : undefined;
    });
    assert.deepEqual(
      rejected.map(({ alertId, reason, errors }: Reply['body']) => [alertId, reason, errors[0].path]),
      [[odd.id, 'not-understood', 'alertCreationTime']],
    );
    assert.deepEqual(JSON.parse(rejected[0].raw), odd);
    const mail = await until('the SOC is told', async () =>
      (await house.mails()).find(({ subject }) => subject.includes('Alerts kept aside')),
    );
    assert.deepEqual(mail.to, ['soc@mimamori.example']);
    assert.ok(mail.text.includes(`GET /v1/feeds/${globex}/rejected`));
    assert.equal((await feedOf(globex)).alerts.rejected, 1);
    // Tried again by the same software: still kept.
    await tryRejectedAgain(house.client);
    await until('it was tried again', async () => {
      const { body } = await house.get(`/v1/feeds/${globex}/rejected`);
      return body.items[0]?.triedAt > rejected[0].triedAt ? true : undefined;
    });
  });

  it('a change of an alert whose incident was stopped is kept, and passed on once that is set going again', async () => {
    const alert = await house.raise(acme, { title: 'Stopped meanwhile' });
    const id = idOf(acme, alert);
    await opened(acme, alert);
    await house.client.workflow.getHandle(id).terminate('a slip of the hand');
    await change(acme, alert, { title: 'Its newer version' });
    await until(
      'its change is kept aside',
      async () => {
        const { body } = await house.get(`/v1/feeds/${acme}/rejected`);
        return body.items.find(
          (item: Reply['body']) => item.alertId === alert.id && item.reason === 'incident-stopped',
        );
      },
      20_000,
    );
    await setGoing(house.client, id);
    await tryRejectedAgain(house.client);
    await house.incidentWhen(id, 'updated', ({ title }) => title === 'Its newer version');
    await until('nothing is kept of it', async () => {
      const { body } = await house.get(`/v1/feeds/${acme}/rejected`);
      return body.items.length === 0 ? true : undefined;
    });
  });

  it('one tenant’s refusal is its own, is said in the API at once, and is over when it is mended', async () => {
    const tenant = `/sim/tenants/${house.tenantOf(acme)}`;
    await house.control('PATCH', tenant, { roles: ['Machine.Read.All'] });
    // A token that was given out before holds what it held.
    await house.control('POST', '/sim/faults', {
      target: 'defender',
      tenantId: house.tenantOf(acme),
      times: 1,
      status: 401,
    });
    const refused = await feedWhen(acme, 'is refused', ({ error }) => error !== null);
    assert.equal(refused.error.code, 'Forbidden');
    const other = await house.raise(globex, { title: 'Meanwhile elsewhere' });
    await opened(globex, other);
    assert.equal((await feedOf(globex)).error, null);
    const waiting = await house.raise(acme, { title: 'Waits' });
    await house.control('PATCH', tenant, { roles: ['Alert.Read.All', 'Machine.Read.All', 'Machine.Isolate'] });
    await house.control('POST', '/sim/faults', {
      target: 'defender',
      tenantId: house.tenantOf(acme),
      times: 1,
      status: 401,
    });
    // The feed's own pause may have grown to twenty seconds.
    await opened(acme, waiting, 60_000);
    await feedWhen(acme, 'is well', ({ error }) => error === null);
  });

  it('an alert from before what is remembered is refused and shown, and opens nothing', async () => {
    const old = await house.raise(acme, { alertCreationTime: '2020-01-01T00:00:00Z', title: 'Very old' });
    const feed = await feedWhen(acme, 'has refused it', ({ refused }) => refused.length > 0);
    assert.equal(feed.refused[0].alertId, old.id);
    const { status } = await house.get(`/v1/incidents/${encodeURIComponent(idOf(acme, old))}`);
    assert.equal(status, 404);
  });

  describe('where they stood', () => {
    let initech: string;
    before(async () => {
      initech = house.customer('tuning');
      await feedWhen(initech, 'has begun', ({ lastSuccessAt }) => lastSuccessAt !== null);
      // What comes from hours ago comes because the feed knows where it stood, not because a new one looks back.
      await house.stopWorker();
      house.feedLookBackMs = 0;
    });

    const raiseAgo = (hours: number, title: string) => {
      const at = toInstant(Date.now() - hours * HOUR_MS);
      return house.raise(initech, { title, severity: 'Low', alertCreationTime: at, lastUpdateTime: at });
    };
    const eventsOf = async (alert: Reply['body']) =>
      (await house.client.workflow.getHandle(idOf(initech, alert)).fetchHistory()).events?.length;
    /** As a worker does it every minute: the list that it asks lags. */
    const begun = () =>
      until('the feed has begun', async () => {
        await ensureFeeds(house, house.policies.customerIds());
        const { status } = await house.client.workflow.getHandle(feedWorkflowId(initech)).describe();
        return status.name === 'RUNNING' ? true : undefined;
      });

    it('they go on for a customer who leaves the file and comes back', async () => {
      const known = await raiseAgo(3, 'Known before');
      await house.startWorker();
      await opened(initech, known);
      await feedWhen(initech, 'has counted it', ({ alerts }) => alerts.opened === 1);
      const events = await eventsOf(known);
      house.policies.replace(house.customers.filter(({ id }) => id !== initech));
      await until(
        'the feed has ended',
        async () => {
          const { status } = await house.client.workflow.getHandle(feedWorkflowId(initech)).describe();
          return status.name === 'COMPLETED' ? true : undefined;
        },
        15_000,
      );
      assert.equal(await feedOf(initech), undefined);
      assert.equal(await signalRunning(house.client, feedWorkflowId(initech), tryAgainSignal), false, 'runs no more');
      assert.equal(await signalRunning(house.client, feedWorkflowId('nobody'), tryAgainSignal), false, 'never ran');

      const missed = await raiseAgo(2, 'While the customer was away');
      house.policies.replace(house.customers);
      await begun();
      await opened(initech, missed);
      const { alerts } = await feedWhen(initech, 'has counted it', (feed) => feed.alerts.opened > 1);
      assert.equal(alerts.opened, 2);
      assert.equal(await eventsOf(known), events);
    });

    it('they go on after a slip of the hand, as far as that was written down', async () => {
      await house.client.workflow.getHandle(feedWorkflowId(initech)).terminate('a slip of the hand');
      assert.equal((await feedOf(initech)).state, 'stopped');
      const missed = await raiseAgo(1, 'While the feed was stopped');
      await begun();
      await opened(initech, missed);
      // Written down when the customer came back: what it took since then is taken, and counted, once more.
      const { alerts } = await feedWhen(initech, 'has counted it', (feed) => feed.alerts.opened > 2);
      assert.equal(alerts.opened, 3);
    });
  });
});
