import type { Figure } from './figures.js';
import { ApiLife } from './lives.js';
import type { Place } from './place.js';

/* What one life costs in Temporal, counted from its histories. */

/**
 * What Temporal Cloud counts as an Action and a history shows: starts, timers, signals, updates, activities, search
 * attributes; local activities once for each workflow task that ran some. Queries are not in the history.
 */
const ACTIONS: ReadonlySet<string> = new Set([
  'workflowExecutionStartedEventAttributes',
  'timerStartedEventAttributes',
  'workflowExecutionSignaledEventAttributes',
  'workflowExecutionUpdateAcceptedEventAttributes',
  'activityTaskScheduledEventAttributes',
  'upsertWorkflowSearchAttributesEventAttributes',
]);

async function costOf(place: Place, workflowId: string): Promise<{ events: number; actions: number }> {
  const { events } = await place.client.workflow.getHandle(workflowId).fetchHistory();
  let actions = 0;
  let ranLocal = false;
  for (const event of events ?? []) {
    if (event.attributes !== undefined && ACTIONS.has(event.attributes)) actions += 1;
    if (event.markerRecordedEventAttributes != null && !ranLocal) {
      actions += 1;
      ranLocal = true;
    }
    if (event.workflowTaskStartedEventAttributes != null) ranLocal = false;
  }
  return { events: events?.length ?? 0, actions };
}

export async function cost(place: Place): Promise<Figure[]> {
  const one = await place.newCase();
  await new ApiLife(place, one).level1();
  const three = await place.newCase();
  await new ApiLife(place, three).level3();
  const [level1, level3, device] = await Promise.all([
    costOf(place, one.incidentId),
    costOf(place, three.incidentId),
    costOf(place, `device:${three.customer.id}:${three.machineId}`),
  ]);
  const events = (id: string, what: string, value: number, most: number): Figure => ({
    id,
    what: `history events: ${what}, until it is closed`,
    value,
    unit: 'events',
    target: { most },
    detail: {},
  });
  const actions = (id: string, what: string, value: number): Figure => ({
    id,
    what: `Temporal actions: ${what}`,
    value,
    unit: 'actions',
    detail: {},
  });
  return [
    events('events-level-1', 'a level-1 life', level1.events, 20),
    events('events-level-3', 'a level-3 life, incident', level3.events, 75),
    events('events-device', 'a level-3 life, device', device.events, 60),
    actions('actions-level-1', 'a level-1 life', level1.actions),
    actions('actions-level-3', 'a level-3 life, incident + device', level3.actions + device.actions),
  ];
}
