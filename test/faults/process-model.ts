import assert from 'node:assert/strict';
import {
  applyIsolateStep,
  applyOrder,
  applyReleaseStep,
  applyRequest,
  isFree,
  isStillWanted,
  nextStep,
  openDevice,
  releasableHolds,
  settleNeverBegun,
  untold,
  type StepResult,
} from '../../src/domain/device/evolve.js';
import { endOf, moveAfterLook, standing } from '../../src/domain/device/actions.js';
import type { ActionRecord, DeviceRecord, DeviceReport, DeviceRequest, Hold } from '../../src/domain/device/record.js';
import { isFinal } from '../../src/domain/defender.js';
import { isOlder, type AlertNews } from '../../src/domain/alert.js';
import { releaseSchema, triageSchema, type TriageBody } from '../../src/domain/commands.js';
import { ringList, type Customer } from '../../src/domain/customer.js';
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
import {
  isolationJudgement,
  judgeClose,
  judgeEscalation,
  judgeInstructor,
  judgeRelease,
  judgeReopen,
  judgeTriage,
  triageKind,
} from '../../src/domain/incident/judge.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord } from '../../src/domain/incident/record.js';
import { releasable } from '../../src/domain/incident/releases.js';
import { lingerUntil, nextWake } from '../../src/domain/incident/stage.js';
import { machineFacts } from '../../src/domain/machine.js';
import type { RenderedMail } from '../../src/domain/mails/kinds.js';
import { renderMail } from '../../src/domain/mails/render.js';
import { messageIdOf } from '../../src/domain/mails/thread.js';
import {
  addCall,
  applyCallEvent,
  applyRequest as applyPhoneRequest,
  changeCall,
  callOf,
  openPhone,
  reportFor,
  ringing,
  settleAsks,
} from '../../src/domain/phone/evolve.js';
import type { CallEvent, PhoneRecord, PhoneReport, PhoneRequest } from '../../src/domain/phone/record.js';
import type { Policy } from '../../src/domain/policy.js';
import { MINUTE_MS, toInstant, toMs, type Instant } from '../../src/domain/time.js';
import { alertOf, DETECTED, policyOf } from '../domain/life.js';

/*
 * The whole process without Temporal: incidents, devices and telephones drive the rules as their workflows do, and speak
 * to each other by messages that arrive when, as often and in whatever order a story says. What the outside saw, and
 * what was told to whom, is written down in ledgers of the model's own, so that the invariants need not ask the rules.
 */

export function roundTrip<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** A process's news is lost with the process: a zombie of it is not met with later than its linger. */
const DEVICE_LINGER_MS = 10 * MINUTE_MS;
const PHONE_LINGER_MS = 2 * MINUTE_MS;

type Payload =
  | { kind: 'device-request'; customerId: string; machineId: string; request: DeviceRequest }
  | { kind: 'device-report'; incidentId: string; report: DeviceReport }
  | { kind: 'phone-request'; customerId: string; request: PhoneRequest }
  | { kind: 'phone-report'; incidentId: string; report: PhoneReport }
  | { kind: 'call-event'; customerId: string; event: CallEvent }
  | { kind: 'news'; incidentId: string; news: AlertNews };

interface Message {
  payload: Payload;
  delivered: boolean;
}

export interface Post {
  atMs: number;
  type: ActionRecord['type'];
  customerId: string;
  machineId: string;
  /** Another action was under way when this one was posted. */
  besideAnother: boolean;
  /** The device was already as this one asks for. */
  isNeedless: boolean;
}

/** The story's watcher: what an invariant wants to know at the moment it happens. */
export interface Watcher {
  fact?(before: IncidentRecord, fact: Fact, after: IncidentRecord, at: Instant): void;
  post?(post: Post, model: Model): void;
  mail?(sent: SentMail, model: Model): void;
  call?(customerId: string, model: Model): void;
  asked?(record: IncidentRecord, device: DeviceEntry, request: DeviceRequest, model: Model): void;
}

export interface SentMail {
  incidentId: string;
  customerId: string;
  dutyId: string;
  messageId: string;
  rendered: RenderedMail;
  record: IncidentRecord;
}

interface Machine {
  osPlatform: string;
  name: string;
  /** Newest first, as Defender lists them. */
  actions: ActionRecord[];
  isolated: boolean;
  /** When it was cut off and given back, by Defender's clock. */
  everIsolatedAt: Instant[];
}

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
    readonly model: Model,
    public record: IncidentRecord,
  ) {}

  get id(): string {
    return this.record.incidentId;
  }

  get policy(): Policy {
    return this.model.policyFor(this.record.customerId);
  }

  /** Its workflow is over: messages find nobody, until an update or a reopening starts it again from its record. */
  get hasEnded(): boolean {
    const { record, model } = this;
    if (record.closed === null || this.mails.size > 0 || this.awaited.size > 0) return false;
    if (currentVerdict(record) === undefined && record.changedAfterCloseAt === null) return this.rests;
    const until = lingerUntil(record);
    return this.rests && until !== undefined && model.nowMs >= toMs(until);
  }

  apply(fact: Fact): void {
    const before = this.record;
    this.record = evolve(before, fact, this.model.now);
    this.rests = false;
    this.model.watcher.fact?.(before, fact, this.record, this.model.now);
  }

  advance(): void {
    const next = advance(this.record, this.model.now);
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
    const wake = nextWake(this.record, this.model.now);
    return wake === undefined ? Infinity : toMs(wake.at);
  }

  /** The loop until it waits. */
  pump(): void {
    if (this.rests && this.part === 0 && this.model.nowMs < this.restsUntilMs) return;
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
    const { record, model } = this;
    return (
      record.policy === null ||
      unjudged(record).length > 0 ||
      overtakenByTuning(record, model.now).length > 0 ||
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
        for (const { machineId } of overtakenByTuning(this.record, this.model.now)) {
          this.apply({ type: 'isolation-ended', machineId, reason: 'tuning-period' });
        }
        for (const device of unjudged(this.record)) this.apply(isolationJudgement(this.record, device, this.model.now));
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
        this.model.send({ kind: 'phone-request', customerId, request });
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
      if (this.model.areLookUpsDown) this.awaited.add(machineId);
      else this.learn(machineId);
    }
  }

  learn(machineId: string): void {
    this.awaited.delete(machineId);
    this.apply({ type: 'device-known', facts: this.model.factsOf(this.record.customerId, machineId) });
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
      this.model.watcher.asked?.(this.record, device, request, this.model);
      this.model.send({ kind: 'device-request', customerId, machineId: device.machineId, request });
    }
  }

  private startMail(duty: Duty | undefined): void {
    const { policy, incidentId, customerId } = this.record;
    if (duty?.topic === undefined || policy === null) return;
    const messageId = messageIdOf(incidentId, duty.id, policy.service.mailDomain);
    const rendered = renderMail(this.record, policy, duty.topic, this.model.now);
    const sent = { incidentId, customerId, dutyId: duty.id, messageId, rendered, record: this.record };
    const verdict = 'verdict' in duty.topic ? duty.topic.verdict : null;
    this.apply({ type: 'mail-started', dutyId: duty.id, messageId, verdict });
    this.mails.set(duty.id, { sent, isCancelled: false });
    this.model.watcher.mail?.(sent, this.model);
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
        ? { status: 'accepted', at: this.model.now, rejected: [] }
        : how === 'rejected'
          ? { status: 'rejected', reason: 'mail-rejected', response: '550' }
          : { status: 'withdrawn' };
    this.mails.delete(dutyId);
    this.apply({ type: 'mail-settled', dutyId, outcome, subject, to });
  }
}

interface Job {
  kind: 'isolate' | 'release';
  stage: 'asking' | 'reading' | 'following';
  /** The request is called off as long as Defender has not taken it. */
  isInterrupted: boolean;
  isCancelled: boolean;
  cancels: ActionRecord | null;
  action: ActionRecord | null;
}

export type DefenderTurn = 'works' | 'answer-lost' | 'result-after-cancel';

export class DeviceProcess {
  record: DeviceRecord | undefined;
  job: Job | undefined;
  private idleSinceMs = 0;
  private readonly newestSeq = new Map<string, number>();

  constructor(
    readonly model: Model,
    readonly customerId: string,
    readonly machineId: string,
  ) {}

  get machine(): Machine {
    return this.model.machineOf(this.customerId, this.machineId);
  }

  private update(next: DeviceRecord): void {
    this.record = next;
    this.idleSinceMs = this.model.nowMs;
  }

  receive(request: DeviceRequest): void {
    const record = this.record ?? openDevice(this.customerId, this.machineId, this.model.now);
    const next = applyRequest(record, request, this.model.now);
    const key = this.key(request.incidentId);
    if (request.seq > (this.newestSeq.get(key) ?? 0)) this.model.intents.set(key, request.want);
    this.newestSeq.set(key, Math.max(request.seq, this.newestSeq.get(key) ?? 0));
    this.update(next);
    this.pump();
  }

  key(incidentId: string): string {
    return `${incidentId} ${this.machineId}`;
  }

  order(by: Parameters<typeof applyOrder>[1]): void {
    if (this.record === undefined || releasableHolds(this.record).length === 0) return;
    for (const id of releasableHolds(this.record)) {
      this.model.intents.set(this.key(id), 'release');
      this.model.instructed.add(this.key(id));
    }
    this.update(applyOrder(this.record, by));
    this.pump();
  }

  /** Ends once it has been free for as long as it lingers; then nothing is known of it any more. */
  endIfDue(): void {
    const isQuiet = this.record !== undefined && this.job === undefined && isFree(this.record);
    if (isQuiet && this.model.nowMs - this.idleSinceMs > DEVICE_LINGER_MS) this.record = undefined;
  }

  pump(): void {
    if (this.record === undefined) return;
    if (this.job === undefined) {
      const settled = settleNeverBegun(this.record, this.model.now);
      if (settled !== this.record) this.update(settled);
      const kind = nextStep(this.record);
      if (kind !== undefined) {
        this.job = { kind, stage: 'asking', isInterrupted: false, isCancelled: false, cancels: null, action: null };
      }
    } else if (this.job.kind === 'isolate' && !this.job.isCancelled && !isStillWanted(this.record)) {
      this.job.isCancelled = true;
      if (this.job.stage === 'asking') this.job.isInterrupted = true;
      else this.job.cancels = this.record.action;
    }
    this.report();
  }

  private report(): void {
    if (this.record === undefined) return;
    for (const { incidentId, report, digest } of untold(this.record)) {
      this.record = { ...this.record, told: { ...this.record.told, [incidentId]: digest } };
      this.model.send({ kind: 'device-report', incidentId, report });
    }
  }

  private take(step: StepResult): void {
    if (this.record === undefined || this.job === undefined) return;
    this.update(
      this.job.kind === 'isolate' ? applyIsolateStep(this.record, step) : applyReleaseStep(this.record, step),
    );
    if (step.outcome === 'requested') {
      this.job.stage = 'following';
      this.job.action = step.action;
      // A request that was called off, and had been taken nevertheless.
      if (this.job.isCancelled && this.job.cancels === null) this.job.cancels = step.action;
      return;
    }
    this.job = undefined;
  }

  /** Defender answers the call that is under way, or does not. */
  turn(how: DefenderTurn): void {
    const { job, machine, model } = this;
    if (job === undefined || this.record === undefined) return;
    if (job.cancels !== null && how === 'works') {
      this.model.endAction(machine, job.cancels.id, 'Cancelled');
      job.cancels = null;
    }
    switch (job.stage) {
      case 'asking': {
        if (job.isInterrupted && how === 'works') {
          job.stage = 'reading';
          break;
        }
        const { tuningPeriods } = model.policyFor(this.customerId).customer;
        const move = moveAfterLook(standing(machine.actions, model.now), job.kind, tuningPeriods, model.now);
        if (move.do === 'take') this.take(move.step);
        if (move.do === 'post') {
          const action = model.postAction(this, job.kind === 'isolate' ? 'Isolate' : 'Unisolate');
          if (how !== 'answer-lost') this.take({ outcome: 'requested', action });
        }
        break;
      }
      case 'reading': {
        const found = standing(machine.actions, model.now);
        this.take(
          found.outcome === 'released' ? { outcome: 'cancelled', byUs: true, at: model.now, action: null } : found,
        );
        break;
      }
      case 'following': {
        const action = machine.actions.find(({ id }) => id === job.action?.id);
        const end = action === undefined ? undefined : endOf(action, model.now);
        if (end !== undefined) this.take(end.outcome === 'cancelled' ? { ...end, byUs: job.isCancelled } : end);
      }
    }
    this.pump();
  }
}

export class PhoneProcess {
  record: PhoneRecord | undefined;
  chain: { round: number; contact: number; attempt: number | undefined } | undefined;
  private told = new Map<string, string>();
  private idleSinceMs = 0;

  constructor(
    readonly model: Model,
    readonly customerId: string,
  ) {}

  receive(change: (record: PhoneRecord) => PhoneRecord): void {
    this.record = change(this.record ?? openPhone(this.customerId, this.model.now));
    this.idleSinceMs = this.model.nowMs;
    this.pump();
  }

  endIfDue(): void {
    if (this.chain !== undefined || this.record === undefined) return;
    if (this.model.nowMs - this.idleSinceMs <= PHONE_LINGER_MS) return;
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
      this.model.send({ kind: 'phone-report', incidentId, report });
    }
  }

  private endCall(status: string): void {
    const attempt = this.chain?.attempt;
    if (attempt === undefined || this.record === undefined || callOf(this.record, attempt)?.endedAt != null) return;
    this.record = changeCall(this.record, attempt, { status, endedAt: this.model.now });
  }

  /** The telephone's turn: a call is placed, or the one that rings is answered with a key or not at all. */
  turn(how: 'key' | 'nobody'): void {
    const { chain, model } = this;
    if (chain === undefined || this.record === undefined) return;
    const contacts = ringList(model.policyFor(this.customerId).customer);
    const contact = contacts[chain.contact];
    if (contact === undefined) return;
    if (chain.attempt === undefined) {
      const attempt = this.record.nextAttempt;
      model.watcher.call?.(this.customerId, model);
      this.record = addCall(this.record, {
        attempt,
        round: chain.round,
        contactId: contact.id,
        contactName: contact.name,
        to: contact.phone,
        sid: `CA${attempt}`,
        startedAt: model.now,
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
      if (how === 'key') model.send({ kind: 'call-event', customerId: this.customerId, event });
      else this.endCall('no-answer');
    }
    if (callOf(this.record, chain.attempt)?.endedAt == null) return;
    const isLast = chain.contact + 1 >= contacts.length;
    const { phoneRounds } = model.policyFor(this.customerId).service;
    if (isLast && chain.round >= phoneRounds) {
      this.record = settleAsks(this.record, 'exhausted', model.now, { reason: 'phone-exhausted' });
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

const OS: Readonly<Record<string, string>> = { srv: 'WindowsServer2022' };

export class Model {
  nowMs = toMs(DETECTED) + MINUTE_MS;
  areLookUpsDown = false;
  readonly queue: Message[] = [];
  readonly policies = new Map<string, Policy>();
  readonly machines = new Map<string, Machine>();
  readonly incidents: IncidentProcess[] = [];
  readonly devices = new Map<string, DeviceProcess>();
  readonly phones = new Map<string, PhoneProcess>();
  readonly posts: Post[] = [];
  /** What the newest request that reached the device wanted, by incident and machine. */
  readonly intents = new Map<string, Hold['want']>();
  /** Whom the customer has ordered to give which device back, since it was last asked to isolate it. */
  readonly instructed = new Set<string>();
  private serial = 0;

  constructor(public watcher: Watcher = {}) {
    const phones = (prefix: string) =>
      [1, 2].map((place) => ({
        id: `c${place}`,
        name: `${prefix} contact ${place}`,
        phone: `+8131234567${place}`,
        mayInstruct: place === 1,
        ringOrder: place,
      }));
    const customer = (id: string, name: string): Partial<Customer> => ({
      id,
      name,
      language: id === 'acme' ? 'ja' : 'en',
      mail: { to: [`security@${id}.example`], cc: [`copy@${id}.example`] },
      contacts: phones(name),
    });
    for (const [id, name] of [
      ['acme', 'Acme'],
      ['globex', 'Globex'],
    ] as const) {
      this.policies.set(id, policyOf(customer(id, name), { phoneRounds: 2 }));
    }
    // Two incidents of one customer on one device, and one of another customer whose machine has the same id.
    this.open('acme', 'first', 'm1', 'High');
    this.open('acme', 'second', 'm1', 'Medium');
    this.open('globex', 'other', 'm1', 'High');
  }

  get now(): Instant {
    return toInstant(this.nowMs);
  }

  private open(customerId: string, alertId: string, machineId: string, severity: string): void {
    const alert = alertOf({
      id: `${customerId}-${alertId}`,
      title: `${customerId} ${alertId} title`,
      machineId,
      computerDnsName: `pc-${machineId}.${customerId}.example`,
      severity,
    });
    const record = openRecord({ customerId, alert, fingerprint: 'f0', receivedAt: this.now });
    this.incidents.push(new IncidentProcess(this, record));
  }

  policyFor(customerId: string): Policy {
    const policy = this.policies.get(customerId);
    assert.ok(policy !== undefined, customerId);
    return policy;
  }

  setTuning(customerId: string, tuningPeriods: Customer['tuningPeriods']): void {
    const { customer, service } = this.policyFor(customerId);
    this.policies.set(customerId, { customer: { ...customer, tuningPeriods }, service });
  }

  machineOf(customerId: string, machineId: string): Machine {
    const key = `${customerId}/${machineId}`;
    const machine = this.machines.get(key) ?? {
      osPlatform: OS[machineId] ?? 'Windows11',
      name: `pc-${machineId}.${customerId}.example`,
      actions: [],
      isolated: false,
      everIsolatedAt: [],
    };
    this.machines.set(key, machine);
    return machine;
  }

  factsOf(customerId: string, machineId: string) {
    const { osPlatform, name } = this.machineOf(customerId, machineId);
    return machineFacts(machineId, {
      id: machineId,
      osPlatform,
      computerDnsName: name,
      healthStatus: undefined,
      onboardingStatus: undefined,
    });
  }

  deviceOf(customerId: string, machineId: string): DeviceProcess {
    const key = `${customerId}/${machineId}`;
    const device = this.devices.get(key) ?? new DeviceProcess(this, customerId, machineId);
    this.devices.set(key, device);
    return device;
  }

  phoneOf(customerId: string): PhoneProcess {
    const phone = this.phones.get(customerId) ?? new PhoneProcess(this, customerId);
    this.phones.set(customerId, phone);
    return phone;
  }

  // The outside

  postAction(device: DeviceProcess, type: ActionRecord['type']): ActionRecord {
    const { machine, customerId, machineId } = device;
    const post: Post = {
      atMs: this.nowMs,
      type,
      customerId,
      machineId,
      isNeedless: machine.isolated === (type === 'Isolate'),
      besideAnother: machine.actions.some((action) => !isFinal(action)),
    };
    this.posts.push(post);
    this.watcher.post?.(post, this);
    this.serial += 1;
    const action: ActionRecord = {
      id: `a${this.serial}`,
      type,
      status: 'Pending',
      requestedAt: this.now,
      updatedAt: this.now,
    };
    machine.actions.unshift(action);
    return action;
  }

  endAction(machine: Machine, id: string, status: string): void {
    const running = machine.actions.find((action) => action.id === id);
    if (running === undefined || isFinal(running)) return;
    machine.actions.splice(machine.actions.indexOf(running), 1, { ...running, status, updatedAt: this.now });
    if (status !== 'Succeeded') return;
    machine.isolated = running.type === 'Isolate';
    if (machine.isolated) machine.everIsolatedAt.push(this.now);
  }

  endActions(machine: Machine, status: string): void {
    for (const { id } of [...machine.actions]) this.endAction(machine, id, status);
  }

  // Messages

  send(payload: Payload): void {
    // What a workflow sends is JSON on its way.
    this.queue.push({ payload: roundTrip(payload), delivered: false });
  }

  /** Delivers the message at that place of the queue; one that comes twice stays in it. */
  deliver(place: number, isTwice: boolean): void {
    const message = this.queue[place % Math.max(1, this.queue.length)];
    if (message === undefined) return;
    if (isTwice && !message.delivered) message.delivered = true;
    else this.queue.splice(this.queue.indexOf(message), 1);
    this.hand(message.payload);
  }

  incident(id: string): IncidentProcess {
    const found = this.incidents.find((process) => process.id === id);
    assert.ok(found !== undefined, id);
    return found;
  }

  private hand(payload: Payload): void {
    switch (payload.kind) {
      case 'device-request':
        this.deviceOf(payload.customerId, payload.machineId).receive(payload.request);
        return;
      case 'device-report': {
        const process = this.incident(payload.incidentId);
        if (!process.hasEnded) process.apply({ type: 'device-reported', report: payload.report });
        return;
      }
      case 'phone-request':
        this.phoneOf(payload.customerId).receive((record) => applyPhoneRequest(record, payload.request, this.now));
        return;
      case 'phone-report': {
        const process = this.incident(payload.incidentId);
        if (!process.hasEnded) process.apply({ type: 'phone-reported', report: payload.report });
        return;
      }
      case 'call-event': {
        const phone = this.phoneOf(payload.customerId);
        if (phone.record !== undefined) phone.receive((record) => applyCallEvent(record, payload.event, this.now));
        return;
      }
      case 'news': {
        const process = this.incident(payload.incidentId);
        const { alert, fingerprint } = payload.news;
        if (fingerprint === process.record.fingerprint || isOlder(alert, process.record.alert)) return;
        if (process.hasEnded) process.record = roundTrip(process.record);
        process.advance();
        process.apply({ type: 'alert-updated', alert, fingerprint });
      }
    }
  }

  // Time

  /** Messages do not stay under way for minutes: what is late is handed over, its second copies are lost. */
  private handStragglers(): void {
    for (let count = 0; this.queue.length > 0; count += 1) {
      assert.ok(count < 2_000, 'the processes never stop talking to each other');
      const message = this.queue.shift();
      if (message !== undefined && !message.delivered) this.hand(message.payload);
    }
  }

  wait(minutes: number): void {
    const endMs = this.nowMs + minutes * MINUTE_MS;
    this.handStragglers();
    this.pump();
    for (let count = 0; ; count += 1) {
      assert.ok(count < 500, 'time alone never comes to rest');
      const wakes = this.incidents.map(({ restsUntilMs }) => restsUntilMs);
      const nextMs = Math.min(endMs, ...wakes);
      this.nowMs = nextMs;
      this.endProcesses();
      this.pump();
      if (nextMs === endMs) return;
    }
  }

  /** Time goes on while no worker is up: what comes meanwhile is heard afterwards. */
  sleep(minutes: number): void {
    this.handStragglers();
    this.nowMs += minutes * MINUTE_MS;
  }

  private endProcesses(): void {
    for (const device of this.devices.values()) device.endIfDue();
    for (const phone of this.phones.values()) phone.endIfDue();
  }

  pump(): void {
    for (const incident of this.incidents) if (!incident.hasEnded) incident.pump();
    for (const device of this.devices.values()) device.pump();
    for (const phone of this.phones.values()) phone.pump();
  }

  /** Every process goes on in a new run with what it had written down. */
  continueAsNew(): void {
    for (const incident of this.incidents) incident.record = roundTrip(incident.record);
    for (const device of this.devices.values())
      if (device.record !== undefined) device.record = roundTrip(device.record);
    for (const phone of this.phones.values()) if (phone.record !== undefined) phone.record = roundTrip(phone.record);
  }

  // People

  triage(process: IncidentProcess, body: unknown): void {
    const parsed = triageSchema.safeParse(body);
    if (!parsed.success) return;
    process.advance();
    const { record } = process;
    if (judgeTriage(record, { body: parsed.data, ifMatch: record.revision }, this.now) !== undefined) return;
    process.apply(this.factOf(record, parsed.data));
  }

  private factOf(record: IncidentRecord, body: TriageBody): Fact {
    return triageKind(record, body, this.now) === 'retry'
      ? { type: 'retry-asked', actor: 'ana', devices: body.devices }
      : { type: 'verdict', body, actor: 'ana', keepsRequests: true };
  }

  escalate(process: IncidentProcess): void {
    process.advance();
    if (judgeEscalation(process.record) !== undefined) return;
    process.apply({ type: 'escalation', body: { message: 'more to say' }, actor: 'ana' });
  }

  private instruction() {
    return { by: 'c1', channel: 'mail' as const, receivedAt: this.now, words: 'release it' };
  }

  release(process: IncidentProcess): void {
    process.advance();
    const body = releaseSchema.parse({ instruction: this.instruction() });
    const instructor = judgeInstructor(process.policy.customer.contacts, body.instruction);
    if ('code' in instructor || judgeRelease(process.record, body, this.now) !== undefined) return;
    const machineIds = releasable(process.record, body).map(({ machineId }) => machineId);
    for (const machineId of machineIds) this.instructed.add(`${process.id} ${machineId}`);
    process.apply({ type: 'release-ordered', machineIds, actor: 'ana', ...body, ...instructor });
  }

  releaseDevice(customerId: string, machineId: string): void {
    const instruction = this.instruction();
    const instructor = judgeInstructor(this.policyFor(customerId).customer.contacts, instruction);
    if ('code' in instructor) return;
    this.deviceOf(customerId, machineId).order({ at: this.now, actor: 'ana', instruction, ...instructor });
  }

  close(process: IncidentProcess): void {
    process.advance();
    if (judgeClose(process.record) !== undefined) return;
    process.apply({ type: 'closed', reason: 'resolved', actor: 'ana', words: 'done' });
  }

  reopen(process: IncidentProcess): void {
    process.advance();
    if (judgeReopen(process.record) !== undefined) return;
    if (process.hasEnded) process.record = roundTrip(process.record);
    process.apply({ type: 'reopened', actor: 'ana', words: 'again', byRules: false });
  }

  news(process: IncidentProcess, changes: Record<string, unknown>): void {
    this.serial += 1;
    const { alert } = process.record;
    const next = alertOf({
      id: alert.alertId,
      title: alert.title,
      machineId: alert.machineId,
      computerDnsName: alert.computerDnsName,
      severity: alert.severityRaw,
      lastUpdateTime: this.now,
      ...changes,
    });
    this.send({ kind: 'news', incidentId: process.id, news: { alert: next, fingerprint: `f${this.serial}` } });
  }

  /** Everything outside works for one turn. */
  flow(answersPhone: 'key' | 'nobody' = 'nobody', areDevicesOnline = true): void {
    this.handStragglers();
    this.pump();
    if (areDevicesOnline) for (const machine of this.machines.values()) this.endActions(machine, 'Succeeded');
    for (const device of this.devices.values()) device.turn('works');
    for (const phone of this.phones.values()) phone.turn(answersPhone);
    this.handStragglers();
    for (const process of this.incidents) {
      for (const dutyId of [...process.mails.keys()]) process.settleMail(dutyId, 'accepted');
    }
    this.pump();
  }

  /** From now on everything outside works (but devices may be offline), and nobody does anything more. */
  settle(areDevicesOnline = true): void {
    this.areLookUpsDown = false;
    for (let round = 0; round < 60; round += 1) {
      const before = this.fingerprint();
      for (const process of this.incidents) for (const machineId of [...process.awaited]) process.learn(machineId);
      this.nowMs += 1_000;
      this.flow('key', areDevicesOnline);
      if (this.queue.length === 0 && this.fingerprint() === before) return;
    }
    assert.fail(`never settles: ${JSON.stringify(this.incidents.map(({ record }) => duties(record)))}`);
  }

  private fingerprint(): string {
    return JSON.stringify([
      this.incidents.map(({ record, mails }) => [record.revision, record.seq, mails.size]),
      [...this.devices.values()].map(({ record, job }) => [record?.version, job]),
      [...this.phones.values()].map(({ record, chain }) => [record, chain]),
      this.posts.length,
    ]);
  }
}
