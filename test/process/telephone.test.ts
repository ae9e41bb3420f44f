import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { twilioSignature } from '../../simulator/twilio/webhook.js';
import { until } from '../../simulator/testing.js';
import { phoneWorkflowId } from '../../src/domain/phone/record.js';
import { phoneQuery } from '../../src/workflows/messages.js';
import { calm, duty, englishCustomer, judgeAgain, mailOf, timelineOf } from '../support/effects.js';
import { House, verdict } from '../support/house.js';

type Behaviour = { answers: 'human' | 'voicemail' | 'nobody' | 'busy'; presses?: string | null; afterSeconds?: number };

const NOBODY: Behaviour = { answers: 'nobody', afterSeconds: 0.05 };
const VOICEMAIL: Behaviour = { answers: 'voicemail', afterSeconds: 0.05 };
const BUSY: Behaviour = { answers: 'busy', afterSeconds: 0.05 };
const HUMAN: Behaviour = { answers: 'human', presses: '1', afterSeconds: 0.05 };

const PEOPLE = ['jones', 'smith', 'brown'];
const CUSTOMERS = 15;

function numberOf(serial: number, index: number): string {
  return `+44207946${String(serial * 10 + index).padStart(4, '0')}`;
}

describe('the telephone at level 4', () => {
  let house: House;
  let serial = 0;

  before(async () => {
    const suffix = randomUUID().slice(0, 8);
    const customers = Array.from({ length: CUSTOMERS }, (_, index) => {
      // The last one has nobody to ring.
      const people = index === CUSTOMERS - 1 ? [] : PEOPLE;
      return englishCustomer(`ring${index}-${suffix}`, index, {
        contacts: people
          .map((id, order) => ({
            id,
            name: id,
            phone: numberOf(index, order),
            mayInstruct: true,
            // Written down in another order than they are rung in.
            ringOrder: order + 1,
          }))
          .reverse(),
      });
    });
    house = await House.open({ customers });
  });
  after(() => house.close());

  /** A customer whom nobody has rung yet, whose contacts behave so. */
  async function customerWith(...behaviours: Behaviour[]) {
    const own = serial;
    serial += 1;
    const customer = house.customers[own]?.id ?? '';
    for (const [index, behaviour] of behaviours.entries()) {
      await house.control('PUT', `/sim/phones/${encodeURIComponent(numberOf(own, index))}`, behaviour);
    }
    /** The calls so far: whom, and how they went. */
    const calls = async () => {
      const numbers = PEOPLE.map((_, index) => numberOf(own, index));
      const all = (await house.calls()).filter(({ to }) => numbers.includes(to));
      return all.map(({ to, status }) => `${PEOPLE[numbers.indexOf(to)] ?? to}: ${status}`);
    };
    return { customer, calls };
  }

  async function atLevel4(customer: string): Promise<string> {
    const { id } = await house.alert(customer);
    await house.command(id, 'triage', verdict(4));
    return id;
  }

  function whenPhone(id: string, status: string) {
    return house.incidentWhen(id, `phone ${status}`, (incident) => duty(incident, 'phone')?.['status'] === status);
  }

  /** Waits for so many calls; the last one may still be going on. */
  function whenCalls(calls: () => Promise<string[]>, count: number): Promise<string[]> {
    return until(`${count} calls`, async () => {
      const made = await calls();
      return made.length >= count ? made : undefined;
    });
  }

  it('rings in order until somebody presses the key, and voicemail is nobody', async () => {
    const { customer, calls } = await customerWith(VOICEMAIL, NOBODY, HUMAN);
    const id = await atLevel4(customer);
    const done = await whenPhone(id, 'done');
    await calm(house);
    assert.deepEqual(await calls(), ['jones: completed', 'smith: no-answer', 'brown: completed']);
    const words = timelineOf(done, 'call').map(({ text }) => text.en);
    assert.equal(words.at(-1), 'brown acknowledged the call.');
    assert.deepEqual(done.attention, []);
    const spoken = (await house.calls()).find(({ to }) => to === numberOf(0, 2))?.said.join(' ') ?? '';
    assert.match(spoken, /Threat level 4.*press 1.*Thank you for acknowledging/s);
  });

  it('takes no other key for an acknowledgement, and goes on after a busy line', async () => {
    const { customer, calls } = await customerWith(BUSY, { ...HUMAN, presses: '2' }, HUMAN);
    await whenPhone(await atLevel4(customer), 'done');
    await calm(house);
    assert.deepEqual(await calls(), ['jones: busy', 'smith: completed', 'brown: completed']);
  });

  it('tells the SOC when nobody has acknowledged in all rounds, and rings again when the verdict is repeated', async () => {
    const { customer, calls } = await customerWith(NOBODY, VOICEMAIL, { ...HUMAN, presses: null });
    const id = await atLevel4(customer);
    const failed = await whenPhone(id, 'failed');
    assert.equal(duty(failed, 'phone')?.['reason'], 'phone-exhausted');
    assert.deepEqual(failed.attention, ['phone-exhausted']);
    await calm(house);
    const round = ['jones: no-answer', 'smith: completed', 'brown: completed'];
    assert.deepEqual(await calls(), [...round, ...round]);
    assert.match((await mailOf(house, id, 'soc-failure')).text, /Ring them yourself/);

    await house.control('PUT', `/sim/phones/${encodeURIComponent(numberOf(2, 0))}`, HUMAN);
    await house.command(id, 'triage', verdict(4));
    const done = await whenPhone(id, 'done');
    assert.deepEqual(done.attention, []);
    await calm(house);
    assert.equal((await calls()).length, 7);
  });

  it('rings once for two incidents of one customer', async () => {
    const { customer, calls } = await customerWith({ ...HUMAN, afterSeconds: 1.5 });
    const alerts = await Promise.all([house.alert(customer), house.alert(customer)]);
    await Promise.all(alerts.map(({ id }) => house.command(id, 'triage', verdict(4))));
    for (const { id } of alerts) await whenPhone(id, 'done');
    await calm(house);
    assert.deepEqual(await calls(), ['jones: completed']);
  });

  it('stops when the level is lowered while it rings', async () => {
    const { customer, calls } = await customerWith({ ...HUMAN, afterSeconds: 4 });
    const id = await atLevel4(customer);
    await until('it rings', async () => ((await calls()).includes('jones: ringing') ? true : undefined));
    await judgeAgain(house, id, verdict(1));
    const lowered = await whenPhone(id, 'cancelled');
    assert.equal(duty(lowered, 'phone')?.['reason'], 'level-lowered');
    await until('hung up', async () => ((await calls()).includes('jones: canceled') ? true : undefined));
    await calm(house);
    assert.deepEqual(await calls(), ['jones: canceled']);
  });

  for (const [who, first, expected] of [
    ['who answers', HUMAN, ['jones: completed']],
    ['who does not', NOBODY, ['jones: no-answer', 'smith: completed']],
  ] as const) {
    it(`does not ring a contact ${who} twice when Twilio cuts the connection after taking the call`, async () => {
      const { customer, calls } = await customerWith(first, HUMAN);
      await house.control('POST', '/sim/faults', { target: 'twilio', path: 'Calls.json', dropAfterAccept: true });
      await whenPhone(await atLevel4(customer), 'done');
      await calm(house);
      assert.deepEqual(await calls(), expected);
    });
  }

  /** What Twilio posts about a call, signed as the caller of this says. */
  async function post(
    path: 'voice' | 'status',
    customer: string,
    attempt: number,
    form: Record<string, string>,
    signature: string | null,
  ) {
    const url = `${house.url}/webhooks/twilio/${path}?${new URLSearchParams({ customer, attempt: String(attempt) }).toString()}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: signature === null ? {} : { 'X-Twilio-Signature': signature },
      body: new URLSearchParams(form),
    });
    return response.status;
  }

  function genuine(path: 'voice' | 'status', customer: string, attempt: number, form: Record<string, string>): string {
    const url = `${house.url}/webhooks/twilio/${path}?${new URLSearchParams({ customer, attempt: String(attempt) }).toString()}`;
    return twilioSignature(house.sim.credentials.twilioAuthToken, url, form);
  }

  async function attempts(customer: string): Promise<{ attempt: number; sid: string }[]> {
    const { calls } = await house.client.workflow.getHandle(phoneWorkflowId(customer)).query(phoneQuery);
    return calls.map(({ attempt, sid }) => ({ attempt, sid: sid ?? '' }));
  }

  it('believes Twilio alone', async () => {
    const { customer, calls } = await customerWith({ ...HUMAN, presses: null, afterSeconds: 4 });
    const { customer: other } = await customerWith();
    const id = await atLevel4(customer);
    await until('it rings', async () => ((await calls()).includes('jones: ringing') ? true : undefined));
    const [{ attempt, sid } = { attempt: 0, sid: '' }] = await attempts(customer);
    const form = { CallSid: sid, CallStatus: 'in-progress', Digits: '1' };
    const real = genuine('voice', customer, attempt, form);

    const forgeries: [string, number][] = [
      ['no signature', await post('voice', customer, attempt, form, null)],
      ['a wrong one', await post('voice', customer, attempt, form, Buffer.from('guess').toString('base64'))],
      [
        'that of another key',
        await post('voice', customer, attempt, form, genuine('voice', customer, attempt, { ...form, Digits: '2' })),
      ],
      [
        'that of another attempt',
        await post('voice', customer, attempt, form, genuine('voice', customer, attempt + 1, form)),
      ],
      ['a real one at another attempt', await post('voice', customer, attempt + 1, form, real)],
      ['a real one at another address', await post('status', customer, attempt, form, real)],
      ['a real one for another customer', await post('voice', other, attempt, form, real)],
    ];
    assert.deepEqual(
      forgeries.filter(([, status]) => status !== 403),
      [],
    );
    assert.equal(duty(await house.incident(id), 'phone')?.['status'], 'running');
    assert.deepEqual(await calls(), ['jones: ringing']);

    // The same words with Twilio's own signature are believed, so nothing else was wrong with them.
    assert.equal(await post('voice', customer, attempt, form, real), 200);
    await whenPhone(id, 'done');
    await calm(house);
    assert.equal((await calls()).length, 1);
  });

  it('takes a keypress that is told once more for none of what has been asked since', async () => {
    const { customer, calls } = await customerWith(HUMAN, HUMAN);
    const first = await atLevel4(customer);
    await whenPhone(first, 'done');
    const [{ attempt, sid } = { attempt: 0, sid: '' }] = await attempts(customer);
    const form = { CallSid: sid, CallStatus: 'in-progress', Digits: '1' };
    const again = () => post('voice', customer, attempt, form, genuine('voice', customer, attempt, form));
    assert.equal(await again(), 200);

    // Another incident, within the life of the same workflow: nobody has been told of it by that call.
    const number = (house.customers.find(({ id }) => id === customer)?.contacts ?? []).find(({ id }) => id === 'jones');
    const silent = { ...HUMAN, presses: null, afterSeconds: 1.5 };
    await house.control('PUT', `/sim/phones/${encodeURIComponent(number?.phone ?? '')}`, silent);
    const second = await atLevel4(customer);
    await whenCalls(calls, 2);
    assert.equal(await again(), 200);
    const done = await whenPhone(second, 'done');
    assert.equal(timelineOf(done, 'call').at(-1)?.text.en, 'smith acknowledged the call.');
    await calm(house);
    assert.deepEqual(await calls(), ['jones: completed', 'jones: completed', 'smith: completed']);
  });

  it('counts a key that it hears of only while the next contact is rung', async () => {
    const { customer, calls } = await customerWith(NOBODY, { ...HUMAN, afterSeconds: 4 }, HUMAN);
    const id = await atLevel4(customer);
    await whenCalls(calls, 2);
    const [{ attempt, sid } = { attempt: 0, sid: '' }] = await attempts(customer);
    const form = { CallSid: sid, CallStatus: 'completed', Digits: '1' };
    assert.equal(await post('voice', customer, attempt, form, genuine('voice', customer, attempt, form)), 200);
    const done = await whenPhone(id, 'done');
    assert.ok(timelineOf(done, 'call').some(({ text }) => text.en === 'jones acknowledged the call.'));
    await until('hung up', async () => ((await calls()).includes('smith: canceled') ? true : undefined));
    await calm(house);
    assert.deepEqual(await calls(), ['jones: no-answer', 'smith: canceled']);
  });

  it('says so when the customer has nobody to ring', async () => {
    const customer = house.customers[CUSTOMERS - 1]?.id ?? '';
    const id = await atLevel4(customer);
    const failed = await whenPhone(id, 'failed');
    assert.equal(duty(failed, 'phone')?.['reason'], 'no-contact-to-ring');
    assert.deepEqual(failed.attention, ['no-contact-to-ring']);
    await calm(house);
    assert.match((await mailOf(house, id, 'soc-failure')).text, /have contacts for calls registered/);
  });
});
