import assert from 'node:assert/strict';
import { bodyOf } from '../../src/integrations/mail/body.js';
import { customerSchema } from '../../src/domain/customer.js';
import { awaited } from '../../src/domain/incident/reminders.js';
import { nextWake } from '../../src/domain/incident/stage.js';
import { renderMail } from '../../src/domain/templates/render.js';
import { threadOf } from '../../src/domain/templates/thread.js';
import { isolatedLife, Life, minute, policyOf, type Beginning } from './life.js';

const DAY = 24 * 60;
const ASKS = { judgement: 'undetermined', askCustomer: 'Is this tool yours?' };

/** A question that is mailed half an hour after the detection: 9:30 in Tokyo. */
function asking(beginning: Beginning = {}): Life {
  return new Life(beginning).at(30).triage(2, ASKS).mailAll();
}

/** Time goes on, and whatever is owed is mailed each hour. */
function pass(life: Life, fromDay: number, toDay: number): Life {
  for (let minutes = fromDay * DAY + 60; minutes <= toDay * DAY; minutes += 60) life.at(minutes).mailAll();
  return life;
}

/** When the customer was reminded, in hours after the detection. */
function reminded(life: Life): number[] {
  return (life.record.reminders?.due ?? []).map((at) => (Date.parse(at) - Date.parse(minute(0))) / 3_600_000);
}

function sent(life: Life): string[] {
  return Object.keys(life.record.effects).filter((id) => id.startsWith('mail:reminder:'));
}

function answer(life: Life): Life {
  const body = { by: 'Sato', channel: 'mail' as const, receivedAt: life.now, words: 'Yes.' };
  return life.fact({ type: 'answer', body, actor: 'ana' });
}

describe('reminders: when', () => {
  it('an unanswered question, after 1, 3 and 7 days, and no more', () => {
    const life = pass(asking(), 0, 13);
    assert.deepEqual(reminded(life), [24.5, 72.5, 168.5]);
    assert.deepEqual(sent(life), ['mail:reminder:0', 'mail:reminder:1', 'mail:reminder:2']);
    assert.equal(life.types().filter((type) => type === 'reminder').length, 3);
  });

  it('an isolated device whose release nobody has ordered', () => {
    assert.deepEqual(reminded(pass(isolatedLife(), 0, 8)), [24.5, 72.5, 168.5]);
  });

  for (const [what, timeZone, hours] of [
    ['9:30 in the morning', 'Asia/Tokyo', 24.5],
    // 19:30 of the day before; the next 9:00 there is 14:00 in UTC.
    ['half past seven in the evening', 'America/New_York', 38],
    ['half past midnight', 'Europe/London', 33],
  ] as const) {
    it(`told at ${what}, in the day time of the customer (${timeZone})`, () => {
      assert.equal(reminded(pass(asking({ policy: policyOf({ timeZone }) }), 0, 2))[0], hours);
    });
  }

  for (const [days, hours] of [
    [[], []],
    [[2], [48.5]],
    [
      [1, 2],
      [24.5, 48.5],
    ],
  ] as const) {
    it(`the customer's own days: ${days.join() || 'none'}`, () => {
      const policy = policyOf({ reminderDays: [...days] });
      assert.deepEqual(reminded(pass(asking({ policy }), 0, 9)), hours);
    });
  }

  it('those that come due while no worker is up are one, in the day time', () => {
    const life = asking()
      .asleepUntil(minute(4 * DAY + 14 * 60))
      .mailAll();
    assert.deepEqual(reminded(life), [], 'it is 23:00 in Tokyo');
    assert.deepEqual(reminded(pass(life, 4.6, 8)), [120, 168.5]);
  });

  it('what begins to wait later does not begin the count anew', () => {
    const life = pass(asking(), 0, 2);
    life.fact({ type: 'escalation', body: { message: 'more', askCustomer: 'And this one?' }, actor: 'ana' }).mailAll();
    assert.equal(awaited(life.record).questions.length, 2);
    assert.deepEqual(reminded(pass(life, 2, 8)), [24.5, 72.5, 168.5]);
  });

  it('once nothing waits, the next wait counts from its own beginning', () => {
    const life = answer(pass(asking(), 0, 2));
    assert.equal(awaited(life.record).since, null);
    life.at(2 * DAY + 60);
    life.fact({ type: 'escalation', body: { message: 'more', askCustomer: 'And this one?' }, actor: 'ana' }).mailAll();
    assert.deepEqual(reminded(pass(life, 3, 6)), [24.5, 73, 121]);
  });
});

/** What the inquiry says: a mail of the customer's waits for us, or it was answered. */
function inquiry(life: Life, isWaiting: boolean): Life {
  const version = (life.record.customerMail?.inquiry?.version ?? 0) + 1;
  const waitingSince = isWaiting ? life.now : null;
  return life.fact({
    type: 'inquiry-reported',
    report: {
      inquiryId: 'inquiry:acme:alert.da1',
      version,
      state: isWaiting ? 'open' : 'answered',
      waitingSince,
      assignee: null,
      lastReply: null,
    },
  });
}

describe('reminders: while the customer waits for us', () => {
  it('there are none, and after our answer they count from it', () => {
    const life = pass(inquiry(asking().at(10 * 60), true), 0.5, 5);
    assert.deepEqual(reminded(life), []);
    assert.notEqual(nextWake(life.record, life.now)?.why, 'reminds the customer of what is not answered');
    // At 10:00 in Tokyo, five days later.
    inquiry(life.at(5 * DAY + 60), false);
    assert.deepEqual(reminded(pass(life, 5.1, 13)), [145, 193, 289]);
  });

  it('a new count begins with each answer, and not with what else is said of the inquiry', () => {
    const life = pass(inquiry(inquiry(asking().at(60), true).at(120), false), 0.1, 2);
    assert.deepEqual(reminded(life), [26]);
    inquiry(life.at(2 * DAY + 60), false);
    assert.deepEqual(reminded(pass(life, 2.1, 4)), [26, 74]);
  });

  it('one that has not gone when the customer writes is not owed', () => {
    const life = asking().at(2 * DAY);
    assert.equal(life.duty('mail:reminder:0')?.status, 'owed');
    assert.equal(inquiry(life, true).duty('mail:reminder:0'), undefined);
    assert.equal(inquiry(life.at(2 * DAY + 1), false).duty('mail:reminder:0'), undefined);
  });

  it('an incident that began before goes on as it did', () => {
    const life = asking();
    life.record = { ...life.record, reminders: { due: [], ofThisWait: 0 } };
    assert.deepEqual(reminded(pass(inquiry(life.at(60), true), 0.1, 2)), [24.5]);
  });
});

describe('reminders: none', () => {
  const rows: [what: string, life: () => Life][] = [
    ['where nothing is asked', () => new Life().at(30).triage(2).mailAll()],
    ['where the primary has not been accepted', () => new Life().at(30).triage(2, ASKS).startMail('mail:primary')],
    ['where the primary was refused', () => new Life().at(30).triage(2, ASKS).refused('mail:primary')],
    ['where the answer has come', () => answer(asking())],
    ['where the release is ordered', () => isolatedLife().release().report('m1', 'released').mailAll()],
    ['where a mail has come back', () => asking().bounced('mail:primary').mailed('warn:failure:mail:primary')],
    [
      'where the incident is closed',
      () => asking().fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: null }),
    ],
    [
      'where it is linked to a lead',
      () => {
        const life = asking();
        const link = { leadId: 'incident:acme:lead', actor: 'ana', askedAt: life.now, since: life.now, seq: 0 };
        life.record = { ...life.record, link };
        return life;
      },
    ],
    [
      'where the incident began before there were any',
      () => {
        const life = asking();
        const { reminders: _, ...record } = life.record;
        life.record = record;
        return life;
      },
    ],
  ];
  for (const [what, begin] of rows) {
    it(what, () => {
      const life = begin().at(12 * DAY);
      assert.deepEqual(reminded(life), []);
      assert.equal(
        life.owed().some((line) => line.startsWith('mail:reminder')),
        false,
      );
      assert.notEqual(nextWake(life.record, life.now)?.why, 'reminds the customer of what is not answered');
    });
  }

  it('one that the answer overtakes before it has gone is not owed', () => {
    const life = asking().at(2 * DAY);
    assert.equal(life.duty('mail:reminder:0')?.status, 'owed');
    assert.equal(answer(life).duty('mail:reminder:0'), undefined);
  });

  it('one that comes back is owed again like every mail, and while it waits there is no other', () => {
    const life = pass(asking(), 0, 2).bounced('mail:reminder:0');
    assert.deepEqual(life.attention(), ['mail-bounced']);
    assert.equal(reminded(pass(life, 2, 9)).length, 1);
    assert.equal(life.again().duty('mail:reminder:0')?.reason, undefined);
    assert.equal(answer(life).duty('mail:reminder:0'), undefined);
  });

  it('after it was reopened, what was asked before counts from there', () => {
    const life = asking()
      .fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: null })
      .at(2 * DAY);
    life.fact({ type: 'reopened', actor: 'ana', words: 'again', byRules: false });
    assert.deepEqual(reminded(pass(life, 2, 4)), [72]);
  });
});

describe('reminders: what they say', () => {
  for (const language of ['ja', 'en'] as const) {
    it(`what is not answered as they are sent, in the thread (${language})`, () => {
      const policy = policyOf({ language });
      const life = isolatedLife(3, { policy });
      life
        .fact({ type: 'escalation', body: { message: 'more', askCustomer: 'Is it <yours>?' }, actor: 'ana' })
        .mailAll();
      life.at(2 * DAY);
      const mail = renderMail(life.record, policy, { kind: 'reminder', index: 0 }, life.now);
      assert.equal(mail.kind, 'reminder');
      const { text, html } = bodyOf(mail.letters);
      assert.match(text, /Is it <yours>\?/);
      assert.match(html, /Is it &lt;yours&gt;\?/);
      assert.match(text, /pc-1\.acme\.local/);
      assert.match(mail.subject, /^Re: /);
      assert.equal(threadOf(life.record, 'mail:reminder:0').inReplyTo, '<mail:secondary:e0>');
    });
  }
});

describe('reminders: the days in the customers file', () => {
  const customer = {
    id: 'acme',
    name: 'Acme',
    language: 'ja',
    timeZone: 'Asia/Tokyo',
    defender: { tenantId: '11111111-1111-4111-8111-111111111111' },
    mail: { to: ['security@acme.example'] },
  };
  for (const [days, isTaken] of [
    [undefined, true],
    [[], true],
    [[1, 60], true],
    [[0], false],
    [[61], false],
    [[1.5], false],
    [[3, 3], false],
    [[3, 1], false],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], false],
  ] as const) {
    it(`${days === undefined ? 'not said' : JSON.stringify(days)}: ${isTaken ? 'taken' : 'refused'}`, () => {
      assert.equal(customerSchema.safeParse({ ...customer, reminderDays: days }).success, isTaken);
    });
  }
});
