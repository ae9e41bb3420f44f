import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import { Connection } from '@temporalio/client';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { createApp, type AppDeps } from '../../src/api/app.js';
import { createAuditLog } from '../../src/api/audit-log.js';
import { createApiServer } from '../../src/api/server.js';
import { createOperatorSignIn } from '../../src/api/sign-in.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/time.js';
import { createApiClient } from '../../src/temporal/connect.js';
import { createTokenVerifier } from '../../src/integrations/access-tokens.js';
import { createMailTokens } from '../../src/integrations/mail/tokens.js';
import type { SignInRules } from '../../src/operators.js';
import { createPolicies } from '../../src/policy.js';
import { noArchive } from './archive.js';
import { customersNamed } from './house.js';
import { testSealing } from './keys.js';
import { noLog } from './log.js';

/*
 * The API alone, without a worker or an outside world: for what it does by itself, and for what it does while Temporal
 * cannot be reached.
 */

export const APP_TOKEN = 'token-of-the-app';

export interface LoneApp {
  url: string;
  token: string;
  customer: string;
  close(): Promise<void>;
}

/** Temporal is at `address`; by default nobody is there. */
export async function startApp(
  options: {
    address?: string;
    log?: Logger;
    signIn?: SignInRules;
    trustedProxies?: string[];
    watch?: AppDeps['watch'];
    /** The server that the API is on; without one, any port of this machine by plain HTTP. */
    serverOf?: (app: Express) => Server;
  } = {},
): Promise<LoneApp> {
  const { address = '127.0.0.1:1', log = noLog, signIn, trustedProxies = [], watch } = options;
  const { serverOf = (app) => createApiServer(app) } = options;
  const connection = Connection.lazy({ address });
  const { customers } = customersFileSchema.parse({ customers: customersNamed('alone') });
  const [first] = customers;
  assert.ok(first);
  const deps: AppDeps = {
    client: createApiClient(connection, 'default', testSealing),
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
    signIn: createOperatorSignIn(
      {
        operators: [
          {
            id: 'analyst',
            name: 'Analyst',
            role: 'analyst',
            customers: '*',
            tokenSha256: createHash('sha256').update(APP_TOKEN).digest('hex'),
          },
        ],
        signIn,
      },
      createTokenVerifier,
    ),
    audit: createAuditLog(undefined, log),
    archive: noArchive,
    log,
    publicUrl: 'https://mimamori.example',
    twilioAuthToken: 'secret-of-twilio',
    tokens: createMailTokens('secret-of-the-tokens'),
    mailWebhookAuthservId: undefined,
    mailWebhookSecret: undefined,
    trustedProxies,
    sealing: testSealing,
    webUiOrigin: undefined,
    version: '1.2.3',
    watch,
  };
  const server = serverOf(createApp(deps)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  assert.ok(bound !== null && typeof bound !== 'string');
  return {
    url: `${server instanceof TlsServer ? 'https' : 'http'}://127.0.0.1:${bound.port}`,
    token: APP_TOKEN,
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
