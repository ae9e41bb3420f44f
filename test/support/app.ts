import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { pino, type Logger } from 'pino';
import { createApp, type AppDeps } from '../../src/api/app.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/time.js';
import { createApiClient } from '../../src/temporal/connect.js';
import { createPolicies } from '../../src/policy.js';
import { customersNamed } from './house.js';

/*
 * The API alone, without a worker or an outside world: for what it does by itself, and for what it does while Temporal
 * cannot be reached.
 */

export const APP_TOKEN = 'token-of-the-app';

export interface LoneApp {
  url: string;
  customer: string;
  close(): Promise<void>;
}

/** Temporal is at `address`; by default nobody is there. */
export async function startApp(options: { address?: string; log?: Logger } = {}): Promise<LoneApp> {
  const { address = '127.0.0.1:1', log = pino({ level: 'silent' }) } = options;
  const connection = Connection.lazy({ address });
  const { customers } = customersFileSchema.parse({ customers: customersNamed('alone') });
  const [first] = customers;
  assert.ok(first);
  const deps: AppDeps = {
    client: createApiClient(connection, 'default'),
    taskQueue: 'nobody-polls-this',
    policies: createPolicies(customers, {
      socMailTo: 'soc@mimamori.example',
      mailDomain: 'mimamori.example',
      untriagedWarnMs: 3 * HOUR_MS,
      autoCloseMs: 14 * DAY_MS,
      lingerMs: 7 * DAY_MS,
      phoneRingSeconds: 5,
      phoneRounds: 2,
      phoneRoundPauseMs: 50,
    }),
    operators: [
      {
        id: 'analyst',
        name: 'Analyst',
        role: 'analyst',
        customers: '*',
        tokenSha256: createHash('sha256').update(APP_TOKEN).digest('hex'),
      },
    ],
    log,
    publicUrl: 'https://mimamori.example',
    twilioAuthToken: 'secret-of-twilio',
    version: '1.2.3',
  };
  const server = createApp(deps).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  assert.ok(bound !== null && typeof bound !== 'string');
  return {
    url: `http://127.0.0.1:${bound.port}`,
    customer: first.id,
    async close() {
      // The connection never came about. Its client may still be about to try once more, which after a close throws.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
