import assert from 'node:assert/strict';
import { Suspects } from '../../src/domain/mailbox/suspects.js';

const OWN = { isOwn: true, isRead: true };
const ELSEWHERE = { isOwn: false, isRead: true };
const UNREAD = { isOwn: false, isRead: false };

/** What happens to mail `a`, and that others are taken meanwhile. */
type Step = 'own' | 'elsewhere' | 'unread' | 'other';

const TABLE: [name: string, steps: Step[], suspicion: string][] = [
  ['nothing yet', [], 'none'],
  ['twice its own fault', ['own', 'own'], 'tried'],
  ['three times its own fault', ['own', 'own', 'own'], 'given-up'],
  ['an outage, however long', Array.from({ length: 50 }, () => 'elsewhere' as const), 'tried'],
  [
    'an outage after others were taken once',
    ['elsewhere', 'other', ...Array.from({ length: 50 }, () => 'unread' as const)],
    'tried',
  ],
  ['fails whenever others are taken', ['elsewhere', 'other', 'elsewhere', 'other', 'elsewhere'], 'given-up'],
  ['cannot be read whenever others can', ['unread', 'other', 'unread', 'other', 'unread'], 'given-up-unread'],
  ['many others in between are one sign', ['unread', 'other', 'other', 'other', 'unread'], 'tried'],
];

describe('mails that cannot be taken', () => {
  for (const [name, steps, suspicion] of TABLE) {
    it(`${name}: ${suspicion}`, () => {
      const suspects = new Suspects();
      for (const step of steps) {
        if (step === 'other') suspects.took('b');
        else suspects.failed('a', { own: OWN, elsewhere: ELSEWHERE, unread: UNREAD }[step]);
      }
      assert.equal(suspects.of('a'), suspicion);
    });
  }

  it('are none any more once taken', () => {
    const suspects = new Suspects();
    suspects.failed('a', OWN);
    suspects.took('a');
    assert.deepEqual([suspects.of('a'), suspects.size], ['none', 0]);
  });

  it('come after all others, the least tried first, and are forgotten when they wait no more', () => {
    const suspects = new Suspects();
    const next = (...mails: string[]) => suspects.next(mails, (mail) => mail);
    for (const mail of ['a', 'a', 'b', 'gone']) suspects.failed(mail, UNREAD);
    assert.deepEqual(next('a', 'b', 'c', 'd'), { mails: ['c', 'd'], areSuspect: false });
    assert.deepEqual(next('a', 'b'), { mails: ['b', 'a'], areSuspect: true });
    assert.equal(suspects.size, 2);
    assert.equal(suspects.of('gone'), 'none');
  });
});
