import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type LogLevel } from '@temporalio/worker';
import { createActivities, type ActivityDeps } from './activities/index.js';
import { tellRefusedFile, watchCustomers } from './customers-file.js';
import { feedQueue } from './domain/ports.js';
import { MINUTE_MS } from './domain/time.js';
import { laptopSettings, loadCustomers, loadWorkerSettings, type WorkerSettings } from './config.js';
import { createDefenderClient } from './integrations/defender/client.js';
import { createSignIn } from './integrations/defender/sign-in.js';
import { createMailSender } from './integrations/mail/sender.js';
import { createPhoneClient } from './integrations/phone/client.js';
import { createLogger } from './log.js';
import { createPolicies, serviceSettings } from './policy.js';
import { ensureFeeds, tryRejectedAgain } from './temporal/feeds.js';
import { ensureAudit } from './temporal/audit-schedule.js';
import { bundleWorkflows, prebuiltBundle } from './temporal/bundle.js';
import { temporalConfig } from './temporal/connect.js';
import { registerSearchAttributes } from './temporal/search-attributes.js';

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
  namespace: string;
  taskQueue: string;
  activities: ReturnType<typeof createActivities>;
  bundle: { code: string } | { codePath: string };
}

export function createWorker({ connection, namespace, taskQueue, activities, bundle }: WorkerParts): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
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
export function createFeedWorker({ connection, namespace, taskQueue, activities }: Omit<WorkerParts, 'bundle'>) {
  return Worker.create({
    connection,
    namespace,
    taskQueue: feedQueue(taskQueue),
    activities: { pollFeed: (input: Parameters<typeof activities.pollFeed>[0]) => activities.pollFeed(input) },
    maxConcurrentActivityTaskExecutions: FEEDS_AT_ONCE,
    maxHeartbeatThrottleInterval: FEED_HEARTBEAT_MS,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_GRACE_MS + 1_000,
  });
}

/** The clients of the outside systems, as the settings name them. */
export function createOutside(settings: WorkerSettings): Omit<ActivityDeps, 'client' | 'taskQueue'> {
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
    }),
    defaultApiBase: defender.apiBase,
    feedLookBackMs: settings.feedLookBackMs,
    mail: createMailSender({ smtpUrl: mail.smtpUrl, from: mail.from }),
    phone: createPhoneClient({ ...twilio, timeoutMs: PHONE_TIMEOUT_MS }),
    publicUrl,
  };
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
    write.call(log, { ...meta }, message);
  });
  Runtime.install({ logger, shutdownSignals: [] });

  for (const warning of laptopSettings(settings)) log.info(warning);
  const { connectionOptions, clientOptions, namespace } = temporalConfig();
  const { taskQueue } = settings.temporal;
  const outside = createOutside(settings);
  const codePath = prebuiltBundle();
  const bundle = codePath === undefined ? await bundleWorkflows(logger) : { codePath };
  const connection = await Connection.connect(clientOptions);
  await registerSearchAttributes(connection, namespace);
  const native = await NativeConnection.connect(connectionOptions);
  const client = new Client({ connection, namespace });
  const activities = createActivities({ ...outside, client, taskQueue });
  // Incidents are served all the same without it; /readyz says so for as long as that lasts.
  try {
    const state = await ensureAudit(client, taskQueue);
    if (state === 'paused') log.error('the schedule `audit` is paused: nobody would start another auditor');
  } catch (error) {
    log.error({ err: error }, 'the schedule `audit` cannot be made: nobody notices processes that stand still');
  }
  const parts = { connection: native, namespace, taskQueue, activities };
  const workers = [await createWorker({ ...parts, bundle }), await createFeedWorker(parts)];
  const { policies } = outside;
  const keepFeeds = () => {
    ensureFeeds({ client, taskQueue }, policies.customerIds()).catch((error: unknown) => {
      log.error({ err: error }, 'the feeds cannot be started now; tried again within a minute');
    });
  };
  keepFeeds();
  const keeper = setInterval(keepFeeds, MINUTE_MS);
  tryRejectedAgain(client).catch((error: unknown) => {
    log.error({ err: error }, 'alerts that were kept aside could not be tried again');
  });
  const stopWatching = watchCustomers(settings.customersFile, policies, {
    changed() {
      log.info('the customers file was read again');
      keepFeeds();
    },
    refused(error) {
      log.error({ err: error }, 'the changed customers file is refused; the customers of before stay');
      tellRefusedFile(outside.mail, policies.service, error).catch((failure: unknown) => {
        log.error({ err: failure }, 'the SOC could not be told of it');
      });
    },
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    });
  }
  log.info({ taskQueue, namespace }, 'worker polls');
  await Promise.all(workers.map((worker) => worker.run()));
  clearInterval(keeper);
  stopWatching();
  outside.mail.close();
  await Promise.all([connection.close(), native.close()]);
  log.info('worker drained');
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  main().catch((error: unknown) => {
    process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
