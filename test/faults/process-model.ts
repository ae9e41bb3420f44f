import assert from 'node:assert/strict';
import { isOlder } from '../../src/domain/alert.js';
import { releaseSchema, triageSchema, type TriageBody } from '../../src/domain/commands.js';
import { duties } from '../../src/domain/incident/duties.js';
import type { Fact } from '../../src/domain/incident/facts.js';
import {
  judgeClose,
  judgeEscalation,
  judgeInstructor,
  judgeRelease,
  judgeReleaseInstruction,
  judgeReopen,
  judgeTriage,
  triageKind,
} from '../../src/domain/incident/judge.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { releasable } from '../../src/domain/incident/releases.js';
import { applyCallEvent, applyRequest as applyPhoneRequest, isRepeatedKey } from '../../src/domain/phone/evolve.js';
import { MINUTE_MS } from '../../src/domain/time.js';
import { alertOf } from '../domain/life.js';
import { DeviceProcess } from './device-process.js';
import { IncidentProcess } from './incident-process.js';
import { PhoneProcess } from './phone-process.js';
import { roundTrip, World, type Payload } from './process-world.js';

/*
 * The whole process without Temporal: incidents, devices and telephones drive the rules as their workflows do, and speak
 * to each other by messages that arrive when, as often and in whatever order a story says.
 */

export class Model extends World {
  readonly incidents: IncidentProcess[] = [];
  readonly devices = new Map<string, DeviceProcess>();
  readonly phones = new Map<string, PhoneProcess>();

  constructor() {
    super();
    // Two incidents of one customer on one device, and one of another customer whose machine has the same id.
    this.open('acme', 'first', 'm1', 'High');
    this.open('acme', 'second', 'm1', 'Medium');
    this.open('globex', 'other', 'm1', 'High');
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

  // Messages

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
        if (phone.record !== undefined && !isRepeatedKey(phone.record, payload.event)) {
          phone.receive((record) => applyCallEvent(record, payload.event, this.now));
        }
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
    const instructed = judgeReleaseInstruction(process.record, body.instruction);
    if ('code' in instructed || judgeRelease(process.record, body, this.now) !== undefined) return;
    const machineIds = releasable(process.record, body).map(({ machineId }) => machineId);
    for (const machineId of machineIds) this.instructed.add(`${process.id} ${machineId}`);
    process.apply({ type: 'release-ordered', machineIds, actor: 'ana', ...instructed });
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
