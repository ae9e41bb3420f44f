import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { z } from 'zod';
import { PATHS } from './paths.js';
import { workflowBundle } from '../support/temporal.js';
import { versionBefore } from '../support/versions.js';
import { testConverter } from '../support/keys.js';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));

const eventSchema = z.looseObject({ eventId: z.string(), eventType: z.string() });
const keptSchema = z.object({ workflowId: z.string(), history: z.object({ events: z.array(eventSchema) }) });
type Kept = z.infer<typeof keptSchema>;
type HistoryEvent = z.infer<typeof eventSchema>;

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort();

function read(name: string): Kept {
  return keptSchema.parse(JSON.parse(readFileSync(`${folder}${name}`, 'utf8')));
}

/** The attributes of an event, whatever they are called. */
function attributesOf(event: HistoryEvent): Record<string, unknown> {
  const [, attributes] = Object.entries(event).find(([key]) => key.endsWith('EventAttributes')) ?? [];
  return z.record(z.string(), z.unknown()).parse(attributes ?? {});
}

/**
 * Two neighbouring events that the workflow's own commands made, in one step: the attributes for lists, and the memo.
 * No other event refers to either of them.
 */
function twoCommands(events: readonly HistoryEvent[]): [number, number] {
  const first = events.findIndex((event, index) => {
    const next = events[index + 1];
    return (
      event.eventType.endsWith('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES') &&
      next?.eventType.endsWith('WORKFLOW_PROPERTIES_MODIFIED') === true &&
      attributesOf(event)['workflowTaskCompletedEventId'] === attributesOf(next)['workflowTaskCompletedEventId']
    );
  });
  assert.ok(first >= 0, 'the history holds no such two events');
  return [first, first + 1];
}

describe('stored histories', function () {
  this.timeout(30_000);
  let options: ReplayWorkerOptions;
  before(async () => {
    const { code } = await workflowBundle();
    options = { workflowBundle: { code }, dataConverter: testConverter };
  });

  const replay = ({ workflowId, history }: Kept) => Worker.runReplayHistory(options, history, workflowId);

  it('are kept of every path', () => {
    const kept = new Set(names.map((name) => name.slice(0, name.indexOf('.'))));
    assert.deepEqual([...kept].sort(), Object.keys(PATHS).sort());
    for (const kind of ['incident', 'device', 'phone'])
      assert.ok(
        names.some((name) => name.includes(`.${kind}.`)),
        kind,
      );
  });

  it('tell nothing of who recorded them and where', () => {
    for (const name of names) {
      const text = readFileSync(`${folder}${name}`, 'utf8');
      assert.doesNotMatch(text, /"identity":"(?!recorder")/, name);
      assert.doesNotMatch(text, /node_modules|\/src\/|"\d+@/, name);
    }
  });

  for (const name of names) it(`replay: ${name.replace('.json', '')}`, () => replay(read(name)));

  it('fail the replay when the order of two commands has changed', async () => {
    const kept = read('level-3-released-closed.incident.json');
    const { events } = kept.history;
    const [first, second] = twoCommands(events);
    const [one, two] = [events[first], events[second]];
    assert.ok(one && two);
    events[first] = { ...two, eventId: one.eventId };
    events[second] = { ...one, eventId: two.eventId };
    await assert.rejects(replay(kept), DeterminismViolationError);
  });

  it('fail the replay when another activity was called', async () => {
    const kept = read('level-3-released-closed.device.json');
    const called = kept.history.events.find(({ eventType }) => eventType.endsWith('ACTIVITY_TASK_SCHEDULED'));
    assert.ok(called);
    const [key] = Object.keys(called).filter((name) => name.endsWith('EventAttributes'));
    assert.ok(key);
    called[key] = { ...attributesOf(called), activityType: { name: 'anotherActivity' } };
    await assert.rejects(replay(kept), DeterminismViolationError);
  });

  it('are gone on with by the version before only where it knows their ways', async function () {
    this.timeout(120_000);
    const before = await versionBefore();
    try {
      const { code } = await before.workflows();
      const byOld = ({ workflowId, history }: Kept) =>
        Worker.runReplayHistory({ ...options, workflowBundle: { code } }, history, workflowId);
      await byOld(read('level-3-released-closed.incident.json'));
      // It goes no step of its own, which would not fit: it fails the task, for a worker of the newer version to take.
      const newer = byOld(read('sparing-level-3-released-closed.incident.json'));
      await assert.rejects(newer, /workflow task failure.*Encoded failure/);
    } finally {
      before.discard();
    }
  });
});
