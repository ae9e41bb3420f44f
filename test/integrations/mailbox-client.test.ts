import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { z } from 'zod';
import { startSimulator, type Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import {
  createMailboxClient,
  MailboxError,
  type MailboxOptions,
  type OpenMailbox,
} from '../../src/integrations/mailbox/client.js';
import { startDovecot } from '../support/dovecot.js';

/*
 * The same must hold against the simulator and against a real server; what only one of the two can do is asserted there alone.
 */

interface MailServer {
  imapUrl: string;
  deliver: (raw: string) => Promise<void>;
  /** The subjects of the mails in a folder. */
  subjects: (folder: string) => Promise<string[]>;
  /** Has the next sign-in fail, where anybody would be let in. */
  refuseNext: () => Promise<void>;
  stop: () => Promise<void>;
}

const foldersSchema = z.object({
  folders: z.record(z.string(), z.array(z.object({ subject: z.string().nullable() }))),
});

function control(simulator: Simulator, method: string, path: string, json?: unknown) {
  return send(method, `${simulator.url}/sim/${path}`, {
    headers: { 'Content-Type': 'application/json' },
    ...(json === undefined ? {} : { json }),
  });
}

function ofSimulator(simulator: Simulator): MailServer {
  return {
    imapUrl: simulator.imapUrl,
    deliver: async (raw) => {
      await control(simulator, 'POST', 'mails', { raw });
    },
    async subjects(folder) {
      const { folders } = (await control(simulator, 'GET', 'mailbox')).json(foldersSchema);
      return (folders[folder] ?? []).map(({ subject }) => subject ?? '');
    },
    refuseNext: async () => {
      await control(simulator, 'POST', 'faults', { target: 'imap', path: 'AUTHENTICATE', status: 401 });
    },
    stop: () => simulator.stop(),
  };
}

async function simulated(): Promise<MailServer> {
  return ofSimulator(await startSimulator());
}

async function dovecot(): Promise<MailServer> {
  const server = await startDovecot();
  return {
    imapUrl: server.imapUrl,
    deliver: (raw) => server.deliver(raw),
    subjects: async (folder) => (await server.folder(folder)).map((raw) => /^Subject: (.*?)\r?$/m.exec(raw)?.[1] ?? ''),
    refuseNext: () => Promise.resolve(),
    stop: () => server.stop(),
  };
}

function mail(subject: string, text = 'A word.'): string {
  return `From: sato@acme.example\r\nSubject: ${subject}\r\n\r\n${text}\r\n`;
}

const never = new AbortController().signal;

for (const [name, start] of [
  ['the simulator', simulated],
  ['Dovecot', dovecot],
] as const) {
  describe(`the client of a mailbox, at ${name}`, () => {
    let server: MailServer;
    const sessions: OpenMailbox[] = [];

    before(async function () {
      // The first time Dovecot is downloaded.
      this.timeout(120_000);
      server = await start();
    });
    let isStopped = false;
    after(async () => {
      if (!isStopped) await server.stop();
    });
    afterEach(() => {
      for (const session of sessions.splice(0)) session.close();
    });

    async function open(options: Partial<MailboxOptions> = {}): Promise<OpenMailbox> {
      const session = await createMailboxClient({ imapUrl: server.imapUrl, ...options }).open();
      sessions.push(session);
      return session;
    }

    it('makes the folders that are missing, and finds them again', async () => {
      for (const session of [await open(), await open()]) assert.deepEqual(await session.waiting(10), []);
      assert.deepEqual([await server.subjects('Processed'), await server.subjects('Attention')], [[], []]);
    });

    it('lists what waits, oldest first, reads it whole or its beginning, and moves it', async () => {
      const raws = ['first', 'second', 'third'].map((subject) => mail(subject, 'é'.repeat(100)));
      for (const raw of raws) await server.deliver(raw);
      const session = await open();
      const waiting = await session.waiting(2);
      assert.deepEqual(
        waiting.map(({ sizeBytes }) => sizeBytes),
        raws.slice(0, 2).map((raw) => Buffer.byteLength(raw)),
      );
      for (const { receivedAt } of waiting) assert.ok(Math.abs(Date.now() - Date.parse(receivedAt)) < 60_000);
      const [first, second] = waiting.map(({ uid }) => uid);
      assert.ok(first !== undefined && second !== undefined);
      assert.equal((await session.read(first, 1_000_000))?.toString(), raws[0]);
      assert.equal((await session.read(second, 40))?.toString(), raws[1]?.slice(0, 40));
      await session.move([first], 'Processed');
      await session.move([second], 'Attention');
      assert.deepEqual(
        [await server.subjects('INBOX'), await server.subjects('Processed'), await server.subjects('Attention')],
        [['third'], ['first'], ['second']],
      );
      const [last] = await session.waiting(10);
      await session.move([last?.uid ?? 0], 'Processed');
      assert.deepEqual(await session.waiting(10), []);
    });

    it('takes a mail that is gone for gone: moved by another session, or never there', async () => {
      await server.deliver(mail('wanted twice'));
      const [one, other] = [await open(), await open()];
      const [[seen], [alsoSeen]] = [await one.waiting(10), await other.waiting(10)];
      assert.ok(seen !== undefined && seen.uid === alsoSeen?.uid);
      await one.move([seen.uid], 'Processed');
      await other.move([seen.uid], 'Processed');
      assert.equal(await other.read(seen.uid, 1_000), undefined);
      assert.equal(await other.read(4_000_000, 1_000), undefined);
      assert.deepEqual(await other.waiting(10), []);
      assert.equal((await server.subjects('Processed')).filter((subject) => subject === 'wanted twice').length, 1);
    });

    it('hears of a mail that comes while it waits', async () => {
      const session = await open();
      assert.deepEqual(await session.waiting(10), []);
      const news = session.news(20_000, never);
      await server.deliver(mail('news'));
      await news;
      const [waiting] = await session.waiting(10);
      await session.move([waiting?.uid ?? 0], 'Processed');
      assert.ok((await server.subjects('Processed')).includes('news'));
    });

    it('does not wait for news of a mail that it was told of before', async () => {
      const session = await open();
      assert.deepEqual(await session.waiting(10), []);
      await server.deliver(mail('told before'));
      await until('the server tells of it in answer to something else', async () => {
        await session.read(4_000_000, 1_000);
        return (await server.subjects('INBOX')).length > 0 ? true : undefined;
      });
      // Servers look at their folders now and then.
      await session.read(4_000_000, 1_000);
      const startedMs = performance.now();
      await session.news(20_000, never);
      assert.ok(performance.now() - startedMs < 10_000);
      const [waiting] = await session.waiting(10);
      await session.move([waiting?.uid ?? 0], 'Processed');
    });

    it('waits no longer than it may, and stops when it is told to', async () => {
      const session = await open();
      await session.news(50, never);
      const over = new AbortController();
      const waiting = session.news(20_000, over.signal);
      over.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
    });

    it('says that the sign-in was refused, without the password', async () => {
      const url = new URL(server.imapUrl);
      url.password = 'wrong-password-%40';
      url.username = 'nobody';
      await server.refuseNext();
      await assert.rejects(open({ imapUrl: url.href }), (error) => {
        assert.ok(error instanceof MailboxError);
        assert.match(error.message, /refused the sign-in/);
        assert.doesNotMatch(`${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`, /wrong-password/);
        return true;
      });
    });

    it('says that nobody listens any more', async () => {
      const session = await open();
      const waiting = session.news(20_000, never);
      const lost = assert.rejects(waiting, MailboxError);
      isStopped = true;
      await server.stop();
      await lost;
      await assert.rejects(session.waiting(10), MailboxError);
      await assert.rejects(open({ timeoutMs: 1_000 }), MailboxError);
    });
  });
}

describe('the client of a mailbox', () => {
  let simulator: Simulator;
  const signIns: string[] = [];
  before(async () => {
    simulator = await startSimulator({
      watch: (moment) => {
        if (moment.kind === 'request' && moment.phase === 'done') signIns.push(moment.path);
        return Promise.resolve('go-on');
      },
    });
  });
  after(() => simulator.stop());

  it('loses a connection whose UIDs hold no longer, and finds the mails under their new ones', async () => {
    const server = ofSimulator(simulator);
    for (const subject of ['one', 'other']) await server.deliver(mail(subject));
    const client = createMailboxClient({ imapUrl: simulator.imapUrl });
    const session = await client.open();
    const before = await session.waiting(10);
    await control(simulator, 'POST', 'mailbox/uidvalidity');
    await assert.rejects(async () => {
      for (;;) await session.waiting(10);
    }, MailboxError);
    const again = await client.open();
    try {
      const after = await again.waiting(10);
      assert.deepEqual(
        after.map(({ uid }) => uid),
        before.map(({ uid }) => uid + 1),
      );
      await again.move([after[0]?.uid ?? 0], 'Processed');
      assert.deepEqual([await server.subjects('INBOX'), await server.subjects('Processed')], [['other'], ['one']]);
    } finally {
      again.close();
    }
  });

  it('signs in with a token where it has one, asked for anew for each connection', async () => {
    let asked = 0;
    const client = createMailboxClient({
      imapUrl: simulator.imapUrl,
      accessToken: () => Promise.resolve(`token-${(asked += 1)}`),
    });
    for (let time = 0; time < 2; time += 1) (await client.open()).close();
    assert.equal(asked, 2);
    assert.equal(signIns.filter((path) => path.startsWith('AUTHENTICATE XOAUTH2')).length, 2);
  });

  it('says nothing in the clear to another machine: where no STARTTLS is offered it does not sign in', async () => {
    const said: string[] = [];
    // A server of the old kind. Every address of 127/8 is this machine; a name that is none of those that mean it is another.
    const plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LOGIN] ready\r\n');
      socket.on('data', (bytes) => {
        said.push(bytes.toString());
        for (const line of bytes
          .toString()
          .split('\r\n')
          .filter((text) => text !== '')) {
          socket.write(`${line.split(' ')[0] ?? '*'} OK done\r\n`);
        }
      });
    }).listen(0, '0.0.0.0');
    await new Promise((resolve) => plain.once('listening', resolve));
    const address = plain.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      const client = createMailboxClient({
        imapUrl: `imap://mailbox:secret-word@0.0.0.0:${address.port}`,
        timeoutMs: 5_000,
      });
      await assert.rejects(client.open(), MailboxError);
      assert.doesNotMatch(said.join(''), /LOGIN|AUTHENTICATE|secret-word/);
    } finally {
      plain.close();
    }
  });

  it('refuses what is no address of a mailbox, without quoting it', () => {
    for (const imapUrl of ['http://mailbox:secret-word@mail.example', 'secret-word']) {
      assert.throws(
        () => createMailboxClient({ imapUrl }),
        (error) => error instanceof TypeError && !error.message.includes('secret-word'),
      );
    }
  });
});
