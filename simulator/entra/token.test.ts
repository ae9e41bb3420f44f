import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { Bench, send, until } from '../testing.js';

const errorSchema = z.object({ error: z.string(), error_description: z.string(), error_codes: z.array(z.number()) });
const tokenSchema = z.object({ token_type: z.literal('Bearer'), expires_in: z.number(), access_token: z.string() });
const claimsSchema = z.object({
  tid: z.string(),
  aud: z.string(),
  roles: z.array(z.string()).optional(),
  exp: z.number(),
});

const claimsOf = (token: string) =>
  claimsSchema.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));

describe('Entra token endpoint', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  afterEach(() => bench.control('POST', '/reset'));

  it('issues a token for the tenant, with its roles and an hour to live', async () => {
    const answer = await bench.requestToken();
    assert.equal(answer.status, 200);
    const { expires_in: expiresIn, access_token: token } = answer.json(tokenSchema);
    assert.equal(expiresIn, 3599);
    const claims = claimsOf(token);
    assert.equal(claims.tid, bench.tenantId);
    assert.equal(claims.aud, 'https://api.securitycenter.microsoft.com');
    assert.ok(claims.roles?.includes('Machine.Isolate'));
  });

  it('speaks v1 as well: resource in, numbers as strings out', async () => {
    const { credentials, url } = bench.simulator;
    const form = new URLSearchParams({
      client_id: credentials.defenderClientId,
      client_secret: credentials.defenderClientSecret,
      grant_type: 'client_credentials',
      resource: 'https://api.securitycenter.microsoft.com',
    });
    const answer = await send('POST', `${url}/${bench.tenantId}/oauth2/token`, { form });
    assert.equal(answer.json(z.object({ expires_in: z.string() })).expires_in, '3599');
  });

  const refusals: [string, Record<string, string>, number, string, number][] = [
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
    ['an unknown application', { client_id: 'somebody' }, 400, 'unauthorized_client', 700016],
    ['a scope of another resource', { scope: 'https://graph.microsoft.com/.default' }, 400, 'invalid_resource', 500011],
    ['a scope that is none', { scope: 'Alert.Read.All' }, 400, 'invalid_scope', 1002012],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
  ];
  for (const [what, changes, status, error, aadsts] of refusals) {
    it(`refuses ${what}`, async () => {
      const answer = await bench.requestToken(changes);
      assert.equal(answer.status, status);
      const body = answer.json(errorSchema);
      assert.equal(body.error, error);
      assert.deepEqual(body.error_codes, [aadsts]);
      assert.match(body.error_description, new RegExp(`^AADSTS${aadsts}: `));
    });
  }

  it('refuses a tenant without consent, and gives none of its own accord to one without roles', async () => {
    await bench.tenantControl('PATCH', '', { consented: false });
    const refused = await bench.requestToken();
    assert.equal(refused.status, 401);
    assert.deepEqual(refused.json(errorSchema).error_codes, [7000229]);

    await bench.tenantControl('PATCH', '', { consented: true, roles: [] });
    const { access_token: token } = (await bench.requestToken()).json(tokenSchema);
    assert.equal(claimsOf(token).roles, undefined);
    assert.equal((await bench.defender('GET', '/api/alerts')).status, 403);
  });

  for (const [secret, aadsts] of [
    ['expired', 7000222],
    ['wrong', 7000215],
  ] as const)
    it(`refuses the secret of a tenant in which it is ${secret}; tokens given out before stay good`, async () => {
      const headers = { authorization: `Bearer ${await bench.token()}` };
      await bench.tenantControl('PATCH', '', { secret });
      const refused = await bench.requestToken();
      assert.equal(refused.status, 401);
      assert.equal(refused.json(errorSchema).error, 'invalid_client');
      assert.deepEqual(refused.json(errorSchema).error_codes, [aadsts]);
      assert.equal((await bench.requestToken({}, '22222222-2222-4222-8222-222222222222')).status, 200);
      assert.equal((await send('GET', `${bench.simulator.url}/api/alerts`, { headers })).status, 200);
      await bench.tenantControl('PATCH', '', { secret: 'valid' });
      assert.equal((await bench.requestToken()).status, 200);
    });

  it('leaves a token good when consent is taken back', async () => {
    const headers = { authorization: `Bearer ${await bench.token()}` };
    await bench.tenantControl('PATCH', '', { consented: false });
    assert.equal((await send('GET', `${bench.simulator.url}/api/alerts`, { headers })).status, 200);
  });

  it('lets a token expire after the seconds of the tenant', async () => {
    await bench.tenantControl('PATCH', '', { tokenSeconds: 3 });
    const headers = { authorization: `Bearer ${await bench.token()}` };
    const status = async () => (await send('GET', `${bench.simulator.url}/api/alerts`, { headers })).status;
    assert.equal(await status(), 200);
    await until('401 after expiry', async () => ((await status()) === 401 ? true : undefined));
  });

  it('gives a token only to its own simulator', async () => {
    const other = await Bench.start();
    const headers = { authorization: `Bearer ${await other.token()}` };
    const answer = await send('GET', `${bench.simulator.url}/api/alerts`, { headers });
    await other.simulator.stop();
    assert.equal(answer.status, 401);
  });

  describe('with a client assertion', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
    let certified: Bench;

    before(async () => {
      certified = await Bench.start({
        defenderClientCertificate: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      });
    });

    after(() => certified.simulator.stop());

    const request = async (changes: Record<string, unknown> = {}, key = privateKey) => {
      const { url, credentials } = certified.simulator;
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const tokenUrl = `${url}/${certified.tenantId}/oauth2/v2.0/token`;
      const claims = {
        iss: credentials.defenderClientId,
        sub: credentials.defenderClientId,
        aud: tokenUrl,
        exp: Math.floor(Date.now() / 1000) + 600,
        ...changes,
      };
      const content = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
      const signature = createSign('RSA-SHA256').update(content).sign(key, 'base64url');
      const form = new URLSearchParams({
        client_id: credentials.defenderClientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${content}.${signature}`,
        grant_type: 'client_credentials',
        scope: 'https://api.securitycenter.microsoft.com/.default',
      });
      return send('POST', tokenUrl, { form });
    };

    it('issues a token for one that is signed with the certificate', async () => {
      assert.equal((await request()).status, 200);
    });

    const wrong: [string, () => ReturnType<typeof request>, number][] = [
      ['of another application', () => request({ sub: 'somebody' }), 700021],
      [
        'for another endpoint',
        () => request({ aud: 'https://login.microsoftonline.com/other/oauth2/v2.0/token' }),
        700023,
      ],
      ['that has expired', () => request({ exp: 1 }), 700024],
      ['signed by somebody else', () => request({}, stranger.privateKey), 700027],
    ];
    for (const [what, ask, aadsts] of wrong) {
      it(`refuses one ${what}`, async () => {
        const answer = await ask();
        assert.equal(answer.status, 401);
        assert.deepEqual(answer.json(errorSchema).error_codes, [aadsts]);
      });
    }
  });
});
