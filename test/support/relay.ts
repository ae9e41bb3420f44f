import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { simulatorAuthservId } from '../../simulator/defaults.js';
import { MAILBOX_ADDRESS } from './house.js';

/*
 * The last mail server before the mailbox, on loopback: takes mails by SMTP for the service's own address and no other, and writes on
 * top of them what such a server does.
 */

export interface Relay {
  /** Sends a mail as a customer's mail program does. The sender's domain is proved, as far as the server writes. */
  send(raw: Uint8Array, envelope: { from: string; to: string }): Promise<void>;
  stop(): Promise<void>;
}

function isOwn(address: string): boolean {
  return address.replace(/\+[^@]*@/, '@').toLowerCase() === MAILBOX_ADDRESS;
}

export async function startRelay(deliver: (raw: Buffer) => Promise<void>): Promise<Relay> {
  const server = new SMTPServer({
    name: simulatorAuthservId,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo: ({ address }, _, callback) => {
      callback(isOwn(address) ? null : Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
    },
    onData: (stream, { envelope: { mailFrom, rcptTo } }, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () => {
        const from = mailFrom === false ? '' : mailFrom.address;
        const domain = from.slice(from.lastIndexOf('@') + 1);
        const top = [
          `Return-Path: <${from}>`,
          ...rcptTo.map(({ address }) => `Delivered-To: ${address}`),
          `Authentication-Results: ${simulatorAuthservId};\r\n spf=pass smtp.mailfrom=${from};\r\n dmarc=pass header.from=${domain}`,
          `Received: from [127.0.0.1] by ${simulatorAuthservId} with ESMTP; ${new Date().toUTCString()}`,
        ].map((line) => `${line}\r\n`);
        deliver(Buffer.concat([Buffer.from(top.join('')), ...chunks])).then(
          () => callback(),
          (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
        );
      });
    },
  });
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => {
      const address = listening.address();
      resolve(address === null || typeof address === 'string' ? 0 : address.port);
    });
  });
  const program = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true });
  return {
    send: async (raw, envelope) => {
      await program.sendMail({ envelope, raw: Buffer.from(raw) });
    },
    stop: () => {
      program.close();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
