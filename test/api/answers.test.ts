import assert from 'node:assert/strict';
import { z } from 'zod';
import { everyRequest, sceneOf, type Asking, type Scene } from '../support/every-route.js';
import { calm } from '../support/effects.js';
import { House, type Reply } from '../support/house.js';

/*
 * What is answered is what the OpenAPI document says: no field more, none less. What cannot be carried out on this scene is
 * answered with a problem, which must be one too.
 */

const answerSchema = z.object({
  content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), answerSchema) }))),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

describe('every answer', () => {
  let house: House;
  let scene: Scene;
  let document: z.infer<typeof documentSchema>;
  before(async () => {
    house = await House.open();
    scene = await sceneOf(house, house.customer('acme'), 'security@acme.example');
    document = documentSchema.parse((await house.get('/openapi.json')).body);
  });
  after(async () => {
    // What the commands have set going ends first: a worker amid it may not end in time.
    await calm(house);
    await house.close();
  });

  function assertDeclared({ method, template }: Asking, { status, headers, body }: Reply): void {
    const what = `${method} ${template}: ${status}`;
    const responses = document.paths[template]?.[method.toLowerCase()]?.responses;
    const declared = responses?.[status] ?? responses?.['default'];
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const schema = declared?.content[type]?.schema;
    assert.ok(schema !== undefined, `${what} is declared as ${type}`);
    // zod reads references among a schema's own definitions.
    const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
    const own = z.record(z.string(), z.json()).parse(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
    const { error } = z.fromJSONSchema(own).safeParse(body);
    assert.equal(error, undefined, `${what} ${String(error)}`);
  }

  /** What leaves nothing for the others to be done to. */
  const last = ['/close', '/release', '/decline', '/withdraw', '/shorten', '/dismiss'];

  it('holds what the document says it does', async () => {
    const all = await everyRequest(house, scene);
    const isLate = ({ template }: Asking) => last.findIndex((end) => template.endsWith(end));
    const done = new Set<string>();
    for (const asked of all.sort((a, b) => isLate(a) - isLate(b))) {
      const reply = await house.ask(asked.method, asked.path, asked.body, { as: 'lead' });
      assertDeclared(asked, reply);
      assert.ok(reply.status < 500, `${asked.method} ${asked.template}: ${reply.status}`);
      if (reply.status < 300) done.add(`${asked.method} ${asked.template}`);
    }
    // Those whose answer is one of its own kind must have been among them.
    for (const route of [
      'POST /v1/incidents/{id}/notes',
      'POST /v1/incidents/{id}/assign',
      'POST /v1/incidents/{id}/escalations',
      'POST /v1/incidents/{id}/release',
      'POST /v1/customers/{customerId}/alerts',
      'POST /v1/customers/{customerId}/exclusions',
      'POST /v1/exclusions/{id}/approve',
      'POST /v1/inquiries/{id}/answer',
      'POST /v1/mailbox/attention/{id}/accept',
    ]) {
      assert.ok(done.has(route), `${route} was not carried out; done: ${[...done].join()}`);
    }
    assert.ok(all.filter(({ method }) => method === 'GET').every(({ template }) => done.has(`GET ${template}`)));
  });
});
