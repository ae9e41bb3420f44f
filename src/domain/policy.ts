import { z } from 'zod';
import type { Customer } from './customer.js';

/** What the provider has set for every customer. */
const serviceSettingsSchema = z.object({
  socMailTo: z.string(),
  /** The domain of Message-IDs. */
  mailDomain: z.string(),
  untriagedWarnMs: z.number(),
  autoCloseMs: z.number(),
  lingerMs: z.number(),
  phoneRingSeconds: z.number(),
  phoneRounds: z.number(),
  phoneRoundPauseMs: z.number(),
  /** After so many minutes the SOC is reminded of a customer's mail that nobody has answered. Absent in records from before. */
  inquiryRemindMinutes: z.array(z.number()).readonly().optional(),
  /** Addresses of the service itself, which nobody answers by machine. */
  ownAddresses: z.array(z.string()).readonly().optional(),
});
export type ServiceSettings = z.infer<typeof serviceSettingsSchema>;

/** What decisions depend on beside the incident's own facts; read at the moment of the decision and recorded with it. */
export interface Policy {
  customer: Customer;
  service: ServiceSettings;
}

/** A contact as the file has been read: its shape alone. */
export const sentContactSchema = z.object({
  id: z.string(),
  name: z.string(),
  mail: z.string().optional(),
  phone: z.string().optional(),
  mayInstruct: z.boolean(),
  ringOrder: z.number().optional(),
});

/**
 * A customer as one process sends it to another: read from the file before, so that its shape alone is looked at. The file's
 * own schema finds its patterns frozen inside a workflow.
 */
const sentCustomerSchema: z.ZodType<Customer> = z.object({
  id: z.string(),
  name: z.string(),
  language: z.enum(['ja', 'en']),
  timeZone: z.string(),
  serviceStartsAt: z.string().optional(),
  defender: z.object({
    tenantId: z.string(),
    apiBase: z.string().optional(),
    pollIntervalSeconds: z.number(),
    alsoInScope: z.array(z.string()),
  }),
  mail: z.object({ to: z.array(z.string()), cc: z.array(z.string()), domains: z.array(z.string()).optional() }),
  contacts: z.array(sentContactSchema),
  productSupport: z
    .object({
      name: z.string(),
      mail: z.string().optional(),
      phone: z.string().optional(),
      url: z.string().optional(),
      note: z.string().optional(),
    })
    .optional(),
  tuningPeriods: z.array(z.object({ from: z.string(), until: z.string() })),
  reminderDays: z.array(z.number()).optional(),
});

/**
 * The policy that a request is made under: whoever gets it goes by that where the customers file no longer names the
 * customer. One that is not understood is as good as none: the request itself counts.
 */
export const sentPolicySchema = z
  .object({ customer: sentCustomerSchema, service: serviceSettingsSchema })
  .optional()
  .catch(undefined);

/** The policy without what may grow, for whoever judges no tuning period by it. */
export function sentPolicy({ policy }: { policy: Policy | null }): { policy?: Policy } {
  if (policy === null) return {};
  return { policy: { ...policy, customer: { ...policy.customer, tuningPeriods: [] } } };
}

/** Where a customer's devices are. */
export type KeptTenant = Pick<Customer['defender'], 'tenantId' | 'apiBase'>;

/** The tenant as the process knows it, for an activity that finds the customer in no file any more. */
export function keptTenant(policy: Policy | null | undefined): { tenant?: KeptTenant } {
  if (policy == null) return {};
  const { tenantId, apiBase } = policy.customer.defender;
  return { tenant: apiBase === undefined ? { tenantId } : { tenantId, apiBase } };
}
