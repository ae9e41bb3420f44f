import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Bench, errorSchema, machineActionSchema } from '../testing.js';

const machineId = 'a'.repeat(40);
const isolation = { Comment: 'A test', IsolationType: 'Full' };

describe('Defender machine actions', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(async () => {
    await bench.control('POST', '/reset');
    await bench.tenantControl('PATCH', `/machines/${machineId}`, { isolationSeconds: 0.05 });
  });

  const machine = (changes: object) => bench.tenantControl('PATCH', `/machines/${machineId}`, changes);
  const isIsolated = async () => (await machine({})).json(z.object({ isolated: z.boolean() })).isolated;

  it('isolates and releases: 201 and Pending first, Succeeded later', async () => {
    const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, isolation);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('odata-version'), '4.0');
    const action = answer.json(machineActionSchema);
    assert.equal(action.type, 'Isolate');
    assert.equal(action.status, 'Pending');
    assert.equal(action.scope, 'Full');
    const succeeded = await bench.actionIn('Succeeded', action.id);
    assert.ok(succeeded.lastUpdateDateTimeUtc > action.lastUpdateDateTimeUtc);
    assert.equal(await isIsolated(), true);

    const release = await bench.defender('POST', `/api/machines/${machineId}/unisolate`, { Comment: 'Done' });
    assert.equal(release.status, 201);
    await bench.actionIn('Succeeded', release.json(machineActionSchema).id);
    assert.equal(await isIsolated(), false);
  });

  it('passes through InProgress', async () => {
    await machine({ isolationSeconds: 3 });
    const id = await bench.isolate(machineId);
    await bench.actionIn('InProgress', id);
    await bench.actionIn('Succeeded', id);
  });

  it('is isolated and released by hand in the portal too, which the list shows', async () => {
    await machine({});
    const path = `/machines/${machineId}/portal`;
    const shown = z.object({ id: z.string(), type: z.string(), requestor: z.string(), requestSource: z.string() });
    for (const [type, expected] of [
      ['isolate', 'Isolate'],
      ['unisolate', 'Unisolate'],
    ] as const) {
      const answer = await bench.tenantControl('POST', path, { type });
      assert.equal(answer.status, 201, answer.text);
      const action = answer.json(shown);
      assert.deepEqual([action.type, action.requestSource], [expected, 'Portal']);
      assert.match(action.requestor, /^admin@/);
      assert.equal((await bench.tenantControl('POST', path, { type })).status, 422);
      await bench.actionIn('Succeeded', action.id);
      assert.equal(await isIsolated(), type === 'isolate');
    }
    const unknown = await bench.tenantControl('POST', `/machines/${'b'.repeat(40)}/portal`, { type: 'isolate' });
    assert.equal(unknown.status, 404);
  });

  it('answers 404 for a machine that nobody has named', async () => {
    const answer = await bench.defender('POST', `/api/machines/${'b'.repeat(40)}/isolate`, isolation);
    assert.equal(answer.status, 404);
    assert.equal(answer.json(errorSchema).error.code, 'ResourceNotFound');
  });

  const wrongBodies: [string, object, string][] = [
    ['a missing comment', { IsolationType: 'Full' }, 'MissingRequiredParameter'],
    ['a key in other letters', { comment: 'x', IsolationType: 'Full' }, 'MissingRequiredParameter'],
    ['a missing type', { Comment: 'x' }, 'MissingRequiredParameter'],
    ['an unknown type', { Comment: 'x', IsolationType: 'full' }, 'InvalidInput'],
  ];
  for (const [what, body, code] of wrongBodies) {
    it(`refuses ${what}`, async () => {
      const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.json(errorSchema).error.code, code);
    });
  }

  it('refuses a second action while one is running, whichever it is', async () => {
    await machine({ online: false });
    await bench.isolate(machineId);
    for (const [path, body] of [
      ['isolate', isolation],
      ['unisolate', { Comment: 'x' }],
    ] as const) {
      const answer = await bench.defender('POST', `/api/machines/${machineId}/${path}`, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.json(errorSchema).error.code, 'ActiveRequestAlreadyExists');
    }
  });

  it('waits for a machine that is offline, and goes on when it is back', async () => {
    await machine({ online: false });
    const id = await bench.isolate(machineId);
    const answer = await bench.defender('GET', `/api/machineactions/${id}`);
    assert.equal(answer.json(machineActionSchema).status, 'Pending');
    await machine({ online: true });
    await bench.actionIn('Succeeded', id);
  });

  it('gives up with TimeOut', async () => {
    await machine({ online: false });
    const id = await bench.isolate(machineId);
    await machine({ timeoutSeconds: 0.1 });
    assert.equal((await bench.actionIn('TimeOut', id)).errorHResult, -2145844840);
  });

  it('fails where it was told to', async () => {
    await machine({ isolationFails: true });
    const action = await bench.actionIn('Failed', await bench.isolate(machineId));
    assert.notEqual(action.errorHResult, 0);
    assert.equal(await isIsolated(), false);
  });

  it('cancels what is running, and nothing else', async () => {
    await machine({ online: false });
    const id = await bench.isolate(machineId);
    const answer = await bench.defender('POST', `/api/machineactions/${id}/cancel`, { Comment: 'All clear' });
    assert.equal(answer.status, 200);
    const action = answer.json(machineActionSchema);
    assert.equal(action.status, 'Cancelled');
    assert.equal(action.errorHResult, -2147467260);
    assert.equal(action.cancellationComment, 'All clear');
    const again = await bench.defender('POST', `/api/machineactions/${id}/cancel`, { Comment: 'All clear' });
    assert.equal(again.status, 400);
  });

  it('refuses an operating system that cannot be isolated', async () => {
    for (const changes of [{ osPlatform: 'Windows7' }, { osPlatform: 'Windows11', supported: false }]) {
      await machine(changes);
      const answer = await bench.defender('POST', `/api/machines/${machineId}/isolate`, isolation);
      assert.equal(answer.status, 400);
      assert.equal(answer.json(errorSchema).error.code, 'OsPlatformNotSupported');
    }
  });

  it('hides a new action for as long as it was told to', async () => {
    await machine({ hideNewActionForSeconds: 60 });
    const id = await bench.isolate(machineId);
    assert.equal((await bench.defender('GET', `/api/machineactions/${id}`)).status, 404);
  });

  it('answers 404 with an empty body for an unknown action, 400 for an id that is no GUID', async () => {
    const unknown = await bench.defender('GET', `/api/machineactions/${randomUUID()}`);
    assert.equal(unknown.status, 404);
    assert.equal(unknown.text, '');
    const malformed = await bench.defender('GET', '/api/machineactions/newest');
    assert.equal(malformed.status, 400);
    assert.equal(malformed.json(errorSchema).error.code, 'BadRequest');
    assert.match(malformed.text, /should be format of type 'Edm.Guid'/);
  });

  it('lists the newest first, filtered and in pages', async () => {
    const first = await bench.isolate(machineId);
    await bench.actionIn('Succeeded', first);
    const second = await bench.isolate(machineId);
    await bench.actionIn('Succeeded', second);
    const ids = async (query: string) => {
      const answer = await bench.defender('GET', `/api/machineactions?${query}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.json(z.object({ value: z.array(machineActionSchema) })).value.map((action) => action.id);
    };
    const ofMachine = `$filter=machineId eq '${machineId}' and type eq 'Isolate'`;
    assert.deepEqual(await ids(ofMachine), [second, first]);
    assert.deepEqual(await ids(`${ofMachine}&$top=1`), [second]);
    assert.deepEqual(await ids(`${ofMachine}&$top=1&$skip=1`), [first]);
    assert.deepEqual(await ids(`${ofMachine}&$orderby=creationDateTimeUtc asc`), [first, second]);
    assert.deepEqual(await ids(`$filter=id in ('${first}')`), [first]);
    assert.deepEqual(await ids("$filter=status eq 'Pending'"), []);
  });
});
