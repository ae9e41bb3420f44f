import { randomBytes, randomUUID } from 'node:crypto';
import { json, type Reply } from '../http/reply.js';

export const defenderHeaders = (): Record<string, string> => ({
  'content-type': 'application/json; odata.metadata=minimal; odata.streaming=true',
  'odata-version': '4.0',
  'mise-correlation-id': randomUUID(),
});

export const defenderError = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Reply =>
  json(
    status,
    { error: { code, message, target: `|${randomBytes(8).toString('hex')}.` } },
    { ...defenderHeaders(), ...headers },
  );

const codeByStatus: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'ResourceNotFound',
  429: 'TooManyRequests',
};

export const codeOfStatus = (status: number): string =>
  codeByStatus[status] ?? (status < 500 ? 'BadRequest' : 'InternalServerError');

/** Thrown where a request turns out to be wrong, answered in Defender's shape. */
export class DefenderRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
