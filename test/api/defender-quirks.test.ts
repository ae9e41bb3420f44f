import assert from 'node:assert/strict';
import { House, verdict } from '../support/house.js';

/** What Defender really sends, or may send tomorrow, is no bad input. */
describe('alerts as Defender really sends them', () => {
  let house: House;
  let acme = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  const fine = { alertCreationTime: '2026-01-01T00:00:00Z', severity: 'High', detectionSource: 'WindowsDefenderAtp' };

  async function posted(alert: Record<string, unknown>): Promise<string> {
    const reply = await house.post(`/v1/customers/${acme}/alerts`, alert, { as: 'feed' });
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    assert.equal(reply.body.created, true);
    return reply.body.incidentId;
  }

  const taken: [string, Record<string, unknown>][] = [
    ['only what the process cannot do without', { id: 'bare', alertCreationTime: '2026-01-01T00:00:00Z' }],
    [
      'null wherever something may be missing',
      {
        ...fine,
        id: 'nulls',
        title: null,
        description: null,
        lastUpdateTime: null,
        firstEventTime: null,
        incidentId: null,
        severity: null,
        status: null,
        classification: null,
        determination: null,
        category: null,
        detectionSource: null,
        threatFamilyName: null,
        machineId: null,
        computerDnsName: null,
        aadTenantId: null,
        mitreTechniques: null,
        evidence: null,
        relatedUser: null,
      },
    ],
    ['numbers as ids', { ...fine, id: 6375512276, incidentId: 4711, machineId: 12345 }],
    ['a negative id', { ...fine, id: 'da637551227677560813_-961444813', incidentId: -5 }],
    ['an id with colons, quotes and slashes', { ...fine, id: `da:1/2?3#4%5'6"7\\8` }],
    [
      'values never seen before',
      {
        ...fine,
        id: 'new-values',
        severity: 'Catastrophic',
        status: 'Snoozed',
        detectionSource: 'QuantumSensor',
        investigationState: 'Dreaming',
      },
    ],
    ['keys never seen before', { ...fine, id: 'new-keys', copilotSummary: { text: ['a'] }, '': 1, ['__proto__x']: 2 }],
    [
      'evidence with null items and odd types',
      {
        ...fine,
        id: 'evidence',
        evidence: [
          null,
          {},
          { entityType: null, fileName: 7, sha1: [] },
          { entityType: 'Process', processCommandLine: 'a\u0000b' },
        ],
      },
    ],
    ['techniques of odd types', { ...fine, id: 'techniques', mitreTechniques: ['T1059', null, 7, { id: 'T1' }] }],
    [
      'other types for texts',
      { ...fine, id: 'types', title: 7, description: { html: '<b>' }, computerDnsName: ['a'], severity: true },
    ],
    [
      'times that cannot be read where none is needed',
      { ...fine, id: 'times', lastUpdateTime: 'never', firstEventTime: '0001-01-01T00:00:00' },
    ],
    ['an empty machine id', { ...fine, id: 'no-machine', machineId: '' }],
    [
      'a long description and much evidence',
      {
        ...fine,
        id: 'big',
        description: '長'.repeat(100_000),
        evidence: Array.from({ length: 2_000 }, (_, at) => ({
          entityType: 'File',
          fileName: `${at}.exe`,
          sha1: 'a'.repeat(40),
        })),
      },
    ],
  ];
  for (const [what, alert] of taken) {
    it(`takes ${what}`, async () => {
      const id = await posted(alert);
      assert.equal(id, `incident:${acme}:${String(alert['id'])}`);
      const incident = await house.incidentWhen(id, 'readable', ({ partial }) => partial === undefined);
      assert.equal(incident.alertId, String(alert['id']));
      assert.ok(Buffer.byteLength(JSON.stringify(incident)) < 100_000);
    });
  }

  it('counts what it cannot read as severity High, and flags it', async () => {
    const id = await posted({ ...fine, id: 'unknown-severity', severity: 'Catastrophic' });
    const { severity, slo, explanation } = await house.incidentWhen(
      id,
      'assessed',
      ({ slo: { dueAt } }) => dueAt !== null,
    );
    assert.equal(severity, 'Catastrophic');
    assert.equal(slo.dueAt, '2026-01-01T03:00:00.000Z');
    assert.ok(explanation.some(({ flagged }: { flagged: boolean }) => flagged));
  });

  it('reads seven fraction digits, and a time without its Z as UTC', async () => {
    const precise = await posted({ ...fine, id: 'seven', alertCreationTime: '2026-01-01T00:00:00.1234567Z' });
    assert.equal((await house.incident(precise)).alert.createdAt, '2026-01-01T00:00:00.123Z');
    const bare = await posted({ ...fine, id: 'no-zone', alertCreationTime: '2026-01-01T00:00:00.1234567' });
    assert.equal((await house.incident(bare)).alert.createdAt, '2026-01-01T00:00:00.123Z');
  });

  it("takes the customer's tenant in capitals too", async () => {
    const { id } = await house.alert(acme);
    const reply = await house.post(`/v1/customers/${acme}/alerts`, {
      ...fine,
      id: 'capitals',
      aadTenantId: house.tenantOf(acme).toUpperCase(),
    });
    assert.equal(reply.status, 201);
    assert.notEqual(reply.body.incidentId, id);
  });

  it('takes the same alert again as the known one', async () => {
    const { id, alert } = await house.alert(acme);
    const again = await house.post(`/v1/customers/${acme}/alerts`, alert);
    assert.equal(again.status, 200);
    assert.deepEqual(again.body, { incidentId: id, created: false, stage: 'awaiting-triage' });
  });

  it('takes any printable Idempotency-Key, those that JavaScript knows too', async () => {
    const { id } = await house.alert(acme);
    for (const key of ['constructor', '__proto__', 'toString', '"quoted"', 'x'.repeat(200)]) {
      const headers = { 'Idempotency-Key': key };
      const first = await house.command(id, 'notes', { text: `by ${key}` }, { headers });
      const again = await house.command(id, 'notes', { text: `by ${key}` }, { headers });
      assert.deepEqual(again.accepted, first.accepted, key);
      const other = await house.post(`/v1/incidents/${encodeURIComponent(id)}/notes`, { text: 'else' }, { headers });
      assert.equal(other.status, 409, key);
      assert.equal(other.body.code, 'idempotency-mismatch');
    }
    const { timeline } = await house.incident(id);
    assert.equal(timeline.filter(({ type }: { type: string }) => type === 'note').length, 5);
    await house.command(id, 'triage', verdict(1), { headers: { 'Idempotency-Key': 'valueOf' } });
  });
});
