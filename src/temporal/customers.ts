import { customerWorkflowId } from '../domain/customers/record.js';
import { searchKeys } from '../domain/lists.js';
import { PEOPLE_FIRST } from '../domain/ports.js';
import type { CustomerInput } from '../workflows/messages.js';

/** What a customer's workflow is started with, whoever needs it first. */
export function customerStart(taskQueue: string, customerId: string) {
  const args: [CustomerInput] = [{ customerId }];
  return {
    workflowId: customerWorkflowId(customerId),
    taskQueue,
    args,
    priority: PEOPLE_FIRST,
    memo: { tuningPeriods: [], exclusionsRevision: 0 },
    typedSearchAttributes: [{ key: searchKeys.customerId, value: customerId }],
    staticSummary: `${customerId} · what was set at run time`,
  };
}
