import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../simulator/testing.js';
import { verdict } from '../support/house.js';
import { assertTemporary, Caller, type CallerReply } from './kill-caller.js';
import { castOf } from './kill-cast.js';
import type { Ground } from './kill-matrix.js';

/*
 * Temporal is away for a while, and alerts come in all the same: every caller is told so in time, and after its return
 * the callers' retries lose nothing and double nothing.
 */

export interface Outage {
  /** Refusals that callers had while it lasted. */
  refusals: number;
  alerts: number;
  slowestMs: number;
}

const SETTLE_MS = 90_000;
/** After Temporal's return nobody waits longer for the API's connection to it, with the pause before a caller's next try. */
const REACHED_WITHIN_MS = 15_000;

/** A customer of its own: the last, whom no life reaches. */
export async function outage(
  ground: Ground,
  index: number,
  how: { lastsMs: number; everyMs: number },
): Promise<Outage> {
  const { customerId, tenantId } = castOf(index);
  const caller = new Caller(ground.processes.url);
  const alertsPath = `/v1/customers/${customerId}/alerts`;
  const alert = (id: string) => ({
    id,
    title: 'Suspicious service',
    severity: 'High',
    category: 'Malware',
    status: 'New',
    detectionSource: 'WindowsDefenderAtp',
    machineId: `${index}`.padStart(40, 'd'),
    aadTenantId: tenantId,
    alertCreationTime: new Date().toISOString(),
    lastUpdateTime: new Date().toISOString(),
  });
  const judged = alert('alert-judged');
  await caller.command(alertsPath, judged, [200, 201]);
  const triage = {
    method: 'POST',
    path: `/v1/incidents/${encodeURIComponent(`incident:${customerId}:${judged.id}`)}/triage`,
    body: verdict(2),
    idempotencyKey: randomUUID(),
  } as const;

  await ground.kill(['temporal']);
  const endsMs = performance.now() + how.lastsMs;
  const alerts: ReturnType<typeof alert>[] = [];
  const tries: Promise<CallerReply>[] = [];
  do {
    const next = alert(`alert-in-outage-${alerts.length}`);
    alerts.push(next);
    for (const tried of [caller.try({ method: 'POST', path: alertsPath, body: next }), caller.try(triage)]) {
      // A failure is told when the outage is over; until then it must not end the process.
      tried.catch(() => undefined);
      tries.push(tried);
    }
    await pause(how.everyMs);
  } while (performance.now() < endsMs);
  const refused = await Promise.all(tries);
  for (const reply of refused) {
    assert.deepEqual([reply.status, reply.body.code], [503, 'temporal-unavailable'], JSON.stringify(reply.body));
    assertTemporary(reply);
  }
  await ground.restart(['temporal']);
  const backMs = performance.now();
  await caller.send({ method: 'GET', path: `/v1/incidents?customer=${customerId}&limit=1` });
  const reachedAfterMs = performance.now() - backMs;
  assert.ok(reachedAfterMs < REACHED_WITHIN_MS, `served again only ${reachedAfterMs} ms after Temporal's return`);

  // Each is sent twice at once: impatient callers are callers too.
  const accepted = await Promise.all(
    [...alerts, ...alerts].map((body) => caller.send({ method: 'POST', path: alertsPath, body })),
  );
  // An answer of "created" may have come too late for its caller, who then hears "known"; two of one alert never.
  const created = accepted.filter(({ status }) => status === 201).map(({ body }) => String(body.incidentId));
  assert.equal(new Set(created).size, created.length, 'an alert was created twice');
  assert.deepEqual(
    [...new Set(accepted.map(({ status }) => status))].filter((status) => status !== 200 && status !== 201),
    [],
  );
  const verdicts = await Promise.all([caller.send(triage), caller.send(triage)]);
  assert.deepEqual(
    verdicts.map(({ status }) => status),
    [200, 200],
  );
  await assertOneOfEach(caller, customerId, [judged, ...alerts]);
  return {
    refusals: refused.length,
    alerts: alerts.length,
    slowestMs: Math.max(...refused.map(({ tookMs }) => tookMs)),
  };
}

async function assertOneOfEach(caller: Caller, customerId: string, alerts: readonly { id: string }[]): Promise<void> {
  const expected = alerts.map(({ id }) => `incident:${customerId}:${id}`).sort();
  const listed = await until(
    'every alert in the list',
    async () => {
      const ids: string[] = [];
      let page = '';
      do {
        const path = `/v1/incidents?customer=${customerId}&limit=200${page}`;
        const { body } = await caller.send({ method: 'GET', path });
        const items: { id: string }[] = body.items;
        ids.push(...items.map(({ id }) => id));
        page = body.nextPageToken === undefined ? '' : `&pageToken=${body.nextPageToken}`;
      } while (page !== '');
      return ids.length >= expected.length ? ids : undefined;
    },
    SETTLE_MS,
  );
  assert.deepEqual(listed.sort(), expected);
  for (const id of expected) {
    const verdicts = id.endsWith('alert-judged') ? 1 : 0;
    await until(
      `${id} was received once and judged ${verdicts} times`,
      async () => {
        const { body } = await caller.send({ method: 'GET', path: `/v1/incidents/${encodeURIComponent(id)}` });
        if (body.partial === true) return undefined;
        const timeline: { type: string }[] = body.timeline;
        const count = (type: string) => timeline.filter((entry) => entry.type === type).length;
        assert.deepEqual([count('alert-received'), count('verdict')], [1, verdicts]);
        return true;
      },
      SETTLE_MS,
    );
  }
}
