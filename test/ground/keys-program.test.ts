import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readKeyRing } from '../../src/integrations/keys/key-ring.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const customer = (id: string, index: number) => ({
  id,
  name: id,
  language: 'en',
  timeZone: 'Asia/Tokyo',
  defender: { tenantId: `44444444-4444-4444-8444-44444444000${index}` },
  mail: { to: [`soc@${id}.example`] },
  contacts: [],
});

describe('the programs for keys', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-keys-'));
    file = join(folder, 'keys.json');
    have('acme', 'globex');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function have(...ids: string[]): void {
    writeFileSync(join(folder, 'customers.yaml'), stringify({ customers: ids.map(customer) }));
  }

  function run(program: 'keys' | 'forget', args: string[], more: Record<string, string> = {}) {
    const env = {
      PATH: process.env['PATH'],
      CUSTOMERS_FILE: join(folder, 'customers.yaml'),
      ENCRYPTION_KEYS_FILE: file,
      ...more,
    };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', join('src', `${program}.ts`), ...args],
      { cwd: root, env, encoding: 'utf8' },
    );
    const output = `${stdout}${stderr}`;
    const secrets = existsSync(file) ? readKeyRing(file).keys.map(({ secret }) => secret) : [];
    for (const secret of secrets) assert.ok(!output.includes(secret), 'a secret is shown');
    assert.doesNotMatch(output, /\n {4}at /, 'a stack');
    return { status, stdout, stderr };
  }

  it('make what is missing, once, for the owner alone', () => {
    const first = run('keys', []);
    assert.deepEqual([first.status, first.stdout], [0, 'made _service.1\nmade acme.1\nmade globex.1\n']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(run('keys', []).stdout, 'No key was missing.\n');
    have('acme', 'globex', 'initech');
    assert.equal(run('keys', []).stdout, 'made initech.1\n');
  });

  it('add the next key, used at once or from a time on', () => {
    run('keys', []);
    assert.equal(run('keys', ['rotate', 'acme']).stdout, 'made acme.2, used at once\n');
    assert.equal(
      run('keys', ['rotate', '--all', '2099-12-01T00:00:00+09:00']).stdout,
      ['_service.2', 'acme.3', 'globex.2'].map((id) => `made ${id}, used from 2099-11-30T15:00:00.000Z\n`).join(''),
    );
    assert.equal(run('keys', []).stdout, 'No key was missing.\n');
  });

  it('say plainly what they cannot do, and change nothing then', () => {
    run('keys', []);
    const before = readFileSync(file, 'utf8');
    const wrong: [string[], RegExp][] = [
      [['make'], /^keys: npm run keys {5}/],
      [['rotate'], /^keys: npm run keys {5}/],
      [['rotate', 'Acme'], /^keys: Acme is neither the id of a customer nor _service nor --all/],
      [['rotate', 'initech'], /^keys: initech has no key that another could follow/],
      [['rotate', 'acme', 'tomorrow'], /^keys: tomorrow is no time such as/],
      [['rotate', 'acme', '2099-12-01T00:00:00'], /is no time such as/],
      [['rotate', 'acme', '2020-01-01T00:00:00Z'], /is over: without a time the new key is used at once/],
    ];
    for (const [args, expected] of wrong) {
      const { status, stderr } = run('keys', args);
      assert.equal(status, 1, args.join(' '));
      assert.match(stderr, expected);
    }
    const unset = run('keys', [], { ENCRYPTION_KEYS_FILE: '' });
    assert.deepEqual(
      [unset.status, unset.stderr],
      [1, 'keys: ENCRYPTION_KEYS_FILE must name the file that the keys are to be in.\n'],
    );
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  it('do not forget who is still a customer, is none, or has no key', () => {
    run('keys', []);
    const before = readFileSync(file, 'utf8');
    const wrong: [string[], RegExp][] = [
      [[], /^forget: npm run forget -- CUSTOMER/],
      [['acme', 'globex'], /^forget: npm run forget -- CUSTOMER/],
      [['_service'], /_service is no id of a customer/],
      [['acme', '--yes'], /acme is in .*customers\.yaml: feeds and mails would go on/],
      [['initech', '--yes'], /There is no customer initech: no key of theirs, and none destroyed/],
    ];
    for (const [args, expected] of wrong) {
      const { status, stderr } = run('forget', args);
      assert.equal(status, 1, args.join(' '));
      assert.match(stderr, expected);
    }
    const plain = run('forget', ['initech', '--yes'], { ENCRYPTION_KEYS_FILE: '' });
    assert.match(plain.stderr, /Nothing is encrypted/);
    assert.equal(readFileSync(file, 'utf8'), before);
  });
});
