import assert from 'node:assert/strict';
import { toText } from '../../src/domain/templates/to-text.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant, toMs } from '../../src/domain/time.js';
import { inquiryAnswerUpdate, inquiryMailSignal, inquiryQuery } from '../../src/workflows/messages.js';
import { policyOf } from '../domain/life.js';
import { JumpingWorld } from './stub-outside.js';

describe('days of an inquiry', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
    const { service, ...policy } = policyOf({ id: world.customerId });
    world.policy = { ...policy, service: { ...service, inquiryRemindMinutes: [30, 60] } };
  });
  after(() => world.close());

  const told = (inquiryId: string) =>
    world.mails.filter(({ kind, mail }) => kind.startsWith('soc') && toText(mail.letters).includes(inquiryId));

  async function answer(inquiryId: string, text: string): Promise<void> {
    const notAfter = toInstant((await world.nowMs()) + HOUR_MS);
    const handle = world.environment.client.workflow.getHandle(inquiryId);
    await handle.executeUpdate(inquiryAnswerUpdate, { args: [{ body: { text }, actor: 'ana', notAfter }] });
  }

  it('the SOC is reminded after 30 and 60 minutes, and no more once it is answered', async () => {
    const id = `inquiry:${world.customerId}:mail.reminded`;
    const handle = await world.customerMail(id);
    await world.sleep(29 * MINUTE_MS);
    assert.equal(told(id).length, 0);
    await world.sleep(2 * MINUTE_MS);
    assert.equal(told(id).length, 1);
    await world.sleep(30 * MINUTE_MS);
    assert.equal(told(id).length, 2);
    await world.sleep(5 * HOUR_MS);
    assert.equal(told(id).length, 2);
    await answer(id, 'It was PowerShell.');
    await world.sleep(MINUTE_MS);
    const { state, waitingSince, replies } = await handle.query(inquiryQuery);
    assert.deepEqual([state, waitingSince, replies.map(({ status }) => status)], ['answered', null, ['accepted']]);
    // A further mail waits anew.
    await world.customerMail(id, { messageId: '<mail-2@acme.example>' });
    await world.sleep(31 * MINUTE_MS);
    assert.equal(told(id).length, 3);
    await answer(id, 'And that is all.');
    const { state: ended, mails } = await handle.result();
    assert.deepEqual([ended, mails.length], ['answered', 2]);
  });

  it('the same mail twice is one, and one that nobody understands is kept', async () => {
    const id = `inquiry:${world.customerId}:mail.twice`;
    const handle = await world.customerMail(id, { key: 'a'.repeat(32) });
    await world.customerMail(id, { key: 'a'.repeat(32) });
    await world.environment.client.workflow.getHandle(id).signal(inquiryMailSignal.name, { nothing: 'known' });
    const { mails, timeline } = await handle.query(inquiryQuery);
    assert.equal(mails, 1);
    assert.equal(timeline.filter(({ type }) => type === 'rejected-signal').length, 1);
  });

  it('stays for a week after the last answer, and ends with its record', async () => {
    const id = `inquiry:${world.customerId}:mail.ends`;
    const handle = await world.customerMail(id);
    await answer(id, 'It was PowerShell.');
    const { replies, updatedAt } = await handle.result();
    assert.equal(replies.length, 1);
    const { closeTime } = await handle.describe();
    const days = ((closeTime?.getTime() ?? 0) - toMs(updatedAt)) / DAY_MS;
    assert.ok(days >= 6.9 && days < 8, `${days} days`);
  });

  it('is answered by the policy that was in force when the customer has left the file since', async () => {
    const id = `inquiry:${world.customerId}:mail.left`;
    const handle = await world.customerMail(id);
    await world.sleep(MINUTE_MS);
    world.hasLeft = true;
    await answer(id, 'It was PowerShell.');
    const { replies } = await handle.result();
    assert.deepEqual(
      replies.map(({ status }) => status),
      ['accepted'],
    );
  });
});
