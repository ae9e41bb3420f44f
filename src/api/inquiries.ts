import { z } from 'zod';
import { assignSchema, type Command } from '../domain/commands.js';
import { customerIdSchema } from '../domain/customer.js';
import { inquiryStates } from '../domain/customer-mail/news.js';
import {
  inquiryAnswerSchema,
  inquiryClosureSchema,
  inquiryReferralSchema,
  isAnswerSchema,
  type InquiryReferralBody,
  type IsAnswerBody,
} from '../domain/inquiry/commands.js';
import { meantMail } from '../domain/customer-mail/named.js';
import { parseInquiryId } from '../domain/inquiry/id.js';
import { judgeReferral } from '../domain/inquiry/judge.js';
import {
  inquirySchema,
  inquirySummarySchema,
  inquiryView,
  type InquirySummary,
  type InquiryView,
} from '../domain/inquiry/view.js';
import { searchKeys, searchWord } from '../domain/lists.js';
import { MINUTE_MS, toMs } from '../domain/time.js';
import { type Execution } from '../temporal/executions.js';
import { findInquiry, memoInquiry, type KnownInquiry } from '../temporal/inquiries.js';
import {
  answerUpdate,
  inquiryAnswerUpdate,
  inquiryAssignUpdate,
  inquiryCloseUpdate,
  inquiryIsAnswerUpdate,
  inquiryQuery,
  inquiryReferUpdate,
  type CommandUpdate,
} from '../workflows/messages.js';
import { outcomeBefore, reach, sendCommand, type Gateway } from './gateway.js';
import { readIncident } from './known-incidents.js';
import { customerFilter, equals, listRows, MAX_QUEUE, pageSchema } from './lists.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { readRun, type Reading } from './reading.js';
import { commandOf, route, type Call, type Route } from './route.js';

const waitedSchema = z.object({
  waitedMinutes: z
    .int()
    .nullable()
    .meta({ description: 'How long the customer has waited; null where nothing waits.' }),
});
const listedSchema = inquirySummarySchema.extend(waitedSchema.shape);
const shownSchema = inquirySchema.extend({
  ...waitedSchema.shape,
  partial: z.literal(true).optional().meta({ description: 'Only the summary: no worker could be asked.' }),
});
type Shown = z.infer<typeof shownSchema>;

const listQuerySchema = z.strictObject({
  customer: customerIdSchema.optional(),
  state: z
    .enum([...inquiryStates, 'unanswered'])
    .optional()
    .meta({ description: '`unanswered`: open or assigned; the longest waiting of all, at most 1,000, without pages.' }),
  assignee: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, 'must be an operator id')
    .optional(),
  ...pageSchema,
  limit: pageSchema.limit
    .unwrap()
    .optional()
    .meta({ description: 'Without it, 50 a page, and all that is unanswered.' }),
});
const listSchema = z
  .object({
    items: z.array(listedSchema),
    nextPageToken: z.string().optional(),
    truncated: z.boolean().optional().meta({ description: 'Of what is unanswered: there is more.' }),
  })
  .meta({ id: 'InquiryList' });
type List = z.infer<typeof listSchema>;

type ListQuery = z.infer<typeof listQuerySchema>;

function waitedMinutes({ waitingSince }: Pick<InquirySummary, 'waitingSince'>): number | null {
  return waitingSince === null ? null : Math.max(0, Math.floor((Date.now() - toMs(waitingSince)) / MINUTE_MS));
}

function withWaiting<T extends Pick<InquirySummary, 'waitingSince'>>(shown: T): T & { waitedMinutes: number | null } {
  return { ...shown, waitedMinutes: waitedMinutes(shown) };
}

function unknown(id: string): Problem {
  return new Problem('unknown-inquiry', `There is no inquiry ${id}.`);
}

function unreadable(): Problem {
  return new Problem('worker-unavailable', 'No worker can be asked for this inquiry.');
}

function idIn({ operator, params }: Pick<Call<unknown, unknown>, 'operator' | 'params'>): string {
  const id = params['id'] ?? '';
  const parts = parseInquiryId(id);
  if (parts === undefined || !maySee(operator, parts.customerId)) throw unknown(id);
  return id;
}

function known(gateway: Gateway, id: string): Promise<KnownInquiry | undefined> {
  return reach(gateway, () => findInquiry(gateway.client, id));
}

function reading(gateway: Gateway, id: string): Promise<Reading<InquiryView> | undefined> {
  return readRun(gateway, {
    query: () => gateway.client.workflow.getHandle(id).query(inquiryQuery),
    find: () => findInquiry(gateway.client, id),
    viewOf: inquiryView,
  });
}

/** The whole inquiry of that id, running or ended; undefined where there is none. */
export async function askInquiry(gateway: Gateway, id: string): Promise<InquiryView | undefined> {
  const read = await reading(gateway, id);
  if (read === undefined || read.is === 'whole') return read?.view;
  if (read.isStopped) return undefined;
  throw unreadable();
}

/** One whose workflow was stopped answers nobody before somebody has mended that. */
function atStandstill(summary: InquirySummary, isStopped: boolean): InquirySummary {
  return isStopped ? { ...summary, attention: [...summary.attention, 'workflow-stopped'].sort() } : summary;
}

/** The whole inquiry; its summary alone, marked `partial`, while no worker answers. */
async function read(gateway: Gateway, id: string): Promise<Shown> {
  const found = await reading(gateway, id);
  if (found === undefined) throw unknown(id);
  if (found.is === 'whole') return withWaiting(found.view);
  const summary = memoInquiry(found.description.memo);
  if (summary === undefined) throw unreadable();
  const shown = atStandstill(summary, found.isStopped);
  return { ...withWaiting(shown), partial: true, revision: 0, conversation: [], noted: [], replies: [], timeline: [] };
}

/** Carries a command to the inquiry; one that has ended says so, unless it was carried out before. */
async function carryOut<Body>(
  gateway: Gateway,
  id: string,
  update: CommandUpdate<Body>,
  { command, deadlineMs }: { command: Command<Body>; deadlineMs: number },
): Promise<void> {
  const sent = await sendCommand(gateway, id, update, command, deadlineMs);
  if (sent.state === 'done') return;
  const found = await known(gateway, id);
  switch (found?.state) {
    case undefined:
      throw unknown(id);
    case 'running':
      throw new Problem('worker-unavailable', 'The inquiry could not be reached; send the command again.');
    case 'stopped':
      throw new Problem(
        'inquiry-stopped',
        "The inquiry's workflow was stopped from outside: it can be set going again by a reset; then send this again.",
      );
    case 'ended': {
      if (outcomeBefore(found.record.handled, command) === undefined) {
        throw new Problem(
          'inquiry-ended',
          'The inquiry has ended; a further mail of the customer’s takes it up again.',
        );
      }
    }
  }
}

function commandRoute<Body>(
  name: string,
  summary: string,
  body: z.ZodType<Body>,
  update: CommandUpdate<Body>,
  /** What is checked and looked up first; the body as the workflow is to have it. */
  prepare: (call: Call<Body, undefined>, id: string) => Promise<Body> | Body = ({ body: asSent }) => asSent,
): Route {
  return route<Body>({
    method: 'post',
    path: `/v1/inquiries/:id/${name}`,
    summary,
    access: 'act',
    body,
    isCommand: true,
    answers: { 200: { description: 'Done; the inquiry as it is now.', schema: shownSchema } },
    async handle(call) {
      const id = idIn(call);
      const { command, deadlineMs } = commandOf(update.name, call);
      const prepared = await prepare(call, id);
      await carryOut(call.deps, id, update, { command: { ...command, body: prepared }, deadlineMs });
      return { status: 200, body: await read(call.deps, id) };
    },
  });
}

/** Whoever does not say how much of it was read has read what is there now. A mail that comes on the way there is none of it. */
async function withSeen<Body extends { seen?: number | undefined }>(
  { deps, body }: Call<Body, undefined>,
  id: string,
): Promise<Body> {
  return body.seen === undefined ? { ...body, seen: (await read(deps, id)).revision } : body;
}

/** The reply would name nobody. */
function checkedReferral(call: Call<InquiryReferralBody, undefined>, id: string): Promise<InquiryReferralBody> {
  const { customerId } = parseInquiryId(id) ?? { customerId: '' };
  const fault = judgeReferral(call.deps.policies.find(customerId)?.customer);
  if (fault !== undefined) throw Problem.of(fault);
  return withSeen(call, id);
}

/**
 * The incident takes the mail as the answer to what it has asked. By a key of the mail's own, so that a second try is the same
 * answer.
 */
async function answerIncident(call: Call<IsAnswerBody, undefined>, id: string): Promise<IsAnswerBody> {
  const { deps, body, operator } = call;
  const inquiry = await read(deps, id);
  const meant = meantMail(inquiry.conversation, body.mail);
  if ('code' in meant) throw Problem.of(meant);
  const { mail } = meant;
  const named: IsAnswerBody = { mail: mail.key };
  const { incidentId } = inquiry;
  if (incidentId === null) throw new Problem('no-question-open', 'The inquiry belongs to no incident.');
  const key = `mail ${mail.key}`;
  const { command, deadlineMs } = commandOf(answerUpdate.name, {
    ...call,
    body: {
      by: (mail.from.name === '' ? mail.from.address : `${mail.from.name} <${mail.from.address}>`).slice(0, 100),
      channel: 'mail' as const,
      receivedAt: mail.receivedAt,
      words: mail.newText.trim() === '' ? mail.subject : mail.newText.slice(0, 8_000),
    },
  });
  const incident = await readIncident(deps, incidentId);
  const { words, receivedAt } = command.body;
  const isAnswered = incident.questions.some(
    ({ answer }) => answer?.['words'] === words && answer['receivedAt'] === receivedAt,
  );
  if (isAnswered) return named;
  if (!incident.questions.some(({ answer }) => answer === null)) {
    throw new Problem('no-question-open', 'The incident has asked nothing that is not answered.');
  }
  const sent = await sendCommand(
    deps,
    incidentId,
    answerUpdate,
    { ...command, actor: operator.id, idempotency: { key, bodyHash: key } },
    deadlineMs,
  );
  if (sent.state === 'not-running') throw new Problem('incident-closed', 'The incident is closed; reopen it first.');
  return named;
}

/** A row that cannot be read is left to its own page, which says so. */
function summaryIn(row: Execution): InquirySummary[] {
  const summary = inquirySummarySchema.safeParse(row.memo['inquiry']).data;
  return summary === undefined ? [] : [atStandstill(summary, row.stopped !== null)];
}

/** The longest waiting first, then what waits for nobody, the newest first. */
function byWaiting(a: InquirySummary, b: InquirySummary): number {
  if (a.waitingSince !== null && b.waitingSince !== null) {
    // Mail servers know no parts of a second.
    return a.waitingSince.localeCompare(b.waitingSince) || a.createdAt.localeCompare(b.createdAt);
  }
  if (a.waitingSince !== null || b.waitingSince !== null) return a.waitingSince === null ? 1 : -1;
  return b.updatedAt.localeCompare(a.updatedAt);
}

function stateFilter(state: z.infer<typeof listQuerySchema>['state']): string[] {
  if (state !== 'unanswered') return equals(searchKeys.stage, state);
  return [`${searchKeys.stage.name} IN ('open', 'assigned')`];
}

/** A page is in the order of Temporal's list, newest first: what waits longest is found only among all. */
async function unansweredFirst(gateway: Gateway, filters: string[], { limit, pageToken }: ListQuery): Promise<List> {
  if (pageToken !== undefined) {
    throw new Problem('invalid-input', 'What is unanswered has no pages.', [
      { path: 'pageToken', message: 'is for other states' },
    ]);
  }
  const { rows, nextPageToken } = await listRows(gateway, 'inquiry', filters, MAX_QUEUE);
  const all = rows.flatMap(summaryIn).sort(byWaiting).map(withWaiting);
  const items = all.slice(0, limit);
  return { items, truncated: nextPageToken !== undefined || items.length < all.length };
}

async function onePage(gateway: Gateway, filters: string[], { limit = 50, pageToken }: ListQuery): Promise<List> {
  const page = await listRows(gateway, 'inquiry', filters, limit, pageToken);
  const items = page.rows.flatMap(summaryIn).sort(byWaiting).map(withWaiting);
  const { nextPageToken } = page;
  return { items, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
}

export const inquiryRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/inquiries',
    summary: "Customers' mails and where they stand; of what is unanswered, the longest waiting first",
    access: 'read',
    query: listQuerySchema,
    answers: { 200: { description: 'One page.', schema: listSchema } },
    async handle({ deps, operator, query }) {
      const { customer, state, assignee } = query;
      const filters = [
        ...customerFilter(operator, customer),
        ...stateFilter(state),
        ...equals(searchKeys.assignee, assignee === undefined ? undefined : searchWord(assignee)),
      ];
      const list = state === 'unanswered' ? unansweredFirst : onePage;
      return { status: 200, body: await list(deps, filters, query) };
    },
  }),
  route({
    method: 'get',
    path: '/v1/inquiries/:id',
    summary: 'One inquiry: the customer’s mails in full, the replies, what happened',
    access: 'read',
    answers: { 200: { description: 'The inquiry.', schema: shownSchema } },
    async handle(call) {
      return { status: 200, body: await read(call.deps, idIn(call)) };
    },
  }),
  commandRoute(
    'answer',
    'Answer it: a reply to the customer in the thread',
    inquiryAnswerSchema,
    inquiryAnswerUpdate,
    withSeen,
  ),
  commandRoute(
    'refer',
    "Refer the customer to the product's support desk, by a reply that names it",
    inquiryReferralSchema,
    inquiryReferUpdate,
    checkedReferral,
  ),
  commandRoute('assign', 'Say who answers it', assignSchema, inquiryAssignUpdate),
  commandRoute('close', 'Close it: nothing has to be answered', inquiryClosureSchema, inquiryCloseUpdate, withSeen),
  commandRoute(
    'is-answer',
    'Confirm that the mail answers what its incident has asked',
    isAnswerSchema,
    inquiryIsAnswerUpdate,
    answerIncident,
  ),
];
