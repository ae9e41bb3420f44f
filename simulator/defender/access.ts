import { readAccessToken } from '../entra/jwt.js';
import type { HttpRequest } from '../http/request.js';
import { DefenderRefusal } from './errors.js';
import type { Tenant, Tenants } from './tenant.js';

/** Who is calling, as the token tells. */
export interface Caller {
  tenant: Tenant;
  applicationId: string;
  roles: readonly string[];
}

export const authenticate = (request: HttpRequest, tenants: Tenants, tokenKey: string): Caller => {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new DefenderRefusal(401, 'Unauthorized', 'Missing bearer token.');
  const claims = readAccessToken(token, tokenKey);
  if (claims === null) throw new DefenderRefusal(401, 'Unauthorized', 'The token is not valid.');
  if (claims.exp * 1000 <= Date.now()) throw new DefenderRefusal(401, 'Unauthorized', 'The token has expired.');
  return { tenant: tenants.get(claims.tid), applicationId: claims.appid, roles: claims.roles ?? [] };
};

export const authorize = (caller: Caller, anyOf: readonly string[]): void => {
  if (anyOf.some((role) => caller.roles.includes(role))) return;
  throw new DefenderRefusal(
    403,
    'Forbidden',
    `Missing application roles. API required roles: ${anyOf.join(',')}, application roles: ${caller.roles.join(',')}.`,
  );
};
