import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { InboundMail } from '../../src/domain/customer-mail/mail.js';
import { projectAlert } from '../../src/domain/alert.js';
import { closedDaysSchema } from '../../src/domain/business-hours.js';
import { triageSchema, type Command, type Level } from '../../src/domain/commands.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import type { ExclusionChange } from '../../src/domain/customers/record.js';
import { exclusionInputSchema } from '../../src/domain/exclusion/commands.js';
import { openExclusion } from '../../src/domain/exclusion/evolve.js';
import type { ExclusionView } from '../../src/domain/exclusion/view.js';
import type { ActionRecord } from '../../src/domain/device/record.js';
import { openDevice } from '../../src/domain/device/evolve.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { incidentIdOf, type IncidentRecord } from '../../src/domain/incident/record.js';
import { openInquiry } from '../../src/domain/inquiry/evolve.js';
import { openRecord } from '../../src/domain/incident/opening.js';
import type { IncidentView } from '../../src/domain/incident/view.js';
import { STRANGERS_ID, type StrangersNews } from '../../src/domain/held-mail/strangers.js';
import { machineFacts } from '../../src/domain/machine.js';
import { phoneWorkflowId } from '../../src/domain/phone/record.js';
import type { Policy } from '../../src/domain/policy.js';
import type { IndicatorRemoved, MailInput, Outside } from '../../src/domain/ports.js';
import { DAY_MS, HOUR_MS, toInstant, type Instant } from '../../src/domain/time.js';
import {
  deviceReportSignal,
  inquiryMailSignal,
  inquiryNewsSignal,
  deviceRequestSignal,
  exclusionQuery,
  incidentQuery,
  phoneRequestSignal,
  strangersMailSignal,
  type CommandUpdate,
  type DeviceInput,
  type ExclusionRequestWorkflow,
  type IncidentInput,
  type IncidentWorkflow,
  type InquiryWorkflow,
  type PhoneInput,
  type StrangersInput,
} from '../../src/workflows/messages.js';
import { businessHours } from '../../src/holidays.js';
import { inboundMail } from '../domain/customer-mail-fixture.js';
import { policyOf, rawAlert, TEXTS } from '../domain/life.js';
import { skippingServer, workflowBundle } from '../support/temporal.js';
import { testConverter } from '../support/keys.js';

/*
 * The real workflows on a server whose clock jumps, with an outside of a few lines: a Defender whose devices are online
 * or not, a mailbox, a telephone that nobody answers. For what takes hours or days.
 */

interface SentMail {
  at: Instant;
  kind: string;
  incidentId: string;
  mail: MailInput;
}

interface Action extends ActionRecord {
  machineId: string;
  startedMs: number;
}

const ISOLATION_LASTS_MS = 3 * DAY_MS;

export class JumpingWorld {
  policy: Policy;
  /** The customers file no longer names the customer. */
  hasLeft = false;
  readonly customerId: string;
  readonly offline = new Set<string>();
  /** When the action succeeded, on devices where that is not when it is read. */
  readonly succeededAt = new Map<string, Instant>();
  readonly mails: SentMail[] = [];
  readonly actions: Action[] = [];
  readonly calls: { at: Instant; to: string }[] = [];
  /** What our own filter was told. */
  readonly filtered: { at: Instant; change: ExclusionChange }[] = [];
  excludedSoFar = 0;
  /** What becomes of taking an indicator away. */
  removal: IndicatorRemoved = { outcome: 'removed' };
  /** Defender has taken the request to isolate, and answers it only then. */
  answerDelay: Promise<void> = Promise.resolve();
  private worker: { worker: Worker; run: Promise<void> } | undefined;
  private alerts = 0;
  private customerMails = 0;
  private readonly started = new Set<string>();

  private constructor(
    readonly environment: TestWorkflowEnvironment,
    private readonly taskQueue: string,
  ) {
    this.customerId = taskQueue;
    this.policy = policyOf({ id: this.customerId });
  }

  static async open(
    worker: { maxCachedWorkflows?: number } = {},
    environment?: TestWorkflowEnvironment,
  ): Promise<JumpingWorld> {
    const world = new JumpingWorld(environment ?? (await skippingServer()), `jump-${randomUUID().slice(0, 8)}`);
    const { code } = await workflowBundle();
    const created = await Worker.create({
      ...worker,
      dataConverter: testConverter,
      connection: world.environment.nativeConnection,
      namespace: world.environment.namespace ?? 'default',
      taskQueue: world.taskQueue,
      workflowBundle: { code },
      activities: { ...world.outside() },
    });
    world.worker = { worker: created, run: created.run() };
    return world;
  }

  /** Ends what still runs first: with no worker to serve it, it would keep the clock from jumping for whoever comes next. */
  async close(): Promise<void> {
    for (const workflowId of this.started) {
      await this.client
        .getHandle(workflowId)
        .terminate('the test is over')
        .catch(() => undefined);
    }
    this.worker?.worker.shutdown();
    await this.worker?.run;
  }

  /** The server's time, as the workflows see it. */
  nowMs(): Promise<number> {
    return this.environment.currentTimeMs();
  }

  sleep(ms: number): Promise<void> {
    return this.environment.sleep(ms);
  }

  private get client() {
    return this.environment.client.workflow;
  }

  private outside(): Outside {
    const at = async () => toInstant(await this.nowMs());
    const actionNow = async (action: ActionRecord, status: string) => ({ ...action, status, updatedAt: await at() });
    return {
      readPolicy: () => Promise.resolve(this.hasLeft ? null : this.policy),
      lookUpMachine: ({ machineId }) => Promise.resolve(this.facts(machineId)),
      awaitMachine: ({ machineId }) => Promise.resolve(this.facts(machineId)),
      archiveClosed: () => Promise.reject(new Error('nothing is archived here')),
      audit: () => Promise.reject(new Error('nobody audits here')),
      matchExclusion: () => Promise.resolve(null),
      tellPolicyChanged: () => Promise.resolve(),
      pollFeed: () => Promise.reject(new Error('nothing is fed here')),
      deliverRejected: () => Promise.reject(new Error('nothing is kept aside here')),
      askLead: () => Promise.reject(new Error('nothing is linked here')),
      tellLinked: () => Promise.reject(new Error('nothing is linked here')),
      readSignalSender: () => Promise.resolve(null),
      readBusinessHours: ({ at: asked }) => Promise.resolve(businessHours(closedDaysSchema.parse(undefined))(asked)),
      tellFilter: async ({ change }) => {
        this.filtered.push({ at: await at(), change });
        return 'done';
      },
      setIndicator: () => Promise.resolve({ outcome: 'set', ids: ['1'] }),
      removeIndicator: () => Promise.resolve(this.removal),
      readThread: () => Promise.resolve(null),
      countExcluded: () => Promise.resolve(this.excludedSoFar),
      passOnMail: () => Promise.reject(new Error('nothing is held here')),
      tellOfStranger: (news) => this.strangersMail(news),
      readMailbox: () => Promise.reject(new Error('there is no mailbox here')),
      tellOfInquiry: async ({ incidentId, news }) => {
        await this.client
          .getHandle(incidentId)
          .signal(inquiryNewsSignal, news)
          .catch(() => undefined);
      },
      askDevice: async ({ customerId, machineId, request }) => {
        this.started.add(deviceWorkflowId(customerId, machineId));
        await this.client.signalWithStart('device', {
          workflowId: deviceWorkflowId(customerId, machineId),
          taskQueue: this.taskQueue,
          args: [
            { customerId, machineId, record: openDevice(customerId, machineId, await at()) } satisfies DeviceInput,
          ],
          signal: deviceRequestSignal,
          signalArgs: [request],
        });
      },
      tellIncident: async ({ incidentId, report }) => {
        await this.client
          .getHandle(incidentId)
          .signal(deviceReportSignal, report)
          .catch(() => undefined);
      },
      askPhone: async ({ customerId, request }) => {
        this.started.add(phoneWorkflowId(customerId));
        await this.client.signalWithStart('phone', {
          workflowId: phoneWorkflowId(customerId),
          taskQueue: this.taskQueue,
          args: [{ customerId } satisfies PhoneInput],
          signal: phoneRequestSignal,
          signalArgs: [request],
        });
      },
      sendMail: async (mail) => {
        const sentAt = await at();
        const { headers } = mail;
        this.mails.push({
          at: sentAt,
          kind: headers['X-Mimamori-Kind'] ?? '',
          incidentId: headers['X-Mimamori-Incident'] ?? '',
          mail,
        });
        return { status: 'accepted', at: sentAt, rejected: [] };
      },
      requestIsolation: async ({ machineId }) => {
        const action = await this.act('Isolate', machineId);
        await this.answerDelay;
        return { outcome: 'requested', action };
      },
      requestRelease: async ({ machineId }) => ({
        outcome: 'requested',
        action: await this.act('Unisolate', machineId),
      }),
      watchIsolation: () =>
        Promise.reject(
          ApplicationFailure.create({ message: 'nobody changes it', nonRetryable: false, nextRetryDelay: DAY_MS }),
        ),
      readIsolation: async () => ({ outcome: 'released', at: await at(), action: null }),
      followAction: async ({ machineId, action, kind }) => {
        const own = this.actions.find(({ id }) => id === action.id);
        if (own?.status === 'Cancelled') {
          return { outcome: 'cancelled', byUs: false, at: await at(), action: await actionNow(action, 'Cancelled') };
        }
        if (!this.offline.has(machineId)) {
          const done = {
            at: this.succeededAt.get(machineId) ?? (await at()),
            action: await actionNow(action, 'Succeeded'),
          };
          return kind === 'isolate' ? { outcome: 'isolated', ...done } : { outcome: 'released', ...done };
        }
        if ((await this.nowMs()) - (own?.startedMs ?? 0) >= ISOLATION_LASTS_MS) {
          return {
            outcome: 'failed',
            reason: 'isolation-timeout',
            at: await at(),
            action: await actionNow(action, 'TimeOut'),
          };
        }
        throw ApplicationFailure.create({ message: 'still pending', nonRetryable: false, nextRetryDelay: HOUR_MS });
      },
      cancelAction: ({ action }) => {
        for (const own of this.actions) if (own.id === action.id) own.status = 'Cancelled';
        return Promise.resolve(undefined);
      },
      placeCall: async ({ to }) => {
        this.calls.push({ at: await at(), to });
        return { status: 'placed', sid: `CA${this.calls.length}` };
      },
      hangUp: () => Promise.resolve(undefined),
      readCall: () => Promise.resolve({ status: 'no-answer' }),
    };
  }

  private facts(machineId: string) {
    const name = `${machineId}.example`;
    return machineFacts(machineId, {
      id: machineId,
      osPlatform: 'Windows11',
      computerDnsName: name,
      healthStatus: undefined,
      onboardingStatus: undefined,
    });
  }

  private async act(type: ActionRecord['type'], machineId: string): Promise<Action> {
    const startedMs = await this.nowMs();
    const action: Action = {
      id: randomUUID(),
      type,
      status: 'Pending',
      requestedAt: toInstant(startedMs),
      updatedAt: null,
      machineId,
      startedMs,
    };
    this.actions.push(action);
    return action;
  }

  /** Starts the process of an exclusion that was just proposed. */
  async exclusion(input: Record<string, unknown>, exclusionId: string): Promise<JumpingExclusion> {
    const at = toInstant(await this.nowMs());
    const record = openExclusion(
      {
        exclusionId,
        customerId: this.customerId,
        policy: this.policy,
        input: exclusionInputSchema.parse(input),
        proposer: 'hana',
        asksCustomer: false,
        breadth: { matched: 0, of: 0, approvalsNeeded: 1 },
      },
      at,
    );
    const handle = await this.client.start<ExclusionRequestWorkflow>('exclusionRequest', {
      workflowId: exclusionId,
      taskQueue: this.taskQueue,
      args: [{ record }],
    });
    this.started.add(exclusionId);
    return new JumpingExclusion(this, handle.workflowId);
  }

  /** A stranger's mail is held. */
  async strangersMail(news: StrangersNews): Promise<void> {
    await this.client.signalWithStart('strangers', {
      workflowId: STRANGERS_ID,
      taskQueue: this.taskQueue,
      args: [{} satisfies StrangersInput],
      signal: strangersMailSignal,
      signalArgs: [news],
    });
    this.started.add(STRANGERS_ID);
  }

  /** A mail of the customer's comes to the inquiry, which is started for the first. */
  async customerMail(inquiryId: string, mail: Partial<InboundMail> = {}): Promise<WorkflowHandle<InquiryWorkflow>> {
    this.customerMails += 1;
    const at = toInstant(await this.nowMs());
    const key = String(this.customerMails).padStart(32, '0');
    const taken = { mail: inboundMail({ key, receivedAt: at, ...mail }), contactId: 'sato', acceptedBy: null };
    const opening = { inquiryId, customerId: this.customerId, incidentId: null };
    await this.client.signalWithStart('inquiry', {
      workflowId: inquiryId,
      taskQueue: this.taskQueue,
      args: [{ record: openInquiry(opening, at) }],
      signal: inquiryMailSignal,
      signalArgs: [taken],
    });
    this.started.add(inquiryId);
    return this.client.getHandle<InquiryWorkflow>(inquiryId);
  }

  /** Starts the incident of an alert that Defender has just made. */
  async alert(changes: Record<string, unknown> = {}): Promise<JumpingIncident> {
    this.alerts += 1;
    const detectedAt = toInstant(await this.nowMs());
    const raw = rawAlert({
      id: `da${this.alerts}`,
      alertCreationTime: detectedAt,
      machineId: `m${this.alerts}`,
      computerDnsName: `m${this.alerts}.example`,
      ...changes,
    });
    const alert = projectAlert(defenderAlertSchema.parse(raw));
    const record = openRecord({ customerId: this.customerId, alert, fingerprint: 'f', receivedAt: detectedAt });
    const handle = await this.client.start<IncidentWorkflow>('incident', {
      workflowId: incidentIdOf(this.customerId, alert.alertId),
      taskQueue: this.taskQueue,
      args: [{ record } satisfies IncidentInput],
    });
    this.started.add(handle.workflowId);
    return new JumpingIncident(this, handle.workflowId, Date.parse(detectedAt), alert.machineId ?? '');
  }
}

export class JumpingExclusion {
  constructor(
    private readonly world: JumpingWorld,
    readonly id: string,
  ) {}

  get handle() {
    return this.world.environment.client.workflow.getHandle<ExclusionRequestWorkflow>(this.id);
  }

  async send<Body>(update: CommandUpdate<Body>, body: Body, actor = 'ken'): Promise<void> {
    const notAfter = toInstant((await this.world.nowMs()) + HOUR_MS);
    await this.handle.executeUpdate(update, { args: [{ body, actor, notAfter }] });
  }

  view(): Promise<ExclusionView> {
    return this.handle.query(exclusionQuery);
  }

  /** When our own filter was told of it, and what. */
  filtered(): string[] {
    return this.world.filtered
      .filter(({ change }) => (change.change === 'set' ? change.exclusion.exclusionId : change.exclusionId) === this.id)
      .map(({ at, change }) => `${change.change} ${at}`);
  }
}

export class JumpingIncident {
  constructor(
    private readonly world: JumpingWorld,
    readonly id: string,
    readonly detectedMs: number,
    readonly machineId: string,
  ) {}

  get handle() {
    return this.world.environment.client.workflow.getHandle<IncidentWorkflow>(this.id);
  }

  async send<Body>(update: CommandUpdate<Body>, body: Body, more: Partial<Command<Body>> = {}): Promise<void> {
    const notAfter = toInstant((await this.world.nowMs()) + HOUR_MS);
    await this.handle.executeUpdate(update, { args: [{ body, actor: 'ana', notAfter, ...more }] });
  }

  triageBody(level: Level, more: Record<string, unknown> = {}) {
    return triageSchema.parse({ level, judgement: 'true-positive', ...TEXTS, ...more });
  }

  async view(): Promise<IncidentView> {
    return this.handle.query(incidentQuery, toInstant(await this.world.nowMs()));
  }

  /** Lets the world's time pass until the incident is as wanted, looking once in every `everyMs` of it. */
  async passUntil(
    what: string,
    holds: (view: IncidentView) => boolean,
    everyMs: number,
    atMostMs: number,
  ): Promise<IncidentView> {
    const endMs = (await this.world.nowMs()) + atMostMs;
    for (;;) {
      const view = await this.view();
      if (holds(view)) return view;
      if ((await this.world.nowMs()) > endMs) {
        throw new Error(
          `in vain: ${what}: ${JSON.stringify({ stage: view.stage, duties: view.duties, slo: view.slo })}`,
        );
      }
      await this.world.sleep(everyMs);
    }
  }

  /** Minutes after the detection at which the world took its mails, with their kinds. */
  mailed(): string[] {
    return this.world.mails
      .filter(({ incidentId }) => incidentId === this.id)
      .map(({ at, kind }) => `${kind} ${Math.floor((Date.parse(at) - this.detectedMs) / 60_000)}`);
  }

  duty(view: IncidentView, id: string): string | undefined {
    const found = view.duties.find((duty) => duty.id === id);
    return found === undefined ? undefined : `${found.status}${found.reason === undefined ? '' : ` (${found.reason})`}`;
  }

  /** The record of an incident that has ended, and when it did. */
  async end(): Promise<{ record: IncidentRecord; endedMs: number }> {
    const { closeTime, status } = await this.handle.describe();
    if (closeTime === undefined) throw new Error(`${this.id} has not ended: ${status.name}`);
    return { record: await this.handle.result(), endedMs: closeTime.getTime() };
  }
}
