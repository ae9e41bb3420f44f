import assert from 'node:assert/strict';
import type { InboundMail } from '../../src/domain/customer-mail/mail.js';
import { eachMailWaits, evolve, openInquiry } from '../../src/domain/inquiry/evolve.js';
import type { InquiryFact } from '../../src/domain/inquiry/facts.js';
import { judgeIsAnswer, judgeReply } from '../../src/domain/inquiry/judge.js';
import type { InquiryRecord } from '../../src/domain/inquiry/record.js';
import { dueReminder, inquiryView, nextReminder } from '../../src/domain/inquiry/view.js';
import { inboundMail } from './customer-mail-fixture.js';
import { minute } from './life.js';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);

/** An inquiry as facts make it, each at its minute. */
class Talk {
  record: InquiryRecord = openInquiry(
    { inquiryId: 'inquiry:acme:mail.x', customerId: 'acme', incidentId: null },
    minute(0),
  );

  fact(at: number, fact: InquiryFact): this {
    this.record = evolve(this.record, fact, minute(at));
    return this;
  }

  /** A mail that was received at one moment, and came here at another. */
  mail(key: string, receivedAt: number, cameAt = receivedAt, more: Partial<InboundMail> = {}): this {
    const mail = inboundMail({ key, messageId: `<${key}>`, receivedAt: minute(receivedAt), ...more });
    return this.fact(cameAt, { type: 'mail-came', taken: { mail, contactId: 'sato', acceptedBy: null } });
  }

  answer(at: number, seen?: number): this {
    return this.fact(at, {
      type: 'answered',
      text: 'It was PowerShell.',
      actor: 'ana',
      ...(seen === undefined ? {} : { seen }),
    });
  }

  get stands() {
    const { state, waitingSince, mails } = this.record;
    return { state, waitingSince, waiting: mails.filter(({ waits }) => waits).map(({ key }) => key) };
  }
}

const nothing = (state: string) => ({ state, waitingSince: null, waiting: [] });
const waitsFor = (key: string, since: number, state = 'open') => ({
  state,
  waitingSince: minute(since),
  waiting: [key],
});

describe('inquiries: nothing is settled that nobody has seen', () => {
  const seenFirst = (): { talk: Talk; seen: number } => {
    const talk = new Talk().mail(A, 10);
    const seen = talk.record.revision;
    return { talk: talk.mail(B, 20), seen };
  };
  const rows: [what: string, fact: (seen?: number) => InquiryFact, state: string][] = [
    [
      'an answer',
      (seen) => ({ type: 'answered', text: 'x', actor: 'ana', ...(seen === undefined ? {} : { seen }) }),
      'answered',
    ],
    [
      'a referral',
      (seen) => ({ type: 'referred', text: null, actor: 'ana', ...(seen === undefined ? {} : { seen }) }),
      'referred',
    ],
    [
      'a closing',
      (seen) => ({ type: 'closed', reason: 'x', actor: 'ana', ...(seen === undefined ? {} : { seen }) }),
      'closed',
    ],
  ];
  for (const [what, fact, state] of rows) {
    it(`by ${what}: a mail that came while it was written still waits`, () => {
      const { talk, seen } = seenFirst();
      assert.deepEqual(talk.fact(30, fact(seen)).stands, waitsFor(B, 20));
    });
    it(`by ${what}: what was read is settled`, () => {
      const { talk } = seenFirst();
      assert.deepEqual(talk.fact(30, fact(talk.record.revision)).stands, nothing(state));
    });
  }

  it('an older mail that came after the reading waits too, and since it was received', () => {
    const talk = new Talk().mail(A, 10);
    const seen = talk.record.revision;
    assert.deepEqual(talk.mail(B, 5, 20).answer(30, seen).stands, waitsFor(B, 5));
  });

  it('the reply is to the last mail that was read', () => {
    const { talk, seen } = seenFirst();
    assert.equal(talk.answer(30, seen).record.replies[0]?.mailKey, A);
  });

  it('the answer to a question settles that mail and no other', () => {
    const talk = new Talk().mail(A, 10).mail(B, 20);
    assert.deepEqual(talk.fact(30, { type: 'is-answer', mailKey: A, actor: 'ana' }).stands, waitsFor(B, 20));
    assert.deepEqual(talk.fact(31, { type: 'is-answer', mailKey: B, actor: 'ana' }).stands, nothing('closed'));
  });

  it('who has it keeps it', () => {
    const { talk, seen } = seenFirst();
    talk.fact(25, { type: 'assigned', operatorId: 'ana', actor: 'ana' });
    assert.deepEqual(talk.answer(30, seen).stands, waitsFor(B, 20, 'assigned'));
  });

  it('a revision that there is not yet was read by nobody', () => {
    const { record } = new Talk().mail(A, 10);
    assert.equal(judgeReply(record, record.revision), undefined);
    assert.equal(judgeReply(record, record.revision + 1)?.code, 'invalid-input');
  });
});

describe('inquiries: since when they wait', () => {
  it('the oldest mail that nobody has dealt with, in whatever order they came', () => {
    assert.equal(new Talk().mail(A, 10).mail(B, 5, 20).record.waitingSince, minute(5));
    assert.equal(new Talk().mail(A, 10).answer(15).mail(B, 5, 20).record.waitingSince, minute(5));
  });

  for (const lost of ['failed', 'bounced'] as const) {
    it(`after a reply that ${lost}, since the customer's mails; the SOC's reminders count from the loss`, () => {
      const talk = new Talk().mail(A, 10).mail(B, 20).answer(30);
      talk.fact(31, { type: 'reply-started', number: 0, messageId: '<r>', to: [] });
      talk.fact(
        100,
        lost === 'failed'
          ? { type: 'reply-settled', number: 0, outcome: 'failed', at: minute(100), reason: 'x' }
          : { type: 'reply-bounced', messageId: '<r>', words: 'x' },
      );
      assert.deepEqual(talk.stands, { state: 'open', waitingSince: minute(10), waiting: [A, B] });
      assert.equal(dueReminder(talk.record, [30, 60], minute(129)), undefined);
      assert.deepEqual(nextReminder(talk.record, [30, 60]), { at: minute(130), minutes: 30 });
      assert.deepEqual(talk.answer(140).stands, nothing('answered'));
    });
  }

  it('the reminders of a mail that nobody had seen begin with it', () => {
    const talk = new Talk().mail(A, 10);
    const seen = talk.record.revision;
    talk.fact(40, { type: 'reminded', minutes: 30 }).mail(B, 41).answer(42, seen);
    assert.deepEqual(nextReminder(talk.record, [30, 60]), { at: minute(71), minutes: 30 });
  });
});

describe('inquiries: a mail that no person wrote', () => {
  const away = { nature: 'auto-reply', natureBecause: 'Auto-Submitted: auto-replied', newText: 'I am away.' } as const;
  const noted = ({ record }: Talk) => inquiryView(record).noted.map(({ key, nature, words }) => [key, nature, words]);

  it('is noted, waits for nobody and opens nothing again', () => {
    const talk = new Talk().mail(A, 10).answer(15).mail(B, 20, 20, away).mail(B, 20, 21, away);
    assert.deepEqual(talk.stands, nothing('answered'));
    assert.deepEqual(noted(talk), [[B, 'auto-reply', 'I am away.']]);
    assert.deepEqual(
      talk.record.timeline.map(({ type }) => type),
      ['mail', 'answered', 'noted'],
    );
  });

  it('is not what is answered', () => {
    const talk = new Talk().mail(A, 10).mail(B, 20, 20, away);
    assert.deepEqual(talk.stands, waitsFor(A, 10));
    assert.equal(talk.answer(30).record.replies[0]?.mailKey, A);
    assert.equal(judgeReply(new Talk().mail(B, 20, 20, away).record, undefined)?.code, 'nothing-to-answer');
  });

  it('waits like any other where an analyst has accepted it', () => {
    const mail = inboundMail({ key: B, receivedAt: minute(20), ...away });
    const talk = new Talk().fact(20, { type: 'mail-came', taken: { mail, contactId: null, acceptedBy: 'ana' } });
    assert.deepEqual([talk.stands, noted(talk)], [waitsFor(B, 20), []]);
  });

  it('may come for ever: the newest are kept, and the timeline has an end', () => {
    const talk = new Talk().mail(A, 10).answer(15);
    for (let number = 0; number < 200; number += 1) {
      talk.mail(String(number).padStart(32, '0'), 20, 20, { ...away, newText: 'x'.repeat(5_000) });
    }
    assert.deepEqual(
      [talk.record.noted?.length, talk.record.noted?.at(-1)?.key, talk.record.noted?.at(-1)?.words.length],
      [20, '199'.padStart(32, '0'), 500],
    );
    assert.ok(talk.record.timeline.length <= 22);
  });
});

describe('inquiries: how a mail is named', () => {
  const twins = new Talk().mail(A, 10, 10, { messageId: '<one>' }).mail(B, 20, 20, { messageId: '<one>' }).record;
  it('by its key, where it has no Message-ID', () => {
    const { record } = new Talk().mail(A, 10, 10, { messageId: null });
    assert.equal(judgeIsAnswer(record, A), undefined);
    assert.equal(inquiryView(record).conversation[0]?.key, A);
  });
  it('not by a Message-ID that it shares with another', () => {
    assert.equal(judgeIsAnswer(twins, '<one>')?.code, 'invalid-input');
    assert.equal(judgeIsAnswer(twins, B), undefined);
  });
});

describe('inquiries: one from before each mail waited for itself', () => {
  const before = (talk: Talk): InquiryRecord => {
    const { ways: _, ...record } = talk.record;
    return { ...record, mails: record.mails.map(({ revision: _revision, waits: _waits, ...mail }) => mail) };
  };
  it('while it runs, is closed as one by an answer to a question; what was not seen waits all the same', () => {
    const talk = new Talk().mail(A, 10);
    talk.record = before(talk);
    const seen = talk.record.revision;
    assert.deepEqual(talk.mail(B, 20).answer(30, seen).stands, waitsFor(B, 20));
    assert.deepEqual(talk.fact(31, { type: 'is-answer', mailKey: A, actor: 'ana' }).stands, nothing('closed'));
  });
  it('waits for its mails when it is taken up again', () => {
    const talk = new Talk().mail(A, 10).answer(15).mail(B, 20);
    talk.record = eachMailWaits(before(talk));
    assert.deepEqual(talk.stands, waitsFor(B, 20));
    assert.deepEqual(talk.answer(30, talk.record.revision).stands, nothing('answered'));
  });
  it('after a lost reply waits for the last', () => {
    const talk = new Talk().mail(A, 10).mail(B, 20);
    talk.record = eachMailWaits({ ...before(talk), waitingSince: minute(90) });
    assert.deepEqual(talk.stands, waitsFor(B, 20));
  });
});
