import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { customerMails, englishCustomer, timelineOf } from '../support/effects.js';
import { House, SMTP_PASSWORD, type Reply } from '../support/house.js';
import {
  alerted,
  eventually,
  FOLLOWED,
  incidentWhen,
  machineIdOf,
  MAIL_SCENE,
  SCENES,
  type Cell,
  type Scene,
} from './fault-scenes.js';
import {
  HTTP_ENDPOINTS,
  HTTP_KINDS,
  HTTP_TABLE,
  httpKinds,
  MAIL_SERVER_TABLE,
  MAIL_TABLE,
  systemOf,
  TIMEOUT_MS,
  type Fault,
  type HttpEndpoint,
  type HttpKind,
  type Outcome,
} from './fault-table.js';
import { begin, limiter } from './fault-tools.js';

/*
 * Every cell of the table, each with a customer of its own, many at once. In `npm test` every kind once for each system
 * and every endpoint at least once; with CHAOS=1 all of them.
 */

const CELLS_AT_ONCE = 16;
const PATIENCE = { timeoutMs: TIMEOUT_MS, tellAfterMs: 3_000 };
const CELL_TIMEOUT_MS = 240_000;

interface Case {
  endpoint: HttpEndpoint;
  kind: HttpKind;
}

const all: Case[] = HTTP_ENDPOINTS.flatMap((endpoint) => httpKinds.map((kind) => ({ endpoint, kind })));

/** Of each system every kind once, spread over its endpoints. */
function isShort({ endpoint, kind }: Case): boolean {
  const siblings = HTTP_ENDPOINTS.filter((other) => systemOf(other) === systemOf(endpoint));
  return siblings[httpKinds.indexOf(kind) % siblings.length] === endpoint;
}

const cases = process.env['CHAOS'] === '1' ? all : all.filter(isShort);

async function openHouse(count: number): Promise<{ house: House; cellOf: (index: number) => Cell }> {
  const suffix = randomUUID().slice(0, 8);
  const customers = Array.from({ length: count }, (_, index) => {
    const customer = englishCustomer(`cell${index}-${suffix}`, index);
    return { ...customer, contacts: customer.contacts.slice(0, 1) };
  });
  const service = { phoneRounds: 6, phoneRoundPauseMs: 500, phoneRingSeconds: 60 };
  const house = await House.open({ customers, service, patience: PATIENCE });
  return {
    house,
    cellOf(index) {
      const customer = customers[index];
      assert.ok(customer !== undefined);
      const [contact] = customer.contacts;
      assert.ok(contact !== undefined);
      return {
        house,
        customer: customer.id,
        tenantId: customer.defender.tenantId,
        machineId: machineIdOf(),
        number: contact.phone,
        id: '',
      };
    },
  };
}

const isSettled = ({ attention, duties }: Reply['body']): boolean =>
  attention.length === 0 && duties.every(({ status }: { status: string }) => status !== 'owed' && status !== 'running');

const isTold = (tells: string) => (incident: Reply['body']) => incident.attention.includes(tells);

async function assertTold(cell: Cell, must: Exclude<Outcome, { is: 'overcome' }>): Promise<void> {
  const { house, customer, id } = cell;
  const { tells } = must;
  await incidentWhen(cell, `attention ${tells}`, isTold(tells));
  await eventually('the queue shows it', async () => {
    const { body } = await house.get(`/v1/queue?customer=${customer}`);
    return body.items.some((item: { id: string }) => item.id === id) ? true : undefined;
  });
  if (must.is === 'told')
    await eventually('the SOC’s mail', async () =>
      (await house.mailKinds(id)).includes('soc-failure') ? true : undefined,
    );
}

const SECRETS = [SMTP_PASSWORD, 'Bearer ', 'eyJ'];

/** Nothing twice, nothing that gives a secret away, and no step of any workflow that failed. */
async function assertClean(cell: Cell, { actions, mails: count = 1 }: Pick<Scene, 'actions' | 'mails'>): Promise<void> {
  const { house, customer, machineId, id } = cell;
  const { defenderClientSecret, twilioAuthToken } = house.sim.credentials;
  const incident = await incidentWhen(cell, 'readable', () => true);
  assert.deepEqual(incident.attention, []);
  assert.deepEqual(
    (await house.actions(customer))
      .filter((action) => action.machineId === machineId)
      .map((a) => `${a.type} ${a.status}`),
    actions,
  );
  const mails = await customerMails(house, id);
  const primaries = mails.filter(({ headers }) => headers['x-mimamori-kind'] === 'primary');
  assert.equal(new Set(primaries.map(({ headers }) => headers['message-id'])).size, count, 'primaries');
  const text = JSON.stringify([incident, await house.mails(id)]);
  for (const secret of [...SECRETS, defenderClientSecret, twilioAuthToken])
    assert.ok(!text.includes(secret), `a secret is told: ${secret.slice(0, 12)}`);
  for (const workflowId of [id, `device:${customer}:${machineId}`, `phone:${customer}`]) {
    const history = await house.client.workflow
      .getHandle(workflowId)
      .fetchHistory()
      .catch(() => undefined);
    const failed = history?.events?.filter(({ workflowTaskFailedEventAttributes: failure }) => failure != null) ?? [];
    assert.equal(failed.length, 0, `${workflowId}: a workflow task failed`);
  }
}

/** One cell from before the fault to after it. */
async function play(cell: Cell, scene: Scene, how: Fault, must: Outcome): Promise<void> {
  const { house } = cell;
  await scene.before(cell);
  const fault = await begin(house, { ...scene.where(cell), ...how });
  await scene.provoke(cell);
  const isDone = (incident: Reply['body']) => scene.isDone(cell, incident);
  if (must.is === 'overcome') {
    await incidentWhen(cell, 'done all the same', isDone);
    await eventually('the fault was met', async () => ((await fault.hits()) > 0 ? true : undefined));
    await scene.meanwhile?.(cell);
    await fault.end();
  } else {
    await assertTold(cell, must);
    await fault.end();
    if (must.is === 'told') await scene.again(cell);
    const done = await incidentWhen(cell, 'done', isDone);
    if (must.is === 'recovers') {
      const told = ['mail', 'device-known', 'isolation', 'release', 'call']
        .flatMap((type) => timelineOf(done, type))
        .filter(({ data }) => data?.reason === must.tells);
      assert.equal(told.length, 1, 'once on the timeline');
    }
  }
  await incidentWhen(cell, 'all settled', isSettled);
  await assertClean(cell, scene);
}

/** What is being played, by the name of its test. */
type Played = Map<string, Promise<void>>;

async function playHttp(played: Played): Promise<House> {
  const { house, cellOf } = await openHouse(cases.length);
  const letIn = limiter(CELLS_AT_ONCE);
  cases.forEach((one, index) => {
    const { endpoint, kind } = one;
    const cell = cellOf(index);
    const playing = letIn(() => play(cell, SCENES[endpoint], HTTP_KINDS[kind], HTTP_TABLE[endpoint][kind]));
    played.set(nameOf(one), playing);
  });
  return house;
}

async function playMailboxes(played: Played): Promise<House> {
  const table = Object.entries(MAIL_TABLE);
  const { house, cellOf } = await openHouse(table.length);
  table.forEach(([name, { fault, must }], index) => {
    const address = `security-${String(index).padStart(4, '0')}@globex.example`;
    const scene = { ...MAIL_SCENE, where: () => ({ target: 'smtp', path: address }) };
    played.set(name, play(cellOf(index), scene, fault, must));
  });
  return house;
}

async function playMailServer(cell: Cell, fault: Fault, must: Outcome): Promise<void> {
  const { house } = cell;
  // Connections that are kept open would not meet what happens to a new one.
  await house.control('POST', '/sim/faults', { target: 'smtp', refuseMs: 20 });
  await alerted(cell);
  await begin(house, { target: 'smtp', ...fault });
  await MAIL_SCENE.provoke(cell);
  assert.ok(must.is === 'recovers');
  await assertTold(cell, must);
  await house.control('DELETE', '/sim/faults');
  await incidentWhen(cell, 'sent', (incident) => MAIL_SCENE.isDone(cell, incident));
  await assertClean(cell, MAIL_SCENE);
}

/** What fails for everybody is played one after the other. */
async function playMailServers(played: Played): Promise<House> {
  const table = Object.entries(MAIL_SERVER_TABLE);
  const { house, cellOf } = await openHouse(table.length);
  let before: Promise<void> = Promise.resolve();
  table.forEach(([name, { fault, must }], index) => {
    before = before.catch(() => undefined).then(() => playMailServer(cellOf(index), fault, must));
    played.set(name, before);
  });
  return house;
}

const NOBODY = 'nobody listens: told of everything under way, and all of it goes on by itself';
const SHUT_MS = 45_000;

async function playNobody(house: House, cellOf: (index: number) => Cell): Promise<void> {
  const following = { scene: FOLLOWED, tells: 'defender-state-unknown' };
  const waiting = [
    following,
    { scene: SCENES['defender: list actions'], tells: 'defender-request-failing' },
    { scene: SCENES['defender: unisolate'], tells: 'defender-request-failing' },
    { scene: SCENES['defender: cancel'], tells: 'defender-cancel-failing' },
  ].map((entry, index) => ({ ...entry, cell: cellOf(index) }));
  await Promise.all(waiting.map(({ cell, scene }) => scene.before(cell)));
  const unknown = cellOf(waiting.length);
  const alert = await house.raise(unknown.customer, { machineId: unknown.machineId });
  await house.control('POST', '/sim/faults', { target: 'defender', refuseMs: SHUT_MS });
  const told = async (cell: Cell, tells: string) => {
    await incidentWhen(cell, `attention ${tells}`, isTold(tells));
  };
  const reply = await house.post(`/v1/customers/${unknown.customer}/alerts`, alert);
  unknown.id = reply.body.incidentId;
  await Promise.all([
    told(unknown, 'device-look-up-failing'),
    ...waiting.map(async ({ cell, scene, tells }) => {
      await scene.provoke(cell);
      await told(cell, tells);
    }),
  ]);
  await eventually('the door is open', () => house.actions(unknown.customer).catch(() => undefined));
  await following.scene.again(waiting[0]?.cell ?? unknown);
  await incidentWhen(unknown, 'looked up', (incident) => SCENES['entra: token'].isDone(unknown, incident));
  for (const { cell, scene } of waiting) {
    await incidentWhen(cell, 'done', (incident) => scene.isDone(cell, incident));
    await incidentWhen(cell, 'all settled', isSettled);
    await assertClean(cell, scene);
  }
}

function nameOf({ endpoint, kind }: Case): string {
  const must = HTTP_TABLE[endpoint][kind];
  return `${endpoint}, ${kind}: ${must.is}${'tells' in must ? `, ${must.tells}` : ''}`;
}

describe('the fault matrix', function () {
  this.timeout(CELL_TIMEOUT_MS);
  const played: Played = new Map();
  let houses: House[] = [];

  before(async () => {
    const nobody = await openHouse(5);
    played.set(NOBODY, playNobody(nobody.house, nobody.cellOf));
    houses = [nobody.house, await playMailServers(played), await playMailboxes(played), await playHttp(played)];
    for (const playing of played.values()) playing.catch(() => undefined);
  });
  after(async () => {
    await Promise.allSettled(played.values());
    for (const house of houses) await house.close();
  });

  for (const one of cases) it(nameOf(one), () => played.get(nameOf(one)));

  describe('a mailbox that', () => {
    for (const name of Object.keys(MAIL_TABLE)) it(name, () => played.get(name));
  });

  describe('a mail server that', () => {
    for (const name of Object.keys(MAIL_SERVER_TABLE)) it(name, () => played.get(name));
  });

  it(NOBODY, () => played.get(NOBODY));
});
