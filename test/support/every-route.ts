import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { escalated, tokenAddress } from './customer-mail.js';
import { instruction, verdict, type House } from './house.js';

/*
 * Every route of the OpenAPI document, with something of one customer that it can be asked for. A route that is new fails here
 * until it is said what it takes.
 */

/** What there is of one customer. */
export interface Scene {
  customerId: string;
  incident: string;
  machineId: string;
  exclusion: string;
  inquiry: string;
  held: string;
}

export interface Asking {
  method: string;
  /** As the document has it. */
  template: string;
  path: string;
  body?: unknown;
  /** Who may, as the document says. */
  roles: string[];
}

const AT = '2026-01-01T00:00:00Z';
const ANSWER = { by: 'a', channel: 'mail', receivedAt: AT, words: 'w' };
const REASON = { reason: 'r' };

/** A proposal that any customer may make. */
export const EXCLUSION = {
  conditions: { fileName: 'backup.exe' },
  reason: 'r',
  expiresAt: new Date(Date.now() + 60_000_000).toISOString(),
  set: { ownFilter: true },
};

const BODIES: Readonly<Record<string, (scene: Scene) => unknown>> = {
  'POST /v1/customers/{customerId}/alerts': () => ({ id: 'da-access', alertCreationTime: AT }),
  'POST /v1/incidents/{id}/triage': () => verdict(1),
  'POST /v1/incidents/{id}/escalations': () => ({ message: 'm' }),
  'POST /v1/incidents/{id}/answers': () => ANSWER,
  'POST /v1/incidents/{id}/release': () => ({ instruction: instruction() }),
  'POST /v1/incidents/{id}/assign': () => ({ operatorId: 'analyst' }),
  'POST /v1/incidents/{id}/notes': () => ({ text: 'n' }),
  'POST /v1/incidents/{id}/close': () => REASON,
  'POST /v1/incidents/{id}/reopen': () => REASON,
  'POST /v1/incidents/{id}/link': ({ customerId }) => ({ leadIncidentId: `incident:${customerId}:lead` }),
  'POST /v1/incidents/{id}/unlink': () => ({}),
  'POST /v1/customers/{customerId}/tuning-periods': () => ({ from: AT, until: '2026-02-01T00:00:00Z', ...REASON }),
  'DELETE /v1/customers/{customerId}/tuning-periods/{periodId}': () => REASON,
  'POST /v1/customers/{customerId}/exclusions': () => EXCLUSION,
  'POST /v1/exclusions/{id}/request': () => ANSWER,
  'POST /v1/exclusions/{id}/approve': () => ({}),
  'POST /v1/exclusions/{id}/decline': () => REASON,
  'POST /v1/exclusions/{id}/withdraw': () => REASON,
  'POST /v1/exclusions/{id}/shorten': () => ({ expiresAt: EXCLUSION.expiresAt, ...REASON }),
  'POST /v1/exclusions/{id}/retry': () => REASON,
  'POST /v1/inquiries/{id}/answer': () => ({ text: 't' }),
  'POST /v1/inquiries/{id}/refer': () => ({}),
  'POST /v1/inquiries/{id}/assign': () => ({ operatorId: null }),
  'POST /v1/inquiries/{id}/close': () => REASON,
  'POST /v1/inquiries/{id}/is-answer': () => ({}),
  'POST /v1/mailbox/attention/{id}/accept': ({ incident }) => ({ conversationOf: incident, ...REASON }),
  'POST /v1/mailbox/attention/{id}/dismiss': () => REASON,
  'POST /v1/devices/{customerId}/{machineId}/release': () => ({ instruction: instruction({ by: 'jones' }) }),
  'POST /v1/devices/{customerId}/{machineId}/acknowledge': () => REASON,
  'POST /decode': () => ({ payloads: [] }),
  'POST /encode': () => ({ payloads: [] }),
};

/** What a path's parameters stand for; which `id` it is, the path's second part says. */
function inPath(scene: Scene, template: string, parameter: string): string {
  const ids: Record<string, string> = {
    '/v1/incidents': scene.incident,
    '/v1/exclusions': scene.exclusion,
    '/v1/inquiries': scene.inquiry,
    '/v1/mailbox': scene.held,
  };
  const values: Record<string, string | undefined> = {
    customerId: scene.customerId,
    machineId: scene.machineId,
    periodId: 'tp-1',
    id: ids[template.split('/').slice(0, 3).join('/')],
  };
  const value = values[parameter];
  assert.ok(value !== undefined, `${template}: what is its ${parameter}?`);
  return encodeURIComponent(value);
}

/** A bit of everything: a held device, a proposal, a question, and a mail that nobody trusts. */
export async function sceneOf(house: House, customerId: string, contact: string): Promise<Scene> {
  const { id: incident, mail } = await escalated(house, customerId, 3);
  const { devices } = await house.incidentWhen(incident, 'isolated', ({ stage }) => stage === 'awaiting-release');
  const proposed = await house.post(`/v1/customers/${customerId}/exclusions`, EXCLUSION);
  const handIn = async (from: string, to: string): Promise<string> => {
    const head = [`From: ${from}`, `To: ${to}`, 'Subject: a question', `Message-ID: <${randomUUID()}@mail.example>`];
    return (await house.handIn([...head, '', 'Which program?', ''].join('\r\n'))).body.workflowId;
  };
  return {
    customerId,
    incident,
    machineId: devices[0].machineId,
    exclusion: proposed.body.id,
    inquiry: await handIn(contact, 'mimamori@mimamori.example'),
    held: await handIn('eve@evil.example', tokenAddress(mail)),
  };
}

const pathsSchema = z.record(z.string(), z.record(z.string(), z.looseObject({ 'x-roles': z.array(z.string()) })));

export async function everyRequest(house: House, scene: Scene): Promise<Asking[]> {
  const paths = pathsSchema.parse((await house.get('/openapi.json')).body.paths);
  return Object.entries(paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([name, { 'x-roles': roles }]) => {
      const method = name.toUpperCase();
      const path = template.replace(/\{(\w+)\}/g, (_, parameter: string) => inPath(scene, template, parameter));
      if (method === 'GET') return { method, template, path, roles };
      const body = BODIES[`${method} ${template}`];
      assert.ok(body !== undefined, `${method} ${template}: what does it take?`);
      return { method, template, path, roles, body: body(scene) };
    }),
  );
}
