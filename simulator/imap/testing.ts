import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { z } from 'zod';
import type { Bench } from '../testing.js';

export const putSchema = z.object({ messageId: z.string().nullable(), uid: z.int() });

const mailSchema = z.object({
  uid: z.int(),
  messageId: z.string().nullable(),
  from: z.string(),
  subject: z.string(),
  flags: z.array(z.string()),
  receivedAt: z.iso.datetime(),
  sizeBytes: z.int(),
});

const mailboxSchema = z.object({ folders: z.record(z.string(), z.array(mailSchema)) });

/** Clients of one test, and what they leave behind. */
export class Clients {
  readonly #open: ImapFlow[] = [];

  constructor(private readonly bench: Bench) {}

  make(options: Partial<ImapFlowOptions> = {}): ImapFlow {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: this.bench.simulator.imapPort,
      secure: false,
      auth: { user: 'mailbox', pass: 'password' },
      logger: false,
      ...options,
    });
    // What fails is seen in what was asked for; the event alone would end the process.
    client.on('error', () => undefined);
    this.#open.push(client);
    return client;
  }

  async connected(options: Partial<ImapFlowOptions> = {}): Promise<ImapFlow> {
    const client = this.make(options);
    await client.connect();
    return client;
  }

  /** With the INBOX open. */
  async inInbox(): Promise<ImapFlow> {
    const client = await this.connected();
    await client.mailboxOpen('INBOX');
    return client;
  }

  closeAll(): void {
    for (const client of this.#open.splice(0)) client.close();
  }
}

export const put = async (bench: Bench, mail: Record<string, unknown> = {}): Promise<z.infer<typeof putSchema>> => {
  const body = 'raw' in mail || 'rawBase64' in mail ? mail : { from: 'sato@acme.example', subject: 'Hello', ...mail };
  return (await bench.control('POST', '/mails', body)).json(putSchema);
};

export const folders = async (bench: Bench): Promise<z.infer<typeof mailboxSchema>['folders']> =>
  (await bench.control('GET', '/mailbox')).json(mailboxSchema).folders;
