import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Keeps one tenant's calls apart from the others': at most so many at a time, in order of arrival, and none before the
 * time that tenant has named.
 */
export interface TenantGate {
  /** Runs `task` when there is room. `signal` ends the waiting with its reason. */
  run<T>(tenant: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T>;
  /** The tenant wants no call for that long, from now. */
  close(tenant: string, durationMs: number): void;
  /** How long the tenant still wants no call, in ms; 0: none. */
  closedForMs(tenant: string): number;
}

interface TenantState {
  inFlight: number;
  waiting: (() => void)[];
  closedUntilMs: number;
}

export function createTenantGate({ maxInFlight }: { maxInFlight: number }): TenantGate {
  // One small entry for each customer's tenant; they are few and stay.
  const tenants = new Map<string, TenantState>();

  function stateOf(tenant: string): TenantState {
    const known = tenants.get(tenant);
    if (known !== undefined) return known;
    const state: TenantState = { inFlight: 0, waiting: [], closedUntilMs: 0 };
    tenants.set(tenant, state);
    return state;
  }

  /** Resolves with a place taken: a new one, or one handed over by whoever left. */
  async function enter(state: TenantState, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (state.inFlight < maxInFlight) {
      state.inFlight += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        state.waiting.splice(state.waiting.indexOf(turn), 1);
        reject(reasonOf(signal));
      };
      const turn = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      state.waiting.push(turn);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  function leave(state: TenantState): void {
    const next = state.waiting.shift();
    if (next === undefined) state.inFlight -= 1;
    else next();
  }

  return {
    async run(tenant, signal, task) {
      const state = stateOf(tenant);
      await enter(state, signal);
      try {
        return await task();
      } finally {
        leave(state);
      }
    },
    close(tenant, durationMs) {
      const state = stateOf(tenant);
      state.closedUntilMs = Math.max(state.closedUntilMs, Date.now() + durationMs);
    },
    closedForMs(tenant) {
      return Math.max(0, stateOf(tenant).closedUntilMs - Date.now());
    },
  };
}

/** Waits, unless `signal` ends it with its reason. */
export async function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch((error: unknown) => {
    throw signal?.aborted === true ? reasonOf(signal) : error;
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted');
}
