import { randomUUID } from 'node:crypto';
import { createTokenVerifier } from '../../src/integrations/access-tokens.js';
import { createDefenderClient } from '../../src/integrations/defender/client.js';
import { createSignIn } from '../../src/integrations/defender/sign-in.js';
import { createMailSender } from '../../src/integrations/mail/sender.js';
import { createMailboxClient } from '../../src/integrations/mailbox/client.js';
import { createPhoneClient } from '../../src/integrations/phone/client.js';

/*
 * A program of its own, because Node reads NODE_EXTRA_CA_CERTS when it starts: every client says something to the server at the
 * port that its argument names (`defender=8443`). What comes of it is seen there.
 */

const timeoutMs = 3_000;

const callers: Record<string, (port: string) => Promise<unknown>> = {
  defender: (port) => {
    const signIn = { token: () => Promise.resolve('secret') };
    const client = createDefenderClient({ signIn, timeoutMs, maxInFlightPerTenant: 1 });
    return client.getMachine({ tenantId: randomUUID(), apiBase: `https://127.0.0.1:${port}` }, 'machine');
  },
  entra: (port) =>
    createSignIn({
      clientId: randomUUID(),
      credential: { secret: 'secret' },
      tokenEndpoint: `https://127.0.0.1:${port}/{tenantid}/oauth2/v2.0/token`,
      timeoutMs,
    }).token(randomUUID()),
  imap: (port) => createMailboxClient({ imapUrl: `imaps://soc:secret@127.0.0.1:${port}`, timeoutMs }).open(),
  issuer: (port) => createTokenVerifier({ issuer: `https://127.0.0.1:${port}`, audience: 'a' })('a.b.c'),
  smtp: (port) => send(`smtps://soc:secret@127.0.0.1:${port}`),
  starttls: (port) => send(`smtp://soc:secret@127.0.0.1:${port}`),
  twilio: (port) =>
    createPhoneClient({
      accountSid: `AC${'0'.repeat(32)}`,
      authToken: 'secret',
      from: '+815012345678',
      apiBase: `https://127.0.0.1:${port}`,
      timeoutMs,
    }).getCall(`CA${'0'.repeat(32)}`),
};

async function send(smtpUrl: string): Promise<void> {
  const sender = createMailSender({ smtpUrl, from: 'soc@mimamori.example', timeoutMs });
  const mail = { messageId: '<a@b>', to: ['a@acme.example'], cc: [], subject: 's', text: 't', html: 'h', headers: {} };
  try {
    await sender.send(mail);
  } finally {
    sender.close();
  }
}

const given = process.argv.slice(2).map((argument) => argument.split('='));
await Promise.allSettled(
  given.map(async ([name = '', port = '']) => {
    await callers[name]?.(port);
  }),
);
process.exit(0);
