import type { Operator, OperatorRole } from '../operators.js';
import { Problem } from './problem.js';

/**
 * What a route needs, and whose it is. With each route's own `access` this is the table of roles and routes: the API, its
 * document and the tests are made from it.
 */
export const access = {
  /** To read incidents, and what belongs to them. */
  read: ['viewer', 'analyst', 'lead'],
  /** To act on them. Nothing more is ever needed for that: an analyst is alone at night. */
  act: ['analyst', 'lead'],
  /** To hand alerts in. */
  feed: ['feed', 'analyst', 'lead'],
  /** To see how the service itself fares, without what an alert or a mail says. */
  watch: ['viewer', 'analyst', 'lead', 'engineer'],
  /** To see who has done what. */
  prove: ['lead'],
} as const satisfies Record<string, readonly OperatorRole[]>;

export type Access = keyof typeof access;

export function rolesOf(needed: Access): readonly OperatorRole[] {
  return access[needed];
}

export function authorise(operator: Operator, needed: Access): void {
  if (!rolesOf(needed).includes(operator.role)) {
    throw new Problem('forbidden', `The role ${operator.role} may not do this.`);
  }
}

export function maySee(operator: Operator, customerId: string): boolean {
  return operator.customers === '*' || operator.customers.includes(customerId);
}
