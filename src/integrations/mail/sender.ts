import type { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { isLoopback } from '../../domain/hosts.js';
import { oneLine } from '../../domain/text.js';
import { SECOND_MS, toInstant, type Instant } from '../../domain/time.js';
import { createGate } from '../gate.js';
import { outside } from '../outside.js';
import { MailError } from './errors.js';
import { mailError } from './failure.js';
import { parseMailbox, toNodemailer, type OutgoingMail } from './message.js';

export { MailError } from './errors.js';
export type { OutgoingMail } from './message.js';

const MAX_CONNECTIONS = 10;
/** One customer's mailbox that hangs must leave connections for the others. */
const MAX_CONNECTIONS_PER_MAILBOX = 2;

export interface SentMail {
  /** When the server took the mail (its 250). */
  acceptedAt: Instant;
  /** Its words, with the queue id that its log knows. */
  response: string;
  /** Recipients it refused while it took the mail for others. */
  rejected: { address: string; response: string }[];
}

export interface MailSender {
  /**
   * Hands a mail to the server. Throws MailError; when `signal` aborts before the mail was written to its end, the
   * signal's reason.
   */
  send(mail: OutgoingMail, signal?: AbortSignal): Promise<SentMail>;
  close(): void;
}

export interface MailSenderOptions {
  /** `smtps://user:password@host:port`; `smtp://` insists on STARTTLS, except on this machine itself. */
  smtpUrl: string;
  /** `Name <address>` or an address. */
  from: string;
  /** The mailbox that is read: where answers and delivery reports go. Default: that of `from`. */
  replyTo?: string;
  /** For the server to let us in, to greet, and to answer. Default: 10, 10 and 30 seconds. */
  timeoutMs?: number;
}

/** Sends mail over SMTP. Throws a TypeError for settings that cannot be used (without quoting the URL's password). */
export function createMailSender({ smtpUrl, from, replyTo = from, timeoutMs }: MailSenderOptions): MailSender {
  const url = URL.canParse(smtpUrl) ? new URL(smtpUrl) : undefined;
  if (url === undefined || !/^smtps?:$/.test(url.protocol)) {
    throw new TypeError('the mail server must be an smtp:// or smtps:// URL');
  }
  // nodemailer takes its options there, and some of them turn TLS or its verification off.
  if (url.search !== '') throw new TypeError("the mail server's URL must end with the host, or its port");
  const sender = { from: parseMailbox(from), readAt: parseMailbox(replyTo).address };
  const transport = createTransport({
    url: smtpUrl,
    requireTLS: !isLoopback(url.hostname),
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    connectionTimeout: timeoutMs ?? 10 * SECOND_MS,
    greetingTimeout: timeoutMs ?? 10 * SECOND_MS,
    socketTimeout: timeoutMs ?? 30 * SECOND_MS,
  });

  // What the connection reads a mail from. It is read once the server has said 354, and at its end the final dot
  // follows: whether it was read to its end is the difference between "not sent" and "nobody knows".
  const contents = new WeakMap<object, Readable>();
  transport.use('stream', ({ data, message }, done) => {
    // The last stage of all: one before it would be read to its end into the next one's buffer.
    message.processFunc((content) => {
      if (data.signal !== undefined) contents.set(data.signal, content);
      return content;
    });
    done();
  });

  async function handOver(mail: OutgoingMail, signal?: AbortSignal): Promise<SentMail> {
    signal?.throwIfAborted();
    // A signal of its own for every mail, also without a caller's: it is what the plugin above knows the mail by.
    const own = signal === undefined ? new AbortController().signal : AbortSignal.any([signal]);
    const hand = () => transport.sendMail({ ...toNodemailer(mail, sender), signal: own });
    const info = await outside('SMTP send', {}, hand).catch((error: unknown) => {
      if (error instanceof MailError) throw error;
      const dataSent = contents.get(own)?.readableEnded === true;
      if (!dataSent) signal?.throwIfAborted();
      throw mailError(error, dataSent);
    });
    return {
      acceptedAt: toInstant(Date.now()),
      response: oneLine(info.response, 300),
      rejected: z.array(rejectedSchema).catch([]).parse(info.rejectedErrors),
    };
  }

  const gate = createGate({ maxInFlight: MAX_CONNECTIONS_PER_MAILBOX });
  return {
    send: (mail, signal) =>
      gate.run(mail.to.join(','), signal === undefined ? {} : { signal }, () => handOver(mail, signal)),

    close() {
      transport.close();
    },
  };
}

const rejectedSchema = z
  .object({ recipient: z.string(), response: z.string() })
  .transform(({ recipient, response }) => ({ address: recipient, response: oneLine(response, 300) }));
