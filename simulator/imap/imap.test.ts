import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { ImapFlow } from 'imapflow';
import { Bench, until } from '../testing.js';
import { Clients, folders, put } from './testing.js';

describe('IMAP', () => {
  let bench: Bench;
  let clients: Clients;

  before(async () => {
    bench = await Bench.start();
    clients = new Clients(bench);
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));
  afterEach(() => clients.closeAll());

  const subjectOf = async (client: ImapFlow, uid: number): Promise<string | undefined> => {
    const message = await client.fetchOne(String(uid), { envelope: true }, { uid: true });
    return message === false ? undefined : message.envelope?.subject;
  };

  it('lets anybody sign in, in three ways', async () => {
    for (const auth of [
      { user: 'a', pass: 'b "c" \\' },
      { user: 'a', pass: '日本', loginMethod: 'LOGIN' },
      { user: 'a', accessToken: 'token' },
    ]) {
      const client = await clients.connected({ auth });
      assert.equal(client.authenticated, true);
      await client.logout();
    }
    const requests = (await bench.control('GET', '/requests?target=imap')).text;
    for (const path of ['"AUTHENTICATE PLAIN"', '"LOGIN a"', '"AUTHENTICATE XOAUTH2"'])
      assert.ok(requests.includes(path));
    assert.ok(!requests.includes('token"'));
  });

  it('has folders, and makes more', async () => {
    const client = await clients.connected();
    assert.equal((await client.mailboxCreate('Processed')).created, true);
    assert.equal((await client.mailboxCreate('Processed')).created, false);
    await client.mailboxCreate('処理済み/2026');
    assert.deepEqual(
      (await client.list()).map(({ path }) => path),
      ['INBOX', 'Processed', '処理済み/2026'],
    );
    await put(bench);
    const status = await client.status('INBOX', { messages: true, unseen: true, uidNext: true });
    assert.deepEqual([status !== false && status.messages, status !== false && status.uidNext], [1, 2]);
    await client.mailboxDelete('Processed');
    await assert.rejects(client.mailboxOpen('Processed'));
  });

  it('tells an idling client of a new mail at once', async () => {
    const client = await clients.inInbox();
    const told = once(client, 'exists');
    void client.idle();
    await until('an idling client', () => client.idling || undefined);
    await put(bench);
    await told;
    assert.equal(client.mailbox !== false && client.mailbox.exists, 1);
  });

  it('tells an idling client of a mail that another one has taken away', async () => {
    await put(bench, { subject: 'first' });
    await put(bench, { subject: 'second' });
    const [idling, other] = [await clients.inInbox(), await clients.inInbox()];
    const told = new Promise<number>((resolve) => idling.once('expunge', ({ seq }) => resolve(seq ?? 0)));
    void idling.idle();
    await until('an idling client', () => idling.idling || undefined);
    await other.messageDelete('1', { uid: true });
    assert.equal(await told, 1);
    assert.equal(await subjectOf(idling, 2), 'second');
  });

  it('keeps every byte of a mail', async () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const head = Buffer.from(
      'Subject: \x1b$B%F%9%H\x1b(B\r\nFrom: =?UTF-8?B?5L2Q6Jek?= <sato@acme.example>\r\n\r\n',
      'latin1',
    );
    const mail = Buffer.concat([head, everyByte, Buffer.from('\r\n.\r\n* 1 EXISTS\r\n{3}\r\n')]);
    const { uid } = await put(bench, { rawBase64: mail.toString('base64') });
    const client = await clients.inInbox();
    const fetched = await client.fetchOne(
      String(uid),
      { source: true, envelope: true, size: true, internalDate: true, flags: true, headers: ['FROM', 'X-None'] },
      { uid: true },
    );
    assert.ok(fetched !== false);
    assert.deepEqual(fetched.source, mail);
    assert.equal(fetched.size, mail.length);
    assert.deepEqual(fetched.envelope?.from, [{ name: '佐藤', address: 'sato@acme.example' }]);
    assert.equal(fetched.headers?.toString(), 'From: =?UTF-8?B?5L2Q6Jek?= <sato@acme.example>\r\n\r\n');
    assert.equal(fetched.flags?.size, 0);
    assert.ok(fetched.internalDate instanceof Date && Math.abs(Date.now() - fetched.internalDate.getTime()) < 60_000);
    const part = await client.fetchOne(String(uid), { source: { start: head.length, maxLength: 256 } }, { uid: true });
    assert.deepEqual(part !== false && part.source, everyByte);
  });

  it('moves a mail and says where it is now', async () => {
    const client = await clients.inInbox();
    await client.mailboxCreate('Processed');
    await put(bench, { subject: 'stays' });
    const { uid } = await put(bench, { subject: 'goes' });
    await client.noop();
    const moved = await client.messageMove(String(uid), 'Processed', { uid: true });
    assert.deepEqual(moved !== false && [...(moved.uidMap ?? [])], [[uid, 1]]);
    const held = await folders(bench);
    assert.deepEqual([held['INBOX']?.length, held['Processed']?.[0]?.subject], [1, 'goes']);
    const again = await client.messageMove(String(uid), 'Processed', { uid: true });
    assert.equal(again !== false && again.uidMap, undefined);
    assert.equal(await client.messageMove('1', 'Nowhere', { uid: true }).catch(() => false), false);
  });

  it('copies, flags, finds and deletes', async () => {
    const client = await clients.inInbox();
    await client.mailboxCreate('Copies');
    await put(bench, { subject: 'one' });
    await put(bench, { subject: '二つ目' });
    await client.noop();
    await client.messageFlagsAdd('2', ['\\Seen', '$Judged']);
    await client.messageFlagsRemove('2', ['$Judged']);
    const copied = await client.messageCopy('1:2', 'Copies');
    assert.deepEqual(copied !== false && [...(copied.uidMap ?? []).values()], [1, 2]);
    assert.deepEqual((await folders(bench))['Copies']?.[1]?.flags, ['\\Seen']);
    const dayMs = 24 * 60 * 60 * 1000;
    assert.deepEqual(await client.search({ seen: false }, { uid: true }), [1]);
    assert.deepEqual(await client.search({ uid: '2:*', since: new Date(Date.now() - dayMs) }, { uid: true }), [2]);
    assert.deepEqual(await client.search({ before: new Date(Date.now() - dayMs) }, { uid: true }), []);
    assert.deepEqual(await client.search({ subject: '二つ' }, { uid: true }), [2]);
    assert.deepEqual(await client.search({ or: [{ seen: true }, { subject: 'one' }] }), [1, 2]);
    await client.messageDelete('1:*');
    assert.deepEqual((await folders(bench))['INBOX'], []);
  });

  it('takes a mail that a client puts there', async () => {
    const client = await clients.connected();
    const mail = Buffer.from('Subject: kept\r\n\r\n\xff\r\n', 'latin1');
    const appended = await client.append('INBOX', mail, ['\\Seen'], new Date('2026-11-04T01:02:03Z'));
    assert.equal(appended !== false && appended.uid, 1);
    const [kept] = (await folders(bench))['INBOX'] ?? [];
    assert.deepEqual(kept, {
      uid: 1,
      messageId: null,
      from: '',
      subject: 'kept',
      flags: ['\\Seen'],
      receivedAt: '2026-11-04T01:02:03.000Z',
      sizeBytes: mail.length,
    });
  });

  it('keeps the numbers of a client that reads while another one deletes', async () => {
    for (const subject of ['one', 'two', 'three']) await put(bench, { subject });
    const [reader, other] = [await clients.inInbox(), await clients.inInbox()];
    await other.messageDelete('1');
    const second = await reader.fetchOne('2', { envelope: true });
    assert.equal(second !== false && second.envelope?.subject, 'two');
    await reader.noop();
    const moved = await reader.fetchOne('2', { envelope: true });
    assert.equal(moved !== false && moved.envelope?.subject, 'three');
  });

  it('makes all uids void: who has the folder open is sent away, and finds other uids', async () => {
    for (const subject of ['one', 'two']) await put(bench, { subject });
    const client = await clients.inInbox();
    const before = client.mailbox !== false && client.mailbox.uidValidity;
    const closed = once(client, 'close');
    void client.idle().catch(() => undefined);
    await until('an idling client', () => client.idling || undefined);
    assert.equal((await bench.control('POST', '/mailbox/uidvalidity')).status, 200);
    await closed;
    const again = await clients.inInbox();
    assert.notEqual(again.mailbox !== false && again.mailbox.uidValidity, before);
    assert.deepEqual(await again.search({ all: true }, { uid: true }), [2, 3]);
    assert.equal(await subjectOf(again, 2), 'one');
  });

  it('is empty after a reset, with another UIDVALIDITY', async () => {
    await put(bench);
    const client = await clients.inInbox();
    const before = client.mailbox !== false && client.mailbox.uidValidity;
    await bench.control('POST', '/reset');
    const again = await clients.inInbox();
    assert.ok(again.mailbox !== false);
    assert.equal(again.mailbox.exists, 0);
    assert.notEqual(again.mailbox.uidValidity, before);
  });

  const talk = async (...lines: string[]): Promise<string> => {
    const socket = connect(bench.simulator.imapPort, '127.0.0.1');
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    const ended = once(socket, 'end');
    socket.write(lines.map((line) => `${line}\r\n`).join(''));
    await ended;
    return heard;
  };

  it('answers what it does not know with BAD, and goes on', async () => {
    const heard = await talk(
      'a DANCE',
      'b SELECT INBOX',
      'c FETCH (',
      '',
      'd LOGIN u p',
      'e FETCH 1 FLAGS',
      'f LOGOUT',
    );
    const answers = heard.split('\r\n').filter((line) => !line.startsWith('* OK'));
    assert.deepEqual(
      answers.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['a BAD', 'b BAD', 'c BAD', '* BAD', 'd OK', 'e BAD', '* BYE', 'f OK', ''],
    );
  });

  it('reads literals, both those that wait and those that do not', async () => {
    const heard = await talk('a LOGIN {2+}', 'me {4}', 'pass', 'b LIST "" {1+}', '%', 'c LOGOUT');
    assert.match(heard, /^\+ /m);
    assert.match(heard, /^a OK/m);
    assert.match(heard, /^\* LIST \(\\HasNoChildren\) "\/" "INBOX"/m);
  });
});
