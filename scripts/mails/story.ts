import { projectAlert } from '../../src/domain/alert.js';
import { triageSchema, type Level } from '../../src/domain/commands.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import type { DeviceReport } from '../../src/domain/device/record.js';
import { advance } from '../../src/domain/incident/advance.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import type { Fact } from '../../src/domain/incident/facts.js';
import { isolationJudgement } from '../../src/domain/incident/judge.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import type { MailTopic } from '../../src/domain/incident/duties.js';
import { machineFacts } from '../../src/domain/machine.js';
import type { Section } from '../../src/domain/templates/document.js';
import { renderMail } from '../../src/domain/templates/render.js';
import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import type { Language } from '../../src/domain/text.js';
import { MINUTE_MS, plus, type Instant } from '../../src/domain/time.js';
import { policies } from './customers.js';
import { texts } from './texts.js';

/** When the alert of every story was detected: noon in Tokyo. */
const DETECTED: Instant = '2026-11-24T03:03:00.000Z';

export function minute(count: number): Instant {
  return plus(DETECTED, count * MINUTE_MS);
}

/** An incident of the gallery, made by the same facts as a real one. */
export class Story {
  record: IncidentRecord;
  now = minute(1);
  private reports = 0;

  constructor(private readonly language: Language) {
    const { title, devices } = texts[language];
    const alert = defenderAlertSchema.parse({
      id: 'da638678910042_-1123581321',
      title,
      alertCreationTime: DETECTED,
      severity: 'High',
      detectionSource: 'WindowsDefenderAtp',
      machineId: 'machine-0',
      computerDnsName: devices[0],
      evidence: [],
    });
    this.record = openRecord({
      customerId: this.policy.customer.id,
      alert: projectAlert(alert),
      fingerprint: '1',
      receivedAt: this.now,
    });
    this.fact({ type: 'policy-read', policy: this.policy });
    this.known(0);
  }

  get policy() {
    return policies[this.language];
  }

  at(minutes: number): this {
    this.now = minute(minutes);
    this.record = advance(this.record, this.now);
    return this;
  }

  fact(fact: Fact): this {
    this.record = advance(evolve(this.record, fact, this.now), this.now);
    return this;
  }

  private name(device: number): string {
    return texts[this.language].devices[device] ?? '';
  }

  private known(device: number): this {
    const id = `machine-${device}`;
    const facts = machineFacts(id, {
      id,
      osPlatform: 'Windows11',
      computerDnsName: this.name(device),
      healthStatus: undefined,
      onboardingStatus: undefined,
    });
    return this.fact({ type: 'device-known', facts });
  }

  /** The verdict on the first `devices` devices, whose isolation is asked for. */
  triage(level: Level, devices: number, more: Record<string, unknown> = {}): this {
    const { detection, analysis, countermeasures } = texts[this.language];
    const named = [...Array(devices).keys()].map((index) => ({
      machineId: `machine-${index}`,
      name: this.name(index),
    }));
    const body = triageSchema.parse({
      level,
      judgement: 'true-positive',
      detection,
      analysis,
      countermeasures,
      ...(level >= 3 ? { devices: named } : {}),
      ...more,
    });
    this.fact({ type: 'verdict', body, actor: 'tanaka', keepsRequests: true });
    named.forEach((_, index) => this.known(index));
    for (const { machineId } of this.record.devices) this.ask(machineId);
    if (level === 4) this.fact({ type: 'phone-asked', want: 'ring' });
    return this;
  }

  private ask(machineId: string): void {
    const device = this.record.devices.find((entry) => entry.machineId === machineId);
    if (device?.target?.judged !== null || device.target.ended !== null) return;
    this.fact(isolationJudgement(this.record, device, this.now));
    this.fact({ type: 'device-asked', machineId, want: 'isolate' });
  }

  reported(device: number, hold: Pick<DeviceReport['hold'], 'state'> & Partial<DeviceReport['hold']>): this {
    const machineId = `machine-${device}`;
    const asked = this.record.devices.find((entry) => entry.machineId === machineId)?.asked;
    const isIsolated = hold.state === 'isolated';
    this.reports += 1;
    return this.fact({
      type: 'device-reported',
      report: {
        version: this.reports,
        machineId,
        isolation: isIsolated ? 'isolated' : 'none',
        action: null,
        isolatedAt: isIsolated ? this.now : null,
        heldBy: [],
        hold: {
          seq: asked?.seq ?? 0,
          want: asked?.want ?? 'isolate',
          reason: null,
          at: this.now,
          order: null,
          ...hold,
        },
      },
    });
  }

  isolated(...devices: readonly number[]): this {
    for (const device of devices) this.reported(device, { state: 'isolated' });
    return this;
  }

  acknowledged(): this {
    const seq = this.record.phone?.askedSeq ?? 0;
    return this.fact({
      type: 'phone-reported',
      report: { seq, outcome: 'acknowledged', at: this.now, calls: [], acknowledgedBy: 'first', reason: null },
    });
  }

  /** The customer was told of the last verdict. */
  told(): this {
    const dutyId = 'mail:primary';
    const verdict = this.record.verdicts.length - 1;
    this.fact({ type: 'mail-started', dutyId, messageId: '<primary@mimamori.example>', verdict });
    return this.fact({
      type: 'mail-settled',
      dutyId,
      outcome: { status: 'accepted', at: this.now, rejected: [] },
      subject: '',
      to: [],
    });
  }

  released(device: number): this {
    const machineId = `machine-${device}`;
    const { contacts } = this.policy.customer;
    const words = texts[this.language].instruction;
    const instruction = { by: 'first', channel: 'phone', receivedAt: this.now, words, calledBackAt: this.now } as const;
    const instructorName = contacts[0]?.name ?? '';
    this.fact({ type: 'release-ordered', machineIds: [machineId], instruction, instructorName, actor: 'tanaka' });
    this.fact({ type: 'device-asked', machineId, want: 'release' });
    return this;
  }

  /** Has something to tell for an incident that is linked to this one. */
  tells(sections: Section[]): this {
    const incidentId = `${this.record.incidentId}-2`;
    const telling = {
      incidentId,
      dutyId: 'mail:primary',
      seq: 1,
      at: this.now,
      title: '',
      sections,
      withdrawnAt: null,
    };
    this.record = { ...this.record, tellings: [telling] };
    return this;
  }

  mail(topic: MailTopic): RenderedMail {
    return renderMail(this.record, this.policy, topic, this.now);
  }
}
