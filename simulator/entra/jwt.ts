import { createHmac, createPublicKey, timingSafeEqual, verify, constants } from 'node:crypto';
import { z } from 'zod';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const decode = (part: string): unknown => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
};

const sign = (content: string, key: string): string => createHmac('sha256', key).update(content).digest('base64url');

const accessClaimsSchema = z.object({
  aud: z.string(),
  tid: z.string(),
  appid: z.string(),
  exp: z.number(),
  roles: z.array(z.string()).optional(),
});

export type AccessClaims = z.infer<typeof accessClaimsSchema>;

/** Looks like Entra's; the signature is only there for the simulator to know its own tokens again. */
export const issueAccessToken = (claims: Record<string, unknown>, key: string): string => {
  const content = `${encode({ typ: 'JWT', alg: 'RS256', kid: 'simulator' })}.${encode(claims)}`;
  return `${content}.${sign(content, key)}`;
};

/** @returns null for a token that this simulator has not issued */
export const readAccessToken = (token: string, key: string): AccessClaims | null => {
  const [header, payload, signature] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined) return null;
  const expected = Buffer.from(sign(`${header}.${payload}`, key));
  const actual = Buffer.from(signature);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null;
  return accessClaimsSchema.safeParse(decode(payload)).data ?? null;
};

const assertionHeaderSchema = z.object({ alg: z.enum(['PS256', 'RS256']) });
const assertionClaimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number(),
  nbf: z.number().optional(),
});

export interface ClientAssertion {
  claims: z.infer<typeof assertionClaimsSchema>;
  isSignedBy: (certificate: string) => boolean;
}

/** @returns null for what is not a signed JWT with the claims of a client assertion */
export const readClientAssertion = (assertion: string): ClientAssertion | null => {
  const [headerPart, payloadPart, signaturePart] = assertion.split('.');
  if (headerPart === undefined || payloadPart === undefined || signaturePart === undefined) return null;
  const header = assertionHeaderSchema.safeParse(decode(headerPart)).data;
  const claims = assertionClaimsSchema.safeParse(decode(payloadPart)).data;
  if (header === undefined || claims === undefined) return null;
  const isSignedBy = (certificate: string): boolean =>
    verify(
      'sha256',
      Buffer.from(`${headerPart}.${payloadPart}`),
      header.alg === 'PS256'
        ? { key: createPublicKey(certificate), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
        : createPublicKey(certificate),
      Buffer.from(signaturePart, 'base64url'),
    );
  return { claims, isSignedBy };
};
