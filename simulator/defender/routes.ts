import { z } from 'zod';
import type { HttpRequest } from '../http/request.js';
import { empty, json, type Reply } from '../http/reply.js';
import type { RouteShape } from '../http/router.js';
import type { Caller } from './access.js';
import type { Alert } from './alert.js';
import { alertUpdateSchema, batchDeleteSchema, commentSchema, importSchema, isolateSchema, readBody } from './body.js';
import { defenderHeaders, DefenderRefusal } from './errors.js';
import type { Indicator } from './indicator.js';
import { largestBatch } from './indicators.js';
import type { MachineAction, MachineActionType } from './machine-actions.js';
import type { Machine } from './machine.js';
import type { Row } from './odata-filter.js';
import { answerList, odataContext, type ListShape } from './odata-list.js';

export interface DefenderCall {
  request: HttpRequest;
  caller: Caller;
  param: (name: string) => string;
}

export interface DefenderRoute extends RouteShape {
  /** One of these application permissions is needed. */
  roles: readonly string[];
  /** Takes many things at once, and is limited to fewer calls. */
  isBatch?: boolean;
  handle: (call: DefenderCall) => Reply;
}

const alerts: ListShape = {
  entitySet: 'Alerts',
  newestBy: 'alertCreationTime',
  fields: {
    alertCreationTime: 'date',
    lastUpdateTime: 'date',
    lastEventTime: 'date',
    incidentId: 'int',
    InvestigationId: 'int',
    investigationId: 'int',
    id: 'string',
    assignedTo: 'string',
    detectionSource: 'string',
    status: 'string',
    severity: 'string',
    category: 'string',
  },
};

const machines: ListShape = {
  entitySet: 'Machines',
  newestBy: 'lastSeen',
  fields: {
    computerDnsName: 'string',
    id: 'string',
    version: 'string',
    deviceValue: 'string',
    aadDeviceId: 'guid',
    lastSeen: 'date',
    exposureLevel: 'string',
    onboardingStatus: 'string',
    lastIpAddress: 'string',
    healthStatus: 'string',
    osPlatform: 'string',
    riskScore: 'string',
    rbacGroupId: 'int',
  },
};

const machineActions: ListShape = {
  entitySet: 'MachineActions',
  newestBy: 'creationDateTimeUtc',
  fields: {
    id: 'guid',
    status: 'string',
    machineId: 'string',
    type: 'string',
    requestor: 'string',
    creationDateTimeUtc: 'date',
  },
};

const indicators: ListShape = {
  entitySet: 'Indicators',
  newestBy: 'creationTimeDateTimeUtc',
  fields: {
    application: 'string',
    createdByDisplayName: 'string',
    createdBy: 'string',
    expirationTime: 'date',
    title: 'string',
    indicatorValue: 'string',
    indicatorType: 'string',
    creationTimeDateTimeUtc: 'date',
    action: 'string',
    severity: 'string',
  },
};

const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const ok = (body: Row): Reply => json(200, body, defenderHeaders());

const entity = (shape: ListShape, resource: object, status = 200): Reply =>
  json(status, { '@odata.context': odataContext(`${shape.entitySet}/$entity`), ...resource }, defenderHeaders());

/** `evidence` is there only for those who ask for it. */
const expandAlert = (alert: Alert, request: HttpRequest): Alert =>
  request.query.get('$expand') === 'evidence' ? alert : { ...alert, evidence: [] };

const alertOf = ({ caller, param }: DefenderCall): Alert => {
  const id = param('alertId');
  const alert = caller.tenant.alerts.get(id);
  if (alert === undefined) throw new DefenderRefusal(404, 'ResourceNotFound', `Alert ${id} was not found`);
  return alert;
};

const machineOf = ({ caller, param }: DefenderCall): Machine => {
  const id = param('machineId');
  const machine = caller.tenant.findMachine(id);
  if (machine === undefined) throw new DefenderRefusal(404, 'ResourceNotFound', `Machine ${id} was not found`);
  return machine;
};

/** @returns undefined for one that is not there, which Defender answers with an empty body */
const machineActionOf = ({ caller, param }: DefenderCall): MachineAction | undefined => {
  const id = param('machineActionId');
  if (!guid.test(id))
    throw new DefenderRefusal(400, 'BadRequest', `The key value '${id}' should be format of type 'Edm.Guid'.`);
  return caller.tenant.machineActions.findVisible(id);
};

const updateAlert = (call: DefenderCall): Reply => {
  const alert = alertOf(call);
  const { comment, ...changes } = readBody(call.request, alertUpdateSchema);
  const now = new Date().toISOString();
  const comments =
    comment === undefined
      ? alert.comments
      : [...alert.comments, { comment, createdBy: call.caller.applicationId, createdTime: now }];
  const resolvedTime = changes.status === 'Resolved' ? now : changes.status === undefined ? alert.resolvedTime : null;
  call.caller.tenant.changeAlert(alert, { ...changes, comments, resolvedTime });
  return entity(alerts, expandAlert(alert, call.request));
};

const startAction = (call: DefenderCall, type: MachineActionType, comment: string, scope: string | null): Reply => {
  const machine = machineOf(call);
  const { tenant, applicationId } = call.caller;
  if (!machine.canBeIsolated)
    throw new DefenderRefusal(
      400,
      'OsPlatformNotSupported',
      `The action is not supported on ${machine.resource.osPlatform}.`,
    );
  if (tenant.machineActions.isBusy(machine))
    throw new DefenderRefusal(400, 'ActiveRequestAlreadyExists', 'Action is already in progress');
  const action = tenant.machineActions.start({
    type,
    machine,
    comment,
    scope,
    requestor: applicationId,
    requestSource: 'PublicApi',
  });
  return entity(machineActions, action, 201);
};

const cancelAction = (call: DefenderCall): Reply => {
  const action = machineActionOf(call);
  if (action === undefined) return empty(404);
  const { Comment } = readBody(call.request, commentSchema);
  const { tenant, applicationId } = call.caller;
  if (!tenant.machineActions.cancel(action, applicationId, Comment))
    throw new DefenderRefusal(400, 'BadRequest', `The action cannot be cancelled: its status is ${action.status}.`);
  return entity(machineActions, action);
};

const noSuchIndicator = (id: string): DefenderRefusal =>
  new DefenderRefusal(404, 'ResourceNotFound', `Indicator ${id} was not found`);

const indicatorOf = ({ caller, param }: DefenderCall): Indicator => {
  const id = param('indicatorId');
  const indicator = caller.tenant.indicators.find(id);
  if (indicator === undefined) throw noSuchIndicator(id);
  return indicator;
};

const submitIndicator = ({ request, caller }: DefenderCall): Reply =>
  entity(indicators, caller.tenant.indicators.submit(readBody(request, z.unknown()), caller.applicationId));

const limitBatch = (received: number): void => {
  if (received > largestBatch)
    throw new DefenderRefusal(
      400,
      'MaximumBatchSizeExceeded',
      `Maximum batch size exceeded. Received: ${received}, allowed: ${largestBatch}.`,
    );
};

const importIndicators = ({ request, caller }: DefenderCall): Reply => {
  const { Indicators } = readBody(request, importSchema);
  limitBatch(Indicators.length);
  return ok({ value: caller.tenant.indicators.import(Indicators, caller.applicationId) });
};

/** All of them, or none where one is unknown. */
const deleteIndicators = ({ request, caller }: DefenderCall): Reply => {
  const { IndicatorIds } = readBody(request, batchDeleteSchema);
  limitBatch(IndicatorIds.length);
  const { indicators: known } = caller.tenant;
  const unknown = IndicatorIds.find((id) => known.find(id) === undefined);
  if (unknown !== undefined) throw noSuchIndicator(unknown);
  for (const id of IndicatorIds) known.remove(id);
  return empty(204);
};

const readAlerts = ['Alert.Read.All', 'Alert.ReadWrite.All'];
const readMachines = ['Machine.Read.All', 'Machine.ReadWrite.All'];
const isolate = ['Machine.Isolate'];
const writeIndicators = ['Ti.ReadWrite', 'Ti.ReadWrite.All'];

export const defenderRoutes: readonly DefenderRoute[] = [
  {
    method: 'GET',
    pattern: '/api/alerts',
    roles: readAlerts,
    handle: ({ request, caller }) => {
      const { alertOrder: order, alertsPerAnswer: most } = caller.tenant.settings;
      const all = [...caller.tenant.alerts.values()];
      return ok(answerList(all, request, alerts, (alert) => expandAlert(alert, request), { order, most }));
    },
  },
  {
    method: 'GET',
    pattern: '/api/alerts/{alertId}',
    roles: readAlerts,
    handle: (call) => entity(alerts, expandAlert(alertOf(call), call.request)),
  },
  { method: 'PATCH', pattern: '/api/alerts/{alertId}', roles: ['Alert.ReadWrite.All'], handle: updateAlert },
  {
    method: 'GET',
    pattern: '/api/machines',
    roles: readMachines,
    handle: ({ request, caller }) =>
      ok(
        answerList(
          [...caller.tenant.machines.values()].map((machine) => ({ ...machine.resource })),
          request,
          machines,
        ),
      ),
  },
  {
    method: 'GET',
    pattern: '/api/machines/{machineId}',
    roles: readMachines,
    handle: (call) => entity(machines, machineOf(call).resource),
  },
  {
    method: 'POST',
    pattern: '/api/machines/{machineId}/isolate',
    roles: isolate,
    handle: (call) => {
      const { Comment, IsolationType } = readBody(call.request, isolateSchema);
      return startAction(call, 'Isolate', Comment, IsolationType);
    },
  },
  {
    method: 'POST',
    pattern: '/api/machines/{machineId}/unisolate',
    roles: isolate,
    handle: (call) => startAction(call, 'Unisolate', readBody(call.request, commentSchema).Comment, null),
  },
  {
    method: 'GET',
    pattern: '/api/machineactions',
    roles: readMachines,
    handle: ({ request, caller }) =>
      ok(
        answerList(
          caller.tenant.machineActions.listVisible().map((action) => ({ ...action })),
          request,
          machineActions,
        ),
      ),
  },
  {
    method: 'GET',
    pattern: '/api/machineactions/{machineActionId}',
    roles: readMachines,
    handle: (call) => {
      const action = machineActionOf(call);
      return action === undefined ? empty(404) : entity(machineActions, action);
    },
  },
  {
    method: 'POST',
    pattern: '/api/machineactions/{machineActionId}/cancel',
    roles: isolate,
    handle: cancelAction,
  },
  {
    method: 'GET',
    pattern: '/api/indicators',
    roles: writeIndicators,
    handle: ({ request, caller }) => ok(answerList(caller.tenant.indicators.list(), request, indicators)),
  },
  { method: 'POST', pattern: '/api/indicators', roles: writeIndicators, handle: submitIndicator },
  {
    method: 'POST',
    pattern: '/api/indicators/import',
    roles: writeIndicators,
    isBatch: true,
    handle: importIndicators,
  },
  {
    method: 'POST',
    pattern: '/api/indicators/BatchDelete',
    roles: writeIndicators,
    isBatch: true,
    handle: deleteIndicators,
  },
  {
    method: 'GET',
    pattern: '/api/indicators/{indicatorId}',
    roles: writeIndicators,
    handle: (call) => entity(indicators, indicatorOf(call)),
  },
  {
    method: 'DELETE',
    pattern: '/api/indicators/{indicatorId}',
    roles: writeIndicators,
    handle: (call) => {
      call.caller.tenant.indicators.remove(indicatorOf(call).id);
      return empty(204);
    },
  },
];
