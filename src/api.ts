import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { openArchive } from './archive.js';
import { createApp } from './api/app.js';
import { createAuditLog } from './api/audit-log.js';
import { createApiMetrics, metricsServer, type ApiMetrics } from './api/metrics.js';
import { createApiServer } from './api/server.js';
import { createOperatorSignIn } from './api/sign-in.js';
import { laptopSettings, loadApiSettings, loadCustomers, loadOperators, type MetricsAddress } from './config.js';
import { watchCustomers } from './customers-file.js';
import { encryptionOf } from './encryption.js';
import { createTokenVerifier } from './integrations/access-tokens.js';
import { createMailTokens } from './integrations/mail/tokens.js';
import { createLogger } from './log.js';
import { requestSpans } from './api/request-spans.js';
import { startTracing } from './tracing.js';
import { createPolicies, serviceSettings } from './policy.js';
import { createApiClient, plainConnection, temporalConfig } from './temporal/connect.js';
import { tellUnreadableKeys } from './temporal/key-look.js';
import { VERSION } from './version.js';

function listenForMetrics(metrics: ApiMetrics, { host, port }: MetricsAddress, log: Logger): void {
  const server = metricsServer(metrics, log);
  server.once('error', (error) => {
    process.stderr.write(`api: cannot listen on ${host}:${port} (METRICS_HOST, API_METRICS_PORT): ${error.message}\n`);
    process.exit(1);
  });
  server.listen(port, host, () => log.info({ host, port }, 'metrics are at /metrics'));
}

async function main(): Promise<void> {
  const settings = loadApiSettings();
  const log = createLogger(settings.logLevel);
  for (const warning of laptopSettings(settings)) log.info(warning);
  const tracing = settings.traces ? await startTracing('mimamori-api', log) : undefined;
  const customers = loadCustomers(settings.customersFile);
  const encryption = encryptionOf(settings.keys, log);
  await encryption?.check(customers);
  const operators = loadOperators(settings.api.operatorsFile);
  const temporal = temporalConfig();
  const plain = plainConnection(temporal);
  if (plain !== undefined) log.warn(plain);
  const { clientOptions, namespace } = temporal;
  // Lazy: the API starts, and says what is missing, while Temporal is away.
  const connection = Connection.lazy(clientOptions);
  const policies = createPolicies(customers, serviceSettings(settings));
  const told = {
    changed: () => log.info('the customers file was read again'),
    refused: (error: Error) =>
      log.error({ err: error }, 'the changed customers file is refused; the customers of before stay'),
  };
  watchCustomers(settings.customersFile, policies, told, { check: encryption?.check });
  const deps = {
    client: createApiClient(connection, namespace, encryption?.sealing, tracing?.client),
    taskQueue: settings.temporal.taskQueue,
    policies,
    audit: createAuditLog(settings.api.auditFile, log),
    sealing: encryption?.sealing,
    archive: openArchive(settings.archive, encryption?.sealing),
  };
  void tellUnreadableKeys(deps.client, encryption?.sealing, log);
  const metrics = settings.metrics === undefined ? undefined : createApiMetrics(deps, log);
  const app = createApp({
    ...deps,
    signIn: createOperatorSignIn(operators, createTokenVerifier),
    log,
    watch: metrics?.watch,
    trace: tracing === undefined ? undefined : requestSpans,
    publicUrl: settings.publicUrl,
    twilioAuthToken: settings.twilio.authToken,
    tokens: createMailTokens(settings.mail.tokenSecret),
    mailWebhookSecret: settings.mailWebhookSecret,
    mailWebhookAuthservId: settings.mailWebhookAuthservId,
    trustedProxies: settings.api.trustedProxies,
    webUiOrigin: settings.api.webUiOrigin,
    version: VERSION,
  });
  const { host, port, tls } = settings.api;
  const server = createApiServer(app, tls);
  server.once('error', (error) => {
    process.stderr.write(`api: cannot listen on ${host}:${port} (API_HOST, API_PORT): ${error.message}\n`);
    process.exit(1);
  });
  server.listen(port, host, () => log.info({ host, port, isHttps: tls !== undefined }, 'API listens'));
  if (metrics !== undefined && settings.metrics !== undefined) listenForMetrics(metrics, settings.metrics, log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // Ends the process rather than the connection alone: a retry of Temporal's client that is still due would throw.
      server.close(() => void (tracing?.close() ?? Promise.resolve()).finally(() => process.exit(0)));
      server.closeIdleConnections();
    });
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  main().catch((error: unknown) => {
    process.stderr.write(`api: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
