import type { z } from 'zod';
import type { HttpRequest } from '../http/request.js';

/** Thrown for control input that does not fit; answered with 422. */
export class InvalidInput extends Error {
  constructor(readonly errors: { path: string; message: string }[]) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
}

export const checkInput = <S extends z.ZodType>(value: unknown, schema: S): z.output<S> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidInput(
    result.error.issues.flatMap((issue) =>
      // Every unknown key is named on its own.
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'There is no such field.' }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    ),
  );
};

/** An empty body counts as an empty object. */
export const readInput = <S extends z.ZodType>(request: HttpRequest, schema: S): z.output<S> => {
  let value: unknown = {};
  try {
    if (request.body.trim() !== '') value = JSON.parse(request.body);
  } catch (error) {
    throw new InvalidInput([{ path: '', message: `The body is not JSON: ${String(error)}` }]);
  }
  return checkInput(value, schema);
};
