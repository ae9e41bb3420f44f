import type { z } from 'zod';
import type { InputError } from './errors.js';

function joinPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((joined, key) => {
    if (typeof key === 'number') return `${joined}[${key}]`;
    return joined === '' ? String(key) : `${joined}.${String(key)}`;
  }, '');
}

/** One entry a fault, each naming its field; an unknown key is named itself, not its parent. */
export function inputErrors(error: z.ZodError): InputError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: joinPath([...issue.path, key]), message: 'is not known here' }));
    }
    return [{ path: joinPath(issue.path), message: issue.message }];
  });
}
