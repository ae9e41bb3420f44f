import { z } from 'zod';
import { alertChangesSchema } from '../defender/alert.js';
import { machineChangesSchema } from '../defender/machine.js';
import { tenantChangesSchema, type Tenant } from '../defender/tenant.js';
import { faultSchema } from '../faults.js';
import { empty, json, type Reply } from '../http/reply.js';
import type { HttpRequest } from '../http/request.js';
import { matchRoute, type RouteShape } from '../http/router.js';
import { mailboxView } from '../imap/delivery.js';
import { targets } from '../requests.js';
import { phoneSchema } from '../twilio/phones.js';
import type { World } from '../world.js';
import { bulkSchema, bulkUpdateSchema, changeInBulk, raiseInBulk } from './bulk.js';
import { checkInput, InvalidInput, readInput } from './input.js';
import { putMail } from './mails.js';
import { callView, machineView, tenantView } from './views.js';

export const isControlPath = (path: string): boolean => /^\/sim(\/|$)/.test(path);

interface ControlCall {
  request: HttpRequest;
  world: World;
  param: (name: string) => string;
}

interface ControlRoute extends RouteShape {
  handle: (call: ControlCall) => Reply | Promise<Reply>;
}

const items = (list: readonly unknown[]): Reply => json(200, { items: list });

const notFound = (what: string): Reply => json(404, { errors: [{ path: '', message: `There is no ${what}.` }] });

const tenantOf = ({ world, param }: ControlCall): Tenant => world.tenants.get(param('tenantId'));

const refusalSchema = z.strictObject({
  rejects: z.int().min(400).max(599).nullable(),
  message: z.string().min(1).default('The mailbox is unavailable'),
});

const raiseAlert = (call: ControlCall): Reply => {
  const given = readInput(call.request, alertChangesSchema);
  const tenant = tenantOf(call);
  if (given.id !== undefined && tenant.alerts.has(given.id))
    throw new InvalidInput([{ path: 'id', message: 'There is an alert with this id; PATCH changes it.' }]);
  return json(201, tenant.raiseAlert(given));
};

const changeAlert = (call: ControlCall): Reply => {
  const tenant = tenantOf(call);
  const alert = tenant.alerts.get(call.param('alertId'));
  if (alert === undefined) return notFound('such alert in this tenant');
  const changes = readInput(call.request, alertChangesSchema);
  if (changes.id !== undefined && changes.id !== alert.id)
    throw new InvalidInput([{ path: 'id', message: 'An alert keeps its id.' }]);
  tenant.changeAlert(alert, changes);
  return json(200, alert);
};

const portalSchema = z.strictObject({ type: z.enum(['isolate', 'unisolate']) });

/** By hand, as an administrator does it; what runs on the machine stands in the way there too. */
const actInPortal = (call: ControlCall): Reply => {
  const { type } = readInput(call.request, portalSchema);
  const { id, machines, machineActions } = tenantOf(call);
  const machine = machines.get(call.param('machineId'));
  if (machine === undefined) return notFound('such machine in this tenant');
  if (machineActions.isBusy(machine))
    throw new InvalidInput([{ path: 'type', message: 'Another action is under way on it.' }]);
  const action = machineActions.start({
    type: type === 'isolate' ? 'Isolate' : 'Unisolate',
    machine,
    comment: 'By hand, in the portal',
    scope: type === 'isolate' ? 'Full' : null,
    requestor: `admin@${id}.example`,
    requestSource: 'Portal',
  });
  return json(201, action);
};

const putMailbox = ({ request, world, param }: ControlCall): Reply => {
  const { rejects, message } = readInput(request, refusalSchema);
  const refusal = rejects === null ? null : { rejects, message };
  world.mailboxes.refuse(param('address'), refusal);
  return json(200, { address: param('address'), ...(refusal ?? { rejects: null }) });
};

const putPhone = ({ request, world, param }: ControlCall): Reply => {
  const phone = readInput(request, phoneSchema);
  world.telephone.setPhone(param('number'), phone);
  return json(200, phone);
};

const addFault = ({ request, world }: ControlCall): Reply => {
  const fault = readInput(request, faultSchema);
  const { refuseMs } = fault;
  if (refuseMs === undefined) return json(201, world.faults.add(fault));
  const { http, imap, smtp } = world.doors;
  const door = fault.target === 'smtp' ? smtp : fault.target === 'imap' ? imap : http;
  return { ...json(201, fault), afterwards: () => door?.shut(refuseMs) };
};

const listRequests = ({ request, world }: ControlCall): Reply => {
  const { target } = checkInput(
    Object.fromEntries(request.query),
    z.strictObject({ target: z.enum(targets).optional() }),
  );
  return items(world.requests.list(target));
};

const tenant = '/sim/tenants/{tenantId}';

const routes: readonly ControlRoute[] = [
  {
    method: 'GET',
    pattern: '/sim',
    handle: () => items(routes.map(({ method, pattern }) => `${method} ${pattern}`)),
  },
  { method: 'GET', pattern: tenant, handle: (call) => json(200, tenantView(tenantOf(call))) },
  {
    method: 'PATCH',
    pattern: tenant,
    handle: (call) => {
      const changes = readInput(call.request, tenantChangesSchema);
      const changed = tenantOf(call);
      changed.settings = { ...changed.settings, ...changes };
      return json(200, tenantView(changed));
    },
  },
  { method: 'GET', pattern: `${tenant}/alerts`, handle: (call) => items([...tenantOf(call).alerts.values()]) },
  { method: 'POST', pattern: `${tenant}/alerts`, handle: raiseAlert },
  { method: 'PATCH', pattern: `${tenant}/alerts/{alertId}`, handle: changeAlert },
  {
    method: 'POST',
    pattern: `${tenant}/alerts/bulk`,
    handle: (call) => json(201, raiseInBulk(tenantOf(call), readInput(call.request, bulkSchema))),
  },
  {
    method: 'POST',
    pattern: `${tenant}/alerts/bulk-update`,
    handle: (call) => json(200, changeInBulk(tenantOf(call), readInput(call.request, bulkUpdateSchema))),
  },
  {
    method: 'GET',
    pattern: `${tenant}/machines`,
    handle: (call) => items([...tenantOf(call).machines.values()].map(machineView)),
  },
  {
    method: 'PATCH',
    pattern: `${tenant}/machines/{machineId}`,
    handle: (call) => {
      const changes = readInput(call.request, machineChangesSchema);
      return json(200, machineView(tenantOf(call).changeMachine(call.param('machineId'), changes)));
    },
  },
  { method: 'POST', pattern: `${tenant}/machines/{machineId}/portal`, handle: actInPortal },
  {
    method: 'GET',
    pattern: `${tenant}/machineactions`,
    handle: (call) => items(tenantOf(call).machineActions.list()),
  },
  { method: 'GET', pattern: `${tenant}/indicators`, handle: (call) => items(tenantOf(call).indicators.list()) },
  { method: 'GET', pattern: '/sim/requests', handle: listRequests },
  { method: 'GET', pattern: '/sim/mails', handle: ({ world }) => items(world.mailboxes.list()) },
  {
    method: 'POST',
    pattern: '/sim/mails',
    handle: async ({ request, world }) => json(201, await putMail(readInput(request, z.unknown()), world)),
  },
  { method: 'GET', pattern: '/sim/mailbox', handle: ({ world }) => json(200, mailboxView(world.mailbox)) },
  {
    method: 'POST',
    pattern: '/sim/mailbox/uidvalidity',
    handle: ({ world }) => {
      world.mailbox.changeUidValidity();
      return json(200, mailboxView(world.mailbox));
    },
  },
  { method: 'PUT', pattern: '/sim/mailboxes/{address}', handle: putMailbox },
  { method: 'GET', pattern: '/sim/calls', handle: ({ world }) => items(world.telephone.calls().map(callView)) },
  {
    method: 'GET',
    pattern: '/sim/phones/{number}',
    handle: ({ world, param }) => json(200, world.telephone.phone(param('number'))),
  },
  { method: 'PUT', pattern: '/sim/phones/{number}', handle: putPhone },
  { method: 'GET', pattern: '/sim/faults', handle: ({ world }) => items(world.faults.list()) },
  { method: 'POST', pattern: '/sim/faults', handle: addFault },
  {
    method: 'DELETE',
    pattern: '/sim/faults',
    handle: ({ world }) => {
      world.endFaults();
      return empty(204);
    },
  },
  {
    method: 'DELETE',
    pattern: '/sim/faults/{faultId}',
    handle: ({ world, param }) => (world.faults.remove(param('faultId')) ? empty(204) : notFound('such fault')),
  },
  {
    method: 'POST',
    pattern: '/sim/reset',
    handle: ({ world }) => {
      world.reset();
      return empty(204);
    },
  },
];

export const answerControl = async (request: HttpRequest, world: World): Promise<Reply> => {
  const match = matchRoute(routes, request.method, request.path);
  if (match.kind === 'none') return notFound('such control path; GET /sim lists them');
  if (match.kind === 'other-method') return empty(405, { allow: match.allow.join(', ') });
  try {
    return await match.route.handle({ request, world, param: match.param });
  } catch (error) {
    if (error instanceof InvalidInput) return json(422, { errors: error.errors });
    throw error;
  }
};
