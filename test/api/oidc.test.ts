import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { SignJWT, UnsecuredJWT } from 'jose';
import { until } from '../../simulator/testing.js';
import { createTokenVerifier, IssuerUnavailable, TokenRefused } from '../../src/integrations/access-tokens.js';
import type { SignInRules } from '../../src/operators.js';
import { startApp, type LoneApp } from '../support/app.js';
import { EXCLUSION } from '../support/every-route.js';
import { House, type AskOptions, type Reply } from '../support/house.js';
import { AUDIENCE, makeKey, TokenProvider } from '../support/oidc.js';

/*
 * Access tokens of a real OpenID Connect provider at the API's own door. Without Temporal: 422 says that somebody was let in
 * as far as the query, 401 that nobody was.
 */

describe('a sign-in by OpenID Connect', () => {
  const key = makeKey();
  const TENANT = '11111111-1111-4111-8111-111111111111';
  let says: Record<string, unknown> = {};
  let provider: TokenProvider;
  let app: LoneApp;

  const grants: SignInRules['grants'] = [
    { claim: 'roles', value: 'Mimamori.Analyst', role: 'analyst', customers: '*' },
    { claim: 'groups', value: 'group-of-acme', role: 'viewer', customers: ['acme-alone'] },
  ];

  before(async () => {
    provider = await TokenProvider.start(key, () => says);
    app = await startApp({
      signIn: { issuer: provider.issuer, audience: AUDIENCE, tenantId: TENANT, grants },
    });
  });
  after(async () => {
    await app.close();
    await provider.stop();
  });
  beforeEach(() => {
    says = { roles: ['Mimamori.Analyst'], tid: TENANT };
  });

  async function ask(token: string, path = '/v1/incidents?limit=x', method = 'GET') {
    const response = await fetch(`${app.url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
    const body: unknown = await response.json();
    assert.ok(typeof body === 'object' && body !== null && 'code' in body && 'detail' in body);
    return { status: response.status, code: body.code, detail: String(body.detail) };
  }

  /** A token like the provider's, signed by somebody. */
  function forge(alg = 'RS256') {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ sub: 'program', roles: ['Mimamori.Analyst'], tid: TENANT })
      .setProtectedHeader({ alg, kid: key.kid, typ: 'at+jwt' })
      .setIssuer(provider.issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + 600);
  }

  it('lets in whom a role of the token makes something', async () => {
    assert.equal((await ask(await provider.token())).status, 422);
  });

  it('binds whom a group makes a viewer to that customer', async () => {
    says = { groups: ['group-of-acme'], tid: TENANT };
    const token = await provider.token();
    assert.equal((await ask(token)).status, 422);
    assert.equal((await ask(token, '/v1/customers/globex-alone')).code, 'unknown-customer');
    assert.equal((await ask(token, '/v1/incidents/incident:acme-alone:x/notes', 'POST')).code, 'forbidden');
  });

  it('gives no role to whom nobody has granted one', async () => {
    says = { roles: ['Something.Else'], groups: ['another'], tid: TENANT };
    assert.deepEqual((({ status, code }) => [status, code])(await ask(await provider.token())), [403, 'forbidden']);
  });

  it('refuses a token for another audience', async () => {
    assert.equal((await ask(await provider.token('api://somebody-else'))).status, 401);
  });

  it('refuses a token of another tenant', async () => {
    says = { ...says, tid: '22222222-2222-4222-8222-222222222222' };
    assert.equal((await ask(await provider.token())).status, 401);
  });

  const minutes = (count: number) => Math.floor(Date.now() / 1_000) + count * 60;
  const refused: [what: string, token: () => Promise<string>][] = [
    ['expired two minutes ago', () => forge().setExpirationTime(minutes(-2)).sign(key.privateKey)],
    ['not yet valid for two minutes', () => forge().setNotBefore(minutes(2)).sign(key.privateKey)],
    ['of another issuer', () => forge().setIssuer('https://elsewhere.example').sign(key.privateKey)],
    ['signed by another key', () => forge().sign(makeKey().privateKey)],
    [
      'without an end',
      () =>
        new SignJWT({ sub: 'program', roles: ['Mimamori.Analyst'], tid: TENANT })
          .setProtectedHeader({ alg: 'RS256', kid: key.kid })
          .setIssuer(provider.issuer)
          .setAudience(AUDIENCE)
          .sign(key.privateKey),
    ],
    [
      'not signed at all (alg: none)',
      () =>
        Promise.resolve(
          new UnsecuredJWT({ sub: 'program', roles: ['Mimamori.Analyst'], tid: TENANT })
            .setIssuer(provider.issuer)
            .setAudience(AUDIENCE)
            .setExpirationTime(minutes(10))
            .encode(),
        ),
    ],
    [
      'signed with the public key as if it were a secret',
      () => forge('HS256').sign(new TextEncoder().encode('the public key, which everybody has')),
    ],
    [
      'changed on its way',
      async () => {
        const [header = '', , signature = ''] = (await provider.token()).split('.');
        const claims = JSON.stringify({ iss: provider.issuer, aud: AUDIENCE, sub: 'x', exp: minutes(10), tid: TENANT });
        return `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`;
      },
    ],
  ];
  for (const [what, token] of refused) {
    it(`refuses a token that is ${what}, without a word of it`, async () => {
      const given = await token();
      const { status, code, detail } = await ask(given);
      assert.deepEqual([status, code], [401, 'unauthenticated']);
      assert.ok(!detail.includes(given.split('.')[1] ?? given));
    });
  }

  it('takes a clock that is half a minute slow', async () => {
    assert.equal((await ask(await forge().setExpirationTime(minutes(-0.5)).sign(key.privateKey))).status, 422);
  });

  // Without the API: whoever is refused so often within ten seconds is turned away for that.
  it('goes on when the provider changes its key, without a restart; what the old one had signed is over', async () => {
    const verify = createTokenVerifier({ issuer: provider.issuer, audience: AUDIENCE });
    const before = await provider.token();
    await verify(before);
    provider.rotate(makeKey(), () => says);
    const after = await provider.token();
    await until('let in', () => verify(after).catch(() => undefined));
    await assert.rejects(verify(before), TokenRefused);
  });

  it('takes no keys that come in the clear from another machine', async () => {
    const server = createServer((_request, response) => {
      response.end(JSON.stringify({ issuer, jwks_uri: 'http://keys.example/jwks' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    const issuer = `http://127.0.0.1:${address.port}`;
    try {
      const verify = createTokenVerifier({ issuer, audience: AUDIENCE });
      await assert.rejects(verify('a.b.c'), (error) => {
        return error instanceof IssuerUnavailable && /jwks_uri/.test(error.message);
      });
    } finally {
      server.close();
    }
  });

  it('answers 503 while nobody can ask the provider, and lets in those with a token of our own', async () => {
    const away = await startApp({
      signIn: { issuer: 'http://127.0.0.1:1', audience: AUDIENCE, grants },
    });
    try {
      const response = await fetch(`${away.url}/v1/incidents?limit=x`, {
        headers: { Authorization: `Bearer ${await provider.token()}` },
      });
      assert.equal(response.status, 503);
      assert.ok(Number(response.headers.get('retry-after')) > 0);
      const own = await fetch(`${away.url}/v1/incidents?limit=x`, {
        headers: { Authorization: `Bearer ${away.token}` },
      });
      assert.equal(own.status, 422);
    } finally {
      await away.close();
    }
  });
});

describe('one person who signs in by both ways', () => {
  const id = 'taro@soc.example';
  let says: Record<string, unknown> = {};
  let provider: TokenProvider;
  let house: House;

  before(async () => {
    provider = await TokenProvider.start(makeKey(), () => says);
    const tokenSha256 = createHash('sha256').update('own-token').digest('hex');
    house = await House.open({
      operators: [{ id, name: 'Taro', role: 'analyst', customers: '*', tokenSha256 }],
      signIn: {
        issuer: provider.issuer,
        audience: AUDIENCE,
        grants: [{ claim: 'roles', value: 'Mimamori.Analyst', role: 'analyst', customers: '*' }],
      },
    });
  });
  after(async () => {
    await house.close();
    await provider.stop();
  });

  async function tokenOf(username: string): Promise<AskOptions> {
    says = { roles: ['Mimamori.Analyst'], preferred_username: username };
    return { headers: { Authorization: `Bearer ${await provider.token()}` } };
  }

  it('is one person: what was proposed by the token is not approved by the sign-in, but by somebody else’s', async () => {
    const own = { headers: { Authorization: 'Bearer own-token' } };
    const proposed = await house.post(`/v1/customers/${house.customer('acme')}/exclusions`, EXCLUSION, own);
    assert.deepEqual([proposed.status, proposed.body.proposer], [201, id]);
    const path = `/v1/exclusions/${encodeURIComponent(proposed.body.id)}/approve`;
    const approve = async (username: string) => house.post(path, { reason: 'known' }, await tokenOf(username));
    const alone = await approve(id);
    assert.deepEqual([alone.status, alone.body.code], [403, 'own-request']);
    const second = await approve('hanako@soc.example');
    assert.equal(second.status, 200, JSON.stringify(second.body));
    assert.deepEqual(
      second.body.approvals.map(({ actor }: Reply['body']) => actor),
      ['hanako@soc.example'],
    );
  });
});
