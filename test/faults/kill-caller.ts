import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { TOKEN } from './kill-processes.js';

/*
 * A caller of the API as the contract wants one: no answer, or a 503, means the same command again with the same
 * Idempotency-Key.
 */

export interface CallerReply {
  status: number;
  headers: IncomingHttpHeaders;
  // Tests read what they look for and assert on it; the API's shapes have tests of their own.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
  tookMs: number;
}

export interface Sending {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  idempotencyKey?: string;
  /** Called as soon as the request has left this process. */
  onSent?: () => void;
}

const GIVE_UP_MS = 90_000;
const NO_ANSWER_PAUSE_MS = 100;
/** An answer that comes after this is none: the contract promises one within 10 s. */
const ANSWER_TIMEOUT_MS = 15_000;

export class Caller {
  /** 503s that callers have had, and tries that met a dead API. */
  refusals = 0;
  slowestMs = 0;

  constructor(private readonly url: string) {}

  /** One try; rejects where there was no answer. */
  try({ method, path, body, idempotencyKey, onSent }: Sending): Promise<CallerReply> {
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      };
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      // A connection of its own: one that was kept open says nothing about the API of now.
      const sent = request(`${this.url}${path}`, { method, headers, agent: false, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const tookMs = performance.now() - startedMs;
          this.slowestMs = Math.max(this.slowestMs, tookMs);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text.startsWith('{') ? JSON.parse(text) : text,
            tookMs,
          });
        });
      });
      sent.once('error', reject);
      if (onSent !== undefined) sent.once('finish', onSent);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Until it is answered. */
  async send(sending: Sending): Promise<CallerReply> {
    const deadlineMs = performance.now() + GIVE_UP_MS;
    for (;;) {
      const reply = await this.try(sending).catch((error: unknown) => {
        if (error instanceof Error && error.name === 'AbortError') {
          assert.fail(`${sending.method} ${sending.path} had no answer after ${ANSWER_TIMEOUT_MS} ms`);
        }
        return undefined;
      });
      if (reply !== undefined && reply.status !== 503) return reply;
      this.refusals += 1;
      if (reply !== undefined) assertTemporary(reply);
      assert.ok(performance.now() < deadlineMs, `${sending.method} ${sending.path} was never answered`);
      await pause(reply === undefined ? NO_ANSWER_PAUSE_MS : Number(reply.headers['retry-after']) * 1000);
    }
  }

  /** A command, which must be accepted in the end. */
  async command(path: string, body: unknown, expected: readonly number[], onSent?: () => void): Promise<CallerReply> {
    const reply = await this.send({ method: 'POST', path, body, idempotencyKey: randomUUID(), onSent });
    assert.ok(expected.includes(reply.status), `${path}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 400)}`);
    return reply;
  }
}

/** A 503 says what is missing and when to come again, and says it in time. */
export function assertTemporary({ headers, body, tookMs }: CallerReply): void {
  assert.match(String(body.code), /^(temporal|worker)-unavailable$/);
  assert.match(headers['retry-after'] ?? '', /^\d+$/);
  assert.ok(tookMs < 10_000, `a 503 took ${tookMs} ms`);
}
