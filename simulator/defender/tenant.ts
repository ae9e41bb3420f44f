import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Timers } from '../timers.js';
import { changeAlert, newAlert, type Alert, type AlertChanges } from './alert.js';
import { Indicators } from './indicators.js';
import { alertOrders, largestPage } from './odata-list.js';
import { MachineActions } from './machine-actions.js';
import { Machine, newMachineId, type MachineChanges } from './machine.js';
import { Throttle } from './throttle.js';

const settingsShape = z.strictObject({
  tokenSeconds: z.number().min(0),
  /** Whether the tenant has consented to the application at all. */
  consented: z.boolean(),
  /** What Entra finds wrong with the right secret: it has run out, or another has taken its place. */
  secret: z.enum(['valid', 'expired', 'wrong']),
  /** The application permissions that its administrator has granted. */
  roles: z.array(z.string().min(1)),
  callsPerMinute: z.int().min(0),
  callsPerHour: z.int().min(0),
  /** How alerts are listed where nobody asks for an order: none is documented. */
  alertOrder: z.enum(alertOrders),
  /** More alerts than these are not in an answer, whatever `$top` says, and nothing tells that they are missing. */
  alertsPerAnswer: z.int().min(1),
});

export const tenantChangesSchema = settingsShape.partial();
export type TenantSettings = z.infer<typeof settingsShape>;

const defaultSettings: TenantSettings = {
  tokenSeconds: 3599,
  consented: true,
  secret: 'valid',
  roles: ['Alert.Read.All', 'Alert.ReadWrite.All', 'Machine.Read.All', 'Machine.Isolate', 'Ti.ReadWrite'],
  callsPerMinute: 100,
  callsPerHour: 1500,
  alertOrder: 'newest-created',
  alertsPerAnswer: largestPage,
};

const firstIncidentId = 1001;

/** One customer's Defender, and its consent to our application. */
export class Tenant {
  settings: TenantSettings = { ...defaultSettings };
  readonly alerts = new Map<string, Alert>();
  readonly machines = new Map<string, Machine>();
  readonly machineActions: MachineActions;
  readonly indicators: Indicators;
  readonly throttle = new Throttle();
  readonly #batchThrottles = new Map<string, Throttle>();

  constructor(
    readonly id: string,
    timers: Timers,
    private readonly clock: Clock,
  ) {
    this.machineActions = new MachineActions(timers, clock);
    this.indicators = new Indicators(clock);
  }

  /** Each of the calls that take many things at once is counted by itself, and soon too often. */
  batchThrottle(pattern: string): Throttle {
    const throttle = this.#batchThrottles.get(pattern) ?? new Throttle();
    this.#batchThrottles.set(pattern, throttle);
    return throttle;
  }

  raiseAlert(given: AlertChanges): Alert {
    const machineId = given.machineId === undefined ? newMachineId() : given.machineId;
    const machine = machineId === null ? null : this.#machine(machineId);
    if (typeof given.computerDnsName === 'string') machine?.nameUnlessNamed(given.computerDnsName);
    const alert = newAlert({
      given,
      tenantId: this.id,
      machine: machine?.resource ?? null,
      incidentId: firstIncidentId + this.alerts.size,
      clock: this.clock,
    });
    this.alerts.set(alert.id, alert);
    return alert;
  }

  changeAlert(alert: Alert, changes: AlertChanges): void {
    changeAlert(alert, changes, this.clock);
    if (alert.machineId !== null) this.#machine(alert.machineId);
  }

  changeMachine(machineId: string, changes: MachineChanges): Machine {
    const machine = this.#machine(machineId);
    machine.change(changes);
    this.machineActions.machineChanged(machine);
    return machine;
  }

  /** By its id, or by its name as Defender allows too. */
  findMachine(idOrName: string): Machine | undefined {
    return (
      this.machines.get(idOrName) ??
      [...this.machines.values()].find((machine) => machine.resource.computerDnsName === idOrName)
    );
  }

  /** It exists from its first mention on. */
  #machine(machineId: string): Machine {
    const machine = this.machines.get(machineId) ?? new Machine(machineId, this.clock.now());
    this.machines.set(machineId, machine);
    return machine;
  }
}

/** Any id is a tenant. */
export class Tenants {
  readonly #tenants = new Map<string, Tenant>();

  constructor(
    private readonly timers: Timers,
    private readonly clock: Clock,
  ) {}

  get(tenantId: string): Tenant {
    const id = tenantId.toLowerCase();
    const tenant = this.#tenants.get(id) ?? new Tenant(id, this.timers, this.clock);
    this.#tenants.set(id, tenant);
    return tenant;
  }

  reset(): void {
    this.timers.dropAll();
    this.#tenants.clear();
  }
}
