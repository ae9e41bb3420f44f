import assert from 'node:assert/strict';
import { acknowledgement, announcement, renderMail } from '../../src/domain/templates/index.js';
import { whenIn } from '../../src/domain/templates/when.js';
import { reasonForCustomer, reasonWords } from '../../src/domain/reasons.js';
import type { Language } from '../../src/domain/text.js';
import { LANGUAGES, PRIMARY, read } from './mail-reading.js';
import { NOW, policyFor, recordOf } from './mail-records.js';

describe('mails in time zones', () => {
  const table: [Language, string, string, string][] = [
    ['ja', 'Asia/Tokyo', '2026-11-24T03:00:00.000Z', '2026年11月24日 12:00 (JST/Asia/Tokyo)'],
    ['en', 'Asia/Tokyo', '2026-11-24T15:00:00.000Z', '25 November 2026, 00:00 (JST/Asia/Tokyo)'],
    ['en', 'America/New_York', '2026-07-01T04:30:00.000Z', '1 July 2026, 00:30 (EDT/America/New_York)'],
    ['en', 'America/New_York', '2026-11-01T05:30:00.000Z', '1 November 2026, 01:30 (EDT/America/New_York)'],
    ['en', 'America/New_York', '2026-11-01T06:30:00.000Z', '1 November 2026, 01:30 (EST/America/New_York)'],
    ['ja', 'Europe/Berlin', '2026-07-01T10:00:00.000Z', '2026年7月1日 12:00 (CEST/Europe/Berlin)'],
    ['ja', 'Asia/Singapore', '2026-07-01T10:00:00.000Z', '2026年7月1日 18:00 (UTC+8/Asia/Singapore)'],
    ['en', 'UTC', '2026-07-01T10:00:00.000Z', '1 July 2026, 10:00 (UTC)'],
    ['en', 'UTC', 'not a time', '-'],
  ];
  for (const [language, zone, instant, expected] of table) {
    it(`${instant} in ${zone} is ${expected}`, () => {
      assert.equal(whenIn(language, zone)(instant), expected);
    });
  }

  it('a mail is in the customer’s', () => {
    const policy = policyFor('en', { timeZone: 'America/New_York' });
    assert.match(
      read(renderMail(recordOf(), policy, PRIMARY, NOW)).text,
      /23 November 2026, 21:00 \(EST\/America\/New_York\)/,
    );
  });
});

describe('phone texts', () => {
  for (const language of LANGUAGES) {
    it(`says who calls, why, and what to press (${language})`, () => {
      const said = announcement(policyFor(language), ['Suspicious PowerShell']);
      const expected =
        language === 'ja'
          ? [/見守り/, /脅威レベル4/, /メール/, /1を押して/]
          : [/Mimamori/, /Threat level 4/, /mail/, /press 1/];
      for (const pattern of [...expected, /Suspicious PowerShell/]) assert.match(said, pattern);
      assert.match(acknowledgement(policyFor(language)), language === 'ja' ? /ありがとう/ : /Thank you/);
    });

    it(`stays short and clean however many alerts there are (${language})`, () => {
      const titles = Array.from({ length: 30 }, (_, index) => `${index}\r\n\u202e<b>${'long '.repeat(100)}`);
      const said = announcement(policyFor(language), titles);
      assert.ok(said.length <= 600);
      assert.match(said, language === 'ja' ? /ほか27件.*1を押してください。$/ : /and 27 more.*press 1\.$/);
      assert.doesNotMatch(said, /[\u202a-\u202e]|\p{Cc}/u);
      assert.ok(announcement(policyFor(language), []).length > 0);
    });
  }
});

describe('reasons', () => {
  const codes = [
    'tuning-period',
    'server-left',
    'device-mismatch',
    'server-decision-needed',
    'unknown-device',
    'unsupported-device',
    'isolation-timeout',
    'isolation-failed',
    'cancelled-elsewhere',
    'level-lowered',
    'not-named',
    'released',
    'held',
    'release-timeout',
    'release-failed',
    'mail-rejected',
    'phone-exhausted',
    'no-contact-to-ring',
    'rejected-by-defender',
    'awaiting-text',
    'awaiting-primary',
    'no-verdict',
    'isolation-pending',
    'mail-not-accepted',
    'done-too-late',
  ];
  for (const code of codes) {
    it(`${code} has words of its own`, () => {
      const { en, ja } = reasonWords(code);
      assert.ok(!en.includes(code) && !ja.includes(code) && !/[.。]$/u.test(en + ja));
      assert.deepEqual(reasonForCustomer(code), { en, ja });
    });
  }

  for (const code of ['defender-forbidden', 'defender-sign-in']) {
    it(`${code} has words for analysts only`, () => {
      const { en, ja } = reasonWords(code);
      assert.ok(!en.includes(code) && !ja.includes(code) && !/[.。]$/u.test(en + ja));
      assert.deepEqual(reasonForCustomer(code), reasonForCustomer('E_NEW'));
    });
  }

  it('a code without words is shown to analysts only', () => {
    for (const code of ['E_NEW', 'constructor', '__proto__']) {
      assert.ok(reasonWords(code).ja.includes(code));
      assert.ok(!JSON.stringify(reasonForCustomer(code)).includes(code));
    }
  });
});
