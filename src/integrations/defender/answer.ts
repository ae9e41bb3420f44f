import { z } from 'zod';
import { oneLine } from '../../domain/text.js';
import { SECOND_MS } from '../../domain/time.js';
import { parseJson } from '../http.js';
import { DefenderError, type DefenderErrorKind } from './errors.js';

/** What came back, unread: `text` may be JSON, a proxy's HTML, or nothing, whatever its content type says. */
export interface Answer {
  status: number;
  text: string;
  retryAfter?: string;
  trackingId?: string;
  /** Whether the request was to change something. */
  changes: boolean;
}

/** For a 429 that names no time: Defender counts per minute. */
const DEFAULT_RETRY_AFTER_MS = 10 * SECOND_MS;
const LONGEST_RETRY_AFTER_MS = 3_600 * SECOND_MS;

const looseString = z.string().optional().catch(undefined);

/** `{"error":{"code","message","target"}}`. Source: Defender for Endpoint API, "Common errors". */
const errorSchema = z.object({ error: z.object({ code: z.string(), message: looseString, target: looseString }) });

/** `Retry-After` in ms from `nowMs`: seconds, or an HTTP date. */
export function retryAfterMs(answer: Answer, nowMs: number): number {
  const text = answer.retryAfter?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? DEFAULT_RETRY_AFTER_MS : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

/** The answer's body in the expected shape; DefenderError for any other answer. */
export function read<T>(answer: Answer, schema: z.ZodType<T>): T {
  const body = schema.safeParse(succeeded(answer));
  if (body.success) return body.data;
  throw notDefenders(answer, 'something else than expected');
}

/** As `read`, and undefined where Defender says that there is no such thing. */
export function readIfFound<T>(answer: Answer, schema: z.ZodType<T>): T | undefined {
  return answer.status === 404 && isDefendersRefusal(answer) ? undefined : read(answer, schema);
}

/** Throws unless the answer is a success; an empty body is one. Returns the body's JSON. */
export function succeeded(answer: Answer): unknown {
  if (answer.status < 200 || answer.status > 299) throw refusal(answer);
  if (answer.text.trim() === '') return undefined;
  const body = parseJson(answer.text);
  if (body === undefined) throw notDefenders(answer, 'something that is not JSON');
  return body;
}

/** The error for an answer that is no success. `waitMs`: how long to wait after a 429, where that is longer than it says. */
export function refusal(answer: Answer, waitMs = 0): DefenderError {
  const { status } = answer;
  // A proxy's error page says nothing about Defender: "not found" in HTML is no missing device.
  if (!isDefendersRefusal(answer)) return notDefenders(answer, 'something that is not its error', waitMs);
  const { code, message, target } = errorSchema.safeParse(parseJson(answer.text)).data?.error ?? {};
  const trackingId = target ?? answer.trackingId;
  const what = [code, message].filter((part) => part !== undefined && part !== '').join(': ');
  const words = `Defender answered ${status}${what === '' ? '' : ` ${oneLine(what, 300)}`}`;
  const tracking = trackingId === undefined ? '' : ` (tracking ${oneLine(trackingId, 100)})`;
  return new DefenderError(words + tracking, {
    kind: kindOf(status),
    status,
    code,
    trackingId,
    words,
    retryAfterMs: status === 429 ? Math.max(waitMs, retryAfterMs(answer, Date.now())) : undefined,
    mayHaveWorked: answer.changes && status >= 500,
  });
}

/** Real 404s and 405s come with an empty body, so emptiness is Defender's too. */
function isDefendersRefusal({ text }: Answer): boolean {
  return text.trim() === '' || errorSchema.safeParse(parseJson(text)).success;
}

function notDefenders(answer: Answer, what: string, waitMs = 0): DefenderError {
  return new DefenderError(`Defender answered ${answer.status} with ${what}`, {
    kind: answer.status === 429 ? 'throttled' : 'transient',
    status: answer.status,
    trackingId: answer.trackingId,
    retryAfterMs: answer.status === 429 ? Math.max(waitMs, retryAfterMs(answer, Date.now())) : undefined,
    mayHaveWorked: answer.changes && (answer.status < 300 || answer.status >= 500),
  });
}

function kindOf(status: number): DefenderErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 429) return 'throttled';
  return status < 400 || status === 408 || status >= 500 ? 'transient' : 'rejected';
}
