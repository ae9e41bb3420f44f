import assert from 'node:assert/strict';
import type { ReleaseBody } from '../../src/domain/commands.js';
import { instructionByMail } from '../../src/domain/customer-mail/believed.js';
import { incidentMailOf, type IncidentMail } from '../../src/domain/customer-mail/news.js';
import { customerMailOf } from '../../src/domain/incident/customer-mail.js';
import { judgePastMail } from '../../src/domain/incident/judge.js';
import { mayOrderRelease, releaseOffers } from '../../src/domain/incident/release-offers.js';
import { waitingFor } from '../../src/domain/incident/stage.js';
import { inboundMail } from './customer-mail-fixture.js';
import { isolatedLife, minute, type Life } from './life.js';

const WORDS = '隔離を解除してください';
const inquiryId = 'inquiry:acme:alert.da1';

function mailOf(more: Partial<IncidentMail> = {}): IncidentMail {
  const raw = inboundMail({ key: 'a'.repeat(32), newText: WORDS, receivedAt: minute(80) });
  return { ...incidentMailOf(raw, { contactId: 'sato', acceptedBy: null, inquiryId }), ...more };
}

/** The mail comes as the workflow takes it. */
function comes(life: Life, mail = mailOf()): Life {
  const isOffer = mayOrderRelease(life.record, mail);
  return life.fact({ type: 'customer-mail', mail, ...(isOffer ? { isOffer } : {}) });
}

let version = 0;
function stands(life: Life, state: 'open' | 'answered' | 'closed', putAside: string[] = []): Life {
  version += 1;
  const waitingSince = state === 'open' ? minute(80) : null;
  const report = { inquiryId, version, state, waitingSince, assignee: null, lastReply: null, putAside };
  return life.fact({ type: 'inquiry-reported', report });
}

const offers = ({ record }: Life): string[] => releaseOffers(record).map(({ key }) => key);
const isShown = (life: Life): boolean => life.attention().includes('may-be-release-instruction');
const offered = (mail = mailOf()): Life => stands(comes(isolatedLife().at(80), mail), 'open');

describe('a mail that may be an instruction to release', () => {
  it('stays on offer after an answer that gives nothing back', () => {
    for (const state of ['open', 'answered', 'closed'] as const) {
      const life = stands(offered(), state);
      assert.deepEqual([offers(life), isShown(life)], [[mailOf().key], true], state);
      assert.ok(
        waitingFor(life.record, life.now).some(({ what }) => what.en.startsWith('a decision: the customer')),
        state,
      );
    }
    assert.deepEqual(stands(offered(), 'answered').attention(), ['may-be-release-instruction']);
  });

  const ends: [what: string, end: (life: Life) => Life][] = [
    ['once the release is ordered, whoever ordered it', (life) => stands(life.release(), 'answered')],
    ['once the inquiry is closed with it in sight', (life) => stands(life, 'closed', [mailOf().key])],
  ];
  for (const [what, end] of ends) it(`no longer ${what}`, () => assert.deepEqual(offers(end(offered())), []));

  it('of the time before is none for what is isolated later', () => {
    const life = offered().release().report('m1', 'released').mailAll();
    stands(life, 'answered').at(200).triage(3, { analysis: 'again' }).askDevices().isolated();
    assert.equal(life.stage(), 'responding');
    assert.deepEqual(offers(life), []);
    const early = stands(comes(isolatedLife().release().report('m1', 'released').mailAll()), 'answered');
    assert.deepEqual(offers(early), []);
  });

  it('that was taken as the instruction for one device says nothing of the other', () => {
    const life = offered();
    const resolved = instructionByMail(customerMailOf(life.record).mails, life.record.policy?.customer.contacts ?? [], {
      mail: mailOf().key,
    });
    assert.ok('instruction' in resolved);
    const { instruction } = resolved;
    // Nothing of this incident's own was given back.
    life.fact({ type: 'release-ordered', machineIds: [], instruction, instructorName: '佐藤', actor: 'ana' });
    assert.deepEqual(offers(stands(life, 'answered')), []);
  });

  it('in a record from before is offered while it waits', () => {
    const life = isolatedLife().at(80).fact({ type: 'customer-mail', mail: mailOf() });
    assert.deepEqual(offers(stands(life, 'open')), [mailOf().key]);
    assert.deepEqual(offers(stands(life, 'answered')), []);
  });
});

describe('an instruction that is typed as a mail’s', () => {
  const typed = (more: Record<string, unknown> = {}): ReleaseBody['instruction'] => ({
    by: 'sato',
    channel: 'mail',
    receivedAt: minute(80),
    words: WORDS,
    ...more,
  });
  const unproved = mailOf({ isAuthenticated: false });
  const nobodys = mailOf({ contactId: 'tanaka' });
  const good = mailOf({ key: 'b'.repeat(32), messageId: '<good@acme.example>' });
  const rows: [what: string, life: () => Life, instruction: ReleaseBody['instruction'], isRefused: boolean][] = [
    ['where no mail is on record', () => isolatedLife(), typed(), false],
    ['past one that has not proved its sender', () => offered(unproved), typed(), true],
    ['past one that was answered', () => stands(offered(unproved), 'answered'), typed(), true],
    ['past one from somebody who may not instruct', () => offered(nobodys), typed(), true],
    ['past one of two under one Message-ID', () => comes(offered(), mailOf({ key: 'c'.repeat(32) })), typed(), true],
    ['after a call back', () => offered(unproved), typed({ calledBackAt: minute(81) }), false],
    ['after a call back to nobody known', () => offered(unproved), typed({ by: 'x', calledBackAt: minute(81) }), true],
    ['by telephone', () => offered(unproved), typed({ channel: 'phone', calledBackAt: minute(81) }), false],
    ['beside one that is believed', () => comes(offered(unproved), good), typed(), false],
    ['past one that was put aside', () => stands(offered(unproved), 'closed', [unproved.key]), typed(), false],
    [
      'past one that asks for something else',
      () => offered(mailOf({ isAuthenticated: false, hints: [] })),
      typed(),
      false,
    ],
    ['by the mail itself', () => offered(unproved), { mail: unproved.key }, false],
  ];
  for (const [what, life, instruction, isRefused] of rows) {
    it(`${what}: ${isRefused ? 'a call back is needed' : 'is judged as ever'}`, () => {
      assert.equal(judgePastMail(life().record, instruction)?.code, isRefused ? 'call-back-needed' : undefined);
    });
  }
});
