import holidayJp from '@holiday-jp/holiday_jp';
import { calendarOf, openingFrom, type Calendar, type Opening } from './domain/business-hours.js';
import { toInstant, toMs, type Instant } from './domain/time.js';

/**
 * Japan's public holidays, from data that is kept in step with the Cabinet Office's list; substitute and citizens'
 * holidays are days of their own there. Only the dates are read: the package's own look-ups depend on the time zone of
 * the process.
 *
 * The law may move a holiday (2020 and 2021 did), and an equinox is announced in the February of the year before: the
 * package has to be kept up to date. Beyond its last year nothing is claimed, and the rules refuse to guess.
 */
const DATES = Object.keys(holidayJp.holidays).sort();

/** The calendar of whole years `[fromYear, untilYear]`, or of as many of them as the data covers: none, at the worst. */
export function businessCalendar(closedDays: readonly string[], fromYear: number, untilYear: number): Calendar {
  const years = new Set(DATES.map((date) => Number(date.slice(0, 4))));
  const known = [...years].filter((year) => year >= fromYear && year <= untilYear).sort((a, b) => a - b);
  const first = known[0] ?? fromYear;
  const last = known.at(-1) ?? first - 1;
  return calendarOf({
    holidays: DATES.filter((date) => known.includes(Number(date.slice(0, 4)))),
    knownFrom: `${first}-01-01`,
    knownUntil: `${last}-12-31`,
    closedDays,
  });
}

/** The provider's business hours. */
export type BusinessHours = (at: Instant) => Opening;

/** Is it business hours at this very moment? Where the calendar does not say, it is not. */
export function isOpen(hours: BusinessHours): boolean {
  const nowMs = Date.now();
  const opening = hours(toInstant(nowMs));
  return 'opensAt' in opening && toMs(opening.opensAt) <= nowMs;
}

/** As they are with these closed days beside weekends and public holidays. */
export function businessHours(closedDays: readonly string[]): BusinessHours {
  return (at) => {
    const year = Number(at.slice(0, 'YYYY'.length));
    // Japan's year begins nine hours before UTC's, and closed days may reach into the next.
    return openingFrom(at, businessCalendar(closedDays, year, year + 1));
  };
}
