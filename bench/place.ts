import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { loadApiSettings, loadCustomers } from '../src/config.js';
import type { Customer as ServiceCustomer } from '../src/domain/customer.js';
import type { ServiceSettings } from '../src/domain/policy.js';
import { SERVICE_SCOPE, type Sealing } from '../src/domain/sealing.js';
import { encryptionOf } from '../src/encryption.js';
import { serviceSettings } from '../src/policy.js';
import { dataConverterOf } from '../src/temporal/data-converter.js';
import { childEnvironment, type LocalPorts } from '../scripts/start/local-settings.js';
import { temporalBinary } from '../scripts/temporal-binaries.js';
import { freePort, Program, type News } from './processes.js';

export const backends = ['memory', 'file', 'external'] as const;
export type Backend = (typeof backends)[number];

export interface Customer {
  id: string;
  tenantId: string;
}

/** Those of the service under measurement; for most figures their feeds keep out of the way. */
export interface Served {
  customers: number;
  pollIntervalSeconds: number;
  /** Is the mailbox read that they answer to? */
  mailbox?: boolean;
}
const MAILBOX_ADDRESS = 'mimamori@mimamori.example';
const SERVED: Served = { customers: 40, pollIntervalSeconds: 3600 };
const TOKEN = 'bench';
const rootDir = fileURLToPath(new URL('..', import.meta.url));

/** Nothing of the caller's settings: where those of a service are exported, the bench would write to its customers. */
const OWN_ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TEMPORAL_NAMESPACE: 'mimamori-bench',
};

/** Nothing here is throttled: what Defender allows is Defender's limit, and the bench is about ours. */
const UNLIMITED = { callsPerMinute: 1_000_000, callsPerHour: 10_000_000 };

function customersFile(customers: readonly Customer[], pollIntervalSeconds: number): string {
  const entries = customers.map(({ id, tenantId }) => ({
    id,
    name: id,
    language: 'en',
    timeZone: 'Europe/London',
    defender: { tenantId, pollIntervalSeconds },
    mail: { to: [`security@${id}.example`] },
    contacts: [{ id: 'jones', name: 'Alex Jones', phone: '+442079460101', mayInstruct: true, ringOrder: 1 }],
  }));
  return JSON.stringify({ customers: entries });
}

function keyRing(scopes: readonly string[]): string {
  const keys = scopes.map((scope) => ({ id: `${scope}.1`, secret: randomBytes(32).toString('base64') }));
  return JSON.stringify({ keys });
}

/** The service with everything it needs, each part a process of its own, on one backend. */
export class Place {
  readonly customers: Customer[];
  private readonly listeners = new Map<string, () => void>();
  private readonly programs = new Set<Program>();
  private env: NodeJS.ProcessEnv = {};
  private readonly workersUp: Program[] = [];
  private connection: Connection | undefined;
  private apiUrl = '';
  private simulatorUrl = '';
  private serial = 0;
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    readonly backend: Backend,
    private readonly dir: string,
    private readonly served: Served,
  ) {
    this.customers = Array.from({ length: served.customers }, (_, index) => ({
      id: `bench-${index}`,
      tenantId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    }));
  }

  static async open(backend: Backend, served: Served = SERVED): Promise<Place> {
    const cacheDir = join(rootDir, '.cache', 'bench');
    mkdirSync(cacheDir, { recursive: true });
    const place = new Place(backend, mkdtempSync(join(cacheDir, `${backend}-`)), served);
    try {
      await place.start();
      return place;
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  /** For the bare workflow, and for Temporal's own answers. */
  get client(): Client {
    return this.clientWith(undefined);
  }

  /** As the service's own: with its keys. */
  get serviceClient(): Client {
    return this.clientWith(encryptionOf(loadApiSettings(this.env).keys, console)?.sealing);
  }

  private clientWith(sealing: Sealing | undefined): Client {
    if (this.connection === undefined) throw new Error('not connected');
    const { TEMPORAL_NAMESPACE: namespace } = OWN_ENVIRONMENT;
    return new Client({ connection: this.connection, namespace, dataConverter: dataConverterOf(sealing) });
  }

  private get taskQueue(): string {
    return this.env['TEMPORAL_TASK_QUEUE'] ?? '';
  }

  private async start(): Promise<void> {
    const ports: LocalPorts & { api: number } = {
      temporal: await freePort(),
      temporalUi: await freePort(),
      simulator: await freePort(),
      simulatorSmtp: await freePort(),
      simulatorImap: await freePort(),
      api: await freePort(),
    };
    const operators = [
      {
        id: 'bench',
        name: 'bench',
        role: 'analyst',
        customers: '*',
        tokenSha256: createHash('sha256').update(TOKEN).digest('hex'),
      },
    ];
    const operatorsFile = this.file('operators.yaml', JSON.stringify({ operators }));
    const externalAddress = process.env['TEMPORAL_ADDRESS'];
    this.env = {
      ...childEnvironment(OWN_ENVIRONMENT, ports, operatorsFile),
      CUSTOMERS_FILE: this.file('customers.yaml', customersFile(this.customers, this.served.pollIntervalSeconds)),
      ARCHIVE_DIR: join(this.dir, 'archive'),
      // No customer writes here.
      IMAP_URL: '',
      // Encrypted, as in operation.
      ENCRYPTION_KEYS: keyRing([SERVICE_SCOPE, ...this.customers.map(({ id }) => id)]),
      API_PORT: String(ports.api),
      TEMPORAL_TASK_QUEUE: 'bench',
      DEFENDER_CALLS_PER_MINUTE: String(UNLIMITED.callsPerMinute),
      LOG_LEVEL: 'warn',
      MAIL_REPLY_TO: MAILBOX_ADDRESS,
      MAIL_TOKEN_SECRET: 'secret-of-the-bench',
      SIMULATOR_MAILBOX: MAILBOX_ADDRESS,
      ...(this.served.mailbox === true ? { IMAP_URL: `imap://bench:bench@127.0.0.1:${ports.simulatorImap}` } : {}),
      ...(this.backend === 'external' && externalAddress !== undefined ? { TEMPORAL_ADDRESS: externalAddress } : {}),
    };
    // The clients here read the same settings as the processes do.
    this.apiUrl = `http://127.0.0.1:${ports.api}`;
    this.simulatorUrl = `http://127.0.0.1:${ports.simulator}`;
    if (this.backend !== 'external') await this.startServer(ports);
    this.connection = await Connection.connect({ address: this.env['TEMPORAL_ADDRESS'] ?? '' });
    await this.run('prepare-namespace', ['dist/prepare-namespace.js']).prints('the namespace is ready');
    const simulator = this.run('simulator', ['--import', 'tsx', 'bench/outside.ts'], this.hear);
    await simulator.prints('simulator listens');
    for (const { tenantId } of this.customers) await this.control('PATCH', `tenants/${tenantId}`, UNLIMITED);
    await this.startWorker();
    this.run('api', ['dist/api.js']);
    await until(async () => (await fetch(`${this.apiUrl}/readyz`)).ok);
  }

  private async startServer(ports: LocalPorts): Promise<void> {
    const { path } = await temporalBinary('cli');
    const file = [
      ...['--db-filename', join(this.dir, 'temporal.db')],
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ];
    this.add(
      new Program({
        name: 'temporal',
        command: path,
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--headless', '--log-level', 'error'],
          ...['--port', String(ports.temporal)],
          ...(this.backend === 'file' ? file : []),
        ],
        logFile: join(this.dir, 'temporal.log'),
      }),
    );
    await until(async () => {
      const connection = await Connection.connect({ address: `127.0.0.1:${ports.temporal}`, connectTimeout: 1_000 });
      await connection.close();
      return true;
    });
  }

  private file(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  private add(program: Program): Program {
    this.programs.add(program);
    return program;
  }

  /** A Node program of this repository. */
  run(name: string, args: string[], onNews?: (news: News) => void, env: NodeJS.ProcessEnv = {}): Program {
    return this.add(
      new Program({
        name,
        command: process.execPath,
        args,
        env: { ...this.env, ...env },
        logFile: join(this.dir, `${name}.log`),
        ...(onNews === undefined ? {} : { onNews }),
      }),
    );
  }

  /** Past one machine there would be more than one. */
  get workers(): number {
    return this.backend === 'external' ? 2 : 1;
  }

  /** The service's workers, as they run in production. */
  async startWorker(): Promise<void> {
    const started = Array.from({ length: this.workers }, () =>
      this.run('worker', ['dist/worker.js'], undefined, { LOG_LEVEL: 'info' }),
    );
    this.workersUp.push(...started);
    await Promise.all(started.map((worker) => worker.prints('worker polls')));
  }

  async stopWorker(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await Promise.all(this.workersUp.splice(0).map((worker) => this.end(worker, signal)));
  }

  async restartWorker(): Promise<void> {
    await this.stopWorker();
    await this.startWorker();
  }

  async end(program: Program, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await program.end(signal);
    this.programs.delete(program);
  }

  get workerBytes(): number {
    return Math.max(...this.workersUp.map((worker) => worker.residentBytes()));
  }

  /** The customers and settings as the processes read them. */
  customersOfFile(): ServiceCustomer[] {
    return loadCustomers(this.env['CUSTOMERS_FILE'] ?? '');
  }

  service(): ServiceSettings {
    return serviceSettings(loadApiSettings(this.env));
  }

  async serverVersion(): Promise<string> {
    return (await this.client.workflowService.getSystemInfo({})).serverVersion;
  }

  /** Resolves when a worker has done the first task of a workflow. */
  async firstTaskOf(workflowId: string): Promise<void> {
    const { namespace } = this.client.options;
    for (let nextPageToken: Uint8Array | undefined; ;) {
      const answer = await this.client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId },
        waitNewEvent: true,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      });
      if (answer.history?.events?.some((event) => event.workflowTaskCompletedEventAttributes != null) === true) return;
      nextPageToken = answer.nextPageToken;
    }
  }

  /** Processor time of everything that takes part, this process among it. */
  cpuMs(): Record<string, number> {
    const { user, system } = process.cpuUsage();
    const spent: Record<string, number> = { bench: (user + system) / 1_000 };
    for (const program of this.programs) {
      const { name } = program.options;
      spent[name] = (spent[name] ?? 0) + program.cpuMs();
    }
    return spent;
  }

  async close(): Promise<void> {
    this.agent.destroy();
    await this.connection?.close();
    for (const program of [...this.programs].reverse()) await program.end('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** What a program of the outside has told. */
  readonly hear = (news: News): void => {
    const key = 'mail' in news ? `${news.mail} ${news.incidentId}` : `isolate ${news.isolate}`;
    this.listeners.get(key)?.();
    this.listeners.delete(key);
  };

  /** Resolves when that comes to pass; to be asked for before what brings it about. */
  whenTold(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.listeners.set(key, resolve);
    });
  }

  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.simulatorUrl}/sim/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** By Node's own client: `fetch` would take more of the processor than the API does for a small answer. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const sent = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(sent),
    };
    return new Promise((resolve, reject) => {
      const asked = request(`${this.apiUrl}${path}`, { method, headers, agent: this.agent }, (response) => {
        json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      asked.on('error', reject);
      asked.end(sent);
    });
  }

  /** Resolves when no workflow's task waits for a worker: everything that has arrived is where it stays. */
  async atRest(): Promise<void> {
    const { client, taskQueue } = this;
    const hasBacklog = async () => {
      const { stats } = await client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        reportStats: true,
      });
      return Number(stats?.approximateBacklogCount ?? 0) > 0;
    };
    await until(async () => !(await hasBacklog()), 300_000, 1_000);
  }

  /** A customer and an alert that nobody has seen; its device is known to the simulated Defender. */
  async newCase(): Promise<Case> {
    this.serial += 1;
    const customer = this.customers[this.serial % this.customers.length];
    if (customer === undefined) throw new Error('no customers');
    const machineId = randomUUID().replaceAll('-', '').padEnd(40, '0');
    const alertId = `da${randomUUID()}`;
    const computerDnsName = `pc-${machineId.slice(0, 8)}.example`;
    await this.control('PATCH', `tenants/${customer.tenantId}/machines/${machineId}`, {
      computerDnsName,
      isolationSeconds: 0.2,
    });
    const alert = alertOf({ alertId, machineId, computerDnsName, tenantId: customer.tenantId });
    return { customer, machineId, alert, incidentId: `incident:${customer.id}:${alertId}` };
  }

  async newCases(count: number): Promise<Case[]> {
    const cases: Case[] = [];
    for (let index = 0; index < count; index += 1) cases.push(await this.newCase());
    return cases;
  }
}

export interface Case {
  customer: Customer;
  machineId: string;
  incidentId: string;
  alert: Record<string, unknown>;
}

/** An alert of the size that Defender sends, with evidence. */
function alertOf(of: { alertId: string; machineId: string; computerDnsName: string; tenantId: string }) {
  const now = new Date().toISOString();
  const process = (index: number) => ({
    entityType: 'Process',
    evidenceCreationTime: now,
    sha256: createHash('sha256').update(`${of.alertId}${index}`).digest('hex'),
    fileName: 'powershell.exe',
    filePath: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0',
    processId: 4_000 + index,
    processCommandLine: 'powershell.exe -NoProfile -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA',
    accountName: 'user',
    domainName: 'EXAMPLE',
    detectionStatus: 'Detected',
  });
  return {
    id: of.alertId,
    incidentId: 4_711,
    aadTenantId: of.tenantId,
    title: 'Suspicious PowerShell command line',
    description: 'A suspicious PowerShell activity was observed on the device.',
    category: 'Execution',
    severity: 'High',
    status: 'New',
    detectionSource: 'WindowsDefenderAtp',
    investigationState: 'UnsupportedAlertType',
    alertCreationTime: now,
    firstEventTime: now,
    lastEventTime: now,
    lastUpdateTime: now,
    machineId: of.machineId,
    computerDnsName: of.computerDnsName,
    evidence: [process(1), process(2), process(3)],
  };
}

/** Looks again and again, with pauses that double up to the longest. */
export async function until(
  holds: () => Promise<boolean>,
  timeoutMs = 60_000,
  firstPauseMs = 25,
  longestPauseMs = firstPauseMs,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > deadlineMs) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
