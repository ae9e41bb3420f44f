import { duties, holdOf, type Duty } from '../../domain/incident/duties.js';
import { isolationJudgement } from '../../domain/incident/judge.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord } from '../../domain/incident/record.js';
import { tuningPeriodAt } from '../../domain/customer.js';
import { patient, quick } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

type Want = 'isolate' | 'withdraw' | 'release';

/** Looks devices up, judges whether they may be isolated, and asks their workflows. */
export class Devices {
  /** Look-ups that Defender did not answer quickly and that are being waited for. */
  private readonly awaited = new Set<string>();

  constructor(private readonly book: Book) {}

  get isIdle(): boolean {
    return this.awaited.size === 0;
  }

  /** Learns what the alert's own device is, and every other that is to be isolated. */
  async lookUp(): Promise<void> {
    const wanted = this.book.record.devices.filter(
      ({ facts, machineId, namedByAlert, target }) =>
        facts === null && !this.awaited.has(machineId) && (namedByAlert || target !== null),
    );
    if (wanted.length === 0 || this.book.record.closed !== null) return;
    const { customerId } = this.book.record;
    await Promise.all(
      wanted.map(async ({ machineId }) => {
        const facts = await quick.lookUpMachine.executeWithOptions({ summary: 'look the device up in Defender' }, [
          { customerId, machineId },
        ]);
        if (facts === 'unavailable') this.await(machineId);
        else this.book.apply({ type: 'device-known', facts });
      }),
    );
  }

  private await(machineId: string): void {
    const { customerId } = this.book.record;
    this.awaited.add(machineId);
    const answer = patient.awaitMachine.executeWithOptions({ summary: 'look the device up in Defender' }, [
      { customerId, machineId },
    ]);
    void answer
      .then((facts) => this.book.apply({ type: 'device-known', facts }))
      .finally(() => {
        this.awaited.delete(machineId);
        this.book.touch();
      });
  }

  /** Is a decision to be made that depends on the customer's policy of this moment? */
  get needsPolicy(): boolean {
    return this.unjudged().length > 0 || this.overtakenByTuning().length > 0;
  }

  private dutyOf(device: DeviceEntry): Duty | undefined {
    return duties(this.book.record).find(({ id }) => id === `isolate:${device.machineId}`);
  }

  private unjudged(): DeviceEntry[] {
    return this.book.record.devices.filter(
      (device) =>
        device.target !== null &&
        device.target.judged === null &&
        device.facts !== null &&
        this.dutyOf(device)?.status === 'owed',
    );
  }

  /** Isolations under way into a tuning period that has begun, going by what was last read of it. */
  private overtakenByTuning(): DeviceEntry[] {
    const periods = this.book.record.policy?.customer.tuningPeriods ?? [];
    if (tuningPeriodAt(periods, now()) === undefined) return [];
    return this.book.record.devices.filter(
      (device) => device.target?.ended === null && this.dutyOf(device)?.status === 'running',
    );
  }

  /** Judges the isolations that are owed; the policy has been read just before. */
  judge(): void {
    for (const device of this.overtakenByTuning()) {
      this.book.apply({ type: 'isolation-ended', machineId: device.machineId, reason: 'tuning-period' });
    }
    for (const device of this.unjudged()) this.book.apply(isolationJudgement(this.book.record, device, now()));
  }

  /** Tells the devices' workflows what this incident wants of them now. */
  async ask(): Promise<void> {
    const requests = this.book.record.devices.flatMap((device) => {
      const want = this.wantOf(device);
      return want === undefined ? [] : [{ device, want }];
    });
    await Promise.all(requests.map(({ device, want }) => this.request(device, want)));
  }

  private wantOf(device: DeviceEntry): Want | undefined {
    const { target, asked, order } = device;
    if (order !== null) {
      const orderedAt = this.book.record.orders[order]?.at ?? '';
      const orderedOnDevice = holdOf(device)?.order?.at === orderedAt;
      // A new order after a release that failed is passed on like the first.
      const passedOn = asked?.want === 'release' && asked.at >= orderedAt;
      return asked !== null && !passedOn && !orderedOnDevice ? 'release' : undefined;
    }
    if (target === null || target.isolatedAt !== null) return undefined;
    if (target.ended !== null) {
      const underWay = asked?.want === 'isolate' && (holdOf(device)?.state ?? 'wanted') === 'wanted';
      return underWay ? 'withdraw' : undefined;
    }
    const mayAsk = target.judged !== null && this.dutyOf(device)?.status === 'owed';
    return mayAsk ? 'isolate' : undefined;
  }

  private async request(device: DeviceEntry, want: Want): Promise<void> {
    this.book.apply({ type: 'device-asked', machineId: device.machineId, want });
    const { record } = this.book;
    const { customerId, incidentId, seq } = record;
    const request = { incidentId, seq, want, why: comment(record, want), name: device.name };
    const summary = `${want} ${device.machineId}`;
    await quick.askDevice.executeWithOptions({ summary }, [{ customerId, machineId: device.machineId, request }]);
  }
}

/** What Defender's portal shows of the action. */
function comment(record: IncidentRecord, want: Want): string {
  const level = currentVerdict(record)?.level;
  const what = want === 'isolate' ? `isolation at threat level ${level ?? '?'}` : `${want} of the isolation`;
  return `Mimamori ${record.incidentId}: ${what}`;
}
