import { calm } from '../support/effects.js';
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { routes } from '../../src/api/app.js';
import { afterTrouble, MAILBOX_ID, openMailbox } from '../../src/domain/mailbox/state.js';
import { toInstant } from '../../src/domain/time.js';
import { operatorRoles, type OperatorRole, type TokenOperator } from '../../src/operators.js';
import { everyRequest, sceneOf, type Asking, type Scene } from '../support/every-route.js';
import { customersNamed, House, type Reply } from '../support/house.js';
import { localServer, ownNamespace } from '../support/temporal.js';

/*
 * Every route of the OpenAPI document, as every role, of a customer that the operator is bound to and of another one. Whoever is
 * refused too often is locked out, so each route is asked by an operator of its own.
 */

const suffix = randomUUID().slice(0, 8);
const customers = customersNamed(suffix);
const acme = `acme-${suffix}`;
const globex = `globex-${suffix}`;
/** There is no such customer; its name is as long. */
const nobody = `nobody-${suffix}`;

/** What keeps the mailbox may name any customer. */
const TROUBLE = `there is no key for ${globex}`;

const tokenOf = (id: string) => `token-of-${id}`;

function boundTo(customerId: string, role: OperatorRole, id: string): TokenOperator {
  const tokenSha256 = createHash('sha256').update(tokenOf(id)).digest('hex');
  return { id, name: id, role, customers: [customerId], tokenSha256 };
}

/** What there is of the customer must not even be named. */
function assertSilentOn({ customerId, held }: Scene, reply: Reply, what: string): void {
  const text = JSON.stringify(reply.body);
  assert.ok(!text.includes(customerId) && !text.includes(held), `${what}: ${text.slice(0, 500)}`);
}

describe('the walls between customers', () => {
  let house: House;
  let ours: Scene;
  let theirs: Scene;

  before(async () => {
    const environment = await ownNamespace(await localServer());
    house = await House.open({
      environment,
      customers,
      operators: operatorRoles.flatMap((role) => routes.map((_, index) => boundTo(acme, role, `${role}-${index}`))),
    });
    ours = await sceneOf(house, acme, 'security@acme.example');
    theirs = await sceneOf(house, globex, 'security@globex.example');
    // How the mailbox stands, without anybody who reads it.
    const now = toInstant(Date.now());
    await house.client.workflow.start('mailbox', {
      workflowId: MAILBOX_ID,
      taskQueue: 'nobody-polls-this',
      args: [{ state: null }],
      memo: { mailbox: afterTrouble(openMailbox(now), TROUBLE, now) },
    });
  });
  after(async () => {
    // What the commands have set going ends first: a worker amid it may not end in time.
    await calm(house);
    await house.close();
  });

  function ask({ method, path, body }: Asking, operator: string): Promise<Reply> {
    return house.ask(method, path, body, { headers: { Authorization: `Bearer ${tokenOf(operator)}` } });
  }

  const isOfNoCustomer = ({ template }: Asking) => !template.includes('{');

  for (const role of operatorRoles) {
    it(`${role}: another customer does not exist, and what the role may not is refused whoever's it is`, async () => {
      const [own, other, absent] = [
        await everyRequest(house, ours),
        await everyRequest(house, theirs),
        await everyRequest(house, sceneElsewhere(theirs)),
      ];
      for (const [index, asked] of other.entries()) {
        const what = `${asked.method} ${asked.template}`;
        const operator = `${role}-${index}`;
        const reply = await ask(asked, operator);
        if (!asked.roles.includes(role)) {
          const here = own[index];
          assert.ok(here !== undefined);
          for (const one of [reply, await ask(here, operator)]) {
            assert.deepEqual([one.status, one.body.code], [403, 'forbidden'], what);
            assertSilentOn(theirs, { ...one, body: one.body.detail }, what);
          }
        } else if (isOfNoCustomer(asked)) {
          assert.equal(reply.status, 200, what);
          assertSilentOn(theirs, reply, what);
        } else {
          // Told apart from what really does not exist by nothing but the name that was asked for.
          const none = absent[index];
          assert.ok(none !== undefined);
          const missing = await ask(none, operator);
          assert.equal(reply.status, 404, `${what}: ${JSON.stringify(reply.body)}`);
          assert.match(reply.body.code, /^unknown-(customer|incident|device|exclusion|inquiry|mail)$/, what);
          assert.deepEqual(nameless(reply), nameless(missing), what);
        }
      }
    });
  }

  /** The same ids of a customer who does not exist. */
  function sceneElsewhere(scene: Scene): Scene {
    const elsewhere = (id: string) => id.replace(globex, nobody);
    return {
      customerId: nobody,
      incident: elsewhere(scene.incident),
      machineId: scene.machineId,
      exclusion: elsewhere(scene.exclusion),
      inquiry: elsewhere(scene.inquiry),
      held: `${scene.held.slice(0, -4)}none`,
    };
  }

  /** A refusal without the names that were asked for, and without what differs in every answer. */
  function nameless({ status, body }: Reply): Record<string, unknown> {
    const names = [globex, nobody, theirs.held, sceneElsewhere(theirs).held];
    const detail = names.reduce((text: string, name) => text.replaceAll(name, '…'), String(body.detail));
    return { status, code: body.code, keys: Object.keys(body).sort(), detail };
  }

  it('let every list show what is one’s own, and no other, also where the other is asked for', async () => {
    const as = { headers: { Authorization: `Bearer ${tokenOf('viewer-0')}` } };
    const shown: [list: string, id: string, expected: string][] = [
      ['/v1/incidents?', 'id', ours.incident],
      ['/v1/devices?', 'machineId', ours.machineId],
      ['/v1/exclusions?', 'id', ours.exclusion],
      ['/v1/inquiries?', 'id', ours.inquiry],
      ['/v1/mailbox/attention?', 'id', ours.held],
    ];
    for (const [list, id, expected] of shown) {
      const { status, body } = await house.get(list, as);
      assert.equal(status, 200, `${list}: ${JSON.stringify(body)}`);
      const ids: unknown[] = body.items.map((item: Record<string, unknown>) => item[id]);
      assert.ok(ids.includes(expected), `${list}: ${ids.join()}`);
    }
    for (const list of ['/v1/incidents', '/v1/queue', '/v1/devices', '/v1/exclusions', '/v1/inquiries']) {
      assert.deepEqual((await house.get(`${list}?customer=${globex}`, as)).body.items, [], list);
    }
    const { body: bound } = await house.get('/v1/mailbox', as);
    assert.deepEqual([bound.counts, bound.error.message, bound.error.failures], [null, null, 1]);
    const { body: all } = await house.get('/v1/mailbox');
    assert.notEqual(all.counts, null);
    assert.equal(all.error.message, TROUBLE);
  });

  it('are not seen over by what a body names', async () => {
    const as = { headers: { Authorization: `Bearer ${tokenOf('analyst-0')}` } };
    const link = `/v1/incidents/${encodeURIComponent(ours.incident)}/link`;
    const accept = `/v1/mailbox/attention/${encodeURIComponent(ours.held)}/accept`;
    const bodies: [path: string, theirs: Record<string, unknown>, nobodys: Record<string, unknown>][] = [
      [link, { leadIncidentId: theirs.incident }, { leadIncidentId: theirs.incident.replace(globex, nobody) }],
      [
        accept,
        { conversationOf: theirs.incident, reason: 'r' },
        { conversationOf: theirs.incident.replace(globex, nobody), reason: 'r' },
      ],
      [accept, { customerId: globex, reason: 'r' }, { customerId: nobody, reason: 'r' }],
    ];
    for (const [path, named, absent] of bodies) {
      const [reply, missing] = [await house.post(path, named, as), await house.post(path, absent, as)];
      assert.ok(reply.status >= 400, `${path}: ${reply.status}`);
      assert.deepEqual(nameless(reply), nameless(missing), path);
    }
  });

  it('keep nobody from what is their own', async () => {
    // Reading first: the commands change what there is.
    const own = [...(await everyRequest(house, ours)).entries()].sort(
      ([, a], [, b]) => Number(a.method !== 'GET') - Number(b.method !== 'GET'),
    );
    for (const role of operatorRoles) {
      for (const [index, asked] of own) {
        if (!asked.roles.includes(role)) continue;
        const what = `${asked.method} ${asked.template} as ${role}`;
        const reply = await ask(asked, `${role}-${index}`);
        const shown = `${what}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`;
        if (asked.method === 'GET') assert.equal(reply.status, 200, shown);
        else assert.ok(reply.status < 300 || [404, 409, 422, 428].includes(reply.status), shown);
        // The incident that it is to be linked to does not exist.
        const mayMiss = asked.template.endsWith('/link') ? 'unknown-incident' : 'unknown-tuning-period';
        if (reply.status === 404) assert.equal(reply.body.code, mayMiss, shown);
        assertSilentOn(theirs, reply, what);
      }
    }
  });
});
