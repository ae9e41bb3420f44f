import assert from 'node:assert/strict';
import { advance } from '../../src/domain/incident/advance.js';
import {
  deviceWant,
  isPrimaryWithdrawn,
  nextMailToCustomer,
  overtakenByTuning,
  phoneWant,
  toLookUp,
  unjudged,
} from '../../src/domain/incident/asks.js';
import { duties, type Duty } from '../../src/domain/incident/duties.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import type { Fact, MailOutcome } from '../../src/domain/incident/facts.js';
import { isolationJudgement } from '../../src/domain/incident/judge.js';
import { currentVerdict, type IncidentRecord } from '../../src/domain/incident/record.js';
import { lingerUntil, nextWake } from '../../src/domain/incident/stage.js';
import { renderMail } from '../../src/domain/templates/render.js';
import { messageIdOf } from '../../src/domain/templates/thread.js';
import type { Policy } from '../../src/domain/policy.js';
import { toMs } from '../../src/domain/time.js';
import { roundTrip, type SentMail, type World } from './process-world.js';

/* An incident that drives its rules as its workflow does: the loop with its parts, its look-ups and its mails. */

interface MailUnderWay {
  sent: SentMail;
  isCancelled: boolean;
}

const PARTS = ['look', 'decide', 'ask', 'ring', 'mail'] as const;

export class IncidentProcess {
  part = 0;
  readonly mails = new Map<string, MailUnderWay>();
  readonly awaited = new Set<string>();
  rests = false;
  restsUntilMs = 0;

  constructor(
    readonly world: World,
    public record: IncidentRecord,
  ) {}

  get id(): string {
    return this.record.incidentId;
  }

  get policy(): Policy {
    return this.world.policyFor(this.record.customerId);
  }

  /** Its workflow is over: messages find nobody, until an update or a reopening starts it again from its record. */
  get hasEnded(): boolean {
    const { record, world } = this;
    if (record.closed === null || this.mails.size > 0 || this.awaited.size > 0) return false;
    if (currentVerdict(record) === undefined && record.changedAfterCloseAt === null) return this.rests;
    const until = lingerUntil(record);
    return this.rests && until !== undefined && world.nowMs >= toMs(until);
  }

  apply(fact: Fact): void {
    const before = this.record;
    this.record = evolve(before, fact, this.world.now);
    this.rests = false;
    this.world.watcher.fact?.(before, fact, this.record, this.world.now);
  }

  advance(): void {
    const next = advance(this.record, this.world.now);
    if (next !== this.record) this.rests = false;
    this.record = next;
  }

  /** Goes on with the workflow's loop for so many of its parts: between two of them other things may happen. */
  run(parts: number): void {
    for (let count = 0; count < parts; count += 1) {
      this.doPart(PARTS[this.part] ?? 'look');
      this.part = (this.part + 1) % PARTS.length;
    }
  }

  /** Before this time alone has nothing to do while the loop waits. */
  get wakeMs(): number {
    const wake = nextWake(this.record, this.world.now);
    return wake === undefined ? Infinity : toMs(wake.at);
  }

  /** The loop until it waits. */
  pump(): void {
    if (this.rests && this.part === 0 && this.world.nowMs < this.restsUntilMs) return;
    this.run(this.part === 0 ? 0 : PARTS.length - this.part);
    for (let rounds = 0; rounds < 40; rounds += 1) {
      const before = this.record;
      this.run(PARTS.length);
      if (this.record === before) {
        this.rests = true;
        this.restsUntilMs = this.wakeMs;
        return;
      }
    }
    assert.fail(`${this.id}: the loop never comes to rest`);
  }

  private isPolicyDue(): boolean {
    const { record, world } = this;
    return (
      record.policy === null ||
      unjudged(record).length > 0 ||
      overtakenByTuning(record, world.now).length > 0 ||
      nextMailToCustomer(duties(record)) !== undefined
    );
  }

  private doPart(part: (typeof PARTS)[number]): void {
    switch (part) {
      case 'look':
        this.advance();
        this.lookUp();
        this.advance();
        return;
      case 'decide':
        if (!this.isPolicyDue()) return;
        this.apply({ type: 'policy-read', policy: roundTrip(this.policy) });
        for (const { machineId } of overtakenByTuning(this.record, this.world.now)) {
          this.apply({ type: 'isolation-ended', machineId, reason: 'tuning-period' });
        }
        for (const device of unjudged(this.record)) this.apply(isolationJudgement(this.record, device, this.world.now));
        return;
      case 'ask':
        this.ask();
        return;
      case 'ring': {
        const want = phoneWant(this.record);
        if (want === undefined) return;
        this.apply({ type: 'phone-asked', want });
        const { customerId, incidentId, seq, alert } = this.record;
        const request = { incidentId, seq, want, title: alert.title };
        this.world.send({ kind: 'phone-request', customerId, request });
        return;
      }
      case 'mail':
        for (const duty of duties(this.record))
          if (duty.kind === 'warn' && duty.status === 'owed') this.startMail(duty);
        this.startMail(nextMailToCustomer(duties(this.record)));
        if (isPrimaryWithdrawn(this.record)) {
          const primary = this.mails.get('mail:primary');
          if (primary !== undefined) primary.isCancelled = true;
        }
    }
  }

  private lookUp(): void {
    for (const { machineId } of toLookUp(this.record)) {
      if (this.awaited.has(machineId)) continue;
      if (this.world.areLookUpsDown) this.awaited.add(machineId);
      else this.learn(machineId);
    }
  }

  learn(machineId: string): void {
    this.awaited.delete(machineId);
    this.apply({ type: 'device-known', facts: this.world.factsOf(this.record.customerId, machineId) });
  }

  private ask(): void {
    const wanted = this.record.devices.flatMap((device) => {
      const want = deviceWant(this.record, device);
      return want === undefined ? [] : [{ device, want }];
    });
    for (const { device, want } of wanted) {
      this.apply({ type: 'device-asked', machineId: device.machineId, want });
      const { customerId, incidentId, seq } = this.record;
      const request = { incidentId, seq, want, why: want, name: device.name };
      this.world.watcher.asked?.(this.record, device, request);
      this.world.send({ kind: 'device-request', customerId, machineId: device.machineId, request });
    }
  }

  private startMail(duty: Duty | undefined): void {
    const { policy, incidentId, customerId } = this.record;
    if (duty?.topic === undefined || policy === null) return;
    const messageId = messageIdOf(incidentId, duty.id, policy.service.mailDomain);
    const rendered = renderMail(this.record, policy, duty.topic, this.world.now);
    const sent = { incidentId, customerId, dutyId: duty.id, messageId, rendered, record: this.record };
    const verdict = 'verdict' in duty.topic ? duty.topic.verdict : null;
    this.apply({ type: 'mail-started', dutyId: duty.id, messageId, verdict });
    this.mails.set(duty.id, { sent, isCancelled: false });
    this.world.watcher.mail?.(sent);
  }

  settleMail(dutyId: string, how: 'accepted' | 'rejected' | 'uncertain'): void {
    const mail = this.mails.get(dutyId);
    if (mail === undefined) return;
    if (how === 'uncertain' && !mail.isCancelled) {
      if (this.record.effects[dutyId]?.maybeAccepted === false) this.apply({ type: 'mail-uncertain', dutyId });
      return;
    }
    const { subject, to } = mail.sent.rendered;
    const outcome: MailOutcome =
      how === 'accepted'
        ? { status: 'accepted', at: this.world.now, rejected: [] }
        : how === 'rejected'
          ? { status: 'rejected', reason: 'mail-rejected', response: '550' }
          : { status: 'withdrawn' };
    this.mails.delete(dutyId);
    this.apply({ type: 'mail-settled', dutyId, outcome, subject, to });
  }
}
