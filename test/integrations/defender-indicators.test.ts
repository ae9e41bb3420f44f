import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { AllowedIndicator } from '../../src/domain/exclusion/indicator.js';
import { plus, toInstant, DAY_MS } from '../../src/domain/time.js';
import { createDefenderClient, type DefenderClient, type Tenant } from '../../src/integrations/defender/client.js';
import { DefenderError } from '../../src/integrations/defender/errors.js';
import { createSignIn, type SignIn } from '../../src/integrations/defender/sign-in.js';
import { failure } from './secrets.js';
import { startWorld, until, type World } from './world.js';

const EXPIRY = plus(toInstant(Date.now()), 90 * DAY_MS);
const IMPORT = '/api/indicators/import';
const BATCH_DELETE = '/api/indicators/BatchDelete';

function allow(changes: Partial<AllowedIndicator> = {}): AllowedIndicator {
  return {
    indicatorType: 'FileSha256',
    indicatorValue: 'ab'.repeat(32),
    action: 'Allowed',
    title: 'Mimamori exclusion:acme:1',
    description: 'Nightly backup',
    expirationTime: EXPIRY,
    ...changes,
  };
}

const domain = (name: string): AllowedIndicator => allow({ indicatorType: 'DomainName', indicatorValue: name });

/** So many different ones. */
function many(count: number): AllowedIndicator[] {
  return Array.from({ length: count }, (_, index) =>
    allow({ indicatorType: 'IpAddress', indicatorValue: `198.51.${index >> 8}.${index & 255}` }),
  );
}

describe('the Defender client sets indicators:', () => {
  let world: World;
  let tenant: Tenant;
  let signIn: SignIn;
  let client: DefenderClient;

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
    client = createDefenderClient({ signIn, timeoutMs: 5_000, maxInFlightPerTenant: 4 });
    await world.tenant(tenant.tenantId, { callsPerMinute: 10_000, callsPerHour: 100_000 });
  });

  const defenderFailure = async (work: Promise<unknown>): Promise<DefenderError> =>
    failure(work, DefenderError, [world.credentials.defenderClientSecret, await signIn.token(tenant.tenantId)]);

  const set = async (...indicators: AllowedIndicator[]): Promise<string[]> => {
    const results = await client.importIndicators(tenant, indicators);
    return results.map(({ id, failure: why }) => id ?? assert.fail(why));
  };

  it('one is found again by type and value, as it was set', async () => {
    assert.deepEqual(await client.listIndicators(tenant, allow()), []);
    const [id] = await set(allow(), domain('backup.example'));
    const [found, ...others] = await client.listIndicators(tenant, allow());
    assert.deepEqual(others, []);
    assert.deepEqual(found, {
      id,
      indicatorType: 'FileSha256',
      indicatorValue: 'ab'.repeat(32),
      action: 'Allowed',
      title: 'Mimamori exclusion:acme:1',
      createdBy: world.credentials.defenderClientId,
      expirationTime: EXPIRY,
    });
    const stranger = { ...tenant, tenantId: randomUUID() };
    assert.deepEqual(await client.listIndicators(stranger, allow()), []);
  });

  it('twice is one, whatever its capitals, and the later holds', async () => {
    const [first] = await set(allow());
    const later = plus(EXPIRY, DAY_MS);
    const [second] = await set(allow({ indicatorValue: 'AB'.repeat(32), expirationTime: later }));
    assert.equal(second, first);
    for (const indicatorValue of ['ab'.repeat(32), 'AB'.repeat(32)]) {
      const found = await client.listIndicators(tenant, allow({ indicatorValue }));
      assert.deepEqual(
        found.map(({ id, expirationTime }) => [id, expirationTime]),
        [[first, later]],
      );
    }
  });

  it('the address of one page is not that of another', async () => {
    const page = (path: string) => allow({ indicatorType: 'Url', indicatorValue: `https://app.example/${path}` });
    const ids = await set(page('a'), page('A'));
    assert.equal(new Set(ids).size, 2);
    assert.deepEqual(
      (await client.listIndicators(tenant, page('A'))).map(({ id }) => id),
      ids.slice(1),
    );
    assert.deepEqual(await client.listIndicators(tenant, page("o'hara")), []);
  });

  it('it is gone when its time has passed', async () => {
    await set(allow({ expirationTime: plus(toInstant(Date.now()), 3_000) }));
    assert.equal((await client.listIndicators(tenant, allow())).length, 1);
    await until(async () => (await client.listIndicators(tenant, allow())).length === 0);
  });

  it('a bad value is named, and keeps no other from being set', async () => {
    const bad = domain('no domain');
    const results = await client.importIndicators(tenant, [domain('one.example'), bad, domain('two.example')]);
    assert.deepEqual(
      results.map(({ value, failure: why }) => [value, why]),
      [
        ['one.example', undefined],
        ['no domain', 'Domain name no domain is invalid.'],
        ['two.example', undefined],
      ],
    );
    assert.equal((await client.listIndicators(tenant, domain('two.example')))[0]?.id, results[2]?.id);
  });

  it('the tenant’s limit of 15,000 is named for those beyond it, in whatever number they come', async () => {
    const results = await client.importIndicators(tenant, many(15_001));
    assert.equal(results.length, 15_001);
    assert.ok(results.slice(0, -1).every(({ id }) => id !== undefined));
    assert.deepEqual(
      results.slice(-1).map(({ id, failure: why }) => [id, why]),
      [[undefined, 'The limit of 15000 active indicators in the tenant has been reached.']],
    );
    // What is there already is no new one.
    const [first] = results;
    assert.deepEqual(await client.importIndicators(tenant, many(1)), [first]);
    assert.equal((await seen(IMPORT)).length, 32);
  });

  it('none needs no call', async () => {
    assert.deepEqual(await client.importIndicators(tenant, []), []);
    await client.deleteIndicators(tenant, []);
    assert.deepEqual(await world.requests('defender'), []);
  });

  it('a missing permission is no failure of the indicator', async () => {
    await world.tenant(tenant.tenantId, { roles: ['Alert.Read.All', 'Machine.Isolate'] });
    await signIn.token(tenant.tenantId, { renew: true });
    for (const work of [
      () => client.listIndicators(tenant, allow()),
      () => client.importIndicators(tenant, [allow()]),
      () => client.deleteIndicators(tenant, ['1']),
    ]) {
      const error = await defenderFailure(work());
      assert.deepEqual([error.kind, error.status, error.mayHaveWorked], ['forbidden', 403, false]);
    }
  });

  it('a second try after a cut answer finds what the first did', async () => {
    await world.fault({ target: 'defender', path: IMPORT, times: 1, dropAfterAccept: true });
    const error = await defenderFailure(client.importIndicators(tenant, [allow()]));
    assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
    const [found] = await client.listIndicators(tenant, allow());
    assert.deepEqual(await set(allow()), [found?.id]);
    assert.equal((await client.listIndicators(tenant, allow())).length, 1);
  });

  for (const [what, value] of [
    ['nothing', []],
    ['another one only', [{ id: '7', indicator: 'other.example', isFailed: false, failureReason: null }]],
    ['no id', [{ id: null, indicator: 'one.example', isFailed: false, failureReason: null }]],
  ] as const) {
    it(`an answer that says ${what} of what was asked is none`, async () => {
      await world.fault({ target: 'defender', path: IMPORT, times: 1, status: 200, body: JSON.stringify({ value }) });
      const error = await defenderFailure(client.importIndicators(tenant, [domain('one.example')]));
      assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
    });
  }

  it('an answer in another order is told in the order of the question', async () => {
    const value = [
      { id: '2', indicator: 'two.example', isFailed: false, failureReason: null },
      { id: null, indicator: 'ONE.example', isFailed: true, failureReason: null },
    ];
    await world.fault({ target: 'defender', path: IMPORT, times: 1, status: 200, body: JSON.stringify({ value }) });
    assert.deepEqual(await client.importIndicators(tenant, [domain('one.example'), domain('two.example')]), [
      { value: 'one.example', failure: 'no reason given' },
      { value: 'two.example', id: '2' },
    ]);
  });

  it('those of another type or value are not taken for it, also where Defender overlooks the filter', async () => {
    const listed = { id: 1, action: 'Block', title: null, createdBy: null, expirationTime: null };
    const value = [
      { ...listed, indicatorType: 'DomainName', indicatorValue: 'Backup.example' },
      { ...listed, id: 2, indicatorType: 'Url', indicatorValue: 'backup.example' },
      { ...listed, id: 3, indicatorType: 'DomainName', indicatorValue: 'evil.example' },
    ];
    await world.fault({ target: 'defender', times: 1, status: 200, body: JSON.stringify({ value }) });
    const found = await client.listIndicators(tenant, domain('backup.example'));
    assert.deepEqual(
      found.map(({ id, action, expirationTime }) => [id, action, expirationTime]),
      [['1', 'Block', undefined]],
    );
  });

  describe('taken away,', () => {
    const left = async (...indicators: AllowedIndicator[]): Promise<number> =>
      (await Promise.all(indicators.map((indicator) => client.listIndicators(tenant, indicator)))).flat().length;

    it('they are gone', async () => {
      const all = [domain('one.example'), domain('two.example'), domain('stays.example')];
      await client.deleteIndicators(tenant, (await set(...all)).slice(0, 2));
      assert.equal(await left(...all.slice(0, 2)), 0);
      assert.equal(await left(domain('stays.example')), 1);
    });

    it('one that is gone already keeps no other', async () => {
      const all = [domain('one.example'), domain('two.example')];
      const ids = await set(...all);
      await client.deleteIndicators(tenant, [...ids.slice(0, 1), '999']);
      assert.equal(await left(...all.slice(0, 1)), 0);
      assert.equal(await left(...all.slice(1)), 1);
      await client.deleteIndicators(tenant, ids);
      assert.equal(await left(...all), 0);
      await client.deleteIndicators(tenant, ids);
    });

    it('a second try after a cut answer is no failure', async () => {
      const ids = await set(domain('one.example'), domain('two.example'));
      await world.fault({ target: 'defender', path: BATCH_DELETE, times: 1, dropAfterAccept: true });
      const error = await defenderFailure(client.deleteIndicators(tenant, ids));
      assert.deepEqual([error.kind, error.mayHaveWorked], ['transient', true]);
      await client.deleteIndicators(tenant, ids);
      assert.equal(await left(domain('one.example'), domain('two.example')), 0);
    });

    it('a proxy’s "not found" does not count as gone', async () => {
      const ids = await set(domain('one.example'));
      await world.fault({ target: 'defender', path: BATCH_DELETE, times: 1, status: 404, body: '<html>no</html>' });
      assert.equal((await defenderFailure(client.deleteIndicators(tenant, ids))).kind, 'transient');
      assert.equal(await left(domain('one.example')), 1);
    });

    it('more than a batch holds go in several', async () => {
      const all = many(501);
      await client.deleteIndicators(tenant, await set(...all));
      assert.equal(await left(...all.slice(-1), ...all.slice(0, 1)), 0);
      assert.equal((await seen(BATCH_DELETE)).length, 2);
    });
  });

  async function seen(path: string): Promise<unknown[]> {
    return (await world.requests('defender')).filter((request) => JSON.stringify(request).includes(path));
  }
});
