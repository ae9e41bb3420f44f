import { json, type Reply } from '../http/reply.js';

export const twilioError = (
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Reply => json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, headers);

const codeByStatus: Record<number, number> = { 401: 20003, 403: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503 };

export const codeOfStatus = (status: number): number => codeByStatus[status] ?? (status < 500 ? 20001 : 20500);

/** Thrown where a request turns out to be wrong, answered in Twilio's shape. */
export class TwilioRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
