import { ringList } from '../../src/domain/customer.js';
import {
  addCall,
  changeCall,
  callOf,
  openPhone,
  reportFor,
  ringing,
  settleAsks,
} from '../../src/domain/phone/evolve.js';
import type { PhoneRecord } from '../../src/domain/phone/record.js';
import { MINUTE_MS } from '../../src/domain/time.js';
import type { World } from './process-world.js';

/* A customer's telephone that drives its rules as its workflow does: one call after another until one is answered. */

/** A process's news is lost with the process: a zombie of it is not met with later than its linger. */
const PHONE_LINGER_MS = 2 * MINUTE_MS;

export class PhoneProcess {
  record: PhoneRecord | undefined;
  chain: { round: number; contact: number; attempt: number | undefined } | undefined;
  private told = new Map<string, string>();
  private idleSinceMs = 0;

  constructor(
    readonly world: World,
    readonly customerId: string,
  ) {}

  receive(change: (record: PhoneRecord) => PhoneRecord): void {
    this.record = change(this.record ?? openPhone(this.customerId, this.world.now));
    this.idleSinceMs = this.world.nowMs;
    this.pump();
  }

  endIfDue(): void {
    if (this.chain !== undefined || this.record === undefined) return;
    if (this.world.nowMs - this.idleSinceMs <= PHONE_LINGER_MS) return;
    this.record = undefined;
    this.told.clear();
  }

  pump(): void {
    if (this.record === undefined) return;
    if (this.chain?.attempt !== undefined && ringing(this.record).length === 0) this.endCall('ended-by-us');
    if (this.chain === undefined && ringing(this.record).length > 0)
      this.chain = { round: 1, contact: 0, attempt: undefined };
    if (this.chain !== undefined && ringing(this.record).length === 0) this.chain = undefined;
    for (const incidentId of Object.keys(this.record.asks)) {
      const report = reportFor(this.record, incidentId);
      if (report === undefined || this.told.get(incidentId) === JSON.stringify(report)) continue;
      this.told.set(incidentId, JSON.stringify(report));
      this.world.send({ kind: 'phone-report', incidentId, report });
    }
  }

  private endCall(status: string): void {
    const attempt = this.chain?.attempt;
    if (attempt === undefined || this.record === undefined || callOf(this.record, attempt)?.endedAt != null) return;
    this.record = changeCall(this.record, attempt, { status, endedAt: this.world.now });
  }

  /** The telephone's turn: a call is placed, or the one that rings is answered with a key or not at all. */
  turn(how: 'key' | 'nobody'): void {
    const { chain, world } = this;
    if (chain === undefined || this.record === undefined) return;
    const contacts = ringList(world.policyFor(this.customerId).customer);
    const contact = contacts[chain.contact];
    if (contact === undefined) return;
    if (chain.attempt === undefined) {
      const attempt = this.record.nextAttempt;
      world.watcher.call?.(this.customerId);
      this.record = addCall(this.record, {
        attempt,
        round: chain.round,
        contactId: contact.id,
        contactName: contact.name,
        to: contact.phone,
        sid: `CA${attempt}`,
        startedAt: world.now,
        endedAt: null,
        status: 'placing',
      });
      chain.attempt = attempt;
      return;
    }
    if (callOf(this.record, chain.attempt)?.endedAt == null) {
      const event = {
        attempt: chain.attempt,
        sid: `CA${chain.attempt}`,
        status: 'in-progress',
        digits: how === 'key' ? '1' : null,
      };
      if (how === 'key') world.send({ kind: 'call-event', customerId: this.customerId, event });
      else this.endCall('no-answer');
    }
    if (callOf(this.record, chain.attempt)?.endedAt == null) return;
    const isLast = chain.contact + 1 >= contacts.length;
    const { phoneRounds } = world.policyFor(this.customerId).service;
    if (isLast && chain.round >= phoneRounds) {
      this.record = settleAsks(this.record, 'exhausted', world.now, { reason: 'phone-exhausted' });
      this.chain = undefined;
    } else {
      this.chain = {
        round: chain.round + (isLast ? 1 : 0),
        contact: isLast ? 0 : chain.contact + 1,
        attempt: undefined,
      };
    }
    this.pump();
  }
}
