import type { DefenderMachine } from '../domain/defender.js';
import { MINUTE_MS } from '../domain/time.js';
import type { DefenderClient, Tenant } from '../integrations/defender/client.js';

/** Name and system of a device hardly ever change. One that Defender does not know is asked for each time. */
const KEPT_MS = 2 * MINUTE_MS;
const MOST_KEPT = 5_000;

export type LookUp = (
  tenant: Tenant,
  machineId: string,
  asked: { isUrgent: boolean; signal: AbortSignal },
) => Promise<DefenderMachine | undefined>;

/** Looks devices up. The many incidents of one device share a call, and what it has brought serves for a while. */
export function createLookUp(defender: Pick<DefenderClient, 'getMachine'>): LookUp {
  const known = new Map<string, { machine: DefenderMachine; untilMs: number }>();
  const underWay = new Map<string, Promise<DefenderMachine | undefined>>();

  function keep(key: string, machine: DefenderMachine): void {
    const nowMs = Date.now();
    if (known.size >= MOST_KEPT) for (const [old, { untilMs }] of known) if (untilMs <= nowMs) known.delete(old);
    if (known.size < MOST_KEPT) known.set(key, { machine, untilMs: nowMs + KEPT_MS });
  }

  return async ({ tenantId, apiBase }, machineId, { isUrgent, signal }) => {
    signal.throwIfAborted();
    const key = `${apiBase} ${tenantId} ${machineId}`;
    const found = known.get(key);
    if (found !== undefined && Date.now() < found.untilMs) return found.machine;
    // What is urgent does not wait with what is not.
    const askedKey = `${key} ${isUrgent}`;
    let asked = underWay.get(askedKey);
    if (asked === undefined) {
      asked = defender
        .getMachine({ tenantId, apiBase }, machineId, undefined, isUrgent ? 'isolation' : 'look-up')
        .finally(() => underWay.delete(askedKey));
      underWay.set(askedKey, asked);
      asked.then(
        (machine) => machine && keep(key, machine),
        () => undefined,
      );
    }
    return orAborted(asked, signal);
  };
}

/** The call is others' too, and goes on. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
