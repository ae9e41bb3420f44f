import assert from 'node:assert/strict';
import type { Level } from '../../src/domain/commands.js';
import { isolatedLife, Life, minute, policyOf, verdictBody } from './life.js';

/** The levels of the service: who is contacted, what is isolated. */
const LEVELS: { level: Level; mail: boolean; phone: boolean; isolation: boolean }[] = [
  { level: 1, mail: false, phone: false, isolation: false },
  { level: 2, mail: true, phone: false, isolation: false },
  { level: 3, mail: true, phone: false, isolation: true },
  { level: 4, mail: true, phone: true, isolation: true },
];
const PERIOD = [{ from: minute(0), until: minute(60) }];

function ids(life: Life, status = 'owed'): string[] {
  return life.duties().flatMap((duty) => (duty.status === status ? [duty.id] : []));
}

describe('what a level owes', () => {
  for (const { level, mail, phone, isolation } of LEVELS) {
    for (const severity of ['High', 'Medium', 'UnSpecified']) {
      it(`level ${level} on severity ${severity}`, () => {
        const life = new Life({ alert: { severity } }).at(20).triage(level).askDevices();
        const kinds = life
          .duties()
          .filter(({ kind }) => kind !== 'warn')
          .map(({ kind }) => kind)
          .sort();
        const expected = [isolation ? ['isolate'] : [], mail ? ['mail'] : [], phone ? ['phone'] : []].flat();
        assert.deepEqual(kinds, expected);
        assert.equal(life.stage(), level === 1 ? 'closed' : 'responding');
      });
    }

    it(`level ${level} in a tuning period: all but the isolation`, () => {
      const policy = policyOf({ tuningPeriods: PERIOD });
      const life = new Life({ policy }).at(20).triage(level).askDevices();
      assert.deepEqual(ids(life).sort(), [...(mail ? ['mail:primary'] : []), ...(phone ? ['phone'] : [])]);
      assert.deepEqual(ids(life, 'waived'), isolation ? ['isolate:m1'] : []);
      assert.equal(life.duty('isolate:m1')?.reason, isolation ? 'tuning-period' : undefined);
    });
  }

  for (const [what, minutes, isolates] of [
    ['its first moment', 0, false],
    ['its last moment', 60, true],
  ] as const) {
    it(`a tuning period holds from its beginning until before its end: ${what}`, () => {
      const policy = policyOf({ tuningPeriods: PERIOD });
      const life = new Life({ policy, receivedAt: minute(0) }).at(minutes).triage(3).askDevices();
      assert.equal(life.duty('isolate:m1')?.status, isolates ? 'running' : 'waived');
    });
  }
});

describe('which devices', () => {
  for (const [servers, status, reason] of [
    [undefined, 'failed', 'server-decision-needed'],
    ['leave', 'waived', 'server-left'],
    ['isolate', 'running', undefined],
  ] as const) {
    it(`a server, with ${servers ?? 'nothing'} said about servers: ${reason ?? 'isolated'}`, () => {
      const life = new Life({ osPlatform: 'WindowsServer2019' }).at(20).triage(3, { servers }).askDevices();
      const duty = life.duty('isolate:m1');
      assert.deepEqual([duty?.status, duty?.reason], [status, reason]);
    });
  }

  it('level 4: the one of the alert and all that are named', () => {
    const devices = [
      { machineId: 'm2', name: 'pc-2' },
      { machineId: 'm3', name: 'pc-3' },
    ];
    const life = new Life().at(20).triage(4, { devices }).known('m2').known('m3').askDevices();
    assert.deepEqual(ids(life, 'running'), ['isolate:m1', 'isolate:m2', 'isolate:m3']);
  });

  it('level 3: the one that is named in the place of the alert’s', () => {
    const life = new Life().at(20).triage(3, { devices: [{ machineId: 'm2', name: 'pc-2' }] });
    life.known('m2').askDevices();
    assert.deepEqual(ids(life, 'running'), ['isolate:m2']);
  });

  for (const [what, name, reason] of [
    ['another name', 'pc-9', 'device-mismatch'],
    ['another name of the same domain', 'pc-1.acme.local', 'device-mismatch'],
    ['its host name', 'PC-2', undefined],
    ['its full name', 'pc-2.acme.local', undefined],
  ] as const) {
    it(`a device named by an analyst with ${what}: ${reason ?? 'isolated'}`, () => {
      const life = new Life()
        .at(20)
        .triage(3, { devices: [{ machineId: 'm2', name }] })
        .known('m2')
        .askDevices();
      assert.equal(life.duty('isolate:m2')?.reason, reason);
      assert.equal(life.duty('isolate:m2')?.status, reason === undefined ? 'running' : 'failed');
    });
  }

  it('a device that Defender does not know fails when an analyst named it', () => {
    const life = new Life().at(20).triage(3, { devices: [{ machineId: 'm2', name: 'pc-2' }] });
    const unknown = { machineId: 'm2', found: false, name: null, osPlatform: null, kind: 'unknown' as const };
    life.fact({ type: 'device-known', facts: unknown }).askDevices();
    assert.equal(life.duty('isolate:m2')?.reason, 'unknown-device');
  });
});

describe('what becomes of an isolation', () => {
  it('the primary goes at once, one result follows when all devices are settled', () => {
    const life = new Life()
      .at(20)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .known('m2')
      .askDevices();
    assert.equal(life.duty('mail:primary')?.status, 'owed');
    life.mailAll().isolated('m1');
    assert.equal(life.duty('mail:isolation-result:v0'), undefined);
    life.report('m2', 'failed', { reason: 'isolation-timeout' });
    assert.equal(life.duty('mail:isolation-result:v0')?.status, 'owed');
    assert.equal(life.duty('warn:failure:isolate:m2')?.status, 'owed');
    assert.deepEqual(life.attention(), ['isolation-timeout']);
  });

  it('no result where none was owed', () => {
    const life = new Life({ policy: policyOf({ tuningPeriods: PERIOD }) }).at(20).triage(3).askDevices().mailAll();
    assert.deepEqual(
      [life.stage(), life.owed()],
      ['notified', ['isolate:m1: waived (tuning-period)', 'mail:primary: done']],
    );
  });

  it('the result waits for the primary, so that a thread reads in order', () => {
    const life = new Life().at(20).triage(3).askDevices().isolated();
    assert.equal(life.duty('mail:isolation-result:v0')?.reason, 'awaiting-primary');
    assert.equal(life.mailed('mail:primary').duty('mail:isolation-result:v0')?.reason, undefined);
  });

  for (const [what, change, reason] of [
    ['the level is lowered', (life: Life) => life.triage(2), 'level-lowered'],
    ['the customer orders the release', (life: Life) => life.release(), 'released'],
    [
      'another device is meant',
      (life: Life) => life.triage(3, { devices: [{ machineId: 'm2', name: 'pc-2' }] }),
      'not-named',
    ],
    [
      'a tuning period begins',
      (life: Life) => life.fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' }),
      'tuning-period',
    ],
  ] as const) {
    it(`is cancelled when ${what}`, () => {
      const life = change(new Life().at(20).triage(3).askDevices().at(30));
      assert.notEqual(life.record.devices[0]?.target?.ended, null);
      life.report('m1', 'cancelled', { seq: 99 });
      const duty = life.duty('isolate:m1');
      assert.deepEqual([duty?.status, duty?.reason], ['cancelled', reason]);
    });
  }

  it('confirmed after it was called off, the device is isolated all the same, and waits for the customer', () => {
    const life = new Life().at(20).triage(3).askDevices().at(30).triage(2);
    life.fact({ type: 'device-asked', machineId: 'm1', want: 'withdraw' }).isolated();
    assert.equal(life.duty('isolate:m1')?.status, 'done');
    assert.equal(life.mailAll().stage(), 'awaiting-release');
  });
});

describe('a release', () => {
  for (const [state, status, reason] of [
    ['releasing', 'running', undefined],
    ['released', 'done', undefined],
    ['held', 'waived', 'held'],
    ['cancelled', 'done', 'cancelled-before-isolated'],
    ['failed', 'done', 'never-isolated'],
    ['release-failed', 'failed', 'release-timeout'],
  ] as const) {
    it(`${state} at the device: ${status}, told once it is settled`, () => {
      const life = isolatedLife().at(60).release();
      life.report('m1', state, { reason: state === 'release-failed' ? 'release-timeout' : null });
      const duty = life.duty('release:m1');
      assert.deepEqual([duty?.status, duty?.reason], [status, reason]);
      assert.equal(life.duty('mail:release-result:o0')?.status, status === 'running' ? undefined : 'owed');
    });
  }

  it('of a part of the devices leaves the others isolated', () => {
    const life = new Life()
      .at(20)
      .triage(4, { devices: [{ machineId: 'm2', name: 'pc-2' }] })
      .known('m2')
      .askDevices();
    life.fact({ type: 'phone-asked', want: 'ring' }).phone('acknowledged');
    life.mailAll().isolated('m1').isolated('m2').mailAll().at(60).release(['m1']);
    life.report('m1', 'released').mailAll();
    assert.equal(life.duty('release:m2'), undefined);
    assert.equal(life.stage(), 'awaiting-release');
  });

  it('is not undone by the same level again, but by a new raise', () => {
    const life = isolatedLife().at(60).release().report('m1', 'released').mailAll();
    life.at(70).triage(3, { analysis: 'more' }).mailAll();
    assert.equal(life.stage(), 'notified');
    life.at(80).triage(2).mailAll().at(90).triage(3).askDevices();
    assert.equal(life.duty('isolate:m1')?.status, 'running');
  });
});

describe('a changed verdict', () => {
  const CHANGES: { from: Level; to: Level; owes: string[] }[] = [
    { from: 2, to: 3, owes: ['isolate:m1', 'mail:secondary:v1'] },
    { from: 2, to: 4, owes: ['isolate:m1', 'mail:secondary:v1', 'phone'] },
    { from: 2, to: 1, owes: ['mail:secondary:v1'] },
    { from: 3, to: 4, owes: ['mail:secondary:v1', 'phone'] },
    { from: 3, to: 2, owes: ['mail:secondary:v1'] },
    { from: 3, to: 1, owes: ['mail:secondary:v1'] },
    { from: 4, to: 3, owes: ['mail:secondary:v1'] },
    { from: 4, to: 1, owes: ['mail:secondary:v1'] },
  ];
  for (const { from, to, owes } of CHANGES) {
    it(`${from} → ${to} owes ${owes.join(', ')}, and no isolated device is let go by it`, () => {
      const life = isolatedLife(from).at(60).triage(to).askDevices();
      assert.deepEqual(life.contacts().sort(), owes);
      assert.equal(life.duty('release:m1'), undefined);
      if (from >= 3) assert.equal(life.duty('isolate:m1')?.status, 'done');
    });
  }

  it('2 → 1 before anybody was told tells nobody', () => {
    const life = new Life().at(20).triage(2).at(21).triage(1);
    assert.deepEqual([life.contacts(), life.stage()], [[], 'closed']);
  });

  it('changed again before its mail could go, it is told by the later one', () => {
    const life = isolatedLife().at(60).triage(2).at(61).triage(3);
    assert.deepEqual(life.contacts(), ['mail:secondary:v2']);
  });

  it('the telephone is called off by a lower level, and rings once per incident', () => {
    const life = new Life().at(20).triage(4).askDevices().fact({ type: 'phone-asked', want: 'ring' });
    life.at(21).triage(3).fact({ type: 'phone-asked', want: 'cancel' }).phone('cancelled');
    assert.equal(life.duty('phone')?.status, 'cancelled');
    assert.equal(life.at(22).triage(4).duty('phone')?.status, 'owed');
    life.fact({ type: 'phone-asked', want: 'ring' }).phone('acknowledged');
    assert.equal(life.at(23).triage(3).at(24).triage(4).duty('phone')?.status, 'done');
  });
});

describe('prose that is missing, mail that is refused', () => {
  const bare = { detection: undefined, analysis: undefined, countermeasures: undefined };

  for (const level of [3, 4] as const) {
    it(`level ${level} without texts acts at once and owes the mail`, () => {
      const life = new Life().at(20).triage(level, bare).askDevices();
      assert.equal(life.duty('isolate:m1')?.status, 'running');
      assert.equal(life.duty('phone')?.status, level === 4 ? 'owed' : undefined);
      assert.deepEqual([life.duty('mail:primary')?.reason, life.attention()], ['awaiting-text', ['awaiting-text']]);
      life.at(40).triage(level);
      assert.equal(life.record.verdicts.length, 1, 'completing texts is no changed verdict');
      assert.equal(life.duty('mail:primary')?.reason, undefined);
    });
  }

  for (const level of [1, 2] as const) {
    it(`level ${level} without texts is refused`, () => assert.throws(() => verdictBody(level, bare)));
  }

  it('a refused mail fails, warns the SOC, and is sent anew when the analyst repeats the verdict', () => {
    const life = new Life().at(20).triage(2).refused('mail:primary');
    assert.deepEqual(life.owed(), ['mail:primary: failed (mail-rejected)', 'warn:failure:mail:primary: owed']);
    assert.equal(life.stage(), 'notified');
    life.fact({ type: 'retry-asked', actor: 'ana' });
    assert.deepEqual(life.owed(), ['mail:primary: owed']);
  });

  it('a retry tries the failed isolation and the exhausted telephone again, and nothing that worked', () => {
    const life = new Life().at(20).triage(4).askDevices().fact({ type: 'phone-asked', want: 'ring' }).mailAll();
    life.report('m1', 'failed', { reason: 'isolation-timeout' }).phone('exhausted', 'phone-exhausted').mailAll();
    assert.deepEqual(ids(life, 'failed'), ['isolate:m1', 'phone']);
    life.fact({ type: 'retry-asked', actor: 'ana' });
    assert.deepEqual(
      ids(life).filter((id) => !id.startsWith('warn:')),
      ['isolate:m1', 'phone'],
    );
    assert.equal(life.duty('mail:primary')?.status, 'done');
  });

  it('a device whose wrong name was corrected is told of, though the others were told before', () => {
    const named = (name: string) => ({ devices: [{ machineId: 'm2', name }] });
    const life = new Life().at(20).triage(4, named('pc-9')).known('m2').askDevices().mailAll().isolated('m1').mailAll();
    assert.equal(life.duty('isolate:m2')?.reason, 'device-mismatch');
    life.at(30).triage(4, named('pc-2')).askDevices().isolated('m2');
    assert.equal(life.contacts().filter((id) => id.startsWith('mail:isolation-result')).length, 1);
  });

  it('a retry after a tuning period that called the isolation off isolates', () => {
    const life = new Life().at(20).triage(3).askDevices().mailAll();
    life
      .fact({ type: 'isolation-ended', machineId: 'm1', reason: 'tuning-period' })
      .report('m1', 'cancelled')
      .mailAll();
    life.at(70).fact({ type: 'retry-asked', actor: 'ana' }).askDevices();
    assert.equal(life.duty('isolate:m1')?.status, 'running');
    assert.equal(life.record.devices[0]?.asked?.want, 'isolate');
  });

  it('a retry after the tuning period isolates', () => {
    const life = new Life({ policy: policyOf({ tuningPeriods: PERIOD }) }).at(20).triage(3).askDevices().mailAll();
    life.at(70).fact({ type: 'retry-asked', actor: 'ana' }).askDevices();
    assert.equal(life.duty('isolate:m1')?.status, 'running');
  });
});
