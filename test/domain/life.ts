import { projectAlert, type AlertRecord } from '../../src/domain/alert.js';
import { triageSchema, type Level } from '../../src/domain/commands.js';
import { customerSchema, type Customer } from '../../src/domain/customer.js';
import type { BouncedRecipient } from '../../src/domain/customer-mail/mail.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import type { DeviceReport, HoldState } from '../../src/domain/device/record.js';
import { advance } from '../../src/domain/incident/advance.js';
import { duties, isSettled, type Duty } from '../../src/domain/incident/duties.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import { cameBackBefore } from '../../src/domain/incident/mails-again.js';
import type { Fact, MailOutcome } from '../../src/domain/incident/facts.js';
import { isolationJudgement } from '../../src/domain/incident/judge.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { slo } from '../../src/domain/incident/slo.js';
import { attentionOf, nextWake, stageOf, waitingFor } from '../../src/domain/incident/stage.js';
import { machineFacts } from '../../src/domain/machine.js';
import type { CallRecord, PhoneReport } from '../../src/domain/phone/record.js';
import type { Policy, ServiceSettings } from '../../src/domain/policy.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, plus, type Instant } from '../../src/domain/time.js';

/** When Defender detected the alert of every life here. */
export const DETECTED: Instant = '2026-11-24T00:00:00.000Z';

/** So many minutes after the detection. */
export function minute(count: number): Instant {
  return plus(DETECTED, count * MINUTE_MS);
}

/** An alert as Defender sends it. */
export function rawAlert(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'da1',
    title: 'Suspicious PowerShell command line',
    alertCreationTime: DETECTED,
    severity: 'High',
    detectionSource: 'WindowsDefenderAtp',
    machineId: 'm1',
    computerDnsName: 'pc-1.acme.local',
    evidence: [],
    ...changes,
  };
}

export function alertOf(changes: Record<string, unknown> = {}): AlertRecord {
  return projectAlert(defenderAlertSchema.parse(rawAlert(changes)));
}

export function policyOf(customer: Partial<Customer> = {}, service: Partial<ServiceSettings> = {}): Policy {
  const base = customerSchema.parse({
    id: 'acme',
    name: 'Acme',
    language: 'ja',
    timeZone: 'Asia/Tokyo',
    defender: { tenantId: '11111111-1111-4111-8111-111111111111' },
    mail: { to: ['security@acme.example'] },
    contacts: [{ id: 'sato', name: '佐藤', phone: '+81312345678', mayInstruct: true, ringOrder: 1 }],
  });
  return {
    customer: { ...base, ...customer },
    service: {
      socMailTo: 'soc@mimamori.example',
      mailDomain: 'mimamori.example',
      untriagedWarnMs: 3 * HOUR_MS,
      autoCloseMs: 14 * DAY_MS,
      lingerMs: 7 * DAY_MS,
      phoneRingSeconds: 30,
      phoneRounds: 3,
      phoneRoundPauseMs: MINUTE_MS,
      ...service,
    },
  };
}

export const TEXTS = { detection: 'D', analysis: 'A', countermeasures: 'C' };

/** The body of a verdict with all its texts, as the API takes it. */
export function verdictBody(level: Level, more: Record<string, unknown> = {}) {
  return triageSchema.parse({ level, judgement: 'true-positive', ...TEXTS, ...more });
}

export interface Beginning {
  alert?: Record<string, unknown>;
  policy?: Policy;
  receivedAt?: Instant;
  osPlatform?: string | null;
}

/** A call to the first contact, as the telephone's workflow records it. */
export function callRecord(attempt: number, how: Pick<CallRecord, 'startedAt' | 'endedAt' | 'status'>): CallRecord {
  return {
    attempt,
    round: 1,
    contactId: 'sato',
    contactName: '佐藤',
    to: '+81312345678',
    sid: `CA${attempt}`,
    ...how,
  };
}

/** One incident told as a story, without Temporal: facts at their times, and what the rules make of them. */
export class Life {
  record: IncidentRecord;
  now: Instant;
  private reports = 0;

  constructor({ alert = {}, policy = policyOf(), receivedAt = minute(1), osPlatform = 'Windows11' }: Beginning = {}) {
    this.now = receivedAt;
    this.record = openRecord({ customerId: 'acme', alert: alertOf(alert), fingerprint: 'f0', receivedAt });
    this.fact({ type: 'policy-read', policy });
    if (osPlatform !== null) this.known('m1', osPlatform);
  }

  /** Time goes on, with the incident awake whenever time alone has something to do. */
  at(minutes: number): this {
    const until = minute(minutes);
    for (let wake = nextWake(this.record, this.now)?.at; wake !== undefined && wake < until;) {
      this.asleepUntil(wake);
      wake = nextWake(this.record, this.now)?.at;
    }
    return this.asleepUntil(until);
  }

  /** Time goes on while no worker is up. */
  asleepUntil(now: Instant): this {
    this.now = now;
    this.record = advance(this.record, this.now);
    return this;
  }

  fact(fact: Fact): this {
    this.record = advance(evolve(advance(this.record, this.now), fact, this.now), this.now);
    return this;
  }

  known(
    machineId: string,
    osPlatform = 'Windows11',
    computerDnsName = `${machineId.replace('m', 'pc-')}.acme.local`,
  ): this {
    return this.fact({
      type: 'device-known',
      facts: machineFacts(machineId, {
        id: machineId,
        osPlatform,
        computerDnsName,
        healthStatus: undefined,
        onboardingStatus: undefined,
      }),
    });
  }

  triage(level: Level, more: Record<string, unknown> = {}): this {
    return this.fact({ type: 'verdict', body: verdictBody(level, more), actor: 'ana', keepsRequests: true });
  }

  updated(changes: Record<string, unknown>): this {
    const alert = alertOf({ lastUpdateTime: this.now, ...changes });
    return this.fact({ type: 'alert-updated', alert, fingerprint: JSON.stringify(changes) });
  }

  /** Judges the isolations that are owed and asks for them, as the incident does. */
  askDevices(): this {
    for (const { machineId } of this.record.devices) {
      const device = this.record.devices.find((entry) => entry.machineId === machineId);
      if (device?.target?.judged === null && device.target.ended === null) {
        this.fact(isolationJudgement(this.record, device, this.now));
      }
      if (this.duty(`isolate:${machineId}`)?.status === 'owed') {
        this.fact({ type: 'device-asked', machineId, want: 'isolate' });
      }
    }
    return this;
  }

  /** The device's workflow tells how this incident's request stands. */
  report(
    machineId: string,
    state: HoldState,
    more: Partial<DeviceReport['hold']> &
      Partial<Pick<DeviceReport, 'isolatedAt' | 'heldBy' | 'isolation' | 'changedElsewhere'>> = {},
  ): this {
    const asked = this.record.devices.find((device) => device.machineId === machineId)?.asked;
    const { isolatedAt = null, heldBy = [], isolation, changedElsewhere, ...hold } = more;
    this.reports += 1;
    return this.fact({
      type: 'device-reported',
      report: {
        version: this.reports,
        machineId,
        isolation: isolation ?? (state === 'wanted' ? 'requested' : state === 'isolated' ? 'isolated' : 'none'),
        changedElsewhere,
        action: null,
        isolatedAt,
        heldBy,
        hold: {
          seq: asked?.seq ?? 0,
          want: asked?.want ?? 'isolate',
          state,
          reason: null,
          at: this.now,
          order: null,
          ...hold,
        },
      },
    });
  }

  isolated(machineId = 'm1', at: Instant = this.now): this {
    return this.report(machineId, 'isolated', { at, isolatedAt: at });
  }

  startMail(id: string): this {
    const topic = this.duty(id)?.topic;
    const verdict = topic !== undefined && 'verdict' in topic ? topic.verdict : null;
    const again = cameBackBefore(this.record, id) ? `:r${this.record.retries[id]}` : '';
    const messageId = `<${id}${again}>`;
    return this.fact({ type: 'mail-started', dutyId: id, messageId, verdict });
  }

  settleMail(id: string, outcome: MailOutcome): this {
    const to = this.record.policy?.customer.mail.to ?? [];
    return this.fact({ type: 'mail-settled', dutyId: id, outcome, subject: id, to });
  }

  mailed(id: string, at: Instant = this.now): this {
    return this.startMail(id).settleMail(id, { status: 'accepted', at, rejected: [] });
  }

  /** The customer's mail server gives a duty's mail back, as far as these recipients go. */
  bounced(id: string, recipients: Partial<BouncedRecipient>[] = [{}], key = `report ${id} ${this.now}`): this {
    const messageId = this.record.effects[id]?.messageId ?? '';
    return this.reported(messageId, recipients, key);
  }

  reported(messageId: string, recipients: Partial<BouncedRecipient>[], key: string): this {
    const [address = ''] = this.record.policy?.customer.mail.to ?? [];
    const failed = { address, action: 'failed' as const, status: '5.1.1', diagnostic: 'no such user' };
    const report = {
      key,
      messageId,
      receivedAt: this.now,
      recipients: recipients.map((each) => ({ ...failed, ...each })),
    };
    return this.fact({ type: 'mail-bounced', report });
  }

  refused(id: string): this {
    return this.startMail(id).settleMail(id, { status: 'rejected', reason: 'mail-rejected', response: '550' });
  }

  /** Hands every mail over that may go now. */
  mailAll(): this {
    for (;;) {
      const next = this.duties().find(
        ({ status, reason, topic }) => status === 'owed' && reason === undefined && topic,
      );
      if (next === undefined) return this;
      this.mailed(next.id);
    }
  }

  release(machineIds = ['m1']): this {
    const instruction = { by: 'sato', channel: 'mail' as const, receivedAt: this.now, words: 'release it' };
    this.fact({ type: 'release-ordered', machineIds, instruction, instructorName: '佐藤', actor: 'ana' });
    for (const machineId of machineIds) {
      const asked = this.record.devices.find((device) => device.machineId === machineId)?.asked;
      if (asked !== null) this.fact({ type: 'device-asked', machineId, want: 'release' });
    }
    return this;
  }

  phone(outcome: PhoneReport['outcome'], reason: string | null = null): this {
    const seq = this.record.phone?.askedSeq ?? 0;
    const acknowledgedBy = outcome === 'acknowledged' ? '佐藤' : null;
    return this.fact({
      type: 'phone-reported',
      report: { seq, outcome, at: this.now, calls: [], acknowledgedBy, reason },
    });
  }

  duties(): Duty[] {
    return duties(this.record);
  }

  duty(id: string): Duty | undefined {
    return this.duties().find((duty) => duty.id === id);
  }

  /** Every duty as `id: status` or `id: status (reason)`. */
  owed(): string[] {
    return this.duties().map(
      ({ id, status, reason }) => `${id}: ${status}${reason === undefined ? '' : ` (${reason})`}`,
    );
  }

  /** The duties that would reach the customer, their devices or their telephone, and are not over. */
  contacts(): string[] {
    return this.duties()
      .filter((duty) => duty.kind !== 'warn' && !isSettled(duty))
      .map(({ id }) => id);
  }

  slo() {
    return slo(this.record, this.now);
  }

  clock(): string {
    const { state, provisional } = this.slo();
    return provisional ? `${state}, provisional` : state;
  }

  stage() {
    return stageOf(this.record);
  }

  attention() {
    return attentionOf(this.record);
  }

  waiting(): string[] {
    return waitingFor(this.record, this.now).map(({ who, what }) => `${who}: ${what.en}`);
  }

  /** An analyst repeats the verdict that stands. */
  again(): this {
    return this.fact({ type: 'retry-asked', actor: 'ana' });
  }

  /** The thresholds of which the SOC was warned. */
  warnings(): number[] {
    return this.record.warnings.map(({ percent }) => percent);
  }

  types(): string[] {
    return this.record.timeline.map(({ type }) => type);
  }
}

/** An incident whose level's duties were all done half an hour after the detection. */
export function isolatedLife(level: Level = 3, beginning: Beginning = {}): Life {
  const life = new Life(beginning).at(20).triage(level).askDevices();
  if (level === 4) life.fact({ type: 'phone-asked', want: 'ring' }).phone('acknowledged');
  return life.at(30).mailAll().isolated().mailAll();
}
