import { accessSync, constants } from 'node:fs';
import { z } from 'zod';
import { customersFileSchema, type Customer } from './domain/customer.js';
import { HOUR_MS } from './domain/time.js';
import { operatorsFileSchema, type Operator } from './operators.js';
import { loadYamlFile } from './yaml-file.js';

/*
 * The only reader of the environment. Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, …) are read by
 * @temporalio/envconfig. Messages name the variable and never repeat its value: it may be a secret.
 */

export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

const text = () => z.string({ error: 'is not set' });

const phone = () => text().regex(/^\+[1-9]\d{6,14}$/, 'must be a number such as +81312345678');

function hasProtocol(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

const httpUrl = () =>
  text()
    .refine((value) => hasProtocol(value, ['http:', 'https:']), 'must be a URL such as https://host/path')
    .transform((value) => value.replace(/\/+$/, ''));

/** `soc@example.com` or `SOC <soc@example.com>`. */
const mailbox = () =>
  text().refine(
    (value) => z.email().safeParse(/^[^<>\r\n]*<([^<>]+)>$/.exec(value)?.[1] ?? value).success,
    'must be a mail address such as soc@example.com or "SOC <soc@example.com>"',
  );

function number(range: { min: number; max: number; whole?: boolean }) {
  const kind = range.whole === true ? 'a whole number' : 'a number';
  return text().transform((value, context) => {
    const parsed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    const fits = parsed >= range.min && parsed <= range.max && (range.whole !== true || Number.isInteger(parsed));
    if (fits) return parsed;
    context.addIssue({ code: 'custom', message: `must be ${kind} from ${range.min} to ${range.max}` });
    return z.NEVER;
  });
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What both processes read. */
const sharedVariables = {
  LOG_LEVEL: text()
    .pipe(z.literal(logLevels, { error: `must be one of ${logLevels.join(', ')}` }))
    .default('info'),
  CUSTOMERS_FILE: text().default('config/customers.yaml'),
  TEMPORAL_TASK_QUEUE: text().max(200).default('mimamori'),
  API_PORT: number({ min: 1, max: 65_535, whole: true }).default(8080),
  PUBLIC_URL: httpUrl().optional(),
  TWILIO_AUTH_TOKEN: text(),
  MAIL_FROM: mailbox(),
  SOC_MAIL_TO: mailbox().default('soc@mimamori.example'),
  UNTRIAGED_WARN_HOURS: number({ min: 0.000_1, max: 720 }).default(3),
  INCIDENT_AUTO_CLOSE_DAYS: number({ min: 0.000_01, max: 3650 }).default(14),
  INCIDENT_LINGER_DAYS: number({ min: 0, max: 365 }).default(7),
  PHONE_RING_SECONDS: number({ min: 1, max: 600 }).default(30),
  PHONE_ROUNDS: number({ min: 1, max: 100, whole: true }).default(3),
  PHONE_ROUND_PAUSE_SECONDS: number({ min: 0, max: 86_400 }).default(60),
};

const apiVariables = {
  API_HOST: text().default('127.0.0.1'),
  OPERATORS_FILE: text().default('config/operators.yaml'),
};

const workerVariables = {
  SMTP_URL: text().refine(
    (value) => hasProtocol(value, ['smtp:', 'smtps:']),
    'must be a URL such as smtps://user:password@host:465',
  ),
  TWILIO_ACCOUNT_SID: text(),
  TWILIO_FROM: phone(),
  TWILIO_API_BASE: httpUrl().default('https://api.twilio.com'),
  DEFENDER_API_BASE: httpUrl().default('https://api.security.microsoft.com'),
  ENTRA_TOKEN_ENDPOINT: httpUrl().optional(),
  DEFENDER_CLIENT_ID: text(),
  FEED_LOOK_BACK_HOURS: number({ min: 0, max: 720 }).default(24),
  DEFENDER_CLIENT_SECRET: text().optional(),
  DEFENDER_CLIENT_CERTIFICATE_PATH: text().refine(isReadable, 'names a file that cannot be read').optional(),
};

const sharedSchema = z.object(sharedVariables);
const apiSchema = sharedSchema.extend(apiVariables);
const workerSchema = sharedSchema.extend(workerVariables);

/** Every variable that the two processes read, beside Temporal's own. */
export const settingNames: readonly string[] = Object.keys({ ...sharedVariables, ...apiVariables, ...workerVariables });

export type SharedSettings = ReturnType<typeof sharedSettings>;
export type ApiSettings = ReturnType<typeof loadApiSettings>;
export type WorkerSettings = ReturnType<typeof loadWorkerSettings>;
export type DefenderCredential = { secret: string } | { certificatePath: string };

export function loadApiSettings(env: NodeJS.ProcessEnv = process.env) {
  const values = read(apiSchema, env);
  return {
    ...sharedSettings(values),
    api: { host: values.API_HOST, port: values.API_PORT, operatorsFile: values.OPERATORS_FILE },
  };
}

export function loadWorkerSettings(env: NodeJS.ProcessEnv = process.env) {
  const values = read(workerSchema, env, credentialProblems(withoutEmpty(env)));
  const shared = sharedSettings(values);
  return {
    ...shared,
    twilio: {
      ...shared.twilio,
      accountSid: values.TWILIO_ACCOUNT_SID,
      from: values.TWILIO_FROM,
      apiBase: values.TWILIO_API_BASE,
    },
    mail: { ...shared.mail, smtpUrl: values.SMTP_URL },
    feedLookBackMs: values.FEED_LOOK_BACK_HOURS * HOUR_MS,
    defender: {
      apiBase: values.DEFENDER_API_BASE,
      /** May hold `{tenantid}`; unset means Microsoft's own. */
      tokenEndpoint: values.ENTRA_TOKEN_ENDPOINT,
      clientId: values.DEFENDER_CLIENT_ID,
      credential: credentialOf(values.DEFENDER_CLIENT_SECRET, values.DEFENDER_CLIENT_CERTIFICATE_PATH),
    },
  };
}

function sharedSettings(values: z.infer<typeof sharedSchema>) {
  return {
    logLevel: values.LOG_LEVEL,
    customersFile: values.CUSTOMERS_FILE,
    /** Where Twilio and customers reach the API. */
    publicUrl: values.PUBLIC_URL ?? `http://127.0.0.1:${values.API_PORT}`,
    temporal: { taskQueue: values.TEMPORAL_TASK_QUEUE },
    twilio: { authToken: values.TWILIO_AUTH_TOKEN },
    mail: { from: values.MAIL_FROM, socTo: values.SOC_MAIL_TO },
    service: {
      untriagedWarnHours: values.UNTRIAGED_WARN_HOURS,
      incidentAutoCloseDays: values.INCIDENT_AUTO_CLOSE_DAYS,
      incidentLingerDays: values.INCIDENT_LINGER_DAYS,
      phoneRingSeconds: values.PHONE_RING_SECONDS,
      phoneRounds: values.PHONE_ROUNDS,
      phoneRoundPauseSeconds: values.PHONE_ROUND_PAUSE_SECONDS,
    },
  };
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
  furtherProblems: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(withoutEmpty(env));
  const problems = (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
  if (!result.success || furtherProblems.length > 0) throw new SettingsError([...problems, ...furtherProblems]);
  return result.data;
}

/** `NAME=` in an env file means "not set". */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}

function credentialProblems(env: NodeJS.ProcessEnv): string[] {
  const given = [env['DEFENDER_CLIENT_SECRET'], env['DEFENDER_CLIENT_CERTIFICATE_PATH']].filter(
    (value) => value !== undefined,
  );
  if (given.length === 1) return [];
  const names = 'DEFENDER_CLIENT_SECRET and DEFENDER_CLIENT_CERTIFICATE_PATH';
  return [given.length === 0 ? `one of ${names} must be set` : `${names} are both set: which one counts?`];
}

function credentialOf(secret: string | undefined, certificatePath: string | undefined): DefenderCredential {
  if (secret !== undefined) return { secret };
  if (certificatePath !== undefined) return { certificatePath };
  throw new SettingsError(['Defender has no credential']);
}

/** What only suits a laptop and is likely a mistake in production; for a process to log at its start. */
export function laptopSettings(settings: SharedSettings): string[] {
  return [
    ...(/^https?:\/\/(127\.|localhost|\[::1\])/.test(settings.publicUrl)
      ? ['PUBLIC_URL is this machine only: Twilio cannot reach it']
      : []),
    ...(settings.mail.socTo.includes('@mimamori.example')
      ? ['SOC_MAIL_TO is the example address: nobody reads the warnings']
      : []),
  ];
}

export function loadCustomers(file: string): Customer[] {
  return loadYamlFile(file, customersFileSchema).customers;
}

export function loadOperators(file: string): Operator[] {
  return loadYamlFile(file, operatorsFileSchema).operators;
}
