import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import fc from 'fast-check';
import { escalationSchema, releaseSchema, type Level } from '../../src/domain/commands.js';
import { HOUR_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import {
  alertUpdatedSignal,
  closeUpdate,
  escalateUpdate,
  releaseUpdate,
  triageUpdate,
} from '../../src/workflows/messages.js';
import { alertOf, policyOf } from '../domain/life.js';
import { JumpingWorld, type JumpingIncident } from '../workflows/stub-outside.js';

/*
 * The real workflows, of which the worker keeps but one in memory: the others are replayed from their histories whenever
 * they have something to do.
 * Two incidents share a device. CHAOS_SEED makes other stories, CHAOS_LIVES more of them.
 */

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_124);
const LIVES = Number(process.env['CHAOS_LIVES'] ?? 3);

type Step =
  | { do: 'triage'; who: number; level: Level }
  | { do: 'release' | 'escalate' | 'close'; who: number }
  | { do: 'news'; who: number; severity: string }
  | { do: 'sleep'; minutes: number }
  | { do: 'online'; is: boolean };

const who = fc.nat({ max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('triage' as const), who, level: fc.constantFrom<Level>(1, 2, 3, 3, 4) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<'release' | 'escalate' | 'close'>('release', 'escalate', 'close'),
      who,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('news' as const), who, severity: fc.constantFrom('High', 'Medium') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), minutes: fc.integer({ min: 1, max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('online' as const), is: fc.boolean() }) },
);

describe('whatever is done to the real processes, replayed over and over', function () {
  this.timeout(Math.max(60_000, LIVES * 20_000));
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open({ maxCachedWorkflows: 1 });
    // Nobody to ring: a chain of calls would only take the time.
    world.policy = policyOf({
      id: world.customerId,
      contacts: [{ id: 'sato', name: '佐藤', mayInstruct: true }],
    });
  });
  after(() => world.close());

  /** Carries a command out; refused is an answer too. */
  async function tried(sending: Promise<void>): Promise<boolean> {
    try {
      await sending;
      return true;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return false;
      throw error;
    }
  }

  let lives = 0;

  async function live(story: readonly Step[]): Promise<void> {
    lives += 1;
    const machineId = `shared-${lives}`;
    const named = { machineId, computerDnsName: `${machineId}.example` };
    const incidents = [await world.alert(named), await world.alert({ ...named, severity: 'Medium' })];
    const released = new Set<string>();
    const raised = new Set<string>();
    const firstAction = world.actions.length;
    const firstMail = world.mails.length;

    async function take(taken: Step): Promise<void> {
      if (taken.do === 'sleep') return world.sleep(taken.minutes * MINUTE_MS);
      if (taken.do === 'online') {
        if (taken.is) world.offline.delete(machineId);
        else world.offline.add(machineId);
        return;
      }
      const incident = incidents[taken.who];
      assert.ok(incident !== undefined);
      switch (taken.do) {
        case 'triage': {
          const { revision } = await incident.view();
          const body = incident.triageBody(taken.level);
          const isTaken = await tried(incident.send(triageUpdate, body, { ifMatch: revision }));
          if (isTaken && taken.level >= 3) raised.add(incident.id);
          return;
        }
        case 'release': {
          const receivedAt = toInstant(await world.nowMs());
          const instruction = { by: 'sato', channel: 'mail', receivedAt, words: 'Give it back.' };
          if (await tried(incident.send(releaseUpdate, releaseSchema.parse({ instruction }))))
            released.add(incident.id);
          return;
        }
        case 'escalate':
          await tried(incident.send(escalateUpdate, escalationSchema.parse({ message: 'more to say' })));
          return;
        case 'close':
          await tried(incident.send(closeUpdate, { reason: 'done' }));
          return;
        case 'news': {
          const lastUpdateTime = toInstant(await world.nowMs());
          const alertId = incident.id.split(':').at(-1);
          const alert = alertOf({ ...named, id: alertId, severity: taken.severity, lastUpdateTime });
          const news = { alert, fingerprint: `${taken.severity} ${lastUpdateTime}` };
          await incident.handle.signal(alertUpdatedSignal, news);
          await incident.handle.signal(alertUpdatedSignal, news);
        }
      }
    }

    const before = incidents.map(() => [] as unknown[]);
    for (const taken of story) {
      await take(taken);
      for (const [index, incident] of incidents.entries()) {
        const { timeline: shown } = await incident.view();
        // A step that the server has not taken down yet may be shown, and is taken again a moment later.
        const timeline = shown.map(({ at: _, ...entry }) => entry);
        const known = before[index] ?? [];
        assert.deepEqual(timeline.slice(0, known.length), known, 'the timeline only grows');
        before[index] = timeline;
      }
    }
    world.offline.delete(machineId);
    await settled(incidents);

    const actions = world.actions.slice(firstAction).filter((action) => action.machineId === machineId);
    if (raised.size === 0) assert.deepEqual(actions, [], 'isolated without a verdict of 3 or 4');
    if (released.size === 0)
      assert.deepEqual(
        actions.filter(({ type }) => type === 'Unisolate'),
        [],
        'released unasked',
      );
    const ids = new Set(incidents.map(({ id }) => id));
    const mails = world.mails.slice(firstMail).filter(({ incidentId }) => ids.has(incidentId));
    for (const { mail, kind } of mails) {
      const allowed = kind.startsWith('soc-') ? world.policy.service.socMailTo : world.policy.customer.mail.to[0];
      assert.deepEqual(mail.to, [allowed]);
    }
    assert.equal(new Set(mails.map(({ mail }) => mail.messageId)).size, mails.length, 'a mail was sent twice');
  }

  async function settled(incidents: readonly JumpingIncident[]): Promise<void> {
    for (const incident of incidents) {
      const isOver = ({ stage }: Awaited<ReturnType<JumpingIncident['view']>>) => stage !== 'responding';
      const { stage, duties } = await incident.passUntil('settled', isOver, 5 * MINUTE_MS, 6 * HOUR_MS);
      if (stage === 'closed') assert.ok(duties.every(({ kind, status }) => kind !== 'isolate' || status !== 'running'));
    }
  }

  it('isolates and releases only as told, writes to nobody else, sends nothing twice, and comes to rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 9 }), live),
      // Each life takes seconds: the first that fails is shown as it is.
      { numRuns: LIVES, seed: SEED, endOnFailure: true },
    );
    assert.equal(lives, LIVES);
  });
});
