import assert from 'node:assert/strict';
import { z } from 'zod';
import { routes } from '../../src/api/app.js';
import { startApp, type LoneApp } from '../support/app.js';
import { instruction, verdict } from '../support/house.js';

const contentSchema = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operationSchema = z.object({
  summary: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().optional(),
        schema: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
  requestBody: z.object({ required: z.boolean(), content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: contentSchema })),
});
const documentSchema = z.object({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.object({ title: z.string(), version: z.string() }),
  servers: z.array(z.object({ url: z.url() })),
  paths: z.record(z.string().startsWith('/'), z.record(z.enum(['get', 'post', 'delete']), operationSchema.optional())),
  components: z.object({
    schemas: z.record(z.string(), z.record(z.string(), z.unknown())),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
});
type Document = z.infer<typeof documentSchema>;

/** What the API promises to those who call it. */
const PROMISED = [
  'DELETE /v1/customers/{customerId}/tuning-periods/{periodId}',
  'GET /v1/audit',
  'GET /v1/customers',
  'GET /v1/customers/{customerId}',
  'GET /v1/customers/{customerId}/tuning-periods',
  'GET /v1/devices',
  'GET /v1/devices/{customerId}/{machineId}',
  'GET /v1/exclusions',
  'GET /v1/exclusions/{id}',
  'GET /v1/exclusions/{id}/preview',
  'GET /v1/feeds',
  'GET /v1/feeds/{customerId}/rejected',
  'GET /v1/incidents',
  'GET /v1/incidents/{id}',
  'GET /v1/inquiries',
  'GET /v1/inquiries/{id}',
  'GET /v1/mailbox',
  'GET /v1/mailbox/attention',
  'GET /v1/mailbox/attention/{id}',
  'GET /v1/queue',
  'POST /decode',
  'POST /encode',
  'POST /v1/customers/{customerId}/alerts',
  'POST /v1/customers/{customerId}/exclusions',
  'POST /v1/customers/{customerId}/tuning-periods',
  'POST /v1/devices/{customerId}/{machineId}/acknowledge',
  'POST /v1/devices/{customerId}/{machineId}/release',
  'POST /v1/exclusions/{id}/approve',
  'POST /v1/exclusions/{id}/decline',
  'POST /v1/exclusions/{id}/request',
  'POST /v1/exclusions/{id}/retry',
  'POST /v1/exclusions/{id}/shorten',
  'POST /v1/exclusions/{id}/withdraw',
  'POST /v1/incidents/{id}/answers',
  'POST /v1/incidents/{id}/assign',
  'POST /v1/incidents/{id}/close',
  'POST /v1/incidents/{id}/escalations',
  'POST /v1/incidents/{id}/link',
  'POST /v1/incidents/{id}/notes',
  'POST /v1/incidents/{id}/release',
  'POST /v1/incidents/{id}/reopen',
  'POST /v1/incidents/{id}/triage',
  'POST /v1/incidents/{id}/unlink',
  'POST /v1/inquiries/{id}/answer',
  'POST /v1/inquiries/{id}/assign',
  'POST /v1/inquiries/{id}/close',
  'POST /v1/inquiries/{id}/is-answer',
  'POST /v1/inquiries/{id}/refer',
  'POST /v1/mailbox/attention/{id}/accept',
  'POST /v1/mailbox/attention/{id}/dismiss',
];

function operations({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, method, path, operation }],
    ),
  );
}

function references(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    key === '$ref' && typeof value === 'string' ? [value] : references(value),
  );
}

describe('the OpenAPI document', () => {
  let app: LoneApp;
  let raw: unknown;
  let document: Document;
  before(async () => {
    app = await startApp();
    const reply = await fetch(`${app.url}/openapi.json`);
    assert.equal(reply.status, 200);
    assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
    raw = await reply.json();
    document = documentSchema.parse(raw);
  });
  after(() => app.close());

  it('is whole: every reference leads somewhere, every operation is described', () => {
    assert.equal(document.info.version, '1.2.3');
    assert.deepEqual(document.servers, [{ url: 'https://mimamori.example' }]);
    const found = references(raw);
    assert.ok(found.length > 0);
    for (const reference of found) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? '';
      assert.ok(Object.hasOwn(document.components.schemas, name), reference);
    }
    for (const { name, path, operation } of operations(document)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path');
      assert.deepEqual(declared.map((parameter) => parameter.name).sort(), inPath.sort(), name);
      assert.ok(
        declared.every(({ required }) => required === true),
        name,
      );
      assert.ok(operation.responses['default']?.content['application/problem+json'], name);
      const { 200: ok = operation.responses['201'] } = operation.responses;
      assert.ok(ok?.content['application/json'], name);
      for (const scheme of operation.security.flatMap((needed) => Object.keys(needed))) {
        assert.ok(Object.hasOwn(document.components.securitySchemes, scheme), name);
      }
      const headers = operation.parameters
        .filter((parameter) => parameter.in === 'header')
        .map((header) => header.name);
      const isCommand = !name.startsWith('GET') && !/\/(alerts|decode|encode)$/.test(name);
      assert.equal(headers.includes('Idempotency-Key'), isCommand, name);
      assert.equal(headers.includes('If-Match'), name.endsWith('/triage'), name);
    }
  });

  it('names exactly what is served', async () => {
    const named = operations(document).map(({ name }) => name);
    assert.deepEqual(named.sort(), PROMISED);
    const served = routes.map(({ method, path }) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    assert.deepEqual(served.sort(), PROMISED);
    for (const { method, path } of operations(document)) {
      const reply = await fetch(`${app.url}${path.replace(/\{\w+\}/g, 'x')}`, { method: method.toUpperCase() });
      assert.equal(reply.status, 401, `${method} ${path}`);
      await reply.arrayBuffer();
    }
  });

  it('takes the bodies that the service takes, and refuses those that it refuses', () => {
    const definitions = document.components.schemas;
    const bodyOf = (name: string) => {
      const schema = operations(document).find((one) => one.name === name)?.operation.requestBody?.content[
        'application/json'
      ]?.schema;
      assert.ok(schema, name);
      // zod reads references among a schema's own definitions.
      const text = JSON.stringify({ ...schema, $defs: definitions }).replaceAll('#/components/schemas/', '#/$defs/');
      return z.fromJSONSchema(z.record(z.string(), z.json()).parse(JSON.parse(text)));
    };
    const incident = 'POST /v1/incidents/{id}';
    const answer = { by: 'sato', channel: 'mail', receivedAt: '2026-01-01T00:00:00+09:00', words: 'はい' };
    const proposal = { what: 'backup.exe', why: 'the backup' };
    const devices = [{ machineId: 'm', name: 'n' }];
    const taken: [string, unknown][] = [
      [`${incident}/triage`, verdict(1)],
      [`${incident}/triage`, verdict(2, { judgement: 'undetermined', askCustomer: '?', exclusionProposal: proposal })],
      [`${incident}/triage`, { level: 3, judgement: 'true-positive' }],
      [`${incident}/triage`, verdict(4, { devices, servers: 'leave', confirmCount: 2 })],
      [
        `${incident}/escalations`,
        { message: 'm', countermeasures: 'c', askCustomer: '?', exclusionProposal: proposal },
      ],
      [`${incident}/answers`, answer],
      [`${incident}/release`, { machineIds: ['m'], instruction: instruction({ calledBackAt: answer.receivedAt }) }],
      [`${incident}/release`, { instruction: { mail: '<a@b>', by: 'sato', calledBackAt: answer.receivedAt } }],
      ['POST /v1/exclusions/{id}/request', { mail: '<a@b>' }],
      ['POST /v1/inquiries/{id}/is-answer', {}],
      ['POST /v1/devices/{customerId}/{machineId}/release', { instruction: instruction() }],
      ['POST /v1/devices/{customerId}/{machineId}/acknowledge', { reason: 'r' }],
      [`${incident}/assign`, { operatorId: null }],
      [`${incident}/assign`, { operatorId: 'analyst' }],
      [`${incident}/notes`, { text: 't' }],
      [`${incident}/close`, { reason: 'r' }],
      [`${incident}/reopen`, { reason: 'r' }],
      [`${incident}/link`, { leadIncidentId: 'incident:acme:da1' }],
      [`${incident}/unlink`, {}],
      ['POST /v1/customers/{customerId}/alerts', { id: 'da1_-1', alertCreationTime: '2026-01-01T00:00:00.1234567Z' }],
      [
        'POST /v1/customers/{customerId}/alerts',
        { id: 7, alertCreationTime: '2026-01-01T00:00:00Z', severity: null, evidence: [null, { new: 1 }], new: 1 },
      ],
    ];
    for (const [name, body] of taken) {
      const { success, error } = bodyOf(name).safeParse(body);
      assert.ok(success, `${name} ${JSON.stringify(body)}: ${String(error)}`);
    }
    const refused: [string, unknown][] = [
      [`${incident}/triage`, { ...verdict(3), level: 5 }],
      [`${incident}/triage`, { ...verdict(3), colour: 'red' }],
      [`${incident}/triage`, { level: 3 }],
      [`${incident}/notes`, {}],
      [`${incident}/notes`, { text: 'x'.repeat(1_201) }],
      [`${incident}/release`, { machineIds: [] }],
      ['POST /v1/customers/{customerId}/alerts', { id: 'da1' }],
    ];
    for (const [name, body] of refused) assert.equal(bodyOf(name).safeParse(body).success, false, name);
  });

  it('can be read at /docs, from this server alone', async () => {
    const page = await fetch(`${app.url}/docs`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    const html = await page.text();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, asset]) => asset ?? '');
    assert.ok(assets.length >= 3);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/, 'nothing inline that the policy forbids');
    for (const asset of assets) {
      assert.match(asset, /^\/docs\//);
      const reply = await fetch(`${app.url}${asset}`);
      assert.equal(reply.status, 200, asset);
      assert.match(reply.headers.get('content-type') ?? '', asset.endsWith('.css') ? /css/ : /javascript/);
      const text = await reply.text();
      if (asset.endsWith('start.js')) assert.match(text, /\/openapi\.json/);
    }
  });
});
