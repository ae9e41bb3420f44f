import { createHmac } from 'node:crypto';
import { TwimlError } from './twiml.js';

export type Params = Record<string, string>;

/** X-Twilio-Signature: the URL and the sorted parameters of a POST, signed with the account's token. */
export const twilioSignature = (authToken: string, url: string, params: Params): string => {
  const content = Object.entries(params)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .reduce((text, [name, value]) => text + name + value, url);
  return createHmac('sha1', authToken).update(content, 'utf8').digest('base64');
};

export interface Webhook {
  url: string;
  method: string;
  params: Params;
  authToken: string;
  signal: AbortSignal;
}

export interface WebhookAnswer {
  status: number;
  contentType: string;
  body: string;
}

const webhookTimeoutMs = 15_000;

export const callWebhook = async ({ url, method, params, authToken, signal }: Webhook): Promise<WebhookAnswer> => {
  const target = new URL(url);
  const isGet = method === 'GET';
  if (isGet) for (const [name, value] of Object.entries(params)) target.searchParams.append(name, value);
  // What is signed is the address as it was given, not as a URL parser would write it.
  const signedUrl = isGet ? target.href : url;
  const response = await fetch(target, {
    method,
    headers: {
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'x-twilio-signature': twilioSignature(authToken, signedUrl, isGet ? {} : params),
    },
    body: isGet ? null : new URLSearchParams(params),
    signal: AbortSignal.any([signal, AbortSignal.timeout(webhookTimeoutMs)]),
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body: await response.text(),
  };
};

/** `fetch failed` alone tells nobody anything: the reason is in its cause. */
export const describeFailure = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);

/** Fetches the next TwiML; what goes wrong is what Twilio's debugger would show. */
export const fetchTwiml = async (webhook: Webhook): Promise<string> => {
  let answer: WebhookAnswer;
  try {
    answer = await callWebhook(webhook);
  } catch (error) {
    if (webhook.signal.aborted) throw error;
    throw new TwimlError(11200, `HTTP retrieval failure: ${webhook.url}: ${describeFailure(error)}`);
  }
  if (answer.status >= 400) throw new TwimlError(11200, `HTTP retrieval failure: ${webhook.url}: ${answer.status}`);
  if (!/\b(xml|html)\b/i.test(answer.contentType))
    throw new TwimlError(12300, `Invalid Content-Type: ${webhook.url}: ${answer.contentType}`);
  return answer.body;
};
