import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createDefenderClient, type DefenderClient, type Tenant } from '../../src/integrations/defender/client.js';
import { DefenderError } from '../../src/integrations/defender/errors.js';
import { createSignIn, SignInError, type SignIn } from '../../src/integrations/defender/sign-in.js';
import { failure } from './secrets.js';
import { startWorld, until, type World } from './world.js';

const machineId = '1e5bc9d7e413ddd7902c2932e418702b84d0cc07';

describe('the Defender client', () => {
  let world: World;
  let tenant: Tenant;
  let signIn: SignIn;
  let client: DefenderClient;
  let secrets: string[];

  before(async () => {
    world = await startWorld();
  });
  after(() => world.stop());

  beforeEach(async () => {
    await world.reset();
    tenant = { tenantId: randomUUID(), apiBase: world.httpUrl };
    signIn = createSignIn({
      clientId: world.credentials.defenderClientId,
      credential: { secret: world.credentials.defenderClientSecret },
      tokenEndpoint: world.tokenEndpoint,
    });
    client = createDefenderClient({ signIn, timeoutMs: 2_000, maxInFlightPerTenant: 4 });
    await world.machine(tenant.tenantId, machineId, { computerDnsName: 'pc-001' });
    secrets = [world.credentials.defenderClientSecret, await signIn.token(tenant.tenantId)];
  });

  const defenderFailure = (work: Promise<unknown>): Promise<DefenderError> => failure(work, DefenderError, secrets);

  async function actionsOf({ tenantId }: Tenant): Promise<number> {
    return (await world.machineActions(tenantId)).length;
  }

  describe('follows an isolation', () => {
    it('from accepted to succeeded, and back', async () => {
      const isolation = await client.isolate(tenant, machineId, 'Mimamori incident:acme:1\nlevel 3');
      assert.equal(isolation.type, 'Isolate');
      assert.equal(isolation.requestorComment, 'Mimamori incident:acme:1 level 3');
      await until(async () => (await client.getMachineAction(tenant, isolation.id))?.status === 'Succeeded');
      const release = await client.unisolate(tenant, machineId, 'on the word of sato');
      await until(async () => (await client.getMachineAction(tenant, release.id))?.status === 'Succeeded');
      const actions = await client.listIsolationActions(tenant, machineId);
      assert.deepEqual(
        actions.map(({ id, type }) => [id, type]),
        [
          [release.id, 'Unisolate'],
          [isolation.id, 'Isolate'],
        ],
      );
    });

    it('that is cancelled while the device is offline', async () => {
      await world.machine(tenant.tenantId, machineId, { online: false });
      const { id } = await client.isolate(tenant, machineId, 'level 3');
      assert.equal((await client.getMachineAction(tenant, id))?.status, 'Pending');
      await client.cancelAction(tenant, id, 'judged harmless');
      assert.equal((await client.getMachineAction(tenant, id))?.status, 'Cancelled');
      const again = await defenderFailure(client.cancelAction(tenant, id, 'judged harmless'));
      assert.equal(again.kind, 'rejected');
    });

    it('whose action the API does not show yet', async () => {
      await world.machine(tenant.tenantId, machineId, { hideNewActionForSeconds: 1.5 });
      const { id } = await client.isolate(tenant, machineId, 'level 3');
      assert.equal(await client.getMachineAction(tenant, id), undefined);
      await until(async () => (await client.getMachineAction(tenant, id)) !== undefined);
    });

    it('of one device, not of another', async () => {
      const quoted = "o'hara";
      await world.machine(tenant.tenantId, quoted, {});
      await client.isolate(tenant, machineId, 'level 3');
      assert.deepEqual(await client.listIsolationActions(tenant, quoted), []);
      await client.isolate(tenant, quoted, 'level 3');
      assert.equal((await client.listIsolationActions(tenant, quoted)).length, 1);
    });
  });

  describe('understands a refusal:', () => {
    it('an isolation that runs already', async () => {
      await client.isolate(tenant, machineId, 'level 3');
      const error = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.equal(error.kind, 'rejected');
      assert.equal(error.code, 'ActiveRequestAlreadyExists');
      assert.equal(error.mayHaveWorked, false);
      assert.match(
        error.message,
        /^Defender answered 400 ActiveRequestAlreadyExists: Action is already in progress \(tracking \|\w+\.\)$/,
      );
      assert.equal(await actionsOf(tenant), 1);
    });

    it('a device that cannot be isolated', async () => {
      await world.machine(tenant.tenantId, machineId, { osPlatform: 'Windows7' });
      const error = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.deepEqual([error.kind, error.code], ['rejected', 'OsPlatformNotSupported']);
    });

    it('no such device, also where the id is only some device’s name', async () => {
      assert.equal(await client.getMachine(tenant, 'f'.repeat(40)), undefined);
      assert.equal(await client.getMachine(tenant, 'pc-001'), undefined);
      assert.equal(await client.getMachine(tenant, '../alerts'), undefined);
      assert.equal((await client.getMachine(tenant, machineId))?.computerDnsName, 'pc-001');
      const error = await defenderFailure(client.isolate(tenant, 'f'.repeat(40), 'level 3'));
      assert.equal(error.kind, 'not-found');
    });

    it('a missing permission', async () => {
      await world.tenant(tenant.tenantId, { roles: ['Machine.Read.All'] });
      await signIn.token(tenant.tenantId, { renew: true });
      const error = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.deepEqual([error.kind, error.status], ['forbidden', 403]);
    });
  });

  describe('survives', () => {
    it('a permission that came after its token, by getting another', async () => {
      await world.tenant(tenant.tenantId, { roles: ['Machine.Isolate'] });
      await signIn.token(tenant.tenantId, { renew: true });
      await world.tenant(tenant.tenantId, { roles: ['Machine.Read.All'] });
      assert.equal((await client.getMachine(tenant, machineId))?.id, machineId);
    });

    it('a token that is refused, by getting another', async () => {
      await world.fault({ target: 'defender', times: 1, status: 401 });
      assert.equal((await client.getMachine(tenant, machineId))?.id, machineId);
    });

    it('a token that is refused again, by saying so', async () => {
      await world.fault({ target: 'defender', times: 2, status: 401 });
      assert.equal((await defenderFailure(client.getMachine(tenant, machineId))).kind, 'unauthorized');
    });

    for (const [what, body] of [
      ['HTML', '<html><body>Our services are not available right now</body></html>'],
      ['nothing', ''],
      ['half an answer', '{"id":"1e5bc9d7e4'],
      ['another JSON', '[]'],
    ] as const) {
      it(`${what} instead of an answer`, async () => {
        await world.fault({ target: 'defender', times: 2, status: 200, body });
        const reading = await defenderFailure(client.getMachine(tenant, machineId));
        assert.deepEqual([reading.kind, reading.mayHaveWorked], ['transient', false]);
        const changing = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
        assert.deepEqual([changing.kind, changing.mayHaveWorked], ['transient', true]);
      });
    }

    it('a proxy’s "not found", which is no missing device', async () => {
      await world.fault({ target: 'defender', times: 1, status: 404, body: '<html>no such page</html>' });
      assert.equal((await defenderFailure(client.getMachine(tenant, machineId))).kind, 'transient');
    });

    it('a connection that is cut after the work was done: look before asking again', async () => {
      await world.fault({ target: 'defender', path: '/isolate', times: 1, dropAfterAccept: true });
      const error = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
      assert.equal((await client.listIsolationActions(tenant, machineId)).length, 1);
    });

    it('a server that fails, and one that does not answer in time', async () => {
      await world.fault({ target: 'defender', times: 1, status: 503 });
      const failing = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.deepEqual([failing.kind, failing.status, failing.mayHaveWorked], ['transient', 503, true]);
      await world.fault({ target: 'defender', times: 1, delayMs: 10_000 });
      const hasty = createDefenderClient({ signIn, timeoutMs: 200, maxInFlightPerTenant: 4 });
      const late = await defenderFailure(hasty.isolate(tenant, machineId, 'level 3'));
      assert.deepEqual([late.kind, late.code, late.mayHaveWorked], ['transient', 'ETIMEDOUT', true]);
    });

    it('nobody listening: nothing can have happened', async () => {
      const nowhere = { ...tenant, apiBase: 'http://127.0.0.1:1' };
      const error = await defenderFailure(client.isolate(nowhere, machineId, 'level 3'));
      assert.deepEqual([error.kind, error.code, error.mayHaveWorked], ['transient', 'ECONNREFUSED', false]);
    });

    it('being called off', async () => {
      await world.fault({ target: 'defender', times: 1, delayMs: 10_000 });
      const controller = new AbortController();
      const work = client.getMachine(tenant, machineId, controller.signal);
      await until(async () => (await world.requests('defender')).length > 0);
      controller.abort(new Error('the worker shuts down'));
      await assert.rejects(work, /the worker shuts down/);
    });
  });

  describe('obeys a tenant that wants fewer calls', () => {
    it('by waiting for a short time', async () => {
      await world.fault({ target: 'defender', times: 1, status: 429, retryAfterSeconds: 1 });
      const startedAtMs = Date.now();
      await client.isolate(tenant, machineId, 'level 3');
      assert.ok(Date.now() - startedAtMs >= 1_000);
      assert.equal(await actionsOf(tenant), 1);
    });

    it('by handing a long time to the caller, and asking no more meanwhile', async () => {
      await world.fault({ target: 'defender', times: 1, status: 429, retryAfterSeconds: 60 });
      const first = await defenderFailure(client.getMachine(tenant, machineId));
      assert.deepEqual([first.kind, first.mayHaveWorked], ['throttled', false]);
      assert.ok((first.retryAfterMs ?? 0) > 60_000, 'isolations go first when it takes calls again');
      const asked = (await world.requests('defender')).length;
      const second = await defenderFailure(client.isolate(tenant, machineId, 'level 3'));
      assert.equal(second.kind, 'throttled');
      assert.ok((second.retryAfterMs ?? 0) > 55_000 && (second.retryAfterMs ?? 0) <= 60_000);
      assert.equal((await world.requests('defender')).length, asked);
    });

    it('without keeping another tenant waiting', async () => {
      const other = { ...tenant, tenantId: randomUUID() };
      await world.machine(other.tenantId, machineId, {});
      await world.fault({ target: 'defender', times: 1, status: 429, retryAfterSeconds: 60 });
      await defenderFailure(client.getMachine(tenant, machineId));
      assert.equal((await client.isolate(other, machineId, 'level 3')).type, 'Isolate');
    });

    it('and never has more than so many calls under way, in one tenant', async () => {
      const narrow = createDefenderClient({ signIn, timeoutMs: 5_000, maxInFlightPerTenant: 1 });
      const other = { ...tenant, tenantId: randomUUID() };
      await world.machine(other.tenantId, machineId, {});
      await world.fault({ target: 'defender', times: 1, delayMs: 1_500 });
      const slow = narrow.getMachine(tenant, machineId);
      await until(async () => (await world.requests('defender')).length === 1);
      const controller = new AbortController();
      const calledOff = narrow.getMachine(tenant, machineId, controller.signal);
      const waiting = narrow.getMachine(tenant, machineId);
      await narrow.getMachine(other, machineId);
      assert.equal((await world.requests('defender')).length, 2);
      controller.abort(new Error('not needed any more'));
      await assert.rejects(calledOff, /not needed any more/);
      assert.equal((await slow)?.id, machineId);
      assert.equal((await waiting)?.id, machineId);
    });
  });

  it('passes on why it cannot sign in', async () => {
    const stranger = { ...tenant, tenantId: randomUUID() };
    await world.tenant(stranger.tenantId, { consented: false });
    const error = await failure(client.getMachine(stranger, machineId), SignInError, secrets);
    assert.equal(error.code, 'AADSTS7000229');
  });
});
