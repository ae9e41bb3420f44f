import { BadCommand } from './syntax.js';

const numberOf = (text: string, largest: number): number => {
  if (text === '*') return largest;
  if (!/^[1-9]\d*$/.test(text)) throw new BadCommand(`${text} is no number of a message`);
  return Number(text);
};

/** `1,4:7,9:*` as a test of numbers. `*` is the largest there is, so that `9:*` always holds the last one. */
export const readNumberSet = (text: string, largest: number): ((number: number) => boolean) => {
  const ranges = text.split(',').map((part) => {
    const [from = '', to = from, ...more] = part.split(':');
    if (more.length > 0) throw new BadCommand(`${part} is no range of messages`);
    const ends = [numberOf(from, largest), numberOf(to, largest)];
    return { least: Math.min(...ends), most: Math.max(...ends) };
  });
  return (number) => ranges.some(({ least, most }) => least <= number && number <= most);
};

/** Numbers that ascend, as short as can be: `1:3,7`. */
export const writeNumberSet = (numbers: readonly number[]): string => {
  const ranges: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.to === number - 1) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}:${to}`)).join(',');
};
