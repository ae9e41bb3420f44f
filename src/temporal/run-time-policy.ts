import type { Client } from '@temporalio/client';
import {
  customerMemoSchema,
  customerWorkflowId,
  periodsInForce,
  type RunTimePeriod,
} from '../domain/customers/record.js';
import type { Policy } from '../domain/policy.js';
import type { Policies } from '../policy.js';
import { describe } from './known.js';

/** What was set for the customer at run time, as its workflow shows it: also while no worker is up, or it was stopped. */
export async function runTimePeriods(client: Client, customerId: string): Promise<RunTimePeriod[]> {
  const description = await describe(client, customerWorkflowId(customerId));
  return customerMemoSchema.parse(description?.memo ?? {}).tuningPeriods;
}

/** Reads the policy that holds at this moment: the file's, with what was set at run time. */
export type ReadPolicy = (customerId: string) => Promise<Policy | undefined>;

export function createPolicyReader(client: Client, policies: Policies): ReadPolicy {
  return async (customerId) => {
    const policy = policies.find(customerId);
    if (policy === undefined) return undefined;
    const periods = periodsInForce(await runTimePeriods(client, customerId));
    if (periods.length === 0) return policy;
    const { customer, service } = policy;
    return { customer: { ...customer, tuningPeriods: [...customer.tuningPeriods, ...periods] }, service };
  };
}
