import assert from 'node:assert/strict';
import { wasNeverOpen, wasOpen } from '../../src/domain/archive/belongs.js';
import {
  afterLook,
  afterTold,
  afterTrouble,
  afterUnreadable,
  archiverNews,
  archiverStateSchema,
  hasWaitedForKeys,
  isFailing,
  openArchiver,
  windows,
  type ArchiverState,
} from '../../src/domain/archive/state.js';
import { summaryOf } from '../../src/domain/incident/view.js';
import { archiverMail } from '../../src/domain/templates/archive-soc.js';
import { DAY_MS, MINUTE_MS, plus, toMs } from '../../src/domain/time.js';
import { bodyOf } from '../../src/integrations/mail/body.js';
import { DETECTED, Life, minute } from './life.js';

describe('what belongs in the archive', () => {
  const outOfScope = () => new Life({ alert: { severity: 'Low' }, osPlatform: null });

  it('is every closed incident that an analyst has judged, or could have', () => {
    const neutralised = new Life().at(10).updated({
      evidence: [{ entityType: 'File', fileName: 'a.exe', remediationStatus: 'Remediated' }],
    });
    assert.equal(neutralised.record.closed?.reason, 'neutralised');
    for (const [what, life] of Object.entries({ judged: new Life().triage(1), neutralised })) {
      assert.ok(wasOpen(life.record), what);
      assert.ok(!wasNeverOpen(summaryOf(life.record, life.now)), what);
    }
  });

  it('is what an analyst has taken up against the rules', () => {
    const life = outOfScope()
      .at(5)
      .fact({ type: 'reopened', actor: 'ana', words: 'I want to see it.', byRules: false });
    assert.ok(wasOpen(life.record));
  });

  it('is not what the rules have kept out, which a list alone can tell', () => {
    const { record, now } = outOfScope();
    assert.equal(record.closed?.reason, 'out-of-scope');
    assert.ok(!wasOpen(record));
    assert.ok(wasNeverOpen(summaryOf(record, now)));
  });
});

describe('how far the archiver has to look', () => {
  const now = plus(DETECTED, 100 * DAY_MS);

  it('at first is all that Temporal remembers, a day at a time and the oldest first', () => {
    const found = windows(openArchiver(), 2.5 * DAY_MS, now);
    assert.deepEqual(
      found.map(({ from, until }) => (toMs(until) - toMs(from)) / DAY_MS),
      [1, 1, 0.5],
    );
    assert.equal(found[0]?.from, plus(now, -2.5 * DAY_MS));
    assert.equal(found.at(-1)?.until, now);
  });

  it('is what has ended since, and a little before, because lists lag', () => {
    const state: ArchiverState = { ...openArchiver(), endedThrough: plus(now, -MINUTE_MS) };
    assert.deepEqual(windows(state, 90 * DAY_MS, now), [{ from: plus(now, -11 * MINUTE_MS), until: now }]);
  });

  it('ends, also where Temporal never forgets', () => {
    assert.equal(windows(openArchiver(), Infinity, now).length, 366);
  });
});

describe('what has ended and nobody can read', () => {
  const day = (days: number) => plus(DETECTED, days * DAY_MS);
  const ended = toMs(DETECTED);
  /** As after looks that have met something so, once an hour. */
  function met(fromDay: number, throughDay: number, state = openArchiver()): ArchiverState {
    for (let hour = fromDay * 24; hour <= throughDay * 24; hour += 1) state = afterUnreadable(state, day(hour / 24));
    return state;
  }

  it('is waited for a week from its end, and from when looks have met such', () => {
    const state = met(0, 8);
    assert.ok(!hasWaitedForKeys(met(0, 6.9), ended, day(6.9)));
    assert.ok(hasWaitedForKeys(state, ended, day(8)));
    assert.ok(!hasWaitedForKeys(state, toMs(day(2)), day(8)));
    assert.ok(!hasWaitedForKeys(met(3, 8), ended, day(8)));
  });

  it('is not given up for another trouble’s sake, nor at the first look after a pause', () => {
    const troubled = afterTrouble(afterTrouble(openArchiver(), 'S3 is away', day(0)), 'S3 is away', day(8));
    assert.ok(!hasWaitedForKeys(troubled, ended, day(8)));
    assert.ok(!hasWaitedForKeys(met(0, 0), ended, day(8)));
    const again = met(9, 10, met(0, 6));
    assert.ok(!hasWaitedForKeys(again, ended, day(10)));
    assert.ok(hasWaitedForKeys(met(10, 16, again), ended, day(16)));
  });

  it('is waited for anew after a look that went well, and by an archiver that had not counted yet', () => {
    assert.ok(!hasWaitedForKeys(afterLook(met(0, 8), day(8)), ended, day(8)));
    const { unreadable: _, ...old } = openArchiver();
    assert.equal(archiverStateSchema.parse(old).unreadable, null);
  });
});

describe('an archiver in trouble', () => {
  it('is seen after ten minutes, told to the SOC once after an hour, and once when it is over', () => {
    let state = afterTrouble(openArchiver(), 'no space left', minute(0));
    const news: string[] = [];
    for (let at = 1; at <= 180; at += 1) {
      state = afterTrouble(state, `still no space left ${at}`, minute(at));
      assert.equal(isFailing(state, minute(at)), at >= 10);
      const told = archiverNews(state, minute(at));
      if (told === undefined) continue;
      news.push(`${at} ${told.since} ${told.why}`);
      state = afterTold(state, told);
    }
    assert.deepEqual(news, [`60 ${minute(0)} still no space left 60`]);
    state = afterLook(state, minute(181));
    assert.ok(!isFailing(state, minute(181)));
    const over = archiverNews(state, minute(181));
    assert.deepEqual(over, { since: minute(0), why: 'still no space left 180', isOver: true });
    assert.ok(over);
    assert.equal(archiverNews(afterTold(state, over), minute(182)), undefined);
  });

  it('that is over soon tells nobody', () => {
    const state = afterLook(afterTrouble(openArchiver(), 'a short one', minute(0)), minute(5));
    assert.equal(archiverNews(state, minute(5)), undefined);
  });

  it('is told in both languages, with the failure and nothing that could steer a reader', () => {
    const mail = archiverMail({
      service: { socMailTo: 'soc@mimamori.example' },
      since: minute(0),
      why: '<b>EACCES</b>\r\nBcc: evil@example',
      isOver: false,
    });
    assert.deepEqual(mail.to, ['soc@mimamori.example']);
    assert.equal(mail.subject, '[見守り SOC] 完了インシデントを保管できません / Closed incidents are not archived');
    const { text, html } = bodyOf(mail.letters);
    assert.match(text, /<b>EACCES<\/b> Bcc: evil@example/);
    assert.doesNotMatch(html, /<b>EACCES/);
    assert.match(text, /Nothing is lost yet/);
    assert.match(text, /失われた記録はありません/);
  });
});
