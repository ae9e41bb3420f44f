import type { Customer } from './customer.js';

/** What the provider has set for every customer. */
export interface ServiceSettings {
  socMailTo: string;
  /** The domain of Message-IDs. */
  mailDomain: string;
  untriagedWarnMs: number;
  autoCloseMs: number;
  lingerMs: number;
  phoneRingSeconds: number;
  phoneRounds: number;
  phoneRoundPauseMs: number;
}

/** What decisions depend on beside the incident's own facts; read at the moment of the decision and recorded with it. */
export interface Policy {
  customer: Customer;
  service: ServiceSettings;
}
