import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Timers } from '../timers.js';
import type { Machine } from './machine.js';

export type MachineActionType = 'Isolate' | 'Unisolate';
export type MachineActionStatus = 'Pending' | 'InProgress' | 'Succeeded' | 'Failed' | 'TimeOut' | 'Cancelled';

/** The machineAction resource as Defender returns it. */
export interface MachineAction {
  id: string;
  type: MachineActionType;
  title: string | null;
  requestor: string;
  requestorComment: string;
  status: MachineActionStatus;
  machineId: string;
  computerDnsName: string;
  creationDateTimeUtc: string;
  lastUpdateDateTimeUtc: string;
  cancellationRequestor: string | null;
  cancellationComment: string | null;
  cancellationDateTimeUtc: string | null;
  errorHResult: number;
  scope: string | null;
  externalId: string | null;
  requestSource: string;
  relatedFileInfo: null;
  commands: never[];
  troubleshootInfo: string | null;
}

const noError = 0;
/** E_FAIL */
const failed = -2147467259;
/** 0x80190198: HTTP 408 */
const timedOut = -2145844840;
/** E_ABORT */
const aborted = -2147467260;

interface Running {
  action: MachineAction;
  machine: Machine;
  createdAtMs: number;
  stopWork: () => void;
  stopTimeout: () => void;
}

export interface NewAction {
  type: MachineActionType;
  machine: Machine;
  comment: string;
  scope: string | null;
  requestor: string;
  requestSource: 'PublicApi' | 'Portal';
}

const nothing = (): void => undefined;

/** All machine actions of a tenant, and what becomes of them. */
export class MachineActions {
  readonly #actions: MachineAction[] = [];
  readonly #running = new Map<string, Running>();
  readonly #visibleAtMs = new Map<string, number>();

  constructor(
    private readonly timers: Timers,
    private readonly clock: Clock,
  ) {}

  /** Oldest first. */
  list(): MachineAction[] {
    return this.#actions;
  }

  /** Without those that the machine's `hideNewActionForSeconds` still hides. */
  listVisible(): MachineAction[] {
    return this.#actions.filter((action) => (this.#visibleAtMs.get(action.id) ?? 0) <= Date.now());
  }

  findVisible(id: string): MachineAction | undefined {
    return this.listVisible().find((action) => action.id === id.toLowerCase());
  }

  isBusy(machine: Machine): boolean {
    return [...this.#running.values()].some((running) => running.machine === machine);
  }

  start({ type, machine, comment, scope, requestor, requestSource }: NewAction): MachineAction {
    const now = this.clock.now();
    const action: MachineAction = {
      id: randomUUID(),
      type,
      title: null,
      requestor,
      requestorComment: comment,
      status: 'Pending',
      machineId: machine.resource.id,
      computerDnsName: machine.resource.computerDnsName,
      creationDateTimeUtc: now,
      lastUpdateDateTimeUtc: now,
      cancellationRequestor: null,
      cancellationComment: null,
      cancellationDateTimeUtc: null,
      errorHResult: noError,
      scope,
      externalId: null,
      requestSource,
      relatedFileInfo: null,
      commands: [],
      troubleshootInfo: null,
    };
    this.#actions.push(action);
    this.#visibleAtMs.set(action.id, Date.now() + machine.behaviour.hideNewActionForSeconds * 1000);
    const running = { action, machine, createdAtMs: Date.now(), stopWork: nothing, stopTimeout: nothing };
    this.#running.set(action.id, running);
    this.#pursue(running);
    return action;
  }

  /** @returns false for one that is over */
  cancel(action: MachineAction, requestor: string, comment: string): boolean {
    const running = this.#running.get(action.id);
    if (running === undefined) return false;
    action.cancellationRequestor = requestor;
    action.cancellationComment = comment;
    action.cancellationDateTimeUtc = this.clock.now();
    this.#end(running, 'Cancelled', aborted);
    return true;
  }

  /** Its behaviour has changed: what runs on it goes on, or stops, accordingly. */
  machineChanged(machine: Machine): void {
    for (const running of this.#running.values()) if (running.machine === machine) this.#pursue(running);
  }

  #pursue(running: Running): void {
    const { machine, createdAtMs } = running;
    const { online, isolationSeconds, timeoutSeconds } = machine.behaviour;
    running.stopWork();
    running.stopTimeout();
    const leftMs = Math.max(0, createdAtMs + timeoutSeconds * 1000 - Date.now());
    running.stopTimeout = this.timers.after(leftMs, () => this.#end(running, 'TimeOut', timedOut));
    if (!online) return;
    const stepMs = (isolationSeconds * 1000) / 2;
    running.stopWork = this.timers.after(stepMs, () => {
      this.#move(running.action, 'InProgress');
      running.stopWork = this.timers.after(stepMs, () => this.#finish(running));
    });
  }

  #finish(running: Running): void {
    const { action, machine } = running;
    const isIsolation = action.type === 'Isolate';
    if (isIsolation ? machine.behaviour.isolationFails : machine.behaviour.releaseFails) {
      this.#end(running, 'Failed', failed);
      return;
    }
    machine.isolated = isIsolation;
    this.#end(running, 'Succeeded', noError);
  }

  #end(running: Running, status: MachineActionStatus, errorHResult: number): void {
    running.stopWork();
    running.stopTimeout();
    this.#running.delete(running.action.id);
    running.action.errorHResult = errorHResult;
    this.#move(running.action, status);
  }

  #move(action: MachineAction, status: MachineActionStatus): void {
    if (action.status === status) return;
    action.status = status;
    action.lastUpdateDateTimeUtc = this.clock.now();
  }
}
