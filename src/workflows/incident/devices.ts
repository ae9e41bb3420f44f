import { CancellationScope, getExternalWorkflowHandle, patched } from '@temporalio/workflow';
import { deviceWorkflowId, type DeviceRequest } from '../../domain/device/record.js';
import { beingIsolated, deviceWant, overtakenByTuning, toLookUp, unjudged } from '../../domain/incident/asks.js';
import { isolationJudgement } from '../../domain/incident/judge.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord } from '../../domain/incident/record.js';
import { keptTenant, sentPolicy } from '../../domain/policy.js';
import { deviceLookSignal } from '../messages.js';
import { askDevice, patient, quick, untilDone } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

type Want = DeviceRequest['want'];

/** Looks devices up, judges whether they may be isolated, and asks their workflows. */
export class Devices {
  /** Look-ups that Defender did not answer quickly and that are being waited for. */
  private readonly awaited = new Map<string, { isUrgent: boolean; scope: CancellationScope }>();

  /** The deadline for which isolations under way have been looked at. */
  private lookedAtFor: string | undefined;

  constructor(private readonly book: Book) {
    this.lookedAtFor = book.record.deadlineSeen?.dueAt;
  }

  get isIdle(): boolean {
    return this.awaited.size === 0;
  }

  /** Learns what the alert's own device is, and every other that is to be isolated. */
  lookUp(): Promise<unknown> | undefined {
    const unknown = toLookUp(this.book.record);
    this.hurry(unknown);
    const wanted = unknown.filter(({ machineId }) => !this.awaited.has(machineId));
    if (wanted.length === 0) return undefined;
    const { customerId, policy } = this.book.record;
    return Promise.all(
      wanted.map(async ({ machineId, target }) => {
        const isUrgent = target !== null;
        const facts = await quick.lookUpMachine.executeWithOptions({ summary: 'look the device up in Defender' }, [
          { customerId, machineId, isUrgent, ...keptTenant(policy) },
        ]);
        if (facts === 'unavailable') this.await(machineId, isUrgent);
        else this.book.apply({ type: 'device-known', facts });
      }),
    );
  }

  /** A verdict has come while a look-up waits for its turn behind others: an isolation waits behind it now. */
  private hurry(unknown: readonly DeviceEntry[]): void {
    for (const { machineId, target } of unknown) {
      const waiting = this.awaited.get(machineId);
      if (waiting === undefined || waiting.isUrgent || target === null || !patched('urgent-look-up')) continue;
      waiting.scope.cancel();
      this.await(machineId, true);
    }
  }

  private await(machineId: string, isUrgent: boolean): void {
    const { customerId, policy } = this.book.record;
    const scope = new CancellationScope();
    this.awaited.set(machineId, { isUrgent, scope });
    const answer = scope.run(() =>
      untilDone(
        (input) => patient.awaitMachine.executeWithOptions({ summary: 'look the device up in Defender' }, [input]),
        { customerId, machineId, isUrgent, ...keptTenant(policy) },
        (why) => this.book.apply({ type: 'look-up-failing', machineId, why }),
      ),
    );
    void answer
      .then(
        (facts) => this.book.apply({ type: 'device-known', facts }),
        (error: unknown) => {
          if (!scope.consideredCancelled) throw error;
        },
      )
      .finally(() => {
        if (this.awaited.get(machineId)?.scope === scope) this.awaited.delete(machineId);
        this.book.touch();
      });
  }

  /** Is a decision to be made that depends on the customer's policy of this moment? */
  get needsPolicy(): boolean {
    return unjudged(this.book.record).length > 0 || overtakenByTuning(this.book.record, now()).length > 0;
  }

  /** Judges the isolations that are owed; the policy has been read just before. */
  judge(): void {
    for (const device of overtakenByTuning(this.book.record, now())) {
      this.book.apply({ type: 'isolation-ended', machineId: device.machineId, reason: 'tuning-period' });
    }
    for (const device of unjudged(this.book.record)) {
      this.book.apply(isolationJudgement(this.book.record, device, now()));
    }
  }

  /** Tells the devices' workflows what this incident wants of them now. */
  ask(): Promise<unknown> | undefined {
    const requests = this.book.record.devices.flatMap((device) => {
      const want = deviceWant(this.book.record, device);
      return want === undefined ? [] : [{ device, want }];
    });
    const asking = requests.map(({ device, want }) => this.request(device, want));
    if (this.book.record.ways !== 2) return asking.length === 0 ? undefined : Promise.all(asking);
    for (const each of asking) this.book.alongside(each);
    return undefined;
  }

  /**
   * An action that runs for long is read now and then only. Whether it has succeeded in time has to be known before a breach is
   * written down.
   */
  lookAtDeadline(): void {
    const { customerId, deadlineSeen } = this.book.record;
    if (deadlineSeen === null || deadlineSeen.dueAt === this.lookedAtFor) return;
    this.lookedAtFor = deadlineSeen.dueAt;
    const running = beingIsolated(this.book.record);
    if (running.length === 0 || !patched('look-at-deadline')) return;
    for (const { machineId } of running) {
      const handle = getExternalWorkflowHandle(deviceWorkflowId(customerId, machineId));
      // Of a workflow that is gone, nothing can be heard in time.
      this.book.alongside(handle.signal(deviceLookSignal).catch(() => undefined));
    }
  }

  private request(device: DeviceEntry, want: Want): Promise<void> {
    this.book.apply({ type: 'device-asked', machineId: device.machineId, want });
    const { record } = this.book;
    const { customerId, incidentId, seq } = record;
    const request = { incidentId, seq, want, why: comment(record, want), name: device.name, ...sentPolicy(record) };
    const summary = `${want} ${device.machineId}`;
    return askDevice(record.ways, summary, { customerId, machineId: device.machineId, request });
  }
}

/** What Defender's portal shows of the action. */
function comment(record: IncidentRecord, want: Want): string {
  const level = currentVerdict(record)?.level;
  const what = want === 'isolate' ? `isolation at threat level ${level ?? '?'}` : `${want} of the isolation`;
  return `Mimamori ${record.incidentId}: ${what}`;
}
