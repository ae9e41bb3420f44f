import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { createApp } from './api/app.js';
import { laptopSettings, loadApiSettings, loadCustomers, loadOperators } from './config.js';
import { watchCustomers } from './customers-file.js';
import { createLogger } from './log.js';
import { createPolicies, serviceSettings } from './policy.js';
import { createApiClient, temporalConfig } from './temporal/connect.js';
import { VERSION } from './version.js';

function main(): void {
  const settings = loadApiSettings();
  const log = createLogger(settings.logLevel);
  for (const warning of laptopSettings(settings)) log.info(warning);
  const customers = loadCustomers(settings.customersFile);
  const operators = loadOperators(settings.api.operatorsFile);
  const { clientOptions, namespace } = temporalConfig();
  // Lazy: the API starts, and says what is missing, while Temporal is away.
  const connection = Connection.lazy(clientOptions);
  const policies = createPolicies(customers, serviceSettings(settings));
  watchCustomers(settings.customersFile, policies, {
    changed: () => log.info('the customers file was read again'),
    refused: (error) =>
      log.error({ err: error }, 'the changed customers file is refused; the customers of before stay'),
  });
  const app = createApp({
    client: createApiClient(connection, namespace),
    taskQueue: settings.temporal.taskQueue,
    policies,
    operators,
    log,
    publicUrl: settings.publicUrl,
    twilioAuthToken: settings.twilio.authToken,
    version: VERSION,
  });
  const { host, port } = settings.api;
  const server = app.listen(port, host, (error?: Error) => {
    if (error !== undefined) {
      process.stderr.write(`api: cannot listen on ${host}:${port} (API_HOST, API_PORT): ${error.message}\n`);
      process.exit(1);
    }
    log.info({ host, port }, 'API listens');
  });
  server.headersTimeout = 15_000;
  server.requestTimeout = 30_000;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // Ends the process rather than the connection alone: a retry of Temporal's client that is still due would throw.
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    });
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`api: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
