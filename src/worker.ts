import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker, type LogLevel } from '@temporalio/worker';
import { openArchive } from './archive.js';
import { createActivities, type ActivityDeps } from './activities/index.js';
import { followCustomersFile } from './customers-file.js';
import { encryptionOf } from './encryption.js';
import type { RejectReason } from './domain/feed/rejected.js';
import { parseIncidentId } from './domain/incident/record.js';
import { histogramBuckets, labelSets, measureNames, measures } from './domain/measures.js';
import { feedQueue } from './domain/ports.js';
import type { Sealing } from './domain/sealing.js';
import { MINUTE_MS } from './domain/time.js';
import {
  laptopSettings,
  loadCustomers,
  loadWorkerSettings,
  type MetricsAddress,
  type WorkerSettings,
} from './config.js';
import { createDefenderClient } from './integrations/defender/client.js';
import { createSignIn } from './integrations/defender/sign-in.js';
import { createMailSender } from './integrations/mail/sender.js';
import { createPhoneClient } from './integrations/phone/client.js';
import { businessHours } from './holidays.js';
import { createLogger } from './log.js';
import { createMailTokens } from './integrations/mail/tokens.js';
import { createMailboxClient, type MailboxClient } from './integrations/mailbox/client.js';
import { bareAddress, createPolicies, serviceSettings } from './policy.js';
import { ensureArchiver } from './temporal/archiver.js';
import { ensureMailbox } from './temporal/mailbox.js';
import { ensureFeeds, tryRejectedAgain } from './temporal/feeds.js';
import { ensureAudit } from './temporal/audit-schedule.js';
import { bundleWorkflows, prebuiltBundle } from './temporal/bundle.js';
import { plainConnection, temporalConfig, withTracing } from './temporal/connect.js';
import { dataConverterOf } from './temporal/data-converter.js';
import { tellUnreadableKeys } from './temporal/key-look.js';
import { registerSearchAttributes } from './temporal/search-attributes.js';
import { silentSinks, type Tracing } from './temporal/tracing.js';
import { startTracing } from './tracing.js';

const DEFENDER_TIMEOUT_MS = 20_000;
const MAX_DEFENDER_CALLS_PER_TENANT = 8;
const PHONE_TIMEOUT_MS = 10_000;
/** How long activities may take to end when the worker is told to stop. */
const SHUTDOWN_GRACE_MS = 7_000;
/** Open incidents kept in memory; more are replayed from their history when something happens to them. */
const MAX_CACHED_WORKFLOWS = 500;

/**
 * How long a task waits for the worker that holds its workflow before any other takes it: after a worker was killed, an
 * analyst's command waits so long.
 */
const STICKY_TIMEOUT_MS = 250;

export interface WorkerParts {
  connection: NativeConnection;
  dataConverter: DataConverter;
  namespace: string;
  taskQueue: string;
  activities: ReturnType<typeof createActivities>;
  bundle: { code: string } | { codePath: string };
  /** Undefined: nobody traces. */
  tracing?: Tracing | undefined;
}

export function createWorker({ bundle, tracing, ...parts }: WorkerParts): Promise<Worker> {
  return Worker.create({
    ...parts,
    ...(tracing === undefined ? { sinks: silentSinks } : { interceptors: tracing.worker, sinks: tracing.sinks }),
    workflowBundle: bundle,
    maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_GRACE_MS + 1_000,
  });
}

/** Feeds that poll at the same time: mostly they wait for their tenant's answer. */
const FEEDS_AT_ONCE = 200;
/** How fast a feed's heartbeat, which is where it stands, reaches Temporal. */
const FEED_HEARTBEAT_MS = 500;

/** Polls for the feeds alone, so that tenants that hang keep nothing else waiting. */
export function createFeedWorker({ taskQueue, activities, ...parts }: Omit<WorkerParts, 'bundle' | 'tracing'>) {
  return Worker.create({
    ...parts,
    taskQueue: feedQueue(taskQueue),
    activities: {
      pollFeed: (input: Parameters<typeof activities.pollFeed>[0]) => activities.pollFeed(input),
      readMailbox: (input: Parameters<typeof activities.readMailbox>[0]) => activities.readMailbox(input),
    },
    maxConcurrentActivityTaskExecutions: FEEDS_AT_ONCE,
    maxHeartbeatThrottleInterval: FEED_HEARTBEAT_MS,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_GRACE_MS + 1_000,
  });
}

/** The clients of the outside systems, as the settings name them. */
export function createOutside(
  settings: WorkerSettings,
  sealing: Sealing | undefined,
): Omit<ActivityDeps, 'client' | 'taskQueue'> {
  const { defender, mail, twilio, publicUrl } = settings;
  const credential =
    'secret' in defender.credential
      ? defender.credential
      : { certificatePem: readFileSync(defender.credential.certificatePath, 'utf8') };
  const signIn = createSignIn({ clientId: defender.clientId, credential, tokenEndpoint: defender.tokenEndpoint });
  return {
    policies: createPolicies(loadCustomers(settings.customersFile), serviceSettings(settings)),
    defender: createDefenderClient({
      signIn,
      timeoutMs: DEFENDER_TIMEOUT_MS,
      maxInFlightPerTenant: MAX_DEFENDER_CALLS_PER_TENANT,
      callsPerMinute: defender.callsPerMinute,
    }),
    archive: openArchive(settings.archive, sealing),
    defaultApiBase: defender.apiBase,
    businessHours: businessHours(settings.closedDays),
    feedLookBackMs: settings.feedLookBackMs,
    mail: createMailSender({ smtpUrl: mail.smtpUrl, from: mail.from, replyTo: mail.replyTo }),
    tokens: createMailTokens(mail.tokenSecret),
    replyTo: bareAddress(mail.replyTo),
    authservId: mail.authservId,
    mailbox: settings.mailbox === undefined ? null : mailboxOf(settings.mailbox),
    phone: createPhoneClient({ ...twilio, timeoutMs: PHONE_TIMEOUT_MS }),
    publicUrl,
  };
}

/** Microsoft's scope for IMAP of Exchange Online. */
const IMAP_SCOPE = 'https://outlook.office365.com/.default';

function mailboxOf({ imapUrl, oauth }: NonNullable<WorkerSettings['mailbox']>): MailboxClient {
  if (oauth === undefined) return createMailboxClient({ imapUrl });
  const { tenantId, clientId, secret } = oauth;
  const signIn = createSignIn({ clientId, credential: { secret }, scope: IMAP_SCOPE });
  return createMailboxClient({ imapUrl, accessToken: () => signIn.token(tenantId) });
}

/** With an address, the SDK shows its own metrics there, and what our workflows count (`domain/measures.ts`). */
function installRuntime(logger: DefaultLogger, address: MetricsAddress | undefined): void {
  const shutdownSignals: NodeJS.Signals[] = [];
  if (address === undefined) {
    Runtime.install({ logger, shutdownSignals });
    return;
  }
  const { host, port } = address;
  const bindAddress = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const metrics = { prometheus: { bindAddress, histogramBucketOverrides: histogramBuckets } };
  try {
    Runtime.install({ logger, shutdownSignals, telemetryOptions: { metrics } });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot listen on ${bindAddress} (METRICS_HOST, WORKER_METRICS_PORT): ${why}`);
  }
}

/**
 * A counter that began with its first event would have had nothing to increase from. The tags are those that the SDK gives to what a
 * workflow counts.
 */
function countFromZero(namespace: string, taskQueue: string): void {
  for (const name of measureNames) {
    const { kind, help, workflowType } = measures[name];
    if (kind !== 'counter') continue;
    const counter = Runtime.instance().metricMeter.createCounter(name, undefined, help);
    for (const labels of labelSets(name)) counter.add(0, { namespace, taskQueue, workflowType, ...labels });
  }
}

/** What is said of an incident's workflow, or of an activity of it, names the incident as every other line does. */
function incidentOf({ workflowId }: Record<string, unknown>): { incidentId?: string } {
  if (typeof workflowId !== 'string' || parseIncidentId(workflowId) === undefined) return {};
  return { incidentId: workflowId };
}

function workerLogLevel(level: string): LogLevel {
  return level === 'debug' || level === 'trace' ? 'DEBUG' : level === 'info' ? 'INFO' : 'WARN';
}

async function main(): Promise<void> {
  const settings = loadWorkerSettings();
  const log = createLogger(settings.logLevel);
  const logger = new DefaultLogger(workerLogLevel(settings.logLevel), ({ level, message, meta }) => {
    // The feeds' worker has none on purpose.
    if (message.startsWith('No workflows registered')) return;
    const write = level === 'ERROR' ? log.error : level === 'WARN' ? log.warn : level === 'INFO' ? log.info : log.debug;
    write.call(log, { ...meta, ...incidentOf(meta ?? {}) }, message);
  });
  installRuntime(logger, settings.metrics);
  const tracing = settings.traces ? await startTracing('mimamori-worker', log) : undefined;
  if (settings.metrics !== undefined) log.info(settings.metrics, 'metrics are at /metrics');

  for (const warning of laptopSettings(settings)) log.info(warning);
  const temporal = temporalConfig();
  const plain = plainConnection(temporal);
  if (plain !== undefined) log.warn(plain);
  const { connectionOptions, clientOptions, namespace } = temporal;
  const { taskQueue } = settings.temporal;
  countFromZero(namespace, taskQueue);
  const encryption = encryptionOf(settings.keys, log);
  const outside = createOutside(settings, encryption?.sealing);
  const { policies } = outside;
  await encryption?.check(policies.all());
  const dataConverter = dataConverterOf(encryption?.sealing);
  const codePath = prebuiltBundle();
  const bundle = codePath === undefined ? await bundleWorkflows(logger) : { codePath };
  const connection = await Connection.connect(clientOptions);
  await registerSearchAttributes(connection, namespace);
  const native = await NativeConnection.connect(connectionOptions);
  const client = new Client({ connection, namespace, dataConverter, ...withTracing(tracing?.client) });
  void tellUnreadableKeys(client, encryption?.sealing, log);
  const activities = createActivities({ ...outside, client, taskQueue });
  // Incidents are served all the same without it; /readyz says so for as long as that lasts.
  try {
    const state = await ensureAudit(client, taskQueue);
    if (state === 'paused') log.error('the schedule `audit` is paused: nobody would start another auditor');
  } catch (error) {
    log.error({ err: error }, 'the schedule `audit` cannot be made: nobody notices processes that stand still');
  }
  const parts = { connection: native, dataConverter, namespace, taskQueue, activities };
  const workers = [await createWorker({ ...parts, bundle, tracing }), await createFeedWorker(parts)];
  const keepFeeds = () => {
    ensureFeeds({ client, taskQueue }, policies.customerIds()).catch((error: unknown) => {
      log.error({ err: error }, 'the feeds cannot be started now; tried again within a minute');
    });
  };
  keepFeeds();
  if (outside.mailbox === null) log.info('IMAP_URL is not set: what customers write is read by nobody here');
  const keepMailbox = () => {
    if (outside.mailbox === null) return;
    ensureMailbox({ client, taskQueue }).catch((error: unknown) => {
      log.error({ err: error }, 'the reading of the mailbox cannot be started now; tried again within a minute');
    });
  };
  keepMailbox();
  const keepArchiver = () => {
    ensureArchiver({ client, taskQueue }).catch((error: unknown) => {
      log.error({ err: error }, 'the archiving cannot be started now; tried again within a minute');
    });
  };
  keepArchiver();
  const keeper = setInterval(() => {
    keepFeeds();
    keepMailbox();
    keepArchiver();
  }, MINUTE_MS);
  const tryAgain = (reason?: RejectReason) => {
    tryRejectedAgain(client, reason).catch((error: unknown) => {
      log.error({ err: error }, 'alerts that were kept aside could not be tried again');
    });
  };
  tryAgain();
  const { mail } = outside;
  const changed = () => {
    keepFeeds();
    tryAgain('other-tenant');
    // A tuning period that the file has now calls off what is under way.
    for (const customerId of policies.customerIds()) {
      activities.tellPolicyChanged({ customerId }).catch((error: unknown) => {
        log.error({ err: error, customerId }, 'the open incidents could not be told of the changed customers file');
      });
    }
  };
  const stopFollowing = followCustomersFile(
    settings.customersFile,
    { policies, mail, log, changed },
    { check: encryption?.check },
  );

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    });
  }
  log.info({ taskQueue, namespace }, 'worker polls');
  await Promise.all(workers.map((worker) => worker.run()));
  clearInterval(keeper);
  stopFollowing();
  mail.close();
  await tracing?.close();
  await Promise.all([connection.close(), native.close()]);
  log.info('worker drained');
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  main().catch((error: unknown) => {
    process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
