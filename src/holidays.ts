import holidayJp from '@holiday-jp/holiday_jp';
import type { CalendarData } from './domain/business-hours.js';

/**
 * Japan's public holidays, from data that is kept in step with the Cabinet Office's list; substitute and citizens'
 * holidays are days of their own there. Only the dates are read: the package's own look-ups depend on the time zone of
 * the process.
 *
 * The law may move a holiday (2020 and 2021 did), and an equinox is announced in the February of the year before: the
 * package has to be kept up to date. Beyond its last year nothing is claimed, and the rules refuse to guess.
 */
const DATES = Object.keys(holidayJp.holidays).sort();

/**
 * The calendar of whole years `[fromYear, untilYear]`, or of as many of them as the data covers.
 * @throws {RangeError} when it covers none of them
 */
export function businessCalendar(closedDays: readonly string[], fromYear: number, untilYear: number): CalendarData {
  const years = new Set(DATES.map((date) => Number(date.slice(0, 4))));
  const known = [...years].filter((year) => year >= fromYear && year <= untilYear).sort((a, b) => a - b);
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined) {
    throw new RangeError(
      `No public holidays are known for ${fromYear} to ${untilYear}: update @holiday-jp/holiday_jp.`,
    );
  }
  return {
    holidays: DATES.filter((date) => known.includes(Number(date.slice(0, 4)))),
    knownFrom: `${first}-01-01`,
    knownUntil: `${last}-12-31`,
    closedDays: [...closedDays],
  };
}
