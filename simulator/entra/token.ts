import { randomUUID } from 'node:crypto';
import type { Credentials } from '../credentials.js';
import type { Tenant } from '../defender/tenant.js';
import { json, type Reply } from '../http/reply.js';
import type { HttpRequest } from '../http/request.js';
import { entraError } from './errors.js';
import { issueAccessToken, readClientAssertion } from './jwt.js';

const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The names under which Entra knows the resource "WindowsDefenderATP". */
const defenderResources = [
  'https://api.securitycenter.microsoft.com',
  'https://securitycenter.onmicrosoft.com/windowsatpservice',
  'https://api-gcc.securitycenter.microsoft.us',
  'https://api-gov.securitycenter.microsoft.us',
];

const sharedAuthorities = ['common', 'organizations', 'consumers'];

const tokenPath = /^\/([^/]+)\/oauth2\/(v2\.0\/)?token$/;

export const isTokenPath = (path: string): boolean => tokenPath.test(path);

export const tenantIdOfTokenPath = (path: string): string | undefined => tokenPath.exec(path)?.[1];

export interface TokenEndpoint {
  tenant: Tenant;
  credentials: Credentials;
  tokenKey: string;
}

const missing = (name: string): Reply =>
  entraError({
    status: 400,
    error: 'invalid_request',
    aadsts: 900144,
    message: `The request body must contain the following parameter: '${name}'.`,
  });

const refuseAssertion = (form: URLSearchParams, path: string, credentials: Credentials): Reply | null => {
  const refusal = (aadsts: number, message: string): Reply =>
    entraError({ status: 401, error: 'invalid_client', aadsts, message });
  if (form.get('client_assertion_type') !== jwtBearer) return missing('client_assertion_type');
  const assertion = readClientAssertion(form.get('client_assertion') ?? '');
  if (assertion === null) return refusal(50027, 'JWT token is invalid or malformed.');
  const { iss, sub, aud, exp, nbf } = assertion.claims;
  const nowSeconds = Date.now() / 1000;
  if (iss !== credentials.defenderClientId || sub !== credentials.defenderClientId)
    return refusal(700021, 'Client assertion application identifier does not match client_id parameter.');
  if (!aud.endsWith(path)) return refusal(700023, 'Client assertion audience claim does not match Realm issuer.');
  if (exp <= nowSeconds || (nbf ?? 0) > nowSeconds + 300)
    return refusal(700024, 'Client assertion is not within its valid time range.');
  const certificate = credentials.defenderClientCertificate;
  if (certificate !== undefined && !assertion.isSignedBy(certificate))
    return refusal(700027, 'The certificate with identifier used to sign the client assertion is not registered.');
  return null;
};

const refuseClient = (
  form: URLSearchParams,
  path: string,
  { credentials, tenant }: Pick<TokenEndpoint, 'credentials' | 'tenant'>,
): Reply | null => {
  const clientId = form.get('client_id');
  if (clientId === null) return missing('client_id');
  if (clientId !== credentials.defenderClientId)
    return entraError({
      status: 400,
      error: 'unauthorized_client',
      aadsts: 700016,
      message: `Application with identifier '${clientId}' was not found in the directory.`,
    });
  if (form.has('client_assertion')) return refuseAssertion(form, path, credentials);
  const secret = form.get('client_secret');
  if (secret === null)
    return entraError({
      status: 401,
      error: 'invalid_client',
      aadsts: 7000218,
      message: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    });
  if (secret !== credentials.defenderClientSecret || tenant.settings.secret === 'wrong')
    return entraError({
      status: 401,
      error: 'invalid_client',
      aadsts: 7000215,
      message:
        'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, ' +
        `not the client secret ID, for a secret added to app '${clientId}'.`,
    });
  if (tenant.settings.secret === 'expired')
    return entraError({
      status: 401,
      error: 'invalid_client',
      aadsts: 7000222,
      message:
        `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys ` +
        'for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: ' +
        'https://aka.ms/certCreds.',
    });
  return null;
};

/** @returns the audience that the token is for, or the refusal */
const readResource = (form: URLSearchParams, isV2: boolean): string | Reply => {
  const parameter = isV2 ? 'scope' : 'resource';
  const given = form.get(parameter);
  if (given === null) return missing(parameter);
  if (isV2 && !given.endsWith('/.default'))
    return entraError({
      status: 400,
      error: 'invalid_scope',
      aadsts: 1002012,
      message: `The provided value for scope ${given} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
    });
  const resource = given.replace(/\/\.default$/, '').replace(/\/$/, '');
  if (defenderResources.includes(resource)) return resource;
  return entraError({
    status: 400,
    error: 'invalid_resource',
    aadsts: 500011,
    message: `The resource principal named ${resource} was not found in the tenant.`,
  });
};

/** Client credentials, v1 and v2, in the order in which Entra complains. */
export const answerTokenRequest = (request: HttpRequest, endpoint: TokenEndpoint): Reply => {
  const { tenant, credentials, tokenKey } = endpoint;
  if (sharedAuthorities.includes(tenant.id))
    return entraError({
      status: 400,
      error: 'invalid_request',
      aadsts: 90051,
      message: `The client credentials flow needs a tenant of its own, not /${tenant.id}.`,
    });
  const form = new URLSearchParams(request.body);
  const grantType = form.get('grant_type');
  if (grantType === null) return missing('grant_type');
  if (grantType !== 'client_credentials')
    return entraError({
      status: 400,
      error: 'unsupported_grant_type',
      aadsts: 70003,
      message: `The app requested an unsupported grant type '${grantType}'.`,
    });
  const refusal = refuseClient(form, request.path, endpoint);
  if (refusal !== null) return refusal;
  const isV2 = request.path.includes('/v2.0/');
  const resource = readResource(form, isV2);
  if (typeof resource !== 'string') return resource;
  if (!tenant.settings.consented)
    return entraError({
      status: 401,
      error: 'unauthorized_client',
      aadsts: 7000229,
      message: `The client application ${credentials.defenderClientId} is missing service principal in the tenant ${tenant.id}.`,
    });
  const { tokenSeconds, roles } = tenant.settings;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = {
    aud: resource,
    iss: `https://sts.windows.net/${tenant.id}/`,
    iat: nowSeconds,
    nbf: nowSeconds,
    // Not rounded, so that a lifetime below a second is one.
    exp: Date.now() / 1000 + tokenSeconds,
    appid: credentials.defenderClientId,
    idtyp: 'app',
    oid: randomUUID(),
    ...(roles.length > 0 ? { roles } : {}),
    tid: tenant.id,
    ver: '1.0',
  };
  const token = { token_type: 'Bearer', access_token: issueAccessToken(claims, tokenKey) };
  const lifetime = Math.floor(tokenSeconds);
  return json(
    200,
    isV2
      ? { ...token, expires_in: lifetime, ext_expires_in: lifetime }
      : {
          ...token,
          // v1 writes its numbers as strings.
          expires_in: String(lifetime),
          ext_expires_in: String(lifetime),
          expires_on: String(nowSeconds + lifetime),
          not_before: String(nowSeconds),
          resource,
        },
    { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
  );
};
