import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { until } from '../../simulator/testing.js';
import { createAuditLog, type AuditEntry } from '../../src/api/audit-log.js';
import { House, verdict } from '../support/house.js';
import { noLog } from '../support/log.js';

function entry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: '2026-11-29T03:00:00.000Z',
    requestId: 'r',
    operator: 'yamada',
    role: 'analyst',
    from: '127.0.0.1',
    command: 'POST /v1/incidents/:id/notes',
    path: '/v1/incidents/incident:acme:1/notes',
    customerId: 'acme',
    outcome: 'accepted',
    status: 200,
    code: null,
    ...more,
  };
}

describe('the audit file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('only grows, is its owner’s alone, and is read from its end, page by page', () => {
    const file = join(folder, 'audit.jsonl');
    const count = 1_000;
    const first = createAuditLog(file, noLog);
    for (let index = 0; index < count / 2; index += 1)
      first.write(entry({ requestId: `r${index}`, path: '道'.repeat(50) }));
    // Another process goes on in the same file.
    const second = createAuditLog(file, noLog);
    for (let index = count / 2; index < count; index += 1) second.write(entry({ requestId: `r${index}` }));
    assert.equal(statSync(file).mode & 0o777, 0o600);

    const read: string[] = [];
    let before: number | undefined;
    do {
      const page = second.read(() => true, 70, before);
      assert.ok(page !== undefined && page.items.length <= 70);
      read.push(...page.items.map(({ requestId }) => requestId));
      before = page.before;
    } while (before !== undefined);
    assert.deepEqual(
      read,
      Array.from({ length: count }, (_, index) => `r${count - 1 - index}`),
    );
  });

  it('gives what is wanted of it, and passes over a line that was cut', () => {
    const file = join(folder, 'audit.jsonl');
    const audit = createAuditLog(file, noLog);
    audit.write(entry({ requestId: 'a', customerId: 'globex' }));
    appendFileSync(file, '{"at":"2026-11\n');
    audit.write(entry({ requestId: 'b' }));
    const page = audit.read(({ customerId }) => customerId === 'globex', 10, undefined);
    assert.deepEqual([page?.items.map(({ requestId }) => requestId), page?.before], [['a'], undefined]);
    assert.equal(audit.read(() => true, 10, undefined)?.items.length, 2);
  });

  for (const level of ['info', 'warn', 'silent']) {
    it(`is no file where none is set; the log has every line all the same, also where its level is ${level}`, () => {
      let logged = '';
      const log = pino({ level }, { write: (line) => (logged += line) });
      const audit = createAuditLog(undefined, log);
      audit.write(entry());
      assert.equal(
        audit.read(() => true, 10, undefined),
        undefined,
      );
      assert.match(logged, /"audit":\{"at":"2026-11-29T03:00:00.000Z","requestId":"r","operator":"yamada"/);
    });
  }

  it('that cannot be written keeps the API from starting', () => {
    assert.throws(() => createAuditLog(join(folder, 'nowhere', 'audit.jsonl'), noLog), /no such file/);
  });
});

describe('what is written down of commands', () => {
  let house: House;
  before(async () => {
    house = await House.open({ worker: false });
  });
  after(() => house.close());

  it('every one, accepted or refused, with who, what, when, from where, and nothing of its body', async () => {
    const acme = house.customer('acme');
    const { id } = await house.alert(acme);
    const path = `/v1/incidents/${encodeURIComponent(id)}`;
    await house.post(`${path}/notes`, { text: 'words that are for the timeline alone' }, { as: 'viewer' });
    await house.post(`${path}/notes`, { text: 'x' }, { headers: { Authorization: 'Bearer stolen-and-wrong' } });
    await house.post(`${path}/triage`, verdict(3, { level: 9 }), { as: 'second' });
    await house.get(path);

    const items = await until('written', async () => {
      const { body } = await house.get('/v1/audit', { as: 'lead' });
      return body.items.length === 4 ? body.items : undefined;
    });
    const shown = items.map((one: AuditEntry) => [
      one.operator,
      one.role,
      one.command,
      one.outcome,
      one.status,
      one.code,
    ]);
    assert.deepEqual(shown, [
      ['second', 'analyst', 'POST /v1/incidents/:id/triage', 'refused', 422, 'invalid-input'],
      [null, null, 'POST /v1/incidents/:id/notes', 'refused', 401, 'unauthenticated'],
      ['viewer', 'viewer', 'POST /v1/incidents/:id/notes', 'refused', 403, 'forbidden'],
      ['analyst', 'analyst', 'POST /v1/customers/:customerId/alerts', 'accepted', 201, null],
    ]);
    for (const one of items) {
      assert.equal(one.customerId, acme);
      assert.match(one.from, /127\.0\.0\.1$/);
      assert.ok(Date.now() - Date.parse(one.at) < 60_000);
    }
    const file = readFileSync(house.auditFile, 'utf8');
    assert.ok(!file.includes('for the timeline alone') && !file.includes('stolen-and-wrong'));

    const ofViewer = await house.get(`/v1/audit?operator=viewer&outcome=refused&customer=${acme}`, { as: 'lead' });
    assert.equal(ofViewer.body.items.length, 1);
    const elsewhere = await house.get(`/v1/audit?customer=${house.customer('globex')}`, { as: 'lead' });
    assert.deepEqual(elsewhere.body.items, []);
  });

  it('is for leads alone, and locks out who is refused again and again, but nobody who may act', async () => {
    for (let count = 0; count < 20; count += 1) {
      assert.equal((await house.get('/v1/audit', { as: 'engineer' })).status, 403);
      assert.equal((await house.get('/v1/audit', { as: 'analyst' })).status, 403);
    }
    assert.equal((await house.get('/v1/audit', { as: 'engineer' })).status, 429);
    assert.equal((await house.get('/v1/customers', { as: 'engineer' })).status, 429);
    assert.equal((await house.get('/v1/audit', { as: 'analyst' })).status, 403);
    assert.equal((await house.get('/v1/customers', { as: 'analyst' })).status, 200);
  });
});
