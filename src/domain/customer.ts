import { z } from 'zod';
import { isSafeUrl } from './hosts.js';
import { instantSchema, toMs, type Instant } from './time.js';

export const customerIdSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and -');

/** E.164, as Twilio takes it. */
const phoneSchema = z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be a number such as +81312345678');

const mailAddressSchema = z.email().max(254);

const contactSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, 'must be 1 to 40 of A-Z, a-z, 0-9, ., _ and -'),
  name: z.string().trim().min(1).max(100),
  mail: mailAddressSchema.optional(),
  phone: phoneSchema.optional(),
  /** May this person order a device back onto the network? */
  mayInstruct: z.boolean().default(false),
  /** Place in the ring order at level 4; without one the person is never rung. */
  ringOrder: z.int().min(1).optional(),
});

/** Who answers questions about the product itself. How it is reached is shown to the customer as it stands here. */
const productSupportSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  mail: mailAddressSchema.optional(),
  /** As people write it: support desks have numbers that nobody rings from abroad. */
  phone: z
    .string()
    .regex(/^[+\d][\d ()-]{2,38}$/, 'must be a telephone number')
    .optional(),
  url: z
    .url({ protocol: /^https$/ })
    .max(300)
    .optional(),
  /** E.g. its hours, or the contract's number. */
  note: z.string().trim().min(1).max(500).optional(),
});

/** `[from, until)`: no isolation inside. */
const tuningPeriodSchema = z
  .strictObject({ from: instantSchema, until: instantSchema })
  .refine(({ from, until }) => toMs(from) < toMs(until), { message: 'must be later than from', path: ['until'] });

const domainSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i, 'must be a domain such as acme.example')
  .transform((domain) => domain.toLowerCase());

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

export const customerSchema = z.strictObject({
  id: customerIdSchema,
  name: z.string().trim().min(1).max(100),
  language: z.enum(['ja', 'en']),
  timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone such as Asia/Tokyo'),
  /** Alerts from before have no time target. */
  serviceStartsAt: instantSchema.optional(),
  defender: z.strictObject({
    tenantId: z.guid().transform((id) => id.toLowerCase()),
    apiBase: z.string().refine(isSafeUrl, 'must be a URL such as https://api.eu.security.microsoft.com').optional(),
    pollIntervalSeconds: z.int().min(5).max(3600).default(30),
    /** Detection sources beside the EDR sensor that this customer's contract covers. */
    alsoInScope: z.array(z.string().min(1)).default([]),
  }),
  mail: z.strictObject({
    to: z.array(mailAddressSchema).min(1),
    cc: z.array(mailAddressSchema).default([]),
    /** Whoever writes from these is the customer's: domains of theirs alone, never a mail provider's. */
    domains: z.array(domainSchema).optional(),
  }),
  contacts: z
    .array(contactSchema)
    .default([])
    .superRefine((contacts, context) => {
      const seen = new Set<string>();
      contacts.forEach((contact, index) => {
        if (seen.has(contact.id)) {
          context.addIssue({ code: 'custom', path: [index, 'id'], message: `is used twice: ${contact.id}` });
        }
        seen.add(contact.id);
        if (contact.ringOrder !== undefined && contact.phone === undefined) {
          context.addIssue({ code: 'custom', path: [index, 'phone'], message: 'is needed to ring this contact' });
        }
      });
    }),
  productSupport: productSupportSchema.optional(),
  tuningPeriods: z.array(tuningPeriodSchema).default([]),
  /** After how many days the customer is reminded of what is not answered; without it after 1, 3 and 7. */
  reminderDays: z
    .array(z.int().min(1).max(60))
    .max(10)
    .refine((days) => days.every((day, index) => index === 0 || day > (days[index - 1] ?? 0)), 'must rise')
    .optional(),
});

export const customersFileSchema = z.strictObject({
  customers: z.array(customerSchema).superRefine((customers, context) => {
    const ids = new Set<string>();
    const tenants = new Set<string>();
    const domains = new Set<string>();
    customers.forEach((customer, index) => {
      if (ids.has(customer.id)) {
        context.addIssue({ code: 'custom', path: [index, 'id'], message: `is used twice: ${customer.id}` });
      }
      if (tenants.has(customer.defender.tenantId)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'defender', 'tenantId'],
          message: 'belongs to another customer of this file too: their mails would mix',
        });
      }
      customer.mail.domains?.forEach((domain, place) => {
        if (domains.has(domain)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'mail', 'domains', place],
            message: 'belongs to another customer of this file too: nobody could tell whose mail it is',
          });
        }
      });
      customer.mail.domains?.forEach((domain) => domains.add(domain));
      ids.add(customer.id);
      tenants.add(customer.defender.tenantId);
    });
  }),
});

export type Customer = z.infer<typeof customerSchema>;
export type Contact = z.infer<typeof contactSchema>;
export type ProductSupport = z.infer<typeof productSupportSchema>;
export type TuningPeriod = z.infer<typeof tuningPeriodSchema>;

export function tuningPeriodAt(periods: readonly TuningPeriod[], at: Instant): TuningPeriod | undefined {
  const now = toMs(at);
  return periods.find(({ from, until }) => toMs(from) <= now && now < toMs(until));
}

/** The contacts to ring at level 4, in order. */
export function ringList(customer: Customer): (Contact & { phone: string; ringOrder: number })[] {
  return customer.contacts
    .flatMap((contact) => {
      const { phone, ringOrder } = contact;
      return phone !== undefined && ringOrder !== undefined ? [{ ...contact, phone, ringOrder }] : [];
    })
    .sort((a, b) => a.ringOrder - b.ringOrder);
}
