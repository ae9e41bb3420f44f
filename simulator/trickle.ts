import { lifeOfAny, lifeOfFirst } from './defender/alert-life.js';
import { outsideReasons, raisePlausibleAlert, type AlertKind } from './defender/plausible.js';
import type { Tenants } from './defender/tenant.js';
import { Random } from './random.js';
import type { Timers } from './timers.js';

export interface TrickleOptions {
  /** Over all tenants together; 0 for none. */
  alertsPerMinute: number;
  tenantIds: readonly string[];
  /** The same seed gives the same alerts, but for their ids and times. */
  seed: number;
}

export const noTrickle: TrickleOptions = { alertsPerMinute: 0, tenantIds: [], seed: 1 };

const minuteMs = 60_000;
/** A timer that is set for longer rings at once. */
const longestTimerMs = 2 ** 31 - 1;
const fleetSize = 12;
const shareInScope = 0.45;

/** Alerts that come by themselves, one tenant after the other, and change in the minutes after. */
export class Trickle {
  readonly #random: Random;
  #raised = 0;

  constructor(
    private readonly tenants: Tenants,
    private readonly timers: Pick<Timers, 'after' | 'dropAll'>,
    private readonly options: TrickleOptions,
  ) {
    this.#random = new Random(options.seed);
  }

  start(): void {
    const { alertsPerMinute, tenantIds } = this.options;
    if (alertsPerMinute <= 0 || tenantIds.length === 0) return;
    const intervalMs = Math.min(minuteMs / alertsPerMinute, longestTimerMs);
    // The first round takes one interval, so that nobody waits long for something to look at.
    const delayMs = this.#isFirstRound ? intervalMs / tenantIds.length : intervalMs;
    this.timers.after(delayMs, () => {
      this.#raise(tenantIds[this.#raised % tenantIds.length] ?? '');
      this.start();
    });
  }

  stop(): void {
    this.timers.dropAll();
  }

  get #isFirstRound(): boolean {
    return this.#raised < this.options.tenantIds.length;
  }

  #raise(tenantId: string): void {
    const isFirst = this.#isFirstRound;
    this.#raised += 1;
    const random = this.#random;
    const kind: AlertKind = isFirst || random.chance(shareInScope) ? 'in-scope' : random.pick(outsideReasons);
    const life = isFirst ? lifeOfFirst(random) : lifeOfAny(random);
    const nowMs = Date.now();
    const wanted = { kind, fleetSize, atMs: nowMs, untilMs: nowMs, changes: life.atBirth };
    const { id } = raisePlausibleAlert(this.tenants.get(tenantId), wanted, random);
    for (const { afterMs, changes } of life.steps)
      this.timers.after(afterMs, () => {
        // A reset has other tenants, and none of the old alerts.
        const tenant = this.tenants.get(tenantId);
        const alert = tenant.alerts.get(id);
        if (alert !== undefined) tenant.changeAlert(alert, changes(alert, new Date().toISOString()));
      });
  }
}
