import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { customerWorkflowId, exclusionsBytes } from '../../src/domain/customers/record.js';
import { DAY_MS, plus, SECOND_MS, toInstant, toMs, type Instant } from '../../src/domain/time.js';
import { exclusionChangeSignal, exclusionsQuery } from '../../src/workflows/messages.js';
import { customerStart } from '../../src/temporal/customers.js';
import { House, type Reply } from '../support/house.js';

describe('what limits an exclusion', function () {
  this.timeout(60_000);
  let house: House;
  let acme: string;
  let names = 0;
  /** Business hours as the service reads them: open for so many looks more, then closed until then. */
  let opensFor = Infinity;
  let opensAgainAt = toInstant(0);
  before(async () => {
    house = await House.open({
      businessHours: (at) => {
        opensFor -= 1;
        return { opensAt: opensFor >= 0 || toMs(at) >= toMs(opensAgainAt) ? at : opensAgainAt };
      },
    });
    acme = house.customer('acme');
  });
  after(() => house.close());

  const path = (id: string, rest = '') => `/v1/exclusions/${encodeURIComponent(id)}${rest}`;
  const propose = (set: Record<string, unknown>) =>
    house.post(`/v1/customers/${acme}/exclusions`, {
      conditions: { sha256: String((names += 1)).padStart(64, '0') },
      reason: 'Their own backup',
      expiresAt: plus(toInstant(Date.now()), 30 * DAY_MS),
      set,
    });
  const proposed = async (set: Record<string, unknown>): Promise<string> => {
    const { status, body } = await propose(set);
    assert.equal(status, 201, JSON.stringify(body));
    return body.id;
  };
  const approve = (id: string) => house.post(path(id, '/approve'), {}, { as: 'second' });
  const when = (id: string, what: string, holds: (exclusion: Reply['body']) => boolean) =>
    until(`${id}: ${what}`, async () => {
      const { body } = await house.get(path(id));
      return holds(body) ? body : undefined;
    });
  const indicators = async (): Promise<number> =>
    (await house.control('GET', `/sim/tenants/${house.tenantOf(acme)}/indicators`)).items.length;

  describe('by the hour', () => {
    for (const [part, set] of [
      ['own filter', { ownFilter: true }],
      ['indicator in Defender', { ownFilter: false, defenderIndicator: true }],
    ] as const) {
      it(`begun in business hours, and not done when they end: the ${part} is set when they begin again`, async () => {
        const before = await indicators();
        const id = await proposed(set);
        opensAgainAt = plus(toInstant(Date.now()), 7 * SECOND_MS);
        // The workflow finds them open; whoever is about to set it does not.
        opensFor = 1;
        assert.equal((await approve(id)).status, 200);
        const { waitingUntil } = await when(id, 'waits', ({ state }) => state === 'waiting-for-business-hours');
        assert.equal(waitingUntil, opensAgainAt);
        assert.equal(await indicators(), before);
        const { registeredAt } = await when(id, 'registered', ({ state }) => state === 'registered');
        const at: Instant = registeredAt;
        assert.ok(toMs(at) >= toMs(opensAgainAt), `${at} is before ${opensAgainAt}`);
        opensFor = Infinity;
      });
    }
  });

  describe('by what there is already', () => {
    const full = (change: 'set' | 'ended', length = 0) =>
      house.client.workflow.signalWithStart('customer', {
        ...customerStart(house.taskQueue, acme),
        signal: exclusionChangeSignal,
        signalArgs: [
          change === 'ended'
            ? { change, exclusionId: `exclusion:${acme}:large` }
            : {
                change,
                exclusion: {
                  exclusionId: `exclusion:${acme}:large`,
                  conditions: { commandLine: 'x'.repeat(length) },
                  registeredAt: toInstant(Date.now()),
                  expiresAt: plus(toInstant(Date.now()), DAY_MS),
                },
              },
        ],
      });

    it('no more is proposed, approved or registered than our own filter can hold, and the SOC is told', async () => {
      const first = await proposed({ ownFilter: true });
      await approve(first);
      await when(first, 'registered', ({ state }) => state === 'registered');
      const filter = await house.client.workflow.getHandle(customerWorkflowId(acme)).query(exclusionsQuery);

      const [early, approved] = [await proposed({ ownFilter: true }), await proposed({ ownFilter: true })];
      opensAgainAt = plus(toInstant(Date.now()), 7 * SECOND_MS);
      opensFor = 0;
      assert.equal((await approve(approved)).status, 200);
      // What is left then is less than one more takes.
      await full('set', 1_000_000 - exclusionsBytes(filter) - 300);
      const refused = await until('the filter is full', async () => {
        const reply = await propose({ ownFilter: true });
        return reply.status === 201 ? undefined : reply;
      });
      assert.deepEqual([refused.status, refused.body.code], [409, 'too-many-exclusions']);
      const late = await approve(early);
      assert.deepEqual([late.status, late.body.code], [409, 'too-many-exclusions']);
      assert.equal(
        (await propose({ ownFilter: false, defenderIndicator: true })).status,
        201,
        'the filter is not in it',
      );

      const failed = await when(approved, 'not set', ({ attention }) => attention.length > 0);
      assert.deepEqual([failed.attention, failed.parts[0].reason], [['own-filter-not-set'], 'too-many-exclusions']);
      await until('the SOC is told', async () =>
        (await house.mails()).find(
          ({ text }) => text.includes(approved) && /filter for this customer is full/.test(text),
        ),
      );

      await full('ended');
      const retried = await until('there is room', async () => {
        const reply = await house.post(path(approved, '/retry'), { reason: 'another has ended' }, { as: 'second' });
        if (reply.status !== 200) return undefined;
        return when(approved, 'registered', ({ state }) => state === 'registered');
      });
      assert.deepEqual(retried.attention, []);
    });
  });
});
