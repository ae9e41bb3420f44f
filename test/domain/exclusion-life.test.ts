import assert from 'node:assert/strict';
import { calendarOf, openingFrom, type Calendar } from '../../src/domain/business-hours.js';
import { exclusionInputSchema, type CustomerRequest } from '../../src/domain/exclusion/commands.js';
import { evolve, openExclusion, type Opening } from '../../src/domain/exclusion/evolve.js';
import type { ExclusionFact } from '../../src/domain/exclusion/facts.js';
import {
  judgeApproval,
  judgeCustomerRequest,
  judgeDecline,
  judgeProposal,
  judgeRetry,
  judgeShortening,
  judgeWithdrawal,
} from '../../src/domain/exclusion/judge.js';
import { findMatch } from '../../src/domain/exclusion/match.js';
import { matchableOf } from '../../src/domain/exclusion/matchable.js';
import { inBusinessHours, next, type Step } from '../../src/domain/exclusion/next.js';
import { filterOf, setWords, stateOf, type ExclusionRecord } from '../../src/domain/exclusion/record.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import { rejectionStatus } from '../../src/domain/errors.js';
import { inputErrors } from '../../src/domain/input.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, plus, type Instant } from '../../src/domain/time.js';
import { policyOf, rawAlert } from './life.js';

/** A Friday, 15:00 in Tokyo. */
const NOW: Instant = '2026-11-27T06:00:00.000Z';
const FRIDAY_EVENING: Instant = '2026-11-27T09:00:00.000Z';
const MONDAY: Instant = '2026-11-30T00:00:00.000Z';
const EXPIRY = plus(NOW, 90 * DAY_MS);
const CALENDAR: Calendar = calendarOf({
  holidays: [],
  closedDays: [],
  knownFrom: '2026-01-01',
  knownUntil: '2027-12-31',
});

/** What is next, as the process finds it. */
function step(record: ExclusionRecord, at: Instant, calendar = CALENDAR): Step {
  return inBusinessHours(next(record, at), record, at, openingFrom(at, calendar));
}

const SHA256 = 'b'.repeat(64);
const BODY = {
  conditions: { fileName: 'backup.exe', folderPath: 'C:\\Backup\\*' },
  reason: 'Nightly backup of the customer',
  expiresAt: EXPIRY,
  set: { ownFilter: true },
};
const REQUEST: CustomerRequest = { by: '佐藤', channel: 'mail', receivedAt: NOW, words: '登録をお願いします' };

function opened(body: Record<string, unknown> = {}, more: Partial<Opening> = {}): ExclusionRecord {
  return openExclusion(
    {
      exclusionId: 'exclusion:acme:1',
      customerId: 'acme',
      policy: policyOf(),
      input: exclusionInputSchema.parse({ ...BODY, ...body }),
      proposer: 'hana',
      asksCustomer: false,
      breadth: { matched: 1, of: 10, approvalsNeeded: 1 },
      ...more,
    },
    NOW,
  );
}

function after(record: ExclusionRecord, ...facts: (ExclusionFact | [ExclusionFact, Instant])[]): ExclusionRecord {
  return facts.reduce((known, entry) => {
    const [fact, at] = Array.isArray(entry) ? entry : [entry, NOW];
    return evolve(known, fact, at);
  }, record);
}

const approvedBy = (actor: string): ExclusionFact => ({ type: 'approved', actor, reason: 'known software' });
const APPROVED = approvedBy('ken');
const REQUESTED: ExclusionFact = { type: 'customer-requested', request: REQUEST, actor: 'hana' };
const FILTER_SET: ExclusionFact = { type: 'part-set', part: 'own-filter', detail: [] };
const INDICATOR_SET: ExclusionFact = { type: 'part-set', part: 'defender-indicator', detail: ['42'] };
const INDICATOR_FAILED: ExclusionFact = { type: 'part-failed', part: 'defender-indicator', reason: 'Forbidden' };
const CONFIRMED: ExclusionFact = { type: 'confirmed', messageId: '<1@mimamori.example>' };
const RETRY: ExclusionFact = { type: 'retry-asked', actor: 'ken', reason: 'permission given' };
const BOTH = { conditions: { sha256: SHA256 }, set: { ownFilter: true, defenderIndicator: true } };

describe('the body of an exclusion', () => {
  const faults = (body: Record<string, unknown>): string[] => {
    const parsed = exclusionInputSchema.safeParse(body);
    if (!parsed.success) return inputErrors(parsed.error).map(({ path }) => path);
    return judgeProposal(parsed.data, NOW)?.errors.map(({ path }) => path) ?? [];
  };
  const portalRule = { by: 'hana', at: NOW, note: 'Suppression rule "Backup"' };
  const ROWS: [string, Record<string, unknown>, string[]][] = [
    ['the least', {}, []],
    [
      'everything',
      { customerRequest: REQUEST, incidentId: 'incident:acme:da1', set: { ownFilter: true, portalRule } },
      [],
    ],
    ['a portal rule only', { set: { portalRule } }, []],
    ['no expiry', { expiresAt: undefined }, ['expiresAt']],
    ['an expiry without an offset', { expiresAt: '2027-01-01T00:00:00' }, ['expiresAt']],
    ['an expiry now', { expiresAt: NOW }, ['expiresAt']],
    ['the same day next year', { expiresAt: '2027-11-27T06:00:00Z' }, []],
    ['more than a year', { expiresAt: plus(NOW, 366 * DAY_MS + 1) }, ['expiresAt']],
    ['no reason', { reason: ' ' }, ['reason']],
    ['nothing to set', { set: {} }, ['set']],
    ['everything off', { set: { ownFilter: false, defenderIndicator: false } }, ['set']],
    ['a portal rule without its maker', { set: { portalRule: { at: NOW, note: 'x' } } }, ['set.portalRule.by']],
    [
      'a portal rule of tomorrow',
      { set: { portalRule: { ...portalRule, at: plus(NOW, DAY_MS) } } },
      ['set.portalRule.at'],
    ],
    [
      'a request of tomorrow',
      { customerRequest: { ...REQUEST, receivedAt: plus(NOW, DAY_MS) } },
      ['customerRequest.receivedAt'],
    ],
    ['a request a minute ahead', { customerRequest: { ...REQUEST, receivedAt: plus(NOW, MINUTE_MS) } }, []],
    ['an indicator for a folder', { set: { defenderIndicator: true } }, ['set.defenderIndicator']],
    ['an indicator for a hash', BOTH, []],
    ['conditions that are none', { conditions: { title: 'x' } }, ['conditions']],
    ['a field at fault', { conditions: { fileName: '*' } }, ['conditions.fileName']],
    ['an unknown key', { reasons: 'x' }, ['reasons']],
  ];
  for (const [what, changes, expected] of ROWS) {
    it(`${expected.length === 0 ? 'takes' : 'refuses'} ${what}`, () =>
      assert.deepEqual(faults({ ...BODY, ...changes }), expected));
  }
});

describe('the life of an exclusion', () => {
  const STATES: [string, ExclusionRecord, string][] = [
    ['proposed by an analyst', opened(), 'proposed'],
    ['with the customer’s request', opened({ customerRequest: REQUEST }), 'requested'],
    ['the request comes later', after(opened({}, { asksCustomer: true }), REQUESTED), 'requested'],
    ['approved', after(opened(), APPROVED), 'approved'],
    ['one of two approvals', after(opened({}, broad()), APPROVED), 'proposed'],
    ['two of two approvals', after(opened({}, broad()), APPROVED, approvedBy('yui')), 'approved'],
    ['waiting', after(opened(), APPROVED, { type: 'waiting', until: MONDAY }), 'waiting-for-business-hours'],
    ['registered', after(opened(), APPROVED, { type: 'waiting', until: MONDAY }, FILTER_SET), 'registered'],
    ['a part of it set', after(opened(BOTH), APPROVED, FILTER_SET), 'approved'],
    ['a part of it refused', after(opened(BOTH), APPROVED, FILTER_SET, INDICATOR_FAILED), 'registered'],
    [
      'all of it refused',
      after(opened({ ...BOTH, set: { defenderIndicator: true } }), APPROVED, INDICATOR_FAILED),
      'approved',
    ],
    ['confirmed', after(opened({ customerRequest: REQUEST }), APPROVED, FILTER_SET, CONFIRMED), 'confirmed'],
    [
      'a confirmation that failed',
      after(opened({ customerRequest: REQUEST }), APPROVED, FILTER_SET, {
        type: 'confirmation-failed',
        messageId: '<1@x>',
        reason: '550',
      }),
      'registered',
    ],
    ['declined', after(opened(), { type: 'declined', actor: 'ken', reason: 'not known' }), 'declined'],
    ['withdrawn', after(opened(), { type: 'withdrawn', actor: 'hana', reason: 'mistake' }), 'withdrawn'],
    ['expired', after(opened(), APPROVED, FILTER_SET, { type: 'expired' }), 'expired'],
  ];
  function broad(): Partial<Opening> {
    return { breadth: { matched: 6, of: 10, approvalsNeeded: 2 } };
  }
  for (const [what, record, state] of STATES) it(`${what}: ${state}`, () => assert.equal(stateOf(record), state));

  it('every change has its actor, reason and time on the timeline, in both languages', () => {
    const record = after(
      opened({ ...BOTH, customerRequest: REQUEST }),
      [APPROVED, plus(NOW, 1)],
      [{ type: 'waiting', until: MONDAY }, plus(NOW, 2)],
      [FILTER_SET, MONDAY],
      [INDICATOR_FAILED, plus(MONDAY, 1)],
      [RETRY, plus(MONDAY, 2)],
      [INDICATOR_SET, plus(MONDAY, 3)],
      [CONFIRMED, plus(MONDAY, 4)],
      [
        { type: 'expiry-shortened', expiresAt: plus(NOW, 30 * DAY_MS), actor: 'ken', reason: 'uninstalled' },
        plus(MONDAY, 5),
      ],
      [{ type: 'reminded' }, plus(NOW, 16 * DAY_MS)],
      [{ type: 'expired' }, plus(NOW, 30 * DAY_MS)],
      [{ type: 'part-removed', part: 'defender-indicator' }, plus(NOW, 30 * DAY_MS)],
    );
    assert.deepEqual(
      record.timeline.map(({ type, actor }) => `${type} ${actor}`),
      [
        'proposed hana',
        'customer-request hana',
        'approved ken',
        'waiting mimamori',
        'part mimamori',
        'part mimamori',
        'registered mimamori',
        'retry ken',
        'part mimamori',
        'confirmation mimamori',
        'expiry-changed ken',
        'reminder mimamori',
        'ended mimamori',
        'part mimamori',
      ],
    );
    for (const { text } of record.timeline) assert.ok(text.en.length > 5 && /[ぁ-ん]/.test(text.ja), text.ja);
    assert.match(record.timeline[2]?.text.en ?? '', /known software/);
    assert.equal(record.revision, 12);
    assert.ok(JSON.stringify(record).length < 20_000);
  });

  it('says nothing twice', () => {
    const record = after(opened({ customerRequest: REQUEST }), APPROVED, { type: 'waiting', until: MONDAY });
    assert.equal(evolve(record, { type: 'waiting', until: MONDAY }, NOW), record);
    assert.equal(evolve(record, REQUESTED, NOW), record);
    const ended = after(record, { type: 'withdrawn', actor: 'hana', reason: 'mistake' });
    assert.equal(evolve(ended, { type: 'expired' }, NOW), ended);
    const set = after(record, FILTER_SET);
    assert.equal(evolve(set, { type: 'part-failed', part: 'own-filter', reason: 'late' }, NOW), set);
  });

  it('a rule made by hand is named with its maker, and is to be removed by hand', () => {
    const portalRule = { by: 'hana', at: NOW, note: 'rule 7' };
    const record = after(
      opened({ set: { ownFilter: true, portalRule } }),
      APPROVED,
      FILTER_SET,
      { type: 'part-set', part: 'portal-rule', detail: [] },
      { type: 'expired' },
    );
    assert.match(setWords(record)[1]?.en ?? '', /by hana at 2026-11-27T06:00:00.000Z: rule 7/);
    assert.match(record.timeline.at(-1)?.text.en ?? '', /by hand/);
    assert.deepEqual(step(record, EXPIRY), { do: 'remove', parts: ['own-filter', 'portal-rule'] });
  });
});

describe('who may change an exclusion, and when', () => {
  const registered = after(opened(), APPROVED, FILTER_SET);
  const withdrawn = after(opened(), { type: 'withdrawn', actor: 'hana', reason: 'mistake' });
  const broad = opened({}, { breadth: { matched: 6, of: 10, approvalsNeeded: 2 } });
  const ROWS: [string, { code: string } | undefined, string | undefined][] = [
    ['the proposer approves', judgeApproval(opened(), 'hana', NOW), 'own-request'],
    ['another approves', judgeApproval(opened(), 'ken', NOW), undefined],
    ['a second approval where one is enough', judgeApproval(after(opened(), APPROVED), 'yui', NOW), 'already-approved'],
    ['the second of a broad one by the same', judgeApproval(after(broad, APPROVED), 'ken', NOW), 'already-approved'],
    ['the second of a broad one by the proposer', judgeApproval(after(broad, APPROVED), 'hana', NOW), 'own-request'],
    ['the second of a broad one by a third', judgeApproval(after(broad, APPROVED), 'yui', NOW), undefined],
    [
      'approval before the customer asked',
      judgeApproval(opened({}, { asksCustomer: true }), 'ken', NOW),
      'customer-request-needed',
    ],
    ['approval of what is registered', judgeApproval(registered, 'yui', NOW), 'exclusion-registered'],
    ['approval of what was withdrawn', judgeApproval(withdrawn, 'ken', NOW), 'exclusion-ended'],
    ['approval after the expiry', judgeApproval(opened(), 'ken', EXPIRY), 'exclusion-ended'],
    ['declined before', judgeDecline(opened(), NOW), undefined],
    ['declined after it was approved', judgeDecline(after(opened(), APPROVED), NOW), undefined],
    ['declined after it was registered', judgeDecline(registered, NOW), 'exclusion-registered'],
    ['withdrawn before', judgeWithdrawal(opened(), NOW), undefined],
    ['withdrawn after it was registered', judgeWithdrawal(registered, NOW), 'exclusion-registered'],
    ['withdrawn twice', judgeWithdrawal(withdrawn, NOW), 'exclusion-ended'],
    ['the request', judgeCustomerRequest(opened(), REQUEST, NOW), undefined],
    ['the request twice', judgeCustomerRequest(after(opened(), REQUESTED), REQUEST, NOW), 'nothing-new'],
    [
      'a request of tomorrow',
      judgeCustomerRequest(opened(), { ...REQUEST, receivedAt: plus(NOW, DAY_MS) }, NOW),
      'invalid-input',
    ],
    ['ended at once', judgeShortening(registered, NOW, NOW), undefined],
    ['ended yesterday', judgeShortening(registered, plus(NOW, -DAY_MS), NOW), 'invalid-input'],
    ['made longer', judgeShortening(registered, plus(EXPIRY, 1), NOW), 'invalid-input'],
    ['shortened after its end', judgeShortening(registered, NOW, EXPIRY), 'exclusion-ended'],
    ['a retry of nothing', judgeRetry(registered, NOW), 'nothing-new'],
    ['a retry', judgeRetry(after(opened(BOTH), APPROVED, FILTER_SET, INDICATOR_FAILED), NOW), undefined],
  ];
  for (const [what, judged, code] of ROWS) {
    it(`${what}: ${code ?? 'accepted'}`, () => assert.equal(judged?.code, code));
  }
  it('an own request is forbidden', () => assert.equal(rejectionStatus['own-request'], 403));
});

describe('what is to be done next about an exclusion', () => {
  const broad = opened({}, { breadth: { matched: 6, of: 10, approvalsNeeded: 2 } });
  const approved = after(opened(), APPROVED);
  const registered = after(opened(), APPROVED, FILTER_SET);
  const asked = after(opened({ customerRequest: REQUEST }), APPROVED, FILTER_SET);
  const remindAt = plus(EXPIRY, -14 * DAY_MS);
  const short = plus(NOW, HOUR_MS * 20);
  const brief = after(opened({ expiresAt: plus(NOW, 10 * DAY_MS) }), APPROVED, FILTER_SET);

  const ROWS: [string, ExclusionRecord, Instant, Step][] = [
    ['put to the customer', opened({}, { asksCustomer: true }), NOW, { do: 'await-customer-request', until: EXPIRY }],
    ['proposed', opened(), NOW, { do: 'await-approval', missing: 1, until: EXPIRY }],
    ['broad', broad, NOW, { do: 'await-approval', missing: 2, until: EXPIRY }],
    ['broad, approved once', after(broad, APPROVED), NOW, { do: 'await-approval', missing: 1, until: EXPIRY }],
    ['approved in business hours', approved, NOW, { do: 'register', parts: ['own-filter'] }],
    [
      'approved a millisecond before 18:00',
      approved,
      plus(FRIDAY_EVENING, -1),
      { do: 'register', parts: ['own-filter'] },
    ],
    [
      'approved at 18:00 on a Friday',
      approved,
      FRIDAY_EVENING,
      { do: 'wait-for-business-hours', opensAt: MONDAY, until: MONDAY },
    ],
    [
      'on Monday',
      after(approved, { type: 'waiting', until: MONDAY }),
      MONDAY,
      { do: 'register', parts: ['own-filter'] },
    ],
    [
      'expiring before business opens',
      after(opened({ expiresAt: short }), APPROVED),
      FRIDAY_EVENING,
      { do: 'wait-for-business-hours', opensAt: MONDAY, until: short },
    ],
    ['expired before it was registered', approved, EXPIRY, { do: 'expire' }],
    [
      'half registered',
      after(opened(BOTH), APPROVED, FILTER_SET),
      NOW,
      { do: 'register', parts: ['defender-indicator'] },
    ],
    [
      'half registered at 18:00',
      after(opened(BOTH), APPROVED, FILTER_SET),
      FRIDAY_EVENING,
      { do: 'wait-for-business-hours', opensAt: MONDAY, until: MONDAY },
    ],
    [
      'all refused',
      after(opened({ ...BOTH, set: { defenderIndicator: true } }), APPROVED, INDICATOR_FAILED),
      NOW,
      { do: 'await-retry', parts: ['defender-indicator'], until: EXPIRY },
    ],
    [
      'to be tried again',
      after(opened(BOTH), APPROVED, FILTER_SET, INDICATOR_FAILED, RETRY),
      NOW,
      { do: 'register', parts: ['defender-indicator'] },
    ],
    ['registered without a request', registered, NOW, { do: 'wait', until: remindAt }],
    ['registered as the customer asked', asked, NOW, { do: 'confirm' }],
    ['registered as the customer asked, in the evening', asked, FRIDAY_EVENING, { do: 'confirm' }],
    ['confirmed', after(asked, CONFIRMED), NOW, { do: 'wait', until: remindAt }],
    ['two weeks before', registered, remindAt, { do: 'remind' }],
    ['reminded', after(registered, [{ type: 'reminded' }, remindAt]), remindAt, { do: 'wait', until: EXPIRY }],
    ['shorter than two weeks', brief, NOW, { do: 'wait', until: plus(NOW, 10 * DAY_MS) }],
    ['at its expiry', registered, EXPIRY, { do: 'expire' }],
    [
      'brought forward',
      after(registered, { type: 'expiry-shortened', expiresAt: NOW, actor: 'ken', reason: 'an attack' }),
      NOW,
      { do: 'expire' },
    ],
    ['expired', after(registered, { type: 'expired' }), EXPIRY, { do: 'remove', parts: ['own-filter'] }],
    [
      'withdrawn when half of it was set',
      after(opened(BOTH), APPROVED, INDICATOR_SET, { type: 'withdrawn', actor: 'hana', reason: 'mistake' }),
      NOW,
      { do: 'remove', parts: ['defender-indicator'] },
    ],
    [
      'withdrawn while a part was being set',
      after(opened(), APPROVED, { type: 'withdrawn', actor: 'hana', reason: 'mistake' }, FILTER_SET),
      NOW,
      { do: 'remove', parts: ['own-filter'] },
    ],
    [
      'expired and taken back',
      after(registered, { type: 'expired' }, { type: 'part-removed', part: 'own-filter' }),
      EXPIRY,
      { do: 'nothing', until: null },
    ],
    [
      'taken back, of one that the customer asked for',
      after(asked, { type: 'expired' }, { type: 'part-removed', part: 'own-filter' }),
      EXPIRY,
      { do: 'tell-end' },
    ],
    [
      'a part that resists being taken back does not keep it from the customer',
      after(asked, { type: 'expired' }, { type: 'removal-failed', part: 'own-filter', reason: 'no' }),
      EXPIRY,
      { do: 'tell-end' },
    ],
    [
      'and is tried again',
      after(
        asked,
        { type: 'expired' },
        { type: 'removal-failed', part: 'own-filter', reason: 'no' },
        { type: 'end-mailed', messageId: '<1@mimamori.example>' },
      ),
      EXPIRY,
      { do: 'remove', parts: ['own-filter'] },
    ],
    [
      'declined, of one that the customer asked for',
      after(opened(), REQUESTED, { type: 'declined', actor: 'ken', reason: 'no' }),
      NOW,
      { do: 'tell-end' },
    ],
    [
      'declined',
      after(opened(), { type: 'declined', actor: 'ken', reason: 'no' }),
      NOW,
      { do: 'nothing', until: null },
    ],
  ];
  for (const [what, record, at, expected] of ROWS) {
    it(`${what}: ${expected.do}`, () => assert.deepEqual(step(record, at), expected));
  }

  it('waits for a calendar where nobody knows the holidays', () => {
    const ended = calendarOf({ holidays: [], closedDays: [], knownFrom: '2026-01-01', knownUntil: '2026-11-28' });
    assert.deepEqual(step(approved, FRIDAY_EVENING, ended), {
      do: 'await-calendar',
      date: '2026-11-29',
      until: plus(FRIDAY_EVENING, DAY_MS),
    });
    assert.deepEqual(step(approved, NOW, ended), { do: 'register', parts: ['own-filter'] });
  });

  it('the filter matches from its registration until its expiry, a brought-forward one too', () => {
    const alert = matchableOf(
      defenderAlertSchema.parse(rawAlert({ evidence: [{ fileName: 'backup.exe', filePath: 'C:\\Backup' }] })),
    );
    const found = (record: ExclusionRecord, at: Instant) => {
      const filter = filterOf(record);
      return filter !== undefined && findMatch([filter], alert, at) !== undefined;
    };
    assert.equal(found(approved, NOW), false);
    assert.equal(found(registered, NOW), true);
    assert.equal(found(registered, EXPIRY), false);
    const shortened = after(registered, {
      type: 'expiry-shortened',
      expiresAt: NOW,
      actor: 'ken',
      reason: 'an attack',
    });
    assert.equal(found(shortened, NOW), false);
    assert.equal(found(after(registered, { type: 'expired' }), NOW), false);
  });
});
