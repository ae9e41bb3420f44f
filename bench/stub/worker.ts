import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { messageActivities } from '../../src/activities/messages.js';
import { loadCustomers, loadWorkerSettings } from '../../src/config.js';
import type { Outside } from '../../src/domain/ports.js';
import { machineFacts } from '../../src/domain/machine.js';
import { bundleWorkflows } from '../../src/temporal/bundle.js';
import { createPolicies, serviceSettings } from '../../src/policy.js';
import { encryptionOf } from '../../src/encryption.js';
import { temporalConfig } from '../../src/temporal/connect.js';
import { dataConverterOf } from '../../src/temporal/data-converter.js';
import { exclusionFinder } from '../../src/temporal/exclusions.js';
import { createPolicyReader } from '../../src/temporal/run-time-policy.js';
import { createWorker } from '../../src/worker.js';
import { toInstant } from '../../src/domain/time.js';
import type { ActionRecord } from '../../src/domain/device/record.js';

/*
 * The service's own workflows and worker with an outside that answers at once: what the process itself costs. Tells its
 * parent of every mail.
 */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const settings = loadWorkerSettings();
const { connectionOptions, namespace } = temporalConfig();
const connection = await Connection.connect(connectionOptions);
const native = await NativeConnection.connect(connectionOptions);
const policies = createPolicies(loadCustomers(settings.customersFile), serviceSettings(settings));
const dataConverter = dataConverterOf(encryptionOf(settings.keys, console)?.sealing);
const client = new Client({ connection, namespace, dataConverter });
const { taskQueue } = settings.temporal;

const now = () => toInstant(Date.now());
const factsOf = (machineId: string) =>
  machineFacts(machineId, {
    id: machineId,
    osPlatform: 'Windows11',
    computerDnsName: `${machineId}.example`,
    healthStatus: undefined,
    onboardingStatus: undefined,
  });
let serial = 0;
function begun(type: ActionRecord['type']): ActionRecord {
  serial += 1;
  return { id: `action-${serial}`, type, status: 'Pending', requestedAt: now(), updatedAt: now() };
}

const outside: Outside = {
  ...messageActivities({
    client,
    taskQueue,
    readPolicy: createPolicyReader(client, policies),
    findExclusion: exclusionFinder(client),
    businessHours: (at) => ({ opensAt: at }),
  }),
  archiveClosed: () => Promise.reject(new Error('nothing is archived here')),
  lookUpMachine: ({ machineId }) => Promise.resolve(factsOf(machineId)),
  awaitMachine: ({ machineId }) => Promise.resolve(factsOf(machineId)),
  sendMail: ({ headers }) => {
    process.send?.({ mail: headers['X-Mimamori-Kind'], incidentId: headers['X-Mimamori-Incident'] });
    return Promise.resolve({ status: 'accepted', at: now(), rejected: [] });
  },
  requestIsolation: () => Promise.resolve({ outcome: 'requested', action: begun('Isolate') }),
  requestRelease: () => Promise.resolve({ outcome: 'requested', action: begun('Unisolate') }),
  watchIsolation: () => Promise.reject(new Error('nobody changes anything here')),
  readIsolation: () => Promise.resolve({ outcome: 'released', at: now(), action: null }),
  followAction: ({ action, kind }) => {
    const done = { at: now(), action: { ...action, status: 'Succeeded', updatedAt: now() } };
    return Promise.resolve(kind === 'isolate' ? { outcome: 'isolated', ...done } : { outcome: 'released', ...done });
  },
  cancelAction: () => Promise.resolve(undefined),
  placeCall: () => Promise.resolve({ status: 'refused', reason: 'nobody is rung here' }),
  hangUp: () => Promise.resolve(undefined),
  audit: () => Promise.resolve({ told: [] }),
  pollFeed: ({ state }) => Promise.resolve({ state, ended: true }),
  deliverRejected: () => Promise.resolve({ is: 'rejected', reason: 'not-understood', errors: [] }),
  readCall: () => Promise.resolve({ status: 'completed' }),
  readBusinessHours: () => Promise.reject(new Error('nothing is excluded here')),
  setIndicator: () => Promise.reject(new Error('nothing is excluded here')),
  removeIndicator: () => Promise.reject(new Error('nothing is excluded here')),
  readThread: () => Promise.resolve(null),
  countExcluded: () => Promise.resolve(0),
  tellOfInquiry: () => Promise.reject(new Error('nobody writes here')),
  passOnMail: () => Promise.reject(new Error('nobody writes here')),
  tellOfStranger: () => Promise.reject(new Error('nobody writes here')),
  readMailbox: () => Promise.reject(new Error('nobody writes here')),
};

const bundle = await bundleWorkflows(new DefaultLogger('ERROR'));
const worker = await createWorker({
  connection: native,
  dataConverter,
  namespace,
  taskQueue,
  activities: outside,
  bundle,
});
process.once('SIGTERM', () => worker.shutdown());
process.stdout.write('worker polls\n');
await worker.run();
await Promise.all([connection.close(), native.close()]);
process.disconnect();
