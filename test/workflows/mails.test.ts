import assert from 'node:assert/strict';
import { toText } from '../../src/domain/templates/to-text.js';
import { answerSchema, escalationSchema } from '../../src/domain/commands.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import {
  answerUpdate,
  closeUpdate,
  escalateUpdate,
  mailBouncedSignal,
  triageUpdate,
} from '../../src/workflows/messages.js';
import { policyOf } from '../domain/life.js';
import { JumpingWorld, type JumpingIncident } from './stub-outside.js';

const ADDRESS = 'security@acme.example';
const ASKS = { judgement: 'undetermined', askCustomer: 'Is this tool yours?' };

describe('mails that come back, and reminders', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
  });
  after(() => world.close());
  beforeEach(() => {
    world.policy = policyOf({ id: world.customerId });
    world.offline.clear();
  });

  function mailsOf(incident: JumpingIncident, kind: string) {
    return world.mails.filter(({ incidentId, kind: of }) => incidentId === incident.id && of === kind);
  }

  /** The customer's mail server gives the last mail of a kind back. */
  async function bounce(incident: JumpingIncident, kind: string, key: string): Promise<void> {
    const { mail } = mailsOf(incident, kind).at(-1) ?? assert.fail(`no ${kind} mail`);
    await incident.handle.signal(mailBouncedSignal, {
      key,
      messageId: mail.messageId,
      receivedAt: toInstant(await world.nowMs()),
      recipients: [{ address: ADDRESS, action: 'failed', status: '5.1.1', diagnostic: 'no such user' }],
    });
  }

  it('a primary that comes back is told, waits, and goes out as another mail once the verdict is repeated', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(3));
    await incident.passUntil('isolated', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, HOUR_MS);
    await bounce(incident, 'primary', 'one');
    await bounce(incident, 'primary', 'one');
    await world.sleep(30 * MINUTE_MS);
    const returned = await incident.view();
    assert.equal(incident.duty(returned, 'mail:primary'), 'owed (mail-bounced)');
    assert.deepEqual(
      [returned.attention, returned.stage, returned.slo.state],
      [['mail-bounced'], 'responding', 'running'],
    );
    assert.equal(mailsOf(incident, 'soc-failure').length, 1);
    assert.equal(mailsOf(incident, 'primary').length, 1, 'it would only come back again');

    await incident.send(triageUpdate, incident.triageBody(3));
    await incident.passUntil('told', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, HOUR_MS);
    const [first, second] = mailsOf(incident, 'primary');
    assert.notEqual(second?.mail.messageId, first?.mail.messageId);
    assert.equal(second?.mail.references.includes(first?.mail.messageId ?? ''), false);
    await bounce(incident, 'primary', 'two');
    await world.sleep(MINUTE_MS);
    assert.equal(mailsOf(incident, 'soc-failure').length, 2);
  });

  it('one that comes back goes out to the addresses that the file has by then, and is breached when nobody was told in time', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(3));
    await incident.passUntil('isolated', ({ stage }) => stage === 'awaiting-release', MINUTE_MS, HOUR_MS);
    await world.sleep(4 * HOUR_MS);
    assert.equal((await incident.view()).slo.state, 'met');
    await bounce(incident, 'primary', 'one');
    await world.sleep(MINUTE_MS);
    assert.equal((await incident.view()).slo.state, 'breached');
    assert.equal(mailsOf(incident, 'soc-breach').length, 1);
    world.policy = policyOf({ id: world.customerId, mail: { to: ['other@acme.example'], cc: [] } });
    await world.sleep(15 * MINUTE_MS);
    assert.deepEqual(
      mailsOf(incident, 'primary').map(({ mail }) => mail.to),
      [[ADDRESS], ['other@acme.example']],
    );
    const mended = await incident.view();
    assert.deepEqual([mended.attention, mended.slo.state], [[], 'breached']);
  });

  it('one that comes back to a closed incident is told, and reopens nothing', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(2));
    await incident.passUntil('told', ({ stage }) => stage === 'notified', MINUTE_MS, HOUR_MS);
    await incident.send(closeUpdate, { reason: 'cleaned' });
    await bounce(incident, 'primary', 'one');
    await world.sleep(HOUR_MS);
    const closed = await incident.view();
    assert.deepEqual([closed.stage, closed.attention], ['closed', ['changed-after-close', 'mail-bounced']]);
    assert.deepEqual(
      incident.mailed().map((mail) => mail.split(' ')[0]),
      ['primary', 'soc-warning'],
    );
    await world.sleep(8 * DAY_MS);
    await incident.end();
  });

  it('a report that cannot be understood is kept on the timeline', async () => {
    const incident = await world.alert();
    await incident.handle.signal('mailBounced', { key: 'one', messageId: 7 });
    const view = await incident.passUntil(
      'rejected',
      ({ attention }) => attention.includes('rejected-signal'),
      MINUTE_MS,
      HOUR_MS,
    );
    assert.equal(view.timeline.at(-1)?.type, 'rejected-signal');
  });

  it('a question that nobody answers is asked again after 1, 3 and 7 days, by day, in the thread, until the answer', async () => {
    const incident = await world.alert();
    await incident.send(triageUpdate, incident.triageBody(2, ASKS));
    await world.sleep(5 * DAY_MS);
    assert.equal(mailsOf(incident, 'reminder').length, 2);
    const receivedAt = toInstant(await world.nowMs());
    await incident.send(answerUpdate, answerSchema.parse({ by: 'Sato', channel: 'mail', receivedAt, words: 'Yes.' }));
    await world.sleep(4 * DAY_MS);
    assert.equal(mailsOf(incident, 'reminder').length, 2);

    const again = { message: 'One more.', askCustomer: 'And this one?' };
    await incident.send(escalateUpdate, escalationSchema.parse(again));
    await world.sleep(8 * DAY_MS);
    const reminders = mailsOf(incident, 'reminder');
    assert.equal(reminders.length, 5);
    const [primary] = mailsOf(incident, 'primary');
    for (const { at, mail } of reminders) {
      const hour = (new Date(at).getUTCHours() + 9) % 24;
      assert.ok(hour >= 9 && hour < 18, `${at} is no day time in Tokyo`);
      assert.equal(mail.references[0], primary?.mail.messageId);
    }
    assert.match(toText(reminders.at(-1)?.mail.letters ?? []), /And this one\?/);
    assert.doesNotMatch(toText(reminders.at(-1)?.mail.letters ?? []), /Is this tool yours/);
  });
});
