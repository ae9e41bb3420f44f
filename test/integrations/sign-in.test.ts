import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSignIn, SignInError, type SignIn } from '../../src/integrations/defender/sign-in.js';
import { failure } from './secrets.js';
import { startWorld, type World } from './world.js';

/** Certificate and key in one PEM text. */
function selfSigned(): string {
  const options = [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=mimamori-test',
    '-keyout',
    '-',
    '-out',
    '-',
  ];
  return execFileSync('openssl', ['req', '-x509', ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function certificateOf(pem: string): string {
  const [certificate] = /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.exec(pem) ?? [];
  assert.ok(certificate);
  return certificate;
}

describe('signing in to a tenant', () => {
  let world: World;
  let tenantId: string;
  const pem = selfSigned();

  before(async () => {
    world = await startWorld({ defenderClientCertificate: certificateOf(pem) });
  });
  after(() => world.stop());
  beforeEach(async () => {
    await world.reset();
    tenantId = randomUUID();
  });

  function signInWith(credential: { secret: string } | { certificatePem: string }): SignIn {
    return createSignIn({
      clientId: world.credentials.defenderClientId,
      credential,
      tokenEndpoint: world.tokenEndpoint,
    });
  }

  function withSecret(): SignIn {
    return signInWith({ secret: world.credentials.defenderClientSecret });
  }

  const signInFailure = (work: Promise<unknown>): Promise<SignInError> =>
    failure(work, SignInError, [world.credentials.defenderClientSecret, 'a-wrong-secret', 'PRIVATE KEY']);

  const asked = async (): Promise<number> => (await world.requests('entra')).length;

  it('keeps each tenant’s token, and renews it when told to', async () => {
    const signIn = withSecret();
    const token = await signIn.token(tenantId);
    assert.equal(await signIn.token(tenantId), token);
    assert.equal(await asked(), 1);
    assert.notEqual(await signIn.token(randomUUID()), token);
    assert.equal(await asked(), 2);
    const renewed = await signIn.token(tenantId, { renew: true });
    assert.equal(await asked(), 3);
    assert.equal(await signIn.token(tenantId), renewed);
  });

  it('asks once for many who want the same token at once', async () => {
    const signIn = withSecret();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => signIn.token(tenantId)));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(await asked(), 1);
  });

  it('works with a certificate, which Entra knows', async () => {
    assert.ok(await signInWith({ certificatePem: pem }).token(tenantId));
  });

  it('says that a certificate is not the registered one', async () => {
    const error = await signInFailure(signInWith({ certificatePem: selfSigned() }).token(tenantId));
    assert.deepEqual([error.kind, error.code], ['permanent', 'AADSTS700027']);
    assert.match(error.message, /certificate/);
  });

  it('refuses at once a certificate that cannot work, without showing the key', () => {
    const key = pem.replace(certificateOf(pem), '');
    for (const [certificatePem, why] of [
      [key, /no certificate/],
      [certificateOf(pem), /no unencrypted private key/],
      [certificateOf(selfSigned()) + key, /does not belong/],
      [certificateOf(pem) + key.replace(/[A-Za-z]{20}/, ''), /cannot be read/],
    ] as const) {
      assert.throws(
        () => signInWith({ certificatePem }),
        (error: unknown) => error instanceof TypeError && why.test(error.message) && !error.message.includes('BEGIN'),
      );
    }
  });

  it('tells a wrong secret, a missing consent and a wrong tenant apart', async () => {
    const wrongSecret = await signInFailure(signInWith({ secret: 'a-wrong-secret' }).token(tenantId));
    assert.deepEqual([wrongSecret.kind, wrongSecret.code], ['permanent', 'AADSTS7000215']);
    assert.match(wrongSecret.message, /the client secret is wrong \(AADSTS7000215, trace [\w-]+\)/);
    await world.tenant(tenantId, { consented: false });
    const noConsent = await signInFailure(withSecret().token(tenantId));
    assert.deepEqual([noConsent.kind, noConsent.code], ['permanent', 'AADSTS7000229']);
    assert.match(noConsent.message, /consent/);
    const noTenant = await signInFailure(withSecret().token('../x'));
    assert.equal(noTenant.kind, 'permanent');
  });

  it('tries again at once after a failure of Entra’s: a bad minute blocks nobody', async () => {
    const signIn = withSecret();
    for (const fault of [
      { status: 503 },
      { status: 429, retryAfterSeconds: 60 },
      { status: 200, body: '<html>' },
      { status: 200, body: '{}' },
      {},
    ]) {
      await world.fault({ target: 'entra', times: 1, ...fault });
      assert.equal((await signInFailure(signIn.token(tenantId))).kind, 'transient');
    }
    assert.ok(await signIn.token(tenantId));
  });
});
