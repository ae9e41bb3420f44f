import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Moment, Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import { verdict } from '../support/house.js';
import { Caller, type CallerReply } from './kill-caller.js';
import { concerns, MACHINE_NAMES, type Cast } from './kill-cast.js';
import type { Segment, Step } from './kill-steps.js';

/** How long a life may be held up by what was done to it. */
const PATIENCE_MS = 150_000;
/** Many lives look at the same time: each now and then. */
const LOOK_MS = 250;

interface Duty {
  id: string;
  kind: string;
  status: string;
}

function latch(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Requests that are held: whether the process that sent them still lives when the world goes on. */
interface Held {
  moment: Moment;
  isOrphan: boolean;
}

/**
 * One level-4 incident: three devices, a customer whose second contact presses the key, a secondary escalation, a
 * release instruction for all devices, closure. It stops at its step, and with it everything outside that concerns it,
 * until it is told to go on.
 */
export class Life {
  readonly incidentId: string;
  readonly caller: Caller;
  private readonly door = latch();
  private readonly atDoor = latch();
  private readonly atStep = latch();
  private readonly thawed = latch();
  private isFrozen = false;
  private wasFrozen = false;
  private segment: Segment = 'alert';
  private readonly held = new Set<Held>();
  /** The incident as the API showed it last. */
  final: CallerReply['body'];

  /** Without a step nothing stops it. */
  constructor(
    readonly cast: Cast,
    private readonly simulator: Simulator,
    url: string,
    readonly step?: Step,
  ) {
    this.incidentId = `incident:${cast.customerId}:${cast.alertId}`;
    this.caller = new Caller(url);
  }

  /** What comes before its step is done. */
  get ready(): Promise<void> {
    return this.atDoor.opened;
  }

  get reached(): Promise<void> {
    return this.atStep.opened;
  }

  /** On to the step itself, once everybody is ready. */
  openDoor(): void {
    this.door.open();
  }

  /** The process is dead that sent what is being held now. */
  orphan(): void {
    for (const held of this.held) held.isOrphan = true;
  }

  /** The world goes on. */
  thaw(): void {
    this.isFrozen = false;
    this.thawed.open();
  }

  /** For the simulator: holds what concerns this life while it stands at its step. */
  async watch(moment: Moment): Promise<'go-on' | 'cut'> {
    if (!concerns(moment, this.cast)) return 'go-on';
    const reached = this.step?.reached;
    if (reached?.by === 'moment' && this.segment === this.step?.segment && reached.is(moment, this.cast)) this.freeze();
    if (!this.isFrozen) return 'go-on';
    const held: Held = { moment, isOrphan: false };
    this.held.add(held);
    await this.thawed.opened;
    this.held.delete(held);
    // What had only just arrived when its sender died is as if it had never been sent.
    return held.isOrphan && moment.kind === 'request' && moment.phase === 'arrived' ? 'cut' : 'go-on';
  }

  private freeze(): void {
    if (this.wasFrozen) return;
    this.wasFrozen = true;
    this.isFrozen = true;
    this.atStep.open();
  }

  async run(): Promise<void> {
    await this.enter('alert');
    const [own, second, third] = this.cast.machineIds;
    for (const [index, machineId] of this.cast.machineIds.entries()) {
      await this.control('PATCH', `${this.tenant}/machines/${machineId}`, {
        computerDnsName: MACHINE_NAMES[index],
        isolationSeconds: 0.3,
      });
    }
    await this.control('PUT', `/sim/phones/${encodeURIComponent(this.cast.phones[0])}`, { answers: 'nobody' });
    const alert = await this.control('POST', `${this.tenant}/alerts`, {
      id: this.cast.alertId,
      title: 'Suspicious service',
      machineId: own,
      computerDnsName: MACHINE_NAMES[0],
      severity: 'High',
    });
    await this.command(`/v1/customers/${this.cast.customerId}/alerts`, alert, 'alert sent', [200, 201]);
    await this.at('accepted');
    await this.see('in the list', async () => {
      const { body } = await this.get(`/v1/incidents?customer=${this.cast.customerId}`);
      return body.items.length === 1;
    });
    await this.at('listed');

    await this.enter('verdict');
    const devices = [
      { machineId: second, name: MACHINE_NAMES[1] },
      { machineId: third, name: MACHINE_NAMES[2] },
    ];
    await this.command(this.path('triage'), verdict(4, { devices }), 'verdict sent');
    await this.at('judged');
    await this.seeDuties('told', (duty) => duty.id === 'mail:primary', 1);
    await this.at('told');
    await this.seeDuties('isolated', (duty) => duty.kind === 'isolate', 3);
    await this.at('isolated');
    await this.seeDuties('acknowledged', (duty) => duty.kind === 'phone', 1);
    await this.at('acknowledged');
    await this.seeStage('awaiting-release');

    await this.enter('escalation');
    const escalation = { message: 'The loader was removed by hand.' };
    await this.command(this.path('escalations'), escalation, 'escalation sent');
    await this.at('escalated');
    await this.seeStage('awaiting-release');

    await this.enter('release');
    const instruction = {
      by: 'jones',
      channel: 'mail',
      receivedAt: new Date().toISOString(),
      words: 'Please release all of them.',
    };
    await this.command(this.path('release'), { instruction }, 'release sent');
    await this.at('release ordered');
    await this.seeStage('notified');
    await this.at('confirmed');

    await this.enter('close');
    await this.command(this.path('close'), { reason: 'cleaned' }, 'close sent');
    await this.at('closed');
    await this.seeStage('closed');
  }

  private get tenant(): string {
    return `/sim/tenants/${this.cast.tenantId}`;
  }

  private path(command?: string): string {
    const incident = `/v1/incidents/${encodeURIComponent(this.incidentId)}`;
    return command === undefined ? incident : `${incident}/${command}`;
  }

  /** Waits at the door of its step's segment, so that the lives that are killed together wait for each other there. */
  private async enter(segment: Segment): Promise<void> {
    if (this.step?.segment === segment) {
      this.atDoor.open();
      await this.door.opened;
    }
    this.segment = segment;
  }

  private async at(name: string): Promise<void> {
    if (this.step?.name !== name) return;
    this.freeze();
    await this.thawed.opened;
  }

  private async command(path: string, body: unknown, name: string, expected: number[] = [200]): Promise<void> {
    const onSent = this.step?.name === name ? () => this.freeze() : undefined;
    await this.caller.command(path, body, expected, onSent);
  }

  private get(path: string): Promise<CallerReply> {
    return this.caller.send({ method: 'GET', path });
  }

  private async control(method: string, path: string, json: unknown): Promise<unknown> {
    const { status, text } = await send(method, `${this.simulator.url}${path}`, { json });
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  private async see(what: string, holds: () => Promise<boolean>): Promise<void> {
    const look = async () => {
      if (this.isFrozen) await this.thawed.opened;
      if (await holds()) return true;
      await pause(LOOK_MS);
      return undefined;
    };
    await until(`${this.incidentId}: ${what}`, look, PATIENCE_MS);
  }

  private async seeDuties(what: string, fits: (duty: Duty) => boolean, count: number): Promise<void> {
    await this.see(what, async () => {
      const { body } = await this.get(this.path());
      const duties: Duty[] = body.duties;
      return duties.filter((duty) => fits(duty) && duty.status === 'done').length === count;
    });
  }

  private async seeStage(stage: string): Promise<void> {
    await this.see(stage, async () => {
      this.final = (await this.get(this.path())).body;
      return this.final.partial !== true && this.final.stage === stage;
    });
  }
}
