import {
  currentVerdict,
  customerTold,
  hasTexts,
  isReminderHeld,
  type DeviceEntry,
  type Effect,
  type IncidentRecord,
} from './record.js';
import { isRungByLead, leadOf, tellingDutyId } from './link-state.js';
import type { Hold, TroubleReason } from '../device/record.js';
import type { Instant } from '../time.js';

export const dutyKinds = ['isolate', 'release', 'mail', 'phone', 'warn'] as const;
export type DutyKind = (typeof dutyKinds)[number];
export const dutyStatuses = ['owed', 'running', 'done', 'failed', 'waived', 'cancelled'] as const;
export type DutyStatus = (typeof dutyStatuses)[number];

/** What a mail duty is about: what the mail has to tell. */
export type MailTopic =
  | { kind: 'primary'; verdict: number }
  | { kind: 'secondary'; verdict: number }
  | { kind: 'secondary'; escalation: number }
  /** Tells of a linked incident: index of the telling. */
  | { kind: 'secondary'; linked: number }
  | { kind: 'isolation-result'; wave: number }
  | { kind: 'release-result'; order: number }
  | { kind: 'reminder'; index: number }
  | { kind: 'soc-warning'; about: { warning: number } | 'untriaged' | { notice: number } }
  | { kind: 'soc-breach'; breach: number }
  | { kind: 'soc-failure'; dutyId: string };

export interface Duty {
  id: string;
  kind: DutyKind;
  /** A machine id, `customer`, or `soc`. */
  target: string;
  status: DutyStatus;
  /** Of one that is running: what has been failing for a while, and goes on being tried. */
  reason?: string;
  doneAt?: Instant;
  /** For mails. */
  topic?: MailTopic;
}

export const SETTLED: readonly DutyStatus[] = ['done', 'failed', 'waived', 'cancelled'];

/** Did the mail come back from all whom it was for? It waits for other addresses, or for an analyst who has it tried again. */
export function isReturned({ status, reason }: Pick<Duty, 'status' | 'reason'>): boolean {
  return status === 'owed' && reason === 'mail-bounced';
}

export function isSettled(duty: Pick<Duty, 'status'>): boolean {
  return SETTLED.includes(duty.status);
}

/** What has become of the incident's last request; nothing while the device's workflow has not answered it. */
export function holdOf(device: DeviceEntry): Hold | undefined {
  const { asked, report } = device;
  return asked !== null && report !== null && report.hold.seq >= asked.seq ? report.hold : undefined;
}

/** Does this incident itself keep the device isolated, or is it about to? */
export function isHolding(device: DeviceEntry): boolean {
  const hold = holdOf(device);
  if (hold === undefined) return device.asked !== null;
  return ['wanted', 'isolated', 'releasing', 'release-failed'].includes(hold.state);
}

/** The last request, where it was made for the demand that stands now. */
export function askedForDemand({ asked, target }: DeviceEntry): DeviceEntry['asked'] {
  return target?.requested === false ? null : asked;
}

/** Does the device's workflow still have to say what comes of the isolation that was asked for, or called off? */
export function isIsolationPending(device: DeviceEntry): boolean {
  const { asked } = device;
  return asked !== null && asked.want !== 'release' && (holdOf(device)?.state ?? 'wanted') === 'wanted';
}

function isolateDuty(device: DeviceEntry): Duty[] {
  const { target } = device;
  if (target === null) return [];
  const base = { id: `isolate:${device.machineId}`, kind: 'isolate' as const, target: device.machineId };
  const { judged, ended, isolatedAt } = target;
  if (isolatedAt !== null) return [{ ...base, status: 'done', doneAt: isolatedAt }];
  if (judged?.waived !== undefined) return [{ ...base, status: 'waived', reason: judged.waived }];
  if (judged?.refused !== undefined) return [{ ...base, status: 'failed', reason: judged.refused }];
  const asked = askedForDemand(device);
  // A request from before the demand was ended and made again is judged anew before it may stand; what was called off is
  // asked for anew.
  if (ended === null && (asked === null || judged === null || asked.want === 'withdraw')) {
    return [{ ...base, status: 'owed' }];
  }
  if (asked === null && !isIsolationPending(device)) {
    return [{ ...base, status: 'cancelled', reason: ended?.reason ?? 'cancelled' }];
  }
  const hold = holdOf(device);
  if (hold?.state === 'failed') return [{ ...base, status: 'failed', reason: hold.reason ?? 'isolation-failed' }];
  if (hold?.state === 'cancelled' || hold?.state === 'held' || hold?.state === 'released') {
    return [{ ...base, status: 'cancelled', reason: ended?.reason ?? hold.reason ?? 'cancelled' }];
  }
  return [{ ...base, status: 'running', ...troubleOf(device) }];
}

/** Why what is running takes so long, as its device's workflow last said. */
function troubleOf(device: DeviceEntry): Pick<Duty, 'reason'> {
  const [trouble] = troublesOf(device);
  return trouble === undefined ? {} : { reason: trouble };
}

/** What is failing of what the device's workflow does for the incident's last request. */
export function troublesOf(device: DeviceEntry): TroubleReason[] {
  return holdOf(device) === undefined ? [] : (device.report?.troubles ?? []).map(({ reason }) => reason);
}

function releaseDuty(device: DeviceEntry): Duty[] {
  if (device.order === null) return [];
  const base = { id: `release:${device.machineId}`, kind: 'release' as const, target: device.machineId };
  const hold = holdOf(device);
  switch (hold?.state) {
    case 'held':
      return [{ ...base, status: 'waived', reason: 'held' }];
    case 'released':
      return [{ ...base, status: 'done', doneAt: hold.at }];
    case 'cancelled':
      return [{ ...base, status: 'done', doneAt: hold.at, reason: 'cancelled-before-isolated' }];
    case 'release-failed':
      return [{ ...base, status: 'failed', reason: hold.reason ?? 'release-failed' }];
    case 'failed':
      return [{ ...base, status: 'done', doneAt: hold.at, reason: 'never-isolated' }];
    case 'releasing':
      return [{ ...base, status: 'running', ...troubleOf(device) }];
    case 'wanted':
    case 'isolated':
    case undefined:
      return [
        device.asked?.want === 'release'
          ? { ...base, status: 'running', ...troubleOf(device) }
          : { ...base, status: 'owed' },
      ];
  }
}

/**
 * At level 4 the customer is rung, once per incident; for a linked one the lead's call counts. A chain called off before
 * anybody answered may start again.
 */
function phoneDuty(record: IncidentRecord): Duty[] {
  const base = { id: 'phone', kind: 'phone' as const, target: 'customer' };
  const { phone } = record;
  const wanted = currentVerdict(record)?.level === 4;
  if (phone === null && isRungByLead(record)) return [{ ...base, status: 'waived', reason: 'lead-rings' }];
  if (phone === null) return wanted ? [{ ...base, status: 'owed' }] : [];
  switch (phone.report?.outcome) {
    case 'acknowledged':
      return [{ ...base, status: 'done', doneAt: phone.report.at }];
    case 'exhausted':
      return [{ ...base, status: 'failed', reason: phone.report.reason ?? 'phone-exhausted' }];
    case 'cancelled':
      return [wanted ? { ...base, status: 'owed' } : { ...base, status: 'cancelled', reason: 'level-lowered' }];
    case 'ringing':
    case undefined:
      return [
        { ...base, status: 'running', ...(phone.report?.trouble === undefined ? {} : { reason: 'phone-failing' }) },
      ];
  }
}

function mailDuty(record: IncidentRecord, id: string, target: string, topic: MailTopic, waitsFor?: string): Duty {
  const base = { id, kind: target === 'soc' ? ('warn' as const) : ('mail' as const), target, topic };
  const effect: Effect | undefined = record.effects[id];
  if (effect === undefined) return { ...base, status: 'owed', ...(waitsFor === undefined ? {} : { reason: waitsFor }) };
  return {
    ...base,
    status: effect.status === 'bounced' ? 'owed' : effect.status,
    ...(effect.reason === null ? {} : { reason: effect.reason }),
    ...(effect.status === 'done' && effect.settledAt !== null ? { doneAt: effect.settledAt } : {}),
  };
}

function isHeldNow(device: DeviceEntry): boolean {
  return device.target?.isolatedAt != null && device.order === null;
}

/** A verdict's mail that came back is not owed any more once a later one has told the customer, or nothing is to be told. */
function unlessOvertaken(record: IncidentRecord, duty: Duty, index: number, isOwed: boolean): Duty {
  if (!isReturned(duty)) return duty;
  const isToldLater = Object.values(record.effects).some(
    ({ status, verdict }) => status === 'done' && verdict !== null && verdict > index,
  );
  if (isToldLater) return { ...duty, status: 'cancelled', reason: 'told-by-later-mail' };
  return isOwed ? duty : { ...duty, status: 'cancelled', reason: 'level-lowered' };
}

/** The verdict's own mails: the primary first, then one for every verdict that changed something after it. */
function verdictMails(record: IncidentRecord): Duty[] {
  const last = record.verdicts.length - 1;
  const verdict = currentVerdict(record);
  if (verdict === undefined) return [];
  const owesMail = (): boolean => verdict.level >= 2 || customerTold(record) || record.devices.some(isHeldNow);
  const waitsFor = verdict.level >= 2 && !hasTexts(verdict) ? 'awaiting-text' : undefined;
  const primary = record.effects['mail:primary'];
  if (primary === undefined) {
    return owesMail()
      ? [mailDuty(record, 'mail:primary', 'customer', { kind: 'primary', verdict: last }, waitsFor)]
      : [];
  }
  const told = primary.verdict ?? 0;
  const first = mailDuty(record, 'mail:primary', 'customer', { kind: 'primary', verdict: told });
  const duties = [unlessOvertaken(record, first, told, owesMail())];
  record.verdicts.forEach((_, index) => {
    if (index <= told) return;
    const id = `mail:secondary:v${index}`;
    const topic: MailTopic = { kind: 'secondary', verdict: index };
    if (record.effects[id] !== undefined) {
      duties.push(unlessOvertaken(record, mailDuty(record, id, 'customer', topic), index, owesMail()));
    }
    // A verdict that was changed again before its mail could go is told by the later one.
    else if (index === last && owesMail()) duties.push(mailDuty(record, id, 'customer', topic, waitsFor));
  });
  return duties;
}

function escalationMails(record: IncidentRecord): Duty[] {
  return record.escalations.map((_, index) =>
    mailDuty(record, `mail:secondary:e${index}`, 'customer', { kind: 'secondary', escalation: index }),
  );
}

/** The mails of linked incidents. Without a verdict of its own it cannot be said yet whether any can go this way. */
function linkedMails(record: IncidentRecord, primaryTold: boolean): Duty[] {
  return (record.tellings ?? []).flatMap(({ withdrawnAt }, index) => {
    const id = tellingDutyId(index);
    const topic: MailTopic = { kind: 'secondary', linked: index };
    if (withdrawnAt !== null || currentVerdict(record) === undefined) return [];
    const duty = mailDuty(record, id, 'customer', topic, primaryTold ? undefined : 'awaiting-primary');
    // One that came back is owed by the incident that it tells of: its words are not kept here.
    return [isReturned(duty) ? { ...duty, status: 'cancelled' } : duty];
  });
}

/** Reasons to call an isolation off that another mail tells. */
const TOLD_OTHERWISE: readonly string[] = ['level-lowered', 'not-named', 'released'];

/** The isolations of one verdict whose result the customer is told. */
export function reportedIsolations(record: IncidentRecord, wave: number): DeviceEntry[] {
  return record.devices.filter((device) => {
    if (device.target?.verdict !== wave) return false;
    const [duty] = isolateDuty(device);
    switch (duty?.status) {
      case 'done':
        return true;
      case 'failed':
        // What we ourselves refused is internal trouble, which an analyst mends first: nothing for the customer to read.
        return device.target.judged?.refused === undefined;
      case 'cancelled':
        return !TOLD_OTHERWISE.includes(duty.reason ?? '');
      default:
        return false;
    }
  });
}

/** One mail per verdict that isolated something, once all its devices are settled. */
function isolationResultMails(record: IncidentRecord, primaryTold: boolean): Duty[] {
  const waves = [...new Set(record.devices.flatMap(({ target }) => (target === null ? [] : [target.verdict])))].sort();
  return waves.flatMap((wave) => {
    const topic: MailTopic = { kind: 'isolation-result', wave };
    const all = record.devices.filter(({ target }) => target?.verdict === wave);
    // What a failure had told is told again when a further try has come to something.
    const triesOf = (devices: readonly DeviceEntry[]) =>
      devices.reduce((sum, { machineId }) => sum + (record.retries[`isolate:${machineId}`] ?? 0), 0);
    const ids = [`mail:isolation-result:v${wave}`];
    for (let retry = 1; retry <= triesOf(all); retry += 1) ids.push(`mail:isolation-result:v${wave}:${retry}`);
    const begun = ids.filter((id) => record.effects[id] !== undefined);
    const told = begun.map((id) => mailDuty(record, id, 'customer', topic));
    if (!all.flatMap(isolateDuty).every(isSettled)) return told;
    const reported = reportedIsolations(record, wave);
    const id = ids[triesOf(reported)];
    if (reported.length === 0 || id === undefined || begun.some((other) => ids.indexOf(other) >= ids.indexOf(id))) {
      return told;
    }
    // The all-clear's own mail says what was isolated until then, and asks whether to release it.
    const verdict = currentVerdict(record);
    const toldByAllClear =
      verdict?.level === 1 &&
      reported.every(({ target }) => target?.isolatedAt != null && target.isolatedAt <= verdict.at);
    if (toldByAllClear) return told;
    return [...told, mailDuty(record, id, 'customer', topic, primaryTold ? undefined : 'awaiting-primary')];
  });
}

/** One mail per order of the customer's, once its devices are settled. */
function releaseResultMails(record: IncidentRecord, primaryTold: boolean): Duty[] {
  return record.orders.flatMap((order, index) => {
    const id = `mail:release-result:o${index}`;
    const topic: MailTopic = { kind: 'release-result', order: index };
    if (record.effects[id] !== undefined) return [mailDuty(record, id, 'customer', topic)];
    const ordered = record.devices.filter((device) => device.order === index);
    if (ordered.length === 0 || !ordered.flatMap(releaseDuty).every(isSettled)) return [];
    return [mailDuty(record, id, 'customer', topic, primaryTold ? undefined : 'awaiting-primary')];
  });
}

/** What the customer was asked is asked again. A reminder that is overtaken before it has gone is not owed any more. */
function reminderMails(record: IncidentRecord): Duty[] {
  const { due = [], ofThisWait = 0 } = record.reminders ?? {};
  const mayGo = ofThisWait > 0 && record.closed === null && leadOf(record) === undefined && !isReminderHeld(record);
  return due.flatMap((_, index) => {
    const duty = mailDuty(record, `mail:reminder:${index}`, 'customer', { kind: 'reminder', index });
    const isCurrent = mayGo && index === due.length - 1;
    return duty.status !== 'owed' || isCurrent ? [duty] : [];
  });
}

function socMails(record: IncidentRecord, failed: readonly Duty[]): Duty[] {
  const duties: Duty[] = [];
  const soc = (id: string, topic: MailTopic) => duties.push(mailDuty(record, id, 'soc', topic));
  record.warnings.forEach((_, index) => {
    soc(`warn:threshold:${index}`, { kind: 'soc-warning', about: { warning: index } });
  });
  record.breaches.forEach((_, index) => {
    soc(`warn:breach:${index}`, { kind: 'soc-breach', breach: index });
  });
  if (record.untriagedWarnedAt !== null) soc('warn:untriaged', { kind: 'soc-warning', about: 'untriaged' });
  record.socNotices.forEach((_, index) => {
    soc(`warn:notice:${index}`, { kind: 'soc-warning', about: { notice: index } });
  });
  for (const duty of failed) {
    const retry = record.retries[duty.id];
    soc(`warn:failure:${duty.id}${retry === undefined ? '' : `:${retry}`}`, { kind: 'soc-failure', dutyId: duty.id });
  }
  return duties;
}

/**
 * What the service owes for this incident, and what has become of it: a pure function of what has happened so far.
 * A raised level needs no code of its own: the new verdict simply owes more.
 */
export function duties(record: IncidentRecord): Duty[] {
  const known = found.get(record);
  if (known !== undefined) return known;
  const all = dutiesOf(record);
  found.set(record, all);
  return all;
}

/** A record never changes, so its duties do not either; they are asked for many times at each step. */
const found = new WeakMap<IncidentRecord, Duty[]>();

function dutiesOf(record: IncidentRecord): Duty[] {
  const isolations = record.devices.flatMap(isolateDuty);
  const releases = record.devices.flatMap(releaseDuty);
  const phone = phoneDuty(record);
  const verdicts = verdictMails(record);
  const primary = verdicts.find(({ id }) => id === 'mail:primary');
  const primaryTold = primary === undefined || isSettled(primary);
  const mails = [
    ...verdicts,
    ...escalationMails(record),
    ...linkedMails(record, primaryTold),
    ...isolationResultMails(record, primaryTold),
    ...releaseResultMails(record, primaryTold),
    ...reminderMails(record),
  ];
  const owed = [...isolations, ...releases, ...phone, ...mails];
  return [
    ...owed,
    ...socMails(
      record,
      owed.filter(({ status, reason }) => status === 'failed' || (reason === 'mail-bounced' && record.closed === null)),
    ),
  ];
}

/** A reminder says nothing new: while it is on its way it holds nobody up. */
function isOnlyReminder(duty: Duty): boolean {
  return duty.topic?.kind === 'reminder' && !isReturned(duty);
}

/** Duties towards the customer that are not settled. */
export function outstanding(all: readonly Duty[]): Duty[] {
  return all.filter((duty) => duty.kind !== 'warn' && !isSettled(duty) && !isOnlyReminder(duty));
}
