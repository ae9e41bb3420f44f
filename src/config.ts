import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { closedDaysSchema } from './domain/business-hours.js';
import { customersFileSchema, type Customer } from './domain/customer.js';
import { isLoopback, isSafeUrl } from './domain/hosts.js';
import { HOUR_MS } from './domain/time.js';
import { operatorsFileSchema, type OperatorsFile } from './operators.js';
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
    .refine((value) => hasProtocol(value, ['http:', 'https:']), {
      error: 'must be a URL such as https://host/path',
      abort: true,
    })
    .refine(isSafeUrl, 'must begin with https://: plain http is for this machine only')
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

/** `30,60`: rising. */
function minutes() {
  return text()
    .transform((value) => value.split(',').map((part) => Number(part.trim())))
    .pipe(
      z
        .array(z.int('must be whole minutes such as 30,60').min(1).max(10_080))
        .max(10)
        .refine((list) => list.every((each, index) => index === 0 || each > (list[index - 1] ?? 0)), 'must rise'),
    );
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const readableFile = () => text().refine(isReadable, 'names a file that cannot be read');

/** `192.0.2.7`, `2001:db8::/32`. */
function isNetwork(value: string): boolean {
  const [address = '', length, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}

/** Where Prometheus asks a process; it asks without a token, so by default this machine alone can. */
const metricsPort = () => number({ min: 1, max: 65_535, whole: true }).optional();

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What both processes read. */
const sharedVariables = {
  LOG_LEVEL: text()
    .pipe(z.literal(logLevels, { error: `must be one of ${logLevels.join(', ')}` }))
    .default('info'),
  CUSTOMERS_FILE: text().default('config/customers.yaml'),
  /** One of them: the keys themselves, or the file that has them. With neither Temporal holds everything in plain. */
  ENCRYPTION_KEYS: text().optional(),
  ENCRYPTION_KEYS_FILE: readableFile().optional(),
  TEMPORAL_TASK_QUEUE: text().max(200).default('mimamori'),
  /** Where closed incidents are kept for good: a folder, or a bucket of S3. */
  ARCHIVE_DIR: text().default('.data/archive'),
  ARCHIVE_S3_URL: httpUrl()
    .refine((value) => new URL(value).pathname.length > 1, 'must name the bucket: https://s3.example/bucket')
    .optional(),
  ARCHIVE_S3_REGION: text().default('us-east-1'),
  ARCHIVE_S3_ACCESS_KEY_ID: text().optional(),
  ARCHIVE_S3_SECRET_ACCESS_KEY: text().optional(),
  API_PORT: number({ min: 1, max: 65_535, whole: true }).default(8080),
  PUBLIC_URL: httpUrl().optional(),
  METRICS_HOST: text()
    .refine((value) => isIP(value) !== 0, 'must be an address such as 127.0.0.1')
    .default('127.0.0.1'),
  /** Where traces go, by OTLP over HTTP; with neither there are none. OpenTelemetry reads these, and its other variables, itself. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl().optional(),
  TWILIO_AUTH_TOKEN: text(),
  MAIL_FROM: mailbox(),
  /** Where customers answer to; `MAIL_FROM` unless it is another. */
  MAIL_REPLY_TO: mailbox().optional(),
  /** Signs what tells a customer's answer from a forged one. */
  MAIL_TOKEN_SECRET: text().min(16, 'must be at least 16 characters'),
  /** Whose `Authentication-Results` are believed: the name that our own mail server writes there, `_none` where it writes none. */
  MAIL_AUTHSERV_ID: text().max(253).optional(),
  INQUIRY_REMIND_MINUTES: minutes().default([30, 60]),
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
  API_METRICS_PORT: metricsPort(),
  OPERATORS_FILE: text().default('config/operators.yaml'),
  /** Both, for HTTPS without a proxy. */
  API_TLS_CERT_PATH: readableFile().optional(),
  API_TLS_KEY_PATH: readableFile().optional(),
  /** Whose `X-Forwarded-For` is believed. */
  API_TRUSTED_PROXIES: text()
    .transform((value) => value.split(',').map((part) => part.trim()))
    .refine((list) => list.every(isNetwork), 'must be addresses or networks such as 192.0.2.7,10.0.0.0/8')
    .default([]),
  /** Where every command is written down beside the log, for `GET /v1/audit`. */
  AUDIT_FILE: text().optional(),
  /** Where people open Temporal's Web UI; it may ask what it shows to be decrypted. */
  TEMPORAL_UI_URL: httpUrl().optional(),
  /** For mail that comes by `POST /webhooks/mail`; without it there is no such way in. */
  MAIL_WEBHOOK_SECRET: text().min(16, 'must be at least 16 characters').optional(),
  /** As `MAIL_AUTHSERV_ID`, for that way in: unset, no mail that comes by it proves its sender. */
  MAIL_WEBHOOK_AUTHSERV_ID: text().max(253).optional(),
};

const workerVariables = {
  WORKER_METRICS_PORT: metricsPort(),
  SMTP_URL: text().refine(
    (value) => hasProtocol(value, ['smtp:', 'smtps:']) && new URL(value).search === '',
    'must be a URL such as smtps://user:password@host:465, without parameters',
  ),
  IMAP_URL: text()
    .refine((value) => hasProtocol(value, ['imap:', 'imaps:']), 'must be a URL such as imaps://user:password@host:993')
    .optional(),
  IMAP_OAUTH_TENANT_ID: text().optional(),
  IMAP_OAUTH_CLIENT_ID: text().optional(),
  IMAP_OAUTH_CLIENT_SECRET: text().optional(),
  TWILIO_ACCOUNT_SID: text(),
  TWILIO_FROM: phone(),
  TWILIO_API_BASE: httpUrl().default('https://api.twilio.com'),
  DEFENDER_API_BASE: httpUrl().default('https://api.security.microsoft.com'),
  ENTRA_TOKEN_ENDPOINT: httpUrl().optional(),
  DEFENDER_CLIENT_ID: text(),
  /** What one worker may count on in each tenant. */
  DEFENDER_CALLS_PER_MINUTE: number({ min: 10, max: 1_000_000, whole: true }).default(100),
  /** Beside weekends and public holidays: `12-29` of every year, `2027-04-30` of one. */
  CLOSED_DAYS: text()
    .transform((value) => value.split(',').map((day) => day.trim()))
    .pipe(closedDaysSchema.unwrap())
    .default(closedDaysSchema.parse(undefined)),
  FEED_LOOK_BACK_HOURS: number({ min: 0, max: 720 }).default(24),
  DEFENDER_CLIENT_SECRET: text().optional(),
  DEFENDER_CLIENT_CERTIFICATE_PATH: readableFile().optional(),
};

const sharedSchema = z.object(sharedVariables);
/** The file may be about to be made. */
const keysSchema = sharedSchema
  .pick({ CUSTOMERS_FILE: true, ENCRYPTION_KEYS: true })
  .extend({ ENCRYPTION_KEYS_FILE: text().optional() });

/** What the tools read that look into the archive. */
const archiveToolSchema = sharedSchema.pick({
  LOG_LEVEL: true,
  CUSTOMERS_FILE: true,
  ENCRYPTION_KEYS: true,
  ENCRYPTION_KEYS_FILE: true,
  ARCHIVE_DIR: true,
  ARCHIVE_S3_URL: true,
  ARCHIVE_S3_REGION: true,
  ARCHIVE_S3_ACCESS_KEY_ID: true,
  ARCHIVE_S3_SECRET_ACCESS_KEY: true,
});
const apiSchema = sharedSchema.extend(apiVariables);
const workerSchema = sharedSchema.extend(workerVariables);

/** Every variable that the two processes read, beside Temporal's own. */
export const settingNames: readonly string[] = Object.keys({ ...sharedVariables, ...apiVariables, ...workerVariables });

export type SharedSettings = ReturnType<typeof sharedSettings>;
export type ApiSettings = ReturnType<typeof loadApiSettings>;
export type WorkerSettings = ReturnType<typeof loadWorkerSettings>;
export type DefenderCredential = { secret: string } | { certificatePath: string };

export function loadApiSettings(env: NodeJS.ProcessEnv = process.env) {
  const values = read(apiSchema, env, apiTlsProblems(withoutEmpty(env)));
  const { API_TLS_CERT_PATH: certPath, API_TLS_KEY_PATH: keyPath } = values;
  return {
    ...sharedSettings(values),
    api: {
      host: values.API_HOST,
      port: values.API_PORT,
      /** Undefined: plain HTTP. */
      tls: certPath === undefined || keyPath === undefined ? undefined : { certPath, keyPath },
      trustedProxies: values.API_TRUSTED_PROXIES,
      operatorsFile: values.OPERATORS_FILE,
      auditFile: values.AUDIT_FILE,
      webUiOrigin: values.TEMPORAL_UI_URL === undefined ? undefined : new URL(values.TEMPORAL_UI_URL).origin,
    },
    metrics: metricsOf(values.METRICS_HOST, values.API_METRICS_PORT),
    mailWebhookSecret: values.MAIL_WEBHOOK_SECRET,
    mailWebhookAuthservId: values.MAIL_WEBHOOK_AUTHSERV_ID,
  };
}

export function loadWorkerSettings(env: NodeJS.ProcessEnv = process.env) {
  const given = withoutEmpty(env);
  const values = read(workerSchema, env, [...credentialProblems(given), ...imapProblems(given)]);
  const shared = sharedSettings(values);
  return {
    ...shared,
    twilio: {
      ...shared.twilio,
      accountSid: values.TWILIO_ACCOUNT_SID,
      from: values.TWILIO_FROM,
      apiBase: values.TWILIO_API_BASE,
    },
    metrics: metricsOf(values.METRICS_HOST, values.WORKER_METRICS_PORT),
    mail: { ...shared.mail, smtpUrl: values.SMTP_URL },
    mailbox: values.IMAP_URL === undefined ? undefined : { imapUrl: values.IMAP_URL, oauth: oauthOf(values) },
    closedDays: values.CLOSED_DAYS,
    feedLookBackMs: values.FEED_LOOK_BACK_HOURS * HOUR_MS,
    defender: {
      apiBase: values.DEFENDER_API_BASE,
      /** May hold `{tenantid}`; unset means Microsoft's own. */
      tokenEndpoint: values.ENTRA_TOKEN_ENDPOINT,
      clientId: values.DEFENDER_CLIENT_ID,
      callsPerMinute: values.DEFENDER_CALLS_PER_MINUTE,
      credential: credentialOf(values.DEFENDER_CLIENT_SECRET, values.DEFENDER_CLIENT_CERTIFICATE_PATH),
    },
  };
}

/** What makes keys, and destroys them, needs nothing else. */
export function loadKeySettings(env: NodeJS.ProcessEnv = process.env) {
  const values = read(keysSchema, env);
  return {
    customersFile: values.CUSTOMERS_FILE,
    /** Undefined: nothing is encrypted. The file need not be there. */
    keys: keySourceOf(values.ENCRYPTION_KEYS, values.ENCRYPTION_KEYS_FILE),
  };
}

function sharedSettings(values: z.infer<typeof sharedSchema>) {
  return {
    logLevel: values.LOG_LEVEL,
    customersFile: values.CUSTOMERS_FILE,
    /** Undefined: nothing is encrypted. */
    keys: keySourceOf(values.ENCRYPTION_KEYS, values.ENCRYPTION_KEYS_FILE),
    archive: archiveOf(values),
    /** Where Twilio and customers reach the API. */
    publicUrl: values.PUBLIC_URL ?? `http://127.0.0.1:${values.API_PORT}`,
    temporal: { taskQueue: values.TEMPORAL_TASK_QUEUE },
    traces: (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined,
    twilio: { authToken: values.TWILIO_AUTH_TOKEN },
    mail: {
      from: values.MAIL_FROM,
      replyTo: values.MAIL_REPLY_TO ?? values.MAIL_FROM,
      socTo: values.SOC_MAIL_TO,
      tokenSecret: values.MAIL_TOKEN_SECRET,
      authservId: values.MAIL_AUTHSERV_ID,
    },
    service: {
      untriagedWarnHours: values.UNTRIAGED_WARN_HOURS,
      incidentAutoCloseDays: values.INCIDENT_AUTO_CLOSE_DAYS,
      incidentLingerDays: values.INCIDENT_LINGER_DAYS,
      inquiryRemindMinutes: values.INQUIRY_REMIND_MINUTES,
      phoneRingSeconds: values.PHONE_RING_SECONDS,
      phoneRounds: values.PHONE_ROUNDS,
      phoneRoundPauseSeconds: values.PHONE_ROUND_PAUSE_SECONDS,
    },
  };
}

export type KeySource = { text: string } | { file: string };

function keySourceOf(text: string | undefined, file: string | undefined): KeySource | undefined {
  if (file !== undefined) return { file };
  return text === undefined ? undefined : { text };
}

/** The tools that look into the archive need no mail server and no telephone. */
export function loadArchiveToolSettings(env: NodeJS.ProcessEnv = process.env) {
  const values = read(archiveToolSchema, env);
  return {
    logLevel: values.LOG_LEVEL,
    customersFile: values.CUSTOMERS_FILE,
    keys: keySourceOf(values.ENCRYPTION_KEYS, values.ENCRYPTION_KEYS_FILE),
    archive: archiveOf(values),
  };
}

export type ArchivePlaceSettings =
  { folder: string } | { s3: { url: string; region: string; accessKeyId: string; secretAccessKey: string } };

function archiveOf(values: z.infer<typeof archiveToolSchema>): ArchivePlaceSettings {
  const {
    ARCHIVE_S3_URL: url,
    ARCHIVE_S3_REGION: region,
    ARCHIVE_S3_ACCESS_KEY_ID: accessKeyId,
    ARCHIVE_S3_SECRET_ACCESS_KEY: secretAccessKey,
  } = values;
  if (url === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    return { folder: values.ARCHIVE_DIR };
  }
  return { s3: { url, region, accessKeyId, secretAccessKey } };
}

export interface MetricsAddress {
  host: string;
  port: number;
}

/** Undefined: nobody can ask. */
function metricsOf(host: string, port: number | undefined): MetricsAddress | undefined {
  return port === undefined ? undefined : { host, port };
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
  furtherProblems: readonly string[] = [],
): z.output<Schema> {
  const given = withoutEmpty(env);
  const result = schema.safeParse(given);
  const problems = [
    ...(result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`),
    ...furtherProblems,
    ...keyProblems(given),
    ...archiveProblems(given),
    ...verificationProblems(given),
  ];
  if (!result.success || problems.length > 0) throw new SettingsError(problems);
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

function keyProblems(env: NodeJS.ProcessEnv): string[] {
  const names = ['ENCRYPTION_KEYS', 'ENCRYPTION_KEYS_FILE'];
  return names.every((name) => env[name] !== undefined)
    ? [`${names.join(' and ')} are both set: which one counts?`]
    : [];
}

const ARCHIVE_S3 = ['ARCHIVE_S3_URL', 'ARCHIVE_S3_ACCESS_KEY_ID', 'ARCHIVE_S3_SECRET_ACCESS_KEY'] as const;

function archiveProblems(env: NodeJS.ProcessEnv): string[] {
  const given = ARCHIVE_S3.filter((name) => env[name] !== undefined);
  if (given.length === 0) return [];
  const missing = ARCHIVE_S3.filter((name) => env[name] === undefined);
  return [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} must be set beside ${given.join(', ')}`]),
    ...(env['ARCHIVE_DIR'] === undefined ? [] : ['ARCHIVE_DIR and ARCHIVE_S3_URL are both set: which one counts?']),
  ];
}

function apiTlsProblems(env: NodeJS.ProcessEnv): string[] {
  const names = ['API_TLS_CERT_PATH', 'API_TLS_KEY_PATH'];
  const missing = names.filter((name) => env[name] === undefined);
  return missing.length === 1 ? [`${missing.join()} is not set: HTTPS needs ${names.join(' and ')}`] : [];
}

/** Node's own switch would turn it off for every connection of the process. */
function verificationProblems(env: NodeJS.ProcessEnv): string[] {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? ['NODE_TLS_REJECT_UNAUTHORIZED keeps certificates from being verified: name your own CA by NODE_EXTRA_CA_CERTS']
    : [];
}

const OAUTH = ['IMAP_OAUTH_TENANT_ID', 'IMAP_OAUTH_CLIENT_ID', 'IMAP_OAUTH_CLIENT_SECRET'] as const;

function imapProblems(env: NodeJS.ProcessEnv): string[] {
  const given = OAUTH.filter((name) => env[name] !== undefined);
  if (given.length === 0 || given.length === OAUTH.length) return [];
  return [`${OAUTH.filter((name) => env[name] === undefined).join(', ')} must be set beside ${given.join(', ')}`];
}

function oauthOf({
  IMAP_OAUTH_TENANT_ID: tenantId,
  IMAP_OAUTH_CLIENT_ID: clientId,
  IMAP_OAUTH_CLIENT_SECRET: secret,
}: z.infer<typeof workerSchema>): { tenantId: string; clientId: string; secret: string } | undefined {
  if (tenantId === undefined || clientId === undefined || secret === undefined) return undefined;
  return { tenantId, clientId, secret };
}

function credentialOf(secret: string | undefined, certificatePath: string | undefined): DefenderCredential {
  if (secret !== undefined) return { secret };
  if (certificatePath !== undefined) return { certificatePath };
  throw new SettingsError(['Defender has no credential']);
}

/** What only suits a laptop and is likely a mistake in production; for a process to log at its start. */
export function laptopSettings(settings: SharedSettings): string[] {
  return [
    ...(isLoopback(new URL(settings.publicUrl).hostname)
      ? ['PUBLIC_URL is this machine only: Twilio cannot reach it']
      : []),
    ...(settings.mail.socTo.includes('@mimamori.example')
      ? ['SOC_MAIL_TO is the example address: nobody reads the warnings']
      : []),
    ...(settings.keys === undefined
      ? ['ENCRYPTION_KEYS_FILE is not set: whoever may open Temporal reads what customers suffer']
      : []),
    ...(settings.mail.authservId === undefined
      ? ['MAIL_AUTHSERV_ID is not set: no mail proves its sender, and every release by mail needs a call back']
      : []),
  ];
}

export function loadCustomers(file: string): Customer[] {
  return loadYamlFile(file, customersFileSchema).customers;
}

export function loadOperators(file: string): OperatorsFile {
  return loadYamlFile(file, operatorsFileSchema);
}
