import assert from 'node:assert/strict';
import { once } from 'node:events';
import { ImapFlow } from 'imapflow';
import { startDovecot, type RunningDovecot } from '../support/dovecot.js';

describe('a real IMAP server', () => {
  let server: RunningDovecot;
  let client: ImapFlow;

  before(async function () {
    // The first time it is downloaded.
    this.timeout(120_000);
    server = await startDovecot();
  });

  after(() => server.stop());

  const make = (pass: string) =>
    new ImapFlow({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      auth: { user: server.user, pass },
      logger: false,
    });

  beforeEach(async () => {
    client = make(server.password);
    await client.connect();
  });
  afterEach(() => client.logout());

  it('lets in its user, nobody else', async () => {
    await assert.rejects(make('wrong').connect(), { authenticationFailed: true });
    assert.ok(client.authenticated);
  });

  it('tells an idling client of a mail, keeps its bytes, and moves it', async () => {
    await client.mailboxCreate('Processed');
    await client.mailboxOpen('INBOX');
    const told = once(client, 'exists');
    const idling = client.idle();
    const raw = Buffer.from('Subject: delivered\r\n\r\n\xe9\x80\r\n', 'latin1');
    await server.deliver(raw);
    await told;
    const message = await client.fetchOne('*', { source: true, uid: true });
    await idling;
    assert.ok(message !== false);
    assert.deepEqual(message.source, raw);
    const moved = await client.messageMove(String(message.uid), 'Processed', { uid: true });
    assert.deepEqual(moved !== false && [...(moved.uidMap ?? [])], [[message.uid, 1]]);
    assert.equal((await server.folder('INBOX')).length, 0);
    assert.match((await server.folder('Processed'))[0] ?? '', /^Subject: delivered/);
  });

  it('holds what was delivered before anybody looked', async () => {
    await server.deliverMany(['Subject: one\r\n\r\n', 'Subject: two\r\n\r\n']);
    await server.deliver('Subject: three\r\n\r\n', 'Elsewhere');
    const status = await client.status('INBOX', { messages: true });
    assert.equal(status !== false && status.messages, 2);
    await client.mailboxOpen('Elsewhere');
    const message = await client.fetchOne('1', { envelope: true });
    assert.equal(message !== false && message.envelope?.subject, 'three');
  });
});
