import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant, toMs, type Instant } from './time.js';

/** `[from, until)` o'clock where the customer is: when a mail may come that is not urgent. Every day of the week. */
export const DAY_TIME = { from: 9, until: 18 };

/** Making a formatter takes a hundred times as long as using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const format =
    formatters.get(timeZone) ??
    new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  formatters.set(timeZone, format);
  return format;
}

/** What the clock on the wall shows at that moment, written as if it were UTC. */
function wallMs(ms: number, timeZone: string): number {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(new Date(ms))
      .map(({ type, value }) => [type, Number(value)]),
  );
  const get = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
}

/** The moment at which the clock on the wall shows this. Clocks that are put forward or back between are seen by looking again. */
function momentOf(wall: number, timeZone: string): number {
  let ms = wall;
  for (let look = 0; look < 3; look += 1) ms += wall - wallMs(ms, timeZone);
  return ms;
}

/** That moment, or the next 9 o'clock where it lies outside the day time. */
export function nextDayTime(at: Instant, timeZone: string): Instant {
  const ms = toMs(at);
  const wall = wallMs(ms, timeZone);
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  const hour = (wall - midnight) / HOUR_MS;
  if (hour >= DAY_TIME.from && hour < DAY_TIME.until) return at;
  const day = hour < DAY_TIME.from ? midnight : midnight + DAY_MS;
  const next = momentOf(day + DAY_TIME.from * HOUR_MS, timeZone);
  // Where a zone leaves out a whole day there is no such 9 o'clock: whoever asks again a little later is told the next.
  return toInstant(next > ms ? next : ms + MINUTE_MS);
}
