import { z } from 'zod';
import { judgementSchema, levelSchema } from '../commands.js';
import { isolationStates, type IsolationState } from '../device/record.js';
import { scopeRules } from '../scope.js';
import type { Instant } from '../time.js';
import { dutyKinds, duties, dutyStatuses, holdOf } from './duties.js';
import { scopeOf } from './assessment.js';
import { customerMailSchema, inquiryStandingSchema, shownInquiry, shownMails } from './customer-mail.js';
import { followersOf, leadOf } from './link-state.js';
import { closeReasons, currentVerdict, timelineTypes, type DeviceEntry, type IncidentRecord } from './record.js';
import { attentionOf, stageOf, stages, waitingFor } from './stage.js';
import { slo, sloStates } from './slo.js';

const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601 in UTC' });
const bilingualSchema = z.object({ en: z.string(), ja: z.string() });

/** What a list shows of an incident: the workflow's memo, so that a list asks no workflow. */
export const incidentSummarySchema = z
  .object({
    id: z.string(),
    customerId: z.string(),
    alertId: z.string(),
    defenderIncidentId: z.string().nullable(),
    title: z.string(),
    severity: z.string().nullable().meta({ description: 'As Defender spelt it.' }),
    stage: z.enum(stages),
    level: levelSchema.nullable(),
    slo: z.object({ state: z.enum(sloStates), dueAt: instant.nullable(), provisional: z.boolean() }),
    devices: z.array(z.object({ machineId: z.string(), name: z.string(), isolation: z.enum(isolationStates) })),
    assignee: z.string().nullable(),
    attention: z.array(z.string()),
    createdAt: instant,
    updatedAt: instant,
    closeReason: z.enum(closeReasons).optional(),
    exclusionId: z.string().optional().meta({ description: 'The exclusion that the alert matches.' }),
    linkedTo: z.string().optional().meta({ description: 'The lead through which the customer is told.' }),
    archived: z
      .literal(true)
      .optional()
      .meta({ description: 'Temporal has forgotten it: it is read from the archive.' }),
  })
  .meta({ id: 'IncidentSummary' });
export type IncidentSummary = z.infer<typeof incidentSummarySchema>;

export const incidentSchema = incidentSummarySchema
  .extend({
    revision: z.int(),
    lead: z.string().nullable().meta({ description: 'The lead through which the customer is told.' }),
    linked: z.array(z.string()).meta({ description: 'The incidents whose customer is told through this one.' }),
    alert: z.record(z.string(), z.unknown()).meta({ description: "The alert's projection, bounded in size." }),
    verdict: z
      .object({
        level: levelSchema,
        judgement: judgementSchema,
        at: instant,
        actor: z.string(),
        detection: z.string().nullable(),
        analysis: z.string().nullable(),
        countermeasures: z.string().nullable(),
        askCustomer: z.string().nullable(),
        machineIds: z.array(z.string()),
        servers: z.enum(['isolate', 'leave']).nullable(),
        exclusionProposal: z.object({ what: z.string(), why: z.string() }).nullable(),
      })
      .nullable(),
    questions: z.array(
      z.object({ text: z.string(), askedAt: instant, answer: z.record(z.string(), z.unknown()).nullable() }),
    ),
    duties: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(dutyKinds),
        target: z.string(),
        status: z.enum(dutyStatuses),
        reason: z.string().optional(),
        doneAt: instant.optional(),
      }),
    ),
    customerMails: z.array(customerMailSchema).meta({ description: 'Mails of the customer in this conversation.' }),
    inquiry: inquiryStandingSchema.nullable().meta({ description: 'Where they are answered.' }),
    timeline: z.array(
      z.object({
        at: instant,
        actor: z.string(),
        type: z.enum(timelineTypes),
        text: bilingualSchema,
        data: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
    waitingFor: z.array(z.object({ who: z.string(), what: bilingualSchema, until: instant.nullable() })),
    explanation: z.array(
      z.object({ rule: z.enum(scopeRules), passed: z.boolean(), flagged: z.boolean(), reason: bilingualSchema }),
    ),
  })
  .meta({ id: 'Incident' });
export type IncidentView = z.infer<typeof incidentSchema>;

function isolationOf(record: IncidentRecord, device: DeviceEntry): IsolationState {
  const { report } = device;
  if (device.asked !== null && holdOf(device) === undefined && device.asked.want === 'isolate') {
    return report?.isolation === 'isolated' ? 'isolated' : 'requested';
  }
  const isAskedBack = device.asked?.want === 'release' && holdOf(device) === undefined;
  if (record.ways === 2 && isAskedBack && report?.isolation === 'isolated') return 'releasing';
  return report?.isolation ?? 'none';
}

export function summaryOf(record: IncidentRecord, now: Instant): IncidentSummary {
  const all = duties(record);
  const { state, dueAt, provisional } = slo(record, now);
  const lead = leadOf(record);
  return {
    id: record.incidentId,
    customerId: record.customerId,
    alertId: record.alert.alertId,
    defenderIncidentId: record.alert.defenderIncidentId,
    title: record.alert.title,
    severity: record.alert.severityRaw,
    stage: stageOf(record, all),
    level: currentVerdict(record)?.level ?? null,
    slo: { state, dueAt, provisional },
    devices: record.devices.map((device) => ({
      machineId: device.machineId,
      name: device.name,
      isolation: isolationOf(record, device),
    })),
    assignee: record.assignee,
    attention: attentionOf(record, all),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    ...(record.closed === null ? {} : { closeReason: record.closed.reason }),
    ...(record.exclusion?.match == null ? {} : { exclusionId: record.exclusion.match.exclusionId }),
    ...(lead === undefined ? {} : { linkedTo: lead }),
  };
}

/** The alert as people read it: what exclusions are matched with says the same once more. */
function shownAlert({ matchable: _, ...shown }: IncidentRecord['alert']): Omit<IncidentRecord['alert'], 'matchable'> {
  return shown;
}

export function incidentView(record: IncidentRecord, now: Instant): IncidentView {
  const verdict = currentVerdict(record);
  return {
    ...summaryOf(record, now),
    revision: record.revision,
    alert: shownAlert(record.alert),
    lead: leadOf(record) ?? null,
    linked: followersOf(record).map(([id]) => id),
    verdict:
      verdict === undefined
        ? null
        : {
            level: verdict.level,
            judgement: verdict.judgement,
            at: verdict.at,
            actor: verdict.actor,
            ...verdict.texts,
            askCustomer: verdict.askCustomer,
            machineIds: verdict.machineIds,
            servers: verdict.servers,
            exclusionProposal: verdict.exclusionProposal,
          },
    questions: record.questions.map(({ text, askedAt, answer }) => ({
      text,
      askedAt,
      answer: answer === null ? null : { ...answer },
    })),
    duties: duties(record).map(({ topic: _, ...duty }) => duty),
    customerMails: shownMails(record),
    inquiry: shownInquiry(record),
    timeline: record.timeline,
    waitingFor: waitingFor(record, now),
    explanation: scopeOf(record).explanation,
  };
}

/** Is it an analyst's move? What the queue holds. */
export function waitsForAnalyst(summary: IncidentSummary): boolean {
  return summary.stage === 'awaiting-triage' || summary.attention.length > 0;
}
