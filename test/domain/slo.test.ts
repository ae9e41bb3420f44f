import assert from 'node:assert/strict';
import type { Level } from '../../src/domain/commands.js';
import { NEWS_DELAY_MS } from '../../src/domain/incident/slo.js';
import { isolatedLife, Life, minute, policyOf } from './life.js';

const DUE = minute(180);
const NEWS_MINUTES = NEWS_DELAY_MS / 60_000;

describe('the time target: to whom it applies', () => {
  const ROWS: { severity: string; level: Level | null; state: string }[] = [
    { severity: 'High', level: null, state: 'running, provisional' },
    { severity: 'UnSpecified', level: null, state: 'running, provisional' },
    { severity: 'Medium', level: null, state: 'not-applicable' },
    { severity: 'High', level: 1, state: 'not-applicable' },
    { severity: 'High', level: 2, state: 'not-applicable' },
    { severity: 'High', level: 3, state: 'running' },
    { severity: 'High', level: 4, state: 'running' },
    { severity: 'UnSpecified', level: 3, state: 'running' },
    { severity: 'Medium', level: 3, state: 'not-applicable' },
    { severity: 'Medium', level: 4, state: 'not-applicable' },
  ];
  for (const { severity, level, state } of ROWS) {
    it(`severity ${severity}, ${level === null ? 'not judged' : `level ${level}`}: ${state}`, () => {
      const life = new Life({ alert: { severity } }).at(20);
      if (level !== null) life.triage(level);
      assert.equal(life.clock(), state);
      assert.equal(life.slo().dueAt, state === 'not-applicable' ? null : DUE);
    });
  }

  for (const [serviceStartsAt, state] of [
    [minute(1), 'not-applicable'],
    [minute(0), 'running, provisional'],
  ] as const) {
    it(`detected at the service's start or later counts, before it does not: ${state}`, () => {
      assert.equal(new Life({ policy: policyOf({ serviceStartsAt }) }).at(20).clock(), state);
    });
  }

  it('an alert from the future counts from when we saw it', () => {
    const life = new Life({ alert: { alertCreationTime: minute(600) }, receivedAt: minute(10) });
    assert.equal(life.slo().dueAt, minute(190));
  });

  it('out of scope it has none', () =>
    assert.equal(new Life({ alert: { detectionSource: 'MTP' } }).clock(), 'not-applicable'));
});

describe('the time target: met only when the mail and every owed isolation are there', () => {
  it('the mail alone is not enough, nor is the isolation', () => {
    const told = new Life().at(20).triage(3).askDevices().mailAll();
    assert.equal(told.clock(), 'running');
    assert.equal(told.isolated().clock(), 'met');
    const isolated = new Life().at(20).triage(3).askDevices().isolated();
    assert.equal(isolated.clock(), 'running');
    assert.equal(isolated.mailAll().clock(), 'met');
  });

  it('every device of a level 4', () => {
    const life = new Life()
      .at(20)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .known('m2');
    life.askDevices().mailAll().isolated('m1');
    assert.equal(life.clock(), 'running');
    assert.equal(life.isolated('m2').clock(), 'met');
  });

  for (const [what, life] of [
    [
      'a tuning period',
      () => new Life({ policy: policyOf({ tuningPeriods: [{ from: minute(0), until: minute(99) }] }) }),
    ],
    ['a server that is left alone', () => new Life({ osPlatform: 'WindowsServer2022' })],
  ] as const) {
    it(`the mail is enough where no isolation is owed: ${what}`, () => {
      assert.equal(life().at(20).triage(3, { servers: 'leave' }).askDevices().mailAll().clock(), 'met');
    });
  }

  it('a mail still without its texts is not in time', () => {
    const bare = { detection: undefined, analysis: undefined, countermeasures: undefined };
    const life = new Life().at(20).triage(3, bare).askDevices().isolated().at(181);
    assert.equal(life.clock(), 'breached');
    assert.equal(life.record.breaches[0]?.cause, 'awaiting-text');
  });

  for (const [what, minutes, state] of [
    ['in the last moment', 180, 'met'],
    ['a moment later', 180.02, 'breached'],
  ] as const) {
    it(`judged by the mail server's time, ${what}`, () => {
      const life = new Life().at(20).triage(3).askDevices().isolated().startMail('mail:primary').at(180.1);
      life.settleMail('mail:primary', { status: 'accepted', at: minute(minutes), rejected: [] });
      assert.equal(life.clock(), state);
    });

    it(`judged by Defender's time, ${what}`, () => {
      const life = new Life().at(20).triage(3).askDevices().mailAll().at(180.1).isolated('m1', minute(minutes));
      assert.equal(life.clock(), state);
    });
  }

  it('waits for news under way a little, and for nothing else', () => {
    const pending = new Life()
      .at(20)
      .triage(3)
      .askDevices()
      .mailAll()
      .at(180 + NEWS_MINUTES / 2);
    assert.equal(pending.clock(), 'at-risk');
    assert.equal(pending.at(180 + NEWS_MINUTES).clock(), 'breached');
    assert.equal(new Life().at(180).clock(), 'breached, provisional');
  });

  it('heard of after an outage, what was in time is no breach', () => {
    const life = new Life().at(20).triage(3).askDevices().mailAll().isolated('m1', minute(30)).at(600);
    assert.deepEqual([life.clock(), life.record.breaches], ['met', []]);

    const slow = new Life().at(20).triage(3).askDevices().mailAll().asleepUntil(minute(600));
    assert.equal(slow.clock(), 'at-risk');
    slow.at(600 + NEWS_MINUTES / 2).isolated('m1', minute(179));
    assert.deepEqual([slow.clock(), slow.record.breaches], ['met', []]);

    const silent = new Life().at(20).triage(3).askDevices().mailAll().asleepUntil(minute(600));
    assert.equal(silent.at(600 + NEWS_MINUTES).clock(), 'breached');
    assert.equal(silent.record.breaches[0]?.dueAt, DUE);
  });
});

describe('the time target: a breach', () => {
  it('before a verdict, then levels 1 and 2 are not under it, and that it was late stays on the record', () => {
    for (const level of [1, 2] as const) {
      const life = new Life().at(200).triage(level);
      assert.equal(life.clock(), 'not-applicable');
      assert.deepEqual(
        life.record.breaches.map(({ cause }) => cause),
        ['no-verdict'],
      );
      assert.ok(life.types().includes('breach'));
    }
  });

  it('at level 3 never goes away, whatever is judged and done later', () => {
    const life = new Life().at(20).triage(3).askDevices().mailAll().at(200);
    assert.deepEqual(
      life.record.breaches.map(({ cause }) => cause),
      ['isolation-pending'],
    );
    life.isolated();
    assert.equal(life.clock(), 'breached');
    life.mailAll().at(210).triage(2).mailAll();
    assert.equal(life.clock(), 'breached');
    life.at(220).triage(1).mailAll();
    assert.equal(life.clock(), 'breached');
    life.updated({ severity: 'Medium' });
    assert.deepEqual([life.clock(), life.slo().dueAt], ['breached', DUE]);
  });

  it('names its cause', () => {
    const failed = new Life().at(20).triage(3).askDevices().mailAll();
    failed.report('m1', 'failed', { reason: 'unsupported-device' }).at(181);
    assert.equal(failed.record.breaches[0]?.cause, 'unsupported-device');
    const refused = new Life().at(20).triage(3).askDevices().isolated().refused('mail:primary').at(181);
    assert.equal(refused.record.breaches[0]?.cause, 'mail-rejected');
    const late = new Life().at(200).triage(3).askDevices().mailAll().isolated();
    assert.equal(late.clock(), 'breached');
  });

  describe('an isolation that is called off while no worker is up to note the breach', () => {
    const inTuning = policyOf({ tuningPeriods: [{ from: minute(170), until: minute(900) }] });
    const ENDS: { what: string; at: number; state: string; causes: string[] }[] = [
      { what: 'before the deadline: it was no longer owed', at: 179, state: 'met', causes: [] },
      { what: 'in the last moment', at: 180, state: 'met', causes: [] },
      {
        what: 'after the deadline: it was owed and not there',
        at: 181,
        state: 'breached',
        causes: ['isolation-pending'],
      },
    ];
    for (const { what, at, state, causes } of ENDS) {
      it(what, () => {
        const life = new Life().at(20).triage(3).askDevices().mailAll().asleepUntil(minute(at));
        life.fact({ type: 'policy-read', policy: inTuning });
        life.fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' });
        life.report('m1', 'cancelled').at(600);
        assert.equal(life.clock(), state);
        assert.deepEqual(
          life.record.breaches.map(({ cause }) => cause),
          causes,
        );
      });
    }
  });

  it('is noted once', () => {
    const life = new Life().at(200).triage(3).askDevices().at(300).mailAll().isolated().at(400);
    assert.equal(life.record.breaches.length, 1);
    assert.equal(life.owed().filter((duty) => duty.startsWith('warn:breach')).length, 1);
  });
});

describe('the time target: later starts', () => {
  it('came into scope later: from then', () => {
    const life = new Life({ alert: { investigationState: 'SuccessfullyRemediated' } }).at(100).updated({});
    assert.deepEqual([life.slo().dueAt, life.slo().because], [minute(280), 'came-into-scope']);
  });

  it('severity raised: from then, by Defender’s own time', () => {
    const life = new Life({ alert: { severity: 'Medium' } }).at(100);
    life.updated({ severity: 'High', lastUpdateTime: minute(90) });
    assert.deepEqual([life.slo().dueAt, life.slo().because], [minute(270), 'severity-raised']);
  });

  it('raised to 3–4 after a timely lower verdict: 3 hours from the raise', () => {
    const life = new Life().at(100).triage(2).mailAll().at(500).triage(3).askDevices();
    assert.deepEqual([life.clock(), life.slo().dueAt, life.slo().because], ['running', minute(680), 'level-raised']);
    life.isolated();
    assert.equal(life.clock(), 'running', 'the mail of the lower level is not the mail of this one');
    assert.equal(life.mailAll().clock(), 'met');
  });

  it('raised after a lower verdict that was late: breached at once', () => {
    const life = new Life().at(200).triage(2).mailAll().at(500).triage(3);
    assert.deepEqual([life.clock(), life.slo().dueAt], ['breached', DUE]);
  });

  it('3 → 4 before all was done: the clock goes on', () => {
    const life = new Life().at(20).triage(3).askDevices().at(100).triage(4);
    assert.deepEqual([life.clock(), life.slo().dueAt], ['running', DUE]);
  });

  it('3 → 4 after all was done: 3 hours from the raise', () => {
    const life = isolatedLife().at(500).triage(4);
    assert.deepEqual([life.clock(), life.slo().dueAt], ['running', minute(680)]);
    assert.equal(life.mailAll().clock(), 'met');
  });

  it('3 → 4 after all was done, with a further device: that device has 3 hours from the raise', () => {
    const life = isolatedLife()
      .at(500)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .known('m2');
    life.askDevices().mailAll();
    assert.deepEqual([life.clock(), life.slo().dueAt, life.record.breaches], ['running', minute(680), []]);
    assert.equal(life.isolated('m2').clock(), 'met');
  });

  it('a further device at the same level after all was done: it too', () => {
    const life = isolatedLife(4)
      .at(500)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .known('m2');
    life.askDevices().mailAll();
    assert.deepEqual([life.clock(), life.slo().dueAt, life.record.breaches], ['running', minute(680), []]);
    assert.equal(life.isolated('m2').clock(), 'met');
  });

  it('an isolation that is caught up on after the tuning period was not owed in time', () => {
    const policy = policyOf({ tuningPeriods: [{ from: minute(0), until: minute(400) }] });
    const life = new Life({ policy }).at(20).triage(3).askDevices().mailAll().at(500);
    life.fact({ type: 'retry-asked', actor: 'ana' }).askDevices();
    assert.deepEqual([life.duty('isolate:m1')?.status, life.clock()], ['running', 'met']);
  });

  it('more words at the same level after all was done: it stays met', () => {
    const life = isolatedLife().at(500).triage(3, { analysis: 'more' });
    assert.deepEqual([life.clock(), life.slo().dueAt], ['met', DUE]);
  });
});

describe('the time target: warnings', () => {
  it('at 50, 75 and 90 %, while something is still owed, also before a verdict', () => {
    const life = new Life();
    assert.deepEqual(life.at(89).warnings(), []);
    assert.deepEqual(life.at(90).warnings(), [50]);
    assert.equal(life.clock(), 'running, provisional');
    assert.deepEqual(life.at(135).warnings(), [50, 75]);
    assert.equal(life.clock(), 'at-risk, provisional');
    assert.deepEqual(life.at(162).warnings(), [50, 75, 90]);
    assert.equal(life.at(180).clock(), 'breached, provisional');
    assert.deepEqual(life.owed(), [0, 1, 2].map((n) => `warn:threshold:${n}: owed`).concat('warn:breach:0: owed'));
  });

  for (const [minutes, expected] of [
    [140, [75]],
    [170, [90]],
    [200, []],
  ] as const) {
    it(`those passed together make one: heard of at ${minutes} minutes`, () => {
      assert.deepEqual(new Life({ receivedAt: minute(minutes) }).at(minutes).warnings(), expected);
    });
  }

  it('none once all is done, and anew for a clock of its own', () => {
    const life = isolatedLife().at(170);
    assert.deepEqual(life.warnings(), []);
    life
      .at(500)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .at(590);
    assert.deepEqual(life.warnings(), [50]);
  });
});
