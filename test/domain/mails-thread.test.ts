import assert from 'node:assert/strict';
import fc from 'fast-check';
import { messageIdOf, threadOf } from '../../src/domain/templates/index.js';
import { at, effect, recordOf } from './mail-records.js';

describe('Message-IDs', () => {
  const printable = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 128,
  });

  it('read as what they are about', () => {
    assert.equal(
      messageIdOf('incident:acme:da637_-1', 'mail:primary', 'm.example'),
      '<incident+acme+da637_5f-1.mail+primary@m.example>',
    );
  });

  it('are made of safe characters, the same again, and fit a header line', () => {
    fc.assert(
      fc.property(printable, printable, (alertId, machineId) => {
        const make = () =>
          messageIdOf(`incident:acme:${alertId}`, `warn:failure:isolate:${machineId}`, 'mimamori.example');
        assert.match(make(), /^<[A-Za-z0-9_+-]+\.[A-Za-z0-9_+-]+@mimamori\.example>$/);
        assert.ok(make().length <= 980);
        assert.equal(make(), make());
      }),
    );
  });

  it('differ for whatever differs', () => {
    const similar = [
      'a',
      'A',
      'a.b',
      'a+b',
      'a:b',
      'a_2eb',
      'a__2eb',
      'a b',
      'あ',
      '_h.x',
      'x'.repeat(200),
      `${'x'.repeat(199)}y`,
    ];
    const ids = similar.flatMap((one) => similar.map((two) => messageIdOf(one, two, 'm.example')));
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('mail threads', () => {
  const effects = {
    'mail:secondary:v2': effect({ startedAt: at(6), messageId: '<v2>' }),
    'mail:secondary:e0': effect({ startedAt: at(5), messageId: '<e0>', status: 'running' }),
    'mail:primary': effect({ startedAt: at(4), messageId: '<p>' }),
    'mail:secondary:v1': effect({ startedAt: at(4, 30), messageId: '<refused>', status: 'failed' }),
    'mail:isolation-result:v0': effect({
      startedAt: at(4, 40),
      messageId: '<maybe>',
      status: 'failed',
      maybeAccepted: true,
    }),
    'warn:breach:0': effect({ startedAt: at(4, 10), messageId: '<soc>' }),
  };
  const table: [string, Record<string, ReturnType<typeof effect>>, { inReplyTo?: string; references: string[] }][] = [
    ['mail:primary', effects, { references: [] }],
    ['mail:secondary:v1', {}, { references: [] }],
    ['mail:release-result:o0', effects, { inReplyTo: '<v2>', references: ['<p>', '<maybe>', '<e0>', '<v2>'] }],
    ['mail:secondary:e0', effects, { inReplyTo: '<maybe>', references: ['<p>', '<maybe>'] }],
    ['warn:breach:0', effects, { references: [] }],
    [
      'mail:release-result:o0',
      { 'mail:primary': effect({ messageId: '<p>' }) },
      { inReplyTo: '<p>', references: ['<p>'] },
    ],
  ];
  table.forEach(([dutyId, some, expected], index) => {
    it(`${index}: ${dutyId} answers ${expected.inReplyTo ?? 'nothing'}`, () => {
      assert.deepEqual(threadOf(recordOf({ effects: some }), dutyId), expected);
    });
  });
});
