/**
 * The highest `ways` that this version's rules know. A record carries the `ways` of the version that opened it, and a run goes
 * those for good: two versions may be at work side by side, and the histories of either must go on.
 */
export const NEWEST_WAYS = 2;

/** Was a record among these inputs of a workflow opened by a newer version, whose ways nobody here knows? */
export function isOfNewerVersion(inputs: readonly unknown[]): boolean {
  return inputs
    .flatMap((input) => [input, ...valuesOf(input)])
    .some((value) => {
      const ways = typeof value === 'object' && value !== null && 'ways' in value ? value.ways : undefined;
      return typeof ways === 'number' && ways > NEWEST_WAYS;
    });
}

function valuesOf(input: unknown): unknown[] {
  return typeof input === 'object' && input !== null ? Object.values(input) : [];
}
