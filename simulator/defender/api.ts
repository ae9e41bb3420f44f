import { empty, type Reply } from '../http/reply.js';
import type { HttpRequest } from '../http/request.js';
import { matchRoute } from '../http/router.js';
import type { RequestEntry } from '../requests.js';
import { authenticate, authorize, type Caller } from './access.js';
import { defenderError, DefenderRefusal } from './errors.js';
import { ODataError } from './odata-filter.js';
import { defenderRoutes, type DefenderRoute } from './routes.js';
import type { Tenants } from './tenant.js';

export const isDefenderPath = (path: string): boolean => /^\/api(\/|$)/i.test(path);

export interface DefenderApi {
  tenants: Tenants;
  tokenKey: string;
}

/** The tenant that a request is about, so that also one that fails before its work is logged with it. */
export const tenantIdOfRequest = (request: HttpRequest, { tenants, tokenKey }: DefenderApi): string | undefined => {
  try {
    return authenticate(request, tenants, tokenKey).tenant.id;
  } catch {
    return undefined;
  }
};

/** 30 calls where others have 100. */
const batchShare = 0.3;

const secondsToWait = ({ tenant }: Caller, route: DefenderRoute): number | null => {
  const { callsPerMinute, callsPerHour } = tenant.settings;
  const ofBatches =
    route.isBatch === true
      ? tenant
          .batchThrottle(route.pattern)
          .retryAfterSeconds({ callsPerMinute: Math.floor(callsPerMinute * batchShare), callsPerHour })
      : null;
  return ofBatches ?? tenant.throttle.retryAfterSeconds(tenant.settings);
};

const answer = (request: HttpRequest, { tenants, tokenKey }: DefenderApi): Reply => {
  const caller = authenticate(request, tenants, tokenKey);
  const path = request.path.replace(/^\/api\/v1\.0(?=\/|$)/i, '/api');
  const match = matchRoute(defenderRoutes, request.method, path);
  if (match.kind === 'none') return empty(404);
  if (match.kind === 'other-method') return empty(405, { allow: match.allow.join(', ') });
  authorize(caller, match.route.roles);
  const retryAfterSeconds = secondsToWait(caller, match.route);
  if (retryAfterSeconds !== null)
    return defenderError(
      429,
      'TooManyRequests',
      `API calls quota exceeded. Try again in ${retryAfterSeconds} seconds.`,
      { 'retry-after': String(retryAfterSeconds) },
    );
  return match.route.handle({ request, caller, param: match.param });
};

export const answerDefender = (request: HttpRequest, api: DefenderApi, entry: RequestEntry): Reply => {
  entry.tenantId = tenantIdOfRequest(request, api);
  try {
    return answer(request, api);
  } catch (error) {
    if (error instanceof ODataError) return defenderError(400, error.code, error.message);
    if (!(error instanceof DefenderRefusal)) throw error;
    const challenge = error.status === 401 ? { 'www-authenticate': 'Bearer error="invalid_token"' } : undefined;
    return defenderError(error.status, error.code, error.message, challenge);
  }
};
