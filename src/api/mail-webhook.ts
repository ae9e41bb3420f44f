import { createHmac, timingSafeEqual } from 'node:crypto';
import express, { type Request, type RequestHandler } from 'express';
import { MAIL_BYTES } from '../domain/customer-mail/mail.js';
import type { MailTokens } from '../domain/customer-mail/tag.js';
import { MINUTE_MS, SECOND_MS, toInstant } from '../domain/time.js';
import { parseInbound } from '../integrations/mail/inbound/index.js';
import { holdTooLarge, takeIn } from '../temporal/mail-intake.js';
import { reach } from './gateway.js';
import { Problem } from './problem.js';
import type { ApiDeps } from './route.js';

export interface MailWebhookDeps extends ApiDeps {
  tokens: MailTokens;
  /** Whose `Authentication-Results` are believed in a mail that is handed in: whoever routes it need not remove forged ones. */
  mailWebhookAuthservId: string | undefined;
  /** Without one nobody can hand a mail in. */
  mailWebhookSecret: string | undefined;
}

/** What is larger is no mail that a server would have taken. */
const MAX_BYTES = 150 * 1024 * 1024;
/** A signed request is good for so long, before and after its time. */
const REPLAY_WINDOW_MS = 5 * MINUTE_MS;
const TAKE_MS = 20 * SECOND_MS;

function header(request: Request, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** `sha256=` and the HMAC of the time (Unix seconds), a full stop, and the raw mail. */
export function mailSignature(secret: string, timestamp: string, raw: Uint8Array): string {
  return shown(signatureOf(secret, timestamp).update(raw));
}

type Hmac = ReturnType<typeof createHmac>;

function signatureOf(secret: string, timestamp: string): Hmac {
  return createHmac('sha256', secret).update(`${timestamp}.`);
}

function shown(hmac: Hmac): string {
  return `sha256=${hmac.digest('hex')}`;
}

function tooLarge(): Problem {
  return new Problem('too-large', 'The mail is too large.');
}

function refuse(why: string): Problem {
  return new Problem('forbidden', why);
}

/** What can be told before the mail itself is read: nobody sends us all of it to be turned away. */
function checkHeaders(secret: string | undefined, request: Request): string {
  if (secret === undefined) throw refuse('No mail is taken this way: MAIL_WEBHOOK_SECRET is not set.');
  if (!/^sha256=[0-9a-f]{64}$/.test(header(request, 'x-mimamori-signature')))
    throw refuse('The signature is not right.');
  const ageMs = Math.abs(Date.now() - Number(header(request, 'x-mimamori-timestamp')) * SECOND_MS);
  if (!(ageMs <= REPLAY_WINDOW_MS)) throw refuse('The request is too old, or from the future.');
  if (Number(header(request, 'content-length')) > MAX_BYTES) throw tooLarge();
  return secret;
}

interface Handed {
  /** The whole mail, or the head of one that is too large to be taken. */
  raw: Buffer;
  sizeBytes: number;
  signature: string;
}

/** Reads a mail as it comes: of one that is too large only the head stays, and the signature is of all of it. */
function readMail(secret: string, request: Request): Promise<Handed> {
  const hmac = signatureOf(secret, header(request, 'x-mimamori-timestamp'));
  let kept: Buffer[] = [];
  let sizeBytes = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      hmac.update(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BYTES) {
        request.pause();
        reject(tooLarge());
      } else if (sizeBytes <= MAIL_BYTES.whole) kept.push(chunk);
      else if (kept.length > 1) kept = [Buffer.from(Buffer.concat(kept).subarray(0, MAIL_BYTES.head))];
    });
    request.once('end', () => {
      const raw = Buffer.concat(kept);
      const isHead = sizeBytes > MAIL_BYTES.whole;
      resolve({ raw: isHead ? raw.subarray(0, MAIL_BYTES.head) : raw, sizeBytes, signature: shown(hmac) });
    });
    request.once('error', reject);
  });
}

function checkSignature(request: Request, { signature }: Handed): void {
  const given = Buffer.from(header(request, 'x-mimamori-signature'));
  const own = Buffer.from(signature);
  if (given.length !== own.length || !timingSafeEqual(given, own)) throw refuse('The signature is not right.');
}

/** A mail as whoever routes mail hands it over: raw, and signed. Handed over again, it is known by its content. */
export function mailWebhook(deps: MailWebhookDeps): express.Router {
  const router = express.Router();
  const take: RequestHandler = async (request, response) => {
    const handed = await readMail(checkHeaders(deps.mailWebhookSecret, request), request);
    checkSignature(request, handed);
    const { raw, sizeBytes } = handed;
    const { mailWebhookAuthservId: authservId } = deps;
    const mail = await parseInbound(raw, {
      ownMessageIdDomain: deps.policies.service.mailDomain,
      receivedAt: toInstant(Date.now()),
      ...(authservId === undefined ? {} : { authservId }),
    });
    const taking = sizeBytes > MAIL_BYTES.whole ? () => holdTooLarge(deps, mail, sizeBytes) : () => takeIn(deps, mail);
    const { is, workflowId, reason } = await reach(deps, taking, Date.now() + TAKE_MS);
    response.status(200).json({ is, workflowId, reason });
  };
  router.post('/webhooks/mail', take);
  return router;
}
