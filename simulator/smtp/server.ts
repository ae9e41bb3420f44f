import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Credentials } from '../credentials.js';
import { Door } from '../door.js';
import { isReset, type Faults, type SmtpStage } from '../faults.js';
import { deliver } from '../imap/delivery.js';
import type { Mailbox } from '../imap/mailbox.js';
import type { Watch } from '../moments.js';
import type { RequestLog } from '../requests.js';
import { Timers } from '../timers.js';
import { parseMail, type Mailboxes } from './mailbox.js';

export interface SmtpWorld {
  mailboxes: Mailboxes;
  /** Where mail for its own address arrives. */
  mailbox: Mailbox;
  credentials: Credentials;
  faults: Faults;
  requests: RequestLog;
  watch: Watch;
  doors: { smtp?: Door };
}

export interface RunningSmtp {
  port: number;
  stop: () => Promise<void>;
}

const sizeLimitBytes = 25 * 1024 * 1024;

type Callback = (error?: Error | null, message?: string) => void;

/** smtp-server takes the code of its answer from the error. */
const smtpError = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode });

const readAll = async (stream: SMTPServerDataStream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  return Buffer.concat(chunks);
};

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The SMTP server does not listen on a port.');
  return address.port;
};

export const startSmtp = async (port: number, host: string, world: SmtpWorld): Promise<RunningSmtp> => {
  const timers = new Timers();
  /** By the client's port: the library's sessions do not give their socket away. */
  const sockets = new Map<number, Socket>();

  const cutOff = (session: SMTPServerSession): void => {
    sockets.get(session.remotePort)?.destroy();
  };

  /** What was asked for at a stage before DATA. */
  const pass = async (
    stage: Exclude<SmtpStage, 'data'>,
    path: string,
    session: SMTPServerSession,
    goOn: (error?: Error) => void,
  ): Promise<void> => {
    const fault = world.faults.take('smtp', { path, stage });
    if (fault === undefined) {
      goOn();
      return;
    }
    const entry = world.requests.begin('smtp', stage.toUpperCase(), path);
    if (fault.delayMs !== undefined) await timers.sleep(fault.delayMs);
    if (isReset(fault)) {
      cutOff(session);
      return;
    }
    if (fault.status === undefined) {
      goOn();
      return;
    }
    entry.status = fault.status;
    goOn(smtpError(fault.status, fault.body ?? 'Refused'));
  };

  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession, answer: Callback): Promise<void> => {
    const bytes = await readAll(stream);
    const { mailFrom, rcptTo } = session.envelope;
    const envelope = {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map((recipient) => recipient.address),
    };
    const path = envelope.to.join(',');
    const entry = world.requests.begin('smtp', 'DATA', path);
    const fault = world.faults.take('smtp', { path, stage: 'data' });
    const cut = (): void => cutOff(session);
    if (fault !== undefined && isReset(fault)) {
      cut();
      return;
    }
    const seen = { kind: 'request', target: 'smtp', method: 'DATA', path, body: bytes.toString('utf8') } as const;
    if ((await world.watch({ ...seen, phase: 'arrived' })) === 'cut' || !sockets.has(session.remotePort)) {
      cut();
      return;
    }
    const isTooLarge = stream.sizeExceeded;
    if (fault?.status === undefined && !isTooLarge) {
      world.mailboxes.keep(await parseMail(bytes, envelope));
      deliver(world.mailbox, world.credentials.mailboxAddress, bytes, envelope);
    }
    if (fault?.delayMs !== undefined) await timers.sleep(fault.delayMs);
    if (fault?.dropAfterAccept === true || (await world.watch({ ...seen, phase: 'done' })) === 'cut') {
      cut();
      return;
    }
    entry.status = fault?.status ?? (isTooLarge ? 552 : 250);
    if (fault?.status !== undefined) answer(smtpError(fault.status, fault.body ?? 'The message was refused'));
    else if (isTooLarge) answer(smtpError(552, 'The message is too large'));
    else answer(null, 'OK: message queued');
  };

  const server = new SMTPServer({
    name: 'simulator',
    banner: 'Mimamori simulator',
    size: sizeLimitBytes,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onConnect: (session, callback) => void pass('connect', '', session, callback),
    onAuth: (auth, session, callback) => {
      const user = auth.username ?? 'anybody';
      void pass('auth', user, session, (error) => callback(error, error === undefined ? { user } : undefined));
    },
    onMailFrom: ({ address }, session, callback) => void pass('mail', address, session, callback),
    onRcptTo: ({ address }, session, callback) => {
      const refusal = world.mailboxes.refusalOf(address);
      if (refusal === undefined) {
        void pass('rcpt', address, session, callback);
        return;
      }
      world.requests.begin('smtp', 'RCPT', address).status = refusal.rejects;
      callback(smtpError(refusal.rejects, refusal.message));
    },
    onData: (stream, session, callback) => {
      receive(stream, session, callback).catch((error: unknown) => {
        callback(smtpError(451, `The message could not be read: ${String(error)}`));
      });
    },
  });

  server.server.on('connection', (socket) => {
    const clientPort = socket.remotePort;
    if (clientPort === undefined) return;
    sockets.set(clientPort, socket);
    socket.once('close', () => sockets.delete(clientPort));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // Clients that vanish are daily business of a mail server.
      server.on('error', () => undefined);
      resolve();
    });
  });

  const cutAll = (): void => {
    for (const socket of sockets.values()) socket.destroy();
  };
  const door = new Door(server.server, { port: portOf(server.server.address()), host }, cutAll);
  world.doors.smtp = door;

  return {
    port: portOf(server.server.address()),
    stop: async () => {
      timers.dropAll();
      await door.shutForGood();
    },
  };
};
