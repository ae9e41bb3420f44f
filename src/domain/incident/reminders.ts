import { nextDayTime } from '../day-time.js';
import { DAY_MS, latest, plus, toMs, type Instant } from '../time.js';
import { duties, holdOf, isReturned } from './duties.js';
import { releasedElsewhere } from './elsewhere.js';
import { leadOf } from './link-state.js';
import {
  customerTold,
  isReminderHeld,
  type DeviceEntry,
  type Effect,
  type IncidentRecord,
  type Question,
} from './record.js';

/*
 * What the customer was asked and has not answered is asked again after some days. There is one wait for each incident,
 * since the oldest thing that still waits; once nothing waits any more, the next wait counts from its own beginning.
 */

const REMINDER_DAYS: readonly number[] = [1, 3, 7];

/** When the first mail that says it was accepted; undefined while none was. */
function toldAt(record: IncidentRecord, says: (dutyId: string, effect: Effect) => boolean): Instant | undefined {
  return Object.entries(record.effects)
    .flatMap(([id, effect]) => {
      const { status, settledAt } = effect;
      return status === 'done' && settledAt !== null && says(id, effect) ? [settledAt] : [];
    })
    .sort((a, b) => toMs(a) - toMs(b))[0];
}

function askedAt(record: IncidentRecord, { text, askedAt: since }: Question): Instant | undefined {
  return toldAt(record, (id, { verdict, startedAt }) => {
    if (toMs(startedAt) < toMs(since)) return false;
    if (verdict !== null) return record.verdicts[verdict]?.askCustomer === text;
    return record.escalations.some(
      ({ askCustomer }, index) => id === `mail:secondary:e${index}` && askCustomer === text,
    );
  });
}

/** Since when the customer knows that the device is isolated: by the mail of its result, or a verdict's that came later. */
function isolatedAt(record: IncidentRecord, { target }: DeviceEntry): Instant | undefined {
  if (target?.isolatedAt == null) return undefined;
  const { isolatedAt: since, verdict: wave } = target;
  const result = `mail:isolation-result:v${wave}`;
  const told = toldAt(record, (id, { verdict, startedAt }) => {
    if (id === result || id.startsWith(`${result}:`)) return true;
    return verdict !== null && toMs(startedAt) >= toMs(since);
  });
  return told === undefined ? undefined : latest(since, told);
}

export interface Awaited {
  questions: Question[];
  devices: DeviceEntry[];
  /** Since when the oldest of them waits; null where nothing does. */
  since: Instant | null;
}

/** What waits for the customer of all that the customer was told: open questions, and devices whose release nobody ordered. */
export function awaited(record: IncidentRecord): Awaited {
  const nothing: Awaited = { questions: [], devices: [], since: null };
  if (record.closed !== null || !customerTold(record)) return nothing;
  const { reopenedAt } = record;
  const waits: Instant[] = [];
  const isWaiting = (told: Instant | undefined): boolean => {
    // A closed incident asked for nothing.
    if (told !== undefined) waits.push(reopenedAt === null ? told : latest(told, reopenedAt));
    return told !== undefined;
  };
  const questions = record.questions.filter((asked) => asked.answer === null && isWaiting(askedAt(record, asked)));
  const devices = record.devices.filter((device) => {
    const isHeld = device.order === null && holdOf(device)?.state === 'isolated';
    return isHeld && releasedElsewhere(device) === undefined && isWaiting(isolatedAt(record, device));
  });
  const [since = null] = waits.sort((a, b) => toMs(a) - toMs(b));
  return { questions, devices, since };
}

/**
 * The moments of this wait. There are none for a linked incident, whose customer reads the lead's conversation, none where a
 * mail has come back, and none while a mail of the customer's waits for us.
 */
function moments(record: IncidentRecord): Instant[] {
  const { reminders, policy } = record;
  if (reminders === undefined || policy === null || leadOf(record) !== undefined) return [];
  const { since } = awaited(record);
  if (since === null || isReminderHeld(record) || duties(record).some(isReturned)) return [];
  const { reminderDays = REMINDER_DAYS, timeZone } = policy.customer;
  const from = latest(since, reminders.answeredAt ?? since);
  return reminderDays.map((days) => nextDayTime(plus(from, days * DAY_MS), timeZone));
}

/** When the customer is reminded next. What could not go at its time waits for the day time too. */
export function reminderAt(record: IncidentRecord, now: Instant): Instant | undefined {
  const at = moments(record)[record.reminders?.ofThisWait ?? 0];
  if (at === undefined || record.policy === null || toMs(at) > toMs(now)) return at;
  return nextDayTime(now, record.policy.customer.timeZone);
}

export function isReminderDue(record: IncidentRecord, now: Instant): boolean {
  const at = reminderAt(record, now);
  return at !== undefined && toMs(at) <= toMs(now);
}

/** Those that have come due together, as after an outage, are one. */
export function applyReminderDue(record: IncidentRecord, at: Instant): IncidentRecord {
  const { reminders } = record;
  if (reminders === undefined) return record;
  const passed = moments(record).filter((moment) => toMs(moment) <= toMs(at)).length;
  return { ...record, reminders: { ...reminders, due: [...reminders.due, at], ofThisWait: passed } };
}

/** The customer's mail was dealt with: the next wait is another. */
export function applyAnswered(before: IncidentRecord, after: IncidentRecord, at: Instant): IncidentRecord {
  const { reminders } = after;
  if (reminders === undefined || !isReminderHeld(before) || isReminderHeld(after)) return after;
  return { ...after, reminders: { ...reminders, ofThisWait: 0, answeredAt: at } };
}

/** After whatever has changed: once nothing waits, the next wait is another. */
export function settleReminders(record: IncidentRecord): IncidentRecord {
  const { reminders } = record;
  if (reminders === undefined || reminders.ofThisWait === 0 || awaited(record).since !== null) return record;
  return { ...record, reminders: { ...reminders, ofThisWait: 0 } };
}
