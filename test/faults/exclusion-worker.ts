import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { z } from 'zod';
import { Child, type ChildSpec } from '../../scripts/start/child.js';
import { createActivities } from '../../src/activities/index.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { createDefenderClient } from '../../src/integrations/defender/client.js';
import { createSignIn } from '../../src/integrations/defender/sign-in.js';
import { createMailSender } from '../../src/integrations/mail/sender.js';
import { createMailTokens } from '../../src/integrations/mail/tokens.js';
import { createMailboxClient } from '../../src/integrations/mailbox/client.js';
import { createPhoneClient } from '../../src/integrations/phone/client.js';
import { createPolicies } from '../../src/policy.js';
import { ensureMailbox } from '../../src/temporal/mailbox.js';
import { createFeedWorker, createWorker } from '../../src/worker.js';
import { noArchive } from '../support/archive.js';
import { MAILBOX_ADDRESS, SERVICE, TOKEN_SECRET, type House } from '../support/house.js';
import { workflowBundle } from '../support/temporal.js';
import { haltSchema, Halts, type Halt, type HaltsSeen } from './halts.js';
import { testConverter } from '../support/keys.js';

/*
 * The worker of a house as a process of its own, which can be killed. Not the one that production runs: that keeps
 * Japan's business hours, and registers nothing at night.
 */

const planSchema = z.object({
  address: z.string(),
  namespace: z.string(),
  taskQueue: z.string(),
  simulatorUrl: z.string(),
  smtpUrl: z.string(),
  credentials: z.object({
    defenderClientId: z.string(),
    defenderClientSecret: z.string(),
    twilioAccountSid: z.string(),
    twilioAuthToken: z.string(),
  }),
  customers: customersFileSchema.shape.customers,
  /** Null where it reads no mailbox. */
  imapUrl: z.string().nullable(),
  /** Where it stands still, to be killed. */
  halts: z.array(haltSchema),
});
type Plan = z.input<typeof planSchema>;

/** What it says once it polls. */
const POLLS = 'worker polls';
const THIS_FILE = fileURLToPath(import.meta.url);
const LOGS = fileURLToPath(new URL('../../.cache/kill/', import.meta.url));

/** Starts one for a house that has none, and waits until it polls; it reads the house's mailbox where it is asked to. */
export async function startWorkerOf(
  house: House,
  { mailbox = false, halts = [], seen }: { mailbox?: boolean; halts?: Halt[]; seen?: HaltsSeen } = {},
): Promise<Child> {
  const { environment, sim, taskQueue, customers } = house;
  const plan: Plan = {
    address: environment.address,
    namespace: environment.namespace ?? 'default',
    taskQueue,
    simulatorUrl: sim.url,
    smtpUrl: sim.smtpUrl,
    credentials: sim.credentials,
    customers,
    imapUrl: mailbox ? sim.imapUrl : null,
    halts,
  };
  mkdirSync(LOGS, { recursive: true });
  let polls = false;
  const spec: ChildSpec = {
    name: 'worker',
    args: [THIS_FILE, JSON.stringify(plan)],
    env: process.env,
    shown(line) {
      polls ||= line === POLLS;
      seen?.hear(line);
      return undefined;
    },
    isReady: () => Promise.resolve(polls),
    drainMs: 9_000,
  };
  const child = new Child(spec, join(LOGS, `${taskQueue}.log`), () => undefined);
  await child.ready();
  return child;
}

const TIMEOUT_MS = 5_000;

async function main(plan: z.output<typeof planSchema>): Promise<void> {
  const { address, namespace, taskQueue, simulatorUrl, credentials } = plan;
  const { code } = await workflowBundle();
  const halts = new Halts(plan.halts);
  const client = new Client({
    connection: await Connection.connect({ address }),
    namespace,
    dataConverter: testConverter,
    interceptors: { workflow: [halts.interceptor] },
  });
  const signIn = createSignIn({
    clientId: credentials.defenderClientId,
    credential: { secret: credentials.defenderClientSecret },
    tokenEndpoint: `${simulatorUrl}/{tenantid}/oauth2/v2.0/token`,
  });
  const activities = createActivities({
    client,
    taskQueue,
    archive: noArchive,
    policies: createPolicies(plan.customers, SERVICE),
    businessHours: (at) => ({ opensAt: at }),
    feedLookBackMs: 0,
    defender: createDefenderClient({ signIn, timeoutMs: TIMEOUT_MS, maxInFlightPerTenant: 8 }),
    defaultApiBase: simulatorUrl,
    mail: createMailSender({ smtpUrl: plan.smtpUrl, from: 'Mimamori SOC <mimamori@mimamori.example>' }),
    tokens: createMailTokens(TOKEN_SECRET),
    replyTo: MAILBOX_ADDRESS,
    authservId: undefined,
    mailbox: plan.imapUrl === null ? null : createMailboxClient({ imapUrl: plan.imapUrl }),
    phone: createPhoneClient({
      accountSid: credentials.twilioAccountSid,
      authToken: credentials.twilioAuthToken,
      from: '+815012345678',
      apiBase: simulatorUrl,
      timeoutMs: TIMEOUT_MS,
    }),
    publicUrl: simulatorUrl,
  });
  const connection = await NativeConnection.connect({ address });
  const halting = {
    ...activities,
    tellOfInquiry: halts.activity('tellOfInquiry', (input: Parameters<typeof activities.tellOfInquiry>[0]) =>
      activities.tellOfInquiry(input),
    ),
    tellOfStranger: halts.activity('tellOfStranger', (news: Parameters<typeof activities.tellOfStranger>[0]) =>
      activities.tellOfStranger(news),
    ),
  };
  const parts = { connection, dataConverter: testConverter, namespace, taskQueue, activities: halting };
  const workers = [await createWorker({ ...parts, bundle: { code } })];
  if (plan.imapUrl !== null) {
    workers.push(await createFeedWorker(parts));
    await ensureMailbox({ client, taskQueue });
  }
  process.stdout.write(`${POLLS}\n`);
  await Promise.all(workers.map((worker) => worker.run()));
}

const [, program, plan] = process.argv;
if (program === THIS_FILE && plan !== undefined) await main(planSchema.parse(JSON.parse(plan)));
