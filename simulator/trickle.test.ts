import assert from 'node:assert/strict';
import { z } from 'zod';
import { Clock } from './clock.js';
import type { Alert } from './defender/alert.js';
import { Tenants } from './defender/tenant.js';
import { readSettings } from './settings.js';
import { Bench, listOf, until } from './testing.js';
import { Timers } from './timers.js';
import { Trickle } from './trickle.js';

const tenantIds = ['one', 'two', 'three'];

/** Minutes that take no time. */
class FastTimers {
  nowMs = 0;
  #pending: { atMs: number; run: () => void }[] = [];

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.nowMs + delayMs, run };
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  }

  dropAll(): void {
    this.#pending = [];
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.#pending.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pending = this.#pending.filter((other) => other !== next);
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = endMs;
  }
}

const begin = ({ alertsPerMinute = 4, seed = 1 } = {}) => {
  const timers = new FastTimers();
  const tenants = new Tenants(new Timers(), new Clock());
  const trickle = new Trickle(tenants, timers, { alertsPerMinute, tenantIds, seed });
  trickle.start();
  const alertsOf = (id: string): Alert[] => [...tenants.get(id).alerts.values()];
  const all = (): Alert[] => tenantIds.flatMap(alertsOf);
  return { timers, tenants, trickle, alertsOf, all };
};

const judged = ({ evidence }: Alert) =>
  evidence.filter(({ entityType }) => entityType !== 'User' && entityType !== 'Ip');

/** What two runs have in common: ids and times differ. */
const essence = (alert: Alert) => [
  alert.title,
  alert.severity,
  alert.status,
  alert.detectionSource,
  alert.investigationState,
  alert.machineId,
  alert.determination,
  alert.evidence.map(({ sha1, processCommandLine, detectionStatus }) => [sha1, processCommandLine, detectionStatus]),
];

describe('The trickle of alerts', () => {
  it('gives each tenant its first one, in scope, within 20 seconds, and goes round from then on', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { timers, tenants, alertsOf, all } = begin({ seed });
      timers.pass(20_000);
      for (const tenantId of tenantIds) {
        const [first] = alertsOf(tenantId);
        assert.ok(first !== undefined);
        assert.equal(first.detectionSource, 'WindowsDefenderAtp');
        assert.match(first.severity, /^(Medium|High)$/);
        assert.match(tenants.get(tenantId).machines.get(first.machineId ?? '')?.resource.osPlatform ?? '', /^Windows/);
        assert.notEqual(first.investigationState, 'SuccessfullyRemediated');
        assert.ok(judged(first).length > 0);
        assert.ok(judged(first).every(({ detectionStatus }) => detectionStatus === 'Detected'));
        assert.equal(first.aadTenantId, tenantId);
      }
      timers.pass(60_000 * 9.75);
      const counts = tenantIds.map((tenantId) => alertsOf(tenantId).length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
      assert.ok(all().length >= 40 && all().length <= 43, String(all().length));
    }
  });

  it('lets them change as Defender changes them', () => {
    const { timers, all } = begin();
    const seen = new Set<string>();
    let before = new Map<string, Alert>();
    for (let second = 0; second < 3600; second += 5) {
      timers.pass(5000);
      for (const alert of all()) {
        const earlier = before.get(alert.id);
        if (earlier === undefined || earlier.lastUpdateTime === alert.lastUpdateTime) continue;
        assert.ok(alert.lastUpdateTime > earlier.lastUpdateTime);
        if (earlier.severity !== alert.severity) seen.add(`severity ${earlier.severity} to ${alert.severity}`);
        if (earlier.investigationState !== alert.investigationState)
          seen.add(`investigation ${earlier.investigationState} to ${alert.investigationState}`);
        if (earlier.status !== alert.status) seen.add(`status ${alert.status} ${alert.assignedTo === null}`);
        if (earlier.classification !== alert.classification) seen.add('classified');
        if (judged(earlier).some((item, index) => item.detectionStatus !== judged(alert)[index]?.detectionStatus))
          seen.add('stopped');
      }
      before = new Map(all().map((alert) => [alert.id, { ...alert }]));
    }
    for (const change of [
      'severity Medium to High',
      'investigation Queued to Running',
      'investigation Running to SuccessfullyRemediated',
      'investigation Running to Failed',
      'investigation Running to Benign',
      'status InProgress false',
      'status Resolved false',
      'classified',
      'stopped',
    ])
      assert.ok(seen.has(change), `${change}: not among ${[...seen].join('; ')}`);
    assert.ok(new Set(all().map(({ title }) => title)).size >= 10);
  });

  it('is the same for the same seed', () => {
    const told = (seed: number) => {
      const { timers, all } = begin({ seed });
      timers.pass(20 * 60_000);
      return all().map(essence);
    };
    assert.deepEqual(told(5), told(5));
    assert.notDeepEqual(told(5), told(6));
  });

  it('goes on after everything was forgotten', () => {
    const { timers, tenants, all } = begin();
    timers.pass(60_000);
    tenants.reset();
    timers.pass(30_000);
    assert.equal(all().length, 2);
  });

  it('is quiet unless it is asked for', () => {
    const { timers, all } = begin({ alertsPerMinute: 0 });
    timers.pass(600_000);
    assert.equal(all().length, 0);
    assert.deepEqual(readSettings({}).trickle, { alertsPerMinute: 0, tenantIds: [], seed: 1 });
  });

  it('is set by variables', () => {
    const environment = {
      SIMULATOR_ALERTS_PER_MINUTE: '0.5',
      SIMULATOR_TRICKLE_TENANTS: 'a, b,',
      SIMULATOR_TRICKLE_SEED: '9',
    };
    assert.deepEqual(readSettings(environment).trickle, { alertsPerMinute: 0.5, tenantIds: ['a', 'b'], seed: 9 });
    assert.throws(() => readSettings({ SIMULATOR_ALERTS_PER_MINUTE: '-1' }), /SIMULATOR_ALERTS_PER_MINUTE/);
  });

  it('runs with the simulator and ends with it', async () => {
    const bench = await Bench.start({ trickle: { alertsPerMinute: 3000, tenantIds: ['one'], seed: 1 } });
    const alerts = async () =>
      (await bench.control('GET', '/tenants/one/alerts')).json(listOf(z.object({ id: z.string() }))).items.length;
    await until('three alerts', async () => ((await alerts()) >= 3 ? true : undefined));
    await bench.simulator.stop();
    await assert.rejects(alerts());
  });
});
