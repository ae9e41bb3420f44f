import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Credentials } from '../credentials.js';
import { json, type Reply } from '../http/reply.js';
import type { HttpRequest } from '../http/request.js';
import { matchRoute, type RouteShape } from '../http/router.js';
import { callParamsSchema, callResource, type Call, type CallParams } from './call.js';
import { answerCallList } from './call-list.js';
import { twilioError, TwilioRefusal } from './errors.js';
import type { Telephone } from './telephone.js';
import { parseTwiml, TwimlError } from './twiml.js';

export const isTwilioPath = (path: string): boolean => path.startsWith('/2010-04-01/');

export interface TwilioApi {
  telephone: Telephone;
  credentials: Credentials;
}

interface TwilioCall extends TwilioApi {
  request: HttpRequest;
  param: (name: string) => string;
}

interface TwilioRoute extends RouteShape {
  handle: (call: TwilioCall) => Reply;
}

const longestTwiml = 4000;
const phoneNumber = /^\+[1-9]\d{6,14}$/;

const refuseNumbers = (form: URLSearchParams): void => {
  const to = form.get('To') ?? '';
  const from = form.get('From') ?? '';
  if (to === '') throw new TwilioRefusal(400, 21201, "No 'To' number is specified");
  if (from === '') throw new TwilioRefusal(400, 21213, "No 'From' number is specified");
  if (!phoneNumber.test(to))
    throw new TwilioRefusal(400, 21211, `The phone number you are attempting to call, ${to}, is not valid.`);
  if (!phoneNumber.test(from))
    throw new TwilioRefusal(400, 21212, `The source phone number provided, ${from}, is not yet verified or not valid.`);
};

const isHttpUrl = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

const refuseUrls = ({ Url, Twiml, StatusCallback }: CallParams): void => {
  if (Url === undefined && Twiml === undefined)
    throw new TwilioRefusal(400, 21205, "One of 'Url', 'Twiml' or 'ApplicationSid' is required.");
  if (Url !== undefined && !isHttpUrl(Url)) throw new TwilioRefusal(400, 21205, `Url is not a valid URL: ${Url}`);
  if (StatusCallback !== undefined && !isHttpUrl(StatusCallback))
    throw new TwilioRefusal(400, 21609, `Invalid 'StatusCallback' URL: ${StatusCallback}`);
  // Ignored next to a Url, so also when it is wrong.
  if (Url !== undefined || Twiml === undefined) return;
  if (Twiml.length > longestTwiml)
    throw new TwilioRefusal(400, 21625, `Twiml is longer than ${longestTwiml} characters.`);
  try {
    parseTwiml(Twiml);
  } catch (error) {
    if (error instanceof TwimlError) throw new TwilioRefusal(400, error.code, error.message);
    throw error;
  }
};

const readCallParams = (body: string): CallParams => {
  const form = new URLSearchParams(body);
  refuseNumbers(form);
  const events = form.getAll('StatusCallbackEvent');
  const given = { ...Object.fromEntries(form), StatusCallbackEvent: events.length > 0 ? events : undefined };
  const result = callParamsSchema.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new TwilioRefusal(400, 20001, `Invalid parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  refuseUrls(result.data);
  return result.data;
};

/** The number that a request is about. */
export const numberOfRequest = (request: HttpRequest, telephone: Telephone): string | undefined => {
  const sid = /\/Calls\/([^/]+)\.json$/.exec(request.path)?.[1];
  if (sid !== undefined) return telephone.calls().find((call) => call.sid === sid)?.params.To;
  const form = request.method === 'POST' ? new URLSearchParams(request.body) : request.query;
  return form.get('To') ?? undefined;
};

const notFound = (path: string): TwilioRefusal =>
  new TwilioRefusal(404, 20404, `The requested resource ${path} was not found`);

const callOf = ({ telephone, request, param }: TwilioCall): Call => {
  const call = telephone.calls().find((candidate) => `${candidate.sid}.json` === param('sid.json'));
  if (call === undefined) throw notFound(request.path);
  return call;
};

const wantedStatusSchema = z.enum(['canceled', 'completed']);

const updateCall = (twilioCall: TwilioCall): Reply => {
  const call = callOf(twilioCall);
  const wanted = wantedStatusSchema.safeParse(new URLSearchParams(twilioCall.request.body).get('Status'));
  if (!wanted.success) throw new TwilioRefusal(400, 21218, "Only 'Status', canceled or completed, can be changed.");
  if (call.endedAt !== null)
    throw new TwilioRefusal(400, 21220, 'Call is not in-progress. Cannot redirect or change its status.');
  twilioCall.telephone.hangUp(call, wanted.data);
  return json(200, callResource(call));
};

const calls = '/2010-04-01/Accounts/{accountSid}/Calls.json';
const oneCall = '/2010-04-01/Accounts/{accountSid}/Calls/{sid.json}';

const routes: readonly TwilioRoute[] = [
  {
    method: 'POST',
    pattern: calls,
    handle: ({ telephone, request, param }) =>
      json(201, callResource(telephone.dial(param('accountSid'), readCallParams(request.body)))),
  },
  {
    method: 'GET',
    pattern: calls,
    handle: ({ telephone, request }) => answerCallList(telephone.calls(), request),
  },
  { method: 'GET', pattern: oneCall, handle: (call) => json(200, callResource(callOf(call))) },
  { method: 'POST', pattern: oneCall, handle: updateCall },
];

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const refuseAuthentication = (request: HttpRequest, credentials: Credentials): Reply | null => {
  const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const expected = `${credentials.twilioAccountSid}:${credentials.twilioAuthToken}`;
  if (isSame(Buffer.from(encoded, 'base64').toString('utf8'), expected)) return null;
  return twilioError(401, 20003, 'Authenticate', { 'www-authenticate': 'Basic realm="Twilio API"' });
};

export const answerTwilio = (request: HttpRequest, { telephone, credentials }: TwilioApi): Reply => {
  const refusal = refuseAuthentication(request, credentials);
  if (refusal !== null) return refusal;
  const match = matchRoute(routes, request.method, request.path);
  try {
    if (match.kind === 'other-method') throw new TwilioRefusal(405, 20004, 'Method not allowed');
    if (match.kind === 'none' || match.param('accountSid') !== credentials.twilioAccountSid)
      throw notFound(request.path);
    return match.route.handle({ telephone, credentials, request, param: match.param });
  } catch (error) {
    if (error instanceof TwilioRefusal) return twilioError(error.status, error.code, error.message);
    throw error;
  }
};
