import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { temporalBinary } from '../../scripts/temporal-binaries.js';
import { until } from '../../simulator/testing.js';
import { ensureNamespace } from '../../src/temporal/namespace.js';
import { registerSearchAttributes, searchAttributeTypes } from '../../src/temporal/search-attributes.js';
import { bundleWorkflows } from '../../src/temporal/bundle.js';
import { testConverter } from './keys.js';

/*
 * One Temporal server of each kind and one bundle for the whole test process, made when first asked for and ended by
 * the root hook. Tests keep apart by their task queues and customers.
 */

const quiet = new DefaultLogger('ERROR', ({ level, message, meta }) => {
  const shown = JSON.stringify(meta ?? {}, (_, value) => (value instanceof Error ? value.stack : value), 1);
  process.stderr.write(`temporal ${level}: ${message} ${shown}\n`);
});

let installed = false;
let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
let local: Promise<TestWorkflowEnvironment> | undefined;
let skipping: Promise<TestWorkflowEnvironment> | undefined;

/** A bundle of other workflows than the service's own. */
export function bundleOf(workflowsPath: string): Promise<WorkflowBundleWithSourceMap> {
  install();
  return bundleWorkflowCode({ workflowsPath, logger: quiet });
}

function install(): void {
  if (installed) return;
  installed = true;
  Runtime.install({ logger: quiet, shutdownSignals: [] });
}

export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  install();
  bundle ??= bundleWorkflows(quiet);
  return bundle;
}

/** A dev server in memory. `dynamicConfig` is given to it as `--dynamic-config-value`. */
export async function startLocal(
  dynamicConfig: string[] = [],
  dataConverter = testConverter,
): Promise<TestWorkflowEnvironment> {
  install();
  const { path } = await temporalBinary('cli');
  const environment = await TestWorkflowEnvironment.createLocal({
    client: { dataConverter },
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: ['--headless', ...dynamicConfig.flatMap((value) => ['--dynamic-config-value', value])],
    },
  });
  await registerSearchAttributes(environment.connection, environment.namespace ?? 'default');
  return environment;
}

export function localServer(): Promise<TestWorkflowEnvironment> {
  local ??= startLocal();
  return local;
}

/** A namespace of its own on a server that is shared, for what there is one of in each; `address`: a way to that server. */
export async function ownNamespace(
  { connection, address }: TestWorkflowEnvironment,
  way = address,
): Promise<TestWorkflowEnvironment> {
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  await ensureNamespace(connection, namespace);
  // The server's parts learn of it one after the other.
  await until(`the namespace ${namespace}`, () =>
    registerSearchAttributes(connection, namespace).then(
      () => true,
      () => undefined,
    ),
  );
  return TestWorkflowEnvironment.createFromExistingServer({
    address: way,
    namespace,
    client: { dataConverter: testConverter },
  });
}

/** One of its own, for a test that sets the clock years ahead. */
export async function startSkipping(): Promise<TestWorkflowEnvironment> {
  install();
  const { path } = await temporalBinary('test-server');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    client: { dataConverter: testConverter },
    server: { executable: { type: 'existing-path', path } },
  });
  // It can add them, but not list them.
  const { operatorService } = environment.connection;
  const searchAttributes = Object.fromEntries(searchAttributeTypes());
  await operatorService.addSearchAttributes({ namespace: environment.namespace ?? 'default', searchAttributes });
  return environment;
}

/** A server whose clock jumps to the next timer whenever nothing else is to be done. */
export function skippingServer(): Promise<TestWorkflowEnvironment> {
  skipping ??= startSkipping();
  return skipping;
}

export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(30_000);
    for (const started of [local, skipping]) await (await started)?.teardown();
  },
};
