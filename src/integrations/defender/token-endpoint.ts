import { AuthError, type INetworkModule, type NetworkRequestOptions, type NetworkResponse } from '@azure/msal-node';
import axios from 'axios';
import { z } from 'zod';
import { connectionFailure, httpDefaults, parseJson } from '../http.js';

/** The AuthError code of a token endpoint that gave no usable answer. */
export const UNAVAILABLE = 'token_endpoint_unavailable';

const MAX_ANSWER_BYTES = 1_000_000;

const answerSchema = z.record(z.string(), z.unknown());

/**
 * MSAL's way to the network, with a time limit. A failing server (429, 5xx, no JSON) is an error here and not an
 * answer: MSAL would remember one for a minute and refuse that tenant's sign-ins meanwhile, where the caller's own
 * retries know better. Times in ms.
 */
export function createTokenEndpointClient({ timeoutMs }: { timeoutMs: number }): INetworkModule {
  const client = axios.create({
    ...httpDefaults({ maxAnswerBytes: MAX_ANSWER_BYTES }),
    responseType: 'text',
    transformResponse: [(data: unknown) => data],
  });

  async function send<T>(
    method: 'GET' | 'POST',
    url: string,
    { headers, body, correlationId = '' }: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await client
      .request<unknown>({ method, url, headers, data: body, signal })
      .catch((error: unknown) => {
        throw new AuthError(UNAVAILABLE, correlationId, `no answer (${connectionFailure(error).code})`);
      });
    const answer = answerSchema.safeParse(parseJson(z.string().parse(response.data)));
    if (response.status === 429 || response.status >= 500 || !answer.success) {
      const what = answer.success ? '' : ' with something that is not JSON';
      throw new AuthError(UNAVAILABLE, correlationId, `it answered ${response.status}${what}`);
    }
    // The headers stay here: MSAL would obey a Retry-After among them by blocking.
    return { status: response.status, headers: {}, body: z.custom<T>().parse(answer.data) };
  }

  return {
    sendGetRequestAsync: <T>(url: string, options: NetworkRequestOptions = {}) => send<T>('GET', url, options),
    sendPostRequestAsync: <T>(url: string, options: NetworkRequestOptions = {}) => send<T>('POST', url, options),
  };
}
