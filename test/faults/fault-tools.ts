import type { House } from '../support/house.js';
import type { Fault } from './fault-table.js';

/* What every test needs that plays many faults at once. */

const FOR_EVER = 1_000_000;

/** Lets so many in at a time. */
export function limiter(atOnce: number) {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return async (work: () => Promise<void>): Promise<void> => {
    if (inside >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}

export interface Begun {
  /** How many requests have met it. */
  hits: () => Promise<number>;
  end: () => Promise<void>;
}

/** A fault that goes on until it is ended, unless it says how often or how long. */
export async function begin(house: House, fault: Fault): Promise<Begun> {
  const often = 'refuseMs' in fault ? {} : { times: FOR_EVER };
  const { id, times } = await house.control('POST', '/sim/faults', { ...often, ...fault });
  return {
    async hits() {
      const { items } = await house.control('GET', '/sim/faults');
      const left = items.find((active: { id: string }) => active.id === id);
      return times - (left?.times ?? 0);
    },
    /** One that said how often may have ended itself. */
    async end() {
      await fetch(`${house.sim.url}/sim/faults/${id}`, { method: 'DELETE' });
    },
  };
}
