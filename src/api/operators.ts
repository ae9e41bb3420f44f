import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { Operator, OperatorRole } from '../operators.js';
import { Problem } from './problem.js';

/** What a route needs: to read, to act on incidents, or to hand alerts in. */
export type Access = 'read' | 'act' | 'feed';

const allowed: Record<Access, readonly OperatorRole[]> = {
  read: ['viewer', 'analyst', 'lead'],
  act: ['analyst', 'lead'],
  feed: ['feed', 'analyst', 'lead'],
};

/** Finds the operator of a bearer token, comparing every entry in constant time. */
export function authenticate(operators: readonly Operator[], request: Request): Operator {
  const token = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Problem('unauthenticated', 'A bearer token is needed.');
  const given = createHash('sha256').update(token).digest();
  let found: Operator | undefined;
  for (const operator of operators) {
    if (timingSafeEqual(given, Buffer.from(operator.tokenSha256, 'hex'))) found = operator;
  }
  if (found === undefined) throw new Problem('unauthenticated', 'This token is not known.');
  return found;
}

export function authorise(operator: Operator, access: Access): void {
  if (!allowed[access].includes(operator.role)) {
    throw new Problem('forbidden', `The role ${operator.role} may not do this.`);
  }
}

export function maySee(operator: Operator, customerId: string): boolean {
  return operator.customers === '*' || operator.customers.includes(customerId);
}
