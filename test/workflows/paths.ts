import assert from 'node:assert/strict';
import { Client } from '@temporalio/client';
import { until } from '../../simulator/testing.js';
import { ARCHIVER_ID } from '../../src/domain/archive/state.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { customerWorkflowId } from '../../src/domain/customers/record.js';
import { feedWorkflowId } from '../../src/domain/feed/view.js';
import { phoneWorkflowId } from '../../src/domain/phone/record.js';
import { DAY_MS } from '../../src/domain/time.js';
import { ensureAudit } from '../../src/temporal/audit-schedule.js';
import { listExecutions } from '../../src/temporal/executions.js';
import { ensureFeeds, tryRejectedAgain } from '../../src/temporal/feeds.js';
import { callEventSignal, phoneQuery } from '../../src/workflows/messages.js';
import { judgeAgain } from '../support/effects.js';
import { inPortal, newDevice } from '../support/devices.js';
import { instruction, verdict, type House, type Reply } from '../support/house.js';
import { HURRIED_LIVES } from './hurried-paths.js';
import { MAIL_LIVES } from './mail-paths.js';

/*
 * The paths of which a history is kept: every way that a workflow of this service can go.
 */

/**
 * `usual`; `hasty`: what takes days takes half a second; `forgetful`: continues as new every few events; `fed`: its
 * customers' alerts come in by themselves; `watchful`: looks at held devices all the time; `mailed`: reads its mailbox; `archived`: archives what is
 * closed.
 */
export type Kind = 'usual' | 'hasty' | 'forgetful' | 'fed' | 'watchful' | 'mailed' | 'archived';

/** A workflow whose history is to be kept. */
export interface Kept {
  as:
    | 'incident'
    | 'lead'
    | 'device'
    | 'phone'
    | 'archiver'
    | 'auditor'
    | 'first-incident'
    | 'first-run'
    | 'customer'
    | 'feed'
    | 'rejected'
    | 'exclusion'
    | 'inquiry'
    | 'held-mail'
    | 'strangers'
    | 'mailbox';
  workflowId: string;
  runId?: string;
}

export interface Path {
  house: Kind;
  live: (house: House, customerId: string) => Promise<Kept[]>;
}

function incident(workflowId: string): Kept {
  return { as: 'incident', workflowId };
}

function device(customerId: string, machineId: string): Kept {
  return { as: 'device', workflowId: deviceWorkflowId(customerId, machineId) };
}

const isOver = (house: House, id: string) =>
  until(`${id} ended`, async () => {
    const { status, runId } = await house.client.workflow.getHandle(id).describe();
    return status.name === 'COMPLETED' ? runId : undefined;
  });

async function lengthOf(house: House, workflowId: string): Promise<number> {
  return (await house.client.workflow.getHandle(workflowId).fetchHistory()).events?.length ?? 0;
}

function staged(house: House, id: string, stage: string) {
  return house.incidentWhen(id, stage, (view) => view.stage === stage, 30_000);
}

async function judged(house: House, customerId: string, body: unknown, alert: Record<string, unknown> = {}) {
  const { id } = await house.alert(customerId, alert);
  await house.command(id, 'triage', body);
  return id;
}

async function release(house: House, id: string, by = 'sato'): Promise<void> {
  await house.command(id, 'release', { instruction: instruction({ by }) });
  await staged(house, id, 'notified');
}

async function propose(house: House, customerId: string, set: Record<string, unknown>): Promise<string> {
  const { body } = await house.post(`/v1/customers/${customerId}/exclusions`, {
    conditions: { sha256: 'ab'.repeat(32) },
    reason: 'backup',
    expiresAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    set,
  });
  return String(body.id);
}

/** A command on an exclusion, by somebody other than its proposer. */
async function decide(house: House, id: string, command: string, body: unknown): Promise<void> {
  const { status } = await house.post(`/v1/exclusions/${encodeURIComponent(id)}/${command}`, body, { as: 'second' });
  assert.equal(status, 200);
}

function excludedWhen(house: House, id: string, holds: (exclusion: Reply['body']) => boolean) {
  return until(`${id} is so`, async () => {
    const { body } = await house.get(`/v1/exclusions/${encodeURIComponent(id)}`);
    return holds(body) ? true : undefined;
  });
}

const BARE = { detection: undefined, analysis: undefined, countermeasures: undefined };
const PREVENTED = { evidence: [{ entityType: 'File', fileName: 'a.exe', detectionStatus: 'Prevented' }] };

const LIVES = {
  'level-1': {
    house: 'hasty',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(1));
      await isOver(house, id);
      return [incident(id)];
    },
  },
  'level-2-closed-by-silence': {
    house: 'hasty',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(2));
      await isOver(house, id);
      return [incident(id)];
    },
  },
  conversation: {
    house: 'usual',
    live: async (house, acme) => {
      const asks = { judgement: 'undetermined', askCustomer: 'Is this tool yours?' };
      const id = await judged(house, acme, verdict(2, asks));
      await house.command(id, 'assign', { operatorId: 'analyst' });
      await staged(house, id, 'notified');
      await house.command(id, 'escalations', { message: 'More was found.' }, { headers: { 'Idempotency-Key': 'one' } });
      await staged(house, id, 'notified');
      const answer = { by: 'Sato', channel: 'mail', receivedAt: new Date().toISOString(), words: 'Yes.' };
      await house.command(id, 'answers', answer);
      await house.command(id, 'close', { reason: 'answered' });
      return [incident(id)];
    },
  },
  'level-3-released-closed': {
    house: 'hasty',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, { isolationSeconds: 0.2 });
      const id = await judged(house, acme, verdict(3), { machineId });
      await staged(house, id, 'awaiting-release');
      await release(house, id);
      await house.command(id, 'close', { reason: 'cleaned' });
      await isOver(house, id);
      return [incident(id), device(acme, machineId)];
    },
  },
  'level-4-with-phone': {
    house: 'usual',
    live: async (house, acme) => {
      const [machineId, second] = [await newDevice(house, acme, {}), await newDevice(house, acme, {})];
      const devices = [{ machineId: second, name: `pc-${second.slice(0, 6)}` }];
      const id = await judged(house, acme, verdict(4, { devices }), { machineId });
      await staged(house, id, 'awaiting-release');
      await release(house, id);
      return [incident(id), device(acme, second), { as: 'phone', workflowId: phoneWorkflowId(acme) }];
    },
  },
  'a-key-told-twice': {
    house: 'usual',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(4), { machineId: await newDevice(house, acme, {}) });
      await staged(house, id, 'awaiting-release');
      const phone = house.client.workflow.getHandle(phoneWorkflowId(acme));
      const told = await until('acknowledged', async () =>
        (await phone.query(phoneQuery)).calls.find(({ status }) => status === 'acknowledged'),
      );
      const { attempt, sid } = told;
      await phone.signal(callEventSignal, { attempt, sid: sid ?? '', status: 'in-progress', digits: '1' });
      return [{ as: 'phone', workflowId: phoneWorkflowId(acme) }];
    },
  },
  'out-of-scope': {
    house: 'usual',
    live: async (house, acme) => {
      const { id } = await house.alert(acme, { severity: 'Low' });
      await isOver(house, id);
      return [incident(id)];
    },
  },
  'came-into-scope': {
    house: 'usual',
    live: async (house, acme) => {
      const { id, alert } = await house.alert(acme, { severity: 'Low' });
      await isOver(house, id);
      const raised = await house.control('PATCH', `/sim/tenants/${house.tenantOf(acme)}/alerts/${alert.id}`, {
        severity: 'High',
      });
      await house.post(`/v1/customers/${acme}/alerts`, raised);
      await staged(house, id, 'awaiting-triage');
      return [incident(id)];
    },
  },
  neutralised: {
    house: 'usual',
    live: async (house, acme) => {
      const { id, alert } = await house.alert(acme);
      await staged(house, id, 'awaiting-triage');
      const path = `/sim/tenants/${house.tenantOf(acme)}/alerts/${alert.id}`;
      await house.post(`/v1/customers/${acme}/alerts`, await house.control('PATCH', path, PREVENTED));
      await isOver(house, id);
      return [incident(id)];
    },
  },
  'tuning-period': {
    house: 'usual',
    live: async (house) => {
      const id = await judged(house, house.customer('tuning'), verdict(3));
      await staged(house, id, 'notified');
      return [incident(id)];
    },
  },
  'awaiting-text': {
    house: 'usual',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(3, BARE));
      await house.incidentWhen(id, 'isolated', ({ devices }) => devices[0].isolation === 'isolated');
      await house.command(id, 'triage', verdict(3));
      await staged(house, id, 'awaiting-release');
      return [incident(id)];
    },
  },
  'changed-verdicts': {
    house: 'usual',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(2));
      await staged(house, id, 'notified');
      for (const level of [4, 3, 1] as const) {
        await judgeAgain(house, id, verdict(level));
        await staged(house, id, 'awaiting-release');
      }
      await house.command(id, 'release', { instruction: instruction() });
      await staged(house, id, 'closed');
      return [incident(id)];
    },
  },
  'two-incidents-on-one-device': {
    house: 'usual',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, {});
      const ids = [
        await judged(house, acme, verdict(3), { machineId }),
        await judged(house, acme, verdict(3), { machineId }),
      ];
      for (const id of ids) await staged(house, id, 'awaiting-release');
      const [first = '', second = ''] = ids;
      await release(house, first);
      const order = { instruction: instruction() };
      await house.post(`/v1/devices/${acme}/${machineId}/release`, order);
      await staged(house, second, 'notified');
      return [incident(second), device(acme, machineId), { as: 'first-incident', workflowId: first }];
    },
  },
  'offline-called-off': {
    house: 'usual',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, { online: false });
      const id = await judged(house, acme, verdict(3), { machineId });
      await house.incidentWhen(id, 'requested', ({ devices }) => devices[0].isolation === 'requested');
      await until('Defender has it', async () =>
        (await house.actions(acme)).some((action) => action.machineId === machineId) ? true : undefined,
      );
      await judgeAgain(house, id, verdict(2));
      await staged(house, id, 'notified');
      return [incident(id), device(acme, machineId)];
    },
  },
  'mail-rejected': {
    house: 'usual',
    live: async (house) => {
      const globex = house.customer('globex');
      await house.control('PUT', '/sim/mailboxes/security@globex.example', { rejects: 550 });
      const id = await judged(house, globex, verdict(2));
      await house.incidentWhen(id, 'failed', ({ attention }) => attention.includes('mail-rejected'));
      await house.control('PUT', '/sim/mailboxes/security@globex.example', { rejects: null });
      await judgeAgain(house, id, verdict(2));
      await house.incidentWhen(id, 'told', ({ attention }) => attention.length === 0);
      return [incident(id)];
    },
  },
  'rejected-signals': {
    house: 'usual',
    live: async (house, acme) => {
      const { id } = await house.alert(acme);
      const { connection, environment } = { connection: house.client.connection, environment: house.environment };
      const namespace = environment.namespace ?? 'default';
      const cli = new Client({ connection, namespace, identity: 'analyst@laptop' }).workflow.getHandle(id);
      await cli.signal('triage', { level: 9 });
      await cli.signal('no-such-signal', 'x');
      await house.incidentWhen(id, 'rejected', ({ attention }) => attention.includes('rejected-signal'));
      await cli.signal('triage', verdict(2));
      await staged(house, id, 'notified');
      return [incident(id)];
    },
  },
  'reopened-while-it-lingers': {
    house: 'usual',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(1));
      await staged(house, id, 'closed');
      await house.command(id, 'reopen', { reason: 'news' });
      await judgeAgain(house, id, verdict(2));
      await staged(house, id, 'notified');
      return [incident(id)];
    },
  },
  'reopened-after-its-end': {
    house: 'hasty',
    live: async (house, acme) => {
      const id = await judged(house, acme, verdict(1));
      await isOver(house, id);
      await house.command(id, 'reopen', { reason: 'news' });
      await judgeAgain(house, id, verdict(3));
      await staged(house, id, 'awaiting-release');
      return [incident(id)];
    },
  },
  'nobody-answers-nothing-isolates': {
    house: 'usual',
    live: async (house) => {
      const globex = house.customer('globex');
      await house.control('PUT', '/sim/phones/+442079460101', { answers: 'busy' });
      const machineId = await newDevice(house, globex, { isolationFails: true });
      const id = await judged(house, globex, verdict(4), { machineId });
      await staged(house, id, 'notified');
      return [incident(id), device(globex, machineId), { as: 'phone', workflowId: phoneWorkflowId(globex) }];
    },
  },
  'continued-as-new': {
    house: 'forgetful',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, {});
      const { id } = await house.alert(acme, { machineId });
      const firstRunId = (await house.client.workflow.getHandle(id).describe()).runId;
      await house.command(id, 'triage', verdict(3));
      await staged(house, id, 'awaiting-release');
      await release(house, id);
      await house.command(id, 'notes', { text: 'after the last run' });
      const deviceId = deviceWorkflowId(acme, machineId);
      await until('the newest runs have begun', async () => {
        const lengths = await Promise.all([id, deviceId].map(async (workflowId) => lengthOf(house, workflowId)));
        return lengths.every((length) => length > 4) ? lengths : undefined;
      });
      return [{ as: 'first-run', workflowId: id, runId: firstRunId }, incident(id), device(acme, machineId)];
    },
  },
  'told-of-what-was-stopped': {
    house: 'usual',
    live: async (house, acme) => {
      await ensureAudit(house.client, house.taskQueue, { lookEveryMs: 200, patienceMs: 1_000 });
      for (const serial of [1, 2]) {
        const { id } = await house.alert(acme);
        await house.client.workflow.getHandle(id).terminate(`stopped ${serial}`);
        await until('the SOC is told', async () =>
          (await house.mailKinds(id)).includes('soc-failure') ? id : undefined,
        );
      }
      const { info } = await house.client.schedule.getHandle('audit').describe();
      const { workflowId = '' } = info.runningActions[0]?.workflow ?? {};
      await until('it looks on', async () => ((await lengthOf(house, workflowId)) > 12 ? true : undefined));
      return [{ as: 'auditor', workflowId }];
    },
  },
  'archived-when-closed': {
    house: 'archived',
    live: async (house, acme) => {
      for (const serial of [1, 2]) {
        const { id } = await house.alert(acme);
        await house.command(id, 'triage', verdict(1));
        await until(`${serial} in the archive`, () => house.openArchive().findPlace(id));
      }
      await until('it looks on', async () => ((await lengthOf(house, ARCHIVER_ID)) > 18 ? true : undefined));
      return [{ as: 'archiver', workflowId: ARCHIVER_ID }];
    },
  },
  'tuning-period-at-run-time': {
    house: 'usual',
    live: async (house) => {
      const globex = house.customer('globex');
      const path = `/v1/customers/${globex}/tuning-periods`;
      const from = new Date().toISOString();
      const { body } = await house.post(path, { from, until: '2099-01-01T00:00:00Z', reason: 'They tune.' });
      const machineId = await newDevice(house, globex, {});
      const id = await judged(house, globex, verdict(3), { machineId });
      await staged(house, id, 'notified');
      await house.ask('DELETE', `${path}/${body.id}`, { reason: 'Done.' });
      await house.incidentWhen(id, 'asks an analyst', ({ attention }) => attention.length > 0);
      await judgeAgain(house, id, verdict(3));
      await staged(house, id, 'awaiting-release');
      const customer = customerWorkflowId(globex);
      await until(
        'whoever came meanwhile was told',
        async () => ((await lengthOf(house, customer)) > 20 ? true : undefined),
        20_000,
      );
      return [incident(id), { as: 'customer', workflowId: customer }];
    },
  },
  linked: {
    house: 'usual',
    live: async (house, acme) => {
      const [leadMachine, machineId] = [await newDevice(house, acme, {}), await newDevice(house, acme, {})];
      const lead = await judged(house, acme, verdict(3), { machineId: leadMachine });
      await staged(house, lead, 'awaiting-release');
      const { id } = await house.alert(acme, { machineId });
      await house.command(id, 'link', { leadIncidentId: lead });
      await house.command(id, 'triage', verdict(3));
      await staged(house, id, 'awaiting-release');
      const machineIds = [leadMachine, machineId];
      await house.command(lead, 'release', { machineIds, instruction: instruction() });
      await staged(house, id, 'notified');
      await staged(house, lead, 'notified');
      await house.command(id, 'unlink', {});
      await house.command(id, 'escalations', { message: 'On its own again.' });
      await staged(house, id, 'notified');
      return [incident(id), { as: 'lead', workflowId: lead }];
    },
  },
  'exclusion-asked-for': {
    house: 'usual',
    live: async (house, acme) => {
      const { id } = await house.alert(acme);
      const exclusion = await propose(house, acme, { ownFilter: true, defenderIndicator: true });
      const request = { by: 'Sato', channel: 'mail', receivedAt: new Date().toISOString(), words: 'Please.' };
      await decide(house, exclusion, 'request', request);
      await decide(house, exclusion, 'approve', {});
      await excludedWhen(house, exclusion, ({ state }) => state === 'confirmed');
      const expiresAt = new Date(Date.now() + 500).toISOString();
      await decide(house, exclusion, 'shorten', { expiresAt, reason: 'no longer needed' });
      await isOver(house, exclusion);
      return [{ as: 'exclusion', workflowId: exclusion }, incident(id)];
    },
  },
  'exclusion-withdrawn-while-it-is-set': {
    house: 'usual',
    live: async (house, acme) => {
      await house.control('POST', '/sim/faults', {
        target: 'defender',
        path: '/api/indicators',
        times: 4,
        status: 503,
      });
      const exclusion = await propose(house, acme, { ownFilter: true, defenderIndicator: true });
      await decide(house, exclusion, 'approve', {});
      await until('it is tried', async () => {
        const { items } = await house.control('GET', '/sim/requests?target=defender');
        const refused = items.filter(
          ({ path, status }: Reply['body']) => path.startsWith('/api/indicators') && status === 503,
        );
        return refused.length >= 2 ? true : undefined;
      });
      await decide(house, exclusion, 'withdraw', { reason: 'a mistake' });
      await isOver(house, exclusion);
      return [{ as: 'exclusion', workflowId: exclusion }];
    },
  },
  'exclusion-retried-and-continued-as-new': {
    house: 'forgetful',
    live: async (house, acme) => {
      await house.control('POST', '/sim/faults', {
        target: 'defender',
        path: '/api/indicators/import',
        // Also with a fresh token.
        times: 2,
        status: 403,
      });
      const exclusion = await propose(house, acme, { defenderIndicator: true });
      const firstRunId = (await house.client.workflow.getHandle(exclusion).describe()).runId;
      await decide(house, exclusion, 'approve', { reason: 'known' });
      await excludedWhen(house, exclusion, ({ attention }) => attention.length > 0);
      await until('the SOC is told', async () =>
        (await house.mails()).find(({ text }) => text.includes(exclusion)) === undefined ? undefined : true,
      );
      await decide(house, exclusion, 'retry', { reason: 'consented' });
      await excludedWhen(house, exclusion, ({ state }) => state === 'registered');
      await until('the newest run has begun', async () => {
        const { runId } = await house.client.workflow.getHandle(exclusion).describe();
        return runId !== firstRunId && (await lengthOf(house, exclusion)) > 4 ? runId : undefined;
      });
      await decide(house, exclusion, 'shorten', { expiresAt: new Date().toISOString(), reason: 'no longer needed' });
      await isOver(house, exclusion);
      return [
        { as: 'first-run', workflowId: exclusion, runId: firstRunId },
        { as: 'exclusion', workflowId: exclusion },
      ];
    },
  },
  'came-by-itself': {
    house: 'fed',
    live: async (house, acme) => {
      const odd = await house.raise(acme, { alertCreationTime: 'the day before' });
      const alert = await house.raise(acme, {});
      await until(
        'it is an incident',
        async () => {
          const { status } = await house.get(`/v1/incidents/${encodeURIComponent(`incident:${acme}:${alert.id}`)}`);
          return status === 200 ? true : undefined;
        },
        20_000,
      );
      const rejected = await until('the other is kept aside', async () => {
        const { executions } = await listExecutions(house.client, `WorkflowType = 'rejectedAlert'`, 10);
        return executions[0]?.workflowId;
      });
      await tryRejectedAgain(house.client);
      await until('it was tried again', async () => ((await lengthOf(house, rejected)) > 8 ? odd : undefined));
      house.policies.replace([]);
      const feed = feedWorkflowId(acme);
      await isOver(house, feed);
      return [
        { as: 'feed', workflowId: feed },
        { as: 'rejected', workflowId: rejected },
      ];
    },
  },
  'left-and-came-back': {
    house: 'fed',
    live: async (house, acme) => {
      const feed = feedWorkflowId(acme);
      const left = async () => {
        const backMs = Date.now();
        house.policies.replace(house.customers);
        await until('the feed has polled', async () => {
          await ensureFeeds(house, house.policies.customerIds());
          const { body } = await house.get('/v1/feeds');
          const { state, lastSuccessAt } = body.items.find((item: Reply['body']) => item.customerId === acme);
          return state === 'running' && Date.parse(lastSuccessAt) > backMs ? true : undefined;
        });
        house.policies.replace([]);
        return isOver(house, feed);
      };
      return [
        { as: 'first-run', workflowId: feed, runId: await left() },
        { as: 'feed', workflowId: feed, runId: await left() },
      ];
    },
  },
  'changed-elsewhere': {
    house: 'watchful',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, { isolationSeconds: 0.1 });
      const id = await judged(house, acme, verdict(3), { machineId });
      await staged(house, id, 'awaiting-release');
      const noticed = (isNoticed: boolean) =>
        house.incidentWhen(
          id,
          'noticed',
          ({ attention }) => attention.includes('isolation-changed-elsewhere') === isNoticed,
        );
      for (const type of ['unisolate', 'isolate', 'unisolate'] as const) {
        await inPortal(house, acme, machineId, type);
        await noticed(type === 'unisolate');
      }
      await house.post(`/v1/devices/${acme}/${machineId}/acknowledge`, { reason: 'agreed by phone' });
      await staged(house, id, 'notified');
      await house.command(id, 'close', { reason: 'cleaned' });
      return [incident(id), device(acme, machineId)];
    },
  },
} satisfies Record<string, Path>;

/** Lives that go another way since runs spare what nobody has a use for (`ways` in the records): each has both histories. */
const ALSO_SPARING = [
  'level-1',
  'conversation',
  'level-3-released-closed',
  'level-4-with-phone',
  'tuning-period',
  'changed-verdicts',
  'two-incidents-on-one-device',
  'offline-called-off',
  'reopened-after-its-end',
  'continued-as-new',
] as const;

export const PATHS: Readonly<Record<string, Path>> = {
  ...LIVES,
  ...MAIL_LIVES,
  ...HURRIED_LIVES,
  ...Object.fromEntries(ALSO_SPARING.map((name) => [`sparing-${name}`, LIVES[name]])),
};
