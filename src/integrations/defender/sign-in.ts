import { AuthError, ConfidentialClientApplication, InteractionRequiredAuthError, ServerError } from '@azure/msal-node';
import { oneLine } from '../../domain/text.js';
import { readClientCertificate } from './certificate.js';
import { createTokenEndpointClient, UNAVAILABLE } from './token-endpoint.js';

const AUTHORITY = 'https://login.microsoftonline.com';
const DEFENDER_SCOPE = 'https://api.securitycenter.microsoft.com/.default';
const TIMEOUT_MS = 10_000;
/** A token that ends within this is fetched anew, as MSAL does. */
const RENEW_BEFORE_MS = 300_000;

/** A GUID or a domain name; it becomes part of a URL. */
const TENANT_ID = /^[0-9a-z][0-9a-z.-]{0,252}$/i;

/** Entra's codes that name a cause somebody can remove. Source: "Microsoft Entra authentication and authorization error codes". */
const WORDS: Readonly<Record<string, string>> = {
  AADSTS7000215: 'the client secret is wrong',
  AADSTS7000222: 'the client secret has expired',
  AADSTS700027: 'the client certificate is unknown, expired or does not match',
  AADSTS7000229: 'the tenant has not given its consent to this application',
  AADSTS700016: 'the tenant has not given its consent to this application, or the client id is wrong',
  AADSTS65001: 'the tenant has not given its consent to this application',
  AADSTS500011: 'the tenant has no Defender for Endpoint API to ask for',
  AADSTS90002: 'there is no such tenant',
  AADSTS900023: 'the tenant id is not a tenant id',
  AADSTS53003: 'a conditional access policy of the tenant blocks this application',
};

/** Entra's codes that mean "again later". */
const TRANSIENT = new Set(['AADSTS90033', 'AADSTS90024', 'AADSTS50196']);

/** Signing in to a tenant failed. Holds no secret, key or assertion. */
export class SignInError extends Error {
  /** `permanent`: somebody has to change something first (a secret, a consent, a setting). */
  readonly kind: 'transient' | 'permanent';
  /** Entra's code, e.g. `AADSTS7000215`, or MSAL's. */
  readonly code: string;
  /** What Microsoft's support asks for. */
  readonly trackingId?: string;

  constructor(message: string, details: { kind: 'transient' | 'permanent'; code: string; trackingId?: string }) {
    super(message);
    this.name = 'SignInError';
    this.kind = details.kind;
    this.code = details.code;
    this.trackingId = details.trackingId;
  }
}

export interface SignInOptions {
  clientId: string;
  /** `certificatePem`: certificate and unencrypted private key in one PEM text. */
  credential: { secret: string } | { certificatePem: string };
  /** With `{tenantid}` where the tenant's id goes; may be plain http. Default: Microsoft's. */
  tokenEndpoint?: string;
  /** Default: Defender for Endpoint's. */
  scope?: string;
  /** For one request. Default: 10 seconds. */
  timeoutMs?: number;
}

export interface SignIn {
  /**
   * A bearer token for the application in that tenant, from memory while it lasts; `renew` fetches a new one (the old
   * one was refused). Calls at the same time share one request. Throws SignInError.
   */
  token(tenantId: string, options?: { renew?: boolean }): Promise<string>;
}

/**
 * Signs one application in to many customers' tenants (client credentials) through MSAL.
 * Throws a TypeError for a certificate that cannot be used.
 */
export function createSignIn({
  clientId,
  credential,
  tokenEndpoint,
  scope = DEFENDER_SCOPE,
  timeoutMs = TIMEOUT_MS,
}: SignInOptions): SignIn {
  const application = new ConfidentialClientApplication({
    auth: {
      clientId,
      ...('secret' in credential
        ? { clientSecret: credential.secret }
        : { clientCertificate: readClientCertificate(credential.certificatePem) }),
      ...(tokenEndpoint === undefined ? {} : { authorityMetadata: metadata(tokenEndpoint) }),
    },
    system: { networkClient: createTokenEndpointClient({ timeoutMs }) },
  });
  const underWay = new Map<string, Promise<string>>();
  /** MSAL keeps tokens too, but takes a millisecond of processor time to find one. */
  const held = new Map<string, { token: string; goodUntilMs: number }>();

  async function acquire(tenantId: string, renew: boolean): Promise<string> {
    if (!TENANT_ID.test(tenantId)) {
      throw new SignInError(`Not a tenant id: ${oneLine(tenantId, 60)}`, { kind: 'permanent', code: 'invalid_tenant' });
    }
    const result = await application
      .acquireTokenByClientCredential({ authority: `${AUTHORITY}/${tenantId}`, scopes: [scope], skipCache: renew })
      .catch((error: unknown) => {
        throw signInError(error, tenantId);
      });
    if (result === null || result.accessToken === '') {
      throw new SignInError(`Signing in to tenant ${tenantId} failed: no token came`, {
        kind: 'transient',
        code: 'no_token',
      });
    }
    const goodUntilMs = (result.expiresOn?.getTime() ?? 0) - RENEW_BEFORE_MS;
    held.set(tenantId, { token: result.accessToken, goodUntilMs });
    return result.accessToken;
  }

  return {
    token(tenantId, { renew = false } = {}) {
      const own = held.get(tenantId);
      if (!renew && own !== undefined && Date.now() < own.goodUntilMs) return Promise.resolve(own.token);
      const key = `${tenantId} ${renew}`;
      const known = underWay.get(key);
      if (known !== undefined) return known;
      const request = acquire(tenantId, renew).finally(() => underWay.delete(key));
      underWay.set(key, request);
      return request;
    },
  };
}

/** MSAL refuses an authority on plain http; with the metadata given it asks nobody, and the endpoint may be anything. */
function metadata(tokenEndpoint: string): string {
  return JSON.stringify({
    token_endpoint: tokenEndpoint,
    authorization_endpoint: `${AUTHORITY}/{tenantid}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${AUTHORITY}/{tenantid}/oauth2/v2.0/logout`,
    jwks_uri: `${AUTHORITY}/{tenantid}/discovery/v2.0/keys`,
    issuer: `${AUTHORITY}/{tenantid}/v2.0`,
  });
}

/** Our own words for the codes we know; Entra's text is long and nobody can promise what else it quotes. */
function signInError(error: unknown, tenantId: string): SignInError {
  const start = `Signing in to tenant ${tenantId} failed`;
  if (!(error instanceof AuthError)) return new SignInError(start, { kind: 'transient', code: 'unknown' });
  if (error.errorCode === UNAVAILABLE) {
    const message = `${start}: the token endpoint is not available, ${error.errorMessage}`;
    return new SignInError(message, { kind: 'transient', code: UNAVAILABLE });
  }
  const code = /AADSTS\d+/.exec(error.errorMessage)?.[0] ?? error.errorCode;
  const trackingId = /Trace ID: ([\w-]+)/i.exec(error.errorMessage)?.[1];
  // Everything else is MSAL's own failure to make sense of an answer.
  const isRefusal = error instanceof ServerError || error instanceof InteractionRequiredAuthError;
  const what = WORDS[code] ?? (isRefusal ? 'Entra refused' : 'the answer could not be used');
  const why = `${what} (${code}${trackingId === undefined ? '' : `, trace ${trackingId}`})`;
  const kind = isRefusal && !TRANSIENT.has(code) ? 'permanent' : 'transient';
  return new SignInError(`${start}: ${why}`, { kind, code, trackingId });
}
