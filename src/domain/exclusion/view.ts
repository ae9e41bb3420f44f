import { z } from 'zod';
import { assertNever, bilingual, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { remarksOn } from './conditions.js';
import { exclusionFields } from './fields.js';
import { indicatorFor } from './indicator.js';
import {
  exclusionParts,
  exclusionStates,
  exclusionTimelineTypes,
  stateOf,
  wantedParts,
  type ExclusionPart,
  type ExclusionRecord,
} from './record.js';

const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601 in UTC' });
const bilingualSchema = z.object({ en: z.string(), ja: z.string() });
const said = { actor: z.string(), at: instant };

/** What a list shows of an exclusion: the workflow's memo, so that a list asks no workflow. */
export const exclusionSummarySchema = z
  .object({
    id: z.string(),
    customerId: z.string(),
    state: z.enum(exclusionStates),
    conditions: z.partialRecord(z.enum(exclusionFields), z.string()),
    reason: z.string(),
    proposer: z.string(),
    expiresAt: instant.meta({ description: 'It holds until before this moment.' }),
    set: z.object({
      ownFilter: z.boolean(),
      defenderIndicator: z.boolean(),
      portalRule: z.object({ by: z.string(), at: instant, note: z.string() }).optional(),
    }),
    incidentId: z.string().nullable(),
    asksCustomer: z.boolean().meta({ description: 'Put to the customer: not approved before they ask for it.' }),
    customerRequest: z
      .object({
        by: z.string(),
        channel: z.enum(['mail', 'phone', 'portal']),
        receivedAt: instant,
        words: z.string(),
        mail: z
          .object({
            messageId: z.string().nullable(),
            isAuthenticated: z.boolean(),
            calledBackAt: instant.optional(),
            calledBack: z.string().optional().meta({ description: 'The contact who was called back.' }),
          })
          .optional(),
        recordedAt: instant,
        actor: z.string(),
      })
      .nullable(),
    breadth: z
      .object({ matched: z.int(), of: z.int() })
      .meta({ description: 'How many alerts of the last 90 days it would have excluded, when it was proposed.' }),
    approvalsNeeded: z.union([z.literal(1), z.literal(2)]),
    approvals: z.array(z.object({ ...said, reason: z.string() })),
    waitingUntil: instant.nullable().meta({ description: 'When business hours begin, while it waits for them.' }),
    parts: z.array(
      z.object({
        part: z.enum(exclusionParts),
        status: z.enum(['outstanding', 'set', 'failed', 'removed']),
        at: instant.nullable(),
        detail: z.array(z.string()),
        reason: z.string().nullable(),
      }),
    ),
    registeredAt: instant.nullable(),
    confirmation: z
      .object({
        status: z.enum(['accepted', 'failed']),
        at: instant,
        messageId: z.string(),
        reason: z.string().nullable(),
      })
      .nullable(),
    endMail: z
      .object({
        status: z.enum(['accepted', 'failed']),
        at: instant,
        messageId: z.string(),
        reason: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'What tells a customer who asked for it that it is not, or no longer, in force.' }),
    ended: z.object({ ...said, state: z.enum(['declined', 'withdrawn', 'expired']), reason: z.string() }).nullable(),
    attention: z.array(z.string()),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'ExclusionSummary' });
export type ExclusionSummary = z.infer<typeof exclusionSummarySchema>;

export const exclusionSchema = exclusionSummarySchema
  .extend({
    revision: z.int(),
    waitingFor: z.array(z.object({ who: z.string(), what: bilingualSchema, until: instant.nullable() })),
    warnings: z.array(bilingualSchema).meta({ description: 'What whoever approves it should know.' }),
    timeline: z.array(
      z.object({ at: instant, actor: z.string(), type: z.enum(exclusionTimelineTypes), text: bilingualSchema }),
    ),
  })
  .meta({ id: 'Exclusion' });
export type ExclusionView = z.infer<typeof exclusionSchema>;

function partView(record: ExclusionRecord, part: ExclusionPart): ExclusionSummary['parts'][number] {
  const state = record.parts[part];
  return state === undefined ? { part, status: 'outstanding', at: null, detail: [], reason: null } : { part, ...state };
}

/** Which of it somebody has to look at. */
function attentionOf({
  parts,
  confirmation,
  endMail,
}: Pick<ExclusionSummary, 'parts' | 'confirmation' | 'endMail'>): string[] {
  return [
    ...parts.flatMap(({ part, status, reason }) => {
      if (status === 'failed') return [`${part}-not-set`];
      return status === 'set' && reason !== null ? [`${part}-not-removed`] : [];
    }),
    ...(confirmation?.status === 'failed' ? ['confirmation-failed'] : []),
    ...(endMail?.status === 'failed' ? ['end-mail-failed'] : []),
  ].sort();
}

/** Without what only a reply in the thread needs. */
function shownRequest(request: ExclusionRecord['customerRequest']): ExclusionSummary['customerRequest'] {
  if (request?.mail === undefined) return request;
  const { references: _references, subject: _subject, conversation: _conversation, ...mail } = request.mail;
  return { ...request, mail };
}

export function exclusionSummary(record: ExclusionRecord): ExclusionSummary {
  const parts = wantedParts(record.set).map((part) => partView(record, part));
  return {
    id: record.exclusionId,
    customerId: record.customerId,
    state: stateOf(record),
    conditions: record.conditions,
    reason: record.reason,
    proposer: record.proposer,
    expiresAt: record.expiresAt,
    set: record.set,
    incidentId: record.incidentId,
    asksCustomer: record.asksCustomer,
    customerRequest: shownRequest(record.customerRequest),
    breadth: record.breadth,
    approvalsNeeded: record.approvalsNeeded,
    approvals: record.approvals,
    waitingUntil: record.waitingUntil,
    parts,
    registeredAt: record.registeredAt,
    confirmation: record.confirmation,
    endMail: record.endMail,
    ended: record.ended,
    attention: attentionOf({ parts, confirmation: record.confirmation, endMail: record.endMail }),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}

interface Waiting {
  who: 'customer' | 'analyst' | 'time' | 'mimamori';
  what: Bilingual;
  until: Instant | null;
}

function waitingFor(record: ExclusionRecord): Waiting[] {
  const state = stateOf(record);
  const until = record.expiresAt;
  switch (state) {
    case 'proposed':
    case 'requested': {
      if (record.asksCustomer && record.customerRequest === null) {
        const what = bilingual('The customer’s request for the registration', 'お客様からの登録依頼');
        return [{ who: 'customer', what, until }];
      }
      const missing = record.approvalsNeeded - record.approvals.length;
      const what = bilingual(
        `${missing === 1 ? 'An approval' : `${missing} approvals`} by somebody other than ${record.proposer}`,
        `起案者 (${record.proposer}) 以外による承認 (あと ${missing} 人)`,
      );
      return [{ who: 'analyst', what, until }];
    }
    case 'waiting-for-business-hours':
      return [{ who: 'time', what: bilingual('Business hours', '営業時間'), until: record.waitingUntil }];
    case 'approved':
    case 'registered':
    case 'confirmed':
    case 'declined':
    case 'withdrawn':
    case 'expired':
      return exclusionSummary(record).attention.length === 0
        ? []
        : [{ who: 'analyst', what: bilingual('What has failed is looked at', '失敗した処理の確認'), until: null }];
    default:
      return assertNever(state);
  }
}

/** What whoever approves it should know: that an indicator lowers Defender's own guard, for one. */
function warningsOn(record: ExclusionRecord): Bilingual[] {
  const { conditions, set } = record;
  const answer = set.defenderIndicator ? indicatorFor(record) : undefined;
  return [...remarksOn(conditions), ...(answer?.kind === 'indicators' ? [answer.warning] : [])];
}

export function exclusionView(record: ExclusionRecord): ExclusionView {
  return {
    ...exclusionSummary(record),
    revision: record.revision,
    waitingFor: waitingFor(record),
    warnings: warningsOn(record),
    timeline: record.timeline,
  };
}
