import { endOf, moveAfterLook, standing } from '../../src/domain/device/actions.js';
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
import type { ActionRecord, DeviceRecord, DeviceRequest } from '../../src/domain/device/record.js';
import { MINUTE_MS } from '../../src/domain/time.js';
import type { Machine, World } from './process-world.js';

/* A device that drives its rules as its workflow does: one action at a time, which Defender answers or does not. */

/** A process's news is lost with the process: a zombie of it is not met with later than its linger. */
const DEVICE_LINGER_MS = 10 * MINUTE_MS;

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
    readonly world: World,
    readonly customerId: string,
    readonly machineId: string,
  ) {}

  get machine(): Machine {
    return this.world.machineOf(this.customerId, this.machineId);
  }

  private update(next: DeviceRecord): void {
    this.record = next;
    this.idleSinceMs = this.world.nowMs;
  }

  receive(request: DeviceRequest): void {
    const record = this.record ?? openDevice(this.customerId, this.machineId, this.world.now);
    const next = applyRequest(record, request, this.world.now);
    const key = this.key(request.incidentId);
    if (request.seq > (this.newestSeq.get(key) ?? 0)) this.world.intents.set(key, request.want);
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
      this.world.intents.set(this.key(id), 'release');
      this.world.instructed.add(this.key(id));
    }
    this.update(applyOrder(this.record, by));
    this.pump();
  }

  /** Ends once it has been free for as long as it lingers; then nothing is known of it any more. */
  endIfDue(): void {
    const isQuiet = this.record !== undefined && this.job === undefined && isFree(this.record);
    if (isQuiet && this.world.nowMs - this.idleSinceMs > DEVICE_LINGER_MS) this.record = undefined;
  }

  pump(): void {
    if (this.record === undefined) return;
    if (this.job === undefined) {
      const settled = settleNeverBegun(this.record, this.world.now);
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
      this.world.send({ kind: 'device-report', incidentId, report });
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
    const { job, machine, world } = this;
    if (job === undefined || this.record === undefined) return;
    if (job.cancels !== null && how === 'works') {
      this.world.endAction(machine, job.cancels.id, 'Cancelled');
      job.cancels = null;
    }
    switch (job.stage) {
      case 'asking': {
        if (job.isInterrupted && how === 'works') {
          job.stage = 'reading';
          break;
        }
        const { tuningPeriods } = world.policyFor(this.customerId).customer;
        const move = moveAfterLook(standing(machine.actions, world.now), job.kind, tuningPeriods, world.now);
        if (move.do === 'take') this.take(move.step);
        if (move.do === 'post') {
          const action = world.postAction(this, job.kind === 'isolate' ? 'Isolate' : 'Unisolate');
          if (how !== 'answer-lost') this.take({ outcome: 'requested', action });
        }
        break;
      }
      case 'reading': {
        const found = standing(machine.actions, world.now);
        this.take(
          found.outcome === 'released' ? { outcome: 'cancelled', byUs: true, at: world.now, action: null } : found,
        );
        break;
      }
      case 'following': {
        const action = machine.actions.find(({ id }) => id === job.action?.id);
        const end = action === undefined ? undefined : endOf(action, world.now);
        if (end !== undefined) this.take(end.outcome === 'cancelled' ? { ...end, byUs: job.isCancelled } : end);
      }
    }
    this.pump();
  }
}
