import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { temporalConfig } from '../../src/temporal/connect.js';

/** The bare workflow's worker: default pollers and cache, eager activities on. */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM'] });
const { connectionOptions, namespace } = temporalConfig();
const connection = await NativeConnection.connect(connectionOptions);
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: 'bare',
  workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
  activities: { touch: () => Promise.resolve() },
});
process.stdout.write('worker polls\n');
await worker.run();
await connection.close();
