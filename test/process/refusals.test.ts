import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { asked, assertRefused, duty, englishCustomer, jones, judgeAgain, tried } from '../support/effects.js';
import { House, verdict } from '../support/house.js';

const suffix = randomUUID().slice(0, 8);
const NAMES = ['held', 'open', 'mute', 'slow', 'closed'];

describe('what an incident refuses', () => {
  let house: House;
  before(async () => {
    house = await House.open({ customers: NAMES.map((name, index) => englishCustomer(`${name}-${suffix}`, index)) });
  });
  after(() => house.close());

  const comesTo = (id: string, stage: string) => house.incidentWhen(id, stage, (incident) => incident.stage === stage);

  async function isolated(customer: string): Promise<{ id: string; machineId: string }> {
    const { id, alert } = await house.alert(customer);
    await house.command(id, 'triage', verdict(3));
    await comesTo(id, 'awaiting-release');
    return { id, machineId: alert.machineId };
  }

  describe('a Signal that holds what was encrypted for another customer', () => {
    /** As whoever may send Signals can copy it from one workflow into another. */
    async function copied(name: string): Promise<{ id: string; words: string }> {
      const { id } = await house.alert(house.customer('held'));
      const words = `copied-${randomUUID()}`;
      const { payloadCodecs, payloadConverter } = house.client.options.loadedDataConverter;
      const { namespace } = house.client.options;
      const context = { type: 'workflow', namespace, workflowId: `incident:${house.customer('open')}:one` } as const;
      const [codec = assert.fail()] = payloadCodecs;
      const payloads = await codec.encode([payloadConverter.toPayload({ ...verdict(2), analysis: words })], context);
      await house.client.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: id },
        signalName: name,
        input: { payloads },
      });
      return { id, words };
    }

    for (const name of ['triage', 'no-such-signal']) {
      it(`${name}: is shown as refused, without its words, and the incident goes on`, async () => {
        const { id, words } = await copied(name);
        const incident = await house.incidentWhen(id, 'it is refused', ({ timeline }) =>
          timeline.some(({ type }: { type: string }) => type === 'rejected-signal'),
        );
        assert.equal(incident.verdict, null);
        assert.doesNotMatch(JSON.stringify(incident), new RegExp(words));
        await house.command(id, 'triage', verdict(1));
        await comesTo(id, 'closed');
      });
    }
  });

  describe('a release', () => {
    let customer: string;
    let id: string;
    let machineId: string;
    before(async () => {
      customer = house.customer('held');
      ({ id, machineId } = await isolated(customer));
    });
    /** Whatever was refused, Defender was not asked and the record says nothing of an order. */
    afterEach(async () => {
      assert.deepEqual(await asked(house, customer, 'unisolate'), []);
      const incident = await house.incident(id);
      assert.equal(incident.stage, 'awaiting-release');
      assert.ok(!incident.timeline.some(({ type }: { type: string }) => type === 'instruction'));
    });

    const cases: { name: string; body: unknown; status: number; code: string; path: string }[] = [
      ...(['by', 'channel', 'receivedAt', 'words'] as const).map((part) => ({
        name: `without ${part}`,
        body: { instruction: jones({ [part]: undefined }) },
        status: 422,
        code: 'invalid-input',
        path: `instruction.${part}`,
      })),
      ...(['by', 'words'] as const).map((part) => ({
        name: `with nothing in ${part}`,
        body: { instruction: jones({ [part]: '  ' }) },
        status: 422,
        code: 'invalid-input',
        path: `instruction.${part}`,
      })),
      { name: 'without an instruction', body: {}, status: 422, code: 'invalid-input', path: 'instruction' },
      {
        name: 'through an unknown channel',
        body: { instruction: jones({ channel: 'fax' }) },
        status: 422,
        code: 'invalid-input',
        path: 'instruction.channel',
      },
      {
        name: 'received at no time zone’s time',
        body: { instruction: jones({ receivedAt: '2026-11-24T12:00:00' }) },
        status: 422,
        code: 'invalid-input',
        path: 'instruction.receivedAt',
      },
      {
        name: 'received in the future',
        body: { instruction: jones({ receivedAt: new Date(Date.now() + 3_600_000).toISOString() }) },
        status: 422,
        code: 'invalid-input',
        path: 'instruction.receivedAt',
      },
      {
        name: 'by somebody unknown',
        body: { instruction: jones({ by: 'mallory' }) },
        status: 422,
        code: 'unknown-instructor',
        path: 'instruction.by',
      },
      {
        name: 'by a contact who may not instruct',
        body: { instruction: jones({ by: 'smith' }) },
        status: 422,
        code: 'unknown-instructor',
        path: 'instruction.by',
      },
      {
        name: 'by phone without a call back',
        body: { instruction: jones({ channel: 'phone' }) },
        status: 422,
        code: 'call-back-needed',
        path: 'instruction.calledBackAt',
      },
      {
        name: 'of another device',
        body: { machineIds: ['somebody-elses'], instruction: jones() },
        status: 404,
        code: 'unknown-device',
        path: 'machineIds',
      },
    ];
    for (const { name, body, status, code, path } of cases) {
      it(`${name}: ${status} ${code}`, async () => {
        assertRefused(await tried(house, id, 'release', body), status, code, path);
      });
      if (!name.includes('device')) {
        it(`of the device itself, ${name}: ${status} ${code}`, async () => {
          const reply = await house.post(`/v1/devices/${customer}/${machineId}/release`, body);
          assertRefused(reply, status, code, path);
        });
      }
    }
  });

  it('releases on an instruction by phone once somebody has called back', async () => {
    const { id, machineId } = await isolated(house.customer('open'));
    const calledBackAt = new Date().toISOString();
    const answer = await house.command(id, 'release', { instruction: jones({ channel: 'phone', calledBackAt }) });
    assert.equal(answer.devices[0].outcome, 'releasing');
    const released = await comesTo(id, 'notified');
    const [instruction] = released.timeline.filter(({ type }: { type: string }) => type === 'instruction');
    assert.equal(instruction.data.instruction.calledBackAt, calledBackAt);
    // Nothing is held any more.
    assertRefused(await tried(house, id, 'release', { instruction: jones() }), 409, 'nothing-to-release');
    const named = { machineIds: [machineId], instruction: jones() };
    assertRefused(await tried(house, id, 'release', named), 409, 'nothing-to-release');
    assert.deepEqual(await asked(house, house.customer('open'), 'unisolate'), [machineId]);
  });

  it('refuses before the verdict what needs one', async () => {
    const { id } = await house.alert(house.customer('open'));
    assertRefused(await tried(house, id, 'close', { reason: 'nothing there' }), 409, 'not-triaged');
    assertRefused(await tried(house, id, 'release', { instruction: jones() }), 409, 'nothing-to-release');
    assertRefused(await tried(house, id, 'reopen', { reason: 'look again' }), 409, 'incident-open');
    assert.equal((await tried(house, id, 'escalations', { message: 'More.' })).status, 409);
    assert.equal((await house.incident(id)).stage, 'awaiting-triage');
  });

  it('refuses an escalation while the primary is still owed', async () => {
    const { id } = await house.alert(house.customer('open'));
    await house.command(id, 'triage', { level: 3, judgement: 'true-positive' });
    assertRefused(await tried(house, id, 'escalations', { message: 'More.' }), 409, 'no-primary-escalation');
    assert.deepEqual(await house.mailKinds(id), []);
  });

  it('does not close while something is owed', async () => {
    const customer = house.customer('mute');
    const down = { target: 'smtp', path: 'security-0002', times: 1_000, status: 451 };
    await house.control('POST', '/sim/faults', down);
    const { id } = await house.alert(customer);
    await house.command(id, 'triage', verdict(2));
    await house.incidentWhen(id, 'the mail is tried', (incident) => {
      return duty(incident, 'mail:primary')?.['status'] === 'running';
    });
    assertRefused(await tried(house, id, 'close', { reason: 'done' }), 409, 'duties-outstanding');
    await house.control('DELETE', '/sim/faults');
    await comesTo(id, 'notified');
    assert.deepEqual(await house.mailKinds(id), ['primary']);
    assert.equal((await house.command(id, 'close', { reason: 'done' })).closeReason, 'resolved');
  });

  it('does not close while the device is requested, isolated, or being released', async () => {
    const customer = house.customer('slow');
    const machineId = `slow-${suffix}`;
    await house.machine(customer, machineId, { online: false });
    const { id } = await house.alert(customer, { machineId });
    await house.command(id, 'triage', verdict(3));
    const isolationIs = (isolation: string) =>
      house.incidentWhen(id, `the device is ${isolation}`, ({ devices }) => devices[0].isolation === isolation);
    await isolationIs('requested');
    assertRefused(await tried(house, id, 'close', { reason: 'done' }), 409, 'device-still-isolated');
    await house.machine(customer, machineId, { online: true });
    await comesTo(id, 'awaiting-release');
    assertRefused(await tried(house, id, 'close', { reason: 'done' }), 409, 'device-still-isolated');
    await house.machine(customer, machineId, { online: false });
    await house.command(id, 'release', { instruction: jones() });
    await isolationIs('releasing');
    assertRefused(await tried(house, id, 'close', { reason: 'done' }), 409, 'device-still-isolated');
    await house.machine(customer, machineId, { online: true });
    await comesTo(id, 'notified');
    assert.equal((await house.command(id, 'close', { reason: 'done' })).stage, 'closed');
  });

  it('takes no command when closed but a note, until it is reopened', async () => {
    const { id } = await house.alert(house.customer('closed'));
    await house.command(id, 'triage', verdict(2));
    await comesTo(id, 'notified');
    await house.command(id, 'close', { reason: 'done' });
    const answer = { by: 'Alex Jones', channel: 'mail', receivedAt: new Date().toISOString(), words: 'It was us.' };
    const commands: [name: string, body: unknown][] = [
      ['triage', verdict(3)],
      ['escalations', { message: 'More.' }],
      ['release', { instruction: jones() }],
      ['answers', answer],
      ['assign', { operatorId: 'analyst' }],
      ['close', { reason: 'again' }],
    ];
    for (const [name, body] of commands) assertRefused(await tried(house, id, name, body), 409, 'incident-closed');
    await house.command(id, 'notes', { text: 'seen' });
    const reopened = await house.command(id, 'reopen', { reason: 'look again' });
    assert.deepEqual([reopened.stage, reopened.level, reopened.closeReason], ['notified', 2, undefined]);
    assertRefused(await tried(house, id, 'reopen', { reason: 'look again' }), 409, 'incident-open');
    await house.command(id, 'escalations', { message: 'More.' });
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary']);
  });

  it('refuses the same verdict again, and a changed one from somebody who has not seen it', async () => {
    const { id } = await house.alert(house.customer('closed'));
    const { revision: unseen } = await house.incident(id);
    await house.command(id, 'triage', verdict(2));
    await comesTo(id, 'notified');
    assertRefused(await tried(house, id, 'triage', verdict(2)), 409, 'nothing-new');
    assertRefused(await tried(house, id, 'triage', verdict(3)), 428, 'revision-required');
    const path = `/v1/incidents/${encodeURIComponent(id)}/triage`;
    const late = await house.post(path, verdict(3), { headers: { 'If-Match': `"${unseen}"` } });
    assertRefused(late, 412, 'stale');
    assert.deepEqual(await house.mailKinds(id), ['primary']);
    const changed = await judgeAgain(house, id, verdict(2, { analysis: 'The loader was harmless.' }));
    assert.equal(changed.verdict.analysis, 'The loader was harmless.');
    await house.incidentWhen(id, 'told', (incident) => duty(incident, 'mail:secondary:v1')?.['status'] === 'done');
    assert.deepEqual(await house.mailKinds(id), ['primary', 'secondary']);
    assert.deepEqual(await asked(house, house.customer('closed'), 'isolate'), []);
  });
});
