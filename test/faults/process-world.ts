import assert from 'node:assert/strict';
import type { AlertNews } from '../../src/domain/alert.js';
import type { Customer } from '../../src/domain/customer.js';
import { isFinal } from '../../src/domain/defender.js';
import type { ActionRecord, DeviceReport, DeviceRequest, Hold } from '../../src/domain/device/record.js';
import type { Fact } from '../../src/domain/incident/facts.js';
import type { DeviceEntry, IncidentRecord } from '../../src/domain/incident/record.js';
import { machineFacts } from '../../src/domain/machine.js';
import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import type { CallEvent, PhoneReport, PhoneRequest } from '../../src/domain/phone/record.js';
import type { Policy } from '../../src/domain/policy.js';
import { MINUTE_MS, toInstant, toMs, type Instant } from '../../src/domain/time.js';
import { DETECTED, policyOf } from '../domain/life.js';

/*
 * What incidents, devices and telephones see around them: the clock, the customers' policies, the machines as Defender
 * has them, and a way to send messages. What the outside saw, and what was told to whom, is written down in ledgers of
 * the model's own, so that the invariants need not ask the rules.
 */

export function roundTrip<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

export type Payload =
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

export interface SentMail {
  incidentId: string;
  customerId: string;
  dutyId: string;
  messageId: string;
  rendered: RenderedMail;
  record: IncidentRecord;
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
  post?(post: Post): void;
  mail?(sent: SentMail): void;
  call?(customerId: string): void;
  asked?(record: IncidentRecord, device: DeviceEntry, request: DeviceRequest): void;
}

export interface Machine {
  osPlatform: string;
  name: string;
  /** Newest first, as Defender lists them. */
  actions: ActionRecord[];
  isolated: boolean;
  /** When it was cut off and given back, by Defender's clock. */
  everIsolatedAt: Instant[];
}

const OS: Readonly<Record<string, string>> = { srv: 'WindowsServer2022' };

export class World {
  watcher: Watcher = {};
  nowMs = toMs(DETECTED) + MINUTE_MS;
  areLookUpsDown = false;
  readonly queue: Message[] = [];
  readonly policies = new Map<string, Policy>();
  readonly machines = new Map<string, Machine>();
  readonly posts: Post[] = [];
  /** What the newest request that reached the device wanted, by incident and machine. */
  readonly intents = new Map<string, Hold['want']>();
  /** Whom the customer has ordered to give which device back, since it was last asked to isolate it. */
  readonly instructed = new Set<string>();
  protected serial = 0;

  constructor() {
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
  }

  get now(): Instant {
    return toInstant(this.nowMs);
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

  postAction(
    device: { machine: Machine; customerId: string; machineId: string },
    type: ActionRecord['type'],
  ): ActionRecord {
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
    this.watcher.post?.(post);
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

  send(payload: Payload): void {
    // What a workflow sends is JSON on its way.
    this.queue.push({ payload: roundTrip(payload), delivered: false });
  }
}
