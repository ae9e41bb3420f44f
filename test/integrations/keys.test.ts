import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { until } from '../../simulator/testing.js';
import { encryptionBy, encryptionOf } from '../../src/encryption.js';
import { KeyMissing, SealBroken } from '../../src/domain/sealing.js';
import { changeKeyFile } from '../../src/integrations/keys/key-file.js';
import { keysInFile, keysOf, parseKeyRing, readKeyRing } from '../../src/integrations/keys/key-ring.js';
import { createSealing, type Keys } from '../../src/integrations/keys/keys.js';
import { withMissingKeys, withNextKeys, withoutKeysOf } from '../../src/integrations/keys/ring-changes.js';
import { customersNamed } from '../support/house.js';
import { customersFileSchema } from '../../src/domain/customer.js';

interface RawKey {
  id: string;
  secret: string;
  usedFrom?: string;
}

const NOW = '2026-11-29T00:00:00.000Z';
const plain = Buffer.from('マルウェア invoice.exe');
const newSecret = () => randomBytes(32).toString('base64');
const key = (id: string, usedFrom?: string): RawKey => ({
  id,
  secret: newSecret(),
  ...(usedFrom === undefined ? {} : { usedFrom }),
});
const ringText = (keys: RawKey[], destroyed: { scope: string; at: string }[] = []) =>
  JSON.stringify({ keys, destroyed });
const ringOf = (...keys: RawKey[]) => parseKeyRing(ringText(keys), 'test');
const one = (id: string): Keys => {
  const only = { id, secret: createSecretKey(randomBytes(32)) };
  return { newest: () => Promise.resolve(only), named: () => Promise.resolve(only) };
};

describe('sealing', () => {
  const sealing = createSealing(one('acme.1'));

  it('gives back what was sealed, also nothing at all', async () => {
    for (const text of [plain, Buffer.alloc(0), randomBytes(100_000)]) {
      const sealed = await sealing.seal('acme', text);
      assert.equal(sealed.keyId, 'acme.1');
      assert.deepEqual(Buffer.from(await sealing.open(sealed)), text);
    }
  });

  it('never makes the same twice, nor shows what it holds', async () => {
    const [first, second] = [await sealing.seal('acme', plain), await sealing.seal('acme', plain)];
    assert.notDeepEqual(first.bytes, second.bytes);
    for (const { bytes } of [first, second]) assert.equal(Buffer.from(bytes).indexOf('invoice'), -1);
  });

  it('notices a change of any bit, and anything cut off or added', async () => {
    const { keyId, bytes } = await sealing.seal('acme', plain);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await assert.rejects(sealing.open({ keyId, bytes: changed }), SealBroken, `byte ${at}`);
      await assert.rejects(sealing.open({ keyId, bytes: bytes.subarray(0, at) }), SealBroken, `${at} bytes`);
    }
    await assert.rejects(sealing.open({ keyId, bytes: Buffer.concat([bytes, Buffer.alloc(1)]) }), SealBroken);
  });

  it('opens nothing with another key', async () => {
    const sealed = await sealing.seal('acme', plain);
    await assert.rejects(createSealing(one('acme.1')).open(sealed), (error) => {
      assert.ok(error instanceof SealBroken);
      assert.match(error.message, /the key acme\.1 is not the one/);
      return true;
    });
  });

  it('authenticates the name of the key', async () => {
    const sealed = await sealing.seal('acme', plain);
    await assert.rejects(sealing.open({ ...sealed, keyId: 'globex.1' }), SealBroken);
  });
});

describe('a ring of keys', () => {
  it('encrypts with the highest number that is in use, and decrypts with every key', async () => {
    let nowMs = Date.parse(NOW);
    const [first, tenth, second] = [key('acme.1'), key('acme.10', '2026-12-01T00:00:00+09:00'), key('acme.2')];
    const sealing = createSealing(keysOf(ringOf(first, tenth, second), () => nowMs));
    const old = await createSealing(keysOf(ringOf(first))).seal('acme', plain);
    const before = await sealing.seal('acme', plain);
    assert.equal(before.keyId, 'acme.2');
    nowMs = Date.parse('2026-11-30T15:00:00Z');
    const after = await sealing.seal('acme', plain);
    assert.equal(after.keyId, 'acme.10');
    for (const sealed of [old, before, after]) assert.deepEqual(Buffer.from(await sealing.open(sealed)), plain);
  });

  it('says which key is missing, and tells one that was destroyed from one that never was there', async () => {
    const keys = keysOf(parseKeyRing(ringText([key('_service.1')], [{ scope: 'acme', at: NOW }]), 'test'));
    await assert.rejects(keys.named('globex.3'), { name: 'KeyMissing', isDestroyed: false, message: /globex\.3/ });
    await assert.rejects(keys.newest('globex'), { name: 'KeyMissing', isDestroyed: false, message: /globex/ });
    const gone = { name: 'KeyMissing', isDestroyed: true, message: `the keys of acme were destroyed at ${NOW}` };
    await assert.rejects(keys.named('acme.1'), gone);
    await assert.rejects(keys.newest('acme'), gone);
  });

  it('refuses what is wrong, without a word of what it holds', () => {
    const secret = newSecret();
    const wrong: [string, RegExp][] = [
      [`{"keys": [{"id":"acme.1","secret":"${secret}"`, /is no JSON/],
      ['[]', /keys\.json: the whole /],
      [ringText([{ id: 'acme', secret }]), /keys\.0\.id must be a scope and a number/],
      [ringText([{ id: '_other.1', secret }]), /keys\.0\.id must begin with the id of a customer, or _service/],
      [ringText([{ id: 'acme.1', secret: secret.slice(0, 20) }]), /keys\.0\.secret must be 32 bytes/],
      [ringText([{ id: 'acme.1', secret: `${secret.slice(0, 40)}!` }]), /keys\.0\.secret must be base64/],
      [ringText([{ id: 'acme.1', secret, usedFrom: secret }]), /keys\.0\.usedFrom must be an ISO 8601 time/],
      [JSON.stringify({ keys: [{ id: 'acme.1', secret, [secret]: 1 }] }), /keys\.0 /],
      [ringText([key('acme.1'), { id: 'acme.1', secret }]), /keys\.1\.id is there twice/],
      [
        ringText([{ id: 'acme.1', secret }], [{ scope: 'acme', at: NOW }]),
        /belongs to a customer whose keys were dest/,
      ],
    ];
    for (const [text, expected] of wrong) {
      assert.throws(
        () => parseKeyRing(text, 'keys.json'),
        (error) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, expected, text.replace(secret, '…'));
          assert.ok(!inspect(error, { depth: 9 }).includes(secret.slice(0, 12)), 'the secret is in the error');
          return true;
        },
      );
    }
  });

  it('is checked for every customer at the start', async () => {
    const { customers } = customersFileSchema.parse({ customers: customersNamed('keys') });
    const [first, second] = customers;
    assert.ok(first !== undefined && second !== undefined);
    const text = ringText([key('_service.1'), key(`${first.id}.1`)], [{ scope: second.id, at: NOW }]);
    const encryption = encryptionBy(keysOf(parseKeyRing(text, 'test')));
    await encryption.check([first]);
    await assert.rejects(encryption.check([first, second]), new RegExp(`the keys of ${second.id} were destroyed`));
    await assert.rejects(encryptionBy(keysOf(ringOf())).check([first]), /no key for _service .*no key for /);
  });
});

describe('keys in a file', () => {
  let folder: string;
  let file: string;
  const refused: string[] = [];
  const service = key('_service.1');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-keys-'));
    file = join(folder, 'keys.json');
    refused.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (text: string) => {
    writeFileSync(`${file}.next`, text);
    renameSync(`${file}.next`, file);
  };
  const inFile = () => keysInFile(file, (error) => refused.push(String(error)));

  it('are there for what was encrypted with a newer one, without a restart', async () => {
    const [first, second] = [key('acme.1'), key('acme.2')];
    write(ringText([service, first]));
    const keys = inFile();
    assert.equal((await keys.newest('acme')).id, 'acme.1');
    write(ringText([service, first, second]));
    // At once: whoever asks for what is not there has the file looked at.
    assert.equal((await keys.named('acme.2')).id, 'acme.2');
    assert.equal((await keys.newest('acme')).id, 'acme.2');
    assert.deepEqual(refused, []);
  });

  it('forget a key that is destroyed within seconds', async () => {
    write(ringText([service, key('acme.1')]));
    const keys = inFile();
    const sealed = await createSealing(keys).seal('acme', plain);
    write(ringText([service], [{ scope: 'acme', at: NOW }]));
    await until(
      'the key is forgotten',
      () =>
        keys.named(sealed.keyId).then(
          () => undefined,
          (error: unknown) => error instanceof KeyMissing && error.isDestroyed,
        ),
      5_000,
    );
    await assert.rejects(keys.newest('acme'), { isDestroyed: true });
  });

  it('stay as they were while the file cannot be used, which is told once', async () => {
    const acme = key('acme.1');
    write(ringText([service, acme]));
    const keys = inFile();
    const wrong: [() => void, RegExp][] = [
      [() => write(`{"keys": ["${acme.secret}`), /is no JSON/],
      [() => rmSync(file), /ENOENT/],
      [() => write(ringText([acme])), /has no key for _service/],
    ];
    for (const [change, expected] of wrong) {
      refused.length = 0;
      change();
      for (let look = 0; look < 3; look += 1) await assert.rejects(keys.named('globex.1'), KeyMissing);
      assert.equal(refused.length, 1, refused.join('\n'));
      assert.match(refused[0] ?? '', expected);
      assert.ok(!(refused[0] ?? '').includes(acme.secret.slice(0, 12)));
      assert.equal((await keys.newest('acme')).id, 'acme.1');
    }
    write(ringText([service, acme, key('globex.1')]));
    assert.equal((await keys.named('globex.1')).id, 'globex.1');
  });

  it('are needed at the start, in a file that can be used', () => {
    assert.throws(inFile, /ENOENT/);
    write('{}');
    assert.throws(() => encryptionOf({ file }, console), /keys\.json: keys /);
    assert.equal(encryptionOf(undefined, console), undefined);
  });

  it('are made for whoever has none, and for nobody twice; the owner alone reads the file', () => {
    const changed = changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service', 'acme'], NOW));
    assert.deepEqual(changed.made, ['_service.1', 'acme.1']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const before = readFileSync(file, 'utf8');
    const { ino } = statSync(file);
    assert.deepEqual(changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service', 'acme'], NOW)).made, []);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.equal(statSync(file).ino, ino);
    const next = changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service', 'acme', 'globex'], NOW));
    assert.deepEqual(next.made, ['globex.1']);
    // What was there is still the same.
    const secretsOf = (text: string) => parseKeyRing(text, 'test').keys.map(({ secret }) => secret);
    assert.deepEqual(secretsOf(readFileSync(file, 'utf8')).slice(0, 2), secretsOf(before));
    assert.equal(new Set(secretsOf(readFileSync(file, 'utf8'))).size, 3);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['keys.json']);
  });

  it('are followed by the next ones', () => {
    changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service', 'acme'], NOW));
    const from = '2026-12-01T00:00:00.000Z';
    assert.deepEqual(changeKeyFile(file, (ring) => withNextKeys(ring, ['acme'], from)).made, ['acme.2']);
    assert.deepEqual(changeKeyFile(file, (ring) => withNextKeys(ring, ['_service', 'acme'], undefined)).made, [
      '_service.2',
      'acme.3',
    ]);
    const { keys } = readKeyRing(file);
    assert.deepEqual(
      keys.map(({ id, usedFrom }) => [id, usedFrom]),
      [
        ['_service.1', undefined],
        ['acme.1', undefined],
        ['acme.2', from],
        ['_service.2', undefined],
        ['acme.3', undefined],
      ],
    );
  });

  it('cannot follow where there was none, or where they were destroyed: then nothing is changed', () => {
    changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service', 'acme', 'globex'], NOW));
    changeKeyFile(file, (ring) => ({ ring: withoutKeysOf(ring, 'acme', NOW) }));
    const before = readFileSync(file, 'utf8');
    assert.doesNotMatch(before, /acme\.1/);
    const rotate = (...scopes: string[]) => changeKeyFile(file, (ring) => withNextKeys(ring, scopes, undefined));
    assert.throws(() => rotate('globex', 'acme'), /the keys of acme were destroyed at 2026-11-29T00:00:00\.000Z/);
    assert.throws(() => rotate('initech'), /initech has no key that another could follow/);
    assert.deepEqual(changeKeyFile(file, (ring) => withMissingKeys(ring, ['acme'], NOW)).made, []);
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  it('are not changed by two at once', () => {
    changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service'], NOW));
    writeFileSync(`${file}.new`, '');
    const before = readFileSync(file, 'utf8');
    assert.throws(
      () => changeKeyFile(file, (ring) => withMissingKeys(ring, ['acme'], NOW)),
      /keys\.json\.new is there: somebody else changes the keys now/,
    );
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(readdirSync(folder).sort(), ['keys.json', 'keys.json.new']);
  });

  it('are left whole by a change that fails', () => {
    changeKeyFile(file, (ring) => withMissingKeys(ring, ['_service'], NOW));
    const before = readFileSync(file, 'utf8');
    const broken = { id: 'acme.1', secret: 'short' };
    assert.throws(
      () => changeKeyFile(file, (ring) => ({ ring: { ...ring, keys: [...ring.keys, broken] } })),
      /keys\.1\.secret/,
    );
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(readdirSync(folder), ['keys.json']);
  });
});
