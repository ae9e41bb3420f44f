import { z } from 'zod';
import { defaultCredentials, defaultHttpPort, defaultImapPort, defaultSmtpPort } from './defaults.js';
import type { SimulatorOptions } from './index.js';
import { noTrickle } from './trickle.js';

const port = (otherwise: number) => z.coerce.number().int().min(0).max(65_535).default(otherwise);
const text = (otherwise: string) => z.string().default(otherwise);

const environmentSchema = z.object({
  SIMULATOR_PORT: port(defaultHttpPort),
  SIMULATOR_SMTP_PORT: port(defaultSmtpPort),
  SIMULATOR_IMAP_PORT: port(defaultImapPort),
  SIMULATOR_MAILBOX: z.email().default(defaultCredentials.mailboxAddress),
  SIMULATOR_ALERTS_PER_MINUTE: z.coerce.number().min(0).default(noTrickle.alertsPerMinute),
  SIMULATOR_TRICKLE_TENANTS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((tenantId) => tenantId.trim())
        .filter((tenantId) => tenantId !== ''),
    ),
  SIMULATOR_TRICKLE_SEED: z.coerce.number().int().default(noTrickle.seed),
  TWILIO_ACCOUNT_SID: text(defaultCredentials.twilioAccountSid),
  TWILIO_AUTH_TOKEN: text(defaultCredentials.twilioAuthToken),
  DEFENDER_CLIENT_ID: text(defaultCredentials.defenderClientId),
  DEFENDER_CLIENT_SECRET: text(defaultCredentials.defenderClientSecret),
});

/** @throws an Error that lists every variable that is wrong */
export const readSettings = (
  environment: NodeJS.ProcessEnv,
): Required<Omit<SimulatorOptions, 'defenderClientCertificate' | 'watch'>> => {
  // A variable that is set to nothing counts as not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = environmentSchema.safeParse(given);
  if (!result.success)
    throw new Error(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  return {
    port: result.data.SIMULATOR_PORT,
    smtpPort: result.data.SIMULATOR_SMTP_PORT,
    imapPort: result.data.SIMULATOR_IMAP_PORT,
    mailboxAddress: result.data.SIMULATOR_MAILBOX,
    trickle: {
      alertsPerMinute: result.data.SIMULATOR_ALERTS_PER_MINUTE,
      tenantIds: result.data.SIMULATOR_TRICKLE_TENANTS,
      seed: result.data.SIMULATOR_TRICKLE_SEED,
    },
    twilioAccountSid: result.data.TWILIO_ACCOUNT_SID,
    twilioAuthToken: result.data.TWILIO_AUTH_TOKEN,
    defenderClientId: result.data.DEFENDER_CLIENT_ID,
    defenderClientSecret: result.data.DEFENDER_CLIENT_SECRET,
  };
};
