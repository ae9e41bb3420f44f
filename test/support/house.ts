import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { z } from 'zod';
import { simulatorAuthservId } from '../../simulator/defaults.js';
import { startSimulator, type Simulator, type Watch } from '../../simulator/index.js';
import { until } from '../../simulator/testing.js';
import { createAuditLog } from '../../src/api/audit-log.js';
import { createOperatorSignIn } from '../../src/api/sign-in.js';
import { mailSignature } from '../../src/api/mail-webhook.js';
import type { Archive } from '../../src/domain/archive/entry.js';
import { ARCHIVER_ID } from '../../src/domain/archive/state.js';
import type { AuditPace } from '../../src/domain/audit.js';
import { customersFileSchema, type Customer } from '../../src/domain/customer.js';
import type { ServiceSettings } from '../../src/domain/policy.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/time.js';
import { createArchive } from '../../src/integrations/archive/chain.js';
import { createFolderStore } from '../../src/integrations/archive/folder.js';
import { createDefenderClient } from '../../src/integrations/defender/client.js';
import { createSignIn } from '../../src/integrations/defender/sign-in.js';
import { createTokenVerifier } from '../../src/integrations/access-tokens.js';
import { createMailSender, type MailSender } from '../../src/integrations/mail/sender.js';
import { createMailTokens } from '../../src/integrations/mail/tokens.js';
import { createMailboxClient } from '../../src/integrations/mailbox/client.js';
import { createPhoneClient } from '../../src/integrations/phone/client.js';
import type { BusinessHours } from '../../src/holidays.js';
import type { SignInRules, TokenOperator } from '../../src/operators.js';
import { createPolicies, type Policies } from '../../src/policy.js';
import { STRANGERS_ID } from '../../src/domain/held-mail/strangers.js';
import { MAILBOX_ID } from '../../src/domain/mailbox/state.js';
import { ensureArchiver } from '../../src/temporal/archiver.js';
import { ensureMailbox } from '../../src/temporal/mailbox.js';
import { ensureFeeds } from '../../src/temporal/feeds.js';
import { createApiClient } from '../../src/temporal/connect.js';
import { ensureAudit } from '../../src/temporal/audit-schedule.js';
import { plainConverter, testConverter, testSealing } from './keys.js';
import { noLog } from './log.js';
import { localServer } from './temporal.js';
import { PRESENT, type Version } from './versions.js';

/*
 * The whole service in one test process: the real API, worker and clients against a real Temporal server and the
 * simulator, over real HTTP and SMTP. Tests look at it from outside: through the API, and at what reached the simulator.
 */

const TOKENS = {
  analyst: 'token-analyst',
  viewer: 'token-viewer',
  feed: 'token-feed',
  second: 'token-second',
  lead: 'token-lead',
  engineer: 'token-engineer',
  /** An analyst who is bound to the first customer. */
  bound: 'token-bound',
};

/** Whose mailbox customers answer to. */
export const MAILBOX_ADDRESS = 'mimamori@mimamori.example';
export const TOKEN_SECRET = 'secret-of-the-tokens';
/** Where a house's Web UI would be. */
export const WEB_UI = 'http://127.0.0.1:8233';
export const WEBHOOK_SECRET = 'secret-of-the-mail-webhook';

/** What is set for all customers of a house. */
export const SERVICE: ServiceSettings = {
  socMailTo: 'soc@mimamori.example',
  mailDomain: 'mimamori.example',
  ownAddresses: ['soc@mimamori.example', MAILBOX_ADDRESS],
  inquiryRemindMinutes: [30, 60],
  untriagedWarnMs: 3 * HOUR_MS,
  autoCloseMs: 14 * DAY_MS,
  lingerMs: 7 * DAY_MS,
  phoneRingSeconds: 5,
  phoneRounds: 2,
  phoneRoundPauseMs: 50,
};

export interface HouseOptions {
  environment?: TestWorkflowEnvironment;
  customers?: z.input<typeof customersFileSchema>['customers'];
  service?: Partial<ServiceSettings>;
  /** False for a house that begins without a worker. */
  worker?: boolean;
  /** Beside those of every house. */
  operators?: TokenOperator[];
  /** For a house that takes access tokens of a provider too. */
  signIn?: SignInRules;
  /** How long the clients wait for an answer, and how long something, or a feed, may fail before somebody is told. */
  patience?: { timeoutMs?: number; tellAfterMs?: number; tellFeedAfterMs?: number };
  /** How often a held device is looked at. */
  watchEveryMs?: number;
  /** What its worker counts on in each tenant; by default so much that no test waits for what others of its file have used. */
  callsPerMinute?: number;
  /** Default: always open. */
  businessHours?: BusinessHours;
  /** How fast its auditor looks; without one nobody audits. For a Temporal server of the house's own. */
  audit?: AuditPace;
  /** True for a house whose mailbox is read. For a Temporal server of the house's own. */
  mailbox?: boolean;
  /** The mailbox, where it is not the simulator's. */
  imapUrl?: string;
  /** Null for a house to which nobody can hand mail by the webhook. */
  mailWebhookSecret?: null;
  mailWebhookAuthservId?: string;
  /** Sees what the world outside is asked for, and may hold or cut it. */
  watch?: Watch;
  /** How fast its archiver looks; without one nothing is archived. For a Temporal server of the house's own. */
  archiveEveryMs?: number;
  /** False for a house whose histories are kept for replay: anybody is to read those. */
  sealed?: false;
  /** True for a house whose customers' tenants are read by feeds. */
  feeds?: boolean;
  /** Whose code it begins with. */
  version?: Version;
}

export interface Reply {
  status: number;
  headers: Headers;
  // Tests read what they look for and assert on it; the API's shapes have tests of their own.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export interface AskOptions {
  as?: keyof typeof TOKENS;
  headers?: Record<string, string>;
}

export const SMTP_PASSWORD = 'password-of-the-mail-server';

export const ACME_TENANT = '11111111-1111-4111-8111-111111111111';

/** The customers of a house, with ids of their own so that houses on one server never meet. */
export function customersNamed(suffix: string): z.input<typeof customersFileSchema>['customers'] {
  const contact = (id: string, name: string, phone: string, ringOrder: number | undefined, mayInstruct = true) => ({
    id,
    name,
    phone,
    mail: `${id}@acme.example`,
    mayInstruct,
    ...(ringOrder === undefined ? {} : { ringOrder }),
  });
  return [
    {
      id: `acme-${suffix}`,
      name: '株式会社アクメ',
      language: 'ja',
      timeZone: 'Asia/Tokyo',
      defender: { tenantId: ACME_TENANT },
      mail: { to: ['security@acme.example'] },
      contacts: [
        contact('sato', '佐藤', '+81312345678', 1),
        contact('suzuki', '鈴木', '+81312345679', 2),
        contact('takahashi', '高橋', '+819012345670', 3),
        contact('tanaka', '田中', '+81312345680', undefined, false),
      ],
    },
    {
      id: `globex-${suffix}`,
      name: 'Globex Ltd',
      language: 'en',
      timeZone: 'Europe/London',
      defender: { tenantId: '22222222-2222-4222-8222-222222222222' },
      mail: { to: ['security@globex.example'] },
      contacts: [{ id: 'jones', name: 'Alex Jones', phone: '+442079460101', mayInstruct: true, ringOrder: 1 }],
    },
    {
      id: `tuning-${suffix}`,
      name: 'Initech Inc',
      language: 'en',
      timeZone: 'America/Chicago',
      defender: { tenantId: '33333333-3333-4333-8333-333333333333' },
      mail: { to: ['security@initech.example'] },
      contacts: [{ id: 'bill', name: 'Bill', phone: '+15125550101', mayInstruct: true, ringOrder: 1 }],
      tuningPeriods: [{ from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' }],
    },
  ];
}

/** Customers whose tenants are asked every five seconds, by a house with feeds. */
export function polledCustomers(): ReturnType<typeof customersNamed> {
  return customersNamed(randomUUID().slice(0, 8)).map((customer) => ({
    ...customer,
    defender: { ...customer.defender, pollIntervalSeconds: 5 },
  }));
}

interface StartedWorker {
  parts: readonly { worker: Worker; run: Promise<void> }[];
  mail: MailSender;
  connection: NativeConnection | undefined;
}

export class House {
  private workers: StartedWorker[] = [];
  private feeds = false;
  /** How far a feed's first poll looks back; a worker reads it when it starts. */
  feedLookBackMs = DAY_MS;
  private server: Server | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'mimamori-house-'));
  readonly auditFile = join(this.folder, 'audit.jsonl');
  readonly archiveFolder = join(this.folder, 'archive');
  readonly archive: Archive;
  url = '';
  customers: Customer[] = [];
  policies: Policies;

  private constructor(
    readonly environment: TestWorkflowEnvironment,
    readonly sim: Simulator,
    readonly taskQueue: string,
    private readonly service: ServiceSettings,
    private readonly patience: Pick<
      HouseOptions,
      | 'patience'
      | 'watchEveryMs'
      | 'callsPerMinute'
      | 'businessHours'
      | 'mailbox'
      | 'imapUrl'
      | 'mailWebhookSecret'
      | 'mailWebhookAuthservId'
      | 'operators'
      | 'signIn'
      | 'sealed'
      | 'archiveEveryMs'
    >,
  ) {
    this.policies = createPolicies([], service);
    this.archive = this.openArchive();
  }

  /** As another process has it that starts now. */
  openArchive(): Archive {
    return createArchive(
      createFolderStore(this.archiveFolder),
      this.patience.sealed === false ? undefined : testSealing,
    );
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    const environment = options.environment ?? (await localServer());
    const { watch } = options;
    const sim = await startSimulator({ mailboxAddress: MAILBOX_ADDRESS, ...(watch === undefined ? {} : { watch }) });
    const suffix = randomUUID().slice(0, 8);
    const service: ServiceSettings = { ...SERVICE, ...options.service };
    const house = new House(environment, sim, `house-${suffix}`, service, options);
    house.customers = customersFileSchema.parse({ customers: options.customers ?? customersNamed(suffix) }).customers;
    house.policies = createPolicies(house.customers, service);
    const { version = PRESENT } = options;
    await house.startApi(version);
    house.feeds = options.feeds === true;
    if (options.worker !== false) await house.startWorker(version);
    if (options.audit !== undefined) await ensureAudit(house.client, house.taskQueue, options.audit);
    return house;
  }

  get client() {
    return this.environment.client;
  }

  /** The id of the customer whose id begins so. */
  customer(prefix: string): string {
    const found = this.customers.find(({ id }) => id.startsWith(prefix));
    assert.ok(found, `no customer ${prefix}`);
    return found.id;
  }

  tenantOf(customerId: string): string {
    const found = this.customers.find(({ id }) => id === customerId);
    assert.ok(found, `no customer ${customerId}`);
    return found.defender.tenantId;
  }

  /** The API of another version in the place, and at the address, of this one's. */
  async replaceApi(version: Version): Promise<void> {
    await this.stopApi();
    await this.startApi(version, Number(new URL(this.url).port));
  }

  private async startApi({ createApp }: Version, port = 0): Promise<void> {
    const operator = (
      id: keyof typeof TOKENS,
      role: TokenOperator['role'],
      customers: TokenOperator['customers'] = '*',
    ): TokenOperator => ({
      id,
      name: id,
      role,
      customers,
      tokenSha256: createHash('sha256').update(TOKENS[id]).digest('hex'),
    });
    const log = pino({ level: 'warn' });
    // The port is known only once the API listens, and the telephone's callbacks need it.
    const deps = {
      client: createApiClient(
        this.environment.connection,
        this.environment.namespace ?? 'default',
        this.patience.sealed === false ? undefined : testSealing,
      ),
      taskQueue: this.taskQueue,
      policies: this.policies,
      signIn: createOperatorSignIn(
        {
          operators: [
            operator('analyst', 'analyst'),
            operator('second', 'analyst'),
            operator('viewer', 'viewer'),
            operator('feed', 'feed'),
            operator('lead', 'lead'),
            operator('engineer', 'engineer'),
            operator(
              'bound',
              'analyst',
              this.customers.slice(0, 1).map(({ id }) => id),
            ),
            ...(this.patience.operators ?? []),
          ],
          signIn: this.patience.signIn,
        },
        createTokenVerifier,
      ),
      audit: createAuditLog(this.auditFile, noLog),
      archive: this.archive,
      log,
      publicUrl: '',
      twilioAuthToken: this.sim.credentials.twilioAuthToken,
      tokens: createMailTokens(TOKEN_SECRET),
      mailWebhookAuthservId: this.patience.mailWebhookAuthservId,
      mailWebhookSecret: this.patience.mailWebhookSecret === null ? undefined : WEBHOOK_SECRET,
      sealing: this.patience.sealed === false ? undefined : testSealing,
      webUiOrigin: WEB_UI,
      trustedProxies: [],
      version: 'test',
    };
    const server = createApp(deps).listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(isAddressInfo(address));
    this.url = `http://127.0.0.1:${address.port}`;
    deps.publicUrl = this.url;
    this.server = server;
  }

  /** Beside those that are there. @returns what stops this one alone */
  async startWorker({ workflows, createActivities, createWorker, createFeedWorker } = PRESENT): Promise<
    () => Promise<void>
  > {
    const { code } = await workflows();
    const { credentials, url, smtpUrl } = this.sim;
    const { patience: { timeoutMs, ...tell } = {}, watchEveryMs } = this.patience;
    const mail = createMailSender({
      smtpUrl: smtpUrl.replace('//', `//mimamori:${SMTP_PASSWORD}@`),
      from: 'Mimamori SOC <mimamori@mimamori.example>',
      replyTo: MAILBOX_ADDRESS,
      timeoutMs,
    });
    const activities = createActivities({
      client: this.client,
      taskQueue: this.taskQueue,
      policies: this.policies,
      archive: this.openArchive(),
      archiveEveryMs: this.patience.archiveEveryMs,
      businessHours: this.patience.businessHours ?? ((at) => ({ opensAt: at })),
      feedLookBackMs: this.feedLookBackMs,
      defender: createDefenderClient({
        signIn: createSignIn({
          clientId: credentials.defenderClientId,
          credential: { secret: credentials.defenderClientSecret },
          tokenEndpoint: `${url}/{tenantid}/oauth2/v2.0/token`,
          timeoutMs,
        }),
        timeoutMs: timeoutMs ?? 5_000,
        maxInFlightPerTenant: 8,
        callsPerMinute: this.patience.callsPerMinute ?? 10_000,
      }),
      defaultApiBase: url,
      mail,
      tokens: createMailTokens(TOKEN_SECRET),
      replyTo: MAILBOX_ADDRESS,
      authservId: simulatorAuthservId,
      mailbox:
        this.patience.mailbox === true
          ? createMailboxClient({ imapUrl: this.patience.imapUrl ?? this.sim.imapUrl, timeoutMs })
          : null,
      phone: createPhoneClient({
        accountSid: credentials.twilioAccountSid,
        authToken: credentials.twilioAuthToken,
        from: '+815012345678',
        apiBase: url,
        timeoutMs: timeoutMs ?? 5_000,
      }),
      publicUrl: this.url,
      ...tell,
      watchEveryMs,
    });
    // Temporal's client has one worker for a queue: a further one is as in a process of its own.
    const ownConnection =
      this.workers.length === 0 ? undefined : await NativeConnection.connect({ address: this.environment.address });
    const parts = {
      connection: ownConnection ?? this.environment.nativeConnection,
      namespace: this.environment.namespace ?? 'default',
      taskQueue: this.taskQueue,
      activities,
      dataConverter: this.patience.sealed === false ? plainConverter : testConverter,
    };
    const workers = [await createWorker({ ...parts, bundle: { code } })];
    if (this.feeds || this.patience.mailbox === true) workers.push(await createFeedWorker(parts));
    const started: StartedWorker = {
      parts: workers.map((worker) => ({ worker, run: worker.run() })),
      mail,
      connection: ownConnection,
    };
    this.workers.push(started);
    if (this.patience.mailbox === true) await ensureMailbox({ client: this.client, taskQueue: this.taskQueue });
    if (this.patience.archiveEveryMs !== undefined) {
      await ensureArchiver({ client: this.client, taskQueue: this.taskQueue });
    }
    if (this.feeds) await ensureFeeds({ client: this.client, taskQueue: this.taskQueue }, this.policies.customerIds());
    return () => this.stop([started]);
  }

  stopWorker(): Promise<void> {
    return this.stop(this.workers);
  }

  private async stop(stopped: readonly StartedWorker[]): Promise<void> {
    this.workers = this.workers.filter((each) => !stopped.includes(each));
    const parts = stopped.flatMap((each) => each.parts);
    for (const { worker } of parts) worker.shutdown();
    for (const { run } of parts) await run;
    for (const { mail, connection } of stopped) {
      mail.close();
      await connection?.close();
    }
  }

  async close(): Promise<void> {
    await this.stopWorker();
    // There is one for each namespace, and the next house wants its own.
    if (this.patience.mailbox === true) await this.client.workflow.getHandle(MAILBOX_ID).terminate();
    for (const id of [STRANGERS_ID, ...(this.patience.archiveEveryMs === undefined ? [] : [ARCHIVER_ID])]) {
      await this.client.workflow
        .getHandle(id)
        .terminate()
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
    }
    await this.stopApi();
    await this.sim.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private stopApi(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.server?.close(() => resolve());
      this.server?.closeAllConnections();
    });
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    { as = 'analyst', headers = {} }: AskOptions = {},
  ): Promise<Reply> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${TOKENS[as]}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  get(path: string, options?: AskOptions): Promise<Reply> {
    return this.ask('GET', path, undefined, options);
  }

  post(path: string, body: unknown, options?: AskOptions): Promise<Reply> {
    return this.ask('POST', path, body, options);
  }

  /** A command on an incident, which must succeed. */
  async command(id: string, name: string, body: unknown, options?: AskOptions) {
    const reply = await this.post(`/v1/incidents/${encodeURIComponent(id)}/${name}`, body, options);
    assert.equal(reply.status, 200, `${name}: ${JSON.stringify(reply.body).slice(0, 500)}`);
    return reply.body;
  }

  async incident(id: string) {
    const reply = await this.get(`/v1/incidents/${encodeURIComponent(id)}`);
    assert.equal(reply.status, 200, JSON.stringify(reply.body).slice(0, 300));
    return reply.body;
  }

  /** Waits until the incident is as the test wants it, and returns it. */
  async incidentWhen(id: string, what: string, holds: (incident: Reply['body']) => boolean, timeoutMs = 15_000) {
    let last: Reply['body'];
    try {
      return await until(
        `${id}: ${what}`,
        async () => {
          const { status, body } = await this.get(`/v1/incidents/${encodeURIComponent(id)}`);
          // A busy house may not be able to say it all at once.
          if (status === 503 || body.partial !== undefined) return undefined;
          assert.equal(status, 200, JSON.stringify(body));
          last = body;
          return holds(last) ? last : undefined;
        },
        timeoutMs,
      );
    } catch (error) {
      const { stage, duties, slo, attention } = last ?? {};
      throw new Error(`${String(error)}\n${JSON.stringify({ stage, slo, attention, duties }, null, 1)}`);
    }
  }

  /** Raises an alert in the simulated tenant, and hands it to the API. */
  async alert(
    customerId: string,
    partial: Record<string, unknown> = {},
    options?: AskOptions,
  ): Promise<{ id: string; alert: Reply['body'] }> {
    const alert = await this.raise(customerId, partial);
    const reply = await this.post(`/v1/customers/${customerId}/alerts`, alert, options);
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    return { id: reply.body.incidentId, alert };
  }

  /** Raises an alert in the simulated tenant only. */
  raise(customerId: string, partial: Record<string, unknown> = {}) {
    return this.control('POST', `/sim/tenants/${this.tenantOf(customerId)}/alerts`, partial);
  }

  async control(method: string, path: string, body?: unknown) {
    const response = await fetch(`${this.sim.url}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Hands a raw mail in as whoever routes mail does. */
  async handIn(raw: string): Promise<Reply> {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = mailSignature(WEBHOOK_SECRET, timestamp, Buffer.from(raw));
    return this.ask('POST', '/webhooks/mail', raw, {
      headers: { 'X-Mimamori-Timestamp': timestamp, 'X-Mimamori-Signature': signature },
    });
  }

  machine(customerId: string, machineId: string, changes: Record<string, unknown>) {
    return this.control('PATCH', `/sim/tenants/${this.tenantOf(customerId)}/machines/${machineId}`, changes);
  }

  /** The machine actions in the customer's tenant, oldest first. */
  async actions(customerId: string): Promise<{ id: string; type: string; status: string; machineId: string }[]> {
    const { items } = await this.control('GET', `/sim/tenants/${this.tenantOf(customerId)}/machineactions`);
    return items;
  }

  /** Mails of an incident in the order in which the server took them. */
  async mails(id?: string): Promise<SimMail[]> {
    const { items } = await this.control('GET', '/sim/mails');
    const all: SimMail[] = items;
    return id === undefined ? all : all.filter(({ headers }) => headers['x-mimamori-incident'] === id);
  }

  async mailKinds(id: string): Promise<(string | undefined)[]> {
    return (await this.mails(id)).map(({ headers }) => headers['x-mimamori-kind']);
  }

  async calls(): Promise<{ sid: string; to: string; status: string; said: string[] }[]> {
    return (await this.control('GET', '/sim/calls')).items;
  }
}

export interface SimMail {
  receivedAt: string;
  from: string;
  to: string[];
  cc: string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string | undefined>;
  raw: string;
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return address !== null && typeof address !== 'string';
}

export const TEXTS = {
  detection: '不審な PowerShell の実行を検知しました。',
  analysis: 'ローダーが外部と通信しました。',
  countermeasures: '端末をネットワークから切り離したままにしてください。',
};

/** A verdict with all its texts. */
export function verdict(level: 1 | 2 | 3 | 4, more: Record<string, unknown> = {}) {
  return { level, judgement: level === 1 ? 'false-positive' : 'true-positive', ...TEXTS, ...more };
}

/** An instruction by mail of somebody who may give one. */
export function instruction(more: Record<string, unknown> = {}) {
  return {
    by: 'sato',
    channel: 'mail',
    receivedAt: new Date().toISOString(),
    words: '隔離を解除してください。',
    ...more,
  };
}
