import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { isSafeUrl } from '../domain/hosts.js';

/*
 * Access tokens of an OpenID Connect provider (RFC 9068, OpenID Connect Discovery 1.0). Entra ID:
 * learn.microsoft.com/entra/identity-platform/access-tokens
 */

export interface TokenIssuer {
  issuer: string;
  audience: string;
  tenantId?: string | undefined;
}

/** It proves nobody. The message says why, and holds nothing of the token. */
export class TokenRefused extends Error {}

/** The provider's keys cannot be had now: nobody can tell. */
export class IssuerUnavailable extends Error {}

/** @throws TokenRefused, IssuerUnavailable */
export type VerifyToken = (token: string) => Promise<JWTPayload>;

const TIMEOUT_MS = 5_000;
/** A key that is not known is looked for, but no oftener than this: anybody can name one. */
const LOOK_AGAIN_MS = 5_000;
/** Keys that were withdrawn are believed no longer than this. */
const KEYS_KEPT_MS = 10 * 60_000;
const CLOCK_TOLERANCE_SECONDS = 60;
/** Signatures that whoever checks them cannot make. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string().refine(isSafeUrl) });

/** Verifies signature, issuer, audience, tenant and times. The provider's keys are read when they are first needed. */
export function createTokenVerifier({ issuer, audience, tenantId }: TokenIssuer): VerifyToken {
  let keys: Promise<JWTVerifyGetKey> | undefined;

  async function discover(): Promise<JWTVerifyGetKey> {
    const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    const document = discoverySchema.parse(await response.json());
    if (document.issuer !== issuer) throw new Error('its own document names another issuer');
    return createRemoteJWKSet(new URL(document.jwks_uri), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: LOOK_AGAIN_MS,
      cacheMaxAge: KEYS_KEPT_MS,
    });
  }

  async function known(): Promise<JWTVerifyGetKey> {
    keys ??= discover();
    try {
      return await keys;
    } catch (error) {
      keys = undefined;
      throw new IssuerUnavailable(`The sign-in service ${issuer} cannot be asked: ${wordsOf(error)}.`);
    }
  }

  return async (token) => {
    const key = await known();
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      if (tenantId !== undefined && payload['tid'] !== tenantId) throw new TokenRefused('It is of another tenant.');
      return payload;
    } catch (error) {
      throw translated(error, issuer);
    }
  };
}

function translated(error: unknown, issuer: string): Error {
  if (error instanceof TokenRefused) return error;
  if (error instanceof errors.JWTExpired) return new TokenRefused('It has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) return new TokenRefused(`Its ${error.claim} is not right.`);
  // The generic one is an answer of the provider's that is no list of keys.
  const isAboutKeys =
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC');
  if (error instanceof errors.JOSEError && !isAboutKeys) return new TokenRefused('Its signature is not right.');
  return new IssuerUnavailable(`The keys of ${issuer} cannot be read: ${wordsOf(error)}.`);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
