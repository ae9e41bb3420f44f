import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { SMTPServer } from 'smtp-server';
import { createMailSender, MailError } from '../../src/integrations/mail/sender.js';
import { createAuthority, type Authority, type Pair } from '../support/certificates.js';
import { failure } from './secrets.js';
import { startWorld } from './world.js';

const PROGRAM = fileURLToPath(new URL('./tls-callers.ts', import.meta.url));

/** What a server says first, where it does. */
const GREETINGS = {
  defender: '',
  entra: '',
  imap: '* OK ready\r\n',
  issuer: '',
  smtp: '220 ready\r\n',
  twilio: '',
} as const;

const EVERYBODY = [...Object.keys(GREETINGS), 'starttls'].sort();

interface Ears {
  /** `defender=8443` */
  names: string[];
  /** Whose client has said something to its server. */
  heard: Set<string>;
  stop(): void;
}

function portOf(address: string | AddressInfo | null): number {
  assert.ok(address !== null && typeof address !== 'string');
  return address.port;
}

/** One server for each client, with this certificate. */
async function listen({ cert, key }: Pair): Promise<Ears> {
  const heard = new Set<string>();
  const servers: { close(): unknown }[] = [];
  const names: string[] = [];
  for (const [name, greeting] of Object.entries(GREETINGS)) {
    const server = tls.createServer({ cert, key }, (socket) => {
      socket.on('error', () => undefined);
      socket.write(greeting);
      socket.once('data', () => {
        heard.add(name);
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    names.push(`${name}=${portOf(server.address())}`);
  }
  const mailServer = new SMTPServer({
    cert,
    key,
    disableReverseLookup: true,
    logger: false,
    onAuth: (_auth, { secure }, callback) => {
      if (secure) heard.add('starttls');
      callback(new Error('nobody is let in'));
    },
  });
  mailServer.on('error', () => undefined);
  await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', () => resolve()));
  servers.push(mailServer);
  names.push(`starttls=${portOf(mailServer.server.address())}`);
  return { names, heard, stop: () => servers.forEach((server) => server.close()) };
}

describe('TLS to the outside', () => {
  let authority: Authority;
  before(() => {
    authority = createAuthority();
  });
  after(() => authority.remove());

  async function whoSpeaks(pair: Pair, env: NodeJS.ProcessEnv): Promise<string[]> {
    const ears = await listen(pair);
    try {
      const { NODE_EXTRA_CA_CERTS: _, ...own } = process.env;
      await promisify(execFile)(process.execPath, ['--import', 'tsx', PROGRAM, ...ears.names], {
        env: { ...own, ...env },
      });
      return [...ears.heard].sort();
    } finally {
      ears.stop();
    }
  }

  it('is spoken by every client to a server whose certificate is right', async () => {
    const right = authority.issue('here', 'IP:127.0.0.1');
    assert.deepEqual(await whoSpeaks(right, { NODE_EXTRA_CA_CERTS: authority.certPath }), EVERYBODY);
  });

  it('is spoken by none to one of an authority that nobody trusts', async () => {
    assert.deepEqual(await whoSpeaks(authority.issue('here', 'IP:127.0.0.1'), {}), []);
  });

  it('is spoken by none to one with the certificate of another name', async () => {
    const other = authority.issue('elsewhere', 'DNS:elsewhere.example');
    assert.deepEqual(await whoSpeaks(other, { NODE_EXTRA_CA_CERTS: authority.certPath }), []);
  });

  it('is what a mail waits for where the server is another machine and offers none', async () => {
    const world = await startWorld();
    // This machine too, by an address that does not say so.
    const sender = createMailSender({
      smtpUrl: `smtp://mimamori:a-smtp-password@0.0.0.0:${new URL(world.smtpUrl).port}`,
      from: 'soc@mimamori.example',
    });
    try {
      const mail = {
        messageId: '<a@b>',
        to: ['a@acme.example'],
        cc: [],
        subject: 's',
        text: 't',
        html: 'h',
        headers: {},
      };
      const error = await failure(sender.send(mail), MailError, ['a-smtp-password']);
      assert.deepEqual([error.kind, error.mayHaveBeenAccepted], ['transient', false]);
      assert.match(error.message, /STARTTLS/);
      assert.deepEqual(await world.mails(), []);
    } finally {
      sender.close();
      await world.stop();
    }
  });

  it('cannot be turned off by what follows the address of the mail server', () => {
    for (const parameters of ['?tls.rejectUnauthorized=false', '?ignoreTLS=true', '?secure=false']) {
      assert.throws(
        () => createMailSender({ smtpUrl: `smtps://mail.example${parameters}`, from: 'soc@mimamori.example' }),
        TypeError,
      );
    }
  });
});
