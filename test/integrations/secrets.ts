import assert from 'node:assert/strict';
import { inspect } from 'node:util';

/** Everything that a logger could write of an error: its fields, hidden ones too, its stack and its causes. */
export function assertHoldsNoSecret(error: unknown, secrets: readonly string[]): void {
  const everything = [
    inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity }),
    JSON.stringify(error),
    error instanceof Error ? String(error.stack) + inspect(error.cause, { depth: Infinity }) : '',
  ].join('\n');
  for (const secret of [...secrets, 'Bearer ', 'Basic ', 'client_assertion=']) {
    assert.ok(!everything.includes(secret), `the error holds ${secret}: ${everything}`);
  }
}

/** The error that `work` fails with, which must be of the given class and hold no secret. */
export async function failure<E extends Error>(
  work: Promise<unknown>,
  type: abstract new (...parameters: never[]) => E,
  secrets: readonly string[],
): Promise<E> {
  const error: unknown = await work.then(
    (result) => assert.fail(`succeeded with ${inspect(result)}`),
    (reason: unknown) => reason,
  );
  assertHoldsNoSecret(error, secrets);
  if (error instanceof type) return error;
  throw error;
}
