import { z } from 'zod';
import { customerIdSchema } from './domain/customer.js';

/**
 * viewer reads; analyst and lead do everything that the API offers; feed only posts alerts.
 */
export const operatorRoleSchema = z.literal(['viewer', 'analyst', 'lead', 'feed']);

export const operatorSchema = z.strictObject({
  /** Becomes the actor on timelines, so it has no room for spaces or colons. */
  id: z.string().regex(/^[A-Za-z0-9._@-]{1,80}$/, 'must be 1 to 80 of A-Z, a-z, 0-9, ., _, @ and -'),
  name: z.string().trim().min(1).max(100),
  role: operatorRoleSchema,
  customers: z.union([z.literal('*'), z.array(customerIdSchema)], {
    error: 'must be "*" or a list of customer ids',
  }),
  tokenSha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be the SHA-256 of the operator's token, 64 hexadecimal digits")
    .transform((hash) => hash.toLowerCase()),
});

export const operatorsFileSchema = z.strictObject({
  operators: z.array(operatorSchema).superRefine((operators, context) => {
    const ids = new Set<string>();
    const tokens = new Set<string>();
    operators.forEach(({ id, tokenSha256 }, index) => {
      if (ids.has(id)) context.addIssue({ code: 'custom', path: [index, 'id'], message: `is used twice: ${id}` });
      if (tokens.has(tokenSha256)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'tokenSha256'],
          message: 'belongs to another operator of this file too: nobody could tell who acted',
        });
      }
      ids.add(id);
      tokens.add(tokenSha256);
    });
  }),
});

export type Operator = z.infer<typeof operatorSchema>;
export type OperatorRole = z.infer<typeof operatorRoleSchema>;
