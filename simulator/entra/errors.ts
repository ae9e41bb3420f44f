import { randomUUID } from 'node:crypto';
import { json, type Reply } from '../http/reply.js';

interface EntraError {
  status: number;
  error: string;
  /** The number of the AADSTS code. */
  aadsts: number;
  message: string;
}

export const entraError = ({ status, error, aadsts, message }: EntraError): Reply => {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return json(status, {
    error,
    error_description: `AADSTS${aadsts}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [aadsts],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${aadsts}`,
  });
};
