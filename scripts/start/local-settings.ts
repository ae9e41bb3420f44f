import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  loadApiSettings,
  loadCustomers,
  loadWorkerSettings,
  SettingsError,
  type ApiSettings,
  type WorkerSettings,
} from '../../src/config.js';
import type { Customer } from '../../src/domain/customer.js';
import {
  defaultCredentials,
  defaultHttpPort,
  defaultImapPort,
  defaultSmtpPort,
  simulatorAuthservId,
} from '../../simulator/defaults.js';
import { readSettings as readSimulatorSettings } from '../../simulator/settings.js';

const LOOPBACK = '127.0.0.1';

const port = z.coerce.number({ error: 'must be a port' }).int('must be a port').min(1).max(65_535);

const portsSchema = z.object({
  SIMULATOR_PORT: port.default(defaultHttpPort),
  SIMULATOR_SMTP_PORT: port.default(defaultSmtpPort),
  SIMULATOR_IMAP_PORT: port.default(defaultImapPort),
  TEMPORAL_PORT: port.default(7233),
  TEMPORAL_UI_PORT: port.default(8233),
});

/** Where `npm start` has its metrics read, where those are free and the caller says nothing else. */
export const metricsPorts = { api: 9464, worker: 9465 } as const;

export interface LocalPorts {
  temporal: number;
  temporalUi: number;
  simulator: number;
  simulatorSmtp: number;
  simulatorImap: number;
}

/** What `npm start` fills in: everything outside is the simulator, Temporal is the embedded server. */
export function readPorts(env: NodeJS.ProcessEnv): LocalPorts {
  const result = portsSchema.safeParse(withoutEmpty(env));
  if (!result.success) {
    throw new SettingsError(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  return {
    temporal: result.data.TEMPORAL_PORT,
    temporalUi: result.data.TEMPORAL_UI_PORT,
    simulator: result.data.SIMULATOR_PORT,
    simulatorSmtp: result.data.SIMULATOR_SMTP_PORT,
    simulatorImap: result.data.SIMULATOR_IMAP_PORT,
  };
}

/** The environment of the children; what the caller has set wins over the simulator. */
export function childEnvironment(
  callerEnv: NodeJS.ProcessEnv,
  ports: LocalPorts,
  operatorsFile: string,
): NodeJS.ProcessEnv {
  const env = withoutEmpty(callerEnv);
  const simulator = `http://${LOOPBACK}:${ports.simulator}`;
  const ownTemporal = new Set(['TEMPORAL_NAMESPACE', 'TEMPORAL_TASK_QUEUE']);
  // Addresses, keys and profiles of some other Temporal must not leak into the embedded one.
  const passedOn = Object.entries(env).filter(
    // It asks its own API by plain HTTP, which never leaves this machine.
    ([name]) => (!name.startsWith('TEMPORAL_') || ownTemporal.has(name)) && !name.startsWith('API_TLS_'),
  );
  return {
    SMTP_URL: `smtp://${LOOPBACK}:${ports.simulatorSmtp}`,
    MAIL_FROM: 'Mimamori SOC <soc@mimamori.example>',
    IMAP_URL: `imap://soc:simulator@${LOOPBACK}:${ports.simulatorImap}`,
    // At another mailbox any sender could write that name.
    ...(env['IMAP_URL'] === undefined ? { MAIL_AUTHSERV_ID: simulatorAuthservId } : {}),
    MAIL_TOKEN_SECRET: randomBytes(32).toString('base64url'),
    TWILIO_ACCOUNT_SID: defaultCredentials.twilioAccountSid,
    TWILIO_AUTH_TOKEN: defaultCredentials.twilioAuthToken,
    TWILIO_FROM: '+815012345678',
    TWILIO_API_BASE: simulator,
    DEFENDER_API_BASE: simulator,
    ENTRA_TOKEN_ENDPOINT: `${simulator}/{tenantid}/oauth2/v2.0/token`,
    DEFENDER_CLIENT_ID: defaultCredentials.defenderClientId,
    ...(env['DEFENDER_CLIENT_CERTIFICATE_PATH'] === undefined
      ? { DEFENDER_CLIENT_SECRET: defaultCredentials.defenderClientSecret }
      : {}),
    ...Object.fromEntries(passedOn),
    OPERATORS_FILE: operatorsFile,
    SIMULATOR_PORT: String(ports.simulator),
    SIMULATOR_SMTP_PORT: String(ports.simulatorSmtp),
    SIMULATOR_IMAP_PORT: String(ports.simulatorImap),
    TEMPORAL_ADDRESS: `${LOOPBACK}:${ports.temporal}`,
    TEMPORAL_NAMESPACE: env['TEMPORAL_NAMESPACE'] ?? 'default',
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('./temporal.toml', import.meta.url)),
  };
}

/** For somebody who has just started it: something happens in every customer's tenant within half a minute. */
const ALERTS_PER_MINUTE = '4';

/** The simulator's own part of the environment: alerts come by themselves, unless the caller has said how many. */
export function simulatorEnvironment(env: NodeJS.ProcessEnv, customers: readonly Customer[]): NodeJS.ProcessEnv {
  const ownEnv = {
    SIMULATOR_ALERTS_PER_MINUTE: ALERTS_PER_MINUTE,
    SIMULATOR_TRICKLE_TENANTS: customers.map(({ defender }) => defender.tenantId).join(','),
    ...withoutEmpty(env),
  };
  try {
    readSimulatorSettings(ownEnv);
  } catch (error) {
    throw error instanceof Error ? new SettingsError(error.message.split('\n')) : error;
  }
  return ownEnv;
}

/** Reads all that the children will read, so that a mistake is told before anything has started. */
export function checkSettings(env: NodeJS.ProcessEnv): {
  api: ApiSettings;
  worker: WorkerSettings;
  customers: Customer[];
} {
  const problems = new Set([() => loadApiSettings(env), () => loadWorkerSettings(env)].flatMap(problemsOf));
  if (problems.size > 0) throw new SettingsError([...problems]);
  const api = loadApiSettings(env);
  return { api, worker: loadWorkerSettings(env), customers: loadCustomers(api.customersFile) };
}

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}
