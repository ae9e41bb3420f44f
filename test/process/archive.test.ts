import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { until } from '../../simulator/testing.js';
import { archiveActivities } from '../../src/activities/archive.js';
import type { CheckedChain, Head } from '../../src/domain/archive/entry.js';
import { ARCHIVER_ID, archiverStateSchema, openArchiver, type ArchiverState } from '../../src/domain/archive/state.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import { SealBroken, type Sealing } from '../../src/domain/sealing.js';
import { DAY_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import { pointerName } from '../../src/integrations/archive/names.js';
import { archiveHeads, ensureArchiver, readArchiver } from '../../src/temporal/archiver.js';
import { createApiClient } from '../../src/temporal/connect.js';
import { deliver, newsOf } from '../../src/temporal/delivery.js';
import { describe as describeRun } from '../../src/temporal/known.js';
import { House, instruction, MAILBOX_ADDRESS, verdict, type Reply } from '../support/house.js';
import { testKeyRing, testSealing } from '../support/keys.js';
import { startLocal } from '../support/temporal.js';

const LOOKS_EVERY_MS = 200;
/** The server deletes only what its queues have done with, and by itself notes that every 30 seconds. */
const FORGETS_AT_ONCE = ['transfer', 'visibility'].map((queue) => `history.${queue}ProcessorUpdateAckInterval="200ms"`);

function archivedIn(house: House, id: string, revision = 0) {
  return until(`${id} is in the archive`, async () => {
    const there = await house.openArchive().find(id);
    return there !== undefined && there.entry.revision > revision ? there : undefined;
  });
}

/** One of the tools, as somebody runs it by hand. */
function runTool(
  { address, namespace }: TestWorkflowEnvironment,
  { archiveFolder, customers }: House,
  other: NodeJS.ProcessEnv,
  tool: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', `src/${tool}.ts`, ...args],
      {
        env: {
          PATH: process.env['PATH'],
          TZ: 'America/New_York',
          TEMPORAL_ADDRESS: address,
          TEMPORAL_NAMESPACE: namespace,
          ARCHIVE_DIR: archiveFolder,
          ENCRYPTION_KEYS: testKeyRing('_service', ...customers.map(({ id }) => id)),
          ...other,
        },
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

describe('closed incidents that Temporal forgets', function () {
  this.timeout(90_000);
  let environment: TestWorkflowEnvironment;
  let house: House;
  let acme = '';
  before(async () => {
    environment = await startLocal(FORGETS_AT_ONCE);
    // A closed one ends at once, as it does after its days of lingering.
    house = await House.open({ environment, archiveEveryMs: LOOKS_EVERY_MS, service: { lingerMs: 0 } });
    acme = house.customer('acme');
  });
  after(async () => {
    await house.close();
    await environment.teardown();
  });

  const path = (id: string) => `/v1/incidents/${encodeURIComponent(id)}`;

  /** What the end of the retention does. */
  async function forget(id: string): Promise<void> {
    const { client } = environment;
    await client.workflowService.deleteWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: id },
    });
    await until(`${id} is forgotten`, async () => {
      if ((await describeRun(client, id)) !== undefined) return undefined;
      const { count } = await client.workflow.count(`WorkflowId = '${id}'`);
      return count === 0 ? true : undefined;
    });
  }

  /** Judged harmless and closed, archived, forgotten. */
  async function gone(
    partial: Record<string, unknown> = {},
    customerId = acme,
  ): Promise<{ id: string; alert: Reply['body']; revision: number }> {
    const { id, alert } = await house.alert(customerId, partial);
    await house.command(id, 'triage', verdict(1));
    const { entry } = await archivedIn(house, id);
    await forget(id);
    return { id, alert, revision: entry.revision };
  }

  /** Every page of a list. */
  async function listed(query: string, as: 'analyst' | 'bound' = 'analyst'): Promise<Reply['body'][]> {
    const items: Reply['body'][] = [];
    let token = '';
    do {
      const { status, body } = await house.get(`/v1/incidents?${query}${token}`, { as });
      assert.equal(status, 200, JSON.stringify(body));
      items.push(...body.items);
      token = body.nextPageToken === undefined ? '' : `&pageToken=${body.nextPageToken}`;
    } while (token !== '');
    return items;
  }

  /** The end of the customer's chain, as Temporal holds it. */
  function headAt(seq: number): Promise<Head> {
    return until(`Temporal holds entry ${seq}`, async () => {
      const head = (await archiveHeads(environment.client))?.[acme];
      return head?.seq === seq ? head : undefined;
    });
  }

  async function checked(): Promise<CheckedChain[]> {
    const chains: CheckedChain[] = [];
    for await (const chain of house.openArchive().check(await archiveHeads(environment.client))) chains.push(chain);
    return chains;
  }

  it('are read as they were, with every mail and instruction, and where they lie', async () => {
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    await house.command(id, 'release', { instruction: instruction({ words: 'Bitte freigeben' }) });
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    await house.command(id, 'close', { reason: 'cleaned' });
    const { related: _, ...closed } = await house.incident(id);
    const { entry, sha256, record } = await archivedIn(house, id);
    await forget(id);

    const reply = await house.get(path(id));
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    const { archived, archive, related: _now, ...shown } = reply.body;
    assert.deepEqual(shown, closed);
    assert.equal(archived, true);
    assert.deepEqual(archive, { seq: entry.seq, sha256, previous: entry.previous, archivedAt: entry.archivedAt });
    assert.equal(reply.headers.get('etag'), `"${closed.revision}"`);
    assert.equal((await headAt(entry.seq)).sha256, sha256);

    assert.equal(record.alert.alertId, alert.id);
    assert.deepEqual(
      record.orders.map(({ instruction: { words } }) => words),
      ['Bitte freigeben'],
    );
    const sent = (await house.mails(id)).map(({ headers, text }) => [
      headers['message-id'],
      createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex'),
    ]);
    const kept = Object.values(record.effects).map(({ messageId, textSha256 }) => [messageId, textSha256]);
    assert.equal(kept.length, 3);
    assert.deepEqual(kept.sort(), sent.sort());
  });

  it('come last in lists, once, by the same filters', async () => {
    const old = await gone({ machineId: 'm-archived', severity: 'High' });
    const there = await house.alert(acme, { machineId: 'm-archived', severity: 'Medium' });
    await house.command(there.id, 'triage', verdict(1));
    await archivedIn(house, there.id);
    const of = async (query: string) =>
      (await listed(`customer=${acme}&${query}`)).map(({ id, archived }) => [id, archived]);
    await until('both are listed', async () => ((await of('machine=m-archived')).length === 2 ? true : undefined));
    assert.deepEqual(await of('machine=m-archived'), [
      [there.id, undefined],
      [old.id, true],
    ]);
    assert.deepEqual(await of('machine=m-archived&limit=1'), [
      [there.id, undefined],
      [old.id, true],
    ]);
    assert.deepEqual(await of('machine=m-archived&level=3'), []);
    assert.deepEqual(await of('machine=m-archived&stage=notified'), []);
    assert.equal((await of('stage=closed&level=1')).filter(([id]) => id === old.id).length, 1);
  });

  it('are behind the walls of their customers', async () => {
    const foreign = await gone({}, house.customer('globex'));
    const own = await gone();
    assert.equal((await house.get(path(foreign.id), { as: 'bound' })).status, 404);
    assert.equal((await house.get(path(own.id), { as: 'bound' })).status, 200);
    const ids = (await listed('stage=closed', 'bound')).map(({ id }) => id);
    assert.ok(ids.includes(own.id));
    assert.ok(!ids.includes(foreign.id));
    // Also by a token that somebody else was given for the same list.
    const { body } = await house.get('/v1/incidents?stage=closed&limit=200');
    const borrowed = await house.get(`/v1/incidents?stage=closed&limit=200&pageToken=${body.nextPageToken}`, {
      as: 'bound',
    });
    assert.equal(borrowed.status, 422);
    assert.equal((await house.get(path(`incident:${acme}:never`))).body.code, 'unknown-incident');
  });

  it('are known when their alert comes again, by the API and by a feed', async () => {
    const { id, alert } = await gone();
    const again = await house.post(`/v1/customers/${acme}/alerts`, alert);
    assert.equal(again.status, 200);
    assert.deepEqual(again.body, { incidentId: id, created: false, stage: 'closed' });
    const policy = house.policies.find(acme);
    assert.ok(policy);
    const reach = { client: house.client, taskQueue: house.taskQueue, archive: house.openArchive() };
    for (const opens of [true, false]) {
      assert.deepEqual(
        await deliver(
          { ...reach, findExclusion: () => Promise.resolve(null) },
          acme,
          policy,
          newsOf(defenderAlertSchema.parse(alert)),
          { opens },
        ),
        { is: 'unchanged', incidentId: id, stage: 'closed' },
      );
    }
    assert.equal(await describeRun(environment.client, id), undefined);
  });

  it('go on with their record when their alert has become worse, and are archived once more', async () => {
    const { id, alert, revision } = await gone({ severity: 'Medium' });
    const worse = { ...alert, severity: 'High', lastUpdateTime: new Date().toISOString() };
    assert.deepEqual((await house.post(`/v1/customers/${acme}/alerts`, worse)).body, {
      incidentId: id,
      created: false,
      stage: 'closed',
    });
    const back = await archivedIn(house, id, revision);
    assert.ok(back.record.changedAfterCloseAt);
    assert.equal(back.record.verdicts.length, 1);
  });

  it('take no command but those that take them up again, with their record', async () => {
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(1), { headers: { 'Idempotency-Key': 'first' } });
    const { entry } = await archivedIn(house, id);
    await forget(id);
    const refused = await house.post(`${path(id)}/triage`, verdict(2), { headers: { 'If-Match': '"1"' } });
    assert.equal(refused.status, 409);
    assert.equal(refused.body.code, 'incident-closed');
    assert.match(refused.body.detail, /in the archive/);
    const repeated = await house.post(`${path(id)}/triage`, verdict(1), { headers: { 'Idempotency-Key': 'first' } });
    assert.equal(repeated.status, 200, JSON.stringify(repeated.body));
    assert.equal(await describeRun(environment.client, id), undefined);

    const reopened = await house.command(id, 'reopen', { reason: 'it came back' });
    assert.equal(reopened.stage, 'awaiting-triage');
    assert.equal(reopened.archived, undefined);
    assert.equal(reopened.alert.alertId, alert.id);
    assert.ok(reopened.timeline.some(({ type }: { type: string }) => type === 'verdict'));
    await house.command(id, 'triage', verdict(1, { analysis: 'the same again' }), {
      headers: { 'If-Match': `"${reopened.revision}"` },
    });
    const later = await archivedIn(house, id, entry.revision);
    assert.ok(later.entry.seq > entry.seq);
    assert.equal((await house.openArchive().at(acme, entry.seq))?.entry.incidentId, id);
  });

  it('are not those that the rules had never let in', async () => {
    const { id } = await house.alert(acme, { severity: 'Low' });
    await house.incidentWhen(id, 'closed', ({ stage }) => stage === 'closed');
    const after = await house.alert(acme);
    await house.command(after.id, 'triage', verdict(1));
    await archivedIn(house, after.id);
    assert.equal(await house.openArchive().findPlace(id), undefined);
  });

  it('wait for an archive that is away, and are caught up with', async () => {
    await gone();
    const aside = `${house.archiveFolder}.aside`;
    renameSync(house.archiveFolder, aside);
    writeFileSync(house.archiveFolder, 'no folder');
    // A young alert is taken in all the same: of such Temporal itself knows.
    const { id } = await house.alert(acme);
    await house.command(id, 'triage', verdict(1));
    await until('the trouble is seen', async () => {
      const { body } = await house.get(path(`incident:${acme}:unknown`));
      return body.code === 'archive-unavailable' ? true : undefined;
    });
    const old = await house.raise(acme, { alertCreationTime: new Date(Date.now() - 200 * DAY_MS).toISOString() });
    const refused = await house.post(`/v1/customers/${acme}/alerts`, old);
    assert.deepEqual([refused.status, refused.body.code], [503, 'archive-unavailable']);
    rmSync(house.archiveFolder);
    renameSync(aside, house.archiveFolder);
    await archivedIn(house, id);
  });

  it('are not taken for unknown while the archive is not mounted', async () => {
    const { id, alert, revision } = await gone({
      alertCreationTime: new Date(Date.now() - 200 * DAY_MS).toISOString(),
    });
    const { entry } = await archivedIn(house, id, revision - 1);
    await headAt(entry.seq);
    const aside = `${house.archiveFolder}.aside`;
    renameSync(house.archiveFolder, aside);
    const unavailable = async (reply: Promise<Reply>) => {
      const { status, body } = await reply;
      return status === 503 && body.code === 'archive-unavailable' ? true : undefined;
    };
    // What Temporal holds is asked for now and then.
    await until('the incident cannot be told', () => unavailable(house.get(path(id))), 30_000);
    assert.ok(await unavailable(house.post(`/v1/customers/${acme}/alerts`, alert)));
    await assert.rejects(listed('stage=closed'), /archive-unavailable/);
    const check = await run('archive-check');
    assert.equal(check.code, 1, check.out);
    assert.match(check.out, /the entry is missing/);
    await until('the trouble is seen', async () => {
      const why = (await readArchiver(environment.client))?.state?.trouble?.message ?? '';
      return why.includes('the archive is empty, and was not') ? true : undefined;
    });
    renameSync(aside, house.archiveFolder);
    assert.equal((await house.get(path(id))).status, 200);
  });

  it('are in no list that is taken for whole while a customer’s chain is not in the archive', async () => {
    const { revision, id } = await gone();
    const { entry } = await archivedIn(house, id, revision - 1);
    await headAt(entry.seq);
    const chain = join(house.archiveFolder, acme);
    renameSync(chain, `${house.archiveFolder}.aside`);
    await until(
      'the list cannot be told',
      async () => {
        const told = await listed(`customer=${acme}&stage=closed`).then(() => '', String);
        return told.includes('archive-unavailable') ? true : undefined;
      },
      30_000,
    );
    renameSync(`${house.archiveFolder}.aside`, chain);
    assert.ok((await listed(`customer=${acme}&stage=closed`)).some((row) => row.id === id));
  });

  const run = (tool: string, ...args: string[]) => runTool(environment, house, {}, tool, ...args);

  it('are written out whole and as a page in the customer’s language, open, ended or forgotten', async () => {
    const out = mkdtempSync(join(tmpdir(), 'mimamori-export-'));
    const title = '<script>alert("x")</script> PowerShell & Co';
    const { id } = await house.alert(acme, { title });
    const exported = async () => {
      const { code, err, out: said } = await run('export', id, '--out', out);
      assert.equal(code, 0, err);
      const [json = '', html = ''] = said.trim().split('\n');
      for (const file of [json, html]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
      return { json: JSON.parse(readFileSync(json, 'utf8')), html: readFileSync(html, 'utf8') };
    };
    const open = await exported();
    assert.equal(open.json.incident.stage, 'awaiting-triage');
    assert.match(open.html, /対応中/);

    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    await house.command(id, 'notes', { text: 'internal-note-of-the-soc' });
    await house.command(id, 'release', { instruction: instruction({ words: '隔離を<b>解除</b>してください' }) });
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');
    await house.command(id, 'close', { reason: 'cleaned' });
    const { entry, sha256 } = await archivedIn(house, id);
    const ended = await exported();
    assert.equal(ended.json.archive, null);
    await forget(id);

    const { json, html } = await exported();
    assert.deepEqual(json.archive, { seq: entry.seq, sha256, previous: entry.previous, archivedAt: entry.archivedAt });
    assert.deepEqual(json.record, ended.json.record);
    assert.equal(json.record.orders[0].instruction.words, '隔離を<b>解除</b>してください');
    assert.match(html, /<html[^>]* lang="ja"/);
    assert.ok(html.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; PowerShell &amp; Co'));
    assert.ok(html.includes('隔離を&lt;b&gt;解除&lt;/b&gt;してください'));
    assert.doesNotMatch(html, /<script|<b>解除/);
    assert.doesNotMatch(html, /internal-note-of-the-soc/);
    assert.ok(JSON.stringify(json).includes('internal-note-of-the-soc'));
    for (const part of [
      id,
      sha256,
      json.record.effects['mail:primary'].messageId.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      json.record.effects['mail:primary'].textSha256,
      'JST/Asia/Tokyo',
      '一次エスカレーション',
      '不審な PowerShell の実行を検知しました。',
      '佐藤',
    ]) {
      assert.ok(html.includes(part), part);
    }
    const unknown = await run('export', `incident:${acme}:never`, '--out', out);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /There is no incident/);
    rmSync(out, { recursive: true });
  });

  it('are named by the check where somebody has changed, taken away or cut off anything', async () => {
    const { id } = await gone();
    const { entry: newest } = await archivedIn(house, id);
    const head = await headAt(newest.seq);
    assert.deepEqual(
      (await checked()).flatMap(({ findings }) => findings),
      [],
    );
    const entries = join(house.archiveFolder, acme, 'entries');
    const last = readdirSync(entries).sort().at(-1) ?? '';
    const entry = JSON.parse(readFileSync(join(entries, last), 'utf8'));
    const record = join(house.archiveFolder, acme, 'records', `${entry.record.sha256}.bin`);
    const bytes = readFileSync(record);
    const changed = Buffer.from(bytes);
    changed[100] = (changed[100] ?? 0) ^ 1;
    writeFileSync(record, changed);
    const named = async () =>
      (await checked()).flatMap(({ findings }) =>
        findings.map(({ seq, incidentId, fault }) => [seq, incidentId, fault]),
      );
    assert.deepEqual(await named(), [[head.seq, id, 'record-changed']]);
    const { status, body } = await house.get(path(id));
    assert.deepEqual([status, body.code], [503, 'archive-unavailable']);

    const wrong = await run('archive-check');
    assert.equal(wrong.code, 1, wrong.err);
    assert.match(wrong.out, new RegExp(`  ${acme} ${head.seq} ${id}: its record was changed\n`));
    assert.ok(!wrong.out.includes('missing'), wrong.out);
    writeFileSync(record, bytes);
    const right = await run('archive-check');
    assert.equal(right.code, 0, right.out);
    assert.ok(right.out.includes(`ends with ${acme}:${head.seq}:${head.sha256}\n`), right.out);
    const unread = await runTool(environment, house, { ENCRYPTION_KEYS: testKeyRing('_service') }, 'archive-check');
    assert.equal(unread.code, 1, unread.err);
    assert.ok(unread.out.includes(`The key ${acme}.1 is not here, and was not destroyed.\n`), unread.out);
    const kept = readFileSync(join(entries, last));
    rmSync(join(entries, last));
    assert.deepEqual(await named(), [[head.seq, null, 'entry-missing']]);
    // What leads to it tells it too, without Temporal, and what somebody has written down; whoever knows nothing cannot.
    const led = await run('archive-check', '--without-temporal');
    assert.equal(led.code, 1);
    assert.match(led.out, new RegExp(`  ${acme} ${head.seq}: what leads to it is not of its incident\n`));
    const pointer = join(house.archiveFolder, pointerName(newest));
    rmSync(pointer);
    const unsaid = await run('archive-check', '--without-temporal');
    assert.equal(unsaid.code, 0);
    assert.match(unsaid.out, /, as nobody has said\n/);
    const cut = await run('archive-check', '--without-temporal', '--head', `${acme}:${head.seq}:${head.sha256}`);
    assert.equal(cut.code, 1);
    assert.match(cut.out, new RegExp(`  ${acme} ${head.seq}: the entry is missing\n`));
    // Nothing is written behind what is missing, and it is tried again.
    const next = await house.alert(acme);
    await house.command(next.id, 'triage', verdict(1));
    await until('the trouble is seen', async () => {
      const why = (await readArchiver(environment.client))?.state?.trouble?.message ?? '';
      return why.includes(`does not hold entry ${head.seq}`) ? true : undefined;
    });
    writeFileSync(join(entries, last), kept);
    writeFileSync(pointer, '');
    await archivedIn(house, next.id);
    assert.deepEqual(await named(), []);
  });
});

describe('closed incidents that stay for late news', function () {
  this.timeout(90_000);
  let environment: TestWorkflowEnvironment;
  let house: House;
  before(async () => {
    environment = await startLocal(FORGETS_AT_ONCE);
    house = await House.open({ environment, archiveEveryMs: LOOKS_EVERY_MS });
  });
  after(async () => {
    await house.close();
    await environment.teardown();
  });

  it('are archived at once, and again when something has changed', async () => {
    const { id, alert } = await house.alert(house.customer('acme'), { severity: 'Medium' });
    await house.command(id, 'triage', verdict(1));
    const first = await archivedIn(house, id);
    assert.deepEqual(first.entry.run.hasEnded, false);
    await house.post(`/v1/customers/${house.customer('acme')}/alerts`, {
      ...alert,
      severity: 'High',
      lastUpdateTime: new Date().toISOString(),
    });
    const second = await archivedIn(house, id, first.entry.revision);
    assert.equal(second.view.severity, 'High');
    assert.equal((await house.incident(id)).archived, undefined);
  });

  it('are not read from the archive when their alert comes again while Temporal knows them', async () => {
    const acme = house.customer('acme');
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(1));
    await archivedIn(house, id);
    const policy = house.policies.find(acme);
    assert.ok(policy);
    const archive = house.openArchive();
    archive.find = () => Promise.reject(new Error('it was read'));
    const reach = { client: house.client, taskQueue: house.taskQueue, archive };
    assert.deepEqual(
      await deliver(
        { ...reach, findExclusion: () => Promise.resolve(null) },
        acme,
        policy,
        newsOf(defenderAlertSchema.parse(alert)),
      ),
      { is: 'unchanged', incidentId: id, stage: 'closed' },
    );
  });

  it('are archived with all that their customer has written, however long', async () => {
    const acme = house.customer('acme');
    const { id } = await house.alert(acme);
    await house.command(id, 'triage', verdict(2));
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    const [primary] = await house.mails(id);
    const words = `It is ours. ${'They run it every night. '.repeat(400)}The end.`;
    const handedIn = await house.handIn(
      [
        'Message-ID: <long@acme.example>',
        'From: security@acme.example',
        `To: ${MAILBOX_ADDRESS}`,
        `Subject: Re: alert`,
        `In-Reply-To: ${primary?.headers['message-id']}`,
        `Date: ${new Date().toUTCString()}`,
        'Content-Type: text/plain; charset=utf-8',
        '',
        words,
        '',
      ].join('\r\n'),
    );
    assert.equal(handedIn.status, 200);
    await house.incidentWhen(id, 'the mail is on it', ({ customerMails }) => customerMails.length === 1);
    const { id: inquiryId } = await until('it is listed', async () => {
      const { body } = await house.get(`/v1/inquiries?customer=${acme}&state=unanswered`);
      return body.items[0];
    });
    await house.post(`/v1/inquiries/${encodeURIComponent(inquiryId)}/close`, { reason: 'read' });
    await house.incidentWhen(id, 'nothing waits', ({ inquiry }) => inquiry?.waitingSince === null);
    await house.command(id, 'close', { reason: 'theirs' });
    const { view, record } = await archivedIn(house, id);
    assert.ok((record.customerMail?.mails[0]?.words.length ?? 0) < 4_000);
    const [whole] = view.customerMails;
    assert.ok(whole);
    assert.deepEqual([whole.words.trim(), whole.isCut], [words, false]);
  });

  it('and their chains’ ends are taken down by an archiver that is new', async () => {
    const acme = house.customer('acme');
    const end = await house.openArchive().tail(acme);
    assert.ok(end);
    await environment.client.workflowService.deleteWorkflowExecution({
      namespace: environment.client.options.namespace,
      workflowExecution: { workflowId: ARCHIVER_ID },
    });
    await until('it is gone', async () =>
      (await describeRun(environment.client, ARCHIVER_ID)) === undefined ? true : undefined,
    );
    await ensureArchiver({ client: house.client, taskQueue: house.taskQueue });
    await until('it holds the end', async () => {
      const head = (await archiveHeads(environment.client))?.[acme];
      return head?.seq === end.entry.seq && head.sha256 === end.sha256 ? true : undefined;
    });
  });

  it('are archived by a worker that comes after one that has died', async () => {
    await house.stopWorker();
    const before = (await house.openArchive().tail(house.customer('acme')))?.entry.seq ?? 0;
    await house.startWorker();
    const { id } = await house.alert(house.customer('acme'));
    await house.command(id, 'triage', verdict(1));
    const { entry } = await archivedIn(house, id);
    assert.equal(entry.seq, before + 1);
  });
});

describe('a look for what is closed', function () {
  this.timeout(90_000);
  let environment: TestWorkflowEnvironment;
  let house: House;
  before(async () => {
    environment = await startLocal();
    house = await House.open({ environment, service: { lingerMs: 0 } });
  });
  after(async () => {
    await house.close();
    await environment.teardown();
  });

  async function closed(): Promise<string> {
    const { id } = await house.alert(house.customer('acme'));
    await house.command(id, 'triage', verdict(1));
    await until(`${id} has ended`, async () => {
      const { count } = await house.client.workflow.count(`WorkflowId = '${id}' AND ExecutionStatus = 'Completed'`);
      return count === 1 ? true : undefined;
    });
    return id;
  }

  /** What an archiver does in a look that stands so, and what it says; another process each. */
  function lookingWith(sealing: Sealing, waitsForKeysMs?: number) {
    const said: string[] = [];
    const logger = new DefaultLogger('ERROR', ({ message }) => said.push(message));
    const { archiveClosed } = archiveActivities({
      client: createApiClient(environment.connection, environment.client.options.namespace, sealing),
      ...{ policies: house.policies, archive: house.openArchive(), waitsForKeysMs },
      mail: { send: () => Promise.reject(new Error('no mail goes out')), close: () => undefined },
    });
    const look = async (state: ArchiverState) =>
      archiverStateSchema.parse(
        await new MockActivityEnvironment({ attempt: 2 }, { logger }).run(() => archiveClosed({ state })),
      );
    return { look, said };
  }

  it('takes down the end of what was written by one that has died before it could', async () => {
    const id = await closed();
    const { heads } = await lookingWith(testSealing).look(openArchiver());
    const { entry, sha256 } = await archivedIn(house, id);
    assert.deepEqual(heads, { [house.customer('acme')]: { seq: entry.seq, sha256 } });
    const stood = { ...openArchiver(), lookedAt: toInstant(Date.now()) };
    assert.deepEqual((await lookingWith(testSealing).look(stood)).heads, heads);
  });

  it('is not kept by what nobody can read, which is waited for a week and given up then', async () => {
    const unreadable = await closed();
    const betweenMs = Date.now();
    const readable = await closed();
    const sealing: Sealing = {
      seal: testSealing.seal.bind(testSealing),
      async open(sealed) {
        const plain = await testSealing.open(sealed);
        if (Buffer.from(plain).includes(unreadable)) throw new SealBroken('it was changed');
        return plain;
      },
    };
    const { look, said } = lookingWith(sealing);
    // The windows of a look meet between the two.
    const endedThrough = toInstant(betweenMs - DAY_MS + 10 * MINUTE_MS);

    const failing = await look({ ...openArchiver(), endedThrough });
    assert.equal((await house.openArchive().find(readable))?.record.incidentId, readable);
    assert.match(failing.trouble?.message ?? '', /it was changed/);
    assert.equal(failing.endedThrough, endedThrough);
    assert.equal(said.length, 0);

    assert.ok(failing.trouble);
    assert.ok(failing.unreadable);
    const weekAgo = toInstant(betweenMs - 8 * DAY_MS);
    const afterAWeek = {
      ...failing,
      trouble: { ...failing.trouble, since: weekAgo },
      unreadable: { ...failing.unreadable, since: weekAgo },
    };
    // It has ended just now, whatever was the matter before.
    assert.equal((await look(afterAWeek)).endedThrough, endedThrough);
    const impatient = lookingWith(sealing, 1);
    // Nobody has looked for days.
    const paused = { ...afterAWeek, unreadable: { since: weekAgo, at: toInstant(betweenMs - 2 * DAY_MS) } };
    assert.equal((await impatient.look(paused)).endedThrough, endedThrough);
    assert.deepEqual([...said, ...impatient.said], []);

    const wentOn = await impatient.look(afterAWeek);
    assert.equal(wentOn.trouble, null);
    assert.equal(wentOn.unreadable, null);
    assert.ok((wentOn.endedThrough ?? '') > toInstant(betweenMs));
    assert.equal(impatient.said.filter((message) => message.includes('is given up')).length, 1);
    assert.equal(await house.openArchive().findPlace(unreadable), undefined);

    // No archiver is there, which could say where the chain ends.
    const unsaid = await runTool(environment, house, {}, 'archive-check');
    assert.equal(unsaid.code, 1, unsaid.err);
    assert.match(unsaid.out, /The archiver at Temporal says nothing of any end\.\n/);
  });
});
