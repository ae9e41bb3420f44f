import {
  allHandlersFinished,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  deviceOrderSchema,
  reasonSchema,
  type Command,
  type CommandOutcome,
  type DeviceReleaseBody,
  type ReasonBody,
} from '../domain/commands.js';
import {
  acknowledgeable,
  applyAcknowledgement,
  applyChangeElsewhere,
  applyIsolateStep,
  applyOrder,
  applyReleaseStep,
  applyRequest,
  applyTrouble,
  deviceView,
  holdersBeside,
  isCalledOffBesideRelease,
  isFree,
  isStillWanted,
  nextStep,
  settleNeverBegun,
  openDeviceAsBefore,
  releasableHolds,
  untold,
  watchedFrom,
  type DeviceView,
  type StepResult,
} from '../domain/device/evolve.js';
import { deviceDetails } from '../domain/device/details.js';
import {
  deviceRequestSchema,
  type ActionRecord,
  type DeviceRecord,
  type TroubleReason,
} from '../domain/device/record.js';
import { reject, type Rejection } from '../domain/errors.js';
import { judgeInstructionTimes, judgeInstructor, type Judged } from '../domain/incident/judge.js';
import { inputErrors } from '../domain/input.js';
import { deviceSearch } from '../domain/lists.js';
import type { MachineInput } from '../domain/ports.js';
import { keptTenant } from '../domain/policy.js';
import { MINUTE_MS, type Instant } from '../domain/time.js';
import { commandsOf } from './commands.js';
import {
  deviceAcknowledgeUpdate,
  deviceLookSignal,
  deviceQuery,
  deviceReleaseUpdate,
  deviceReportSignal,
  deviceRequestSignal,
  type DeviceInput,
} from './messages.js';
import { patient, quick, untilDone, watching } from './outside.js';
import { failureOf, goOnAsNew, now, Showcase } from './support.js';

/** How long a free device's workflow stays, so that a straggling request still meets what it knows. */
const LINGER_MS = 10 * MINUTE_MS;

function unknownMail(): Rejection {
  return reject('unknown-mail', 'No incident that holds this device has such a mail of the customer’s.', [
    { path: 'instruction.mail', message: 'is no mail of an incident that holds this device' },
  ]);
}

type DeviceMemo = { summary: DeviceView } & Record<string, unknown>;

interface Ticket {
  body: DeviceReleaseBody;
  actor: string;
  state: 'queued' | 'accepted' | 'rejected';
  rejection?: Rejection;
}

/** What is under way at Defender; one action at a time. */
interface Job {
  kind: 'isolate' | 'release';
  /** Cancels the request as long as Defender has not taken it. */
  asking: CancellationScope | null;
  cancelled: boolean;
}

/**
 * Whether a device is isolated and for which incidents: the only caller of isolate and unisolate. Incidents ask by
 * signal, and are told by snapshots.
 */
export async function device({ customerId, machineId, record: carried, shown }: DeviceInput): Promise<DeviceRecord> {
  let record = carried ?? openDeviceAsBefore(customerId, machineId, now());
  let changes = 0;
  let job: Job | undefined;
  /** While it is under way, somebody looks whether the device still stands as it is held. */
  let watch: CancellationScope | undefined;
  let lookedAt: Instant | null = null;
  /** While an action is followed; who cancels it has the action looked at anew. */
  let following: CancellationScope | undefined;
  const tickets: Ticket[] = [];
  /** A command of this very step: nobody may be told of it before it is on record, so it is told by a command of the step. */
  let hasNewCommand = false;
  const searchOf = ({ summary }: DeviceMemo) => deviceSearch(summary);
  const showcase = new Showcase<DeviceMemo>(searchOf, JSON.stringify, shown && { summary: shown });

  const update = (next: DeviceRecord): void => {
    if (next === record) return;
    record = next;
    changes += 1;
  };

  setHandler(
    deviceRequestSignal,
    (payload: unknown) => {
      const request = deviceRequestSchema.safeParse(payload);
      if (request.success) update(applyRequest(record, request.data, now()));
      else log.warn('a request was not understood and had no effect', { errors: inputErrors(request.error) });
    },
    { description: 'An incident asks to isolate, to call the isolation off, or to release.' },
  );
  setHandler(deviceLookSignal, () => following?.cancel(), {
    description: 'An incident has reached its deadline and has to know now how the action under way stands.',
  });
  const command = commandsOf({
    handled: () => record.handled,
    keep: ({ key, bodyHash, outcome }) => {
      update({ ...record, handled: { ...record.handled, [key]: { bodyHash, outcome } } });
    },
  });
  command(
    deviceReleaseUpdate,
    deviceOrderSchema,
    "The customer's instruction to give the device back, for every incident that holds it.",
    judgeOrder,
    carryOutRelease,
  );
  command(
    deviceAcknowledgeUpdate,
    reasonSchema,
    'An analyst accepts that somebody has released the device past this service.',
    judgeAcknowledgement,
    acknowledge,
  );
  setHandler(deviceQuery, () => deviceView(record), { description: 'Is it isolated, for whom, by which action?' });

  for (;;) {
    const seen = changes;
    // Awaiting nothing would cost promises, and the SDK notes a stack trace for each.
    const settling = settleTickets();
    if (settling !== undefined || record.ways === undefined) await settling;
    work();
    const reporting = report();
    if (reporting !== undefined || record.ways === undefined) await reporting;
    showcase.show({ summary: deviceView(record) });
    setCurrentDetails(deviceDetails(record));
    if (changes !== seen) continue;

    const quiet = job === undefined && tickets.length === 0 && allHandlersFinished();
    if (quiet && workflowInfo().continueAsNewSuggested) {
      stopWatching();
      return goOnAsNew<typeof device>({ customerId, machineId, record });
    }
    if (!quiet || !isFree(record)) {
      await condition(() => changes !== seen);
      continue;
    }
    const called = await condition(() => changes !== seen, LINGER_MS, { summary: 'lingers for stragglers' });
    // Nothing is awaited between this look at the inbox and the return.
    if (!called && changes === seen) return record;
  }

  /** The device, as Defender is asked about it. */
  function whose(): MachineInput {
    return { customerId, machineId, ...keptTenant(record.policy) };
  }

  function judgeOrder({ body: { instruction } }: Command<DeviceReleaseBody>): Judged {
    const times = judgeInstructionTimes(instruction, 'instruction', now());
    if (times !== undefined) return times;
    if (!('channel' in instruction)) return unknownMail();
    return releasableHolds(record).length === 0
      ? reject('nothing-to-release', 'No incident holds this device isolated.')
      : undefined;
  }

  function judgeAcknowledgement(): Judged {
    return job !== undefined || tickets.length > 0 || acknowledgeable(record).length === 0
      ? reject('nothing-to-acknowledge', 'Nobody else has released this device while an incident holds it.')
      : undefined;
  }

  function acknowledge({ actor, body }: Command<ReasonBody>): Promise<CommandOutcome> {
    const incidentIds = acknowledgeable(record);
    update(applyAcknowledgement(record, { at: now(), actor, ...body }));
    hasNewCommand = true;
    return Promise.resolve({ revision: record.version, at: now(), incidentIds });
  }

  async function carryOutRelease({ body, actor }: Command<DeviceReleaseBody>): Promise<CommandOutcome> {
    const ticket: Ticket = { body, actor, state: 'queued' };
    tickets.push(ticket);
    changes += 1;
    await condition(() => ticket.state !== 'queued');
    if (ticket.rejection !== undefined) throw failureOf(ticket.rejection);
    return {
      revision: record.version,
      at: now(),
      devices: [
        {
          machineId,
          outcome: record.isolation === 'requested' ? 'cancelled' : 'releasing',
          heldBy: holdersBeside(record, ''),
        },
      ],
    };
  }

  function settleTickets(): Promise<void> | undefined {
    return tickets.length === 0 ? undefined : readPolicyAndSettle();
  }

  async function readPolicyAndSettle(): Promise<void> {
    const policy = await quick.readPolicy.executeWithOptions({ summary: "the customer's contacts" }, [{ customerId }]);
    if (policy !== null) record = { ...record, policy };
    for (const ticket of tickets.splice(0)) {
      const { instruction } = ticket.body;
      const contacts = record.policy?.customer.contacts ?? [];
      const instructor = 'channel' in instruction ? judgeInstructor(contacts, instruction) : unknownMail();
      if ('code' in instructor || !('channel' in instruction)) {
        if ('code' in instructor) ticket.rejection = instructor;
        ticket.state = 'rejected';
      } else {
        update(applyOrder(record, { at: now(), actor: ticket.actor, instruction, ...instructor }));
        hasNewCommand = true;
        ticket.state = 'accepted';
      }
      changes += 1;
    }
  }

  /** Starts what is to be done next, or calls off what nobody wants any more. */
  function work(): void {
    if (job === undefined) {
      const settled = settleNeverBegun(record, now());
      if (settled !== record && patched('settle-never-begun')) update(settled);
      const next = nextStep(record);
      if (next !== undefined) start(next);
      watchOrNot();
      return;
    }
    if (job.kind === 'isolate' && !job.cancelled && !isStillWanted(record)) {
      job.cancelled = true;
      if (job.asking !== null) job.asking.cancel();
      else void cancelAtDefender(job);
    }
  }

  function watchOrNot(): void {
    const known = job === undefined ? watchedFrom(record) : undefined;
    if (known === undefined) stopWatching();
    else if (watch === undefined) startWatching(known);
  }

  function startWatching(known: Instant): void {
    const scope = new CancellationScope();
    watch = scope;
    void scope
      .run(() =>
        untilDone(
          (asked) => watching.watchIsolation.executeWithOptions({ summary: 'is it still isolated?' }, [asked]),
          { ...whose(), known, lookedAt },
          (why) => {
            if (watch === scope) update(applyTrouble(record, 'defender-state-unknown', why));
          },
        ),
      )
      .then(
        (found) => {
          if (watch !== scope) return;
          lookedAt = now();
          if (found !== null) update(applyChangeElsewhere(record, found, lookedAt));
          leaveWatch();
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  function stopWatching(): void {
    if (watch === undefined) return;
    watch.cancel();
    leaveWatch();
  }

  function leaveWatch(): void {
    watch = undefined;
    outOfTrouble('defender-state-unknown');
    changes += 1;
  }

  function start(kind: Job['kind']): void {
    const started: Job = { kind, asking: new CancellationScope(), cancelled: false };
    job = started;
    void carryOut(started).finally(() => {
      job = undefined;
      outOfTrouble('defender-cancel-failing');
      changes += 1;
    });
  }

  function take(kind: Job['kind'], step: StepResult): void {
    if (step.outcome === 'isolated') lookedAt = now();
    if (kind === 'release') {
      update(applyReleaseStep(record, step));
      return;
    }
    const isOpen = step.outcome === 'isolated' && isCalledOffBesideRelease(record);
    update(applyIsolateStep(record, step, isOpen && !patched('late-withdrawal-holds')));
  }

  async function carryOut(current: Job): Promise<void> {
    const { kind, asking } = current;
    const input = { ...whose(), comment: record.comment };
    const request = kind === 'isolate' ? patient.requestIsolation : patient.requestRelease;
    const summary = kind === 'isolate' ? 'ask Defender to isolate' : 'ask Defender to release';
    try {
      const step = await (asking ?? CancellationScope.current()).run(() =>
        untilDone(
          (asked) => request.executeWithOptions({ summary }, [asked]),
          input,
          inTrouble('defender-request-failing', current),
        ),
      );
      outOfTrouble('defender-request-failing');
      current.asking = null;
      // Called off too late: Defender had taken it, and the answer was on its way.
      const isTakenTooLate = current.cancelled && step.outcome === 'requested';
      if (isTakenTooLate && patched('cancel-what-was-taken')) await cancelAndFollow(current, step);
      else await follow(current, step);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      current.asking = null;
      await afterCancelledRequest(current);
    }
  }

  async function follow(current: Job, step: StepResult): Promise<void> {
    take(current.kind, step);
    if (step.outcome !== 'requested') return;
    const end = await toItsEnd(current, step.action);
    take(current.kind, end.outcome === 'cancelled' ? { ...end, byUs: current.cancelled } : end);
  }

  async function toItsEnd(current: Job, action: ActionRecord): Promise<StepResult> {
    const input = { ...whose(), action, kind: current.kind, since: now() };
    for (;;) {
      const step = await untilLookedFor(() =>
        untilDone(
          (asked) => patient.followAction.executeWithOptions({ summary: `follow action ${action.id}` }, [asked]),
          input,
          inTrouble('defender-state-unknown', current),
        ),
      );
      if (step === undefined) continue;
      outOfTrouble('defender-state-unknown');
      if (step.outcome !== 'requested') return step;
    }
  }

  /** Undefined: somebody wants to know now, while the next look was to come later. */
  async function untilLookedFor(follow: () => Promise<StepResult>): Promise<StepResult | undefined> {
    const scope = new CancellationScope();
    following = scope;
    try {
      return await scope.run(follow);
    } catch (error) {
      if (!scope.consideredCancelled || CancellationScope.current().consideredCancelled) throw error;
      return undefined;
    } finally {
      following = undefined;
    }
  }

  /** The request was called off, but may have reached Defender before: what is running there is cancelled. */
  async function afterCancelledRequest(current: Job): Promise<void> {
    outOfTrouble('defender-request-failing');
    const found = await untilDone(
      (input) => patient.readIsolation.executeWithOptions({ summary: 'did the request reach Defender?' }, [input]),
      whose(),
      inTrouble('defender-state-unknown', current),
    );
    outOfTrouble('defender-state-unknown');
    if (found.outcome === 'requested') {
      await cancelAndFollow(current, found);
      return;
    }
    take(
      current.kind,
      found.outcome === 'released' ? { outcome: 'cancelled', byUs: true, at: now(), action: null } : found,
    );
  }

  async function cancelAndFollow(current: Job, step: StepResult): Promise<void> {
    take(current.kind, step);
    await Promise.all([cancelAtDefender(current), follow(current, step)]);
  }

  async function cancelAtDefender(current: Job): Promise<void> {
    const { action } = record;
    if (action === null) return;
    await untilDone(
      (input) =>
        patient.cancelAction.executeWithOptions({ summary: 'cancel the isolation that nobody wants any more' }, [
          input,
        ]),
      { ...whose(), action, why: `Mimamori: the reason for the isolation has ended` },
      inTrouble('defender-cancel-failing', current),
    );
    if (job === current) outOfTrouble('defender-cancel-failing');
  }

  /** Whoever holds the device hears what has been failing for a while; of a job that is over nobody has to. */
  function inTrouble(reason: TroubleReason, current: Job): (why: string) => void {
    return (why) => {
      if (job === current) update(applyTrouble(record, reason, why));
    };
  }

  function outOfTrouble(reason: TroubleReason): void {
    update(applyTrouble(record, reason, undefined));
  }

  /** Tells every incident what has become of its request. One that is no longer there is no failure. */
  function report(): Promise<unknown> | undefined {
    const reports = untold(record);
    if (reports.length === 0) return undefined;
    const told = Object.fromEntries(reports.map(({ incidentId, digest }) => [incidentId, digest]));
    record = { ...record, told: { ...record.told, ...told } };
    const isUnrecorded = hasNewCommand;
    hasNewCommand = false;
    return Promise.all(
      reports.map(({ incidentId, report: snapshot }) =>
        record.ways === 2 && !isUnrecorded
          ? quick.tellIncident.executeWithOptions({ summary: 'tell the incident' }, [{ incidentId, report: snapshot }])
          : getExternalWorkflowHandle(incidentId)
              .signal(deviceReportSignal, snapshot)
              .catch(() => undefined),
      ),
    );
  }
}
