import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { z } from 'zod';
import { sentContactSchema } from '../domain/policy.js';
import type { Command, CommandOutcome } from '../domain/commands.js';
import { tuningPeriodAt } from '../domain/customer.js';
import {
  customerWorkflowId,
  endTuningSchema,
  periodIdAt,
  periodsInForce,
  tuningSchema,
  type CustomerEntry,
  type RunTimePeriod,
} from '../domain/customers/record.js';
import { feedSchema } from '../domain/feed/view.js';
import { stages } from '../domain/incident/stage.js';
import { searchKeys } from '../domain/lists.js';
import type { Policy } from '../domain/policy.js';
import { toInstant, toMs } from '../domain/time.js';
import { customerStart } from '../temporal/customers.js';
import { runTimePeriods } from '../temporal/run-time-policy.js';
import { customerQuery, endTuningUpdate, setTuningUpdate, type CommandUpdate } from '../workflows/messages.js';
import { isolatedFilter, viewIn } from './devices.js';
import { readFeed } from './feeds.js';
import { reach } from './gateway.js';
import { equals, listRows } from './lists.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { ask } from './reading.js';
import { commandOf, policyOf, route, type ApiDeps, type Call, type Route } from './route.js';

const bilingualSchema = z.object({ en: z.string(), ja: z.string() });
const said = z.object({ actor: z.string(), reason: z.string(), at: z.string() });

const periodSchema = z
  .object({
    id: z.string(),
    from: z.string(),
    until: z.string(),
    source: z.enum(['file', 'run-time']).meta({ description: 'file: of the reviewed customers file, changed there.' }),
    holdsNow: z.boolean(),
    set: said.nullable(),
    ended: said.nullable(),
  })
  .meta({ id: 'TuningPeriod' });
type Period = z.infer<typeof periodSchema>;

const periodListSchema = z.object({ items: z.array(periodSchema) }).meta({ id: 'TuningPeriods' });

const briefSchema = z.object({
  id: z.string(),
  name: z.string(),
  language: z.enum(['ja', 'en']),
  timeZone: z.string(),
});
const customersSchema = z.object({ items: z.array(briefSchema) }).meta({ id: 'Customers' });

const customerSchema = briefSchema
  .extend({
    serviceStartsAt: z.string().nullable(),
    mail: z.object({ to: z.array(z.string()), cc: z.array(z.string()) }),
    contacts: z.array(sentContactSchema),
    defender: z.object({ tenantId: z.string(), pollIntervalSeconds: z.number(), alsoInScope: z.array(z.string()) }),
    tuningPeriods: z.array(periodSchema),
    isolationAllowed: z.boolean().meta({ description: 'False inside a tuning period.' }),
    feed: feedSchema,
    openIncidents: z.record(z.enum(stages), z.int()).meta({ description: 'How many, by stage.' }),
    isolatedDevices: z.array(z.object({ machineId: z.string(), name: z.string() })),
    timeline: z.array(z.object({ at: z.string(), actor: z.string(), type: z.string(), text: bilingualSchema })),
  })
  .meta({ id: 'Customer' });

function fromFile({ customer }: Policy, now: string): Period[] {
  return customer.tuningPeriods.map(({ from, until }, index) => ({
    id: `file-${index + 1}`,
    from,
    until,
    source: 'file',
    holdsNow: tuningPeriodAt([{ from, until }], now) !== undefined,
    set: null,
    ended: null,
  }));
}

function atRunTime(period: RunTimePeriod, now: string): Period {
  const { id, from, until, set, ended } = period;
  return {
    id,
    from,
    until,
    source: 'run-time',
    holdsNow: tuningPeriodAt(periodsInForce([period]), now) !== undefined,
    set,
    ended,
  };
}

async function periodsOf(deps: ApiDeps, policy: Policy): Promise<Period[]> {
  const now = toInstant(Date.now());
  const periods = await reach(deps, () => runTimePeriods(deps.client, policy.customer.id));
  return [...fromFile(policy, now), ...periods.map((period) => atRunTime(period, now))].sort(
    (a, b) => toMs(a.from) - toMs(b.from),
  );
}

/** One command to the customer's workflow, which is started by the first. */
async function send<Body>(
  deps: ApiDeps,
  customerId: string,
  update: CommandUpdate<Body>,
  { command, deadlineMs }: { command: Command<Body>; deadlineMs: number },
): Promise<CommandOutcome> {
  const startWorkflowOperation = new WithStartWorkflowOperation('customer', {
    ...customerStart(deps.taskQueue, customerId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    // It never ends by itself: one that has ended was stopped, and a new one would know of no period.
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  });
  try {
    return await reach(
      deps,
      () =>
        deps.client.workflow.executeUpdateWithStart(update, {
          startWorkflowOperation,
          args: [command],
          updateId: randomUUID(),
        }),
      deadlineMs,
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new Problem(
      'customer-stopped',
      "The customer's workflow was stopped from outside: it can be set going again by a reset; then send this again.",
    );
  }
}

async function setPeriod(call: Call<z.infer<typeof tuningSchema>, undefined>): Promise<Period> {
  const { deps, operator, params, body } = call;
  const customerId = params['customerId'] ?? '';
  policyOf(deps, operator, customerId);
  const sent = commandOf(setTuningUpdate.name, call);
  const { revision, at } = await send(deps, customerId, setTuningUpdate, sent);
  const { from, until, reason } = body;
  return {
    id: periodIdAt(revision),
    from,
    until,
    source: 'run-time',
    holdsNow: tuningPeriodAt([{ from, until }], toInstant(Date.now())) !== undefined,
    set: { actor: operator.id, reason, at },
    ended: null,
  };
}

const reasonOnlySchema = endTuningSchema.pick({ reason: true });

async function countOpen(deps: ApiDeps, customerId: string): Promise<Record<(typeof stages)[number], number>> {
  const counts = await Promise.all(
    stages.map(async (stage) => {
      const query = [
        `WorkflowType = 'incident' AND ExecutionStatus = 'Running'`,
        ...equals(searchKeys.customerId, customerId),
        ...equals(searchKeys.stage, stage),
      ].join(' AND ');
      return [stage, (await reach(deps, () => deps.client.workflow.count(query))).count] as const;
    }),
  );
  const found = new Map(counts);
  const of = (stage: (typeof stages)[number]) => found.get(stage) ?? 0;
  return {
    'awaiting-triage': of('awaiting-triage'),
    responding: of('responding'),
    notified: of('notified'),
    'awaiting-release': of('awaiting-release'),
    closed: of('closed'),
  };
}

const MAX_DEVICES = 200;

/** Who set and ended what; nothing while no worker can be asked, or where nothing was ever set. */
async function readTimeline(deps: ApiDeps, customerId: string): Promise<CustomerEntry[]> {
  const asked = await ask(deps, () =>
    deps.client.workflow.getHandle(customerWorkflowId(customerId)).query(customerQuery),
  );
  return asked.is === 'answered' ? asked.view.timeline : [];
}

export const customerRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/customers',
    summary: 'The customers of the file',
    access: 'read',
    answers: { 200: { description: 'Those that the caller may see.', schema: customersSchema } },
    handle({ deps, operator }) {
      const items = deps.policies.customerIds().flatMap((id) => {
        const customer = maySee(operator, id) ? deps.policies.find(id)?.customer : undefined;
        if (customer === undefined) return [];
        const { name, language, timeZone } = customer;
        return [{ id, name, language, timeZone }];
      });
      return Promise.resolve({ status: 200, body: { items } });
    },
  }),
  route({
    method: 'get',
    path: '/v1/customers/:customerId',
    summary: 'One customer: contacts, policy in force, feed, open incidents, isolated devices',
    access: 'read',
    answers: { 200: { description: 'The customer.', schema: customerSchema } },
    async handle({ deps, operator, params }) {
      const id = params['customerId'] ?? '';
      const policy = policyOf(deps, operator, id);
      const { customer } = policy;
      const isolated = [...equals(searchKeys.customerId, id), isolatedFilter(true)];
      const [tuningPeriods, feed, openIncidents, devices, timeline] = await Promise.all([
        periodsOf(deps, policy),
        readFeed(deps, id),
        countOpen(deps, id),
        listRows(deps, 'device', [...isolated, "ExecutionStatus = 'Running'"], MAX_DEVICES),
        readTimeline(deps, id),
      ]);
      const body = {
        id,
        name: customer.name,
        language: customer.language,
        timeZone: customer.timeZone,
        serviceStartsAt: customer.serviceStartsAt ?? null,
        mail: customer.mail,
        contacts: customer.contacts,
        defender: {
          tenantId: customer.defender.tenantId,
          pollIntervalSeconds: customer.defender.pollIntervalSeconds,
          alsoInScope: customer.defender.alsoInScope,
        },
        tuningPeriods,
        isolationAllowed: !tuningPeriods.some(({ holdsNow }) => holdsNow),
        feed,
        openIncidents,
        isolatedDevices: devices.rows.map(viewIn).map(({ machineId, name }) => ({ machineId, name })),
        timeline,
      };
      return { status: 200, body };
    },
  }),
  route({
    method: 'get',
    path: '/v1/customers/:customerId/tuning-periods',
    summary: 'Tuning periods: no isolation inside',
    access: 'read',
    answers: { 200: { description: 'Of the file and set at run time, by their beginning.', schema: periodListSchema } },
    async handle({ deps, operator, params }) {
      const policy = policyOf(deps, operator, params['customerId'] ?? '');
      return { status: 200, body: { items: await periodsOf(deps, policy) } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/customers/:customerId/tuning-periods',
    summary: 'Set a tuning period; isolations under way are called off when it begins',
    access: 'act',
    body: tuningSchema,
    isCommand: true,
    answers: { 201: { description: 'The period.', schema: periodSchema } },
    async handle(call) {
      return { status: 201, body: await setPeriod(call) };
    },
  }),
  route({
    method: 'delete',
    path: '/v1/customers/:customerId/tuning-periods/:periodId',
    summary: 'End a tuning period that was set at run time; isolates nobody by itself',
    access: 'act',
    body: reasonOnlySchema,
    isCommand: true,
    answers: { 200: { description: 'The periods as they are now.', schema: periodListSchema } },
    async handle(call) {
      const { deps, operator, params, body, request, query } = call;
      const customerId = params['customerId'] ?? '';
      const periodId = params['periodId'] ?? '';
      const policy = policyOf(deps, operator, customerId);
      if (periodId.startsWith('file-')) {
        throw new Problem('set-by-file', 'This period is of the customers file, where it is changed.');
      }
      const ending = { deps, operator, params, query, request, body: { periodId, reason: body.reason } };
      await send(deps, customerId, endTuningUpdate, commandOf(endTuningUpdate.name, ending));
      return { status: 200, body: { items: await periodsOf(deps, policy) } };
    },
  }),
];
