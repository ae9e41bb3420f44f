import { randomBytes } from 'node:crypto';
import { Clock } from './clock.js';
import type { Credentials } from './credentials.js';
import type { Door } from './door.js';
import { Tenants } from './defender/tenant.js';
import { Faults } from './faults.js';
import { Mailbox } from './imap/mailbox.js';
import { watchNothing, type Watch } from './moments.js';
import { RequestLog } from './requests.js';
import { Mailboxes } from './smtp/mailbox.js';
import { Timers } from './timers.js';
import { Telephone } from './twilio/telephone.js';

/** Everything that one simulator knows. */
export class World {
  /** Stays the same over a reset: a token that was given out stays good until it expires. */
  readonly tokenKey = randomBytes(32).toString('hex');
  readonly tenants = new Tenants(new Timers(), new Clock());
  readonly mailboxes = new Mailboxes();
  readonly mailbox = new Mailbox();
  readonly telephone: Telephone;
  readonly requests = new RequestLog();
  readonly faults = new Faults();
  /** Put here by whoever listens. */
  readonly doors: { http?: Door; smtp?: Door; imap?: Door } = {};

  constructor(
    readonly credentials: Credentials,
    readonly watch: Watch = watchNothing,
  ) {
    this.telephone = new Telephone(credentials.twilioAuthToken, watch);
  }

  endFaults(): void {
    this.faults.reset();
    this.doors.http?.open();
    this.doors.smtp?.open();
    this.doors.imap?.open();
  }

  reset(): void {
    this.tenants.reset();
    this.mailboxes.reset();
    this.mailbox.reset();
    this.telephone.reset();
    this.requests.reset();
    this.endFaults();
  }
}
