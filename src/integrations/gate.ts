import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Keeps what is done for one customer apart from what is done for the others, by the customer's tenant or address: at
 * most so many at a time, in order of arrival, and none before the time that the other side has named.
 */
export interface Gate {
  /** Runs `task` when there is room. `signal` ends the waiting with its reason. */
  run<T>(key: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T>;
  /** The other side wants no call for that long, from now. */
  close(key: string, durationMs: number): void;
  /** How long it still wants no call, in ms; 0: none. */
  closedForMs(key: string): number;
}

interface GateState {
  inFlight: number;
  waiting: (() => void)[];
  closedUntilMs: number;
}

export function createGate({ maxInFlight }: { maxInFlight: number }): Gate {
  // One small entry for each customer; they are few and stay.
  const states = new Map<string, GateState>();

  function stateOf(key: string): GateState {
    const known = states.get(key);
    if (known !== undefined) return known;
    const state: GateState = { inFlight: 0, waiting: [], closedUntilMs: 0 };
    states.set(key, state);
    return state;
  }

  /** Resolves with a place taken: a new one, or one handed over by whoever left. */
  async function enter(state: GateState, signal: AbortSignal | undefined): Promise<void> {
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

  function leave(state: GateState): void {
    const next = state.waiting.shift();
    if (next === undefined) state.inFlight -= 1;
    else next();
  }

  return {
    async run(key, signal, task) {
      const state = stateOf(key);
      await enter(state, signal);
      try {
        return await task();
      } finally {
        leave(state);
      }
    },
    close(key, durationMs) {
      const state = stateOf(key);
      state.closedUntilMs = Math.max(state.closedUntilMs, Date.now() + durationMs);
    },
    closedForMs(key) {
      return Math.max(0, stateOf(key).closedUntilMs - Date.now());
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
