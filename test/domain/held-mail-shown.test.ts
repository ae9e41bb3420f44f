import assert from 'node:assert/strict';
import type { HeldNews } from '../../src/domain/customer-mail/news.js';
import { mailFacts } from '../../src/domain/incident/customer-mail.js';
import { isolatedLife, type Life } from './life.js';

describe('a held mail, on the incident that it names', () => {
  const hears = (life: Life, heldId: string, isWaiting: boolean): Life => {
    const held: HeldNews = { heldId, reason: 'authentication-failed', isWaiting };
    for (const fact of mailFacts(life.record, { mails: [], report: null, held })) life.fact(fact);
    return life;
  };
  const entries = ({ record }: Life) => record.timeline.filter(({ type }) => type === 'held-mail').length;
  const isShown = (life: Life) => life.attention().includes('held-mail');

  it('is shown until it is dealt with', () => {
    const life = hears(isolatedLife(), 'held-mail:a', true);
    assert.deepEqual([isShown(life), entries(life)], [true, 1]);
    hears(life, 'held-mail:b', true);
    hears(life, 'held-mail:a', false);
    assert.equal(isShown(life), true, 'another waits');
    hears(life, 'held-mail:b', false);
    assert.deepEqual([isShown(life), entries(life)], [false, 1]);
  });

  it('is none again when it is told late that it waited', () => {
    const life = hears(hears(isolatedLife(), 'held-mail:a', true), 'held-mail:a', false);
    const { record } = life;
    assert.equal(hears(life, 'held-mail:a', true).record, record);
    assert.equal(hears(life, 'held-mail:never', false).record, record);
  });

  it('of a flood the record keeps little, and the timeline one entry', () => {
    const life = isolatedLife();
    for (let number = 0; number < 200; number += 1) hears(life, `held-mail:${number}`, true);
    assert.deepEqual([isShown(life), entries(life), life.record.customerMail?.held?.length], [true, 1, 50]);
    for (let number = 0; number < 200; number += 1) hears(life, `held-mail:${number}`, false);
    assert.equal(isShown(life), false);
    for (let number = 200; number < 260; number += 1) hears(life, `held-mail:${number}`, true);
    assert.deepEqual([isShown(life), life.record.customerMail?.held?.length], [true, 50]);
  });
});
