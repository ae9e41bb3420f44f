import twilio from 'twilio';
import { z } from 'zod';

const signedSchema = z.object({
  authToken: z.string().min(1),
  signature: z.string().min(1),
  url: z.url(),
  params: z.record(z.string(), z.string()),
});

/**
 * Whether a webhook request was signed by Twilio with our token. `url`: the full one that Twilio called, with its
 * query; `params`: the form fields. False for anything missing or malformed; never throws.
 * Source: twilio.com, "Webhooks security".
 */
export function isFromTwilio(request: {
  authToken: string;
  signature: unknown;
  url: string;
  params: unknown;
}): boolean {
  const signed = signedSchema.safeParse(request);
  if (!signed.success) return false;
  const { authToken, signature, url, params } = signed.data;
  return twilio.validateRequest(authToken, signature, url, params);
}
