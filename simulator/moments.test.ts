import assert from 'node:assert/strict';
import { startSimulator, type Moment, type Simulator } from './index.js';
import { send } from './testing.js';

describe('a watched simulator', () => {
  let simulator: Simulator | undefined;
  afterEach(() => simulator?.stop());

  const place = async (url: string): Promise<number> => {
    const { twilioAccountSid: sid, twilioAuthToken: token } = simulator?.credentials ?? assert.fail();
    const answer = await send('POST', `${url}/2010-04-01/Accounts/${sid}/Calls.json`, {
      headers: { authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}` },
      form: new URLSearchParams({ To: '+81312345678', From: '+815012345678', Twiml: '<Response><Hangup/></Response>' }),
    });
    return answer.status;
  };
  const calls = async (url: string): Promise<number> => {
    const { text } = await send('GET', `${url}/sim/calls`);
    return text.split('"sid"').length - 1;
  };

  it('waits at each moment, before and after the work', async () => {
    const held: { moment: Moment; goOn: () => void }[] = [];
    let wake: () => void = () => undefined;
    const next = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    simulator = await startSimulator({
      watch: (moment) =>
        new Promise((resolve) => {
          held.push({ moment, goOn: () => resolve('go-on') });
          wake();
        }),
    });
    const { url } = simulator;
    const arrived = next();
    const answered = place(url);
    await arrived;
    assert.deepEqual([held[0]?.moment.phase, await calls(url)], ['arrived', 0]);
    const done = next();
    held[0]?.goOn();
    await done;
    assert.deepEqual([held[1]?.moment.phase, await calls(url)], ['done', 1]);
    held[1]?.goOn();
    assert.equal(await answered, 201);
  });

  it('cuts a request before the work, or in the place of its answer', async () => {
    for (const phase of ['arrived', 'done'] as const) {
      simulator = await startSimulator({
        watch: (moment) => Promise.resolve(moment.phase === phase ? 'cut' : 'go-on'),
      });
      const { url } = simulator;
      await assert.rejects(place(url));
      assert.equal(await calls(url), phase === 'arrived' ? 0 : 1);
      await simulator.stop();
    }
  });
});
