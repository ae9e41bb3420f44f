import { z } from 'zod';
import { heldReasons } from '../customer-mail/place.js';
import { HOUR_MS, instantSchema, plus, toMs, type Instant } from '../time.js';

/*
 * Mails of strangers: they name no conversation, and come from nobody whom a customer has named. Anybody can send any number of
 * them. So the SOC is mailed of the first at once, and of all that come within an hour of that by one mail; each is kept all the same.
 */

export const strangersMailSchema = z.object({
  heldId: z.string().max(100),
  reason: z.enum(heldReasons),
  from: z.string().max(320).nullable(),
  subject: z.string().max(500),
  receivedAt: instantSchema,
});
export type StrangersMail = z.infer<typeof strangersMailSchema>;

/** A mail, and where the SOC is told of it. */
export const strangersNewsSchema = z.object({
  mail: strangersMailSchema,
  socMailTo: z.string(),
  mailDomain: z.string(),
});
export type StrangersNews = z.infer<typeof strangersNewsSchema>;

export interface Untold {
  /** The first that came, and the newest settings of whom to tell. */
  first: StrangersNews;
  count: number;
}

export interface StrangersState {
  /** When the SOC was last mailed; null before the first time. */
  toldAt: Instant | null;
  /** What it has not been mailed of. */
  untold: Untold | null;
  /** The last that came: the same one again is none. */
  known: string[];
}

export const STRANGERS_ID = 'strangers';

const TOLD_AGAIN_AFTER_MS = HOUR_MS;
/** Whoever brings one brings it again within seconds, or never. */
const MAX_KNOWN = 500;

export function noStrangers(): StrangersState {
  return { toldAt: null, untold: null, known: [] };
}

export function afterStranger(state: StrangersState, news: StrangersNews): StrangersState {
  const { heldId } = news.mail;
  if (state.known.includes(heldId)) return state;
  const { first = news, count = 0 } = state.untold ?? {};
  return {
    ...state,
    untold: { first: { ...news, mail: first.mail }, count: count + 1 },
    known: [...state.known, heldId].slice(-MAX_KNOWN),
  };
}

export function afterTold(state: StrangersState, at: Instant): StrangersState {
  return { ...state, toldAt: at };
}

/** Until when the SOC is not mailed again; null where it may be now. */
export function quietUntil({ toldAt }: StrangersState, now: Instant): Instant | null {
  if (toldAt === null) return null;
  const until = plus(toldAt, TOLD_AGAIN_AFTER_MS);
  return toMs(now) >= toMs(until) ? null : until;
}
