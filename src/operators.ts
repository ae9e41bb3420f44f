import { z } from 'zod';
import { customerIdSchema } from './domain/customer.js';
import { isSafeUrl } from './domain/hosts.js';

/** What each may do, route by route: `api/operators.ts`. */
export const operatorRoles = ['viewer', 'analyst', 'lead', 'feed', 'engineer'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

const role = z.literal(operatorRoles, { error: `must be one of ${operatorRoles.join(', ')}` });

const customers = z.union([z.literal('*'), z.array(customerIdSchema)], {
  error: 'must be "*" or a list of customer ids',
});

/** Becomes the actor on timelines, so it has no room for spaces or colons. */
export const operatorIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._@-]{1,80}$/, 'must be 1 to 80 of A-Z, a-z, 0-9, ., _, @ and -');

export const tokenOperatorSchema = z.strictObject({
  id: operatorIdSchema,
  name: z.string().trim().min(1).max(100),
  role,
  customers,
  tokenSha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be the SHA-256 of the operator's token, 64 hexadecimal digits")
    .transform((hash) => hash.toLowerCase()),
});

/** Whose access tokens are taken, and what their bearers may do: the first grant that fits a token counts. */
export const signInSchema = z.strictObject({
  /** As the tokens' `iss` has it, such as `https://login.microsoftonline.com/<tenant>/v2.0`. */
  issuer: z.string().refine(isSafeUrl, 'must be a URL such as https://login.microsoftonline.com/<tenant>/v2.0'),
  /** As the tokens' `aud` has it: in Entra the application's id, or its App ID URI. */
  audience: z.string().min(1, 'must not be empty').max(500),
  /** The tokens' `tid` must be this; for an issuer that serves several tenants. */
  tenantId: z.guid('must be the id of a tenant').optional(),
  grants: z
    .array(
      z.strictObject({
        claim: z.literal(['roles', 'groups'], { error: 'must be roles or groups' }),
        /** An app role's value, or a group's id. */
        value: z.string().min(1, 'must not be empty').max(500),
        role,
        customers,
      }),
    )
    .min(1, 'must grant something to somebody'),
});

export const operatorsFileSchema = z.strictObject({
  operators: z.array(tokenOperatorSchema).superRefine((operators, context) => {
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
  signIn: signInSchema.optional(),
});

export type OperatorsFile = z.infer<typeof operatorsFileSchema>;
export type TokenOperator = z.infer<typeof tokenOperatorSchema>;
export type SignInRules = z.infer<typeof signInSchema>;

/** Whoever calls the API, however they have proved it. */
export type Operator = Omit<TokenOperator, 'tokenSha256'>;
