import type { WorkflowExecutionDescription } from '@temporalio/client';
import { z } from 'zod';
import { reasonSchema, type Command } from '../domain/commands.js';
import { customerIdSchema } from '../domain/customer.js';
import { conversationOf } from '../domain/customer-mail/conversation.js';
import {
  acceptanceSchema,
  heldSchema,
  heldStates,
  heldSummarySchema,
  heldView,
  heldMailKey,
  isHeldId,
  type AcceptanceBody,
  type HeldSummary,
  type HeldView,
} from '../domain/held-mail/record.js';
import { inquiryIdOf } from '../domain/inquiry/id.js';
import { searchKeys } from '../domain/lists.js';
import { MAILBOX_ID, mailboxStateSchema, type MailboxState } from '../domain/mailbox/state.js';
import type { Operator } from '../operators.js';
import { findRun } from '../temporal/known.js';
import { readHeartbeat } from '../temporal/payloads.js';
import {
  heldAcceptUpdate,
  heldDismissUpdate,
  heldQuery,
  type CommandUpdate,
  type HeldMailWorkflow,
} from '../workflows/messages.js';
import { describe, outcomeBefore, reach, sendCommand, type Gateway } from './gateway.js';
import { customerFilter, equals, listRows, pageSchema } from './lists.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { readRun } from './reading.js';
import { commandOf, policyOf, route, type ApiDeps, type Call, type Route } from './route.js';

const mailboxSchema = z
  .object({
    state: z.enum(['running', 'not-started', 'stopped']),
    readAt: z.string().nullable().meta({ description: 'When it was last read.' }),
    emptyAt: z.string().nullable().meta({ description: 'When the inbox last held nothing that waits.' }),
    counts: mailboxStateSchema.shape.counts
      .nullable()
      .meta({ description: 'Of all customers together: for those who may see all of them.' }),
    error: z
      .object({
        since: z.string(),
        at: z.string(),
        message: z
          .string()
          .nullable()
          .meta({ description: 'It may name any customer: for those who may see all of them.' }),
        failures: z.int(),
      })
      .nullable(),
  })
  .meta({ id: 'Mailbox' });

/** How it stands is in the heartbeat of the activity that reads; after a checkpoint for a moment in the memo. */
async function stateIn(
  { client }: Gateway,
  description: WorkflowExecutionDescription,
): Promise<MailboxState | undefined> {
  const beaten = await readHeartbeat(client, description);
  return mailboxStateSchema.safeParse(beaten).data ?? mailboxStateSchema.safeParse(description.memo?.['mailbox']).data;
}

/** How the reading of the mailbox stands; without a state where nothing is known of it. */
export async function readMailbox(
  gateway: Gateway,
): Promise<{ is: 'running' | 'not-started' | 'stopped'; state: MailboxState | undefined }> {
  const description = await describe(gateway, MAILBOX_ID);
  if (description === undefined) return { is: 'not-started', state: undefined };
  const { name } = description.status;
  const is = name === 'RUNNING' || name === 'CONTINUED_AS_NEW' ? 'running' : 'stopped';
  return { is, state: await stateIn(gateway, description) };
}

const listQuerySchema = z.strictObject({ state: z.enum(heldStates).default('held'), ...pageSchema });
const listSchema = z
  .object({ items: z.array(heldSummarySchema), nextPageToken: z.string().optional() })
  .meta({ id: 'HeldMailList' });

/** A mail of which nobody can tell whose it is may be any customer's: for those alone who may see all. */
function maySeeHeld(operator: Operator, { customerId }: Pick<HeldSummary, 'customerId'>): boolean {
  return customerId === null ? operator.customers === '*' : maySee(operator, customerId);
}

function unknown(id: string): Problem {
  return new Problem('unknown-mail', `There is no held mail ${id}.`);
}

function stopped(): Problem {
  return new Problem(
    'mail-stopped',
    "The mail's workflow was stopped from outside: it can be set going again by a reset; then send this again.",
  );
}

function unreachable(): Problem {
  return new Problem('worker-unavailable', 'The mail could not be reached; send the command again.');
}

async function read(deps: ApiDeps, operator: Operator, id: string): Promise<HeldView> {
  const description = isHeldId(id) ? await describe(deps, id) : undefined;
  const summary = heldSummarySchema.safeParse(description?.memo?.['heldMail']).data;
  if (description === undefined || summary === undefined || !maySeeHeld(operator, summary)) throw unknown(id);
  const found = await readRun(deps, {
    query: () => deps.client.workflow.getHandle(id).query(heldQuery),
    find: () => findRun<HeldMailWorkflow>(deps.client, 'heldMail', id),
    viewOf: heldView,
  });
  if (found?.is === 'whole') return found.view;
  throw found?.isStopped === true ? stopped() : unreachable();
}

/** Of a command that finds the workflow ended: it passes where it was carried out before. */
async function judgeLate(gateway: Gateway, id: string, command: Command<unknown>): Promise<void> {
  const found = await reach(gateway, () => findRun<HeldMailWorkflow>(gateway.client, 'heldMail', id));
  switch (found?.state) {
    case undefined:
      throw unknown(id);
    case 'running':
      throw unreachable();
    case 'stopped':
      throw stopped();
    case 'ended':
      if (outcomeBefore(found.record.handled, command) !== undefined) return;
      throw new Problem('mail-settled', `The mail was ${found.record.state} already.`);
  }
}

function commandRoute<Sent, Body>(
  name: string,
  summary: string,
  body: z.ZodType<Sent>,
  update: CommandUpdate<Body>,
  /** The body as the workflow is to have it, once it has been checked. */
  prepare: (call: Call<Sent, undefined>) => Promise<Body> | Body,
): Route {
  return route<Sent>({
    method: 'post',
    path: `/v1/mailbox/attention/:id/${name}`,
    summary,
    access: 'act',
    body,
    isCommand: true,
    answers: { 200: { description: 'Done; the mail as it is now.', schema: heldSchema } },
    async handle(call) {
      const { deps, operator, params } = call;
      const id = params['id'] ?? '';
      // First of all: may this operator see it?
      await read(deps, operator, id);
      const prepared = await prepare(call);
      const { command: asSent, deadlineMs } = commandOf(update.name, call);
      const command = { ...asSent, body: prepared };
      const sent = await sendCommand(deps, id, update, command, deadlineMs);
      if (sent.state === 'not-running') await judgeLate(deps, id, command);
      return { status: 200, body: await read(deps, operator, id) };
    },
  });
}

/** Into a conversation that is there, or as the beginning of one with a customer. */
const acceptanceBodySchema = z.union([
  acceptanceSchema,
  acceptanceSchema.omit({ conversationOf: true }).extend({ customerId: customerIdSchema }),
]);

/** The conversation must be there, or begin with this mail, and be one that the operator may see. */
async function conversationFor({
  deps,
  operator,
  params,
  body,
}: Call<z.infer<typeof acceptanceBodySchema>, undefined>): Promise<AcceptanceBody> {
  if ('customerId' in body) {
    const { customerId, reason } = body;
    policyOf(deps, operator, customerId);
    return { conversationOf: inquiryIdOf(customerId, { mailKey: heldMailKey(params['id'] ?? '') }), reason };
  }
  const { conversationOf: id } = body;
  const conversation = conversationOf(id);
  const isThere =
    conversation !== undefined && maySee(operator, conversation.customerId) && (await describe(deps, id)) !== undefined;
  if (!isThere) {
    throw new Problem('invalid-input', 'There is no such conversation.', [
      { path: 'conversationOf', message: 'is no incident and no inquiry' },
    ]);
  }
  return body;
}

export const mailboxRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/mailbox',
    summary: 'The mailbox that customers answer to: when it was read, what was taken, what keeps it',
    access: 'watch',
    answers: { 200: { description: 'As of this moment.', schema: mailboxSchema } },
    async handle({ deps, operator }) {
      const { is, state } = await readMailbox(deps);
      const trouble = state?.trouble ?? null;
      const seesAll = operator.customers === '*';
      return {
        status: 200,
        body: {
          state: is,
          readAt: state?.readAt ?? null,
          emptyAt: state?.emptyAt ?? null,
          counts: seesAll ? (state?.counts ?? { taken: 0, recorded: 0, reports: 0, held: 0, own: 0 }) : null,
          error:
            trouble === null
              ? null
              : {
                  since: trouble.since,
                  at: trouble.at,
                  message: seesAll ? trouble.message : null,
                  failures: trouble.failures,
                },
        },
      };
    },
  }),
  route({
    method: 'get',
    path: '/v1/mailbox/attention',
    summary: 'Mails that could not be matched or trusted, newest first',
    access: 'read',
    query: listQuerySchema,
    answers: { 200: { description: 'One page.', schema: listSchema } },
    async handle({ deps, operator, query }) {
      const page = await listRows(
        deps,
        'heldMail',
        // Whose pages are cut where others' mails are left out would learn how many there are.
        [...customerFilter(operator, undefined), ...equals(searchKeys.stage, query.state)],
        query.limit,
        query.pageToken,
      );
      const items = page.rows
        .flatMap((row) => heldSummarySchema.safeParse(row.memo['heldMail']).data ?? [])
        .filter((summary) => maySeeHeld(operator, summary));
      const { nextPageToken } = page;
      return { status: 200, body: { items, ...(nextPageToken === undefined ? {} : { nextPageToken }) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/mailbox/attention/:id',
    summary: 'One held mail, whole',
    access: 'read',
    answers: { 200: { description: 'The mail.', schema: heldSchema } },
    async handle({ deps, operator, params }) {
      return { status: 200, body: await read(deps, operator, params['id'] ?? '') };
    },
  }),
  commandRoute(
    'accept',
    'It belongs to this conversation, or begins one with this customer, on your word: it proves nothing by itself',
    acceptanceBodySchema,
    heldAcceptUpdate,
    conversationFor,
  ),
  commandRoute('dismiss', 'Nothing has to be done about it', reasonSchema, heldDismissUpdate, ({ body }) => body),
];
