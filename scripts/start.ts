import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiSettings, WorkerSettings } from '../src/config.js';
import {
  checkSettings,
  childEnvironment,
  metricsPorts,
  readPorts,
  simulatorEnvironment,
} from './start/local-settings.js';
import type { ChildEnd, ChildSpec } from './start/child.js';
import { takeDataFolder } from './start/data-folder.js';
import { firstScreen } from './start/first-screen.js';
import { mailTokenSecret, operatorAccess } from './start/operator-token.js';
import { ownKeys } from './start/own-keys.js';
import { freePort, portProblems, type PortUse } from './start/ports.js';
import { problemsOfJsonLog } from './start/shown-lines.js';
import { Supervisor } from './start/supervisor.js';
import { prepareNamespace, temporalSpec, type EmbeddedTemporal } from './start/temporal-server.js';
import { startWebUi } from './start/web-ui.js';
import { watchSources } from './start/watch.js';
import { temporalBinary } from './temporal-binaries.js';

/*
 * npm start: the whole service on one machine. `--fresh` forgets the data, `--watch` (npm run dev) restarts on change.
 */

const rootDir = fileURLToPath(new URL('..', import.meta.url));
const dataDir = join(rootDir, '.data');
const logDir = join(dataDir, 'logs');
const ownOperatorsFile = join(dataDir, 'operators.yaml');

/** The API first, so that nobody is promised anything; the worker before what it needs to drain. */
const stopOrder = ['api', 'worker', 'simulator', 'temporal'];

const options = new Set(process.argv.slice(2));

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function urlOf({ host, port }: { host: string; port: number }): string {
  const isEverywhere = host === '0.0.0.0' || host === '::';
  return `http://${isEverywhere ? '127.0.0.1' : host}:${port}`;
}

/** Where the two processes have their metrics read. */
function metricsUses(api: ApiSettings, worker: WorkerSettings): PortUse[] {
  const uses = [
    { variable: 'API_METRICS_PORT', at: api.metrics, what: "the API's metrics" },
    { variable: 'WORKER_METRICS_PORT', at: worker.metrics, what: "the worker's metrics" },
  ];
  return uses.flatMap(({ variable, at, what }) => (at === undefined ? [] : [{ variable, what, ...at }]));
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const unknown = [...options].filter((option) => option !== '--fresh' && option !== '--watch');
  if (unknown.length > 0) throw new Error(`${unknown.join(' ')}: unknown. Known: --fresh (forgets the data)`);

  const ports = readPorts(process.env);
  const operatorsFile = process.env['OPERATORS_FILE'];
  const env: NodeJS.ProcessEnv = {
    // Nobody who starts this on the ports of their choice has to know that there are these two.
    API_METRICS_PORT: String(await freePort(metricsPorts.api)),
    WORKER_METRICS_PORT: String(await freePort(metricsPorts.worker)),
    ...childEnvironment(
      process.env,
      ports,
      operatorsFile === undefined || operatorsFile === '' ? ownOperatorsFile : operatorsFile,
    ),
  };
  const { api, worker, customers } = checkSettings(env);
  const [customer] = customers;
  if (customer === undefined) throw new Error(`${api.customersFile} has no customers`);
  const simulatorEnv = simulatorEnvironment(env, customers);

  const apiUrl = urlOf(api.api);
  const simulatorUrl = `http://127.0.0.1:${ports.simulator}`;

  const taken = await portProblems([
    { variable: 'API_PORT', port: api.api.port, host: api.api.host, what: 'the API' },
    { variable: 'SIMULATOR_PORT', port: ports.simulator, host: '127.0.0.1', what: 'the simulator' },
    { variable: 'SIMULATOR_SMTP_PORT', port: ports.simulatorSmtp, host: '127.0.0.1', what: "the simulator's mail" },
    { variable: 'SIMULATOR_IMAP_PORT', port: ports.simulatorImap, host: '127.0.0.1', what: "the simulator's mailbox" },
    { variable: 'TEMPORAL_PORT', port: ports.temporal, host: '127.0.0.1', what: 'Temporal' },
    { variable: 'TEMPORAL_UI_PORT', port: ports.temporalUi, host: '127.0.0.1', what: "Temporal's Web UI" },
    ...metricsUses(api, worker),
  ]);
  if (taken.length > 0) throw new Error(taken.join('\n'));

  const folder = takeDataFolder(dataDir, { fresh: options.has('--fresh') });
  if ('pid' in folder) throw new Error(`another npm start (pid ${folder.pid}) uses ${dataDir}: end it first`);
  const access = operatorAccess(process.env, ownOperatorsFile);
  env['ARCHIVE_DIR'] ??= join(dataDir, 'archive');
  env['AUDIT_FILE'] ??= join(dataDir, 'audit.jsonl');
  env['MAIL_TOKEN_SECRET'] = mailTokenSecret(process.env, join(dataDir, 'mail-token-secret'));
  if (worker.keys === undefined) env['ENCRYPTION_KEYS_FILE'] = ownKeys(join(dataDir, 'keys.json'), customers);

  const ending = new Ending(options.has('--watch'));
  const supervisor = new Supervisor({ logDir, print, onFallen: (name, end) => ending.onFallen(name, end) });
  let isUp = false;
  try {
    const cli = await temporalBinary('cli');
    print(cli.line);
    const temporal: EmbeddedTemporal = {
      cliPath: cli.path,
      dataDir,
      namespace: env['TEMPORAL_NAMESPACE'] ?? 'default',
      ports,
      innerUiPort: await freePort(ports.temporalUi + 1),
      env,
    };
    const begin = async (spec: ChildSpec) => {
      const tookMs = await supervisor.start(spec);
      print(`${spec.name} is ready (${(tookMs / 1000).toFixed(1)} s)`);
    };
    const program = (
      name: string,
      script: string,
      url: string,
      drainMs: number,
      ownEnv: NodeJS.ProcessEnv = env,
    ): ChildSpec => ({
      name,
      args: [join(rootDir, script)],
      env: ownEnv,
      drainMs,
      shown: problemsOfJsonLog('warn'),
      isReady: async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok,
    });
    const programs: ChildSpec[] = [
      program('simulator', 'simulator/main.ts', `${simulatorUrl}/sim/mails`, 2_000, simulatorEnv),
      // The worker has no port; the API sees whether it polls.
      program('worker', 'src/worker.ts', `${apiUrl}/readyz`, 8_000),
      program('api', 'src/api.ts', `${apiUrl}/healthz`, 3_000),
    ];
    const [simulator, ...service] = programs;

    const bringUp = async () => {
      const temporalIsUp = begin(temporalSpec(temporal)).then(() => prepareNamespace(temporal));
      await Promise.all([temporalIsUp, simulator === undefined ? undefined : begin(simulator)]);
      await Promise.all(service.map(begin));
      await startWebUi({ port: ports.temporalUi, behind: temporal.innerUiPort, apiUrl, token: access.token });
    };
    await Promise.race([bringUp(), ending.reason]);
    isUp = !ending.hasCome;
    if (isUp) {
      print(
        firstScreen({
          apiUrl,
          uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
          simulatorUrl,
          temporalAddress: `127.0.0.1:${ports.temporal}`,
          imapUrl: env['IMAP_URL'] ?? 'none',
          smtpUrl: `smtp://127.0.0.1:${ports.simulatorSmtp}`,
          access,
          metricsUrls: metricsUses(api, worker).map((at) => `${urlOf(at)}/metrics`),
          logDir: relative(process.cwd(), logDir),
          customer: { id: customer.id, tenantId: customer.defender.tenantId, mail: customer.mail.to[0] ?? '' },
          alertId: `first-${Date.now().toString(36)}`,
        }),
      );
      if (options.has('--watch')) restartOnChange(supervisor, programs, ending, begin);
    }
    return await ending.reason;
  } finally {
    print('Stopping …');
    await supervisor.close(stopOrder);
    // A token that nobody has seen is of no use.
    if (!isUp && access.isNew) rmSync(ownOperatorsFile, { force: true });
    folder.release();
    print('Stopped.');
  }
}

/** Why it ends: a signal, or a child that has fallen. */
class Ending {
  readonly reason: Promise<number>;
  hasCome = false;
  private resolve: (exitCode: number) => void = () => undefined;

  constructor(private readonly survivesFalls: boolean) {
    this.reason = new Promise((resolve) => {
      this.resolve = resolve;
    });
    // npm and the terminal may both send it: the second is no more urgent than the first.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.come(0));
    // npm killed without a word leaves this process behind.
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent && process.env['npm_lifecycle_event'] !== undefined) this.come(0);
    }, 1_000).unref();
  }

  onFallen(name: string, end: ChildEnd): void {
    if (this.hasCome) return;
    print(`\n${name} has ended by itself (${end.how}). Its log: ${join(logDir, `${name}.log`)}`);
    for (const line of end.lastLines) print(`  ${line}`);
    if (this.survivesFalls && name !== 'temporal') print('Waiting for a change …');
    else this.come(1);
  }

  private come(exitCode: number): void {
    this.hasCome = true;
    this.resolve(exitCode);
  }
}

function restartOnChange(
  supervisor: Supervisor,
  programs: readonly ChildSpec[],
  ending: Ending,
  begin: (spec: ChildSpec) => Promise<void>,
): void {
  const watched = [
    { folder: 'src', children: ['worker', 'api'] },
    { folder: 'config', children: ['worker', 'api'] },
    { folder: 'simulator', children: ['simulator'] },
  ];
  let queue = Promise.resolve();
  watchSources(rootDir, watched, (names) => {
    const restart = async () => {
      if (ending.hasCome) return;
      print(`Changed: restarting ${names.join(' and ')}`);
      await supervisor.stop(stopOrder.filter((name) => names.includes(name)));
      await Promise.all(programs.filter(({ name }) => names.includes(name)).map(begin));
    };
    queue = queue.then(restart).catch((error: unknown) => print(messageOf(error)));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`\n${messageOf(error)}\n`);
  process.exit(1);
}
