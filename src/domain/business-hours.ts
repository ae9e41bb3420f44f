import { z } from 'zod';
import { DAY_MS, HOUR_MS, toInstant, toMs, type Instant } from './time.js';

/**
 * The provider's business hours: 「当社営業日 9時~18時」. Business days are neither Saturdays nor Sundays, nor Japanese public
 * holidays (substitute holidays and citizens' holidays are among them), nor days on which the provider is closed.
 *
 * Japan's clock is a fixed nine hours ahead of UTC: it has had no daylight saving time since 1951. So the arithmetic is
 * UTC's, and the time zone of the process does not matter.
 */
const TOKYO_OFFSET_MS = 9 * HOUR_MS;
const OPENS_MS = 9 * HOUR_MS;
const CLOSES_MS = 18 * HOUR_MS;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY_OF_YEAR = /^\d{2}-\d{2}$/;

function isDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  // 30 February parses as 1 March in some engines: a date is one only if it comes back as it went in.
  return DATE.test(text) && !Number.isNaN(ms) && toInstant(ms).startsWith(text);
}

/** A day of one year (`2027-04-30`) or of every year (`12-29`). */
const closedDaySchema = z
  .string()
  .refine(
    (text) => isDate(text) || (DAY_OF_YEAR.test(text) && isDate(`2000-${text}`)),
    'must be a day of every year such as 12-29, or of one such as 2027-04-30',
  );

/** When the provider is closed beside weekends and public holidays, as the settings say it. */
export const closedDaysSchema = z
  .array(closedDaySchema)
  .default(['12-29', '12-30', '12-31', '01-01', '01-02', '01-03']);

/** What a calendar is made of. Public holidays are dates of Japan, known for every day of `[knownFrom, knownUntil]`. */
export interface CalendarData {
  holidays: readonly string[];
  closedDays: readonly string[];
  knownFrom: string;
  knownUntil: string;
}

/** A calendar as it is asked. */
export interface Calendar {
  holidays: ReadonlySet<string>;
  closedDays: ReadonlySet<string>;
  knownFrom: string;
  knownUntil: string;
}

export function calendarOf({ holidays, closedDays, knownFrom, knownUntil }: CalendarData): Calendar {
  return { holidays: new Set(holidays), closedDays: new Set(closedDays), knownFrom, knownUntil };
}

/** Nobody knows yet whether that day is a holiday: a guess would do the work on a closed day, or never. */
export class UnknownBusinessDayError extends RangeError {
  override readonly name = 'UnknownBusinessDayError';

  constructor(readonly date: string) {
    super(`The calendar of public holidays does not cover ${date}.`);
  }
}

/** `date`: of the day in Tokyo; `startsAtMs`: its midnight there; `passedMs`: since then. */
interface TokyoTime {
  date: string;
  startsAtMs: number;
  passedMs: number;
}

function inTokyo(ms: number): TokyoTime {
  const wall = ms + TOKYO_OFFSET_MS;
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  return {
    date: toInstant(midnight).slice(0, 'YYYY-MM-DD'.length),
    startsAtMs: midnight - TOKYO_OFFSET_MS,
    passedMs: wall - midnight,
  };
}

function isBusinessDay({ date }: TokyoTime, calendar: Calendar): boolean {
  if (date < calendar.knownFrom || date > calendar.knownUntil) throw new UnknownBusinessDayError(date);
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  const isClosed = calendar.closedDays.has(date) || calendar.closedDays.has(date.slice('YYYY-'.length));
  return !isWeekend && !isClosed && !calendar.holidays.has(date);
}

/**
 * Is it a business day between 9:00 and before 18:00?
 * @throws {UnknownBusinessDayError} for a day that the calendar does not cover
 * @throws {RangeError} for what is no instant
 */
export function isBusinessTime(at: Instant, calendar: Calendar): boolean {
  const time = inTokyo(toMs(at));
  return isBusinessDay(time, calendar) && time.passedMs >= OPENS_MS && time.passedMs < CLOSES_MS;
}

/**
 * The first business moment from `at` on: `at` itself when it is one.
 * @throws {UnknownBusinessDayError} when the calendar ends before one is found
 * @throws {RangeError} for what is no instant
 */
export function nextBusinessTime(at: Instant, calendar: Calendar): Instant {
  const now = inTokyo(toMs(at));
  if (isBusinessDay(now, calendar)) {
    if (now.passedMs < OPENS_MS) return toInstant(now.startsAtMs + OPENS_MS);
    if (now.passedMs < CLOSES_MS) return toInstant(toMs(at));
  }
  // Ends by itself: beyond the calendar's last day there is no answer but an error.
  let day = inTokyo(now.startsAtMs + DAY_MS);
  while (!isBusinessDay(day, calendar)) day = inTokyo(day.startsAtMs + DAY_MS);
  return toInstant(day.startsAtMs + OPENS_MS);
}

/** When business hours begin, or go on; or the day of which nobody knows whether it is a business day. */
export type Opening = { opensAt: Instant } | { unknownDate: string };

/** `nextBusinessTime`, where not to know is an answer. */
export function openingFrom(at: Instant, calendar: Calendar): Opening {
  try {
    return { opensAt: nextBusinessTime(at, calendar) };
  } catch (error) {
    if (error instanceof UnknownBusinessDayError) return { unknownDate: error.date };
    throw error;
  }
}
