import type { AnswerBody, Command, Instruction, ReleaseBody, TriageBody } from '../commands.js';
import { tuningPeriodAt, type Contact } from '../customer.js';
import { reject, type Rejection } from '../errors.js';
import { sameHost } from '../machine.js';
import { MINUTE_MS, toMs, type Instant } from '../time.js';
import { isPrimaryWithdrawn } from './asks.js';
import { instructionByMail } from '../customer-mail/believed.js';
import { customerMailOf } from './customer-mail.js';
import { isInDoubt, judgeTypedMail, releaseOffers } from './release-offers.js';
import { duties, isHolding, isReturned, isSettled, outstanding } from './duties.js';
import { endedElsewhere, releasedElsewhere } from './elsewhere.js';
import { completesVerdict, concernedDevices, isDemanded, resultingVerdict } from './verdicts.js';
import type { Fact } from './facts.js';
import { isOfLinked, releasableOfLinked } from './link-orders.js';
import { isOwedThrough } from './link-state.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord, type Verdict } from './record.js';
import { releasable } from './releases.js';
import { stageOf } from './stage.js';

/** May the command be carried out? Undefined when it may; pure, so that a validator and the API can both ask. */
export type Judged = Rejection | undefined;

const MAX_UNCONFIRMED_DEVICES = 5;
/** Clocks of the customer's mail server and ours differ a little. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/** What became of the commands that came with a key. */
export type Handled = IncidentRecord['handled'];

/** What holds for every command: not too late, and the same key only with the same body. */
export function judgeEnvelope(
  handled: Handled,
  command: Pick<Command<unknown>, 'notAfter' | 'idempotency'>,
  now: Instant,
): Judged {
  const { idempotency, notAfter } = command;
  const before = handledBefore(handled, command);
  if (before !== undefined && before.bodyHash !== idempotency?.bodyHash) {
    return reject('idempotency-mismatch', 'This Idempotency-Key was used before with another body.');
  }
  if (before === undefined && toMs(now) > toMs(notAfter)) {
    return reject('too-late', 'The caller has been told that no worker was there; the command was not carried out.');
  }
  return undefined;
}

/** What the command's key came to before. Keys are the callers' own: one may be called `constructor`. */
export function handledBefore(
  handled: Handled,
  { idempotency }: Pick<Command<unknown>, 'idempotency'>,
): Handled[string] | undefined {
  return idempotency !== undefined && Object.hasOwn(handled, idempotency.key) ? handled[idempotency.key] : undefined;
}

export function isHandled(handled: Handled, command: Pick<Command<unknown>, 'idempotency'>): boolean {
  return handledBefore(handled, command) !== undefined;
}

function closedFirst(record: IncidentRecord): Judged {
  return record.closed === null ? undefined : reject('incident-closed', 'The incident is closed; reopen it first.');
}

/** Does it name a device that was given back, by the customer's order or by somebody past this service? The same verdict again then means something new. */
function isolatesAnew(record: IncidentRecord, body: TriageBody): boolean {
  const named = new Set(body.level >= 3 ? body.devices?.map(({ machineId }) => machineId) : []);
  return record.devices.some(
    (device) => named.has(device.machineId) && (device.order !== null || endedElsewhere(device) !== undefined),
  );
}

function sameVerdict(a: Verdict, b: Verdict): boolean {
  const essence = ({ level, judgement, texts, askCustomer, machineIds, servers, exclusionProposal }: Verdict) =>
    JSON.stringify([
      level,
      judgement,
      texts.detection,
      texts.analysis,
      texts.countermeasures,
      askCustomer,
      machineIds.toSorted(),
      servers,
      exclusionProposal?.what,
      exclusionProposal?.why,
    ]);
  return essence(a) === essence(b);
}

/** Has something of the verdict failed, come back, or waited for a tuning period that is over, so that repeating it makes sense? */
export function canRetry(record: IncidentRecord, now: Instant): boolean {
  const tuningOver = !(record.policy?.customer.tuningPeriods ?? []).some(
    ({ from, until }) => toMs(from) <= toMs(now) && toMs(now) < toMs(until),
  );
  return duties(record).some((duty) => {
    if (duty.kind === 'warn') return false;
    const wasPrevented = isSettled(duty) && duty.reason === 'tuning-period' && isDemanded(record, duty.target);
    return duty.status === 'failed' || isReturned(duty) || (wasPrevented && tuningOver);
  });
}

export type TriageKind = 'new' | 'retry';

/** Does the same verdict again ask for another try of what failed, or is it one? */
export function triageKind(record: IncidentRecord, body: TriageBody, now: Instant): TriageKind {
  const before = currentVerdict(record);
  if (before === undefined || stageOf(record) === 'awaiting-triage') return 'new';
  const after = resultingVerdict(record, body, '', now);
  const same = sameVerdict(before, after) && !isolatesAnew(record, body);
  return same && canRetry(record, now) ? 'retry' : 'new';
}

export function judgeTriage(
  record: IncidentRecord,
  command: Pick<Command<TriageBody>, 'body' | 'ifMatch'>,
  now: Instant,
  verified = true,
): Judged {
  const closed = closedFirst(record);
  if (closed !== undefined) return closed;
  const { body, ifMatch } = command;
  const before = currentVerdict(record);
  const after = resultingVerdict(record, body, '', now);

  const fault = judgeDevices(record, body, after);
  if (fault !== undefined) return fault;

  const isNewlyJudged = before === undefined || stageOf(record) === 'awaiting-triage';
  const same = before !== undefined && sameVerdict(before, after) && !isolatesAnew(record, body);
  if (same && !isNewlyJudged && !canRetry(record, now)) {
    return reject('nothing-new', 'This is the verdict that stands already.');
  }
  if (before !== undefined && ifMatch !== undefined && (ifMatch < before.revision || ifMatch > record.revision)) {
    return reject('stale', 'Somebody has changed the verdict since the revision that If-Match names.');
  }
  const changes = before !== undefined && !same && !completesVerdict(record, body);
  if (changes && ifMatch === undefined && verified) {
    return reject('revision-required', 'A changed verdict needs If-Match with the revision that was seen.');
  }
  return undefined;
}

function judgeDevices(record: IncidentRecord, body: TriageBody, after: Verdict): Judged {
  if (body.level <= 2) return undefined;
  const concerned = concernedDevices(record, body);
  const invalid = (path: string, message: string) => reject('invalid-input', `${path} ${message}`, [{ path, message }]);
  if (concerned.length === 0) {
    return invalid('devices', 'is needed: the alert names no device');
  }
  if (concerned.length > MAX_UNCONFIRMED_DEVICES && body.confirmCount !== concerned.length) {
    return invalid('confirmCount', `must be ${concerned.length}: so many devices would be isolated`);
  }
  if (body.confirmCount !== undefined && body.confirmCount !== concerned.length) {
    return invalid('confirmCount', `must be ${concerned.length}: so many devices would be isolated`);
  }
  const servers = record.devices.filter(
    ({ machineId, facts }) => facts?.kind === 'windows-server' && concerned.includes(machineId),
  );
  if (servers.length > 0 && after.servers === null) {
    return reject(
      'server-decision-needed',
      `Say with servers whether to isolate or leave ${servers.map(({ name }) => name).join(', ')}: Windows Server.`,
      [{ path: 'servers', message: 'is needed: a Windows Server is among the devices' }],
    );
  }
  return undefined;
}

export function judgeEscalation(record: IncidentRecord): Judged {
  const closed = closedFirst(record);
  if (closed !== undefined) return closed;
  if (record.effects['mail:primary'] === undefined || isPrimaryWithdrawn(record)) {
    return reject('no-primary-escalation', 'There is no primary escalation that this could follow.');
  }
  return undefined;
}

export function judgeAnswer(record: IncidentRecord, body: AnswerBody, now: Instant): Judged {
  return closedFirst(record) ?? notInTheFuture('receivedAt', body.receivedAt, now);
}

function notInTheFuture(path: string, at: Instant, now: Instant): Judged {
  return toMs(at) > toMs(now) + CLOCK_SKEW_MS
    ? reject('invalid-input', `${path} lies in the future`, [{ path, message: 'lies in the future' }])
    : undefined;
}

export function judgeRelease(record: IncidentRecord, body: ReleaseBody, now: Instant): Judged {
  const closed = closedFirst(record);
  if (closed !== undefined) return closed;
  const unknown = (body.machineIds ?? []).filter(
    (machineId) => !record.devices.some((device) => device.machineId === machineId) && !isOfLinked(record, machineId),
  );
  if (unknown.length > 0) {
    return reject('unknown-device', 'This incident has no such device.', [
      { path: 'machineIds', message: `not a device of this incident: ${unknown.join(', ')}` },
    ]);
  }
  const fault = judgeInstructionTimes(body.instruction, 'instruction', now);
  if (fault !== undefined) return fault;
  const wanted = new Set([
    ...releasable(record, body).map(({ machineId }) => machineId),
    ...releasableOfLinked(record, body).flatMap(({ machineIds }) => machineIds),
  ]);
  if (wanted.size === 0 || (body.machineIds !== undefined && wanted.size < new Set(body.machineIds).size)) {
    return reject('nothing-to-release', 'This incident holds no such device isolated.');
  }
  return undefined;
}

export function judgeInstructionTimes(instruction: ReleaseBody['instruction'], path: string, now: Instant): Judged {
  const received =
    'mail' in instruction ? undefined : notInTheFuture(`${path}.receivedAt`, instruction.receivedAt, now);
  if (received !== undefined) return received;
  if (instruction.calledBackAt === undefined) return undefined;
  return notInTheFuture(`${path}.calledBackAt`, instruction.calledBackAt, now);
}

/** Who may instruct is agreed with each customer beforehand; by phone it is believed after a call back. */
export function judgeInstructor(
  contacts: readonly Contact[],
  instruction: Instruction,
): Rejection | { instructorName: string } {
  const contact = contacts.find(({ id }) => id === instruction.by);
  if (contact?.mayInstruct !== true) {
    return reject('unknown-instructor', 'This person may not instruct for the customer.', [
      {
        path: 'instruction.by',
        message: contact === undefined ? "is no contact of the customer's" : 'is a contact who may not instruct',
      },
    ]);
  }
  if (instruction.channel === 'phone' && instruction.calledBackAt === undefined) {
    return reject(
      'call-back-needed',
      'An instruction by phone is believed after a call back to the registered number.',
      [{ path: 'instruction.calledBackAt', message: 'is needed for an instruction by phone' }],
    );
  }
  if (instruction.channel === 'phone' && contact.phone === undefined) {
    return reject('call-back-needed', 'This person has no registered number that could have been called back.', [
      { path: 'instruction.by', message: 'has no telephone number in the customers file' },
    ]);
  }
  return { instructorName: contact.name };
}

/** A mail ends the isolation that it was written about: it cannot order one to be ended that was begun after it was used. */
export function judgeUsedMail(record: IncidentRecord, body: ReleaseBody, { mail }: Instruction): Judged {
  if (mail?.key === undefined) return undefined;
  // Where the release has failed the device is still isolated for what it was then: the same order holds.
  const again = releasable(record, body).filter(({ machineId, target }) =>
    record.orders.some(
      ({ at, instruction, machineIds }) =>
        instruction.mail?.key === mail.key && machineIds.includes(machineId) && target !== null && at < target.since,
    ),
  );
  if (again.length === 0) return undefined;
  return reject(
    'nothing-to-release',
    `${again.map(({ name }) => name).join(', ')}: was given back on this mail once, and isolated again since. It needs another instruction.`,
  );
}

export function judgeAssign(record: IncidentRecord): Judged {
  return closedFirst(record);
}

export function judgeClose(record: IncidentRecord): Judged {
  const closed = closedFirst(record);
  if (closed !== undefined) return closed;
  if (stageOf(record) === 'awaiting-triage') return reject('not-triaged', 'Nobody has judged this alert yet.');
  const held = record.devices.filter(isHolding);
  if (held.length > 0) {
    const free = held.filter((device) => releasedElsewhere(device) !== undefined);
    const namesOf = (devices: readonly DeviceEntry[]) => devices.map(({ name }) => name).join(', ');
    return reject(
      'device-still-isolated',
      free.length > 0
        ? `${namesOf(free)}: was released outside this service, which somebody has to acknowledge first.`
        : `${namesOf(held)}: a device leaves isolation only on the customer's instruction.`,
    );
  }
  const owed = outstanding(duties(record));
  if (owed.length > 0) {
    return reject('duties-outstanding', `Still owed: ${owed.map(({ id }) => id).join(', ')}.`);
  }
  if (isOwedThrough(record)) {
    return reject('duties-outstanding', 'A linked incident still owes something that is told through this one.');
  }
  return undefined;
}

export function judgeReopen(record: IncidentRecord): Judged {
  return record.closed === null ? reject('incident-open', 'The incident is open.') : undefined;
}

/** Is the name that an analyst gave the device's own? */
function nameMatches(device: DeviceEntry): boolean {
  const { claimedName, facts } = device;
  return claimedName === null || facts?.name == null || sameHost(claimedName, facts.name);
}

/** The instruction as it is recorded, and the name of who gave it: spelt out, or a mail of the customer's. */
export function judgeReleaseInstruction(
  record: IncidentRecord,
  instruction: ReleaseBody['instruction'],
): Rejection | { instruction: Instruction; instructorName: string } {
  const contacts = record.policy?.customer.contacts ?? [];
  const resolved =
    'mail' in instruction ? instructionByMail(customerMailOf(record).mails, contacts, instruction) : { instruction };
  if ('code' in resolved) return resolved;
  const instructor = judgeInstructor(contacts, resolved.instruction);
  return 'code' in instructor ? instructor : { ...resolved, ...instructor };
}

/** Is it typed as a mail's, past a mail on record that needs a call back? */
export function judgePastMail(record: IncidentRecord, instruction: ReleaseBody['instruction']): Judged {
  const offers = releaseOffers(record).map((mail) => ({ needsCallBack: isInDoubt(record, mail) }));
  return judgeTypedMail(offers, record.policy?.customer.contacts ?? [], instruction);
}

/** May the isolation that is owed be asked for? The device is known, and the policy is that of this moment. */
export function isolationJudgement(record: IncidentRecord, device: DeviceEntry, now: Instant): Fact {
  const { machineId, facts, namedByAlert } = device;
  const judged = { type: 'isolation-judged' as const, machineId };
  if (facts?.found !== true && !namedByAlert) return { ...judged, refused: 'unknown-device' };
  if (!nameMatches(device)) return { ...judged, refused: 'device-mismatch' };
  if (facts?.kind === 'windows-server') {
    const servers = currentVerdict(record)?.servers ?? null;
    if (servers === null) return { ...judged, refused: 'server-decision-needed' };
    if (servers === 'leave') return { ...judged, waived: 'server-left' };
  }
  const periods = record.policy?.customer.tuningPeriods ?? [];
  if (tuningPeriodAt(periods, now) !== undefined) return { ...judged, waived: 'tuning-period' };
  return judged;
}
