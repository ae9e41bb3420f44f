import assert from 'node:assert/strict';
import fc from 'fast-check';
import { splitQuoted } from '../../src/domain/customer-mail/quoted.js';

const OUR = '【一次エスカレーション】\n\n■ 検知内容\n端末: PC-1';
const NEW = '端末の隔離を解除してください。';

const REPLIES: [name: string, text: string, newText: string][] = [
  [
    'Outlook, Japanese',
    `${NEW}\n\n差出人: 見守り <soc@m.example>\n送信日時: 2026年11月24日 12:00\n宛先: 太郎\n件名: 検知\n\n${OUR}`,
    NEW,
  ],
  [
    'Outlook, with its rule',
    `${NEW}\n\n________________________________\n差出人: 見守り\n送信日時: 2026/11/24\n宛先: 太郎\n件名: 検知\n\n${OUR}`,
    NEW,
  ],
  ['Outlook, in bold', `${NEW}\n\n*差出人:* 見守り\n*送信日時:* 2026/11/24\n*宛先:* 太郎\n*件名:* 検知\n\n${OUR}`, NEW],
  ['Outlook, on one line', `${NEW}\n\n差出人: 見守り 送信日時: 2026/11/24 宛先: 太郎 件名: 検知\n${OUR}`, NEW],
  [
    'Outlook, English',
    `Release it.\n\nFrom: Mimamori\nSent: Tuesday, 24 November 2026\nTo: Taro\nCc: Jiro\nSubject: alert\n\n${OUR}`,
    'Release it.',
  ],
  [
    'Outlook, mobile',
    `${NEW}\n\nOutlook for iOS を入手\n________________________________\nFrom: m\nSent: Tue\nTo: t\nSubject: s\n\n${OUR}`,
    `${NEW}\n\nOutlook for iOS を入手`,
  ],
  [
    'Gmail, English',
    'Release it.\n\nOn Tue, Nov 24, 2026 at 12:00 PM Mimamori <soc@m.example> wrote:\n\n> a\n> b',
    'Release it.',
  ],
  [
    'Gmail, folded',
    'Release it.\n\nOn Tue, Nov 24, 2026 at 12:00 PM Mimamori SOC\n<soc@m.example> wrote:\n> a',
    'Release it.',
  ],
  ['Gmail, Japanese', `${NEW}\n\n2026年11月24日(火) 12:00 見守り <soc@m.example>:\n\n> a\n> b`, NEW],
  ['Apple Mail, Japanese', `${NEW}\n\n2026/11/24 12:00、見守り <soc@m.example>のメール：\n\n> a`, NEW],
  [
    'Apple Mail, English',
    'Release it.\n\nOn 24 Nov 2026, at 12:00, Mimamori <soc@m.example> wrote:\n\n> a',
    'Release it.',
  ],
  ['Thunderbird', `${NEW}\n\n2026/11/24 12:00, 見守り wrote:\n> a`, NEW],
  ['Thunderbird, Japanese', `${NEW}\n\n見守りさんは書きました:\n> a`, NEW],
  ['full-width marks', `＞ 隔離しました\n${NEW}`, NEW],
  [
    'a divider',
    `Release it.\n\n-----Original Message-----\nFrom: m\nSent: x\nTo: y\nSubject: z\n\n${OUR}`,
    'Release it.',
  ],
  ['a divider, Japanese', `${NEW}\n\n-----元のメッセージ-----\n${OUR}`, NEW],
  [
    'a forwarded mail',
    'FYI\n\n---------- Forwarded message ---------\nFrom: m\nDate: x\nSubject: y\nTo: z\n\nold',
    'FYI',
  ],
  ['our title alone', `${NEW}\n\n${OUR}`, NEW],
  [
    'answers between the lines',
    'On 1 Nov 2026, at 10:00, M wrote:\n> Release PC-1?\nYes.\n> Release PC-2?\nNo, wait.',
    'Yes.\n\nNo, wait.',
  ],
  ['an answer below', `On 1 Nov 2026, at 10:00, M wrote:\n> a\n\n${NEW}`, NEW],
  ['a head with marked lines below, answered', `差出人: a\n送信日時: b\n件名: c\n\n> x\n${NEW}`, NEW],
];

const NOT_QUOTED: [name: string, text: string][] = [
  ['a list of a person', 'From: the finance VLAN\nTo: the internet'],
  ['a title of a person', '【回答】\n■ 端末\n解除してください'],
  ['a sentence that ends as an attribution does', 'On 24 Nov you wrote:\nplease confirm. I confirm.'],
  ['a date with a colon', '2026年11月24日の件:\n承知しました'],
  ['a head with nothing above it', '差出人: a\n送信日時: b\n件名: c\n\nここに回答します'],
  ['a signature', 'OK\n\n--\nTaro'],
];

describe('what is new in a mail', () => {
  for (const [name, text, newText] of REPLIES) {
    it(`is told from what is quoted: ${name}`, () => assert.equal(splitQuoted(text).newText, newText));
  }
  for (const [name, text] of NOT_QUOTED) {
    it(`is everything in doubt: ${name}`, () => assert.deepEqual(splitQuoted(text), { newText: text, quotedText: '' }));
  }

  it('and what is quoted hold every line between them, each once', () => {
    const line = fc.oneof(
      fc.constantFrom(
        ...[...REPLIES.map(([, text]) => text), ...NOT_QUOTED.map(([, text]) => text)].join('\n').split('\n'),
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const filled = (text: string): string[] =>
          text
            .split(/\r\n?|\n/)
            .map((one) => one.trimEnd())
            .filter((one) => one.trim() !== '')
            .sort();
        const { newText, quotedText } = splitQuoted(lines.join('\n'));
        assert.deepEqual(filled(`${newText}\n${quotedText}`), filled(lines.join('\n')));
      }),
    );
  });
});
