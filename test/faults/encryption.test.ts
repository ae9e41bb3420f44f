import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSimulator, type Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import { toInstant } from '../../src/domain/time.js';
import { changeKeyFile } from '../../src/integrations/keys/key-file.js';
import { readKeyRing } from '../../src/integrations/keys/key-ring.js';
import { withoutKeysOf } from '../../src/integrations/keys/ring-changes.js';
import { TEXTS, verdict, type SimMail } from '../support/house.js';
import { Caller, type CallerReply } from './kill-caller.js';
import { castOf, customerOf } from './kill-cast.js';
import { freePort, Processes, TOKEN } from './kill-processes.js';

/*
 * The processes as they run in production, on a database that is looked into afterwards: what may not be in it, nor in
 * what they print. Before that the keys are exchanged under them, and a customer is forgotten.
 */

const cast = { ...castOf(7), customerId: 'planted', alertId: 'da-planted-1' };
const other = { ...castOf(8), customerId: 'neighbour', alertId: 'da-neighbour-1' };
const third = { ...castOf(9), customerId: 'keyless' };

const secrets = {
  defender: 'planted-secret-of-defender',
  twilio: 'planted-secret-of-twilio',
  smtp: 'planted-password-of-smtp',
  imap: 'planted-password-of-imap',
  mailTokens: 'planted-secret-of-the-mail-tokens',
  webhook: 'planted-secret-of-the-webhook',
};

/** What customers suffer, and who they are. */
const planted = {
  title: 'Planted title 怪しいローダー',
  description: 'Planted description of the loader',
  fileName: 'planted-invoice.exe',
  folder: 'planted-downloads',
  commandLine: 'planted.exe --beacon c2.planted.example',
  accountName: 'planted-account',
  device: 'pc-planted.planted.example',
  contact: '佐藤 花子',
  mailTo: 'soc-planted@customer.example',
  phones: ['+81399990001', '+81399990002'],
  analysis: 'ローダーが planted-analysis へ通信しました。',
  reply: '返信の本文です planted-reply',
  stranger: 'planted-stranger',
  strangerAddress: 'stranger@planted-elsewhere.example',
  release: 'planted-release 隔離を解除してください。',
  close: 'planted-close-reason',
  neighbour: 'planted-neighbour-title',
} as const;

const customers = [
  {
    ...customerOf(cast),
    name: 'プランテッド株式会社',
    language: 'ja' as const,
    mail: { to: [planted.mailTo] },
    contacts: [
      {
        id: 'sato',
        name: planted.contact,
        mail: planted.mailTo,
        phone: planted.phones[0],
        mayInstruct: true,
        ringOrder: 1,
      },
      { id: 'tanaka', name: '田中 planted-tanaka', phone: planted.phones[1], mayInstruct: true, ringOrder: 2 },
    ],
  },
  customerOf(other),
  { ...customerOf(third), defender: { tenantId: third.tenantId, pollIntervalSeconds: 10 } },
];

const incident = (id: string, command?: string) =>
  `/v1/incidents/${encodeURIComponent(id)}${command === undefined ? '' : `/${command}`}`;
const incidentId = `incident:${cast.customerId}:${cast.alertId}`;
const neighbourId = `incident:${other.customerId}:${other.alertId}`;

describe('a service whose Temporal holds ciphertext', function () {
  this.timeout(300_000);
  let simulator: Simulator;
  let processes: Processes;
  let caller: Caller;
  let auditFile: string;
  let hasFailed = false;

  before(async () => {
    simulator = await startSimulator({ defenderClientSecret: secrets.defender, twilioAuthToken: secrets.twilio });
    auditFile = join(process.cwd(), '.cache', `audit-${process.pid}.jsonl`);
    processes = await Processes.start({
      simulator,
      customers,
      isEncrypted: true,
      settings: {
        LOG_LEVEL: 'debug',
        API_METRICS_PORT: String(await freePort()),
        DEFENDER_CLIENT_SECRET: secrets.defender,
        TWILIO_AUTH_TOKEN: secrets.twilio,
        SMTP_URL: simulator.smtpUrl.replace('//', `//soc:${secrets.smtp}@`),
        IMAP_URL: `imap://soc:${secrets.imap}@127.0.0.1:${simulator.imapPort}`,
        MAIL_TOKEN_SECRET: secrets.mailTokens,
        MAIL_WEBHOOK_SECRET: secrets.webhook,
        AUDIT_FILE: auditFile,
      },
    });
    caller = new Caller(processes.url);
  });
  afterEach(function () {
    hasFailed ||= this.currentTest?.state === 'failed';
  });
  after(async () => {
    await processes.stop();
    await simulator.stop();
    if (!hasFailed) processes.forget();
  });

  async function control(method: string, path: string, json?: unknown) {
    const { status, text } = await send(method, `${simulator.url}${path}`, { json });
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  const get = (path: string): Promise<CallerReply> => caller.try({ method: 'GET', path });

  function incidentWhen(id: string, what: string, holds: (body: CallerReply['body']) => boolean) {
    return until(
      `${id}: ${what}`,
      async () => {
        const { status, body } = await caller.send({ method: 'GET', path: incident(id) });
        return status === 200 && holds(body) ? body : undefined;
      },
      90_000,
    );
  }

  const logged = (name: 'worker' | 'api', words: string): string | undefined =>
    processes.log(name).find((line) => line.includes(words));

  async function restartWith(write: () => void): Promise<void> {
    for (const name of ['api', 'worker'] as const) await processes.kill(name);
    write();
    await Promise.all([processes.restart('worker'), processes.restart('api')]);
  }

  it('serves a life of level 4 with mail, telephone, isolation, reply and release', async () => {
    const tenant = `/sim/tenants/${cast.tenantId}`;
    const [machineId] = cast.machineIds;
    await control('PATCH', `${tenant}/machines/${machineId}`, {
      computerDnsName: planted.device,
      isolationSeconds: 0.3,
    });
    const alert = await control('POST', `${tenant}/alerts`, {
      id: cast.alertId,
      title: planted.title,
      description: planted.description,
      machineId,
      computerDnsName: planted.device,
      severity: 'High',
      loggedOnUsers: [{ accountName: planted.accountName, domainName: 'PLANTED' }],
      evidence: [
        { entityType: 'File', fileName: planted.fileName, filePath: `C:\\Users\\${planted.folder}` },
        { entityType: 'Process', processCommandLine: planted.commandLine, accountName: planted.accountName },
      ],
    });
    await caller.command(`/v1/customers/${cast.customerId}/alerts`, alert, [200, 201]);
    const neighbours = {
      id: other.alertId,
      title: planted.neighbour,
      severity: 'High',
      machineId: other.machineIds[0],
    };
    const second = await control('POST', `/sim/tenants/${other.tenantId}/alerts`, neighbours);
    await caller.command(`/v1/customers/${other.customerId}/alerts`, second, [200, 201]);
    await caller.command(incident(incidentId, 'triage'), verdict(4, { analysis: planted.analysis }), [200]);
    await incidentWhen(incidentId, 'told, isolated, acknowledged', ({ duties }) => {
      const done = duties.filter(({ status }: { status: string }) => status === 'done');
      return ['mail', 'isolate', 'phone'].every((kind) => done.some((duty: { kind: string }) => duty.kind === kind));
    });
    const mails: SimMail[] = (await control('GET', '/sim/mails')).items;
    const primary = mails.find(({ headers }) => headers['x-mimamori-kind'] === 'primary');
    assert.ok(primary);
    assert.ok(primary.text.includes(planted.analysis), 'the customer reads it');
    const replyTo = primary.headers['message-id'];
    await control('POST', '/sim/mails', { from: `佐藤 花子 <${planted.mailTo}>`, replyTo, text: planted.reply });
    await control('POST', '/sim/mails', {
      from: planted.strangerAddress,
      to: 'soc@mimamori.example',
      subject: planted.stranger,
      text: planted.stranger,
    });
    const shown = await incidentWhen(incidentId, 'the reply is there', ({ customerMails }) => customerMails.length > 0);
    assert.ok(JSON.stringify(shown).includes('planted-reply'));
    await until('the stranger’s mail is held', async () => {
      const { body } = await get('/v1/mailbox/attention');
      return JSON.stringify(body).includes(planted.stranger) ? true : undefined;
    });
    const instruction = {
      by: 'sato',
      channel: 'phone',
      receivedAt: new Date().toISOString(),
      calledBackAt: new Date().toISOString(),
      words: planted.release,
    };
    await caller.command(incident(incidentId, 'release'), { instruction }, [200]);
    await incidentWhen(incidentId, 'given back', ({ stage }) => stage === 'notified');
    await caller.command(incident(incidentId, 'close'), { reason: planted.close }, [200]);
    await incidentWhen(incidentId, 'closed', ({ stage }) => stage === 'closed');
  });

  it('says of a customer that there never was what it says of any other', async () => {
    for (const [path, code] of [
      ['/v1/devices/nobody/0/acknowledge', 'unknown-device'],
      ['/v1/incidents/incident:nobody:0/close', 'unknown-incident'],
      ['/v1/inquiries/inquiry:nobody:0/close', 'unknown-inquiry'],
      ['/v1/exclusions/exclusion:nobody:0/withdraw', 'unknown-exclusion'],
    ] as const) {
      const { status, body } = await caller.try({ method: 'POST', path, body: { reason: 'r' } });
      assert.deepEqual([status, body.code], [404, code], path);
    }
  });

  it('reads nothing with other keys, says so, stays up, and goes on with the right ones', async () => {
    const right = readFileSync(processes.keysFile, 'utf8');
    const { keys } = readKeyRing(processes.keysFile);
    const wrong = keys.map((key) => ({ ...key, secret: randomBytes(32).toString('base64') }));
    await restartWith(() => writeFileSync(processes.keysFile, JSON.stringify({ keys: wrong })));
    for (const name of ['worker', 'api'] as const) {
      const line = await until(
        `${name} says so`,
        () => logged(name, 'Temporal holds what cannot be read here'),
        30_000,
      );
      for (const keyId of ['planted.1', 'neighbour.1']) assert.ok(line.includes(keyId), line);
    }
    const answer = await until('it is told which key is missing', async () => {
      const reply = await get(incident(neighbourId));
      return reply.body.code === 'key-missing' ? reply : undefined;
    });
    assert.equal(answer.status, 503);
    assert.match(String(answer.body.detail), /key neighbour\.1/);
    const list = await get('/v1/incidents');
    assert.equal(list.status, 200);
    assert.deepEqual(
      list.body.items.map(({ attention }: { attention: string[] }) => attention.includes('unreadable-summary')),
      [true, true],
    );
    assert.ok(!JSON.stringify(list.body).includes('planted-neighbour'));
    for (const path of ['/v1/queue', '/v1/feeds', '/v1/devices', '/v1/exclusions', '/v1/inquiries']) {
      assert.equal((await get(path)).status, 200, path);
    }
    // The worker meets what it cannot read: it says so, and goes on.
    await until(
      'the worker fails at a step, and says where',
      // What Temporal's SDK says of it.
      () => processes.log('worker').find((line) => /"error":\{[^}]*encrypted with[^}]*"stack":/.test(line)),
      60_000,
    );
    assert.deepEqual(processes.fallen, []);

    await restartWith(() => writeFileSync(processes.keysFile, right));
    await caller.command(incident(neighbourId, 'triage'), verdict(2), [200]);
    await incidentWhen(neighbourId, 'told', ({ stage }) => stage === 'notified');
    assert.equal((await get(incident(incidentId))).body.stage, 'closed');
    assert.deepEqual(processes.fallen, []);
  });

  it('forgets a customer, and nothing else', async () => {
    const refused = await processes.run('forget', [cast.customerId, '--yes']);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /planted is in .*customers\.yaml: feeds and mails would go on/);

    const late = await control('POST', `/sim/tenants/${cast.tenantId}/alerts`, {
      id: 'da-planted-2',
      severity: 'High',
      machineId: cast.machineIds[1],
    });
    await caller.command(`/v1/customers/${cast.customerId}/alerts`, late, [200, 201]);
    const lateId = `incident:${cast.customerId}:da-planted-2`;
    await caller.command(incident(lateId, 'triage'), verdict(3), [200]);
    await incidentWhen(lateId, 'isolated', ({ stage }) => stage === 'awaiting-release');
    processes.writeCustomers(customers.slice(1));
    for (const name of ['worker', 'api'] as const) {
      await until(`${name} knows the new file`, () => logged(name, 'the customers file was read again'), 20_000);
    }
    const unasked = await processes.run('forget', [cast.customerId]);
    assert.equal(unasked.code, 1);
    assert.match(unasked.output, /incident:planted:da-planted-2 {2}\(awaiting-release, level 3\)/);
    assert.match(unasked.output, /THEY STAY CUT OFF FROM THE NETWORK/);
    assert.match(unasked.output, new RegExp(`device:planted:${cast.machineIds[1]} .*isolation isolated`));
    assert.match(unasked.output, /Nobody is here to be asked/);
    assert.equal((await get(incident(lateId))).status, 200);

    const before = readFileSync(processes.keysFile, 'utf8');
    const done = await processes.run('forget', [cast.customerId, '--yes']);
    assert.equal(done.code, 0, done.output);
    assert.match(done.output, /The keys of planted are destroyed: planted\.1\./);
    for (const { secret } of readKeyRing(processes.keysFile).keys) assert.ok(!done.output.includes(secret));
    await until('nobody reads it any more', async () => {
      const { status, body } = await get(incident(lateId));
      return status === 503 && body.code === 'key-missing' ? true : undefined;
    });
    for (const id of [incidentId, lateId]) {
      const { status, body } = await get(incident(id));
      assert.deepEqual([status, body.code], [503, 'key-missing'], id);
      assert.match(String(body.detail), /the keys of planted were destroyed at 20/);
    }
    const list = await get('/v1/incidents');
    assert.equal(list.status, 200);
    assert.ok(!JSON.stringify(list.body).includes('怪しい'));
    const readable = list.body.items.filter(
      ({ attention }: { attention: string[] }) => !attention.includes('unreadable-summary'),
    );
    assert.deepEqual(
      readable.map(({ id }: { id: string }) => id),
      [neighbourId],
    );
    // Nobody can do anything about it: analysts are not asked to.
    assert.ok(!JSON.stringify((await get('/v1/queue')).body).includes('planted'));
    for (const path of [
      '/v1/feeds',
      '/v1/devices',
      '/v1/inquiries',
      '/v1/exclusions',
      '/v1/mailbox',
      '/v1/mailbox/attention',
    ]) {
      assert.equal((await get(path)).status, 200, path);
    }

    // A mail into a conversation that nobody can read keeps no other mail waiting.
    const mails: SimMail[] = (await control('GET', '/sim/mails')).items;
    const old = mails.find(
      ({ headers }) => headers['x-mimamori-kind'] === 'primary' && headers['x-mimamori-incident'] === lateId,
    );
    assert.ok(old);
    await control('POST', '/sim/mails', {
      from: planted.mailTo,
      replyTo: old.headers['message-id'],
      text: 'late words',
    });
    const primary = mails.find(
      ({ headers }) => headers['x-mimamori-kind'] === 'primary' && headers['x-mimamori-incident'] === neighbourId,
    );
    const from = other.mailTo;
    await control('POST', '/sim/mails', { from, replyTo: primary?.headers['message-id'], text: 'planted-question' });
    await incidentWhen(neighbourId, 'has its mail', ({ customerMails }) => customerMails.length > 0);
    await until('the mailbox is empty', async () => {
      const { folders } = await control('GET', '/sim/mailbox');
      return (folders['INBOX'] ?? []).length === 0 ? true : undefined;
    });
    // Where the keys are in the environment, somebody has to take them out.
    const settings = { ENCRYPTION_KEYS_FILE: '', ENCRYPTION_KEYS: before };
    const byHand = await processes.run('forget', [cast.customerId, '--yes'], settings);
    assert.equal(byHand.code, 0, byHand.output);
    // Of theirs at most the late mail is there, held for somebody to look at.
    assert.match(
      byHand.output,
      /(?:Nothing of planted runs\.|will be ended:\n {2}held-mail:[0-9a-f]{32})\n(?:0 workflows were|1 workflow was) ended\./,
    );
    assert.match(
      byHand.output,
      /take planted\.1 out of "keys"[^]*add \{"scope":"planted","at":"20[^]*restart every worker/,
    );
    const again = await processes.run('keys');
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /No key was missing/);
    processes.writeCustomers(customers);
    const back = await processes.run('keys');
    assert.equal(back.code, 1);
    assert.match(back.output, /The keys of planted were destroyed: nobody gets new ones under that id/);
    assert.deepEqual(processes.fallen, []);
    await caller.command(incident(neighbourId, 'close'), { reason: 'cleaned' }, [200]);
    await incidentWhen(neighbourId, 'closed', ({ stage }) => stage === 'closed');
    assert.deepEqual(processes.fallen, []);
  });

  it('goes on for everybody else when a key is destroyed under work that runs', async () => {
    const feedsOf = async () => {
      const { status, body } = await get('/v1/feeds');
      assert.equal(status, 200);
      return new Map<string, string>(
        body.items.map((feed: { customerId: string; state: string }) => [feed.customerId, feed.state]),
      );
    };
    assert.equal((await feedsOf()).get(third.customerId), 'running');
    changeKeyFile(processes.keysFile, (ring) => ({
      ring: withoutKeysOf(ring, third.customerId, toInstant(Date.now())),
    }));
    // The feed's activity cannot be started any more, and its failure not be kept in words of its own.
    const told = (line: string) =>
      line.includes('ActivityTask.start') && line.includes('the keys of keyless were destroyed');
    await until(
      'the worker has met it, and tried again',
      () => processes.log('worker').filter(told).length >= 2 || undefined,
      60_000,
    );
    assert.deepEqual(processes.fallen, []);
    const feeds = await feedsOf();
    assert.deepEqual([feeds.get(third.customerId), feeds.get(other.customerId)], ['running', 'running']);
    const alert = { id: 'da-neighbour-2', severity: 'High', machineId: other.machineIds[1] };
    const raised = await control('POST', `/sim/tenants/${other.tenantId}/alerts`, alert);
    await caller.command(`/v1/customers/${other.customerId}/alerts`, raised, [200, 201]);
    await incidentWhen(`incident:${other.customerId}:da-neighbour-2`, 'is there', ({ partial }) => partial !== true);
    assert.equal((await get(`/v1/customers/${third.customerId}`)).status, 200);
    assert.deepEqual(processes.fallen, []);
  });

  it('leaves nothing of it in the database, and no secret anywhere', async () => {
    const pages: [string, Buffer][] = [];
    for (const path of ['/docs', '/docs/', '/openapi.json', '/v1/audit', '/readyz']) {
      const response = await fetch(`${processes.url}${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
      pages.push([path, Buffer.from(await response.arrayBuffer())]);
    }
    await processes.stop();
    const printed = (['worker', 'api', 'temporal'] as const).map((name): [string, Buffer] => [
      `what ${name} has printed`,
      readFileSync(processes.logFile(name)),
    ]);
    const database = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm']
      .map((name) => join(processes.dataDir, name))
      .filter((file) => existsSync(file))
      .map((file): [string, Buffer] => [file, readFileSync(file)]);
    const audit: [string, Buffer][] = existsSync(auditFile) ? [['the audit file', readFileSync(auditFile)]] : [];
    assert.ok(audit.length === 1 && printed.every(([, bytes]) => bytes.length > 0) && database.length > 0);

    const { keys } = readKeyRing(processes.keysFile);
    const needles: [string, Buffer][] = [
      ...[...Object.values(secrets), TOKEN, ...keys.map(({ secret }) => secret)].map((text): [string, Buffer] => [
        text,
        Buffer.from(text),
      ]),
      ...keys.map(({ id, secret }): [string, Buffer] => [`the bytes of ${id}`, Buffer.from(secret, 'base64')]),
    ];
    const found: string[] = [];
    const look = (places: [string, Buffer][], words: [string, Buffer][]) => {
      for (const [place, bytes] of places) {
        for (const [what, needle] of words) if (bytes.includes(needle)) found.push(`${what} in ${place}`);
      }
    };
    look([...pages, ...printed, ...database, ...audit], needles);
    const words = [
      ...Object.values(planted).flat(),
      ...Object.values(TEXTS),
      '佐藤',
      'planted-tanaka',
      '怪しい',
      other.mailTo,
    ].map((text) => [text, Buffer.from(text)] as [string, Buffer]);
    look(database, words);
    look(printed, words);
    assert.deepEqual(found, []);
    // The search finds what is there: ids are plain.
    const isThere = (text: string) => database.some(([, bytes]) => bytes.includes(text));
    for (const text of [incidentId, cast.machineIds[0], 'planted.1']) assert.ok(isThere(text), text);
  });
});
