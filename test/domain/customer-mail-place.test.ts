import assert from 'node:assert/strict';
import type { InboundMail } from '../../src/domain/customer-mail/mail.js';
import { placeOf, type Claim, type Place, type Surroundings } from '../../src/domain/customer-mail/place.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { customersNamed } from '../support/house.js';

const NOW = '2026-11-24T03:00:00.000Z';
const { customers } = customersFileSchema.parse({ customers: customersNamed('x') });

function claim(more: Partial<Claim> = {}): Claim {
  return {
    by: 'token-in-address',
    workflowId: 'incident:acme-x:1',
    customerId: 'acme-x',
    incidentId: 'incident:acme-x:1',
    inquiryId: 'inquiry:acme-x:alert.1',
    mail: null,
    closedAt: null,
    ...more,
  };
}

const GLOBEX = {
  workflowId: 'incident:globex-x:1',
  customerId: 'globex-x',
  incidentId: 'incident:globex-x:1',
  inquiryId: 'inquiry:globex-x:alert.1',
};
const OWN = claim({
  workflowId: 'inquiry:acme-x:mail.k',
  incidentId: null,
  inquiryId: 'inquiry:acme-x:mail.k',
});

function mailFrom(address: string | null, more: Partial<InboundMail> = {}): InboundMail {
  return {
    key: '0'.repeat(32),
    messageId: '<m@x>',
    inReplyTo: [],
    references: [],
    from: address === null ? null : { address, name: '' },
    recipients: [],
    subject: '',
    receivedAt: NOW,
    nature: 'message',
    natureBecause: '',
    newText: '',
    quotedText: '',
    isCut: false,
    attachments: [],
    attachmentsLeftOut: 0,
    notes: [],
    authentication: { spf: 'absent', dkim: 'absent', dmarc: 'absent', verdict: 'unknown' },
    report: null,
    ...more,
  };
}

const SATO = 'sato@acme.example';
const SOC = 'soc@mimamori.example';
const FAILED: InboundMail['authentication'] = { spf: 'fail', dkim: 'absent', dmarc: 'fail', verdict: 'failed' };
const bounce = (messageId: string | null, ...addresses: string[]) =>
  mailFrom('mailer-daemon@acme.example', {
    nature: 'delivery-report',
    report: {
      messageId,
      recipients: addresses.map((address) => ({ address, action: 'failed' as const, status: '5.1.1', diagnostic: '' })),
    },
  });

/** A place in short: what it is, the reason, whose it is, `quietly` where the SOC is not told, `with strangers` where it is told of several. */
function short(place: Place): string {
  switch (place.is) {
    case 'inquiry':
      return `inquiry ${place.inquiryId ?? `new of ${place.customerId}`}`;
    case 'recorded':
      return `recorded ${place.incidentId ?? place.inquiryId}`;
    case 'report':
      return `report to ${place.workflowId}`;
    case 'held':
      return [
        `held ${place.reason} of ${place.customerId ?? 'nobody'}`,
        ...(place.isTold ? [] : ['quietly']),
        ...(place.isStrangers ? ['with strangers'] : []),
      ].join(' ');
    case 'own':
      return 'own';
  }
}

const PRIMARY = claim({ by: 'reply', mail: 'mail:primary' });
const REPLY = claim({ by: 'reply', mail: 'mail:reply:0', workflowId: 'inquiry:acme-x:alert.1' });
const closed = (closedAt: string) => claim({ closedAt });

const ROWS: [name: string, mail: InboundMail, around: Partial<Surroundings>, expected: string][] = [
  ['a token, of a contact', mailFrom(SATO), { claims: [claim()] }, 'inquiry inquiry:acme-x:alert.1'],
  [
    'a token, of where escalations go',
    mailFrom('security@acme.example'),
    { claims: [claim()] },
    'inquiry inquiry:acme-x:alert.1',
  ],
  [
    'closed 90 days ago',
    mailFrom(SATO),
    { claims: [closed('2026-08-26T03:00:00.000Z')] },
    'inquiry inquiry:acme-x:alert.1',
  ],
  [
    'closed longer ago: of a contact',
    mailFrom(SATO),
    { claims: [closed('2026-08-26T02:59:59.999Z')] },
    'inquiry new of acme-x',
  ],
  [
    'closed longer ago: of a stranger',
    mailFrom('eve@evil.example'),
    { claims: [closed('2026-01-01T00:00:00.000Z')] },
    'held not-this-customers-address of acme-x',
  ],
  [
    'the reply of one incident beats the subject of another',
    mailFrom(SATO),
    { claims: [claim({ by: 'token-in-subject', inquiryId: 'inquiry:acme-x:alert.2' }), PRIMARY] },
    'inquiry inquiry:acme-x:alert.1',
  ],
  ['no claim: a contact', mailFrom(SATO), {}, 'inquiry new of acme-x'],
  ['no claim: a stranger', mailFrom('eve@evil.example'), {}, 'held unknown-sender of nobody with strangers'],
  ['no claim, no sender', mailFrom(null), {}, 'held no-sender of nobody with strangers'],
  [
    'no claim: a stranger away',
    mailFrom('eve@evil.example', { nature: 'auto-reply' }),
    {},
    'held not-a-message of nobody with strangers',
  ],
  [
    'no claim: forged, from a stranger',
    mailFrom('eve@evil.example', { authentication: FAILED }),
    {},
    'held authentication-failed of nobody with strangers',
  ],
  [
    'no claim: forged, from a contact',
    mailFrom(SATO, { authentication: FAILED }),
    {},
    'held authentication-failed of nobody',
  ],
  [
    'a stranger answers a warning without naming an incident',
    mailFrom('eve@evil.example'),
    { isAboutWarning: true },
    'held unknown-sender of nobody quietly with strangers',
  ],
  ['no sender', mailFrom(null), { claims: [claim()] }, 'held no-sender of acme-x'],
  [
    'no sender, of two customers',
    mailFrom(null),
    { claims: [claim(), claim({ by: 'reply', mail: 'mail:primary', ...GLOBEX })] },
    'held no-sender of nobody',
  ],
  ['forged', mailFrom(SATO, { authentication: FAILED }), { claims: [claim()] }, 'held authentication-failed of acme-x'],
  [
    'forged, from another customer',
    mailFrom('security@globex.example', { authentication: FAILED }),
    { claims: [claim()] },
    'held authentication-failed of nobody',
  ],
  [
    "another customer's token",
    mailFrom('security@globex.example'),
    { claims: [claim()] },
    'held other-customers-token of nobody',
  ],
  [
    'of two customers',
    mailFrom(SATO),
    { claims: [claim(), claim({ by: 'token-in-subject', ...GLOBEX })] },
    'held ambiguous of nobody',
  ],
  [
    'a customer who is gone from the file',
    mailFrom('a@gone.example'),
    { claims: [claim({ customerId: 'gone' })] },
    'held not-this-customers-address of gone',
  ],
  [
    'an answer to a warning',
    mailFrom('analyst@mimamori.example'),
    { claims: [claim({ by: 'reply', mail: 'warn:breach:0' })], isAboutWarning: true },
    'held unknown-sender of acme-x quietly',
  ],
  [
    'an answer to what the auditor told',
    mailFrom('noreply@tickets.example', { nature: 'auto-reply' }),
    { claims: [claim({ by: 'reply', mail: 'audit:x' })], isAboutWarning: true },
    'own',
  ],
  ['away', mailFrom(SATO, { nature: 'auto-reply' }), { claims: [claim()] }, 'recorded incident:acme-x:1'],
  [
    'away, in a conversation without an incident',
    mailFrom(SATO, { nature: 'auto-reply' }),
    { claims: [OWN] },
    'recorded inquiry:acme-x:mail.k',
  ],
  [
    'away, closed 90 days ago',
    mailFrom(SATO, { nature: 'auto-reply' }),
    { claims: [closed('2026-08-26T03:00:00.000Z')] },
    'recorded incident:acme-x:1',
  ],
  ...(['auto-reply', 'read-receipt', 'list'] as const).map((nature): (typeof ROWS)[number] => [
    `${nature}, closed longer ago`,
    mailFrom(SATO, { nature }),
    { claims: [closed('2026-08-26T02:59:59.999Z')] },
    'held expired-token of acme-x',
  ]),
  [
    'a contact answers a warning that was passed on to them',
    mailFrom(SATO),
    { claims: [claim({ by: 'reply', mail: 'warn:breach:0' })], isAboutWarning: true },
    'held unknown-sender of acme-x',
  ],
  ['a contact away, of such a warning', mailFrom(SATO, { nature: 'auto-reply' }), { isAboutWarning: true }, 'own'],
  [
    'away, of another customer',
    mailFrom('security@globex.example', { nature: 'auto-reply' }),
    { claims: [claim()] },
    'held not-a-message of nobody',
  ],
  [
    'away, after a held mail was told',
    mailFrom('noreply@tickets.example', { nature: 'auto-reply' }),
    { isAboutWarning: true },
    'own',
  ],
  ['away: the SOC', mailFrom(SOC, { nature: 'auto-reply' }), {}, 'own'],
  ['ours', mailFrom(SOC, { nature: 'own' }), { claims: [claim()] }, 'own'],
  ['says to be ours', mailFrom(SATO, { nature: 'own' }), { claims: [claim()] }, 'inquiry inquiry:acme-x:alert.1'],
  [
    'the primary came back',
    bounce('<p@m>', 'security@acme.example'),
    { claims: [PRIMARY] },
    'report to incident:acme-x:1',
  ],
  [
    'the primary came back from the SOC’s copy as well',
    bounce('<p@m>', 'security@acme.example', SOC),
    { claims: [PRIMARY] },
    'report to incident:acme-x:1',
  ],
  ['an answer came back', bounce('<r@m>', SATO), { claims: [REPLY] }, 'report to inquiry:acme-x:alert.1'],
  [
    'a warning came back',
    bounce('<w@m>', SOC),
    { claims: [claim({ by: 'reply', mail: 'warn:breach:0' })], isAboutWarning: true },
    'own',
  ],
  [
    'a warning of no incident came back from elsewhere',
    bounce('<w@m>', 'night@duty.example'),
    { isAboutWarning: true },
    'own',
  ],
  ['something came back', bounce('<q@elsewhere>', 'who@elsewhere.example'), {}, 'held unmatched-report of nobody'],
  [
    'a report on nothing, with a token',
    bounce(null, 'who@acme.example'),
    { claims: [claim()] },
    'held unmatched-report of acme-x',
  ],
];

describe('where a mail belongs', () => {
  for (const [name, mail, around, expected] of ROWS) {
    it(`${name}: ${expected}`, () => {
      const place = placeOf(mail, {
        claims: [],
        customers,
        ownAddresses: [SOC],
        isAboutWarning: false,
        now: NOW,
        ...around,
      });
      assert.equal(short(place), expected);
    });
  }
});
