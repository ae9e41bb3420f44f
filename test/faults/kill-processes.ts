import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { buildService } from '../../scripts/build-service.js';
import { Child, type ChildSpec } from '../../scripts/start/child.js';
import { childEnvironment, type LocalPorts } from '../../scripts/start/local-settings.js';
import { portProblems } from '../../scripts/start/ports.js';
import { prepareNamespace, temporalSpec, type EmbeddedTemporal } from '../../scripts/start/temporal-server.js';
import { temporalBinary } from '../../scripts/temporal-binaries.js';
import type { Simulator } from '../../simulator/index.js';
import type { customersFileSchema } from '../../src/domain/customer.js';
import { SERVICE_SCOPE } from '../../src/domain/sealing.js';
import { toInstant } from '../../src/domain/time.js';
import { changeKeyFile } from '../../src/integrations/keys/key-file.js';
import { withMissingKeys } from '../../src/integrations/keys/ring-changes.js';

/*
 * The service as it runs in production: Temporal, worker and API as processes of their own, which can be killed and
 * started again. The outside world is the simulator in the process of the test.
 */

export const victims = ['worker', 'api', 'temporal'] as const;
export type Victim = (typeof victims)[number];

export const TOKEN = 'token-of-the-analyst';

const cacheDir = fileURLToPath(new URL('../../.cache/kill/', import.meta.url));
const serviceDir = join(cacheDir, `service-${process.pid}`);

let built: Promise<unknown> | undefined;

/** Once per process that tests; a type that is wrong is `npm test`'s to find. */
function service(): Promise<unknown> {
  built ??= buildService(serviceDir, { isChecked: false }).then(() => {
    process.once('exit', () => rmSync(serviceDir, { recursive: true, force: true }));
  });
  return built;
}

/** Below the ports that systems give to outgoing connections: one that is free now stays so while its owner is dead. */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;
let nextPort = FIRST_PORT + (process.pid % (LAST_PORT - FIRST_PORT));

export async function freePort(): Promise<number> {
  for (;;) {
    nextPort = nextPort >= LAST_PORT ? FIRST_PORT : nextPort + 1;
    const port = nextPort;
    const problems = await portProblems([{ variable: '', port, host: '127.0.0.1', what: 'a test' }]);
    if (problems.length === 0) return port;
  }
}

export interface ProcessesOptions {
  simulator: Simulator;
  customers: z.input<typeof customersFileSchema>['customers'];
  /** What a worker may count on in each tenant. Default: Defender's own limit. */
  callsPerMinute?: number;
  /** Further settings of worker and API. */
  settings?: Record<string, string>;
  /** With a key for everybody, in `keysFile`. */
  isEncrypted?: true;
}

/** A program that has ended. */
export interface Ended {
  code: number | null;
  output: string;
}

export class Processes {
  private readonly running = new Map<Victim, Child>();
  private readonly specs: Record<Victim, () => ChildSpec>;
  private connection: Connection | undefined;
  readonly url: string;
  /** How often each was killed. */
  readonly kills: Record<Victim, number> = { worker: 0, api: 0, temporal: 0 };
  /** Children that ended though nobody killed them. */
  readonly fallen: string[] = [];

  private constructor(
    private readonly temporal: EmbeddedTemporal,
    readonly dataDir: string,
    apiPort: number,
  ) {
    this.url = `http://127.0.0.1:${apiPort}`;
    this.specs = {
      temporal: () => temporalSpec(temporal),
      worker: () => this.program('worker', this.workerPolls()),
      api: () =>
        this.program('api', {
          shown: () => undefined,
          isReady: async () => (await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok,
        }),
    };
  }

  static async start(options: ProcessesOptions): Promise<Processes> {
    const { simulator, customers, callsPerMinute, settings = {}, isEncrypted } = options;
    await service();
    const ports: LocalPorts = {
      temporal: await freePort(),
      temporalUi: await freePort(),
      simulator: simulator.port,
      simulatorSmtp: simulator.smtpPort,
      simulatorImap: simulator.imapPort,
    };
    const apiPort = await freePort();
    const dataDir = join(cacheDir, `run-${process.pid}-${apiPort}`);
    mkdirSync(dataDir, { recursive: true });
    const customersFile = join(dataDir, 'customers.yaml');
    const operatorsFile = join(dataDir, 'operators.yaml');
    writeFileSync(customersFile, stringify({ customers }));
    const tokenSha256 = createHash('sha256').update(TOKEN).digest('hex');
    const analyst = { id: 'analyst', name: 'Analyst', role: 'analyst', customers: '*', tokenSha256 };
    writeFileSync(operatorsFile, stringify({ operators: [analyst] }));
    const keysFile = join(dataDir, 'keys.json');
    if (isEncrypted === true) {
      const scopes = [SERVICE_SCOPE, ...customers.map(({ id }) => id)];
      changeKeyFile(keysFile, (ring) => withMissingKeys(ring, scopes, toInstant(Date.now())));
    }
    const env = {
      ...childEnvironment({ PATH: process.env['PATH'], HOME: process.env['HOME'] }, ports, operatorsFile),
      ARCHIVE_DIR: join(dataDir, 'archive'),
      // No customer writes here.
      IMAP_URL: '',
      CUSTOMERS_FILE: customersFile,
      API_PORT: String(apiPort),
      PHONE_RING_SECONDS: '1',
      PHONE_ROUND_PAUSE_SECONDS: '0',
      LOG_LEVEL: 'info',
      ...(callsPerMinute === undefined ? {} : { DEFENDER_CALLS_PER_MINUTE: String(callsPerMinute) }),
      ...(isEncrypted === true ? { ENCRYPTION_KEYS_FILE: keysFile } : {}),
      ...settings,
    };
    const { path: cliPath } = await temporalBinary('cli');
    const innerUiPort = await freePort();
    const temporal = { cliPath, dataDir, namespace: 'default', ports, innerUiPort, env };
    const processes = new Processes(temporal, dataDir, apiPort);
    try {
      await processes.restart('temporal');
      await prepareNamespace(processes.temporal);
      await Promise.all([processes.restart('worker'), processes.restart('api')]);
      return processes;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  /** Its own log says when it polls: the API, which could tell as well, may be the one that is dead. */
  private workerPolls(): Pick<ChildSpec, 'shown' | 'isReady'> {
    let polls = false;
    return {
      shown: (line) => {
        polls ||= line.includes('worker polls');
        return undefined;
      },
      isReady: () => Promise.resolve(polls),
    };
  }

  private program(name: 'worker' | 'api', how: Pick<ChildSpec, 'shown' | 'isReady'>): ChildSpec {
    return { name, args: [join(serviceDir, `${name}.js`)], env: this.temporal.env, drainMs: 9_000, ...how };
  }

  async restart(victim: Victim): Promise<void> {
    const child = new Child(this.specs[victim](), this.logFile(victim), () => undefined);
    this.running.set(victim, child);
    void child.ended.then((end) => {
      if (this.running.get(victim) === child) this.fallen.push(`${victim}: ${end.how}: ${end.lastLines.join(' | ')}`);
    });
    await child.ready();
  }

  /** kill -9, and waits until it is dead. */
  async kill(victim: Victim): Promise<void> {
    const child = this.running.get(victim);
    assert.ok(child, `${victim} does not run`);
    this.running.delete(victim);
    this.kills[victim] += 1;
    child.kill();
    await child.ended;
  }

  /** Temporal's own view, for what only it can tell. */
  async client(): Promise<Client> {
    this.connection ??= await Connection.connect({ address: this.temporal.env['TEMPORAL_ADDRESS'] ?? '' });
    return new Client({ connection: this.connection });
  }

  get keysFile(): string {
    return join(this.dataDir, 'keys.json');
  }

  /** As an editor replaces it. */
  writeCustomers(customers: ProcessesOptions['customers']): void {
    const file = join(this.dataDir, 'customers.yaml');
    writeFileSync(`${file}.new`, stringify({ customers }));
    renameSync(`${file}.new`, file);
  }

  /** Runs another of the service's programs until it ends; nobody is there whom it could ask. */
  run(program: 'keys' | 'forget', args: string[] = [], settings: Record<string, string> = {}): Promise<Ended> {
    const child = spawn(process.execPath, [join(serviceDir, `${program}.js`), ...args], {
      env: { ...this.temporal.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
    });
  }

  logFile(name: Victim): string {
    return join(this.dataDir, `${name}.log`);
  }

  log(name: Victim): string[] {
    return readFileSync(this.logFile(name), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Ends all of them, in the order in which `npm start` does. */
  async stop(): Promise<void> {
    await this.connection?.close();
    for (const victim of ['api', 'worker', 'temporal'] as const) {
      const child = this.running.get(victim);
      if (child === undefined) continue;
      this.running.delete(victim);
      if (!(await child.askToEnd(child.spec.drainMs))) child.kill();
      await child.ended;
    }
  }

  /** What they wrote is of interest only when something went wrong. */
  forget(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
