import assert from 'node:assert/strict';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DAY_MS, HOUR_MS, plus, SECOND_MS, toInstant, toMs, type Instant } from '../../src/domain/time.js';
import { exclusionApproveUpdate, exclusionRequestUpdate } from '../../src/workflows/messages.js';
import { startSkipping } from '../support/temporal.js';
import { JumpingWorld, type JumpingExclusion } from './stub-outside.js';
import { toText } from '../../src/domain/templates/to-text.js';

const tokyo = (text: string): Instant => new Date(`${text}+09:00`).toISOString();

describe('months of an exclusion', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let world: JumpingWorld;
  let count = 0;
  before(async () => {
    environment = await startSkipping();
    world = await JumpingWorld.open({}, environment);
  });
  after(async () => {
    await world.close();
    await environment.teardown();
  });

  const jumpTo = async (at: Instant) => world.sleep(toMs(at) - (await world.nowMs()));
  const propose = (expiresAt: Instant, more: Record<string, unknown> = {}): Promise<JumpingExclusion> => {
    count += 1;
    const conditions = { fileName: `tool-${count}.exe` };
    const body = { conditions, reason: 'backup', expiresAt, set: { ownFilter: true }, ...more };
    return world.exclusion(body, `exclusion:${world.customerId}:${count}`);
  };
  const mailed = ({ id }: JumpingExclusion) =>
    world.mails.filter(({ mail }) => toText(mail.letters).includes(id)).map(({ kind, at }) => [kind, at] as const);

  for (const [what, approvedAt, registeredAt] of [
    ['on a Friday evening before a substitute holiday', '2030-11-01T18:00:00', '2030-11-05T09:00:00'],
    ['on a Friday just before 18:00', '2030-11-08T17:59:50', '2030-11-08T17:59:50'],
    ['on a Friday at 18:00', '2030-11-08T18:00:00', '2030-11-11T09:00:00'],
    ['on a business day just before 9:00', '2030-11-12T08:59:50', '2030-11-12T09:00:00'],
    ['on a Saturday', '2030-11-16T12:00:00', '2030-11-18T09:00:00'],
    ['on 31 December', '2030-12-31T10:00:00', '2031-01-06T09:00:00'],
  ] as const) {
    it(`approved ${what} it is registered at ${registeredAt} in Tokyo`, async () => {
      await jumpTo(tokyo(approvedAt));
      const exclusion = await propose(plus(tokyo(approvedAt), 60 * DAY_MS));
      await exclusion.send(exclusionApproveUpdate, {});
      if (approvedAt !== registeredAt) {
        await world.sleep(SECOND_MS);
        const { state, waitingUntil } = await exclusion.view();
        assert.deepEqual([state, waitingUntil], ['waiting-for-business-hours', tokyo(registeredAt)]);
        await jumpTo(plus(tokyo(registeredAt), SECOND_MS));
      }
      await world.sleep(5 * SECOND_MS);
      const { state, registeredAt: at } = await exclusion.view();
      assert.equal(state, 'registered');
      const lateMs = toMs(at ?? '') - toMs(tokyo(registeredAt));
      assert.ok(lateMs >= 0 && lateMs < 10 * SECOND_MS, `${lateMs} ms late`);
      assert.equal(exclusion.filtered().length, 1);
    });
  }

  it('is confirmed, told of 14 days before its end, taken back then, and the customer hears each time', async () => {
    await jumpTo(tokyo('2031-02-03T10:00:00'));
    const expiresAt = tokyo('2031-04-05T03:00:00');
    const exclusion = await propose(expiresAt);
    const receivedAt = toInstant(await world.nowMs());
    await exclusion.send(exclusionRequestUpdate, { by: 'Sato', channel: 'mail', receivedAt, words: 'Please.' });
    await exclusion.send(exclusionApproveUpdate, {});
    await world.sleep(HOUR_MS);
    assert.equal((await exclusion.view()).state, 'confirmed');
    world.excludedSoFar = 14;
    const { ended, endMail } = await exclusion.handle.result();
    assert.equal(ended?.state, 'expired');
    assert.equal(endMail?.status, 'accepted');
    const daysBefore = (at: Instant) => Math.abs(Math.round((toMs(expiresAt) - toMs(at)) / DAY_MS));
    const days = mailed(exclusion).map(([kind, at]) => [kind, daysBefore(at)]);
    assert.deepEqual(days, [
      ['exclusion-confirmed', 61],
      ['soc-warning', 14],
      ['exclusion-reminder', 14],
      ['exclusion-ended', 0],
    ]);
    const reminders = world.mails.filter(
      ({ mail, kind }) => toText(mail.letters).includes(exclusion.id) && /remind|warn/.test(kind),
    );
    for (const { mail } of reminders) assert.match(toText(mail.letters), /14 alerts|14 件/);
    const [set, removed] = exclusion.filtered();
    assert.match(set ?? '', /^set 2031-02-03/);
    assert.match(removed ?? '', /^ended 2031-04-04T18:00:0/);
  });

  it('whose indicator Defender does not give back tells the SOC once, tries daily, and ends when that is mended', async () => {
    const begins = toInstant(await world.nowMs());
    const set = { ownFilter: true, defenderIndicator: true };
    const exclusion = await propose(plus(begins, 12 * DAY_MS), { conditions: { sha256: 'ab'.repeat(32) }, set });
    const request = { by: 'Sato', channel: 'mail' as const, receivedAt: begins, words: 'Please.' };
    await exclusion.send(exclusionRequestUpdate, request);
    await exclusion.send(exclusionApproveUpdate, {});
    world.removal = { outcome: 'failed', reason: 'Defender answered 400 BadRequest: not now' };
    await world.sleep(30 * DAY_MS);
    const left = await exclusion.view();
    assert.deepEqual([left.state, left.attention], ['expired', ['defender-indicator-not-removed']]);
    assert.equal(left.endMail?.status, 'accepted');
    assert.equal(exclusion.filtered().length, 2);
    const said = left.timeline.filter(({ text }) => text.en.startsWith('Could not be removed'));
    assert.equal(said.length, 1);

    world.removal = { outcome: 'removed' };
    await world.sleep(2 * DAY_MS);
    const { attention, parts } = await exclusion.view();
    assert.deepEqual([attention, parts.map(({ status }) => status)], [[], ['removed', 'removed']]);
    // The SOC and the customer hear of the end at the same time.
    const [first, ...atTheEnd] = mailed(exclusion).map(([kind]) => kind);
    assert.deepEqual([first, ...atTheEnd.sort()], ['exclusion-confirmed', 'exclusion-ended', 'soc-failure']);
  });

  it('that nobody approves ends unregistered, and excludes nothing', async () => {
    const exclusion = await propose(plus(toInstant(await world.nowMs()), 20 * DAY_MS));
    const { ended, registeredAt } = await exclusion.handle.result();
    assert.deepEqual([ended?.state, registeredAt, exclusion.filtered()], ['expired', null, []]);
    assert.deepEqual(mailed(exclusion), []);
  });
});
