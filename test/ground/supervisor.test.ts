import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { ChildEnd, ChildSpec } from '../../scripts/start/child.js';
import { takeDataFolder } from '../../scripts/start/data-folder.js';
import {
  checkSettings,
  childEnvironment,
  readPorts,
  simulatorEnvironment,
} from '../../scripts/start/local-settings.js';
import { operatorAccess } from '../../scripts/start/operator-token.js';
import { freePort, portProblems } from '../../scripts/start/ports.js';
import { problemsOfJsonLog } from '../../scripts/start/shown-lines.js';
import { Supervisor } from '../../scripts/start/supervisor.js';
import { loadOperators, SettingsError } from '../../src/config.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function allGone(pids: readonly number[], withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (pids.some(isAlive)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(50);
  }
  return true;
}

describe('npm start', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-start-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe('the supervisor', () => {
    let supervisor: Supervisor;
    let printed: string[] = [];
    let fallen: { name: string; end: ChildEnd }[] = [];

    beforeEach(() => {
      printed = [];
      fallen = [];
      supervisor = new Supervisor({
        logDir: join(folder, 'logs'),
        print: (line) => printed.push(line),
        onFallen: (name, end) => fallen.push({ name, end }),
      });
    });
    afterEach(() => supervisor.close(['a', 'b']));

    /** A child that says its pid when it runs. */
    function child(name: string, script: string, drainMs = 1_000): ChildSpec {
      return {
        name,
        args: ['--eval', `console.log('pid ' + process.pid); ${script}`],
        env: process.env,
        drainMs,
        shown: (line) => line,
        isReady: () => Promise.resolve(printed.some((line) => line.startsWith(`${name}: pid `))),
      };
    }
    const pidOf = (name: string) =>
      Number(
        printed
          .findLast((line) => line.startsWith(`${name}: pid `))
          ?.split(' ')
          .at(-1),
      );
    const stays = 'setInterval(() => {}, 1000);';

    it('names a child that dies, with its last words', async () => {
      await supervisor.start(child('a', stays));
      await supervisor.start(child('b', `${stays} setTimeout(() => { throw new Error('no more') }, 1_000);`));
      while (fallen.length === 0) await sleep(20);
      assert.deepEqual(
        fallen.map(({ name, end }) => `${name} ${end.how}`),
        ['b exit code 1'],
      );
      assert.match(fallen[0]?.end.lastLines.join('\n') ?? '', /Error: no more/);
      assert.match(readFileSync(join(folder, 'logs', 'b.log'), 'utf8'), /Error: no more/);
      await supervisor.close(['b', 'a']);
      assert.equal(fallen.length, 1);
      assert.ok(await allGone([pidOf('a')], 0));
    });

    it('does not wait for one that ends before it is ready', async () => {
      await assert.rejects(
        supervisor.start({ ...child('a', 'process.exit(3)'), isReady: () => Promise.resolve(false) }),
        /^Error: a ended \(exit code 3\) before it was ready$/,
      );
    });

    it('ends them one after the other, and kills one that does not listen', async () => {
      const says = `process.on('SIGTERM', () => { console.log('drained'); setTimeout(() => process.exit(), 200) });`;
      await supervisor.start(child('a', `${stays} ${says}`));
      await supervisor.start(child('b', `${stays} process.on('SIGTERM', () => console.log('deaf'));`, 1_000));
      await supervisor.close(['a', 'b']);
      assert.ok(await allGone([pidOf('a'), pidOf('b')], 500));
      assert.deepEqual(printed.slice(-3), ['a: drained', 'b: deaf', 'b did not end in time and was killed']);
      assert.deepEqual(fallen, []);
      await assert.rejects(supervisor.start(child('a', stays)), /a is not started any more/);
    });

    it('leaves nothing behind when it is killed itself', async function () {
      this.timeout(20_000);
      const fixture = fileURLToPath(new URL('./fixtures/supervised.ts', import.meta.url));
      const victim = spawn(process.execPath, ['--import', 'tsx', fixture, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(victim, 'exit');
      const lines = createInterface({ input: victim.stdout });
      const [line] = (await once(lines, 'line')).map(String);
      const pids = line?.split(' ').map(Number) ?? [];
      assert.equal(pids.length, 2);
      assert.ok(pids.every(isAlive));
      victim.kill('SIGKILL');
      await exited;
      assert.ok(await allGone(pids, 5_000));
    });
  });

  describe('ports', () => {
    const server = createServer();
    let port = 0;
    before(async () => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      port = typeof address === 'object' && address !== null ? address.port : 0;
    });
    after(() => server.close());

    it('in use are named, with the variable that changes them', async () => {
      const [problem, ...others] = await portProblems([
        { variable: 'API_PORT', port, host: '127.0.0.1', what: 'the API' },
        { variable: 'TEMPORAL_PORT', port: 0, host: '127.0.0.1', what: 'Temporal' },
      ]);
      assert.deepEqual(others, []);
      assert.match(problem ?? '', new RegExp(`^port ${port} for the API is in use.*: change it with API_PORT$`));
      if (process.platform === 'linux') assert.ok(problem?.includes(`(pid ${process.pid})`));
    });

    it('given twice are named too', async () => {
      assert.deepEqual(
        await portProblems([
          { variable: 'API_PORT', port: 0, host: '127.0.0.1', what: 'the API' },
          { variable: 'TEMPORAL_PORT', port: 0, host: '127.0.0.1', what: 'Temporal' },
        ]),
        ['port 0 is meant for the API and for Temporal: change API_PORT or TEMPORAL_PORT'],
      );
    });

    it('of which only the caller may have a wish give way where they are in use', async () => {
      const other = await freePort(port);
      assert.notEqual(other, port);
      assert.equal(await freePort(other), other);
    });

    it('that are none are refused by name', () => {
      assert.throws(
        () => readPorts({ TEMPORAL_PORT: 'x', SIMULATOR_PORT: '70000' }),
        (error) => {
          assert.ok(error instanceof SettingsError);
          assert.deepEqual(
            error.problems.map((problem) => problem.split(':')[0]),
            ['SIMULATOR_PORT', 'TEMPORAL_PORT'],
          );
          return true;
        },
      );
    });
  });

  describe('the settings of the children', () => {
    it('lead to the simulator and the embedded Temporal', () => {
      const env = childEnvironment(
        { TEMPORAL_API_KEY: 'of some cloud', TEMPORAL_ADDRESS: 'cloud:7233', SIMULATOR_PORT: '9200', API_PORT: '' },
        readPorts({ SIMULATOR_PORT: '9200' }),
        'operators.yaml',
      );
      assert.equal(env['TEMPORAL_ADDRESS'], '127.0.0.1:7233');
      assert.equal(env['TEMPORAL_API_KEY'], undefined);
      assert.equal(env['DEFENDER_API_BASE'], 'http://127.0.0.1:9200');
      const { api, customers } = checkSettings(env);
      assert.equal(api.api.port, 8080);
      assert.equal(customers[0]?.id, 'acme');
    });

    it("are the caller's where the caller has set them", () => {
      const env = childEnvironment(
        { DEFENDER_API_BASE: 'https://defender.example', DEFENDER_CLIENT_CERTIFICATE_PATH: 'LICENSE' },
        readPorts({}),
        'operators.yaml',
      );
      assert.equal(env['DEFENDER_API_BASE'], 'https://defender.example');
      checkSettings(env);
    });
  });

  describe("the simulator's own settings", () => {
    const env = childEnvironment({}, readPorts({}), 'operators.yaml');
    const { customers } = checkSettings(env);

    it('let alerts come by themselves, in the tenant of every customer', () => {
      const own = simulatorEnvironment(env, customers);
      assert.equal(own['SIMULATOR_ALERTS_PER_MINUTE'], '4');
      assert.equal(own['SIMULATOR_TRICKLE_TENANTS'], customers.map(({ defender }) => defender.tenantId).join(','));
      // Whoever brings up the same children otherwise is left in peace.
      assert.equal(env['SIMULATOR_ALERTS_PER_MINUTE'], undefined);
    });

    it("are the caller's where the caller has set them, and named where they are wrong", () => {
      const own = simulatorEnvironment({ ...env, SIMULATOR_ALERTS_PER_MINUTE: '0' }, customers);
      assert.equal(own['SIMULATOR_ALERTS_PER_MINUTE'], '0');
      assert.throws(
        () => simulatorEnvironment({ ...env, SIMULATOR_ALERTS_PER_MINUTE: 'many' }, customers),
        /SIMULATOR_ALERTS_PER_MINUTE/,
      );
    });
  });

  describe('the operator token', () => {
    it('is made on the first run, and not shown again', () => {
      const file = join(folder, 'operators.yaml');
      const { token, isNew } = operatorAccess({}, file);
      assert.ok(isNew && token !== undefined && token.length > 40);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(token));
      const [operator] = loadOperators(file).operators;
      assert.equal(operator?.role, 'analyst');
      assert.equal(operator.customers, '*');

      assert.deepEqual(
        { ...operatorAccess({}, file), line: '' },
        { operatorsFile: file, line: '', token, isNew: false },
      );
      assert.deepEqual(loadOperators(file).operators[0], operator);
    });

    it('is one of two: what one has proposed, the other can approve', () => {
      const file = join(folder, 'operators.yaml');
      for (const env of [{}, { OPERATOR_TOKEN: 'abc' }]) {
        operatorAccess(env, file);
        const [, second] = loadOperators(file).operators;
        assert.deepEqual([second?.id, second?.role, second?.customers], ['lead', 'lead', '*']);
        const tokenFile = join(folder, 'lead-token');
        assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
        const token = readFileSync(tokenFile, 'utf8').trim();
        assert.equal(createHash('sha256').update(token).digest('hex'), second?.tokenSha256);
      }
    });

    it('is OPERATOR_TOKEN when that is set, and of OPERATORS_FILE when that is', () => {
      const file = join(folder, 'operators.yaml');
      operatorAccess({ OPERATOR_TOKEN: 'abc' }, file);
      assert.equal(
        loadOperators(file).operators[0]?.tokenSha256,
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
      const unused = join(folder, 'unused.yaml');
      assert.equal(
        operatorAccess({ OPERATORS_FILE: 'config/operators.yaml' }, unused).operatorsFile,
        'config/operators.yaml',
      );
      assert.equal(existsSync(unused), false);
    });
  });

  it('shows problems of the logs and keeps the rest', () => {
    const shown = problemsOfJsonLog('warn');
    assert.equal(shown('{"level":30,"msg":"all is well"}', 'stdout'), undefined);
    assert.equal(
      shown('{"level":50,"msg":"mail failed","err":{"message":"refused"}}', 'stdout'),
      'error: mail failed: refused',
    );
    assert.equal(shown('{"level":"warn","msg":"slow"}', 'stderr'), 'warning: slow');
    assert.equal(shown('starting', 'stdout'), undefined);
    assert.equal(shown('TypeError: at the top', 'stderr'), 'TypeError: at the top');
    assert.equal(shown('    at thrower (file.ts:1:1)', 'stderr'), undefined);
  });

  it('keeps a second one away from its data', () => {
    const data = join(folder, 'data');
    const first = takeDataFolder(data, { fresh: false });
    assert.ok('release' in first);
    first.release();
    const second = takeDataFolder(data, { fresh: true });
    assert.ok('release' in second);
    assert.equal(readFileSync(join(data, 'start.pid'), 'utf8'), `${process.pid}\n`);
  });
});
