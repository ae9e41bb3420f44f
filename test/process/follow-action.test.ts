import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { defenderActivities } from '../../src/activities/defender.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import type { FollowInput } from '../../src/domain/ports.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS, toInstant } from '../../src/domain/time.js';
import { createDefenderClient, type Tenant } from '../../src/integrations/defender/client.js';
import { createSignIn } from '../../src/integrations/defender/sign-in.js';
import { createPolicies } from '../../src/policy.js';
import { startWorld, type World } from '../integrations/world.js';
import { ACME_TENANT, customersNamed, SERVICE } from '../support/house.js';

const MACHINE = '1e5bc9d7e413ddd7902c2932e418702b84d0cc07';

describe('following an action of a device that is offline', () => {
  const { customers } = customersFileSchema.parse({ customers: customersNamed('followed') });
  const [acme] = customers;
  assert.ok(acme);
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.stop());

  async function pendingAction() {
    await world.reset();
    const tenant: Tenant = { tenantId: ACME_TENANT, apiBase: world.httpUrl };
    const defender = createDefenderClient({
      signIn: createSignIn({
        clientId: world.credentials.defenderClientId,
        credential: { secret: world.credentials.defenderClientSecret },
        tokenEndpoint: world.tokenEndpoint,
      }),
      timeoutMs: 5_000,
      maxInFlightPerTenant: 4,
    });
    await world.machine(tenant.tenantId, MACHINE, { online: false });
    const { id } = await defender.isolate(tenant, MACHINE, 'level 3');
    const activities = defenderActivities({
      policies: createPolicies(customers, SERVICE),
      readPolicy: () => Promise.resolve(undefined),
      defender,
      defaultApiBase: world.httpUrl,
    });
    const requestsBefore = (await world.requests('defender')).length;
    return { id, activities, reads: async () => (await world.requests('defender')).length - requestsBefore };
  }

  for (const [followedMs, pauseMs] of [
    [MINUTE_MS, 10 * SECOND_MS],
    [30 * MINUTE_MS, MINUTE_MS],
    [5 * HOUR_MS, 3 * MINUTE_MS],
  ] as const) {
    it(`for ${followedMs / MINUTE_MS} minutes: reads it once, then leaves the wait to Temporal`, async () => {
      const { id, activities, reads } = await pendingAction();
      const input: FollowInput = {
        customerId: acme.id,
        machineId: MACHINE,
        action: { id, type: 'Isolate', status: 'Pending', requestedAt: null, updatedAt: null },
        kind: 'isolate',
        since: toInstant(Date.now() - followedMs),
      };
      // That a worker has died meanwhile, or somebody has asked, does not make it young again.
      const logger = new DefaultLogger('ERROR');
      const place = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() }, { logger });
      await assert.rejects(
        place.run(() => activities.followAction(input)),
        (error) => {
          assert.ok(error instanceof ApplicationFailure);
          assert.deepEqual([error.type, error.nextRetryDelay], ['ActionStillRunning', pauseMs]);
          return true;
        },
      );
      assert.equal(await reads(), 1);
    });
  }
});
