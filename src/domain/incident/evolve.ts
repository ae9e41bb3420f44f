import { isOvertaken } from '../phone/evolve.js';
import { assertNever } from '../text.js';
import type { Instant } from '../time.js';
import { reassess } from './assessment.js';
import { withHeld, withInquiry, withMail } from './customer-mail.js';
import { applyBounce, settleBounces } from './bounces.js';
import { duties } from './duties.js';
import type { Fact } from './facts.js';
import { applyLeadAsked, applyLeadGone, applyLeadReport, applyLinkAsked, endLink, orderSeen } from './link-follower.js';
import { applyFollowerTold, applyFollowRequest, settleTellings } from './link-lead.js';
import { applyPassedOn } from './link-orders.js';
import { narrate } from './narrate.js';
import { applyAlertUpdate, applyReport, settleMail } from './news.js';
import { withDevice } from './opening.js';
import { currentVerdict, type IncidentRecord } from './record.js';
import { offerTaken, settleOffers } from './release-offers.js';
import { applyAnswered, applyReminderDue, settleReminders } from './reminders.js';
import { slo } from './slo.js';
import { triedAgain } from './mails-again.js';
import { applyRetry, applyVerdict } from './verdicts.js';

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

/** Whoever judges has seen that the tuning period is over. */
function judgedAgain({ tuningOverAt }: IncidentRecord): Pick<IncidentRecord, 'tuningOverAt'> {
  return tuningOverAt === undefined ? {} : { tuningOverAt: null };
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
        isLookUpFailing: false,
        name: facts.name ?? device.name,
      }));
      return reassess(record, known, at, at);
    }
    case 'alert-updated':
      return applyAlertUpdate(record, fact, at);
    case 'exclusions-looked': {
      const { fingerprint, match } = fact;
      return reassess(record, { ...record, exclusion: { lookedFor: fingerprint, match } }, at, at);
    }
    case 'verdict':
      return { ...applyVerdict(record, fact, at), ...judgedAgain(record) };
    case 'retry-asked':
      return applyRetry({ ...record, rejectedSignalAt: null, ...judgedAgain(record) }, fact.devices ?? [], at);
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
      const { machineIds, instruction, instructorName, actor, through, covers } = fact;
      const failed = new Set(duties(record).flatMap(({ id, status }) => (status === 'failed' ? [id] : [])));
      const order = {
        at,
        actor,
        machineIds,
        instruction,
        instructorName,
        ...(through === undefined ? {} : { through: through.leadId }),
        ...(covers === undefined ? {} : { covers }),
      };
      return {
        ...offerTaken(through === undefined ? record : orderSeen(record, through), instruction),
        retries: triedAgain(
          record,
          machineIds.map((id) => `release:${id}`).filter((id) => failed.has(id)),
        ),
        orders: [...record.orders, order],
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
    case 'release-passed-on': {
      const { type: _, ...order } = fact;
      return applyPassedOn(offerTaken(record, order.instruction), order);
    }
    case 'link-asked':
      return applyLinkAsked(record, fact.leadId, fact.actor, at);
    case 'unlinked':
      return endLink(record, at);
    case 'customer-mail':
      return withMail(record, fact.mail, fact.isOffer === true);
    case 'inquiry-reported':
      return applyAnswered(record, withInquiry(record, fact.report), at);
    case 'mail-held':
      return withHeld(record, fact.held);
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
        target:
          device.target !== null && fact.want === 'isolate' ? { ...device.target, requested: true } : device.target,
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
    case 'lead-asked':
      return applyLeadAsked(record, fact, at);
    case 'follower-told':
      return applyFollowerTold(record, fact.incidentId, fact.digest);
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
    case 'mail-delayed': {
      const effect = record.effects[fact.dutyId];
      if (effect === undefined) return record;
      return { ...record, effects: { ...record.effects, [fact.dutyId]: { ...effect, reason: 'mail-delayed' } } };
    }
    case 'look-up-failing':
      return withDevice(record, fact.machineId, (device) => ({ ...device, isLookUpFailing: true }));
    case 'mail-settled':
      return settleMail(record, fact, at);
    case 'mail-bounced':
      return applyBounce(record, fact.report, at);
    case 'device-reported':
      return applyReport(record, fact.report, at);
    case 'phone-reported': {
      const { phone } = record;
      if (phone === null || fact.report.seq < phone.askedSeq) return record;
      if (phone.report !== null && isOvertaken(fact.report, phone.report)) return record;
      return { ...record, phone: { ...phone, report: fact.report } };
    }
    case 'lead-reported':
      return applyLeadReport(record, fact.report, at);
    case 'lead-gone':
      return applyLeadGone(record, fact, at);
    case 'follow-requested':
      return applyFollowRequest(record, fact.request, at);
    case 'warned':
      return { ...record, warnings: [...record.warnings, { at, percent: fact.percent, dueAt: fact.dueAt }] };
    case 'deadline-seen':
      return { ...record, deadlineSeen: { dueAt: fact.dueAt, at } };
    case 'breached':
      return { ...record, breaches: [...record.breaches, fact.breach] };
    case 'untriaged-warned':
      return { ...record, untriagedWarnedAt: at };
    case 'tuning-over':
      return { ...record, tuningOverAt: at };
    case 'reminder-due':
      return applyReminderDue(record, at);
    default:
      return assertNever(fact);
  }
}

/** Bookkeeping that nobody reads moves no revision: an analyst's If-Match must not go stale by it. */
const SILENT: readonly Fact['type'][] = [
  'command-handled',
  'policy-read',
  'deadline-seen',
  'exclusions-looked',
  'follower-told',
];

/** The record after a fact. `at` is when the incident heard of it. */
export function evolve(record: IncidentRecord, fact: Fact, at: Instant): IncidentRecord {
  const before = keepBreach(record, at);
  const changed = settleTellings(settleBounces(change(before, fact, at), at), at);
  const after = settleReminders(settleOffers(changed));
  if (after === before) return after;
  const silent = SILENT.includes(fact.type);
  if (silent && after.timeline === before.timeline) return after;
  return {
    ...after,
    revision: record.revision + 1,
    updatedAt: at,
    timeline: [...after.timeline, ...narrate(before, fact, after, at)],
  };
}
