import type { Language } from '../text.js';
import { toMs, type Instant } from '../time.js';

/** Writes an instant for a reader. */
export type When = (at: Instant) => string;

/** Every locale abbreviates the zones of its own countries only; tried in turn. */
const LOCALES = ['ja-JP', 'en-US', 'en-GB', 'en-AU', 'en-IN', 'en-NZ', 'en-ZA'];

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Making a formatter takes a hundred times as long as using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function partsOf(at: Date, locale: string, options: Intl.DateTimeFormatOptions): Map<string, string> {
  const key = JSON.stringify([locale, options]);
  const format = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formatters.set(key, format);
  return new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** `JST`, `EDT`; `UTC+8` where nobody has letters for it. Says which side of a change of clocks is meant. */
function abbreviation(at: Date, timeZone: string): string {
  let offset = 'UTC';
  for (const locale of LOCALES) {
    const name = partsOf(at, locale, { timeZone, timeZoneName: 'short' }).get('timeZoneName') ?? 'UTC';
    if (!/^(GMT|UTC)[+\-\u2212]/u.test(name)) return name;
    offset = name.replace('GMT', 'UTC');
  }
  return offset;
}

function fields(at: Date, timeZone: string) {
  const parts = partsOf(at, 'en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  const get = (type: string): string => parts.get(type) ?? '';
  return { year: get('year'), month: get('month'), day: get('day'), time: `${get('hour')}:${get('minute')}` };
}

/** E.g. `2026年11月24日 12:00 (JST/Asia/Tokyo)` or `24 November 2026, 12:00 (JST/Asia/Tokyo)`. */
export function whenIn(language: Language, timeZone: string): When {
  return (instant) => {
    const at = new Date(toMs(instant));
    // A time that cannot be read must not keep a mail from going.
    if (Number.isNaN(at.getTime())) return '-';
    const { year, month, day, time } = fields(at, timeZone);
    const short = abbreviation(at, timeZone);
    const zone = short === timeZone ? short : `${short}/${timeZone}`;
    return language === 'ja'
      ? `${year}年${month}月${day}日 ${time} (${zone})`
      : `${day} ${MONTHS[Number(month) - 1] ?? month} ${year}, ${time} (${zone})`;
  };
}

/** The day, and the time of that day, for what is told day by day: `24 November 2026 (JST/Asia/Tokyo)` and `12:00`. */
export function dayIn(language: Language, timeZone: string): (at: Instant) => { day: string; time: string } {
  const when = whenIn(language, timeZone);
  return (instant) => {
    const at = new Date(toMs(instant));
    if (Number.isNaN(at.getTime())) return { day: '-', time: '-' };
    const { time } = fields(at, timeZone);
    return { day: when(instant).replace(language === 'ja' ? ` ${time}` : `, ${time}`, ''), time };
  };
}

/** For analysts, who may sit elsewhere than the customer: the same with UTC behind it. */
export function whenInAndUtc(language: Language, timeZone: string): When {
  const local = whenIn(language, timeZone);
  return (instant) => {
    const ms = toMs(instant);
    if (Number.isNaN(ms)) return '-';
    return `${local(instant)} = ${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  };
}
