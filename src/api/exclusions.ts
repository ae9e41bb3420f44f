import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { reasonSchema } from '../domain/commands.js';
import { customerIdSchema } from '../domain/customer.js';
import {
  approvalSchema,
  anyRequestSchema,
  exclusionBodySchema,
  shorteningSchema,
  type CustomerRequest,
  type ExclusionBody,
  type ExclusionInput,
} from '../domain/exclusion/commands.js';
import { judgeRoom } from '../domain/customers/record.js';
import { conversationOf } from '../domain/customer-mail/conversation.js';
import { requestByMail } from '../domain/exclusion/mail-request.js';
import { parseInquiryId } from '../domain/inquiry/id.js';
import { askInquiry } from './inquiries.js';
import { openExclusion } from '../domain/exclusion/evolve.js';
import { judgeProposal } from '../domain/exclusion/judge.js';
import { exclusionIdOf, exclusionStates, parseExclusionId } from '../domain/exclusion/record.js';
import { breadthOn, previewOf, previewSchema, type Survey } from '../domain/exclusion/survey.js';
import {
  exclusionSchema,
  exclusionSummarySchema,
  exclusionView,
  type ExclusionSummary,
} from '../domain/exclusion/view.js';
import { parseIncidentId } from '../domain/incident/record.js';
import { searchKeys } from '../domain/lists.js';
import { SECOND_MS, toInstant } from '../domain/time.js';
import { countExcluded, readFilterBytes } from '../temporal/exclusions.js';
import { type Execution } from '../temporal/executions.js';
import {
  findExclusionRequest,
  memoExclusion,
  startExclusionRequest,
  type KnownExclusion,
} from '../temporal/exclusion-requests.js';
import { readIncidentFacts, surveyIncidents } from '../temporal/survey.js';
import {
  exclusionApproveUpdate,
  exclusionDeclineUpdate,
  exclusionQuery,
  exclusionRequestUpdate,
  exclusionRetryUpdate,
  exclusionShortenUpdate,
  exclusionWithdrawUpdate,
  type CommandUpdate,
} from '../workflows/messages.js';
import { describe, outcomeBefore, reach, sendCommand, type Gateway } from './gateway.js';
import { customerFilter, equals, listRows, pageSchema } from './lists.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { readRun } from './reading.js';
import { commandOf, policyOf, route, type Call, type Route } from './route.js';

/** How long the customer's incidents are read; the answer says how many were left. */
const SURVEY_LASTS_MS = 5 * SECOND_MS;

const shownExclusionSchema = exclusionSchema.extend({
  excludedAlerts: z
    .int()
    .optional()
    .meta({ description: 'How many it has kept from the analysts; left out where no list can be asked.' }),
  partial: z.literal(true).optional().meta({ description: 'Only the summary: no worker could be asked.' }),
});
type ShownExclusion = z.infer<typeof shownExclusionSchema>;

const listQuerySchema = z.strictObject({
  customer: customerIdSchema.optional(),
  state: z.enum(exclusionStates).optional(),
  ...pageSchema,
});
const listSchema = z
  .object({ items: z.array(exclusionSummarySchema), nextPageToken: z.string().optional() })
  .meta({ id: 'ExclusionList' });

function unknown(id: string): Problem {
  return new Problem('unknown-exclusion', `There is no exclusion ${id}.`);
}

/** The exclusion id of the path, which the operator may see. */
function idIn({ operator, params }: Pick<Call<unknown, unknown>, 'operator' | 'params'>): string {
  const id = params['id'] ?? '';
  const parts = parseExclusionId(id);
  if (parts === undefined || !maySee(operator, parts.customerId)) throw unknown(id);
  return id;
}

function known(gateway: Gateway, id: string): Promise<KnownExclusion | undefined> {
  return reach(gateway, () => findExclusionRequest(gateway.client, id));
}

/** Of one whose workflow was stopped: nobody registers it, and nobody takes it back, before somebody has mended that. */
function atStandstill(summary: ExclusionSummary, isStopped: boolean): ExclusionSummary {
  return isStopped ? { ...summary, attention: [...summary.attention, 'workflow-stopped'].sort() } : summary;
}

/** The whole exclusion; its summary alone, marked `partial`, while no worker answers. */
async function read(gateway: Gateway, id: string): Promise<ShownExclusion> {
  const { client } = gateway;
  const found = await readRun(gateway, {
    query: () => client.workflow.getHandle(id).query(exclusionQuery),
    find: () => findExclusionRequest(client, id),
    viewOf: exclusionView,
  });
  if (found === undefined) throw unknown(id);
  if (found.is === 'whole') return found.view;
  const summary = memoExclusion(found.description.memo);
  if (summary === undefined) throw new Problem('worker-unavailable', 'No worker can be asked for this exclusion.');
  const shown = atStandstill(summary, found.isStopped);
  return { ...shown, partial: true, revision: 0, waitingFor: [], warnings: [], timeline: [] };
}

function survey({ deps }: Pick<Call<unknown, unknown>, 'deps'>, customerId: string): Promise<Survey> {
  const deadlineMs = Date.now() + SURVEY_LASTS_MS;
  return reach(deps, () => surveyIncidents(deps.client, customerId, deadlineMs), deadlineMs + SECOND_MS);
}

/** Was it put to the customer in a mail of the incident that it names? */
async function isPutToCustomer({ deps, body }: Call<ExclusionInput, undefined>, customerId: string): Promise<boolean> {
  const { incidentId } = body;
  if (incidentId === undefined) return false;
  const isTheirs = parseIncidentId(incidentId)?.customerId === customerId;
  const facts = isTheirs ? await reach(deps, () => readIncidentFacts(deps.client, incidentId)) : undefined;
  if (facts !== undefined) return facts.isPutToCustomer;
  throw new Problem('invalid-input', `The customer has no incident ${incidentId}.`, [
    { path: 'incidentId', message: 'is no incident of this customer' },
  ]);
}

/** A caller's key makes the same exclusion however often the proposal is sent. */
function newId(customerId: string, key: string | undefined): string {
  const unique = key === undefined ? randomUUID() : createHash('sha256').update(key).digest('hex');
  return exclusionIdOf(customerId, unique.replaceAll('-', '').slice(0, 16));
}

/** The exclusion that an earlier proposal with the same key has made; undefined where there was none. */
async function earlier(gateway: Gateway, id: string, bodyHash: string): Promise<ShownExclusion | undefined> {
  const description = await describe(gateway, id);
  if (description === undefined) return undefined;
  if (description.memo?.['proposal'] !== bodyHash) {
    throw new Problem('idempotency-mismatch', 'This Idempotency-Key was used before with another body.');
  }
  return read(gateway, id);
}

/** The request as it is recorded; where it is a mail of the customer's, with that mail's words and sender. */
async function requestOf(
  call: Pick<Call<unknown, unknown>, 'deps' | 'operator'>,
  request: ExclusionBody['customerRequest'],
  of: { customerId: string; incidentId: string | null },
): Promise<CustomerRequest | undefined> {
  if (request === undefined || !('mail' in request)) return request;
  const inquiryId = request.inquiryId ?? conversationOf(of.incidentId ?? '')?.inquiryId;
  const isTheirs = inquiryId !== undefined && parseInquiryId(inquiryId)?.customerId === of.customerId;
  const inquiry = isTheirs ? await askInquiry(call.deps, inquiryId) : undefined;
  const contacts = call.deps.policies.find(of.customerId)?.customer.contacts ?? [];
  const answer = requestByMail(inquiry, contacts, request);
  if ('code' in answer) throw Problem.of(answer);
  return answer.request;
}

/** Says no while the customer's own filter can take no more: what nobody could register is not proposed, and not approved. */
async function refuseWhereFull(
  gateway: Gateway,
  customerId: string,
  exclusion: Parameters<typeof judgeRoom>[1],
): Promise<void> {
  const fault = judgeRoom(await reach(gateway, () => readFilterBytes(gateway.client, customerId)), exclusion);
  if (fault !== undefined) throw Problem.of(fault);
}

async function propose(call: Call<ExclusionInput, undefined>): Promise<ShownExclusion> {
  const { deps, operator, params, body } = call;
  const customerId = params['customerId'] ?? '';
  const policy = policyOf(deps, operator, customerId);
  const { command } = commandOf('propose', call);
  const { idempotency } = command;
  const exclusionId = newId(customerId, idempotency?.key);
  const before = idempotency && (await earlier(deps, exclusionId, idempotency.bodyHash));
  if (before !== undefined) return before;
  const at = toInstant(Date.now());
  const fault = judgeProposal(body, at);
  if (fault !== undefined) throw Problem.of(fault);
  if (body.set.ownFilter) await refuseWhereFull(deps, customerId, { exclusionId, registeredAt: at, ...body });
  const [asksCustomer, surveyed] = await Promise.all([isPutToCustomer(call, customerId), survey(call, customerId)]);
  const breadth = breadthOn(body.conditions, surveyed);
  const opening = { exclusionId, customerId, policy, input: body, proposer: operator.id, asksCustomer, breadth };
  const record = openExclusion(opening, at);
  const started = await reach(deps, () => startExclusionRequest(deps, record, idempotency?.bodyHash));
  // The same proposal, sent twice at once.
  const other = started === 'exists' && idempotency && (await earlier(deps, exclusionId, idempotency.bodyHash));
  return other || exclusionView(record);
}

function commandRoute<Body>(name: string, summary: string, body: z.ZodType<Body>, update: CommandUpdate<Body>): Route {
  return route<Body>({
    method: 'post',
    path: `/v1/exclusions/:id/${name}`,
    summary,
    access: 'act',
    body,
    isCommand: true,
    answers: { 200: { description: 'Done; the exclusion as it is now.', schema: shownExclusionSchema } },
    async handle(call) {
      return { status: 200, body: await carryOut(call, update) };
    },
  });
}

async function carryOut<Body>(call: Call<Body, undefined>, update: CommandUpdate<Body>): Promise<ShownExclusion> {
  const id = idIn(call);
  // Two people's clients may well use the same key: an approval is one person's.
  const { command, deadlineMs } = commandOf(`${update.name} by ${call.operator.id}`, call);
  const sent = await sendCommand(call.deps, id, update, command, deadlineMs);
  if (sent.state === 'done') return read(call.deps, id);
  const found = await known(call.deps, id);
  switch (found?.state) {
    case undefined:
      throw unknown(id);
    case 'running':
      throw new Problem('worker-unavailable', 'The exclusion could not be reached; send the command again.');
    case 'stopped':
      throw new Problem(
        'exclusion-stopped',
        "The exclusion's workflow was stopped from outside: it can be set going again by a reset; then send this again.",
      );
    case 'ended': {
      if (outcomeBefore(found.record.handled, command) === undefined) {
        throw new Problem('exclusion-ended', `The exclusion was ${found.record.ended?.state ?? 'ended'} already.`);
      }
      return exclusionView(found.record);
    }
  }
}

/** A row that cannot be read is left to its own page, which says so. */
function summaryIn(row: Execution): ExclusionSummary[] {
  const summary = exclusionSummarySchema.safeParse(row.memo['exclusion']).data;
  return summary === undefined ? [] : [atStandstill(summary, row.stopped !== null)];
}

export const exclusionRoutes: Route[] = [
  route({
    method: 'post',
    path: '/v1/customers/:customerId/exclusions',
    summary: 'Propose an exclusion: alerts that match it are closed without analysis once it is registered',
    access: 'act',
    body: exclusionBodySchema,
    isCommand: true,
    answers: {
      201: {
        description:
          'Proposed; somebody else has to approve it. 409 `too-many-exclusions` while our own filter for the customer holds 1 MB already.',
        schema: shownExclusionSchema,
      },
    },
    async handle(call) {
      const { customerRequest, ...rest } = call.body;
      const customerId = call.params['customerId'] ?? '';
      policyOf(call.deps, call.operator, customerId);
      const request = await requestOf(call, customerRequest, { customerId, incidentId: rest.incidentId ?? null });
      const body: ExclusionInput = { ...rest, ...(request === undefined ? {} : { customerRequest: request }) };
      return { status: 201, body: await propose({ ...call, body }) };
    },
  }),
  route({
    method: 'get',
    path: '/v1/exclusions',
    summary: 'Exclusions, newest first',
    access: 'read',
    query: listQuerySchema,
    answers: { 200: { description: 'One page.', schema: listSchema } },
    async handle({ deps, operator, query }) {
      const filters = [...customerFilter(operator, query.customer), ...equals(searchKeys.exclusionState, query.state)];
      const page = await listRows(deps, 'exclusionRequest', filters, query.limit, query.pageToken);
      const items = page.rows.flatMap(summaryIn).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
      const { nextPageToken } = page;
      return { status: 200, body: { items, ...(nextPageToken === undefined ? {} : { nextPageToken }) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/exclusions/:id',
    summary: 'One exclusion: how far it is, what it has set, what happened',
    access: 'read',
    answers: { 200: { description: 'The exclusion.', schema: shownExclusionSchema } },
    async handle(call) {
      const { deps } = call;
      const id = idIn(call);
      const counting = reach(deps, () => countExcluded(deps.client, id)).catch((error: unknown) => {
        if (error instanceof Problem) return undefined;
        throw error;
      });
      const [exclusion, excludedAlerts] = await Promise.all([read(deps, id), counting]);
      return { status: 200, body: excludedAlerts === undefined ? exclusion : { ...exclusion, excludedAlerts } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/exclusions/:id/preview',
    summary: 'What it would have excluded, and which open incidents it will close',
    access: 'read',
    answers: { 200: { description: 'As of this moment.', schema: previewSchema } },
    async handle(call) {
      const exclusion = await read(call.deps, idIn(call));
      return { status: 200, body: previewOf(exclusion, await survey(call, exclusion.customerId)) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/exclusions/:id/request',
    summary: "Record the customer's request for the registration: spelt out, or a mail of theirs",
    access: 'act',
    body: anyRequestSchema,
    isCommand: true,
    answers: { 200: { description: 'Done; the exclusion as it is now.', schema: shownExclusionSchema } },
    async handle(call) {
      const id = idIn(call);
      const { customerId, incidentId } = await read(call.deps, id);
      const body = await requestOf(call, call.body, { customerId, incidentId });
      if (body === undefined) throw new Problem('invalid-input', 'The request is missing.');
      return { status: 200, body: await carryOut({ ...call, body }, exclusionRequestUpdate) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/exclusions/:id/approve',
    summary: 'Approve it, as another operator than the one who proposed it; it is then registered in business hours',
    access: 'act',
    body: approvalSchema.default({}),
    isCommand: true,
    answers: { 200: { description: 'Done; the exclusion as it is now.', schema: shownExclusionSchema } },
    async handle(call) {
      const exclusion = await read(call.deps, idIn(call));
      const { id: exclusionId, customerId, createdAt: registeredAt, conditions, expiresAt, set } = exclusion;
      const isFirst = exclusion.registeredAt === null && exclusion.ended === null;
      if (set.ownFilter && isFirst) {
        await refuseWhereFull(call.deps, customerId, { exclusionId, conditions, registeredAt, expiresAt });
      }
      return { status: 200, body: await carryOut(call, exclusionApproveUpdate) };
    },
  }),
  commandRoute(
    'decline',
    'Decline it; a customer who asked for it reads the reason',
    reasonSchema,
    exclusionDeclineUpdate,
  ),
  commandRoute(
    'withdraw',
    'Withdraw it before it is registered; a customer who asked for it reads the reason',
    reasonSchema,
    exclusionWithdrawUpdate,
  ),
  commandRoute('shorten', 'Have it end sooner, or now', shorteningSchema, exclusionShortenUpdate),
  commandRoute('retry', 'Have what failed tried again', reasonSchema, exclusionRetryUpdate),
];
