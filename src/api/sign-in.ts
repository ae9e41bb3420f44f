import { createHash, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { IssuerUnavailable, TokenRefused, type VerifyToken } from '../integrations/access-tokens.js';
import {
  operatorIdSchema,
  type Operator,
  type OperatorsFile,
  type SignInRules,
  type TokenOperator,
} from '../operators.js';
import { Problem } from './problem.js';

/** @throws Problem where the token proves nobody, or somebody who has no role here */
export type OperatorSignIn = (authorization: string | undefined) => Promise<Operator>;

/** Finds the operator of a token of our own, comparing every entry in constant time. */
function ofOwnToken(operators: readonly TokenOperator[], token: string): TokenOperator | undefined {
  const given = createHash('sha256').update(token).digest();
  let found: TokenOperator | undefined;
  for (const operator of operators) {
    if (timingSafeEqual(given, Buffer.from(operator.tokenSha256, 'hex'))) found = operator;
  }
  return found;
}

const claimsSchema = z.looseObject({
  roles: z.array(z.string()).catch([]),
  groups: z.array(z.string()).catch([]),
  /** For a person the name they sign in with, which people can read; a program has none. */
  preferred_username: operatorIdSchema.optional().catch(undefined),
  oid: operatorIdSchema.optional().catch(undefined),
  sub: operatorIdSchema.optional().catch(undefined),
  name: z.string().trim().min(1).max(100).optional().catch(undefined),
});

/** Whom a verified token stands for. */
function ofClaims(payload: JWTPayload, grants: SignInRules['grants']): Operator {
  const claims = claimsSchema.parse(payload);
  const id = claims.preferred_username ?? claims.oid ?? claims.sub;
  if (id === undefined) throw new Problem('unauthenticated', 'The token names nobody that a timeline could name.');
  const grant = grants.find(({ claim, value }) => claims[claim].includes(value));
  if (grant === undefined) throw new Problem('forbidden', `${id} has been given no role here.`);
  return { id, name: claims.name ?? id, role: grant.role, customers: grant.customers };
}

/** A JSON Web Token has three parts; a token of our own has none of the dots. */
const looksSigned = (token: string) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

/** Two ways to be somebody: a token of the operators file, or an access token of the sign-in service that it names. */
export function createOperatorSignIn(
  { operators, signIn }: OperatorsFile,
  verifierOf: (rules: SignInRules) => VerifyToken,
): OperatorSignIn {
  const verify = signIn === undefined ? undefined : verifierOf(signIn);
  return async (authorization) => {
    const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new Problem('unauthenticated', 'A bearer token is needed.');
    const own = ofOwnToken(operators, token);
    if (own !== undefined) {
      const { id, name, role, customers } = own;
      return { id, name, role, customers };
    }
    if (signIn === undefined || verify === undefined || !looksSigned(token)) {
      throw new Problem('unauthenticated', 'This token is not known.');
    }
    try {
      return ofClaims(await verify(token), signIn.grants);
    } catch (error) {
      if (error instanceof TokenRefused) throw new Problem('unauthenticated', `The token is refused. ${error.message}`);
      if (error instanceof IssuerUnavailable) throw new Problem('sign-in-unavailable', error.message);
      throw error;
    }
  };
}
