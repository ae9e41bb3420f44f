import { z } from 'zod';
import type { HttpRequest } from '../http/request.js';
import { DefenderRefusal } from './errors.js';

/** Checks as Defender does: keys are case-sensitive, and a missing one is named. */
export const checkBody = <S extends z.ZodType>(value: unknown, schema: S): z.output<S> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  if (field !== '' && typeof value === 'object' && value !== null && !(field in value))
    throw new DefenderRefusal(400, 'MissingRequiredParameter', `The required parameter '${field}' is missing.`);
  throw new DefenderRefusal(
    400,
    field === '' ? 'InvalidRequestBody' : 'InvalidInput',
    `${field === '' ? 'The request body' : `The parameter '${field}'`} is not valid: ${issue?.message ?? ''}`,
  );
};

export const readBody = <S extends z.ZodType>(request: HttpRequest, schema: S): z.output<S> => {
  let value: unknown;
  try {
    value = JSON.parse(request.body);
  } catch {
    throw new DefenderRefusal(400, 'InvalidRequestBody', 'The request body is not valid JSON.');
  }
  return checkBody(value, schema);
};

const comment = z.string().trim().min(1);

export const isolateSchema = z.object({
  Comment: comment,
  IsolationType: z.enum(['Full', 'Selective', 'UnManagedDevice']),
});

export const commentSchema = z.object({ Comment: comment });

export const alertUpdateSchema = z
  .strictObject({
    status: z.enum(['New', 'InProgress', 'Resolved']),
    assignedTo: z.string().nullable(),
    classification: z.string().nullable(),
    determination: z.string().nullable(),
    comment: z.string(),
  })
  .partial();

export const importSchema = z.object({ Indicators: z.array(z.unknown()).min(1) });

export const batchDeleteSchema = z.object({ IndicatorIds: z.array(z.string()).min(1) });
