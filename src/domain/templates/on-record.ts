/** A topic speaks of facts that are on the record; anything else is a fault of the program. */
export function onRecord<T>(list: readonly T[], index: number, what: string): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`the record has no ${what} ${index}`);
  return found;
}
