import type { z } from 'zod';
import type { InputError } from './errors.js';

type Issue = z.core.$ZodIssue;

function joinPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((joined, key) => {
    if (typeof key === 'number') return `${joined}[${key}]`;
    return joined === '' ? String(key) : `${joined}.${String(key)}`;
  }, '');
}

function unknownKeys(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
}

/** Which of several shapes was meant: the one that knows the most of the keys; where that is a draw, the last, which is the usual. */
function meant(shapes: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fewest = Math.min(...shapes.map(unknownKeys));
  return shapes.findLast((issues) => unknownKeys(issues) === fewest);
}

function errorsOf(issues: readonly Issue[], parent: readonly PropertyKey[]): InputError[] {
  return issues.flatMap((issue) => {
    const path = [...parent, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: joinPath([...path, key]), message: 'is not known here' }));
    }
    const shape = issue.code === 'invalid_union' ? meant(issue.errors) : undefined;
    if (shape !== undefined && shape.length > 0) return errorsOf(shape, path);
    return [{ path: joinPath(path), message: issue.message }];
  });
}

/** One entry a fault, each naming its field; an unknown key is named itself, not its parent. */
export function inputErrors(error: z.ZodError): InputError[] {
  return errorsOf(error.issues, []);
}
