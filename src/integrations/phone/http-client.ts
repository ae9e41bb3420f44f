import type { AxiosResponse } from 'axios';
import axios from 'axios';
import twilio from 'twilio';
import { z } from 'zod';
import { oneLine } from '../../domain/text.js';
import { connectionFailure, httpDefaults } from '../http.js';
import { outside, pathTemplate } from '../outside.js';
import { PhoneError } from './errors.js';

const MAX_ANSWER_BYTES = 4_000_000;

/** `{"code":21211,"message":"…"}`. Source: twilio.com, "Error and Warning Dictionary". */
const errorSchema = z.object({ code: z.number().transform(String), message: z.string().catch('') });

const headersSchema = z.looseObject({ 'twilio-request-id': z.string().optional().catch(undefined) });

/**
 * The npm client's way to the network, with limits, and with every failure turned into a PhoneError here: what the
 * client itself throws holds the request with its credentials, or fails on answers that are not JSON.
 */
export function createHttpClient({ timeoutMs }: { timeoutMs: number }): InstanceType<typeof twilio.RequestClient> {
  const client = new TracedClient({ timeout: timeoutMs });
  Object.assign(client.axios.defaults, httpDefaults({ maxAnswerBytes: MAX_ANSWER_BYTES }));
  client.axios.interceptors.request.use((config) => {
    // The client's own limit is for a silent connection only; this one is for the whole request.
    config.signal = AbortSignal.timeout(timeoutMs);
    return config;
  });
  client.axios.interceptors.response.use(checked, (error: unknown) => {
    throw noAnswer(error);
  });
  return client;
}

class TracedClient extends twilio.RequestClient {
  override request: InstanceType<typeof twilio.RequestClient>['request'] = (options) =>
    outside(
      `Twilio ${options.method.toUpperCase()}`,
      {
        'http.request.method': options.method.toUpperCase(),
        'url.template': pathTemplate(new URL(options.uri).pathname),
      },
      () => super.request(options),
      ({ statusCode }) => ({ 'http.response.status_code': statusCode }),
    );
}

/** Whom it was for stands on the record; a failure's words come into logs too. */
function withoutNumbers(text: string): string {
  return text.replace(/\+?\d{8,}/g, '<number>');
}

function checked(response: AxiosResponse<unknown>): AxiosResponse<unknown> {
  const { status, data } = response;
  if (status >= 200 && status < 300 && typeof data === 'object' && data !== null) return response;
  const changes = response.config.method === 'post';
  const error = errorSchema.safeParse(data).data;
  const trackingId = headersSchema.parse(response.headers)['twilio-request-id'];
  // A page of a proxy tells nothing about the call, whatever its status.
  const says =
    error === undefined
      ? ' with something that is not its answer'
      : ` ${error.code}: ${oneLine(withoutNumbers(error.message), 300)}`;
  const tracking = trackingId === undefined ? '' : ` (request ${oneLine(trackingId, 60)})`;
  throw new PhoneError(`Twilio answered ${status}${says}${tracking}`, {
    kind: error === undefined || status === 429 || status === 408 || status >= 500 ? 'transient' : 'permanent',
    code: error?.code,
    status,
    trackingId,
    mayHaveWorked: changes && (status < 300 || status >= 500),
  });
}

function noAnswer(error: unknown): PhoneError {
  const { code, sent } = connectionFailure(error);
  const changes = axios.isAxiosError(error) && error.config?.method === 'post';
  return new PhoneError(`Twilio gave no answer (${code})`, { kind: 'transient', code, mayHaveWorked: changes && sent });
}
