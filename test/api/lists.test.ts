import assert from 'node:assert/strict';
import { defineSearchAttributeKey } from '@temporalio/common';
import { until } from '../../simulator/testing.js';
import { searchKeys } from '../../src/domain/lists.js';
import { House, instruction, verdict, type Reply } from '../support/house.js';

const HOUR_MS = 3_600_000;
/** What a query language may stumble over. */
const ODD = `o'"\\%22*`;

function ids({ status, body }: Reply): string[] {
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
  return body.items.map(({ id }: { id: string }) => id);
}

describe('lists of incidents', () => {
  let house: House;
  let acme = '';
  let globex = '';
  const id: Record<string, string> = {};
  before(async function () {
    this.timeout(60_000);
    house = await House.open();
    acme = house.customer('acme');
    globex = house.customer('globex');
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();
    const raise = async (name: string, customer: string, partial: Record<string, unknown>) => {
      id[name] = (await house.alert(customer, { title: name, ...partial })).id;
    };
    const of = (name: string): string => id[name] ?? assert.fail(name);
    // In this order, which is their order of age.
    await raise('medium', acme, { severity: 'Medium', machineId: 'm-1', incidentId: 77 });
    await raise('high', acme, { severity: 'High', machineId: 'm-1', alertCreationTime: ago(0.2) });
    await raise('older-high', acme, { severity: 'High', machineId: 'm-2', alertCreationTime: ago(1) });
    await raise('quoted', acme, { severity: 'Medium', machineId: `m"'\\%22*`, id: `da'1"2\\3` });
    await raise('rejected', acme, { severity: 'Medium' });
    await raise('told', acme, { severity: 'Medium' });
    await raise('isolated', acme, { severity: 'High', machineId: 'm-3' });
    await raise('no-threat', acme, { severity: 'High' });
    await raise('foreign', globex, { severity: 'High', machineId: 'm-1' });
    await house.command(of('told'), 'triage', verdict(2));
    await house.command(of('isolated'), 'triage', verdict(3));
    await house.command(of('no-threat'), 'triage', verdict(1));
    await house.command(of('high'), 'assign', { operatorId: 'second' });
    await house.command(of('quoted'), 'assign', { operatorId: ODD });
    await house.client.workflow.getHandle(of('rejected')).signal('triage', { level: 'high' });
    await house.incidentWhen(of('told'), 'told', ({ stage }) => stage === 'notified');
    await house.incidentWhen(of('isolated'), 'isolated', ({ stage }) => stage === 'awaiting-release');
    await house.incidentWhen(of('rejected'), 'rejected', ({ attention }) => attention.includes('rejected-signal'));
  });
  after(() => house.close());

  const names = (list: string[]) =>
    list.map((one) => Object.entries(id).find(([, known]) => known === one)?.[0] ?? `? ${one}`);

  /** Visibility follows the workflows a moment later. */
  async function shows(query: string, expected: string[]): Promise<void> {
    let last: string[] = [];
    await until(`${query}: ${expected.join()}`, async () => {
      last = names(ids(await house.get(`/v1/incidents?customer=${acme}&${query}`)));
      return last.join() === expected.join() ? true : undefined;
    }).catch((error: unknown) => assert.deepEqual(last, expected, String(error)));
  }

  const all = ['no-threat', 'isolated', 'told', 'rejected', 'quoted', 'older-high', 'high', 'medium'];

  const filters: [query: string, expected: string[]][] = [
    ['limit=200', all],
    ['stage=awaiting-triage', ['rejected', 'quoted', 'older-high', 'high', 'medium']],
    ['stage=notified', ['told']],
    ['stage=awaiting-release', ['isolated']],
    ['stage=closed', ['no-threat']],
    ['stage=responding', []],
    ['level=1', ['no-threat']],
    ['level=2', ['told']],
    ['level=3', ['isolated']],
    ['level=4', []],
    ['slo=running', ['older-high', 'high']],
    ['slo=met', ['isolated']],
    ['slo=not-applicable', ['no-threat', 'told', 'rejected', 'quoted', 'medium']],
    ['slo=breached', []],
    ['assignee=second', ['high']],
    [`assignee=${encodeURIComponent(ODD)}`, ['quoted']],
    ['assignee=none', all.filter((name) => name !== 'high' && name !== 'quoted')],
    ['assignee=nobody', []],
    ['machine=m-1', ['high', 'medium']],
    ['machine=m-2', ['older-high']],
    ['machine=m', []],
    ['defenderIncident=77', ['medium']],
    ['attention=any', ['rejected']],
    ['attention=rejected-signal', ['rejected']],
    ['attention=awaiting-text', []],
    ['machine=m-1&assignee=second&stage=awaiting-triage&slo=running', ['high']],
    // Quotes, backslashes and whatever else a query language may stumble over find their own and nothing else.
    [`machine=${encodeURIComponent(`m"'\\%22*`)}`, ['quoted']],
    ...[`m"1`, `'`, `"`, `\\`, `\\'`, `'OR'1'='1`, `m-1'--`, `*`, `m%`, `m_1`, `"OR"`, `(`].flatMap(
      (odd): [string, string[]][] =>
        ['machine', 'assignee', 'defenderIncident', 'attention'].map((key) => [
          `${key}=${encodeURIComponent(odd)}`,
          [],
        ]),
    ),
  ];
  for (const [query, expected] of filters) {
    it(`filter by ${decodeURIComponent(query)}`, () => shows(query, expected));
  }

  it('can be read page by page, nothing lost and nothing twice', async () => {
    for (const limit of [1, 3, 8]) {
      const read: string[] = [];
      let token: string | undefined;
      let pages = 0;
      do {
        const more: string = token === undefined ? '' : `&pageToken=${token}`;
        const page = await house.get(`/v1/incidents?customer=${acme}&limit=${limit}${more}`);
        assert.ok(ids(page).length <= limit);
        read.push(...ids(page));
        token = page.body.nextPageToken;
        pages += 1;
      } while (token !== undefined && pages < 20);
      assert.deepEqual(names(read), all, `limit ${limit}`);
    }
  });

  it('refuse a page token of another list', async () => {
    const { body } = await house.get(`/v1/incidents?customer=${acme}&limit=2`);
    const reply = await house.get(`/v1/incidents?customer=${globex}&limit=2&pageToken=${body.nextPageToken}`);
    assert.equal(reply.status, 422);
    assert.equal(reply.body.errors[0].path, 'pageToken');
  });

  it('of the queue hold what waits for an analyst, the most urgent first', async () => {
    const queue = await house.get(`/v1/queue?customer=${acme}`);
    assert.deepEqual(names(ids(queue)), ['rejected', 'older-high', 'high', 'medium', 'quoted']);
    assert.equal(queue.body.truncated, false);
    assert.deepEqual(names(ids(await house.get(`/v1/queue?customer=${acme}&assignee=second`))), ['high']);
    const unassigned = await house.get(`/v1/queue?customer=${acme}&assignee=none`);
    assert.deepEqual(names(ids(unassigned)), ['rejected', 'older-high', 'medium']);
    const everybody = names(ids(await house.get('/v1/queue')));
    assert.ok(everybody.includes('foreign') && everybody.includes('medium'));
  });

  it('show an incident of odd letters also by itself', async () => {
    const { title, devices } = await house.incident(id['quoted'] ?? '');
    assert.equal(title, 'quoted');
    const device = await house.get(`/v1/devices/${acme}/${encodeURIComponent(devices[0].machineId)}`);
    assert.equal(device.status, 200);
    assert.equal(device.body.isolation, 'none');
  });
});

describe('lists of incidents with a past', () => {
  let house: House;
  let acme = '';
  before(async () => {
    house = await House.open({ service: { lingerMs: 1 } });
    acme = house.customer('acme');
  });
  after(() => house.close());

  it('show an ended and reopened one once, as it is now', async () => {
    const { id } = await house.alert(acme, { severity: 'High', id: `da-${ODD}` });
    const { id: other } = await house.alert(acme, { severity: 'High' });
    await house.command(id, 'triage', verdict(1));
    const handle = house.client.workflow.getHandle(id);
    await until('ended', async () => ((await handle.describe()).status.name === 'COMPLETED' ? true : undefined));
    await house.command(id, 'reopen', { reason: 'once more' });
    await until('one open', async () => {
      const list = await house.get(`/v1/incidents?customer=${acme}`);
      const item = list.body.items.find((one: { id: string }) => one.id === id);
      return item?.stage === 'awaiting-triage' ? true : undefined;
    });
    assert.deepEqual(ids(await house.get(`/v1/incidents?customer=${acme}`)).sort(), [id, other].sort());
    assert.deepEqual(ids(await house.get(`/v1/incidents?customer=${acme}&stage=closed`)), []);
    assert.deepEqual(ids(await house.get(`/v1/queue?customer=${acme}`)).sort(), [id, other].sort());
    const first = await house.get(`/v1/incidents?customer=${acme}&limit=1`);
    const second = await house.get(`/v1/incidents?customer=${acme}&limit=1&pageToken=${first.body.nextPageToken}`);
    const third = await house.get(`/v1/incidents?customer=${acme}&limit=1&pageToken=${second.body.nextPageToken}`);
    assert.deepEqual([first, second, third].flatMap(ids).sort(), [id, other].sort());
  });

  it('show a row that cannot be read, as far as its id goes', async () => {
    const globex = house.customer('globex');
    const start = (type: string, workflowId: string, memo: Record<string, unknown>) =>
      house.client.workflow.start(type, {
        workflowId,
        taskQueue: 'nobody-is-here',
        args: [],
        memo,
        typedSearchAttributes: [
          { key: defineSearchAttributeKey(searchKeys.customerId.name, 'KEYWORD'), value: globex },
          { key: defineSearchAttributeKey(searchKeys.waitsForAnalyst.name, 'BOOL'), value: true },
        ],
      });
    const handles = await Promise.all([
      start('incident', `incident:${globex}:broken`, { summary: { title: 7 } }),
      start('incident', `incident:${globex}:bare`, {}),
      start('device', `device:${globex}:lost`, { summary: 'none' }),
    ]);
    const broken = [`incident:${globex}:bare`, `incident:${globex}:broken`];
    const list = await until('both listed', async () => {
      const reply = await house.get(`/v1/incidents?customer=${globex}`);
      return ids(reply).length === 2 ? reply : undefined;
    });
    assert.deepEqual(ids(list).sort(), broken);
    for (const item of list.body.items) {
      assert.equal(item.customerId, globex);
      assert.equal(`incident:${globex}:${item.alertId}`, item.id);
      assert.deepEqual(item.attention, ['unreadable-summary']);
    }
    assert.deepEqual(ids(await house.get(`/v1/queue?customer=${globex}`)).sort(), broken);
    const devices = await until('the device listed', async () => {
      const { body } = await house.get(`/v1/devices?customer=${globex}`);
      return body.items.length === 1 ? body.items : undefined;
    });
    assert.equal(devices[0].machineId, 'lost');
    assert.equal(devices[0].customerId, globex);
    await Promise.all(handles.map((handle) => handle.terminate('the test is over')));
  });
});

describe('lists of devices', () => {
  let house: House;
  let acme = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  async function machines(query: string): Promise<string[]> {
    const { status, body } = await house.get(`/v1/devices?customer=${acme}${query}`);
    assert.equal(status, 200);
    return body.items.map(({ machineId }: { machineId: string }) => machineId).sort();
  }

  it('tell which are off the network', async () => {
    const opened: string[] = [];
    for (const machineId of ['held', 'freed', 'hopeless', 'never']) {
      const { id } = await house.alert(acme, { machineId, computerDnsName: `${machineId}.example` });
      opened.push(id);
    }
    const [held = '', freed = '', hopeless = ''] = opened;
    await house.machine(acme, 'hopeless', { isolationFails: true });
    for (const id of [held, freed, hopeless]) await house.command(id, 'triage', verdict(3));
    for (const id of [held, freed]) {
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    }
    await house.command(freed, 'release', { instruction: instruction() });
    await house.incidentWhen(freed, 'released', ({ stage }) => stage === 'notified');
    await house.incidentWhen(hopeless, 'failed', ({ stage }) => stage === 'notified');
    await until('shown so', async () => ((await machines('&isolated=true')).join() === 'held' ? true : undefined));
    assert.deepEqual(await machines('&isolated=false'), ['freed', 'hopeless']);
    assert.deepEqual(await machines(''), ['freed', 'held', 'hopeless']);

    const isolationOf = async (machineId: string) => (await house.get(`/v1/devices/${acme}/${machineId}`)).body;
    const shown = await isolationOf('held');
    assert.equal(shown.isolation, 'isolated');
    assert.equal(shown.name, 'held.example');
    assert.deepEqual(shown.heldBy, [held]);
    assert.equal(shown.action.type, 'Isolate');
    assert.equal(shown.action.status, 'Succeeded');
    assert.equal((await isolationOf('freed')).isolation, 'none');
    assert.deepEqual((await isolationOf('freed')).heldBy, []);
    assert.equal((await isolationOf('hopeless')).isolation, 'failed');
    const never = await isolationOf('never');
    assert.deepEqual(never, {
      machineId: 'never',
      customerId: acme,
      name: never.name,
      isolation: 'none',
      heldBy: [],
      action: null,
    });
  });
});
