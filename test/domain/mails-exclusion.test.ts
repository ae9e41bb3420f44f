import assert from 'node:assert/strict';
import { exclusionInputSchema, type CustomerRequest } from '../../src/domain/exclusion/commands.js';
import { evolve, openExclusion, type Opening } from '../../src/domain/exclusion/evolve.js';
import type { ExclusionFact } from '../../src/domain/exclusion/facts.js';
import type { ExclusionRecord } from '../../src/domain/exclusion/record.js';
import {
  exclusionCalendarMail,
  exclusionFailureMail,
  exclusionReminderSocMail,
  exclusionUnreachedMail,
  type FailedPart,
} from '../../src/domain/templates/exclusion-soc.js';
import {
  exclusionConfirmedMail,
  exclusionEndedMail,
  exclusionReminderMail,
} from '../../src/domain/templates/exclusion.js';
import type { RenderedMail } from '../../src/domain/templates/index.js';
import { customerSubject } from '../../src/domain/templates/subject.js';
import { DAY_MS, plus } from '../../src/domain/time.js';
import { LANGUAGES, assertSameFacts, assertSays, read } from './mail-reading.js';
import { NOW, OPERATOR, at, policyFor, recordOf } from './mail-records.js';

const EXPIRY = plus(NOW, 90 * DAY_MS);
/** As the customer's clock in Tokyo shows it. */
const EXPIRY_JA = /2027年2月22日 13:00 \(JST\/Asia\/Tokyo\)/;
const EXPIRY_EN = /22 February 2027, 13:00 \(JST\/Asia\/Tokyo\)/;
const ENDING = { hits: 3, now: plus(EXPIRY, -14 * DAY_MS) };
const SHA256 = 'ab'.repeat(32);
const REQUEST: CustomerRequest = { by: '佐藤', channel: 'mail', receivedAt: at(3), words: 'REQUEST-WORDS' };
const RULE = { by: '田中', at: '2026-11-24T03:30:00.000Z', note: 'RULE-NOTE' };
const FOLDER = { fileName: 'backup.exe', folderPath: 'C:\\Backup\\*' };

const FILTER_SET: ExclusionFact = { type: 'part-set', part: 'own-filter', detail: [] };
const INDICATOR_SET: ExclusionFact = { type: 'part-set', part: 'defender-indicator', detail: ['4711'] };
const INDICATOR_FAILED: ExclusionFact = {
  type: 'part-failed',
  part: 'defender-indicator',
  reason: 'defender-forbidden',
};
const RULE_SET: ExclusionFact = { type: 'part-set', part: 'portal-rule', detail: [] };

function exclusion(body: Record<string, unknown>, facts: readonly ExclusionFact[], more: Partial<Opening> = {}) {
  const opened = openExclusion(
    {
      exclusionId: 'exclusion:acme:backup',
      customerId: 'acme',
      policy: policyFor('ja'),
      input: exclusionInputSchema.parse({
        conditions: FOLDER,
        reason: 'INTERNAL-REASON',
        expiresAt: EXPIRY,
        set: { ownFilter: true },
        customerRequest: REQUEST,
        incidentId: 'incident:acme:da637_-1',
        ...body,
      }),
      proposer: OPERATOR,
      asksCustomer: false,
      breadth: { matched: 1, of: 10, approvalsNeeded: 1 },
      ...more,
    },
    NOW,
  );
  const approved: ExclusionFact = { type: 'approved', actor: 'op-approver-secret', reason: 'INTERNAL-APPROVAL' };
  return [approved, ...facts].reduce((record, fact) => evolve(record, fact, NOW), opened);
}

const HASH = { conditions: { sha256: SHA256 } };
const BOTH = { ...HASH, set: { ownFilter: true, defenderIndicator: true } };
const asked = exclusion({}, []);
const filtered = exclusion({}, [FILTER_SET]);
const both = exclusion(BOTH, [FILTER_SET, INDICATOR_SET]);
const half = exclusion(BOTH, [FILTER_SET, INDICATOR_FAILED]);
const indicatorOnly = exclusion({ ...HASH, set: { defenderIndicator: true } }, [INDICATOR_SET]);
const byHand = exclusion({ set: { ownFilter: true, portalRule: RULE } }, [FILTER_SET, RULE_SET]);
const unasked = exclusion({ customerRequest: undefined, incidentId: undefined }, [FILTER_SET]);
const short = exclusion({ expiresAt: plus(NOW, 10 * DAY_MS) }, [FILTER_SET]);
const foreign = exclusion({ incidentId: 'incident:rival:1' }, [FILTER_SET]);

interface Case {
  name: string;
  mail: (language: 'ja' | 'en') => RenderedMail;
  ja: RegExp[];
  en: RegExp[];
  not?: RegExp[];
}

const confirmed = (record: ExclusionRecord) => (language: 'ja' | 'en') =>
  exclusionConfirmedMail(record, policyFor(language), null);
const reminder =
  (record: ExclusionRecord, ending = ENDING) =>
  (language: 'ja' | 'en') =>
    exclusionReminderMail(record, policyFor(language), ending);

const ended = (record: ExclusionRecord, fact: ExclusionFact) => (language: 'ja' | 'en') =>
  exclusionEndedMail(evolve(record, fact, NOW), policyFor(language), null);

const ABOUT_JA = [/株式会社アクメ 御中/, /exclusion:acme:backup/, /見守り SOC/];
const ABOUT_EN = [/Dear 株式会社アクメ/, /exclusion:acme:backup/, /Mimamori SOC/];

const customerCases: Case[] = [
  {
    name: 'the confirmation says what was set, until when, what it means, and how to have it taken back',
    mail: confirmed(filtered),
    ja: [
      ...ABOUT_JA,
      EXPIRY_JA,
      /インシデント番号: incident:acme:da637_-1/,
      /ファイル名「backup\.exe」、フォルダー「C:\\Backup\\\*」/,
      /- 当社フィルター: /,
      /分析いたしません.*隔離も行いません/,
      /14日前に、改めてお知らせ/,
      /取り消し.*本メールへの返信/,
      /ご依頼いただいた方: 佐藤\nご依頼の受付日時: 2026年11月24日 12:00 \(JST\/Asia\/Tokyo\)\n受付方法: メール/,
    ],
    en: [
      ...ABOUT_EN,
      EXPIRY_EN,
      /Incident number: incident:acme:da637_-1/,
      /file name "backup\.exe", folder "C:\\Backup\\\*"/,
      /- Our own filter: /,
      /no longer analysed.*no device is isolated/,
      /remind you 14 days before/,
      /taken back.*replying to this mail/,
      /Requested by: 佐藤\nReceived at: 24 November 2026, 12:00 \(JST\/Asia\/Tokyo\)\nReceived by: mail/,
    ],
    not: [/ご注意/, /Please note/, /インジケーター/, /indicator/, /設定できていない/, /could not be set/],
  },
  {
    name: 'the confirmation of an indicator warns of what it does to Defender’s own guard',
    mail: confirmed(both),
    ja: [/■ ご注意ください\n.*Defender 自体の防御を弱めます/, /- Defender の許可インジケーター/, /- 当社フィルター/],
    en: [/■ Please note\n.*lowers Defender’s own guard/, /- An allow indicator in Defender/, /- Our own filter/],
    not: [/4711/],
  },
  {
    name: 'the confirmation of what Defender alone keeps away says that anything else is analysed',
    mail: confirmed(indicatorOnly),
    ja: [/これまでどおり分析いたします/, /■ ご注意ください/],
    en: [/we analyse it as before/, /■ Please note/],
    not: [/当社フィルター/, /own filter/, /記録のみ/, /no longer analysed/],
  },
  {
    name: 'the confirmation says what could not be set, and warns of nothing that is not',
    mail: confirmed(half),
    ja: [/■ 設定できていないもの\n.*アナリストが確認しております。\n- Defender のインジケーター/],
    en: [/■ What is not set yet\n.*\n- the indicator in Defender/],
    not: [/防御を弱め/, /lowers Defender/, /許可インジケーター/, /allow indicator/, /権限/, /permission/],
  },
  {
    name: 'the confirmation names a rule made by hand with the customer’s time',
    mail: confirmed(byHand),
    ja: [/手動設定したルール \(田中、2026年11月24日 12:30 \(JST\/Asia\/Tokyo\)\): RULE-NOTE/],
    en: [/by hand .* by 田中 at 24 November 2026, 12:30 \(JST\/Asia\/Tokyo\): RULE-NOTE/],
    not: [/03:30/],
  },
  {
    name: 'the confirmation of what nobody asked for names no request and no incident',
    mail: confirmed(unasked),
    ja: ABOUT_JA,
    en: ABOUT_EN,
    not: [/ご依頼いただいた方/, /Requested by/, /インシデント番号/, /Incident number/, /incident:/],
  },
  {
    name: 'the confirmation of a short one promises no reminder',
    mail: confirmed(short),
    ja: [/2026年12月4日 13:00/],
    en: [/4 December 2026, 13:00/],
    not: [/14日前/, /remind/],
  },
  {
    name: 'the confirmation names no incident of another customer',
    mail: confirmed(foreign),
    ja: ABOUT_JA,
    en: ABOUT_EN,
    not: [/インシデント番号/, /Incident number/],
  },
  {
    name: 'a declined one is told with the reason, and that nothing has changed',
    mail: ended(asked, { type: 'declined', actor: OPERATOR, reason: 'It would hide attacks.' }),
    ja: [
      ...ABOUT_JA,
      /見送らせていただく/,
      /理由: It would hide attacks\./,
      /これまでどおり分析の対象/,
      /改めて登録をご希望/,
    ],
    en: [...ABOUT_EN, /has not been made/, /Reason: It would hide attacks\./, /analysed as before/, /registered anew/],
    not: [/■ 設定したもの/, /What was set/],
  },
  {
    name: 'a withdrawn one likewise',
    mail: ended(asked, { type: 'withdrawn', actor: OPERATOR, reason: 'Another one took its place.' }),
    ja: [...ABOUT_JA, /取り下げといたしました/, /理由: Another one took its place\./],
    en: [...ABOUT_EN, /has been withdrawn\. It has not been made/, /Reason: Another one took its place\./],
  },
  {
    name: 'an expired one is told as ended',
    mail: ended(filtered, { type: 'expired' }),
    ja: [...ABOUT_JA, /有効期限により終了しました/, EXPIRY_JA],
    en: [...ABOUT_EN, /has ended, as its time was over/, EXPIRY_EN],
    not: [/理由/, /Reason/, /portal/, /管理画面/],
  },
  {
    name: 'a rule made by hand is for the customer to remove',
    mail: ended(byHand, { type: 'expired' }),
    ja: [/自動では削除されません/],
    en: [/does not end by itself/],
  },
  {
    name: 'one whose time was over before it was registered was never made',
    mail: ended(asked, { type: 'expired' }),
    ja: [...ABOUT_JA, /登録は行われておりません/],
    en: [...ABOUT_EN, /It has not been made/],
  },
  {
    name: 'the reminder says when it ends, what it has matched, and what can be done',
    mail: reminder(filtered),
    ja: [
      ...ABOUT_JA,
      EXPIRY_JA,
      /残り期間: 14日$/m,
      /該当したアラート: 3 件/,
      /継続をご希望.*返信/,
      /ご依頼がない場合/,
    ],
    en: [...ABOUT_EN, EXPIRY_EN, /Time left: 14 days$/m, /so far: 3 alerts/, /go on.*replying/, /do not ask for it/],
  },
  {
    name: 'the reminder of an end that was brought forward says how little is left',
    mail: reminder(filtered, { hits: 1, now: plus(EXPIRY, -3 * DAY_MS + 60_000) }),
    ja: [/残り期間: 3日$/m, /: 1 件$/m],
    en: [/Time left: 3 days$/m, /: 1 alert$/m],
  },
  {
    name: 'the reminder on the last day says so',
    mail: reminder(filtered, { hits: 0, now: plus(EXPIRY, -60_000) }),
    ja: [/残り期間: 1日以内$/m, /: 0 件$/m],
    en: [/Time left: at most a day$/m, /: 0 alerts$/m],
  },
  {
    name: 'the reminder of what Defender itself lets pass gives no number',
    mail: reminder(indicatorOnly),
    ja: [/件数は把握できません/],
    en: [/cannot be counted/],
    not: [/3 件/, /3 alerts/],
  },
];

const failed = (record: ExclusionRecord, failure: FailedPart) => (language: 'ja' | 'en') =>
  exclusionFailureMail(record, policyFor(language), failure);
const socReminder = (record: ExclusionRecord, hits: number) => (language: 'ja' | 'en') =>
  exclusionReminderSocMail(record, policyFor(language), { ...ENDING, hits });
const unset = (part: FailedPart['part'], reason: string): FailedPart => ({ part, action: 'set', reason });
const left = (part: FailedPart['part'], reason: string): FailedPart => ({ part, action: 'remove', reason });

/** Every mail to the SOC is in both languages, Japanese first. */
const socCases: (Omit<Case, 'ja' | 'en'> & { kind: RenderedMail['kind']; says: RegExp[] })[] = [
  {
    name: 'the reminder says what it has matched',
    mail: socReminder(filtered, 3),
    kind: 'soc-warning',
    says: [
      /残り期間: 14日/,
      /Time left: 14 days/,
      /so far: 3 alerts/,
      /- 当社フィルター/,
      /改めて起案/,
      /propose a new exclusion/,
    ],
    not: [/matched nothing/, /by hand/],
  },
  {
    name: 'the reminder of one without hits says that it may not be needed',
    mail: socReminder(filtered, 0),
    kind: 'soc-warning',
    says: [/該当したアラートはありません/, /matched nothing so far/],
  },
  {
    name: 'the reminder of a rule made by hand says that it stays',
    mail: socReminder(byHand, 3),
    kind: 'soc-warning',
    says: [
      /手動で削除してください/,
      /remove it by hand/,
      /2026年11月24日 12:30 \(JST\/Asia\/Tokyo\) = 2026-11-24 03:30 UTC/,
    ],
  },
  {
    name: 'the reminder of an indicator alone calls no number nothing',
    mail: socReminder(indicatorOnly, 0),
    kind: 'soc-warning',
    says: [/cannot be counted/],
    not: [/matched nothing/, /0 alerts/],
  },
  {
    name: 'a missing permission is named with who can give it',
    mail: failed(half, unset('defender-indicator', 'defender-forbidden')),
    kind: 'soc-failure',
    says: [
      /失敗した設定: Defender のインジケーター/,
      /What failed: the indicator in Defender/,
      /Ti\.ReadWrite/,
      /401 or 403/,
      /tried again/,
    ],
    not: [/another reason/, /15,000/],
  },
  {
    name: 'a sign-in that is refused has nothing to do with the indicators of the tenant',
    mail: failed(half, unset('defender-indicator', 'defender-sign-in')),
    kind: 'soc-failure',
    says: [
      /Entra refused our application’s sign-in/,
      /secret or certificate, the administrator’s consent/,
      /tried again/,
    ],
    not: [/15,000/, /Ti\.ReadWrite/],
  },
  {
    name: 'what is tried on by itself is nobody’s to have tried again',
    mail: failed(half, unset('defender-indicator', 'defender-request-failing')),
    kind: 'soc-failure',
    says: [/tried again by itself/, /自動的に再試行/, /not in force in this part/],
    not: [/have it tried again/, /再試行を指示/, /15,000/],
  },
  {
    name: 'what is tried on by itself can be removed by hand before',
    mail: failed(both, left('defender-indicator', 'defender-request-failing')),
    kind: 'soc-failure',
    says: [/tried again by itself.*by hand in Defender’s portal/s, /自動的に再試行.*手動で削除/s],
    not: [/have it tried again/],
  },
  {
    name: 'Defender’s own sentence is shown as it is',
    mail: failed(half, unset('defender-indicator', 'The limit of 15000 active indicators has been reached.')),
    kind: 'soc-failure',
    says: [/Reason: The limit of 15000 active indicators has been reached\.$/m, /上限 15,000 件/, /limit of 15,000/],
    not: [/Ti\.ReadWrite/],
  },
  {
    name: 'a code that Entra gives has words',
    mail: failed(half, unset('defender-indicator', 'AADSTS7000222')),
    kind: 'soc-failure',
    says: [/secret has expired.*\(AADSTS7000222\)/, /シークレットの有効期限.*\(AADSTS7000222\)/],
  },
  {
    name: 'a code without words is shown',
    mail: failed(half, unset('defender-indicator', 'E_NEW')),
    kind: 'soc-failure',
    says: [/another reason \(E_NEW\)/],
  },
  {
    name: 'our own filter that could not be set leaves the alerts with the analysts',
    mail: failed(exclusion({}, []), unset('own-filter', 'E_NEW')),
    kind: 'soc-failure',
    says: [/当社フィルター/, /引き続き分析対象/, /go on being analysed/],
    not: [/■ 設定済み/, /What is set/],
  },
  {
    name: 'an indicator that could not be removed is named by its id, with how to remove it by hand',
    mail: failed(both, left('defender-indicator', 'rejected-by-defender')),
    kind: 'soc-failure',
    says: [
      /Defender での ID: 4711/,
      /Ids in Defender: 4711/,
      /手動で削除/,
      /by hand in Defender’s portal/,
      /Defender refused the request/,
    ],
    not: [/tried again/],
  },
  {
    name: 'a rule made by hand has to be removed by hand',
    mail: failed(byHand, left('portal-rule', 'E_NEW')),
    kind: 'soc-failure',
    says: [/could not be removed/, /remove it by hand/],
  },
  {
    name: 'a customer who could not be told is to be told by telephone',
    mail: (language) => exclusionUnreachedMail(filtered, policyFor(language), 'mail-rejected'),
    kind: 'soc-failure',
    says: [/the mail server refused the mail/, /by telephone/, /お電話/],
  },
  {
    name: 'a customer whose mail is delayed may be told by telephone, and has the mail by itself',
    mail: (language) => exclusionUnreachedMail(filtered, policyFor(language), 'mail-delayed'),
    kind: 'soc-failure',
    says: [/sent again until it does/, /by telephone/],
    not: [/have it tried again/, /再試行を指示/],
  },
  {
    name: 'a calendar that ends too soon is named with the day',
    mail: (language) => exclusionCalendarMail(exclusion({}, []), policyFor(language), '2051-01-01'),
    kind: 'soc-warning',
    says: [/範囲外の日付: 2051-01-01/, /not known: 2051-01-01/, /ソフトウェアを更新/, /Update the software/],
  },
];

describe('mails about exclusions', () => {
  describe('to the customer', () => {
    for (const { name, mail, not, ...says } of customerCases) {
      for (const language of LANGUAGES) {
        it(`${name} (${language})`, () => {
          const rendered = mail(language);
          assertSays(rendered, says[language], not);
          assertSameFacts(rendered);
          assert.deepEqual([rendered.to, rendered.cc], [['security@acme.example'], ['boss@acme.example']]);
        });
      }
    }

    it('show nothing internal and nobody else', () => {
      const internal = [
        OPERATOR,
        'op-approver',
        'INTERNAL',
        'REQUEST-WORDS',
        'own-filter',
        'defender-',
        'rival',
        'undefined',
      ];
      for (const { name, mail } of customerCases) {
        for (const language of LANGUAGES) {
          const { subject, text, html } = read(mail(language));
          for (const secret of internal) {
            assert.ok(!`${subject}${text}${html}`.includes(secret), `${secret} in ${name}`);
          }
        }
      }
    });

    it('are of kinds of their own', () => {
      assert.equal(confirmed(filtered)('ja').kind, 'exclusion-confirmed');
      assert.equal(reminder(filtered)('ja').kind, 'exclusion-reminder');
    });

    it('have a subject of their own, or that of the incident’s thread', () => {
      const what = 'ファイル名「backup.exe」、フォルダー「C:\\Backup\\*」';
      assert.equal(confirmed(filtered)('ja').subject, `[見守り] ホワイトリスト登録完了: ${what}`);
      assert.equal(reminder(filtered)('ja').subject, `[見守り] ホワイトリスト有効期限のお知らせ: ${what}`);
      assert.match(
        confirmed(filtered)('en').subject,
        /^\[Mimamori\] Whitelist registration complete: file name "backup/,
      );
      assert.match(reminder(filtered)('en').subject, /^\[Mimamori\] Whitelist registration ends soon: file name/);
      for (const language of LANGUAGES) {
        const policy = policyFor(language);
        const thread = customerSubject(recordOf(), policy, 'exclusion-confirmed');
        const { subject } = exclusionConfirmedMail(filtered, policy, thread);
        assert.equal(subject, customerSubject(recordOf(), policy, 'secondary'));
      }
    });

    it('follow the customer’s clock', () => {
      const policy = policyFor('en', { timeZone: 'America/New_York' });
      assertSays(exclusionConfirmedMail(byHand, policy, null), [
        /Ends at: 21 February 2027, 23:00 \(EST\/America\/New_York\)/,
        /at 23 November 2026, 22:30 \(EST\/America\/New_York\)/,
      ]);
    });
  });

  describe('to the SOC', () => {
    for (const { name, mail, kind, says, not } of socCases) {
      it(name, () => {
        const [ja, en] = [mail('ja'), mail('en')];
        assert.deepEqual(ja, en, 'whatever the customer’s language, both are there');
        assertSays(
          ja,
          [
            /お客様: 株式会社アクメ \(acme\)/,
            /Exclusion: exclusion:acme:backup/,
            /Proposed by: op-tanaka-secret/,
            /Why it was proposed: INTERNAL-REASON/,
            /Ends at: 22 February 2027, 13:00 \(JST\/Asia\/Tokyo\) = 2027-02-22 04:00 UTC/,
            ...says,
          ],
          [/undefined/, ...(not ?? [])],
        );
        assertSameFacts(ja);
        assert.equal(ja.kind, kind);
        assert.deepEqual([ja.to, ja.cc], [['soc@mimamori.example'], []]);
        assert.match(ja.subject, /^\[見守り SOC\] .* \/ .*: 株式会社アクメ: /);
      });
    }
  });

  it('go to nobody but the customer that the exclusion belongs to', () => {
    const rival = policyFor('ja', { id: 'rival' });
    for (const mail of [
      () => exclusionConfirmedMail(filtered, rival, null),
      () => exclusionEndedMail(evolve(filtered, { type: 'expired' }, EXPIRY), rival, null),
      () => exclusionUnreachedMail(filtered, rival, 'mail-rejected'),
      () => exclusionReminderMail(filtered, rival, ENDING),
      () => exclusionReminderSocMail(filtered, rival, ENDING),
      () => exclusionFailureMail(filtered, rival, unset('own-filter', 'E_NEW')),
      () => exclusionCalendarMail(filtered, rival, '2051-01-01'),
    ]) {
      assert.throws(mail, RangeError);
    }
  });

  describe('with hostile texts stay mails:', () => {
    const evil = `<script>alert(1)</script>"'& \r\nBcc: victim@rival.example\r\n\r\n\u202egpj.exe\u2066\u0007 \ud800 ${'x'.repeat(10_000)}`;
    const hostile: ExclusionRecord = {
      ...exclusion({ set: { ownFilter: true, portalRule: RULE } }, [FILTER_SET, RULE_SET]),
      exclusionId: `exclusion:acme:${evil}`,
      conditions: { title: evil, fileName: evil, folderPath: evil, commandLine: evil, account: evil, url: evil },
      reason: evil,
      proposer: evil,
      incidentId: evil,
      set: { ownFilter: true, defenderIndicator: true, portalRule: { by: evil, at: evil, note: evil } },
      customerRequest: { ...REQUEST, by: evil, words: evil, recordedAt: NOW, actor: evil },
    };
    const nasty: ExclusionRecord = {
      ...hostile,
      parts: { ...hostile.parts, 'defender-indicator': { status: 'failed', at: NOW, detail: [evil], reason: evil } },
    };
    for (const language of LANGUAGES) {
      const policy = policyFor(language, { name: evil });
      for (const [name, mail] of [
        ['the confirmation', () => exclusionConfirmedMail(nasty, policy, null)],
        ['the confirmation in a thread', () => exclusionConfirmedMail(nasty, policy, evil)],
        ['the reminder', () => exclusionReminderMail(nasty, policy, ENDING)],
        ['the reminder to the SOC', () => exclusionReminderSocMail(nasty, policy, ENDING)],
        ['a failure', () => exclusionFailureMail(nasty, policy, unset('defender-indicator', evil))],
        ['a removal that failed', () => exclusionFailureMail(nasty, policy, left('defender-indicator', evil))],
        ['the calendar', () => exclusionCalendarMail(nasty, policy, evil)],
      ] as const) {
        it(`${name} (${language})`, () => {
          const rendered = mail();
          const { subject, text, html } = read(rendered);
          assert.doesNotMatch(html, /<script|<b>|href|src=/i);
          assert.match(html, /&lt;script&gt;/);
          assert.doesNotMatch(text, /&lt;|&amp;|<br|<p|<td|^Bcc:/m);
          for (const part of [subject, text, html]) {
            assert.doesNotMatch(part, /[\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}|\p{Cs}/u);
          }
          assert.doesNotMatch(subject, /[\r\n]/);
          assert.ok(subject.length <= 150);
          assert.ok(text.length < 20_000, 'what is long is cut');
          assertSameFacts(rendered);
        });
      }
    }
  });
});
