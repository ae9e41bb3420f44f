import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { tryRejectedAgain } from '../../src/temporal/feeds.js';
import { House, polledCustomers, type Reply } from '../support/house.js';

const POLLED_EVERY_MS = 5_000;

/** What can go wrong in one tenant, beside others whose alerts come in. */
describe('a feed in trouble', function () {
  this.timeout(90_000);
  let house: House;
  let acme: string;
  let globex: string;
  let initech: string;
  const settings = (customerId: string, changes: Record<string, unknown>) =>
    house.control('PATCH', `/sim/tenants/${house.tenantOf(customerId)}`, changes);

  before(async () => {
    const patience = { tellFeedAfterMs: 4_000 };
    house = await House.open({ customers: polledCustomers(), feeds: true, worker: false, patience });
    [acme, globex, initech] = [house.customer('acme'), house.customer('globex'), house.customer('tuning')];
    await settings(acme, { secret: 'wrong' });
  });
  after(() => house.close());

  const feedOf = async (customerId: string): Promise<Reply['body']> => {
    const { body } = await house.get('/v1/feeds');
    return body.items.find((item: Reply['body']) => item.customerId === customerId);
  };
  const feedWhen = (customerId: string, what: string, holds: (feed: Reply['body']) => boolean, timeoutMs = 30_000) =>
    until(
      `the feed of ${customerId}: ${what}`,
      async () => {
        const feed = await feedOf(customerId);
        return holds(feed) ? feed : undefined;
      },
      timeoutMs,
    );
  const opened = (customerId: string, alert: Reply['body'], timeoutMs = 20_000) =>
    until(
      `${alert.id} is an incident`,
      async () => {
        const reply = await house.get(`/v1/incidents/${encodeURIComponent(`incident:${customerId}:${alert.id}`)}`);
        return reply.status === 200 ? reply.body : undefined;
      },
      timeoutMs,
    );
  const rejectedOf = async (customerId: string): Promise<Reply['body'][]> =>
    (await house.get(`/v1/feeds/${customerId}/rejected`)).body.items;
  const mailsAbout = async (subject: string) =>
    (await house.mails()).filter((mail) => mail.subject.includes(subject) && mail.text.includes(acme));

  it('whose secret is wrong says so within seconds, and what to do; the others lag by nothing', async () => {
    await house.startWorker();
    const { error } = await feedWhen(acme, 'says so', (feed) => feed.error !== null, 10_000);
    assert.equal(error.code, 'AADSTS7000215');
    assert.match(error.meaning.en, /DEFENDER_CLIENT_SECRET/);
    assert.match(error.meaning.ja, /DEFENDER_CLIENT_SECRET/);
    assert.ok(error.message.includes('the client secret is wrong'));
    for (const customerId of [globex, initech]) {
      await feedWhen(customerId, 'has read its list', ({ lastSuccessAt }) => lastSuccessAt !== null);
      const alert = await house.raise(customerId, { title: 'Beside a wrong secret' });
      // Not held up by the other's back-off, which is longer each time.
      await opened(customerId, alert, 2 * POLLED_EVERY_MS);
      const feed = await feedOf(customerId);
      assert.equal(feed.error, null);
      assert.ok(feed.lagSeconds <= (2 * POLLED_EVERY_MS) / 1_000, `${feed.lagSeconds} s`);
    }
  });

  it('tells the SOC once when it has lasted, and once when it is over', async () => {
    const [trouble] = await until('the SOC is told', async () => {
      const found = await mailsAbout('No alerts:');
      return found.length > 0 ? found : undefined;
    });
    assert.ok(trouble);
    assert.deepEqual(trouble.to, ['soc@mimamori.example']);
    assert.equal(trouble.headers['x-mimamori-kind'], 'soc-failure');
    assert.ok(trouble.text.includes('AADSTS7000215') && trouble.text.includes('DEFENDER_CLIENT_SECRET'));
    const { error } = await feedOf(acme);
    await feedWhen(acme, 'has failed once more', (feed) => feed.error.failures > error.failures);
    const waiting = await house.raise(acme, { title: 'Waits for the secret' });
    await settings(acme, { secret: 'valid' });
    await opened(acme, waiting, 60_000);
    const [well] = await until('the SOC is told that it is over', async () => {
      const found = await mailsAbout('Alerts again:');
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(well?.to, ['soc@mimamori.example']);
    const { lastSuccessAt } = await feedOf(acme);
    await feedWhen(
      acme,
      'has polled once more',
      (feed) => Date.parse(feed.lastSuccessAt ?? 0) > Date.parse(lastSuccessAt ?? 0),
    );
    const all = (await house.mails()).filter(({ subject }) => /No alerts:|Alerts again:/.test(subject));
    assert.deepEqual(
      all.map(({ subject }) => /No alerts|Alerts again/.exec(subject)?.[0]),
      ['No alerts', 'Alerts again'],
    );
  });

  it('of a customer who has another tenant now begins there, and takes what was kept for it', async () => {
    const other = '77777777-7777-4777-8777-777777777777';
    const misplaced = await house.raise(initech, { aadTenantId: other, title: 'Of the right tenant' });
    await until('it is kept aside', async () => {
      const items = await rejectedOf(initech);
      return items.some(({ alertId, reason }) => alertId === misplaced.id && reason === 'other-tenant')
        ? true
        : undefined;
    });
    // From before where the feed stands in the tenant of before.
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const early = await house.control('POST', `/sim/tenants/${other}/alerts`, {
      title: 'From before',
      alertCreationTime: hourAgo,
      lastUpdateTime: hourAgo,
    });
    house.policies.replace(
      house.customers.map((customer) =>
        customer.id === initech ? { ...customer, defender: { ...customer.defender, tenantId: other } } : customer,
      ),
    );
    await tryRejectedAgain(house.client, 'other-tenant');
    await opened(initech, misplaced);
    await opened(initech, early);
    await until('nothing is kept of it', async () => ((await rejectedOf(initech)).length === 0 ? true : undefined));
  });
});
