import type { DeviceRequest } from '../../domain/device/record.js';
import { deviceWant, overtakenByTuning, toLookUp, unjudged } from '../../domain/incident/asks.js';
import { isolationJudgement } from '../../domain/incident/judge.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord } from '../../domain/incident/record.js';
import { askDevice, patient, quick, untilDone } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

type Want = DeviceRequest['want'];

/** Looks devices up, judges whether they may be isolated, and asks their workflows. */
export class Devices {
  /** Look-ups that Defender did not answer quickly and that are being waited for. */
  private readonly awaited = new Set<string>();

  constructor(private readonly book: Book) {}

  get isIdle(): boolean {
    return this.awaited.size === 0;
  }

  /** Learns what the alert's own device is, and every other that is to be isolated. */
  lookUp(): Promise<unknown> | undefined {
    const wanted = toLookUp(this.book.record).filter(({ machineId }) => !this.awaited.has(machineId));
    if (wanted.length === 0) return undefined;
    const { customerId } = this.book.record;
    return Promise.all(
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
    const answer = untilDone(
      (input) => patient.awaitMachine.executeWithOptions({ summary: 'look the device up in Defender' }, [input]),
      { customerId, machineId },
      (why) => this.book.apply({ type: 'look-up-failing', machineId, why }),
    );
    void answer
      .then((facts) => this.book.apply({ type: 'device-known', facts }))
      .finally(() => {
        this.awaited.delete(machineId);
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

  private request(device: DeviceEntry, want: Want): Promise<void> {
    this.book.apply({ type: 'device-asked', machineId: device.machineId, want });
    const { record } = this.book;
    const { customerId, incidentId, seq } = record;
    const request = { incidentId, seq, want, why: comment(record, want), name: device.name };
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
