import { z } from 'zod';
import { sendCommand, type Gateway } from '../src/api/gateway.js';
import { releaseSchema, triageSchema, type Command } from '../src/domain/commands.js';
import { defenderAlertSchema } from '../src/domain/defender.js';
import { projectAlert } from '../src/domain/alert.js';
import { advance } from '../src/domain/incident/advance.js';
import { evolve } from '../src/domain/incident/evolve.js';
import { openRecord } from '../src/domain/incident/opening.js';
import type { Policy } from '../src/domain/policy.js';
import { toInstant } from '../src/domain/time.js';
import { startIncident } from '../src/temporal/incidents.js';
import {
  closeUpdate,
  incidentQuery,
  releaseUpdate,
  triageUpdate,
  type CommandUpdate,
} from '../src/workflows/messages.js';
import { goUpdate } from './bare/workflow.js';
import { until, type Case, type Place } from './place.js';

/** Whole lives of each kind, from the first word to the last. */

/**
 * How long somebody waits for a step (thousands of alerts that were queued take their time), and the pauses between looks:
 * looks are work too, and nobody's life consists of them.
 */
const PATIENCE = [180_000, 100, 800] as const;

const TEXTS = {
  detection: 'An encoded PowerShell command was detected.',
  analysis: 'It loads a second stage from a server that is known for malware.',
  countermeasures: 'Leave the device isolated and change the passwords of whoever has signed in to it.',
};

export function verdict(level: number) {
  return { level, judgement: level === 1 ? 'false-positive' : 'true-positive', ...TEXTS };
}

function instruction() {
  return { by: 'jones', channel: 'mail', receivedAt: new Date().toISOString(), words: 'Please release it.' };
}

const incidentSchema = z.object({ stage: z.string(), timeline: z.array(z.object({ type: z.string() })) });

export async function bareStart(place: Place, id: string): Promise<void> {
  await place.client.workflow.start('bare', { workflowId: id, taskQueue: 'bare' });
}

export async function bareLife(place: Place, id: string): Promise<void> {
  const handle = await place.client.workflow.start('bare', { workflowId: id, taskQueue: 'bare' });
  await handle.executeUpdate(goUpdate);
  await handle.result();
}

/** Through the API, as a feed and an analyst would do it. */
export class ApiLife {
  private readonly path: string;

  constructor(
    private readonly place: Place,
    private readonly aCase: Case,
  ) {
    this.path = `/v1/incidents/${encodeURIComponent(aCase.incidentId)}`;
  }

  async accept(): Promise<void> {
    const { customer, alert } = this.aCase;
    await this.must(201, 'POST', `/v1/customers/${customer.id}/alerts`, alert);
  }

  /** Until the incident says so. */
  async sees(holds: (incident: z.infer<typeof incidentSchema>) => boolean): Promise<void> {
    await until(async () => holds(incidentSchema.parse((await this.must(200, 'GET', this.path)).body)), ...PATIENCE);
  }

  async known(): Promise<void> {
    await this.sees(({ timeline }) => timeline.some(({ type }) => type === 'device-known'));
  }

  async command(name: string, body: unknown): Promise<void> {
    await this.must(200, 'POST', `${this.path}/${name}`, body);
  }

  private async must(status: number, method: string, path: string, body?: unknown) {
    const answer = await this.place.ask(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  async level1(): Promise<void> {
    await this.accept();
    await this.known();
    await this.command('triage', verdict(1));
  }

  async level3(): Promise<void> {
    const { incidentId } = this.aCase;
    await this.accept();
    await this.known();
    const isolated = this.place.whenTold(`isolation-result ${incidentId}`);
    await this.command('triage', verdict(3));
    await isolated;
    await this.sees(({ stage }) => stage === 'awaiting-release');
    const released = this.place.whenTold(`release-result ${incidentId}`);
    await this.command('release', { instruction: instruction() });
    await released;
    await this.sees(({ stage }) => stage === 'notified');
    await this.command('close', { reason: 'measured' });
  }
}

/** Where the workers poll whose outside answers at once. */
export const STUB_QUEUE = 'stub';

/** The same life without API and without an outside: the workflows alone, sent their messages directly. */
export class StubbedLife {
  constructor(
    /** One for all: the API too looks at the queue once for all its commands. */
    private readonly gateway: Gateway,
    private readonly place: Place,
    private readonly policy: Policy,
    private readonly aCase: Case,
  ) {}

  private async command<Body>(update: CommandUpdate<Body>, body: Body): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    const command: Command<Body> = { body, actor: 'bench', notAfter: toInstant(deadlineMs) };
    await sendCommand(this.gateway, this.aCase.incidentId, update, command, deadlineMs);
  }

  private async sees(stage: string): Promise<void> {
    const handle = this.gateway.client.workflow.getHandle(this.aCase.incidentId);
    await until(async () => (await handle.query(incidentQuery)).stage === stage, ...PATIENCE);
  }

  async level3(): Promise<void> {
    const { incidentId, customer, alert } = this.aCase;
    const now = toInstant(Date.now());
    const projected = projectAlert(defenderAlertSchema.parse(alert));
    const opened = openRecord({ customerId: customer.id, receivedAt: now, alert: projected, fingerprint: incidentId });
    const record = advance(evolve(opened, { type: 'policy-read', policy: this.policy }, now), now);
    await startIncident(this.gateway, record, { again: false });
    await this.sees('awaiting-triage');
    const isolated = this.place.whenTold(`isolation-result ${incidentId}`);
    await this.command(triageUpdate, triageSchema.parse(verdict(3)));
    await isolated;
    await this.sees('awaiting-release');
    const released = this.place.whenTold(`release-result ${incidentId}`);
    await this.command(releaseUpdate, releaseSchema.parse({ instruction: instruction() }));
    await released;
    await this.sees('notified');
    await this.command(closeUpdate, { reason: 'measured' });
  }
}
