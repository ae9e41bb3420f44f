import assert from 'node:assert/strict';
import { incidentMailOf, type IncidentMail } from '../../src/domain/customer-mail/news.js';
import { LIMITS } from '../../src/domain/customer-mail/mail.js';
import { narrateCustomerMail, shownMails, withMail } from '../../src/domain/incident/customer-mail.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { inboundMail } from './customer-mail-fixture.js';
import { Life } from './life.js';

const AT = '2026-11-24T03:00:00.000Z';
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** As long as a mail may be in every part of it. */
function longMail(number: number): IncidentMail {
  const mail = inboundMail({
    key: String(number).padStart(32, '0'),
    messageId: `<${number}.${'m'.repeat(980)}>`,
    from: { address: `${'a'.repeat(300)}@acme.example`, name: '髙'.repeat(LIMITS.name) },
    subject: '件'.repeat(LIMITS.subject),
    newText: `隔離を解除してください。${'文'.repeat(LIMITS.newText - 20)}`,
    attachments: Array.from({ length: LIMITS.attachments }, () => ({
      name: '添'.repeat(LIMITS.name),
      type: 'application/pdf',
      sizeBytes: 1_000_000,
      sha256: '0'.repeat(64),
    })),
  });
  return incidentMailOf(mail, {
    contactId: 'sato',
    acceptedBy: null,
    inquiryId: `inquiry:acme:alert.${'1'.repeat(60)}`,
  });
}

function recordWith(mails: number): IncidentRecord {
  let { record } = new Life();
  for (let number = 0; number < mails; number += 1) {
    const mail = longMail(number);
    const entries = narrateCustomerMail(record, mail, AT);
    record = withMail({ ...record, timeline: [...record.timeline, ...entries] }, mail, false);
  }
  return record;
}

describe('the size of customers’ mails on an incident', () => {
  it('is under 4 kB for an entry of the timeline, with the beginning of the words once', () => {
    const { timeline } = recordWith(1);
    const entry = timeline.at(-1);
    assert.ok(bytesOf(entry) < 4_000, `${bytesOf(entry)} bytes`);
    assert.equal(JSON.stringify(entry).split('隔離を解除してください。文文').length, 2);
    assert.match(String(entry?.data?.['words']), /^隔離を解除してください。文+…$/);
    assert.equal(entry?.data?.['isCut'], true);
  });

  it('keeps the record under 1 MB with a hundred that are as long as can be', () => {
    const record = recordWith(100);
    assert.ok(bytesOf(record) < 1_000_000, `${bytesOf(record)} bytes`);
  });

  it('keeps of each who wrote it, when, under which subject, and the inquiry that has all of it', () => {
    const shown = shownMails(recordWith(150));
    assert.equal(shown.length, 150);
    const [first] = shown;
    assert.match(first?.subject ?? '', /^件+/);
    assert.deepEqual(
      [first?.contactId, first?.receivedAt, first?.isCut, first?.inquiryId?.startsWith('inquiry:acme')],
      ['sato', AT, true, true],
    );
    assert.equal(shown.at(-1)?.words.length, 3_000);
    assert.deepEqual(
      shown.at(-1)?.mayBe.map(({ kind }) => kind),
      ['release-instruction'],
    );
  });

  it('leaves the words of short mails whole for as long as there is room', () => {
    let { record } = new Life();
    for (let number = 0; number < 50; number += 1) {
      record = withMail(record, { ...longMail(number), words: `short ${number}`, isCut: false }, false);
    }
    assert.deepEqual(
      shownMails(record).map(({ words, isCut }) => [words, isCut]),
      Array.from({ length: 50 }, (_, number) => [`short ${number}`, false]),
    );
  });
});
