import assert from 'node:assert/strict';
import { customersFileSchema, ringList, tuningPeriodAt } from '../../src/domain/customer.js';
import { inputErrors } from '../../src/domain/input.js';

const ACME = {
  id: 'acme',
  name: '株式会社アクメ',
  language: 'ja',
  timeZone: 'Asia/Tokyo',
  defender: { tenantId: '11111111-1111-4111-8111-111111111111' },
  mail: { to: ['security@acme.example'] },
};
const SATO = { id: 'sato', name: '佐藤', phone: '+81312345678', mayInstruct: true, ringOrder: 2 };
const SUZUKI = { id: 'suzuki', name: '鈴木', phone: '+81312345679', ringOrder: 1 };

function faults(...customers: unknown[]): string[] {
  const parsed = customersFileSchema.safeParse({ customers });
  return parsed.success ? [] : inputErrors(parsed.error).map(({ path }) => path);
}

describe('the customers file', () => {
  const ROWS: [string, unknown[], string[]][] = [
    ['the least', [ACME], []],
    ['an id with capitals', [{ ...ACME, id: 'Acme' }], ['customers[0].id']],
    ['an id of 41 characters', [{ ...ACME, id: 'a'.repeat(41) }], ['customers[0].id']],
    ['an unknown key', [{ ...ACME, langauge: 'ja' }], ['customers[0].langauge']],
    ['an unknown language', [{ ...ACME, language: 'fr' }], ['customers[0].language']],
    ['a place that is no time zone', [{ ...ACME, timeZone: 'Asia/Atlantis' }], ['customers[0].timeZone']],
    [
      'a start without an offset',
      [{ ...ACME, serviceStartsAt: '2026-04-01T00:00:00' }],
      ['customers[0].serviceStartsAt'],
    ],
    ['nobody to mail', [{ ...ACME, mail: { to: [] } }], ['customers[0].mail.to']],
    ['a tenant that is no GUID', [{ ...ACME, defender: { tenantId: 'acme' } }], ['customers[0].defender.tenantId']],
    ...['http://defender.example', 'http://10.0.0.7', 'ftp://127.0.0.1', 'defender.example'].map(
      (apiBase): [string, unknown[], string[]] => [
        `Defender at ${apiBase}`,
        [{ ...ACME, defender: { ...ACME.defender, apiBase } }],
        ['customers[0].defender.apiBase'],
      ],
    ),
    ['Defender on this machine', [{ ...ACME, defender: { ...ACME.defender, apiBase: 'http://127.0.0.1:9100' } }], []],
    [
      'a national phone number',
      [{ ...ACME, contacts: [{ ...SATO, phone: '03-1234-5678' }] }],
      ['customers[0].contacts[0].phone'],
    ],
    [
      'somebody to ring without a number',
      [{ ...ACME, contacts: [{ ...SATO, phone: undefined }] }],
      ['customers[0].contacts[0].phone'],
    ],
    ['one contact twice', [{ ...ACME, contacts: [SATO, SATO] }], ['customers[0].contacts[1].id']],
    [
      'a tuning period that ends before it begins',
      [{ ...ACME, tuningPeriods: [{ from: '2026-11-01T00:00:00Z', until: '2026-10-01T00:00:00Z' }] }],
      ['customers[0].tuningPeriods[0].until'],
    ],
    [
      'one id twice',
      [ACME, { ...ACME, defender: { tenantId: '22222222-2222-4222-8222-222222222222' } }],
      ['customers[1].id'],
    ],
    ['one tenant twice', [ACME, { ...ACME, id: 'globex' }], ['customers[1].defender.tenantId']],
    ['several faults at once', [{ ...ACME, id: 'A', language: 'fr' }], ['customers[0].id', 'customers[0].language']],
  ];
  for (const [what, customers, expected] of ROWS) it(what, () => assert.deepEqual(faults(...customers), expected));

  it('rings by order those who have one, and lets nobody instruct who was not named', () => {
    const { customers } = customersFileSchema.parse({
      customers: [{ ...ACME, contacts: [SATO, SUZUKI, { id: 'tanaka', name: '田中', phone: '+81312345680' }] }],
    });
    const [customer] = customers;
    assert.ok(customer);
    assert.deepEqual(
      ringList(customer).map(({ id }) => id),
      ['suzuki', 'sato'],
    );
    assert.deepEqual(
      customer.contacts.map(({ mayInstruct }) => mayInstruct),
      [true, false, false],
    );
  });

  it('a tuning period holds from its first moment until before its last, in any offset', () => {
    const { customers } = customersFileSchema.parse({
      customers: [
        { ...ACME, tuningPeriods: [{ from: '2026-10-01T00:00:00+09:00', until: '2026-11-01T00:00:00+09:00' }] },
      ],
    });
    const periods = customers[0]?.tuningPeriods ?? [];
    const holds = (at: string) => tuningPeriodAt(periods, at) !== undefined;
    assert.deepEqual(
      [
        '2026-09-30T14:59:59.999Z',
        '2026-09-30T15:00:00.000Z',
        '2026-10-31T14:59:59.999Z',
        '2026-10-31T15:00:00.000Z',
      ].map(holds),
      [false, true, true, false],
    );
  });
});
