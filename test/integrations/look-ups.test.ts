import assert from 'node:assert/strict';
import { createLookUp } from '../../src/activities/look-ups.js';
import { defenderMachineSchema, type DefenderMachine } from '../../src/domain/defender.js';

const TENANT = { tenantId: 'tenant', apiBase: 'http://defender.example' };
const NEVER = new AbortController().signal;
const machine = (id: string) => defenderMachineSchema.parse({ id });
const USUAL = { isUrgent: false, signal: NEVER };

describe('looking devices up', () => {
  /** A Defender that answers when it is told to. */
  function defender() {
    const asked: { machineId: string; urgency: string | undefined; answer: (machine?: DefenderMachine) => void }[] = [];
    const failures: ((error: Error) => void)[] = [];
    const lookUp = createLookUp({
      getMachine: (_, machineId, __, urgency) =>
        new Promise((resolve, reject) => {
          asked.push({ machineId, urgency, answer: resolve });
          failures.push(reject);
        }),
    });
    return { asked, failures, lookUp };
  }

  it('shares a call among those who ask for the same device, and what it has brought', async () => {
    const { asked, lookUp } = defender();
    const two = [lookUp(TENANT, 'a', USUAL), lookUp(TENANT, 'a', USUAL), lookUp(TENANT, 'b', USUAL)];
    asked[0]?.answer(machine('a'));
    asked[1]?.answer(machine('b'));
    await Promise.all(two);
    assert.equal((await lookUp(TENANT, 'a', { isUrgent: true, signal: NEVER }))?.id, 'a');
    assert.deepEqual(
      asked.map(({ machineId }) => machineId),
      ['a', 'b'],
    );
  });

  it('never between tenants', () => {
    const { asked, lookUp } = defender();
    void lookUp(TENANT, 'a', USUAL);
    void lookUp({ ...TENANT, tenantId: 'other' }, 'a', USUAL);
    assert.equal(asked.length, 2);
  });

  it('asks again for a device that Defender did not know, and after a failure', async () => {
    const { asked, failures, lookUp } = defender();
    const unknown = lookUp(TENANT, 'a', USUAL);
    asked[0]?.answer(undefined);
    assert.equal(await unknown, undefined);
    const failing = [lookUp(TENANT, 'a', USUAL), lookUp(TENANT, 'a', USUAL)];
    failures[1]?.(new Error('no answer'));
    for (const each of failing) await assert.rejects(each, /no answer/);
    void lookUp(TENANT, 'a', USUAL);
    assert.equal(asked.length, 3);
  });

  it('does not make what is urgent wait with what is not', () => {
    const { asked, lookUp } = defender();
    void lookUp(TENANT, 'a', USUAL);
    void lookUp(TENANT, 'a', { isUrgent: true, signal: NEVER });
    assert.deepEqual(
      asked.map(({ urgency }) => urgency),
      ['look-up', 'isolation'],
    );
  });

  it('one who gives up takes nothing from the others', async () => {
    const { asked, lookUp } = defender();
    const controller = new AbortController();
    const impatient = lookUp(TENANT, 'a', { isUrgent: false, signal: controller.signal });
    const patient = lookUp(TENANT, 'a', USUAL);
    controller.abort(new Error('too slow'));
    await assert.rejects(impatient, /too slow/);
    asked[0]?.answer(machine('a'));
    assert.equal((await patient)?.id, 'a');
  });
});
