import { z } from 'zod';
import { defaultCredentials, defaultHttpPort, defaultSmtpPort } from './defaults.js';
import type { SimulatorOptions } from './index.js';

const port = (otherwise: number) => z.coerce.number().int().min(0).max(65_535).default(otherwise);
const text = (otherwise: string) => z.string().default(otherwise);

const environmentSchema = z.object({
  SIMULATOR_PORT: port(defaultHttpPort),
  SIMULATOR_SMTP_PORT: port(defaultSmtpPort),
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
    twilioAccountSid: result.data.TWILIO_ACCOUNT_SID,
    twilioAuthToken: result.data.TWILIO_AUTH_TOKEN,
    defenderClientId: result.data.DEFENDER_CLIENT_ID,
    defenderClientSecret: result.data.DEFENDER_CLIENT_SECRET,
  };
};
