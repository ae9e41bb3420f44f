const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const twoDigits = (number: number, fill = '0'): string => String(number).padStart(2, fill);

/** ` 4-Nov-2026 01:02:03 +0000` */
export const internalDate = (date: Date): string => {
  const day = `${twoDigits(date.getUTCDate(), ' ')}-${months[date.getUTCMonth()] ?? ''}-${date.getUTCFullYear()}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) => twoDigits(part));
  return `${day} ${time.join(':')} +0000`;
};

/** `4-Nov-2026` as the beginning of that day in UTC; null for anything else. */
export const dayOf = (text: string): Date | null => {
  const [, day = '', name = '', year = ''] = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text) ?? [];
  const month = months.findIndex((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return month < 0 ? null : new Date(Date.UTC(Number(year), month, Number(day)));
};

/** With the time and the zone, as APPEND has it; null for anything else. */
export const readInternalDate = (text: string): Date | null => {
  const [, day = '', clock = '', sign = '', hours = '', minutes = ''] =
    /^ ?(\S+) (\d\d:\d\d:\d\d) ([+-])(\d\d)(\d\d)$/.exec(text) ?? [];
  const date = dayOf(day);
  if (date === null) return null;
  const [hour = 0, minute = 0, second = 0] = clock.split(':').map(Number);
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return new Date(date.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000);
};
