import { z } from 'zod';
import type { Clock } from '../clock.js';
import { DefenderRefusal } from './errors.js';
import { changeIndicator, checkIndicator, keyOf, newIndicator, type Indicator, type Submitted } from './indicator.js';

export const mostIndicators = 15_000;
export const largestBatch = 500;

export interface ImportResult {
  id: string | null;
  indicator: string;
  isFailed: boolean;
  failureReason: string | null;
}

const valueSchema = z.object({ indicatorValue: z.string() });

const hasExpired = ({ expirationTime }: Indicator): boolean =>
  expirationTime !== null && Date.parse(expirationTime) <= Date.now();

const firstId = 1;

/** The indicators of one tenant that have not expired: an expired one has never been there. */
export class Indicators {
  readonly #byId = new Map<string, Indicator>();
  readonly #idOfKey = new Map<string, string>();
  #nextId = firstId;

  constructor(private readonly clock: Clock) {}

  /** Oldest first. */
  list(): Indicator[] {
    this.#dropExpired();
    return [...this.#byId.values()];
  }

  find(id: string): Indicator | undefined {
    const indicator = this.#byId.get(id);
    return indicator === undefined || hasExpired(indicator) ? undefined : indicator;
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    const indicator = this.#byId.get(id);
    if (indicator === undefined) return false;
    this.#byId.delete(id);
    this.#idOfKey.delete(keyOf(indicator));
    return true;
  }

  /** @throws DefenderRefusal */
  submit(body: unknown, applicationId: string): Indicator {
    this.#dropExpired();
    return this.#put(body, applicationId);
  }

  import(bodies: readonly unknown[], applicationId: string): ImportResult[] {
    this.#dropExpired();
    return bodies.map((body) => {
      const indicator = valueSchema.safeParse(body).data?.indicatorValue ?? '';
      try {
        return { id: this.#put(body, applicationId).id, indicator, isFailed: false, failureReason: null };
      } catch (error) {
        if (!(error instanceof DefenderRefusal)) throw error;
        return { id: null, indicator, isFailed: true, failureReason: error.message };
      }
    });
  }

  #put(body: unknown, applicationId: string): Indicator {
    const submitted = checkIndicator(body);
    const now = this.clock.now();
    const indicator =
      this.#byId.get(this.#idOfKey.get(keyOf(submitted)) ?? '') ?? this.#make(submitted, applicationId, now);
    changeIndicator(indicator, submitted, applicationId, now);
    return indicator;
  }

  #make(submitted: Submitted, applicationId: string, now: string): Indicator {
    if (this.#byId.size >= mostIndicators)
      throw new DefenderRefusal(
        400,
        'BadRequest',
        `The limit of ${mostIndicators} active indicators in the tenant has been reached.`,
      );
    const indicator = newIndicator(String(this.#nextId), submitted, applicationId, now);
    this.#nextId += 1;
    this.#byId.set(indicator.id, indicator);
    this.#idOfKey.set(keyOf(submitted), indicator.id);
    return indicator;
  }

  #dropExpired(): void {
    for (const indicator of this.#byId.values()) if (hasExpired(indicator)) this.remove(indicator.id);
  }
}
