import type { SharedSettings } from './config.js';
import type { Customer } from './domain/customer.js';
import type { Policy, ServiceSettings } from './domain/policy.js';
import { DAY_MS, HOUR_MS, SECOND_MS } from './domain/time.js';

/** `soc@example.com`, also out of `SOC <soc@example.com>`. */
export function bareAddress(mailbox: string): string {
  return /<([^<>]+)>$/.exec(mailbox)?.[1] ?? mailbox;
}

export function serviceSettings({ service, mail }: SharedSettings): ServiceSettings {
  return {
    socMailTo: bareAddress(mail.socTo),
    mailDomain: bareAddress(mail.from).split('@').at(-1) ?? 'mimamori.example',
    ownAddresses: [mail.from, mail.replyTo, mail.socTo].map((own) => bareAddress(own).toLowerCase()),
    inquiryRemindMinutes: service.inquiryRemindMinutes,
    untriagedWarnMs: service.untriagedWarnHours * HOUR_MS,
    autoCloseMs: service.incidentAutoCloseDays * DAY_MS,
    lingerMs: service.incidentLingerDays * DAY_MS,
    phoneRingSeconds: service.phoneRingSeconds,
    phoneRounds: service.phoneRounds,
    phoneRoundPauseMs: service.phoneRoundPauseSeconds * SECOND_MS,
  };
}

/** The customers as the file has them, each with the policy that holds for it. */
export interface Policies {
  find(customerId: string): Policy | undefined;
  customerIds(): string[];
  all(): Customer[];
  /** The file has changed. */
  replace(customers: readonly Customer[]): void;
  /** What is set for all of them. */
  service: ServiceSettings;
}

export function createPolicies(customers: readonly Customer[], service: ServiceSettings): Policies {
  const read = (all: readonly Customer[]) => new Map(all.map((customer) => [customer.id, { customer, service }]));
  let byId = read(customers);
  return {
    find: (customerId) => byId.get(customerId),
    customerIds: () => [...byId.keys()],
    all: () => [...byId.values()].map(({ customer }) => customer),
    replace(all) {
      byId = read(all);
    },
    service,
  };
}
