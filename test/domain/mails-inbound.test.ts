import { heldReasons } from '../../src/domain/customer-mail/place.js';
import assert from 'node:assert/strict';
import { customerSchema } from '../../src/domain/customer.js';
import { bouncedWords } from '../../src/domain/reasons.js';
import {
  heldMailNotice,
  inquiryAnswerMail,
  inquiryReferralMail,
  inquiryWaitingMail,
  mailboxTroubleMail,
  reminderMail,
  waitsForCustomer,
  type RenderedMail,
} from '../../src/domain/templates/index.js';
import { LANGUAGES, assertSameFacts, assertSays, read } from './mail-reading.js';
import {
  NOW,
  at,
  effect,
  isolated,
  level2,
  noDevice,
  ordered,
  policyFor,
  recordOf,
  requested,
} from './mail-records.js';

const productSupport = { name: 'DESK', mail: 'desk@reseller.example', phone: '0120-000-000', note: 'DESK-HOURS' };
const reply = (language: 'ja' | 'en') => ({
  policy: policyFor(language, { productSupport }),
  subject: 'Re: [見守り] Suspicious PowerShell',
  reference: 'incident:acme:da637_-1',
  answeredTo: { receivedAt: at(3), words: 'FIRST-LINE\nSECOND-LINE' },
});
const { service } = policyFor('ja');
const told = { 'mail:primary': effect({ verdict: 0 }) };
const question = { text: 'QUESTION-TEXT', askedAt: at(3, 30), answer: null };
const answered = {
  text: 'ANSWERED-TEXT',
  askedAt: at(2, 30),
  answer: { by: 'x', channel: 'mail', receivedAt: at(3), words: 'y', recordedAt: at(3), actor: 'z' },
};

function assertToCustomer(mail: RenderedMail, kind: RenderedMail['kind']): void {
  assertSameFacts(mail);
  assert.equal(mail.kind, kind);
  assert.deepEqual([mail.to, mail.cc], [['security@acme.example'], ['boss@acme.example']]);
}

describe('answers to customers’ mails', () => {
  for (const language of LANGUAGES) {
    it(`hold the answer before what was asked, and the reference (${language})`, () => {
      const mail = inquiryAnswerMail({ ...reply(language), text: 'ANSWER-TEXT' });
      assertToCustomer(mail, 'inquiry-answer');
      assert.equal(mail.subject, 'Re: [見守り] Suspicious PowerShell');
      assertSays(mail, [
        /ANSWER-TEXT[\s\S]*incident:acme:da637_-1[\s\S]*^> FIRST-LINE\n> SECOND-LINE$/m,
        /24.*365/,
        language === 'ja' ? /2026年11月24日 12:00 \(JST/ : /24 November 2026, 12:00 \(JST/,
      ]);
    });

    it(`refer a question about the product to its desk (${language})`, () => {
      const mail = inquiryReferralMail({ ...reply(language), text: 'REMARK' });
      assertToCustomer(mail, 'inquiry-referral');
      assertSays(mail, [/: DESK$/m, /: desk@reseller\.example$/m, /: 0120-000-000$/m, /: DESK-HOURS$/m, /REMARK/]);
    });

    it(`ask the customer to come back where the desk is not known (${language})`, () => {
      const mail = inquiryReferralMail({ ...reply(language), policy: policyFor(language) });
      assertSays(mail, [language === 'ja' ? /連絡先がご不明な場合/ : /do not know how to reach/], [/DESK|undefined/]);
    });
  }

  it('quote no more than 1,000 characters', () => {
    const answeredTo = { receivedAt: at(3), words: 'x'.repeat(5_000) };
    const { text } = read(inquiryAnswerMail({ ...reply('ja'), answeredTo, text: 'A' }));
    assert.equal(/^> (x+…)$/m.exec(text)?.[1]?.length, 1_000);
  });
});

describe('the customers file’s support desk', () => {
  const schema = customerSchema.shape.productSupport;
  for (const [what, desk, isGood] of [
    ['a name alone', { name: 'DESK' }, true],
    ['everything', { ...productSupport, url: 'https://reseller.example/' }, true],
    ['no name', { mail: 'desk@reseller.example' }, false],
    ['an address that is none', { name: 'D', mail: 'desk' }, false],
    ['a link to anything but https', { name: 'D', url: 'javascript:alert(1)' }, false],
    ['a misspelt field', { name: 'D', fax: '1' }, false],
  ] as const) {
    it(`${isGood ? 'takes' : 'refuses'} ${what}`, () => {
      assert.equal(schema.safeParse(desk).success, isGood);
    });
  }
});

describe('reminders of what waits for the customer', () => {
  const waiting = recordOf({ effects: told, questions: [answered, question], devices: [isolated] });

  for (const language of LANGUAGES) {
    it(`name each question, each device, and since when (${language})`, () => {
      const mail = reminderMail(waiting, policyFor(language), NOW);
      assertToCustomer(mail, 'reminder');
      assert.match(mail.subject, /^Re: .*Suspicious PowerShell \/ pc-1\.acme\.local$/);
      assertSays(
        mail,
        [
          /QUESTION-TEXT/,
          /pc-1\.acme\.local/,
          language === 'ja' ? /12:10 \(JST\/Asia\/Tokyo\) より/ : /since 24 November 2026, 12:10/,
          language === 'ja' ? /12:30 .*にお伺い/ : /asked at 24 November 2026, 12:30/,
          /佐藤/,
        ],
        [/ANSWERED-TEXT/, /undefined/],
      );
    });
  }

  it('count what is isolated and nobody has ordered back, and questions without an answer', () => {
    const of = (record: typeof waiting) => {
      const { questions, devices, since } = waitsForCustomer(record, policyFor('ja'), NOW);
      return [questions.length, devices.length, since];
    };
    assert.deepEqual(of(waiting), [1, 1, at(3, 10)]);
    assert.deepEqual(of(recordOf({ questions: [question], verdicts: [level2], ...noDevice })), [1, 0, at(3, 30)]);
    assert.deepEqual(of(recordOf({ devices: [requested], questions: [answered] })), [0, 0, null]);
    assert.deepEqual(of(ordered({ state: 'releasing' })), [0, 0, null]);
  });

  it('are still mails where nothing waits any more', () => {
    const mail = reminderMail(recordOf({ devices: [requested] }), policyFor('en'), NOW);
    assertSays(mail, [/waits for your answer or instruction at present/, /need not do anything/]);
  });
});

describe('what the SOC hears of customers’ mails', () => {
  const held = {
    service,
    heldId: 'held:1',
    from: 'someone@x.example',
    subject: 'SUBJECT',
    receivedAt: at(3),
    incidentId: null,
  };
  const assertToSoc = (mail: RenderedMail, kind: RenderedMail['kind']): void => {
    assertSameFacts(mail);
    assert.equal(mail.kind, kind);
    assert.deepEqual([mail.to, mail.cc], [['soc@mimamori.example'], []]);
    assert.deepEqual(
      mail.letters.map(({ language }) => language),
      ['ja', 'en'],
    );
    assert.match(mail.subject, /^\[見守り SOC\] .+ \/ .+/);
  };

  it('a mail without an answer, with how long it has waited', () => {
    const { policy } = reply('en');
    const mail = inquiryWaitingMail({
      policy,
      inquiryId: 'inquiry:acme:1',
      reference: 'incident:acme:da637_-1',
      waitingSince: at(2),
      waitedMinutes: 75,
      from: 'sato@acme.example',
      subject: 'SUBJECT',
    });
    assertToSoc(mail, 'soc-warning');
    assertSays(mail, [/inquiry:acme:1/, /1時間15分/, /1 h 15 min/, /sato@acme\.example/, /11:00 \(JST.* 02:00 UTC/]);
    assert.match(mail.subject, /株式会社アクメ: SUBJECT$/);
  });

  for (const reason of heldReasons) {
    it(`a mail held as ${reason}, with what to do in words of its own`, () => {
      const mail = heldMailNotice({ ...held, reason, customerName: null });
      assertToSoc(mail, 'soc-warning');
      assertSays(mail, [/held:1/, /someone@x\.example/, /■ 対応方法\n.{20}/, /■ What you can do\n.{20}/, /不明/]);
    });
  }

  it('a held mail that names an incident names it to the SOC', () => {
    const incidentId = 'incident:acme:da637_-1';
    assertSays(heldMailNotice({ ...held, reason: 'authentication-failed', customerName: 'C', incidentId }), [
      /受付番号: incident:acme:da637_-1/,
      /Reference: incident:acme:da637_-1/,
    ]);
  });

  it('a mail without a sender', () => {
    assertSays(heldMailNotice({ ...held, from: null, reason: 'no-sender', customerName: 'C' }), [
      /From: none, or more than one/,
      /Customer: C/,
    ]);
  });

  it('a mailbox that cannot be read, and one that is read again', () => {
    const trouble = { service, since: at(3), why: 'IMAP:\r\nBcc: x timeout' };
    const begun = mailboxTroubleMail({ ...trouble, isOver: false });
    assertToSoc(begun, 'soc-failure');
    assertSays(begun, [/読み取れません/, /cannot be read/, /IMAP: Bcc: x timeout/, /by hand/]);
    const over = mailboxTroubleMail({ ...trouble, isOver: true });
    assertToSoc(over, 'soc-failure');
    assertSays(over, [/回復しました/, /read again/], [/by hand/]);
  });

  it('a mail that came back, with the mail server’s words on one line', () => {
    assert.deepEqual(bouncedWords('a@x.example', '550 5.1.1\r\nno such user'), {
      en: 'The customer was not reached: a@x.example: 550 5.1.1 no such user',
      ja: 'お客様に届きませんでした: a@x.example: 550 5.1.1 no such user',
    });
  });

  it('whatever is in them, they stay mails', () => {
    const evil = `<script>"'& \r\nBcc: v@x.example\r\n\u202egpj.exe\u0007 \ud800 ${'x'.repeat(10_000)}`;
    const policy = policyFor('ja', { name: evil, productSupport: { name: evil, note: evil } });
    const answeredTo = { receivedAt: at(3), words: evil };
    const hostile = { policy, subject: evil, reference: evil, answeredTo };
    for (const mail of [
      inquiryAnswerMail({ ...hostile, text: evil }),
      inquiryReferralMail({ ...hostile, text: evil }),
      inquiryWaitingMail({ ...hostile, inquiryId: evil, waitingSince: evil, waitedMinutes: 1, from: evil }),
      heldMailNotice({ ...held, from: evil, subject: evil, customerName: evil, reason: 'ambiguous' }),
      mailboxTroubleMail({ service, since: evil, why: evil, isOver: false }),
      reminderMail(recordOf({ questions: [{ ...question, text: evil }], devices: [isolated] }), policy, NOW),
    ]) {
      const { subject, text, html } = read(mail);
      assert.doesNotMatch(html, /<script|href|src=/i);
      for (const part of [subject, text, html]) {
        assert.doesNotMatch(part, /[\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}|\p{Cs}/u);
      }
      assert.ok(subject.length <= 150 && !subject.includes('\n'));
      assertSameFacts(mail);
    }
  });
});
