import assert from 'node:assert/strict';
import {
  judgeAnswer,
  judgeAssign,
  judgeClose,
  judgeEnvelope,
  judgeEscalation,
  judgeInstructionTimes,
  judgeInstructor,
  judgeRelease,
  judgeReopen,
  judgeTriage,
} from '../../src/domain/incident/judge.js';
import { instructionSchema } from '../../src/domain/commands.js';
import { incidentView, summaryOf } from '../../src/domain/incident/view.js';
import { isolatedLife, Life, minute, policyOf, verdictBody } from './life.js';

const DAY = 24 * 60;
const TWO = { devices: [{ machineId: 'm2', name: 'pc-2' }] };

function closedLife(): Life {
  return new Life().at(20).triage(1);
}

function instruction(more: Record<string, unknown> = {}) {
  return instructionSchema.parse({ by: 'sato', channel: 'mail', receivedAt: minute(50), words: 'release', ...more });
}

describe('the stages of an incident', () => {
  it('awaiting-triage → responding → awaiting-release → responding → notified → closed', () => {
    const life = new Life().at(5);
    const seen = [life.stage()];
    seen.push(life.triage(3).stage(), life.askDevices().mailAll().isolated().mailAll().stage());
    seen.push(life.release().stage(), life.report('m1', 'released').mailAll().stage());
    life.fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: 'cleaned' });
    seen.push(life.stage());
    assert.deepEqual(seen, ['awaiting-triage', 'responding', 'awaiting-release', 'responding', 'notified', 'closed']);
  });

  it('back to responding whenever something new is owed', () => {
    const life = isolatedLife();
    life.fact({ type: 'escalation', body: { message: 'more' }, actor: 'ana' });
    assert.equal(life.stage(), 'responding');
    assert.equal(life.mailAll().stage(), 'awaiting-release');
  });

  it('an all-clear reopened has to be judged again, another verdict stands', () => {
    const reopen = (life: Life) => life.fact({ type: 'reopened', actor: 'ana', words: 'news', byRules: false });
    const cleared = reopen(closedLife().at(30));
    assert.equal(cleared.stage(), 'awaiting-triage');
    assert.equal(cleared.at(31).triage(1).stage(), 'closed');
    const told = new Life().at(20).triage(2).mailAll();
    told.fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: 'x' });
    assert.equal(reopen(told.at(30)).stage(), 'notified');
  });

  it('level 2 closes after 14 silent days, but not before, not with an open question, and not after a failure', () => {
    const told = () => new Life().at(20).triage(2).mailAll();
    assert.equal(
      told()
        .at(14 * DAY)
        .stage(),
      'notified',
    );
    assert.equal(told().at(14 * DAY + 21).record.closed?.reason, 'no-response');
    const spoken = told()
      .at(10 * DAY)
      .fact({ type: 'note', text: 'called them', actor: 'ana' });
    assert.equal(spoken.at(15 * DAY).stage(), 'notified');
    assert.equal(spoken.at(24 * DAY).record.closed?.reason, 'no-response');
    const asking = new Life().at(20).triage(2, { judgement: 'undetermined', askCustomer: 'Is this yours?' }).mailAll();
    assert.equal(asking.at(30 * DAY).stage(), 'notified');
    const body = { by: 'Sato', channel: 'mail' as const, receivedAt: asking.now, words: 'yes' };
    asking.fact({ type: 'answer', body, actor: 'ana' });
    assert.equal(asking.at(45 * DAY).record.closed?.reason, 'no-response');
    assert.equal(
      new Life()
        .at(20)
        .triage(2)
        .refused('mail:primary')
        .mailAll()
        .at(60 * DAY)
        .stage(),
      'notified',
    );
  });

  it('level 3 never closes by itself', () => {
    const life = isolatedLife().at(60).release().report('m1', 'released').mailAll();
    assert.equal(life.at(90 * DAY).stage(), 'notified');
  });
});

describe('what an analyst must see, and whom the incident waits for', () => {
  it('without a clock, the SOC is warned of an alert that nobody judged for 3 hours', () => {
    const life = new Life({ alert: { severity: 'Medium' } }).at(180);
    assert.deepEqual([life.attention(), life.owed()], [[], []]);
    life.at(181);
    assert.deepEqual([life.attention(), life.owed()], [['untriaged'], ['warn:untriaged: owed']]);
    assert.deepEqual(life.at(200).triage(2).attention(), []);
  });

  it('with the clock, the clock warns instead', () => {
    assert.equal(new Life().at(181).duty('warn:untriaged'), undefined);
  });

  const ROWS: [string, Life, string[]][] = [
    ['before a verdict', new Life().at(5), ['analyst: a verdict (threat level 1 to 4)']],
    [
      'an isolation and a mail under way',
      new Life().at(5).triage(3).askDevices(),
      ['defender: isolation of pc-1.acme.local', 'mail-server: acceptance of mail:primary'],
    ],
    ['isolated', isolatedLife(), ['customer: an order to release pc-1.acme.local']],
    [
      'a question',
      new Life().at(5).triage(2, { judgement: 'undetermined', askCustomer: 'Yours?' }).mailAll(),
      ['customer: an answer: Yours?'],
    ],
    ['nothing owed', new Life().at(5).triage(2).mailAll(), ['analyst: closing, or further news']],
    ['closed', closedLife(), []],
  ];
  for (const [what, life, waiting] of ROWS) it(what, () => assert.deepEqual(life.waiting(), waiting));

  it('texts that are missing, and what failed', () => {
    const bare = new Life().at(5).triage(4, { detection: undefined });
    assert.ok(bare.waiting().includes('analyst: the texts of the mail'));
    const failed = new Life().at(5).triage(3).askDevices().report('m1', 'failed', { reason: 'isolation-timeout' });
    assert.match(failed.waiting().join(), /analyst: a decision: isolate:m1 failed/);
  });

  it('a rejected signal is seen until an analyst has done something about it', () => {
    const life = new Life().at(5);
    life.fact({ type: 'signal-rejected', signal: 'triage', actor: 'temporal:x', errors: [], payload: '{}' });
    assert.deepEqual([life.attention(), life.duty('warn:notice:0')?.status], [['rejected-signal'], 'owed']);
    assert.deepEqual(life.fact({ type: 'note', text: 'seen', actor: 'ana' }).attention(), []);
  });

  it('the summary and the view tell the same', () => {
    const life = isolatedLife();
    const view = incidentView(life.record, life.now);
    assert.deepEqual({ ...view, ...summaryOf(life.record, life.now) }, view);
    assert.deepEqual(view.devices, [{ machineId: 'm1', name: 'pc-1.acme.local', isolation: 'isolated' }]);
  });
});

describe('which commands are refused, and why', () => {
  const triage = (life: Life, level: 1 | 2 | 3 | 4, more = {}, ifMatch?: number) =>
    judgeTriage(
      life.record,
      { body: verdictBody(level, more), ...(ifMatch === undefined ? {} : { ifMatch }) },
      life.now,
    )?.code;
  const six = Array.from({ length: 6 }, (_, n) => ({ machineId: `x${n}`, name: `pc-x${n}` }));
  const server = () => new Life({ osPlatform: 'WindowsServer2019' }).at(5);
  const failed = () => new Life().at(5).triage(2).refused('mail:primary');

  const ROWS: [string, string | undefined, () => string | undefined][] = [
    ['a first verdict', undefined, () => triage(new Life(), 3)],
    ['a verdict on a closed incident', 'incident-closed', () => triage(closedLife(), 3)],
    ['the same verdict again', 'nothing-new', () => triage(isolatedLife(), 3)],
    ['the same verdict again after something failed', undefined, () => triage(failed(), 2)],
    [
      'the same verdict again, naming a device that was released',
      undefined,
      () => {
        const life = isolatedLife().at(60).release().report('m1', 'released').mailAll();
        return triage(life, 3, { devices: [{ machineId: 'm1', name: 'pc-1' }] }, life.record.revision);
      },
    ],
    ['a changed verdict without If-Match', 'revision-required', () => triage(isolatedLife(), 4)],
    ['a changed verdict on what is stale', 'stale', () => triage(isolatedLife(), 4, {}, 1)],
    [
      'a changed verdict with the present revision',
      undefined,
      () => triage(isolatedLife(), 4, {}, isolatedLife().record.revision),
    ],
    ['level 3 with no device', 'invalid-input', () => triage(new Life({ alert: { machineId: null } }), 3)],
    ['six devices unconfirmed', 'invalid-input', () => triage(new Life(), 4, { devices: six })],
    [
      'six devices and the alert’s, wrongly confirmed',
      'invalid-input',
      () => triage(new Life(), 4, { devices: six, confirmCount: 6 }),
    ],
    ['seven devices confirmed', undefined, () => triage(new Life(), 4, { devices: six, confirmCount: 7 })],
    ['a server without a word', 'server-decision-needed', () => triage(server(), 3)],
    ['a server with a word', undefined, () => triage(server(), 3, { servers: 'leave' })],
    ['a server at level 2', undefined, () => triage(server(), 2)],
    ['an escalation before a verdict', 'no-primary-escalation', () => judgeEscalation(new Life().record)?.code],
    [
      'an escalation before the primary',
      'no-primary-escalation',
      () => judgeEscalation(new Life().at(5).triage(2).record)?.code,
    ],
    ['an escalation after it', undefined, () => judgeEscalation(isolatedLife().record)?.code],
    ['an escalation when closed', 'incident-closed', () => judgeEscalation(closedLife().record)?.code],
    ['closing before a verdict', 'not-triaged', () => judgeClose(new Life().record)?.code],
    ['closing with a device isolated', 'device-still-isolated', () => judgeClose(isolatedLife().record)?.code],
    [
      'closing with the isolation under way',
      'device-still-isolated',
      () => judgeClose(new Life().at(5).triage(3).askDevices().record)?.code,
    ],
    ['closing with a mail owed', 'duties-outstanding', () => judgeClose(new Life().at(5).triage(2).record)?.code],
    ['closing when all is settled', undefined, () => judgeClose(failed().record)?.code],
    ['closing twice', 'incident-closed', () => judgeClose(closedLife().record)?.code],
    ['reopening what is open', 'incident-open', () => judgeReopen(new Life().record)?.code],
    ['assigning what is closed', 'incident-closed', () => judgeAssign(closedLife().record)?.code],
    [
      'a release with nothing isolated',
      'nothing-to-release',
      () => judgeRelease(new Life().record, { instruction: instruction() }, minute(60))?.code,
    ],
    [
      'a release of another device',
      'unknown-device',
      () => judgeRelease(isolatedLife().record, { instruction: instruction(), machineIds: ['m9'] }, minute(60))?.code,
    ],
    [
      'a release',
      undefined,
      () => judgeRelease(isolatedLife().record, { instruction: instruction() }, minute(60))?.code,
    ],
    [
      'a second release',
      'nothing-to-release',
      () => judgeRelease(isolatedLife().release().record, { instruction: instruction() }, minute(60))?.code,
    ],
    [
      'a second release after the first failed',
      undefined,
      () =>
        judgeRelease(
          isolatedLife().release().report('m1', 'release-failed').record,
          { instruction: instruction() },
          minute(60),
        )?.code,
    ],
    [
      'an instruction from the future',
      'invalid-input',
      () => judgeInstructionTimes(instruction({ receivedAt: minute(99) }), 'instruction', minute(60))?.code,
    ],
    [
      'an answer from the future',
      'invalid-input',
      () =>
        judgeAnswer(new Life().record, { by: 'x', channel: 'mail', receivedAt: minute(99), words: 'y' }, minute(60))
          ?.code,
    ],
  ];
  for (const [what, code, judge] of ROWS) it(`${what}: ${code ?? 'accepted'}`, () => assert.equal(judge(), code));

  const contacts = [...policyOf().customer.contacts, { id: 'tanaka', name: '田中', mayInstruct: false }];
  for (const [what, more, code] of [
    ['an unknown person', { by: 'mallory' }, 'unknown-instructor'],
    ['a contact who may not', { by: 'tanaka' }, 'unknown-instructor'],
    ['by phone without a call back', { channel: 'phone' }, 'call-back-needed'],
    ['by phone with a call back', { channel: 'phone', calledBackAt: minute(55) }, undefined],
    ['by portal', { channel: 'portal' }, undefined],
  ] as const) {
    it(`an instruction of ${what}: ${code ?? 'believed'}`, () => {
      const judged = judgeInstructor(contacts, instruction(more));
      assert.equal('code' in judged ? judged.code : undefined, code);
    });
  }

  for (const [what, idempotency, now, code] of [
    ['a known key with its body, even late', { key: 'k', bodyHash: 'a' }, minute(99), undefined],
    ['a known key with another body', { key: 'k', bodyHash: 'b' }, minute(1), 'idempotency-mismatch'],
    ['a new key in time', { key: 'n', bodyHash: 'b' }, minute(1), undefined],
    ['a new key too late', { key: 'n', bodyHash: 'b' }, minute(99), 'too-late'],
  ] as const) {
    it(`${what}: ${code ?? 'goes on'}`, () => {
      const handled = { k: { bodyHash: 'a', outcome: { revision: 1, at: minute(0) } } };
      assert.equal(judgeEnvelope(handled, { notAfter: minute(10), idempotency }, now)?.code, code);
    });
  }

  it('level 4 keeps the devices named before', () => {
    const life = new Life().at(5).triage(4, TWO).at(6).triage(4, { analysis: 'more' });
    assert.deepEqual(life.record.verdicts[1]?.machineIds, ['m1', 'm2']);
  });
});
