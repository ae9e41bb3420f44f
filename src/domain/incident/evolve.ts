import type { NamedDevice, TriageBody } from '../commands.js';
import type { DeviceReport, HoldState } from '../device/record.js';
import { type DeviceKnowledge, assessScope, type Scope } from '../scope.js';
import { latest, toMs, type Instant } from '../time.js';
import { assertNever } from '../text.js';
import { duties } from './duties.js';
import type { Fact, MailOutcome } from './facts.js';
import { narrate, narrateScope } from './narrate.js';
import {
  currentVerdict,
  incidentIdOf,
  type DeviceEntry,
  type IncidentRecord,
  type Target,
  type Verdict,
} from './record.js';
import { slo } from './slo.js';
import type { AlertRecord } from '../alert.js';

export interface Opening {
  customerId: string;
  alert: AlertRecord;
  fingerprint: string;
  receivedAt: Instant;
}

function knowledgeOf(record: IncidentRecord): DeviceKnowledge {
  const { machineId } = record.alert;
  if (machineId === null) return 'no-device';
  const facts = record.devices.find((device) => device.machineId === machineId)?.facts;
  if (facts == null) return 'not-looked-up';
  return facts.found ? facts.kind : 'not-found';
}

export function scopeOf(record: IncidentRecord): Scope {
  return assessScope(record.alert, knowledgeOf(record), record.policy?.customer.defender.alsoInScope ?? []);
}

/** An alert may say that it was made in the future; the clock then starts when we saw it. */
function detectedAt(alert: AlertRecord, receivedAt: Instant): Instant {
  return toMs(alert.createdAt) > toMs(receivedAt) ? receivedAt : alert.createdAt;
}

function hasTarget(alert: AlertRecord): boolean {
  return alert.severity === 'High' || alert.severity === 'unknown';
}

function deviceEntry(machineId: string, name: string, namedByAlert: boolean): DeviceEntry {
  return {
    machineId,
    name,
    namedByAlert,
    claimedName: null,
    facts: null,
    target: null,
    asked: null,
    report: null,
    order: null,
  };
}

/** The record of an alert that has just arrived. */
export function openRecord({ customerId, alert, fingerprint, receivedAt }: Opening): IncidentRecord {
  const detected = detectedAt(alert, receivedAt);
  const record: IncidentRecord = {
    incidentId: incidentIdOf(customerId, alert.alertId),
    customerId,
    createdAt: receivedAt,
    updatedAt: receivedAt,
    revision: 1,
    seq: 0,
    alert,
    fingerprint,
    policy: null,
    scopeSince: null,
    targetSince: hasTarget(alert) ? { at: detected, because: 'detected' } : null,
    verdicts: [],
    escalations: [],
    questions: [],
    orders: [],
    devices:
      alert.machineId === null ? [] : [deviceEntry(alert.machineId, alert.computerDnsName ?? alert.machineId, true)],
    effects: {},
    retries: {},
    phone: null,
    warnings: [],
    breaches: [],
    lastingBreach: null,
    deadlineSeen: null,
    untriagedWarnedAt: null,
    socNotices: [],
    assignee: null,
    closed: null,
    reopenedAt: null,
    changedAfterCloseAt: null,
    rejectedSignalAt: null,
    handled: {},
    timeline: [],
  };
  return {
    ...record,
    timeline: [
      {
        at: receivedAt,
        actor: 'defender',
        type: 'alert-received',
        text: {
          en: `Alert received: ${alert.title} (severity ${alert.severityRaw ?? 'not given'}).`,
          ja: `アラートを受信しました: ${alert.title} (危険度 ${alert.severityRaw ?? '指定なし'})。`,
        },
        data: { alertCreationTime: alert.createdAt, severity: alert.severityRaw },
      },
    ],
  };
}

function withDevice(record: IncidentRecord, machineId: string, change: (device: DeviceEntry) => DeviceEntry) {
  return {
    ...record,
    devices: record.devices.map((device) => (device.machineId === machineId ? change(device) : device)),
  };
}

/** Looks at the rules again after news, and notes when the alert came into scope or under the time target. */
function reassess(before: IncidentRecord, after: IncidentRecord, at: Instant, since: Instant): IncidentRecord {
  const was = scopeOf(before);
  const is = scopeOf(after);
  const cameIn = is.inScope && after.scopeSince === null;
  const raised = hasTarget(after.alert) && after.targetSince === null;
  // The rules can be asked once the customer's policy is known; what they let in then was in scope from its detection.
  const first = before.policy === null && after.policy !== null;
  const entryNow = narrateScope(is, at);
  const changed = first || JSON.stringify(narrateScope(was, at)) !== JSON.stringify(entryNow);
  const entry: IncidentRecord['scopeSince'] = first
    ? { at: detectedAt(after.alert, after.createdAt), because: 'detected' }
    : { at: since, because: 'came-into-scope' };
  return {
    ...after,
    scopeSince: is.inScope ? (after.scopeSince ?? entry) : after.reopenedAt !== null ? after.scopeSince : null,
    targetSince: hasTarget(after.alert) ? (after.targetSince ?? { at: since, because: 'severity-raised' }) : null,
    timeline: changed || cameIn || raised ? [...after.timeline, entryNow] : after.timeline,
  };
}

/** A breach at level 3–4 stays, whatever is judged or reported afterwards. */
function keepBreach(record: IncidentRecord, at: Instant): IncidentRecord {
  const verdict = currentVerdict(record);
  if (record.lastingBreach !== null || verdict === undefined || verdict.level < 3) return record;
  const { state, dueAt } = slo(record, at);
  if (state !== 'breached' || dueAt === null) return record;
  const noted = record.breaches.find((breach) => breach.dueAt === dueAt);
  return {
    ...record,
    lastingBreach: noted ?? { dueAt, notedAt: at, level: verdict.level, cause: 'done-too-late' },
  };
}

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

function applyVerdict(record: IncidentRecord, fact: Extract<Fact, { type: 'verdict' }>, at: Instant): IncidentRecord {
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
      { raised: (before?.level ?? 0) < 3, explicit: explicit.has(device.machineId) },
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

/** Starts, keeps or ends the demand to isolate one device after a verdict. */
function retarget(
  device: DeviceEntry,
  verdict: Verdict,
  index: number,
  how: { raised: boolean; explicit: boolean },
  at: Instant,
): DeviceEntry {
  const demanded = verdict.machineIds.includes(device.machineId);
  const { target } = device;
  const fresh: Target = { verdict: index, since: at, judged: null, ended: null, isolatedAt: null };
  if (demanded) {
    if (target === null) return { ...device, target: fresh };
    const released = device.order !== null;
    // After the customer's release only a new raise, or an analyst who names the device again, isolates it anew.
    if (released) return how.raised || how.explicit ? { ...device, target: fresh, order: null, asked: null } : device;
    if (target.ended !== null && target.isolatedAt === null) return { ...device, target: fresh, asked: null };
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

/** Whatever comes of a further try is told anew. */
function triedAgain(record: IncidentRecord, dutyIds: Iterable<string>): IncidentRecord['retries'] {
  return { ...record.retries, ...Object.fromEntries([...dutyIds].map((id) => [id, (record.retries[id] ?? 0) + 1])) };
}

/** An analyst repeats a verdict to have what failed tried again, with the names of devices as they are given now. */
function applyRetry(record: IncidentRecord, named: readonly NamedDevice[], at: Instant): IncidentRecord {
  const names = new Map(named.map(({ machineId, name }) => [machineId, name]));
  const failed = duties(record).filter(({ status }) => status === 'failed');
  const failedIds = new Set(failed.map(({ id }) => id));
  return {
    ...record,
    effects: Object.fromEntries(Object.entries(record.effects).filter(([id]) => !failedIds.has(id))),
    retries: triedAgain(record, failedIds),
    phone: failedIds.has('phone') ? null : record.phone,
    devices: record.devices.map((device) => {
      if (failedIds.has(`isolate:${device.machineId}`) && device.target !== null) {
        const claimedName = names.get(device.machineId) ?? device.claimedName;
        return { ...device, claimedName, target: { ...device.target, judged: null }, asked: null };
      }
      const { target } = device;
      if (target === null || target.isolatedAt !== null) return device;
      const tuned = target.judged?.waived === 'tuning-period' || target.ended?.reason === 'tuning-period';
      return tuned ? { ...device, target: { ...target, since: at, judged: null, ended: null }, asked: null } : device;
    }),
  };
}

function applyReport(record: IncidentRecord, report: DeviceReport, at: Instant): IncidentRecord {
  const entry = record.devices.find(({ machineId }) => machineId === report.machineId);
  if (entry === undefined || !isNews(entry, report)) return record;
  let next = withDevice(record, report.machineId, (device) => {
    const { target } = device;
    if (target === null) return { ...device, report };
    const held = isConfirmed(device, report);
    const refused = report.hold.state === 'cancelled' && report.hold.reason === 'tuning-period';
    return {
      ...device,
      report,
      target: {
        ...target,
        isolatedAt: target.isolatedAt ?? (held ? (report.isolatedAt ?? report.hold.at) : null),
        ended: refused && target.ended === null ? { at, reason: 'tuning-period' } : target.ended,
      },
    };
  });
  const { order } = report.hold;
  const inForce = entry.order === null ? undefined : record.orders[entry.order];
  if (order !== null && inForce?.at !== order.at) {
    const dutyId = `release:${report.machineId}`;
    const hadFailed = duties(record).some(({ id, status }) => id === dutyId && status === 'failed');
    next = {
      ...next,
      retries: triedAgain(next, hadFailed ? [dutyId] : []),
      orders: [...next.orders, { ...order, machineIds: [report.machineId] }],
    };
    const index = next.orders.length - 1;
    next = withDevice(next, report.machineId, (device) => ({ ...device, order: index }));
  }
  return next;
}

/** The states in which Defender has confirmed this incident's isolation. */
const CONFIRMED_STATES: readonly HoldState[] = ['isolated', 'releasing', 'released', 'release-failed'];

/** An incident that gave the device up while only another's isolation was under way never had it isolated. */
function isConfirmed(device: DeviceEntry, report: DeviceReport): boolean {
  const gaveUpBefore = device.report?.hold.state === 'held' && device.report.hold.seq === report.hold.seq;
  return CONFIRMED_STATES.includes(report.hold.state) && !gaveUpBefore;
}

/** Is the report newer than the last one, and not about a request that has been overtaken? */
export function isNews(device: DeviceEntry, report: DeviceReport): boolean {
  if (device.asked === null || report.hold.seq < device.asked.seq) return false;
  return device.report === null || report.version > device.report.version;
}

function settleMail(record: IncidentRecord, dutyId: string, outcome: MailOutcome, at: Instant): IncidentRecord {
  const effect = record.effects[dutyId];
  if (effect === undefined) return record;
  switch (outcome.status) {
    case 'accepted':
      return {
        ...record,
        effects: { ...record.effects, [dutyId]: { ...effect, status: 'done', settledAt: outcome.at, reason: null } },
      };
    case 'rejected':
      return {
        ...record,
        effects: {
          ...record.effects,
          [dutyId]: { ...effect, status: 'failed', settledAt: at, reason: outcome.reason },
        },
      };
    case 'withdrawn': {
      const { [dutyId]: _, ...others } = record.effects;
      return { ...record, effects: others };
    }
    default:
      return assertNever(outcome);
  }
}

function isDangerous(record: IncidentRecord, next: IncidentRecord): boolean {
  const rank = { Informational: 0, Low: 1, Medium: 2, High: 3, unknown: 3 };
  const nowInScope = scopeOf(next).inScope;
  return nowInScope && (!scopeOf(record).inScope || rank[next.alert.severity] > rank[record.alert.severity]);
}

/** News about an alert, also after it was closed: closed by the rules it reopens, closed by an analyst the SOC is told. */
function applyAlertUpdate(
  record: IncidentRecord,
  fact: Extract<Fact, { type: 'alert-updated' }>,
  at: Instant,
): IncidentRecord {
  const since = latest(record.alert.createdAt, fact.alert.lastUpdateAt ?? at);
  const renamed = { ...record, alert: fact.alert, fingerprint: fact.fingerprint };
  const { machineId } = fact.alert;
  const withItsDevice =
    machineId === null || renamed.devices.some((device) => device.machineId === machineId)
      ? renamed
      : {
          ...renamed,
          devices: [...renamed.devices, deviceEntry(machineId, fact.alert.computerDnsName ?? machineId, true)],
        };
  const next = reassess(record, withItsDevice, at, toMs(since) > toMs(at) ? at : since);
  if (record.closed === null || !isDangerous(record, next)) return next;
  const byRules = record.closed.reason === 'out-of-scope' || record.closed.reason === 'neutralised';
  if (byRules) return next;
  return {
    ...next,
    changedAfterCloseAt: at,
    socNotices: [
      ...next.socNotices,
      {
        at,
        about: 'changed-after-close',
        text: {
          en: 'The alert changed in Defender after an analyst closed the incident.',
          ja: 'アナリストがインシデントを完了した後に、Defender のアラートが変化しました。',
        },
      },
    ],
  };
}

function change(record: IncidentRecord, fact: Fact, at: Instant): IncidentRecord {
  switch (fact.type) {
    case 'policy-read':
      return reassess(record, { ...record, policy: fact.policy }, at, at);
    case 'device-known': {
      const { facts } = fact;
      const known = withDevice(record, facts.machineId, (device) => ({
        ...device,
        facts,
        name: facts.name ?? device.name,
      }));
      return reassess(record, known, at, at);
    }
    case 'alert-updated':
      return applyAlertUpdate(record, fact, at);
    case 'verdict':
      return applyVerdict(record, fact, at);
    case 'retry-asked':
      return applyRetry({ ...record, rejectedSignalAt: null }, fact.devices ?? [], at);
    case 'escalation': {
      const { askCustomer } = fact.body;
      return {
        ...record,
        escalations: [...record.escalations, { ...fact.body, at, actor: fact.actor }],
        questions:
          askCustomer === undefined
            ? record.questions
            : [...record.questions, { text: askCustomer, askedAt: at, answer: null }],
      };
    }
    case 'answer': {
      const { body, actor } = fact;
      const answer = { ...body, recordedAt: at, actor };
      return {
        ...record,
        questions: record.questions.map((question) => (question.answer === null ? { ...question, answer } : question)),
      };
    }
    case 'release-ordered': {
      const index = record.orders.length;
      const { machineIds, instruction, instructorName, actor } = fact;
      const failed = new Set(duties(record).flatMap(({ id, status }) => (status === 'failed' ? [id] : [])));
      return {
        ...record,
        retries: triedAgain(
          record,
          machineIds.map((id) => `release:${id}`).filter((id) => failed.has(id)),
        ),
        orders: [...record.orders, { at, actor, machineIds, instruction, instructorName }],
        devices: record.devices.map((device) => {
          if (!machineIds.includes(device.machineId)) return device;
          const { target } = device;
          const ended = target !== null && target.isolatedAt === null ? { at, reason: 'released' as const } : null;
          return {
            ...device,
            order: index,
            target: target === null ? null : { ...target, ended: target.ended ?? ended },
          };
        }),
      };
    }
    case 'assigned':
      return { ...record, assignee: fact.operatorId };
    case 'note':
      return { ...record, rejectedSignalAt: null };
    case 'closed':
      return {
        ...record,
        closed: { at, reason: fact.reason, by: fact.actor, words: fact.words },
        changedAfterCloseAt: null,
        rejectedSignalAt: null,
      };
    case 'reopened':
      return {
        ...record,
        closed: null,
        reopenedAt: fact.byRules ? record.reopenedAt : at,
        changedAfterCloseAt: null,
        scopeSince: record.scopeSince ?? { at, because: 'reopened' },
      };
    case 'signal-rejected':
      return {
        ...record,
        rejectedSignalAt: at,
        socNotices: [
          ...record.socNotices,
          {
            at,
            about: 'rejected-signal',
            text: {
              en: `A signal "${fact.signal}" was rejected and had no effect.`,
              ja: `シグナル「${fact.signal}」は受け付けられず、何も行われていません。`,
            },
          },
        ],
      };
    case 'signal-unverified':
      return {
        ...record,
        socNotices: [
          ...record.socNotices,
          {
            at,
            about: 'unverified-command',
            text: {
              en: `A signal "${fact.signal}" was accepted from ${fact.actor}, whose identity nobody has verified.`,
              ja: `本人確認のない ${fact.actor} からのシグナル「${fact.signal}」を受け付けました。`,
            },
          },
        ],
      };
    case 'command-handled':
      return {
        ...record,
        handled: { ...record.handled, [fact.key]: { bodyHash: fact.bodyHash, outcome: fact.outcome } },
      };
    case 'isolation-judged':
      return withDevice(record, fact.machineId, (device) =>
        device.target === null
          ? device
          : { ...device, target: { ...device.target, judged: { at, waived: fact.waived, refused: fact.refused } } },
      );
    case 'isolation-ended':
      return withDevice(record, fact.machineId, (device) =>
        device.target === null || device.target.isolatedAt !== null
          ? device
          : { ...device, target: { ...device.target, ended: { at, reason: fact.reason } } },
      );
    case 'device-asked': {
      const seq = record.seq + 1;
      return withDevice({ ...record, seq }, fact.machineId, (device) => ({
        ...device,
        asked: { seq, want: fact.want, at },
      }));
    }
    case 'phone-asked': {
      const seq = record.seq + 1;
      if (fact.want === 'ring')
        return { ...record, seq, phone: { askedSeq: seq, askedAt: at, report: null, cancelledAt: null } };
      return {
        ...record,
        seq,
        phone: record.phone === null ? null : { ...record.phone, askedSeq: seq, cancelledAt: at },
      };
    }
    case 'mail-started':
      return {
        ...record,
        effects: {
          ...record.effects,
          [fact.dutyId]: {
            status: 'running',
            startedAt: at,
            settledAt: null,
            reason: null,
            messageId: fact.messageId,
            verdict: fact.verdict,
            maybeAccepted: false,
          },
        },
      };
    case 'mail-uncertain': {
      const effect = record.effects[fact.dutyId];
      if (effect === undefined) return record;
      return { ...record, effects: { ...record.effects, [fact.dutyId]: { ...effect, maybeAccepted: true } } };
    }
    case 'mail-settled':
      return settleMail(record, fact.dutyId, fact.outcome, at);
    case 'device-reported':
      return applyReport(record, fact.report, at);
    case 'phone-reported': {
      const { phone } = record;
      if (phone === null || fact.report.seq < phone.askedSeq) return record;
      return { ...record, phone: { ...phone, report: fact.report } };
    }
    case 'warned':
      return { ...record, warnings: [...record.warnings, { at, percent: fact.percent, dueAt: fact.dueAt }] };
    case 'deadline-seen':
      return { ...record, deadlineSeen: { dueAt: fact.dueAt, at } };
    case 'breached':
      return { ...record, breaches: [...record.breaches, fact.breach] };
    case 'untriaged-warned':
      return { ...record, untriagedWarnedAt: at };
    default:
      return assertNever(fact);
  }
}

/** The record after a fact. `at` is when the incident heard of it. */
export function evolve(record: IncidentRecord, fact: Fact, at: Instant): IncidentRecord {
  const before = keepBreach(record, at);
  const after = change(before, fact, at);
  if (after === before) return after;
  // Bookkeeping that nobody reads moves no revision: an analyst's If-Match must not go stale by it.
  const silent = ['command-handled', 'policy-read', 'deadline-seen'].includes(fact.type);
  if (silent && after.timeline === before.timeline) return after;
  return {
    ...after,
    revision: record.revision + 1,
    updatedAt: at,
    timeline: [...after.timeline, ...narrate(before, fact, after, at)],
  };
}
