import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { asked, assertRefused, calm, duty, englishCustomer, jones, timelineOf } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

function customers() {
  return [englishCustomer(`globex-${randomUUID().slice(0, 8)}`, 1)];
}

function send(house: House, id: string, name: string, body: unknown, headers: Record<string, string>, as?: 'second') {
  const options = { headers, ...(as === undefined ? {} : { as }) };
  return house.post(`/v1/incidents/${encodeURIComponent(id)}/${name}`, body, options);
}

function told(house: House, id: string) {
  return house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
}

describe('two analysts at once', () => {
  let house: House;
  let customer: string;
  before(async () => {
    house = await House.open({ customers: customers() });
    customer = house.customer('globex');
  });
  after(() => house.close());

  for (const [what, knows, refusal, code] of [
    ['who have read nothing', false, 428, 'revision-required'],
    ['who have read the same', true, 412, 'stale'],
  ] as const) {
    it(`${what}: one verdict stands, the other is refused`, async () => {
      const { id } = await house.alert(customer, { machineId: randomUUID() });
      const read = await house.get(`/v1/incidents/${encodeURIComponent(id)}`);
      const etag = read.headers.get('etag') ?? '';
      const headers: Record<string, string> = knows ? { 'If-Match': etag } : {};
      const replies = await Promise.all([
        send(house, id, 'triage', verdict(2), headers),
        send(house, id, 'triage', verdict(2, { analysis: 'Something else altogether.' }), headers, 'second'),
      ]);
      const [won, lost] = replies.toSorted((a, b) => a.status - b.status);
      assert.ok(won !== undefined && lost !== undefined);
      assert.equal(won.status, 200);
      assertRefused(lost, refusal, code);
      const after = await told(house, id);
      assert.equal(timelineOf(after, 'verdict').length, 1);
      assert.equal(after.verdict.analysis, won.body.verdict.analysis);
      await calm(house);
      assert.deepEqual(await house.mailKinds(id), ['primary']);

      // Whoever has read it as it is now may change it.
      const now = (await house.get(`/v1/incidents/${encodeURIComponent(id)}`)).headers.get('etag') ?? '';
      const changed = await send(house, id, 'triage', verdict(3), { 'If-Match': now }, 'second');
      assert.deepEqual([changed.status, changed.body.level], [200, 3]);
      assertRefused(await send(house, id, 'triage', verdict(2), { 'If-Match': now }), 412, 'stale');
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
      assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary', 'isolation-result']);
    });
  }
});

/** What the incident has come to so far: nothing of it may happen twice. */
async function done(house: House, id: string) {
  const incident = await house.incident(id);
  return {
    mails: await house.mailKinds(id),
    timeline: incident.timeline.map(({ type }: { type: string }) => type),
    stage: incident.stage,
  };
}

function assertSameAnswer(first: Reply, again: Reply): void {
  assert.deepEqual([first.status, again.status], [200, 200], JSON.stringify(again.body).slice(0, 300));
  assert.ok(first.body.accepted !== undefined);
  assert.deepEqual(again.body.accepted, first.body.accepted);
}

for (const [when, lingerMs] of [
  ['while its workflow lingers', undefined],
  ['when its workflow has ended', 200],
] as const) {
  describe(`a closed incident, ${when}`, () => {
    let house: House;
    let customer: string;
    let id: string;
    let first: Reply;
    let closed: Reply;
    const triage = verdict(2);
    const triageKey = { 'Idempotency-Key': `triage-${randomUUID()}` };
    const closeKey = { 'Idempotency-Key': `close-${randomUUID()}` };
    const reopenKey = { 'Idempotency-Key': `reopen-${randomUUID()}` };

    async function runStatus(): Promise<string> {
      return (await house.client.workflow.getHandle(id).describe()).status.name;
    }

    before(async () => {
      house = await House.open({
        customers: customers(),
        ...(lingerMs === undefined ? {} : { service: { lingerMs } }),
      });
      customer = house.customer('globex');
      ({ id } = await house.alert(customer));
    });
    after(() => house.close());

    it('took a verdict that was sent twice at once for one', async () => {
      const both = await Promise.all([
        send(house, id, 'triage', triage, triageKey),
        send(house, id, 'triage', triage, triageKey),
      ]);
      [first] = both;
      assertSameAnswer(both[0], both[1]);
      const after = await told(house, id);
      assert.equal(timelineOf(after, 'verdict').length, 1);
      await calm(house);
      assert.deepEqual(await house.mailKinds(id), ['primary']);
      closed = await send(house, id, 'close', { reason: 'cleaned' }, closeKey);
      assert.equal(closed.status, 200);
      if (lingerMs !== undefined) {
        await until('the end', async () => ((await runStatus()) === 'COMPLETED' ? true : undefined));
      } else {
        assert.equal(await runStatus(), 'RUNNING');
      }
    });

    it('answers repeated commands as it did at first, and does nothing', async () => {
      const before = await done(house, id);
      assert.equal(before.stage, 'closed');
      assertSameAnswer(first, await send(house, id, 'triage', triage, triageKey));
      assertSameAnswer(closed, await send(house, id, 'close', { reason: 'cleaned' }, closeKey));
      assertRefused(await send(house, id, 'triage', verdict(3), triageKey), 409, 'idempotency-mismatch');
      // A key is good for one command only.
      assertRefused(await send(house, id, 'close', { reason: 'cleaned' }, triageKey), 409, 'idempotency-mismatch');
      assertRefused(await send(house, id, 'triage', verdict(3), {}), 409, 'incident-closed');
      assert.deepEqual(await done(house, id), before);
    });

    it('goes on with its record when it is reopened', async () => {
      const before = await house.incident(id);
      const both = await Promise.all([
        send(house, id, 'reopen', { reason: 'seen again' }, reopenKey),
        send(house, id, 'reopen', { reason: 'seen again' }, reopenKey),
      ]);
      assertSameAnswer(both[0], both[1]);
      const reopened = await told(house, id);
      assert.deepEqual(reopened.timeline.slice(0, before.timeline.length), before.timeline);
      assert.equal(timelineOf(reopened, 'reopened').length, 1);
      assert.equal(reopened.createdAt, before.createdAt);
      assert.equal(reopened.verdict.level, 2);
      assertSameAnswer(first, await send(house, id, 'triage', triage, triageKey));
      assertSameAnswer(closed, await send(house, id, 'close', { reason: 'cleaned' }, closeKey));
      assertSameAnswer(both[0], await send(house, id, 'reopen', { reason: 'seen again' }, reopenKey));
      assertRefused(await send(house, id, 'triage', verdict(3), triageKey), 409, 'idempotency-mismatch');
      assert.equal((await house.incident(id)).stage, 'notified');
      await calm(house);
      assert.deepEqual(await house.mailKinds(id), ['primary']);

      const rows = await until('the list shows it open', async () => {
        const { body } = await house.get(`/v1/incidents?customer=${customer}`);
        return body.items.some(({ stage }: { stage: string }) => stage === 'notified') ? body.items : undefined;
      });
      assert.deepEqual(
        rows.map((row: { id: string }) => row.id),
        [id],
      );

      // And goes on in earnest.
      const { revision } = await house.incident(id);
      const raised = await send(house, id, 'triage', verdict(3), { 'If-Match': `"${revision}"` });
      assert.equal(raised.status, 200);
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
      assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary', 'isolation-result']);
    });
  });
}

describe('a release that is sent twice', () => {
  let house: House;
  let customer: string;
  before(async () => {
    house = await House.open({ customers: customers() });
    customer = house.customer('globex');
  });
  after(() => house.close());

  for (const through of ['incident', 'device'] as const) {
    it(`through the ${through} releases once, with the same answer`, async () => {
      const machineId = randomUUID();
      const { id } = await house.alert(customer, { machineId });
      await house.command(id, 'triage', verdict(3));
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
      const path =
        through === 'incident'
          ? `/v1/incidents/${encodeURIComponent(id)}/release`
          : `/v1/devices/${customer}/${machineId}/release`;
      const body = { instruction: jones() };
      const again = () => house.post(path, body, { headers: { 'Idempotency-Key': `release-${machineId}` } });
      const atOnce = await Promise.all([again(), again()]);
      const released = await told(house, id);
      const replies = [...atOnce, await again()];
      const answer = { devices: [{ machineId, outcome: 'releasing', heldBy: [] }] };
      assert.deepEqual(
        replies.map((reply) => [reply.status, reply.body]),
        replies.map(() => [200, answer]),
      );
      assert.equal(duty(released, `release:${machineId}`)?.['status'], 'done');
      await calm(house);
      assert.equal(timelineOf(await house.incident(id), 'instruction').length, 1);
      assert.deepEqual(
        (await asked(house, customer, 'unisolate')).filter((asked) => asked === machineId),
        [machineId],
      );
      assert.deepEqual(await house.mailKinds(id), ['primary', 'isolation-result', 'release-result']);
      const other = await house.post(
        path,
        { instruction: jones({ words: 'Other words.' }) },
        {
          headers: { 'Idempotency-Key': `release-${machineId}` },
        },
      );
      assertRefused(other, 409, 'idempotency-mismatch');
    });
  }
});

describe('incidents whose workflows have ended, each reopened twice at the same moment', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: customers(), service: { lingerMs: 100 } });
  });
  after(() => house.close());

  it('are reopened once, with the same answer at once', async () => {
    const alerts = await Promise.all(Array.from({ length: 24 }, () => house.alert(house.customer('globex'))));
    const reopenTwice = async (id: string) => {
      await house.command(id, 'triage', verdict(1));
      await house.client.workflow.getHandle(id).result();
      const again = () => send(house, id, 'reopen', { reason: 'seen again' }, { 'Idempotency-Key': 'again' });
      const [first, second] = await Promise.all([again(), again()]);
      assertSameAnswer(first, second);
      assert.equal(timelineOf(await house.incident(id), 'reopened').length, 1);
    };
    await Promise.all(alerts.map(({ id }) => reopenTwice(id)));
  });
});
