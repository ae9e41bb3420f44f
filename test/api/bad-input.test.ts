import assert from 'node:assert/strict';
import { House, instruction, verdict } from '../support/house.js';
import { refuses, type Refusal } from '../support/refusals.js';

describe('commands that the API refuses', () => {
  let house: House;
  let acme = '';
  let incident = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
    ({ id: incident } = await house.alert(acme, { machineId: 'machine-1', computerDnsName: 'pc-1' }));
    await house.incidentWhen(incident, 'looked up', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'device-known'),
    );
  });
  after(() => house.close());

  const refused = (cases: Refusal[]) => refuses(() => ({ house, acme, incident }), cases);
  const triage = '/v1/incidents/{id}/triage';
  const long = (length: number) => 'x'.repeat(length);
  const without = (...fields: string[]) => Object.fromEntries(fields.map((field) => [field, undefined]));
  const device = (machineId: string, name: string) => ({ machineId, name });

  describe('the body as such', () => {
    refused([
      { name: 'no JSON', path: triage, body: '{"level": 3,', status: 400 },
      { name: 'a bare word', path: triage, body: 'hello', status: 400 },
      { name: 'JSON that is no object', path: triage, body: '3', status: 400 },
      { name: 'null', path: triage, body: 'null', status: 400 },
      { name: 'no body', path: triage, status: 422, paths: ['level', 'judgement'] },
      { name: 'an array', path: triage, body: [verdict(3)], status: 422, paths: [''] },
      { name: 'an empty object', path: triage, body: {}, status: 422, paths: ['level', 'judgement'] },
      { name: 'too large', path: triage, body: verdict(3, { analysis: long(2_200_000) }), status: 413 },
      {
        name: 'an encoding that nobody knows',
        path: triage,
        body: verdict(3),
        headers: { 'Content-Encoding': 'bogus' },
        status: 400,
      },
      {
        name: 'what only claims to be compressed',
        path: triage,
        body: verdict(3),
        headers: { 'Content-Encoding': 'gzip' },
        status: 400,
      },
      {
        name: 'a character set that nobody knows',
        path: triage,
        body: verdict(3),
        headers: { 'Content-Type': 'application/json; charset=klingon' },
        status: 400,
      },
    ]);
  });

  describe('a verdict', () => {
    const bad = (name: string, body: unknown, ...paths: string[]): Refusal => ({
      name,
      path: triage,
      body,
      status: 422,
      paths,
    });
    refused([
      bad('level 0', { ...verdict(3), level: 0 }, 'level'),
      bad('level 5', { ...verdict(3), level: 5 }, 'level'),
      bad('level 2.5', { ...verdict(3), level: 2.5 }, 'level'),
      bad('level as a string', { ...verdict(3), level: '3' }, 'level'),
      bad('level null', { ...verdict(3), level: null }, 'level'),
      bad('no level', { ...verdict(3), level: undefined }, 'level'),
      bad('no judgement', { ...verdict(3), judgement: undefined }, 'judgement'),
      bad('a judgement of its own', verdict(3, { judgement: 'maybe' }), 'judgement'),
      bad('unknown keys, each by name', verdict(3, { Level: 3, colour: 'red' }), 'Level', 'colour'),
      bad(
        'an unknown key inside',
        verdict(3, { exclusionProposal: { what: 'a', why: 'b', who: 'c' } }),
        'exclusionProposal.who',
      ),
      bad('level 1 without its analysis', verdict(1, without('analysis')), 'analysis'),
      bad(
        'level 2 without its texts',
        verdict(2, without('detection', 'analysis', 'countermeasures')),
        'detection',
        'analysis',
        'countermeasures',
      ),
      bad('level 2 without one text', verdict(2, without('countermeasures')), 'countermeasures'),
      bad('undetermined without a question', verdict(3, { judgement: 'undetermined' }), 'askCustomer'),
      bad('an empty text', verdict(3, { analysis: '' }), 'analysis'),
      bad('a blank text', verdict(3, { analysis: ' \n\t' }), 'analysis'),
      bad('an empty question', verdict(3, { askCustomer: '' }), 'askCustomer'),
      bad('a text as a number', verdict(3, { detection: 7 }), 'detection'),
      bad('a text null', verdict(3, { detection: null }), 'detection'),
      bad('an over-long text', verdict(3, { countermeasures: long(8_001) }), 'countermeasures'),
      bad('an over-long question', verdict(3, { askCustomer: long(2_001) }), 'askCustomer'),
      bad('devices as an object', verdict(3, { devices: device('m', 'n') }), 'devices'),
      bad('a device without its name', verdict(3, { devices: [{ machineId: 'm' }] }), 'devices[0].name'),
      bad(
        'a device without its id',
        verdict(4, { devices: [device('m', 'n'), { name: 'n' }] }),
        'devices[1].machineId',
      ),
      bad('a device id with a blank', verdict(3, { devices: [device('m 1', 'n')] }), 'devices[0].machineId'),
      bad('one device by two names', verdict(4, { devices: [device('m', 'n'), device('m', 'o')] }), 'devices[1].name'),
      bad('two devices at level 3', verdict(3, { devices: [device('m', 'n'), device('o', 'p')] }), 'devices'),
      bad('a device at level 2', verdict(2, { devices: [device('m', 'n')] }), 'devices'),
      bad(
        'a hundred and one devices',
        verdict(4, { devices: Array.from({ length: 101 }, (_, at) => device(`m${at}`, 'n')) }),
        'devices',
      ),
      bad(
        'six devices unconfirmed',
        verdict(4, { devices: Array.from({ length: 5 }, (_, at) => device(`m${at}`, 'n')) }),
        'confirmCount',
      ),
      bad('a confirmed number that is wrong', verdict(3, { confirmCount: 2 }), 'confirmCount'),
      bad('a confirmed number that is none', verdict(3, { confirmCount: 'one' }), 'confirmCount'),
      bad('a confirmed number of 0', verdict(3, { confirmCount: 0 }), 'confirmCount'),
      bad('servers neither isolated nor left', verdict(3, { servers: 'reboot' }), 'servers'),
      bad('a proposal without its reason', verdict(3, { exclusionProposal: { what: 'a' } }), 'exclusionProposal.why'),
      bad('a proposal without its object', verdict(3, { exclusionProposal: { why: 'b' } }), 'exclusionProposal.what'),
      bad('a proposal as a text', verdict(3, { exclusionProposal: 'all of it' }), 'exclusionProposal'),
      {
        name: 'If-Match that is no ETag',
        path: triage,
        body: verdict(3),
        headers: { 'If-Match': '1' },
        status: 422,
        paths: ['If-Match'],
      },
      {
        name: 'If-Match *',
        path: triage,
        body: verdict(3),
        headers: { 'If-Match': '*' },
        status: 422,
        paths: ['If-Match'],
      },
      {
        name: 'an Idempotency-Key with a blank',
        path: triage,
        body: verdict(3),
        headers: { 'Idempotency-Key': 'a b' },
        status: 422,
        paths: ['Idempotency-Key'],
      },
      {
        name: 'an Idempotency-Key too long',
        path: triage,
        body: verdict(3),
        headers: { 'Idempotency-Key': long(201) },
        status: 422,
        paths: ['Idempotency-Key'],
      },
      {
        name: 'an empty Idempotency-Key',
        path: triage,
        body: verdict(3),
        headers: { 'Idempotency-Key': '' },
        status: 422,
        paths: ['Idempotency-Key'],
      },
    ]);
  });

  describe('the other commands', () => {
    const bad = (name: string, command: string, body: unknown, ...paths: string[]): Refusal => ({
      name: `${command}, ${name}`,
      path: `/v1/incidents/{id}/${command}`,
      body,
      status: 422,
      paths,
    });
    const answer = { by: '佐藤', channel: 'mail', receivedAt: '2026-01-01T00:00:00+09:00', words: 'はい' };
    const future = '2099-01-01T00:00:00Z';
    const release = (more: Record<string, unknown>) => ({ instruction: instruction(more) });
    refused([
      bad('no message', 'escalations', {}, 'message'),
      bad('an empty message', 'escalations', { message: '' }, 'message'),
      bad('an over-long message', 'escalations', { message: long(8_001) }, 'message'),
      bad('an unknown key', 'escalations', { message: 'm', level: 4 }, 'level'),
      bad(
        'half a proposal',
        'escalations',
        { message: 'm', exclusionProposal: { what: 'a' } },
        'exclusionProposal.why',
      ),
      bad('nothing', 'answers', {}, 'by', 'channel', 'receivedAt', 'words'),
      bad('a time without offset', 'answers', { ...answer, receivedAt: '2026-01-01T00:00:00' }, 'receivedAt'),
      bad('a time that is none', 'answers', { ...answer, receivedAt: '2026-13-45T00:00:00Z' }, 'receivedAt'),
      bad('a time as a number', 'answers', { ...answer, receivedAt: 1_760_000_000 }, 'receivedAt'),
      bad('a time to come', 'answers', { ...answer, receivedAt: future }, 'receivedAt'),
      bad('a channel of its own', 'answers', { ...answer, channel: 'fax' }, 'channel'),
      bad('no words', 'answers', { ...answer, words: '' }, 'words'),
      bad('no instruction', 'release', {}, 'instruction'),
      bad('no devices', 'release', { machineIds: [], ...release({}) }, 'machineIds'),
      bad('devices as a text', 'release', { machineIds: 'machine-1', ...release({}) }, 'machineIds'),
      bad('a device id with a blank', 'release', { machineIds: ['m 1'], ...release({}) }, 'machineIds[0]'),
      bad('a time without offset', 'release', release({ receivedAt: '2026-01-01T00:00:00' }), 'instruction.receivedAt'),
      bad('a time to come', 'release', release({ receivedAt: future }), 'instruction.receivedAt'),
      bad(
        'called back in time to come',
        'release',
        release({ channel: 'phone', calledBackAt: future }),
        'instruction.calledBackAt',
      ),
      bad('nobody who instructs', 'release', release({ by: '' }), 'instruction.by'),
      bad('an unknown key', 'release', release({ force: true }), 'instruction.force'),
      bad('an over-long instruction', 'release', release({ words: long(2_001) }), 'instruction.words'),
      bad('nobody named', 'assign', {}, 'operatorId'),
      bad('an empty id', 'assign', { operatorId: '' }, 'operatorId'),
      bad('a number', 'assign', { operatorId: 7 }, 'operatorId'),
      bad('no text', 'notes', { text: '' }, 'text'),
      bad('an over-long text', 'notes', { text: long(1_201) }, 'text'),
      bad('no reason', 'close', {}, 'reason'),
      bad('an over-long reason', 'close', { reason: long(1_001) }, 'reason'),
      bad('no reason', 'reopen', { why: 'because' }, 'reason', 'why'),
      {
        name: 'release of a device, no instruction',
        path: '/v1/devices/{acme}/machine-1/release',
        body: { machineIds: ['machine-1'] },
        status: 422,
        paths: ['instruction', 'machineIds'],
      },
      {
        name: 'release of a device, an Idempotency-Key that is not ASCII',
        path: '/v1/devices/{acme}/machine-1/release',
        body: release({}),
        headers: { 'Idempotency-Key': 'é' },
        status: 422,
        paths: ['Idempotency-Key'],
      },
    ]);
  });

  it('has changed nothing by any of it', async () => {
    const { stage, verdict: judged, timeline } = await house.incident(incident);
    assert.equal(stage, 'awaiting-triage');
    assert.equal(judged, null);
    assert.deepEqual(
      timeline.map(({ type }: { type: string }) => type),
      ['alert-received', 'scope', 'device-known'],
    );
    assert.deepEqual(await house.mails(), []);
    assert.deepEqual((await house.get(`/v1/incidents?customer=${acme}`)).body.items.length, 1);
  });
});
