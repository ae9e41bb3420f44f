import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { z } from 'zod';
import { Child } from '../../scripts/start/child.js';
import { createApp } from '../../src/api/app.js';
import { createAuditLog } from '../../src/api/audit-log.js';
import { createOperatorSignIn } from '../../src/api/sign-in.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { createTokenVerifier } from '../../src/integrations/access-tokens.js';
import { createMailTokens } from '../../src/integrations/mail/tokens.js';
import { createPolicies } from '../../src/policy.js';
import { noArchive } from '../support/archive.js';
import { SERVICE, TOKEN_SECRET, WEBHOOK_SECRET, type House } from '../support/house.js';
import { haltSchema, Halts, type Halt, type HaltsSeen } from './halts.js';
import { testConverter } from '../support/keys.js';

/*
 * The API of a house as a process of its own, to which mails are handed, and which can be killed.
 */

const planSchema = z.object({
  address: z.string(),
  namespace: z.string(),
  taskQueue: z.string(),
  twilioAuthToken: z.string(),
  customers: customersFileSchema.shape.customers,
  halts: z.array(haltSchema),
});
type Plan = z.input<typeof planSchema>;

const LISTENS = 'api listens on ';
const THIS_FILE = fileURLToPath(import.meta.url);
const LOGS = fileURLToPath(new URL('../../.cache/kill/', import.meta.url));

/** Starts one beside a house's own, and waits until it listens. */
export async function startApiOf(house: House, halts: Halt[], seen: HaltsSeen): Promise<{ api: Child; url: string }> {
  const { environment, sim, taskQueue, customers } = house;
  const plan: Plan = {
    address: environment.address,
    namespace: environment.namespace ?? 'default',
    taskQueue,
    twilioAuthToken: sim.credentials.twilioAuthToken,
    customers,
    halts,
  };
  mkdirSync(LOGS, { recursive: true });
  let url = '';
  const spec = {
    name: 'api',
    args: [THIS_FILE, JSON.stringify(plan)],
    env: process.env,
    shown(line: string) {
      if (line.startsWith(LISTENS)) url = line.slice(LISTENS.length);
      seen.hear(line);
      return undefined;
    },
    isReady: () => Promise.resolve(url !== ''),
    drainMs: 9_000,
  };
  const api = new Child(spec, join(LOGS, `${taskQueue}.api.log`), () => undefined);
  await api.ready();
  return { api, url };
}

async function main(plan: z.output<typeof planSchema>): Promise<void> {
  const { address, namespace, taskQueue, twilioAuthToken } = plan;
  const log = pino({ level: 'warn' });
  const client = new Client({
    connection: await Connection.connect({ address }),
    namespace,
    dataConverter: testConverter,
    interceptors: { workflow: [new Halts(plan.halts).interceptor] },
  });
  const app = createApp({
    client,
    taskQueue,
    policies: createPolicies(plan.customers, SERVICE),
    signIn: createOperatorSignIn({ operators: [] }, createTokenVerifier),
    audit: createAuditLog(undefined, log),
    sealing: undefined,
    webUiOrigin: undefined,
    archive: noArchive,
    log,
    publicUrl: 'http://127.0.0.1',
    twilioAuthToken,
    tokens: createMailTokens(TOKEN_SECRET),
    mailWebhookAuthservId: undefined,
    mailWebhookSecret: WEBHOOK_SECRET,
    trustedProxies: [],
    version: 'test',
  });
  const server = app.listen(0, '127.0.0.1', () => {
    const listening = server.address();
    if (listening === null || typeof listening === 'string') throw new Error('it listens on no port');
    process.stdout.write(`${LISTENS}http://127.0.0.1:${listening.port}\n`);
  });
}

const [, program, plan] = process.argv;
if (program === THIS_FILE && plan !== undefined) await main(planSchema.parse(JSON.parse(plan)));
