import type { Connection } from '@temporalio/client';
import { searchKeys } from '../domain/lists.js';

/** Temporal's `IndexedValueType` on the wire. */
const WIRE_TYPES = { KEYWORD: 2, INT: 3, BOOL: 5, KEYWORD_LIST: 7 } as const;

/** Name and wire type of every search attribute. */
export function searchAttributeTypes(): Map<string, number> {
  return new Map(Object.values(searchKeys).map(({ name, type }) => [name, WIRE_TYPES[type]]));
}

/**
 * Registers what is missing; the server may take a moment to know it. Idempotent, so that every start does it.
 * Fails when an attribute of that name exists with another type: lists would lie.
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, number> = {};
  for (const [name, type] of searchAttributeTypes()) {
    const existing: number | undefined = customAttributes[name];
    if (existing === undefined) missing[name] = type;
    else if (existing !== type) {
      throw new Error(`The namespace ${namespace} has a search attribute ${name} of another type (${existing}).`);
    }
  }
  if (Object.keys(missing).length === 0) return;
  await operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
}
