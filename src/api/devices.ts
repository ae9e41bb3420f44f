import { z } from 'zod';
import {
  acknowledgeAnswerSchema,
  deviceReleaseSchema,
  reasonSchema,
  releaseAnswerSchema,
  type Command,
  type CommandOutcome,
  type DeviceReleaseBody,
} from '../domain/commands.js';
import { instructionByMail } from '../domain/customer-mail/believed.js';
import { customerIdSchema } from '../domain/customer.js';
import { machineIdSchema } from '../domain/defender.js';
import { deviceViewSchema, type DeviceView } from '../domain/device/evolve.js';
import { deviceWorkflowId } from '../domain/device/record.js';
import { searchKeys } from '../domain/lists.js';
import { type Execution } from '../temporal/executions.js';
import {
  deviceAcknowledgeUpdate,
  deviceQuery,
  deviceReleaseUpdate,
  type CommandUpdate,
  type DeviceWorkflow,
} from '../workflows/messages.js';
import { describe, outcomeBefore, reach, sendCommand } from './gateway.js';
import { customerFilter, equals, listRows } from './lists.js';
import { checkTypedMail, mailsOnRecord } from './mail-instructions.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { ask } from './reading.js';
import { commandOf, route, type ApiDeps, type Call, type Route } from './route.js';

const listQuerySchema = z.strictObject({
  customer: customerIdSchema.optional(),
  isolated: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  pageToken: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'is not one that a list has given')
    .optional(),
});

const deviceListSchema = z
  .object({ items: z.array(deviceViewSchema), nextPageToken: z.string().optional() })
  .meta({ id: 'DeviceList' });

/** Still off the network, or on its way back. */
const ISOLATED = `('isolated', 'releasing')`;

function deviceIn({ operator, params }: Pick<Call<unknown, unknown>, 'operator' | 'params'>) {
  const { customerId = '', machineId = '' } = params;
  const isPossible = customerIdSchema.safeParse(customerId).success && machineIdSchema.safeParse(machineId).success;
  if (!isPossible || !maySee(operator, customerId)) {
    throw new Problem('unknown-device', `There is no device ${machineId}.`);
  }
  return { customerId, machineId, workflowId: deviceWorkflowId(customerId, machineId) };
}

/** A device that nobody has asked to isolate has no workflow, but incidents may name it. */
async function isNamed(deps: ApiDeps, customerId: string, machineId: string): Promise<boolean> {
  const filters = [...equals(searchKeys.customerId, customerId), ...equals(searchKeys.devices, machineId)];
  return (await listRows(deps, 'incident', filters, 1)).rows.length > 0;
}

async function readDevice(
  deps: ApiDeps,
  { customerId, machineId, workflowId }: ReturnType<typeof deviceIn>,
): Promise<DeviceView> {
  const asked = await ask(deps, () => deps.client.workflow.getHandle(workflowId).query(deviceQuery));
  if (asked.is === 'answered') return asked.view;
  const description = await describe(deps, workflowId);
  if (description === undefined) {
    if (!(await isNamed(deps, customerId, machineId))) {
      throw new Problem('unknown-device', `There is no device ${machineId}.`);
    }
    return { machineId, customerId, name: machineId, isolation: 'none', heldBy: [], action: null };
  }
  const shown = deviceViewSchema.safeParse(description.memo?.['summary']);
  if (shown.success) return shown.data;
  throw new Problem('worker-unavailable', 'No worker can be asked for this device.');
}

/** A row that cannot be read, or that no worker has looked at yet, is shown as far as its id goes, never dropped. */
export function viewIn(row: Execution): DeviceView {
  const parsed = deviceViewSchema.safeParse(row.memo['summary']);
  if (parsed.success) return parsed.data;
  const [, customerId = '', machineId = ''] = /^device:([^:]*):(.*)$/.exec(row.workflowId) ?? [];
  const isolation = row.isOpen ? 'requested' : 'none';
  return { machineId, customerId, name: machineId, isolation, heldBy: [], action: null };
}

/** The answer that a command with this key had before the device's workflow ended. */
async function answeredBefore(
  deps: ApiDeps,
  workflowId: string,
  command: Command<unknown>,
): Promise<CommandOutcome | undefined> {
  if (command.idempotency === undefined) return undefined;
  const description = await describe(deps, workflowId);
  if (description?.status.name !== 'COMPLETED') return undefined;
  // Of this run: an incident may have started the next one meanwhile, whose result is a long way off.
  const handle = deps.client.workflow.getHandle<DeviceWorkflow>(workflowId, description.runId);
  const { handled } = await reach(deps, () => handle.result());
  return outcomeBefore(handled, command);
}

/** In backticks: the word is one of SQL's own. */
export function isolatedFilter(isIsolated: boolean): string {
  return `\`${searchKeys.isolation.name}\` ${isIsolated ? 'IN' : 'NOT IN'} ${ISOLATED}`;
}

/** A command on a device; `nothing` says no where its workflow has ended by itself or never began: nobody holds it. */
async function commandDevice<Body>(
  call: Call<Body, unknown>,
  name: string,
  update: CommandUpdate<Body>,
  nothing: Problem,
  prepare: (call: Call<Body, unknown>) => Promise<Body> | Body = ({ body }) => body,
): Promise<CommandOutcome> {
  const device = deviceIn(call);
  const { command: asSent, deadlineMs } = commandOf(name, call);
  const command = { ...asSent, body: await prepare(call) };
  const sent = await sendCommand(call.deps, device.workflowId, update, command, deadlineMs);
  if (sent.state === 'done') return sent.outcome;
  const repeated = await answeredBefore(call.deps, device.workflowId, command);
  if (repeated !== undefined) return repeated;
  const { isolation, changedElsewhere } = await readDevice(call.deps, device);
  if (['requested', 'isolated', 'releasing'].includes(isolation) || changedElsewhere !== undefined) {
    throw new Problem(
      'device-stopped',
      "The device's workflow was stopped from outside while the device was not free. " +
        'Whoever runs the service can set it going again by a reset of the workflow; then send this again.',
    );
  }
  throw nothing;
}

/**
 * The customer's instruction as the device is to have it: a mail is looked up in the incidents that hold the device. One that
 * none of them has goes on as it was named, since the device may have carried out the command before.
 */
async function orderOf(call: Call<DeviceReleaseBody, unknown>): Promise<DeviceReleaseBody> {
  const { deps, body } = call;
  const { instruction } = body;
  if ('channel' in instruction && instruction.channel !== 'mail') return body;
  const device = deviceIn(call);
  const { heldBy } = await readDevice(deps, device);
  const mails = await mailsOnRecord(deps, heldBy);
  if ('channel' in instruction) {
    checkTypedMail(deps, device.customerId, mails, instruction);
    return body;
  }
  const contacts = deps.policies.find(device.customerId)?.customer.contacts ?? [];
  const answer = instructionByMail(mails, contacts, instruction);
  if (!('code' in answer)) return answer;
  if (answer.code === 'unknown-mail') return body;
  throw Problem.of(answer);
}

export const deviceRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/devices',
    summary: 'Devices that were ever asked to be isolated',
    access: 'read',
    query: listQuerySchema,
    answers: { 200: { description: 'One page.', schema: deviceListSchema } },
    async handle({ deps, operator, query }) {
      const filters = customerFilter(operator, query.customer);
      if (query.isolated !== undefined) filters.push(isolatedFilter(query.isolated === 'true'));
      const page = await listRows(deps, 'device', filters, query.limit, query.pageToken);
      const items = page.rows.map(viewIn);
      return {
        status: 200,
        body: { items, ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }) },
      };
    },
  }),
  route({
    method: 'get',
    path: '/v1/devices/:customerId/:machineId',
    summary: 'One device: isolated or not, for which incidents',
    access: 'read',
    answers: { 200: { description: 'The device.', schema: deviceViewSchema } },
    async handle(call) {
      return { status: 200, body: await readDevice(call.deps, deviceIn(call)) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/devices/:customerId/:machineId/release',
    summary: "Give a device back on the customer's instruction, for every incident that holds it",
    access: 'act',
    body: deviceReleaseSchema,
    isCommand: true,
    answers: { 200: { description: 'What becomes of the device.', schema: releaseAnswerSchema } },
    async handle(call) {
      const nothing = new Problem('nothing-to-release', 'No incident holds this device isolated.');
      const { devices = [] } = await commandDevice<DeviceReleaseBody>(
        call,
        'device-release',
        deviceReleaseUpdate,
        nothing,
        orderOf,
      );
      return { status: 200, body: { devices } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/devices/:customerId/:machineId/acknowledge',
    summary: 'Accept that somebody has released the device past this service, for every incident that holds it',
    access: 'act',
    body: reasonSchema,
    isCommand: true,
    answers: { 200: { description: 'When, and for which incidents.', schema: acknowledgeAnswerSchema } },
    async handle(call) {
      const nothing = new Problem('nothing-to-acknowledge', 'Nobody else has released this device while it was held.');
      const outcome = await commandDevice(call, 'device-acknowledge', deviceAcknowledgeUpdate, nothing);
      return { status: 200, body: { at: outcome.at, incidentIds: outcome.incidentIds ?? [] } };
    },
  }),
];
