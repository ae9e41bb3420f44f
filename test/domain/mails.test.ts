import assert from 'node:assert/strict';
import type { DeviceEntry } from '../../src/domain/incident/record.js';
import { mailKinds } from '../../src/domain/templates/index.js';
import { escalationCases } from './mail-escalation-cases.js';
import { resultCases } from './mail-result-cases.js';
import { LANGUAGES, PRIMARY, assertSameFacts, assertSays, mail } from './mail-reading.js';
import {
  OPERATOR,
  asked,
  at,
  device,
  isolated,
  ordered,
  recordOf,
  report,
  requested,
  target,
  verdict,
} from './mail-records.js';
import { socCases } from './mail-soc-cases.js';

const customerCases = [...escalationCases, ...resultCases];

describe('mails', () => {
  describe('to the customer', () => {
    for (const { name, record, topic, not, ...says } of customerCases) {
      for (const language of LANGUAGES) {
        it(`${name} (${language})`, () => {
          const rendered = mail(record, topic, language);
          assertSays(rendered, says[language], not);
          assertSameFacts(rendered);
          assert.equal(rendered.kind, topic.kind);
          assert.deepEqual([rendered.to, rendered.cc], [['security@acme.example'], ['boss@acme.example']]);
          const subject = language === 'ja' ? '[見守り]' : '[Mimamori]';
          const prefix = topic.kind === 'primary' ? '' : 'Re: ';
          assert.equal(rendered.subject, `${prefix}${subject} Suspicious PowerShell / pc-1.acme.local`);
        });
      }
    }

    it('shows nothing internal', () => {
      for (const { record, topic } of customerCases) {
        for (const language of LANGUAGES) {
          const { subject, text, html } = mail(record, topic, language);
          for (const secret of [OPERATOR, 'INTERNAL-NOTE', 'level-lowered', 'isolation-timeout', 'sato-id', 'rival']) {
            assert.ok(!`${subject}${text}${html}`.includes(secret), `${secret} in ${topic.kind}`);
          }
        }
      }
    });

    it('has a topic for every kind but those that are made otherwise', () => {
      const kinds = [...customerCases, ...socCases].map(({ topic }) => topic.kind);
      assert.deepEqual(new Set(kinds), new Set(mailKinds.filter((kind) => !/^(?:exclusion|inquiry)/.test(kind))));
    });

    it('refuses a topic of which the record knows nothing', () => {
      assert.throws(() => mail(recordOf(), { kind: 'primary', verdict: 7 }), RangeError);
    });

    it('tells devices of one name apart', () => {
      const twin = device({ machineId: 'm2', asked });
      assertSays(mail(recordOf({ devices: [requested, twin] }), PRIMARY), [
        /pc-1\.acme\.local \(m1\)、pc-1\.acme\.local \(m2\)/,
      ]);
    });

    it('keeps the line breaks of an analyst in both parts', () => {
      const record = recordOf({
        verdicts: [verdict({ texts: { detection: 'one\r\ntwo\n\n  three', analysis: 'a', countermeasures: 'c' } })],
      });
      const { text, html } = mail(record, PRIMARY);
      assert.match(text, /one\ntwo\n\n {2}three/);
      assert.match(html, /one<br>two<br><br> {2}three/);
    });
  });

  describe('on a device', () => {
    const waived = (reason: 'tuning-period' | 'server-left') =>
      device({ target: { ...target, judged: { at: at(3), waived: reason } } });
    const refused = (reason: 'device-mismatch' | 'server-decision-needed') =>
      device({ target: { ...target, judged: { at: at(3), refused: reason } } });
    const failed = (reason: string) => device({ asked, report: report({ state: 'failed', reason }) });
    const withdrawn = device({
      asked: { ...asked, want: 'withdraw' },
      target: { ...target, ended: { at: at(4), reason: 'not-named' } },
      report: report({}),
    });
    const table: [string, DeviceEntry, RegExp, RegExp][] = [
      [
        'not asked for yet',
        device(),
        /手続きを進めています。現時点では隔離されていません/,
        /being arranged\. At present the device is not isolated/,
      ],
      [
        'not looked up yet',
        device({ namedByAlert: false, facts: null }),
        /端末を確認しています/,
        /verifying the device/,
      ],
      ['of another name', refused('device-mismatch'), /端末を確認しています/, /verifying the device/],
      ['a server undecided', refused('server-decision-needed'), /端末を確認しています/, /verifying the device/],
      ['requested', requested, /隔離の完了はまだ確認できていません/, /completion is not confirmed yet/],
      ['being withdrawn', withdrawn, /取り消しを進めています/, /request for it is being cancelled/],
      [
        'waived by tuning',
        waived('tuning-period'),
        /チューニング期間中 \(2026年12月1日 00:00 \(JST\/Asia\/Tokyo\) まで\) のため、ネットワーク隔離は実施していません/,
        /Not isolated, because of the whitelist tuning period \(until 1 December 2026, 00:00/,
      ],
      ['a server left', waived('server-left'), /サーバーのため、アナリストの判断/, /server, and our analyst decided/],
      [
        'unsupported',
        failed('OsPlatformNotSupported'),
        /できませんでした。理由: 端末の OS/,
        /could not be isolated\. Reason: .*operating system/,
      ],
      ['failed for a reason without words', failed('E_STRANGE_77'), /技術的な問題/, /a technical problem/],
    ];
    for (const [name, entry, ja, en] of table) {
      it(`${name} is said, and never as done`, () => {
        for (const language of LANGUAGES) {
          const rendered = mail(recordOf({ devices: [entry] }), PRIMARY, language);
          assertSays(
            rendered,
            [language === 'ja' ? ja : en],
            [/隔離中/, /隔離しました/, /isolated from the network since/i, /E_STRANGE/],
          );
        }
      });
    }

    it('isolated is said with the time by Defender’s clock', () => {
      assertSays(
        mail(recordOf({ devices: [isolated] }), PRIMARY),
        [/12:10 .*からネットワーク隔離中/],
        [/要求しました/],
      );
    });

    it('whose release is under way is still isolated', () => {
      const { text } = mail(ordered({ state: 'releasing' }), { kind: 'release-result', order: 0 });
      assert.match(text, /からネットワーク隔離中です。ご指示に基づき、隔離の解除を進めています/);
      assert.doesNotMatch(text, /解除しました/);
    });
  });

  describe('to the SOC', () => {
    for (const { name, record, topic, ja, not } of socCases) {
      it(name, () => {
        for (const language of LANGUAGES) {
          const rendered = mail(record, topic, language);
          assertSays(rendered, ja, not);
          assertSameFacts(rendered);
          assert.deepEqual([rendered.to, rendered.cc], [['soc@mimamori.example'], []]);
          assert.match(rendered.subject, /^\[見守り SOC\] .*株式会社アクメ: Suspicious PowerShell$/);
        }
      });
    }
  });
});
