import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { z } from 'zod';
import { SERVICE_SCOPE } from '../../src/domain/sealing.js';
import { sealPayload } from '../../src/temporal/payload-codec.js';
import { House, WEB_UI, type AskOptions } from '../support/house.js';
import { testSealing } from '../support/keys.js';

/*
 * What Temporal's Web UI and its command line ask: the "remote codec" of Temporal's documentation, with our own walls.
 */

const sentSchema = z.object({ metadata: z.record(z.string(), z.string()), data: z.string() });
const payloadsSchema = z.object({ payloads: z.array(sentSchema) });
type Sent = z.infer<typeof sentSchema>;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

function sent({ metadata, data }: Payload): Sent {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)] as const);
  return { metadata: Object.fromEntries(fields), data: base64(data ?? new Uint8Array()) };
}

const plain = (value: unknown) => sent(defaultPayloadConverter.toPayload(value));
const sealed = async (scope: string, value: unknown) =>
  sent(await sealPayload(testSealing, scope, defaultPayloadConverter.toPayload(value)));
const textIn = ({ data }: Sent) => Buffer.from(data, 'base64').toString('utf8');
const keyIn = ({ metadata }: Sent) => Buffer.from(metadata['encryption-key-id'] ?? '', 'base64').toString('utf8');

describe('the codec server', () => {
  let house: House;
  let acme: string;
  let globex: string;
  before(async () => {
    house = await House.open({ worker: false });
    acme = house.customer('acme');
    globex = house.customer('globex');
  });
  after(() => house.close());

  async function ask(path: '/decode' | '/encode', payloads: Sent[], as: AskOptions['as'] = 'analyst'): Promise<Sent[]> {
    const { status, body } = await house.ask('POST', path, { payloads }, { as });
    assert.equal(status, 200, JSON.stringify(body));
    return body.payloads;
  }

  it('opens what is of customers that the operator may see, and hands back the rest as it came', async () => {
    const payloads = [
      await sealed(acme, 'of acme'),
      await sealed(globex, 'of globex'),
      await sealed(SERVICE_SCOPE, 'of the mailbox'),
      plain('by hand'),
    ];
    const all = await ask('/decode', payloads);
    assert.deepEqual(all.map(textIn), ['"of acme"', '"of globex"', '"of the mailbox"', '"by hand"']);
    assert.deepEqual(await ask('/decode', payloads, 'viewer'), all);
    const [own, ...others] = await ask('/decode', payloads, 'bound');
    assert.deepEqual(own, all[0]);
    assert.deepEqual(others, payloads.slice(1));
  });

  it('is for those who may read incidents', async () => {
    const payloads = [await sealed(acme, 'secret')];
    for (const as of ['engineer', 'feed'] as const) {
      const { status, body } = await house.ask('POST', '/decode', { payloads }, { as });
      assert.deepEqual([status, body.code], [403, 'forbidden']);
    }
    const stranger = await house.ask('POST', '/decode', { payloads }, { headers: { Authorization: 'Bearer no' } });
    assert.equal(stranger.status, 401);
  });

  it('says why something cannot be opened, and opens what stands beside it', async () => {
    const broken = await sealed(acme, 'changed on the way');
    const bytes = Buffer.from(broken.data, 'base64');
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    const [first, second] = await ask('/decode', [{ ...broken, data: base64(bytes) }, await sealed(acme, 'whole')]);
    assert.ok(first && second);
    assert.match(textIn(first), /^"\(the key acme-\S+\.1 is not the one .*changed since\)"$/);
    assert.equal(textIn(second), '"whole"');
  });

  it('encrypts what is about to be sent: for the one customer of an operator, or for the service', async () => {
    const [forService] = await ask('/encode', [plain({ level: 3 })]);
    const [forAcme] = await ask('/encode', [plain({ level: 3 })], 'bound');
    assert.ok(forService && forAcme);
    assert.deepEqual([keyIn(forService), keyIn(forAcme)], [`${SERVICE_SCOPE}.1`, `${acme}.1`]);
    assert.deepEqual((await ask('/decode', [forService, forAcme])).map(textIn), ['{"level":3}', '{"level":3}']);
  });

  it('refuses what is no payload, and names it', async () => {
    const { status, body } = await house.ask('POST', '/decode', { payloads: [{ data: 'not base64!' }] });
    assert.deepEqual([status, body.errors[0].path], [422, 'payloads[0].data']);
  });

  it('is read, and no command: nothing of it is in the audit log', () => {
    const written = existsSync(house.auditFile) ? readFileSync(house.auditFile, 'utf8') : '';
    assert.doesNotMatch(written, /decode|encode/);
  });

  describe('asked from within a browser', () => {
    async function signIn(token: string) {
      const form = new URLSearchParams({ token });
      const response = await fetch(`${house.url}/sign-in`, { method: 'POST', body: form });
      return { status: response.status, cookie: response.headers.get('set-cookie') ?? '', page: await response.text() };
    }

    async function decode(headers: Record<string, string>, payloads: Sent[]) {
      const body = JSON.stringify({ payloads });
      return fetch(`${house.url}/decode`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      });
    }

    it('knows by a cookie who has signed in, for this alone', async () => {
      const { status, cookie, page } = await signIn('token-bound');
      assert.equal(status, 200);
      assert.match(page, /signed in as bound/);
      assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
      const headers = { Cookie: cookie.split(';')[0] ?? '' };
      const payloads = [await sealed(acme, 'own'), await sealed(globex, 'another’s')];
      const [own, other] = payloadsSchema.parse(await (await decode(headers, payloads)).json()).payloads;
      assert.ok(own);
      assert.equal(textIn(own), '"own"');
      assert.deepEqual(other, payloads[1]);
      assert.equal((await fetch(`${house.url}/v1/incidents`, { headers })).status, 401, 'no other route takes it');
    });

    it('gives no cookie for a token that nobody has', async () => {
      const { status, cookie, page } = await signIn('guessed');
      assert.equal(status, 401);
      assert.match(page, /not known/);
      assert.match(cookie, /^mimamori-operator=; .*Expires=Thu, 01 Jan 1970/);
      assert.equal((await decode({ Cookie: 'mimamori-operator=guessed' }, [])).status, 401);
      assert.equal((await decode({ Cookie: 'mimamori-operator=%' }, [])).status, 401);
    });

    it('answers to the Web UI’s origin, and to no other', async () => {
      const preflight = (origin: string) =>
        fetch(`${house.url}/decode`, {
          method: 'OPTIONS',
          headers: {
            Origin: origin,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'x-namespace',
          },
        });
      const { status, headers } = await preflight(WEB_UI);
      assert.equal(status, 204);
      assert.equal(headers.get('access-control-allow-origin'), WEB_UI);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
      assert.match(headers.get('access-control-allow-headers') ?? '', /X-Namespace/);
      assert.equal((await preflight('http://evil.example')).headers.get('access-control-allow-origin'), null);
      const answer = await decode({ Origin: WEB_UI, Authorization: 'Bearer token-analyst' }, []);
      assert.equal(answer.headers.get('access-control-allow-origin'), WEB_UI);
      const elsewhere = await fetch(`${house.url}/v1/incidents`, { headers: { Origin: WEB_UI } });
      assert.equal(elsewhere.headers.get('access-control-allow-origin'), null);
    });
  });
});
