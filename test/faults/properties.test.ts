import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tuningPeriodAt } from '../../src/domain/customer.js';
import { duties, isSettled } from '../../src/domain/incident/duties.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import { currentVerdict, customerTold } from '../../src/domain/incident/record.js';
import { stageOf } from '../../src/domain/incident/stage.js';
import { slo } from '../../src/domain/incident/slo.js';
import { toInstant, toMs, MINUTE_MS } from '../../src/domain/time.js';
import { TEXTS } from '../domain/life.js';
import type { DefenderTurn } from './device-process.js';
import type { IncidentProcess } from './incident-process.js';
import { Model } from './process-model.js';
import { roundTrip, type Watcher } from './process-world.js';

/*
 * Whatever happens to two incidents on one device, and to another customer's beside them, in whatever order. A failure
 * prints fast-check's seed and the shortest story it found. CHAOS_SEED and CHAOS_RUNS make other and longer runs.
 */

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_124);
const RUNS = Number(process.env['CHAOS_RUNS'] ?? 100);

/** One thing that happens. `who` and `place` are taken modulo what there is. */
type Step =
  | { do: 'deliver'; place: number; twice: boolean; pump: boolean }
  | { do: 'run'; who: number; parts: number }
  | { do: 'pump' | 'flow' | 'continue-as-new' | 'look-ups' }
  | { do: 'wait' | 'sleep'; minutes: number }
  | { do: 'triage'; who: number; level: number; texts: boolean; devices: string[]; wrongName: boolean; servers: string }
  | { do: 'escalate' | 'release' | 'close' | 'reopen' | 'again'; who: number }
  | { do: 'release-device'; who: number }
  | { do: 'mail'; who: number; how: 'accepted' | 'rejected' | 'uncertain' }
  | { do: 'defender'; place: number; how: DefenderTurn }
  | { do: 'action'; place: number; status: string }
  | { do: 'phone'; who: number; how: 'key' | 'nobody' }
  | { do: 'news'; who: number; severity: string; state: 'prevented' | 'failed' | 'plain' }
  | { do: 'tuning'; who: number; begins: boolean; inMinutes: number };

const who = fc.nat({ max: 2 });
const place = fc.nat({ max: 11 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), place, twice: fc.boolean(), pump: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('triage' as const),
      who,
      level: fc.constantFrom(1, 2, 3, 3, 4),
      texts: fc.boolean(),
      devices: fc.subarray(['m2', 'srv']),
      wrongName: fc.nat({ max: 4 }).map((number) => number === 0),
      servers: fc.constantFrom('isolate', 'leave', ''),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom<'pump' | 'flow'>('pump', 'flow') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('run' as const), who, parts: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('defender' as const),
      place,
      how: fc.constantFrom<DefenderTurn>('works', 'works', 'answer-lost', 'result-after-cancel'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('action' as const),
      place,
      status: fc.constantFrom('Succeeded', 'Succeeded', 'InProgress', 'Failed', 'TimeOut', 'Cancelled'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('mail' as const),
      who,
      how: fc.constantFrom<'accepted' | 'rejected' | 'uncertain'>('accepted', 'accepted', 'rejected', 'uncertain'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('phone' as const),
      who,
      how: fc.constantFrom<'key' | 'nobody'>('key', 'nobody', 'nobody', 'nobody'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom<'release' | 'again'>('release', 'again'), who }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release-device' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom<'escalate' | 'close' | 'reopen'>('escalate', 'close', 'reopen'), who }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<'wait' | 'sleep'>('wait', 'sleep'),
      minutes: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 30, max: 400 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('news' as const),
      who,
      severity: fc.constantFrom('High', 'Medium', 'Low', 'Strange'),
      state: fc.constantFrom<'prevented' | 'failed' | 'plain'>('prevented', 'failed', 'plain'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('tuning' as const),
      who,
      begins: fc.boolean(),
      inMinutes: fc.constantFrom(0, 0, 5, 60),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom<'continue-as-new' | 'look-ups'>('continue-as-new', 'look-ups') }),
  },
);

function judgedAt3(who: number): Extract<Step, { do: 'triage' }> {
  return { do: 'triage', who, level: 3, texts: true, devices: [], wrongName: false, servers: '' };
}

const PUMP: Step = { do: 'pump' };
const FLOW: Step = { do: 'flow' };
const DELIVER: Step = { do: 'deliver', place: 0, twice: false, pump: false };
const COPIED: Extract<Step, { do: 'deliver' }> = { do: 'deliver', place: 0, twice: true, pump: false };
const RUNG: Extract<Step, { do: 'phone' }> = { do: 'phone', who: 0, how: 'nobody' };
const TAKEN: Step = { do: 'defender', place: 0, how: 'works' };

/** Where a story may begin, so that chance need not find its way there. */
const BEGINNINGS: readonly (readonly Step[])[] = [
  [],
  [judgedAt3(0), PUMP, DELIVER],
  [judgedAt3(0), PUMP, DELIVER, TAKEN],
  [{ do: 'tuning', who: 0, begins: true, inMinutes: 60 }, judgedAt3(0), PUMP, DELIVER, TAKEN],
  [judgedAt3(0), judgedAt3(1), PUMP, FLOW, FLOW, FLOW, FLOW],
  // The copies of the requests to the device and to the telephone are still under way.
  [judgedAt3(0), PUMP, COPIED, { ...judgedAt3(0), level: 1 }, PUMP],
  [{ ...judgedAt3(0), level: 4 }, PUMP, { ...COPIED, place: 1 }, RUNG, { ...RUNG, how: 'key' }],
];

const HOUR_MINUTES = 60;

function verdictOf(process: IncidentProcess, taken: Extract<Step, { do: 'triage' }>): unknown {
  const { customerId } = process.record;
  const level = process.record.alert.machineId === null ? 2 : taken.level;
  const texts = taken.level >= 3 && !taken.texts ? {} : TEXTS;
  const devices = taken.devices.map((machineId) => ({
    machineId,
    name: taken.wrongName ? 'somebody-elses' : `pc-${machineId}.${customerId}.example`,
  }));
  return {
    level,
    judgement: 'true-positive',
    ...texts,
    ...(level === 4 && devices.length > 0 ? { devices } : {}),
    ...(taken.servers === '' ? {} : { servers: taken.servers }),
  };
}

function repeated(process: IncidentProcess): unknown {
  const verdict = currentVerdict(process.record);
  if (verdict === undefined) return {};
  const { level, judgement, texts, servers } = verdict;
  const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== null));
  return { level, judgement, ...given, ...(servers === null ? {} : { servers }) };
}

/** Lets one thing happen. */
function take(model: Model, taken: Step): void {
  // Two things never happen at quite the same moment.
  model.nowMs += 1_000;
  const process = 'who' in taken ? model.incidents[taken.who % model.incidents.length] : undefined;
  switch (taken.do) {
    case 'deliver':
      model.deliver(taken.place, taken.twice);
      if (taken.pump) model.pump();
      return;
    case 'pump':
      model.pump();
      return;
    case 'flow':
      model.flow();
      return;
    case 'continue-as-new':
      model.continueAsNew();
      return;
    case 'look-ups':
      model.areLookUpsDown = !model.areLookUpsDown;
      for (const incident of model.incidents) for (const machineId of [...incident.awaited]) incident.learn(machineId);
      return;
    case 'wait':
      model.wait(taken.minutes);
      return;
    case 'sleep':
      model.sleep(taken.minutes);
      return;
    case 'defender': {
      const devices = [...model.devices.values()];
      devices[taken.place % Math.max(1, devices.length)]?.turn(taken.how);
      return;
    }
    case 'action': {
      const machines = [...model.machines.values()];
      const machine = machines[taken.place % Math.max(1, machines.length)];
      if (machine !== undefined) model.endActions(machine, taken.status);
      return;
    }
    default:
      break;
  }
  if (process === undefined) return;
  switch (taken.do) {
    case 'run':
      if (!process.hasEnded) process.run(taken.parts);
      return;
    case 'triage':
      model.triage(process, verdictOf(process, taken));
      return;
    case 'again':
      model.triage(process, repeated(process));
      return;
    case 'escalate':
      model.escalate(process);
      return;
    case 'release':
      model.release(process);
      return;
    case 'release-device':
      model.releaseDevice(process.record.customerId, 'm1');
      return;
    case 'close':
      model.close(process);
      return;
    case 'reopen':
      model.reopen(process);
      return;
    case 'mail': {
      const [dutyId] = process.mails.keys();
      if (dutyId !== undefined) process.settleMail(dutyId, taken.how);
      return;
    }
    case 'phone':
      model.phoneOf(process.record.customerId).turn(taken.how);
      return;
    case 'news': {
      const evidence =
        taken.state === 'plain'
          ? []
          : [
              {
                entityType: 'File',
                ...(taken.state === 'prevented' ? { detectionStatus: 'Prevented' } : { remediationStatus: 'Active' }),
              },
            ];
      model.news(process, { severity: taken.severity, evidence });
      return;
    }
    case 'tuning': {
      const from = toInstant(model.nowMs + taken.inMinutes * MINUTE_MS);
      const until = toInstant(toMs(from) + 10 * HOUR_MINUTES * MINUTE_MS);
      model.setTuning(process.record.customerId, taken.begins ? [{ from, until }] : []);
    }
  }
}

interface Look {
  watch?: (model: Model) => Watcher;
  /** After every step. */
  after?: (model: Model) => void;
  /** When everything outside has worked for long enough; devices may have been offline. */
  areDevicesOffline?: boolean;
  settled?: (model: Model) => void;
}

function always(look: () => Look): void {
  fc.assert(
    fc.property(
      fc.constantFrom(...BEGINNINGS),
      fc.array(step, { minLength: 5, maxLength: 50, size: 'max' }),
      (beginning, rest) => {
        const { watch, after, settled, areDevicesOffline } = look();
        const model = new Model();
        model.watcher = watch?.(model) ?? {};
        for (const taken of [...beginning, ...rest]) {
          take(model, taken);
          after?.(model);
        }
        if (settled === undefined) return;
        model.settle(areDevicesOffline !== true);
        settled(model);
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
}

/** The customer's own devices on which an incident acts. */
function incidentsOn(model: Model, customerId: string, machineId: string): IncidentProcess[] {
  return model.incidents.filter(
    ({ record }) => record.customerId === customerId && record.devices.some((device) => device.machineId === machineId),
  );
}

describe('whatever happens to incidents, devices and telephones, in whatever order', function () {
  this.timeout(Math.max(60_000, RUNS * 600));

  it('no device is isolated in a tuning period, and none is asked for that was judged in one', () => {
    always(() => ({
      watch: (model) => ({
        post({ type, customerId, atMs }) {
          if (type !== 'Isolate') return;
          const { tuningPeriods } = model.policyFor(customerId).customer;
          assert.equal(tuningPeriodAt(tuningPeriods, toInstant(atMs)), undefined);
        },
        asked(record, { target }, { want }) {
          if (want !== 'isolate') return;
          const judgedAt = target?.judged?.at ?? '';
          assert.equal(tuningPeriodAt(record.policy?.customer.tuningPeriods ?? [], judgedAt), undefined);
        },
      }),
    }));
  });

  it('no isolation stays under way into a tuning period', () => {
    always(() => ({
      areDevicesOffline: true,
      settled(model) {
        for (const { customerId, machineId } of model.posts) {
          const { tuningPeriods } = model.policyFor(customerId).customer;
          // An incident goes by what it last read of the periods: one that was set at this moment it has not read.
          const known = incidentsOn(model, customerId, machineId).every(
            ({ record }) => JSON.stringify(record.policy?.customer.tuningPeriods) === JSON.stringify(tuningPeriods),
          );
          if (!known || tuningPeriodAt(tuningPeriods, model.now) === undefined) continue;
          const running = model
            .machineOf(customerId, machineId)
            .actions.filter(({ type, status }) => type === 'Isolate' && ['Pending', 'InProgress'].includes(status));
          assert.deepEqual(running, []);
        }
      },
    }));
  });

  it('no device is released without an order for every incident that holds it', () => {
    always(() => ({
      watch: (model) => ({
        post({ type, customerId, machineId }) {
          if (type !== 'Unisolate') return;
          const device = model.deviceOf(customerId, machineId);
          // What is asked for while a release is under way is isolated after it.
          const holds = Object.entries(device.record?.holds ?? {}).filter(
            ([, { state }]) => !['wanted', 'failed', 'cancelled'].includes(state),
          );
          assert.ok(incidentsOn(model, customerId, machineId).some(({ id }) => model.instructed.has(device.key(id))));
          for (const [id] of holds) assert.ok(model.instructed.has(device.key(id)), `${id} was not asked`);
        },
      }),
    }));
  });

  it('a mail goes to the incident’s own customer or to the SOC, and names no other customer', () => {
    const foreign: Record<string, RegExp> = { acme: /globex/i, globex: /acme/i };
    always(() => ({
      watch: (model) => ({
        mail({ customerId, dutyId, rendered }) {
          const { customer, service } = model.policyFor(customerId);
          if (dutyId.startsWith('warn:')) {
            assert.deepEqual([rendered.to, rendered.cc], [[service.socMailTo], []]);
          } else {
            assert.deepEqual([rendered.to, rendered.cc], [customer.mail.to, customer.mail.cc]);
          }
          const { subject, letters } = rendered;
          assert.doesNotMatch(`${subject}\n${JSON.stringify(letters)}`, foreign[customerId] ?? /^$/);
        },
      }),
    }));
  });

  it('one mail has one Message-ID however often it is tried, and no two mails share one', () => {
    always(() => {
      const ids = new Map<string, string>();
      return {
        watch: () => ({
          mail({ incidentId, dutyId, messageId }) {
            const mail = `${incidentId} ${dutyId}`;
            assert.equal(ids.get(messageId) ?? mail, mail);
            ids.set(messageId, mail);
            assert.equal([...ids.values()].filter((known) => known === mail).length, 1);
          },
        }),
      };
    });
  });

  it('nothing owed is forgotten: once everything outside works, every duty settles', () => {
    always(() => ({
      settled(model) {
        for (const { record, mails } of model.incidents) {
          const all = duties(record);
          const waitsForText = all.some(({ reason }) => reason === 'awaiting-text');
          const open = all.filter(
            ({ status, reason }) => !isSettled({ status }) && !(waitsForText && /^awaiting-/.test(reason ?? '')),
          );
          assert.deepEqual(open, [], record.incidentId);
          assert.equal(mails.size, 0);
          const stage = stageOf(record);
          assert.ok(stage !== 'responding' || waitsForText, `${record.incidentId} ${stage}`);
        }
      },
    }));
  });

  it('an isolation is done just when Defender really had the device isolated, and what is isolated is held by somebody', () => {
    always(() => ({
      settled(model) {
        for (const [key, machine] of model.machines) {
          const [customerId = '', machineId = ''] = key.split('/');
          const holders = incidentsOn(model, customerId, machineId).filter(({ record }) => {
            const device = record.devices.find((entry) => entry.machineId === machineId);
            return ['isolated', 'release-failed'].includes(device?.report?.hold.state ?? '');
          });
          assert.equal(holders.length > 0, machine.isolated, `${key}: isolated ${String(machine.isolated)}`);
          for (const { record } of incidentsOn(model, customerId, machineId)) {
            const device = record.devices.find((entry) => entry.machineId === machineId);
            const isolatedAt = device?.target?.isolatedAt;
            if (isolatedAt != null) assert.ok(machine.everIsolatedAt.includes(isolatedAt), `${key} ${isolatedAt}`);
            const duty = duties(record).find(({ id }) => id === `isolate:${machineId}`);
            if (duty?.status === 'done') assert.ok(machine.everIsolatedAt.length > 0);
          }
        }
      },
    }));
  });

  it('level 1 contacts nobody who was not told before and whose device was not isolated', () => {
    always(() => {
      const everIsolated = (record: IncidentProcess['record']) =>
        record.devices.some(({ target, order }) => target?.isolatedAt != null || order !== null);
      return {
        watch: () => ({
          mail({ dutyId, record }) {
            if (dutyId.startsWith('warn:') || currentVerdict(record)?.level !== 1) return;
            const told = customerTold(record) || record.effects['mail:primary'] !== undefined;
            const isolationTold = dutyId.startsWith('mail:isolation-result');
            assert.ok(told || everIsolated(record) || isolationTold, dutyId);
          },
          fact(_, fact, after) {
            if (fact.type === 'phone-asked' && fact.want === 'ring') assert.equal(currentVerdict(after)?.level, 4);
          },
        }),
      };
    });
  });

  it('no device is isolated but by a verdict of 3 or 4 that names it, a server only on the analyst’s word', () => {
    always(() => ({
      watch: (model) => ({
        post({ type, customerId, machineId }) {
          if (type !== 'Isolate') return;
          const named = incidentsOn(model, customerId, machineId).flatMap(({ record }) =>
            record.verdicts.filter(({ level, machineIds }) => level >= 3 && machineIds.includes(machineId)),
          );
          assert.ok(named.length > 0);
          if (machineId === 'srv') assert.ok(named.some(({ servers }) => servers === 'isolate'));
        },
        asked(record, { machineId, claimedName }, { want }) {
          if (want !== 'isolate') return;
          const verdict = currentVerdict(record);
          assert.ok((verdict?.level ?? 0) >= 3);
          assert.ok(verdict?.machineIds.includes(machineId));
          if (machineId === 'srv') assert.equal(verdict?.servers, 'isolate');
          assert.notEqual(claimedName, 'somebody-elses');
        },
      }),
    }));
  });

  it('the timeline only grows, and the revision with it', () => {
    always(() => ({
      watch: () => ({
        fact(before, _, after) {
          assert.deepEqual(after.timeline.slice(0, before.timeline.length), before.timeline);
          assert.ok(after.revision >= before.revision);
          if (after.timeline.length > before.timeline.length) assert.ok(after.revision > before.revision);
        },
      }),
    }));
  });

  it('a breach at level 3 or 4 never goes away', () => {
    always(() => {
      const breached = new Set<string>();
      return {
        after(model) {
          for (const { record, id } of model.incidents) {
            const { state } = slo(record, model.now);
            if (breached.has(id)) assert.equal(state, 'breached', id);
            if (state === 'breached' && (currentVerdict(record)?.level ?? 0) >= 3) breached.add(id);
          }
        },
      };
    });
  });

  it('a device has one action under way at a time, and none for what is already so', () => {
    always(() => ({
      watch: () => ({
        post({ besideAnother, isNeedless, machineId }) {
          assert.ok(!besideAnother && !isNeedless, machineId);
        },
      }),
    }));
  });

  it('an incident is not rung for once the customer has acknowledged it', () => {
    always(() => {
      const acknowledged = new Set<string>();
      const look = (model: Model) => {
        for (const phone of model.phones.values()) {
          for (const [id, { outcome }] of Object.entries(phone.record?.asks ?? {})) {
            if (outcome === 'acknowledged') acknowledged.add(id);
          }
        }
      };
      return {
        watch: (model) => ({
          call(customerId) {
            look(model);
            const asks = Object.entries(model.phoneOf(customerId).record?.asks ?? {});
            const rungFor = asks.filter(([, { outcome }]) => outcome === 'ringing').map(([id]) => id);
            assert.ok(rungFor.length > 0, 'a call for nobody');
            assert.ok(
              rungFor.some((id) => !acknowledged.has(id)),
              `${rungFor.join()} acknowledged before`,
            );
          },
        }),
        after: look,
      };
    });
  });

  it('no straggling request isolates a device that its incident has given up', () => {
    always(() => ({
      watch: (model) => ({
        post({ type, customerId, machineId }) {
          if (type !== 'Isolate') return;
          const device = model.deviceOf(customerId, machineId);
          // A request that is being called off may reach Defender before it hears of that.
          if (device.job?.isInterrupted === true) return;
          const wanting = incidentsOn(model, customerId, machineId).filter(
            ({ id }) => model.intents.get(device.key(id)) === 'isolate',
          );
          assert.ok(wanting.length > 0, `nobody wants ${machineId} isolated`);
        },
      }),
    }));
  });

  it('a record that was written down and read again goes on just as before', () => {
    always(() => ({
      watch: () => ({
        fact(before, fact, after, at) {
          assert.equal(JSON.stringify(evolve(roundTrip(before), roundTrip(fact), at)), JSON.stringify(after));
          assert.equal(JSON.stringify(duties(roundTrip(after))), JSON.stringify(duties(after)));
        },
      }),
    }));
  });
});
