import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Level } from '../../src/domain/commands.js';
import type { HoldState } from '../../src/domain/device/record.js';
import { isSettled } from '../../src/domain/incident/duties.js';
import { customerTold, currentVerdict, type IncidentRecord } from '../../src/domain/incident/record.js';
import { incidentView } from '../../src/domain/incident/view.js';
import { nextWake } from '../../src/domain/incident/stage.js';
import { toMs } from '../../src/domain/time.js';
import { Life, minute, policyOf } from './life.js';

/** One thing that may happen to an incident, in whatever order. */
type Step =
  | { do: 'wait'; minutes: number }
  | { do: 'triage'; level: Level; texts: boolean; second: boolean; servers: 'isolate' | 'leave' | undefined }
  | { do: 'mail'; accepted: boolean }
  | { do: 'ask' }
  | { do: 'report'; machineId: string; state: HoldState }
  | { do: 'release' | 'retry' | 'escalate' | 'note' | 'reopen' | 'close' }
  | { do: 'ring'; outcome: 'acknowledged' | 'exhausted' | 'cancelled' }
  | { do: 'update'; severity: string; prevented: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 150 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('triage' as const),
      level: fc.constantFrom<Level>(1, 2, 3, 4),
      texts: fc.boolean(),
      second: fc.boolean(),
      servers: fc.constantFrom<'isolate' | 'leave' | undefined>(undefined, 'isolate', 'leave'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mail' as const), accepted: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ do: 'ask' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      machineId: fc.constantFrom('m1', 'm2'),
      state: fc.constantFrom<HoldState>(
        'wanted',
        'isolated',
        'failed',
        'cancelled',
        'held',
        'releasing',
        'released',
        'release-failed',
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>(
      ...(['release', 'retry', 'escalate', 'note', 'reopen', 'close'] as const).map((name) => ({ do: name })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('ring' as const),
      outcome: fc.constantFrom<'acknowledged' | 'exhausted' | 'cancelled'>('acknowledged', 'exhausted', 'cancelled'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      severity: fc.constantFrom('High', 'Medium', 'Low', 'Strange'),
      prevented: fc.boolean(),
    }),
  },
);

function take(life: Life, taken: Step): void {
  const open = life.record.closed === null;
  const verdict = currentVerdict(life.record);
  switch (taken.do) {
    case 'wait':
      life.at(Math.round((toMs(life.now) - toMs(minute(0))) / 60_000) + taken.minutes);
      return;
    case 'triage': {
      if (!open) return;
      const bare = { detection: undefined, analysis: undefined, countermeasures: undefined };
      const mayLack = taken.level >= 3 && !taken.texts;
      const devices = taken.level === 4 && taken.second ? { devices: [{ machineId: 'm2', name: 'pc-2' }] } : {};
      life.triage(taken.level, { ...(mayLack ? bare : {}), ...devices, servers: taken.servers });
      if (life.record.devices.some(({ machineId, facts }) => machineId === 'm2' && facts === null)) life.known('m2');
      return;
    }
    case 'mail': {
      const next = life
        .duties()
        .find(({ status, reason, topic }) => status === 'owed' && reason === undefined && topic);
      if (next === undefined) return;
      if (taken.accepted) life.mailed(next.id);
      else life.refused(next.id);
      return;
    }
    case 'ask':
      if (open) life.askDevices();
      return;
    case 'report':
      life.report(taken.machineId, taken.state, { isolatedAt: life.now });
      return;
    case 'release':
      if (open && life.record.devices.some(({ asked }) => asked !== null)) life.release();
      return;
    case 'retry':
      if (open && verdict !== undefined) life.fact({ type: 'retry-asked', actor: 'ana' });
      return;
    case 'escalate':
      if (open && customerTold(life.record)) life.fact({ type: 'escalation', body: { message: 'm' }, actor: 'ana' });
      return;
    case 'note':
      life.fact({ type: 'note', text: 'n', actor: 'ana' });
      return;
    case 'reopen':
      if (!open) life.fact({ type: 'reopened', actor: 'ana', words: 'w', byRules: false });
      return;
    case 'close':
      if (open && verdict !== undefined && life.stage() === 'notified') {
        life.fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: 'w' });
      }
      return;
    case 'ring':
      if (life.duty('phone')?.status === 'owed') life.fact({ type: 'phone-asked', want: 'ring' });
      life.phone(taken.outcome);
      return;
    case 'update': {
      const evidence = taken.prevented ? [{ entityType: 'File', detectionStatus: 'Prevented' }] : [];
      life.updated({ severity: taken.severity, evidence });
    }
  }
}

/** Lives any story through, and looks after each step. */
function always(what: (life: Life, before: IncidentRecord) => void, tuning = false, osPlatform?: string): void {
  const policy = tuning ? policyOf({ tuningPeriods: [{ from: minute(-9), until: minute(1_000_000) }] }) : policyOf();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const life = new Life({ policy, ...(osPlatform === undefined ? {} : { osPlatform }) });
      for (const taken of steps) {
        const before = life.record;
        take(life, taken);
        what(life, before);
      }
    }),
    { numRuns: 300, seed: 20_261_124 },
  );
}

describe('whatever happens, in whatever order', () => {
  it('level 1 contacts nobody who was not told before and whose device is not isolated', () => {
    always((life) => {
      const { record } = life;
      if (currentVerdict(record)?.level !== 1 || record.escalations.length > 0 || record.orders.length > 0) return;
      const everIsolated = record.devices.some(({ target }) => target?.isolatedAt != null);
      if (customerTold(record) || record.effects['mail:primary'] !== undefined || everIsolated) return;
      // What Defender did about an isolation that was under way is told, whatever was judged meanwhile.
      const mails = life.duties().filter(({ id }) => id.startsWith('mail:primary') || id.startsWith('mail:secondary'));
      assert.deepEqual(mails, []);
      assert.notEqual(life.duty('phone')?.status, 'owed');
      assert.ok(life.duties().every(({ kind, status }) => kind !== 'isolate' || status !== 'owed'));
    });
  });

  it('no isolation is asked for in a tuning period', () => {
    always((life) => {
      assert.ok(life.record.devices.every(({ asked }) => asked?.want !== 'isolate'));
      life.askDevices();
      assert.ok(life.duties().every(({ kind, status }) => kind !== 'isolate' || isSettled({ status })));
    }, true);
  });

  it('a server is asked for only when the verdict in force says so', () => {
    always(
      (life, before) => {
        const newlyAsked = life.record.devices.some(
          ({ machineId, asked }) =>
            machineId === 'm1' &&
            asked?.want === 'isolate' &&
            asked.seq !== before.devices.find((device) => device.machineId === 'm1')?.asked?.seq,
        );
        if (newlyAsked) assert.equal(currentVerdict(life.record)?.servers, 'isolate');
      },
      false,
      'WindowsServer2019',
    );
  });

  it('a breach at level 3 or 4 never goes away', () => {
    let broken = 0;
    let last: IncidentRecord | undefined;
    always((life, before) => {
      if (before !== last) broken = 0;
      last = life.record;
      const { state } = life.slo();
      if (broken > 0) assert.equal(state, 'breached');
      if (state === 'breached' && (currentVerdict(life.record)?.level ?? 0) >= 3) broken += 1;
    });
  });

  it('the timeline only grows, and the revision with it', () => {
    always((life, before) => {
      assert.deepEqual(life.record.timeline.slice(0, before.timeline.length), before.timeline);
      assert.ok(life.record.revision >= before.revision);
      if (life.record.timeline.length > before.timeline.length) assert.ok(life.record.revision > before.revision);
    });
  });

  it('every state can be shown, with its duties named once and a moment to wake that lies ahead', () => {
    always((life) => {
      const view = incidentView(life.record, life.now);
      assert.equal(new Set(view.duties.map(({ id }) => id)).size, view.duties.length);
      const wake = nextWake(life.record, life.now);
      if (wake !== undefined) assert.ok(toMs(wake.at) > toMs(life.now), wake.at);
      assert.ok(JSON.stringify(view.timeline.at(-1)).length < 4_096);
    });
  });

  it('a closed incident owes the customer nothing, and holds no device', () => {
    always((life) => {
      if (life.record.closed === null) return;
      assert.deepEqual(life.contacts(), []);
    });
  });
});
