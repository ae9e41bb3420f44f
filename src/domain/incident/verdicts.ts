import type { NamedDevice, TriageBody } from '../commands.js';
import type { Instant } from '../time.js';
import { askedForDemand, duties, holdOf, isReturned } from './duties.js';
import { endedElsewhere } from './elsewhere.js';
import type { Fact } from './facts.js';
import { deviceEntry } from './opening.js';
import { currentVerdict, type DeviceEntry, type IncidentRecord, type Target, type Verdict } from './record.js';
import { triedAgain, withoutMails } from './mails-again.js';

/** The machine ids that a verdict concerns. Left out, the devices named before stay meant where the level allows it. */
export function concernedDevices(record: IncidentRecord, body: TriageBody): string[] {
  if (body.level <= 2) return [];
  const alertDevice = record.alert.machineId;
  const named = body.devices?.map(({ machineId }) => machineId);
  const before = currentVerdict(record);
  if (body.level === 4) {
    const others = named ?? before?.machineIds ?? [];
    return [...new Set([...(alertDevice === null ? [] : [alertDevice]), ...others])];
  }
  if (named !== undefined && named.length > 0) return [...new Set(named)];
  if (before?.level === 3) return before.machineIds;
  if (alertDevice !== null) return [alertDevice];
  return before?.machineIds.length === 1 ? before.machineIds : [];
}

/** The verdict's texts: a triage of the same level that brings those still missing completes the ones there are. */
export function resultingVerdict(record: IncidentRecord, body: TriageBody, actor: string, at: Instant): Verdict {
  const before = currentVerdict(record);
  const carried = completesVerdict(record, body) ? before : undefined;
  return {
    at: carried?.at ?? at,
    actor,
    revision: record.revision + 1,
    level: body.level,
    judgement: body.judgement,
    texts: {
      detection: body.detection ?? carried?.texts.detection ?? null,
      analysis: body.analysis ?? carried?.texts.analysis ?? null,
      countermeasures: body.countermeasures ?? carried?.texts.countermeasures ?? null,
    },
    askCustomer: body.askCustomer ?? carried?.askCustomer ?? null,
    machineIds: concernedDevices(record, body),
    servers:
      body.level >= 3 ? (body.servers ?? (before !== undefined && before.level >= 3 ? before.servers : null)) : null,
    exclusionProposal: body.exclusionProposal ?? carried?.exclusionProposal ?? null,
  };
}

/** Does the triage only bring texts that a verdict of the same level still owes? That is no changed verdict. */
export function completesVerdict(record: IncidentRecord, body: TriageBody): boolean {
  const before = currentVerdict(record);
  if (before === undefined || before.level !== body.level || !isAwaitingText(record)) return false;
  const sameDevices = concernedDevices(record, body).toSorted().join() === before.machineIds.toSorted().join();
  return sameDevices && (body.servers === undefined || body.servers === before.servers);
}

export function isAwaitingText(record: IncidentRecord): boolean {
  return duties(record).some(
    (duty) => duty.kind === 'mail' && duty.status === 'owed' && duty.reason === 'awaiting-text',
  );
}

export function applyVerdict(
  record: IncidentRecord,
  fact: Extract<Fact, { type: 'verdict' }>,
  at: Instant,
): IncidentRecord {
  const before = currentVerdict(record);
  const verdict = resultingVerdict(record, fact.body, fact.actor, at);
  const completes = completesVerdict(record, fact.body);
  const verdicts = completes ? [...record.verdicts.slice(0, -1), verdict] : [...record.verdicts, verdict];
  const index = verdicts.length - 1;
  const explicit = new Map((fact.body.devices ?? []).map(({ machineId, name }) => [machineId, name]));
  const known = new Set(record.devices.map(({ machineId }) => machineId));
  const added = verdict.machineIds
    .filter((machineId) => !known.has(machineId))
    .map((machineId) => deviceEntry(machineId, explicit.get(machineId) ?? machineId, false));
  const devices = [...record.devices, ...added].map((device) => {
    const claimedName = explicit.get(device.machineId) ?? device.claimedName;
    const claimed = { ...device, claimedName };
    return retarget(
      claimed,
      verdict,
      index,
      {
        raised: (before?.level ?? 0) < 3,
        explicit: explicit.has(device.machineId),
        keepsRequest: fact.keepsRequests === true && isStillHeld(device),
      },
      at,
    );
  });
  const asked = verdict.askCustomer !== null && verdict.askCustomer !== before?.askCustomer;
  const refusedBefore = devices.flatMap(({ machineId, target }) => {
    const earlier = record.devices.find((device) => device.machineId === machineId)?.target?.judged;
    return earlier?.refused !== undefined && target?.judged === null ? [`isolate:${machineId}`] : [];
  });
  return {
    ...record,
    verdicts,
    devices,
    retries: triedAgain(record, refusedBefore),
    questions: asked
      ? [...record.questions, { text: verdict.askCustomer ?? '', askedAt: at, answer: null }]
      : record.questions,
    rejectedSignalAt: null,
  };
}

/** Does the verdict that stands want this device isolated? */
export function isDemanded(record: IncidentRecord, machineId: string): boolean {
  return currentVerdict(record)?.machineIds.includes(machineId) === true;
}

/** Is the device's workflow still to isolate, as far as this incident has told it and has heard from it? */
export function isRequestStanding(device: DeviceEntry): boolean {
  return device.asked?.want === 'isolate' && (holdOf(device)?.state ?? 'wanted') === 'wanted';
}

function isStillHeld(device: DeviceEntry): boolean {
  return isRequestStanding(device) || (device.asked?.want === 'isolate' && holdOf(device)?.state === 'isolated');
}

/** Does an isolation that was ended, or ordered to end, still stand because nobody has got round to saying so? */
export function hasUnwithdrawnRequest(record: IncidentRecord): boolean {
  return record.devices.some(
    (device) => (device.target?.ended != null || device.order !== null) && isStillHeld(device),
  );
}

/** Starts, keeps or ends the demand to isolate one device after a verdict. */
function retarget(
  device: DeviceEntry,
  verdict: Verdict,
  index: number,
  how: { raised: boolean; explicit: boolean; keepsRequest: boolean },
  at: Instant,
): DeviceEntry {
  const demanded = verdict.machineIds.includes(device.machineId);
  const { target } = device;
  const requested = how.keepsRequest && askedForDemand(device) !== null;
  const fresh: Target = { verdict: index, since: at, judged: null, ended: null, isolatedAt: null, requested };
  if (demanded) {
    if (target === null) return { ...device, target: fresh };
    const released = device.order !== null || endedElsewhere(device) !== undefined;
    // After the customer's release, or one past this service, only a new raise, or an analyst who names the device again, isolates it anew.
    if (released) {
      if (!how.raised && !how.explicit) return device;
      if (!how.keepsRequest) return { ...device, target: fresh, order: null };
      // The order was not passed on yet: what is isolated stays so, for this verdict.
      const isolated = target.isolatedAt !== null && { judged: target.judged, isolatedAt: target.isolatedAt };
      return { ...device, target: { ...fresh, ...isolated }, order: null };
    }
    if (target.ended !== null && target.isolatedAt === null) return { ...device, target: fresh };
    if (target.judged?.waived !== undefined) return { ...device, target: fresh };
    // What we refused ourselves was demanded all the time.
    if (target.judged?.refused !== undefined) return { ...device, target: { ...fresh, verdict: target.verdict } };
    return { ...device, target: { ...target, ended: null } };
  }
  if (target === null || target.ended !== null || target.isolatedAt !== null) return device;
  return {
    ...device,
    target: { ...target, ended: { at, reason: verdict.level <= 2 ? 'level-lowered' : 'not-named' } },
  };
}

/** An analyst repeats a verdict to have what failed tried again, with the names of devices as they are given now. */
export function applyRetry(record: IncidentRecord, named: readonly NamedDevice[], at: Instant): IncidentRecord {
  const names = new Map(named.map(({ machineId, name }) => [machineId, name]));
  const failed = duties(record).filter((duty) => duty.status === 'failed' || isReturned(duty));
  const failedIds = new Set(failed.map(({ id }) => id));
  return {
    ...record,
    ...withoutMails(record, failedIds),
    retries: triedAgain(record, failedIds),
    phone: failedIds.has('phone') ? null : record.phone,
    devices: record.devices.map((device) => {
      // Once the customer has ordered its release, only a verdict that names it anew isolates it again.
      if (device.order !== null) return device;
      if (failedIds.has(`isolate:${device.machineId}`) && device.target !== null) {
        const claimedName = names.get(device.machineId) ?? device.claimedName;
        return { ...device, claimedName, target: { ...device.target, judged: null, requested: isStillHeld(device) } };
      }
      const { target } = device;
      if (target === null || target.isolatedAt !== null || !isDemanded(record, device.machineId)) return device;
      const tuned = target.judged?.waived === 'tuning-period' || target.ended?.reason === 'tuning-period';
      if (!tuned) return device;
      const requested = isStillHeld(device);
      return { ...device, target: { ...target, since: at, judged: null, ended: null, requested } };
    }),
  };
}
