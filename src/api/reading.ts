import {
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import type { KnownRun } from '../temporal/known.js';
import { reach, type Gateway } from './gateway.js';
import { Problem } from './problem.js';

/** What a workflow has answered; or why not: it is not open (ended, stopped, none), or no worker has answered for it. */
export type Asked<View> = { is: 'answered'; view: View } | { is: 'not-open' } | { is: 'unanswered' };

export async function ask<View>(gateway: Gateway, query: () => Promise<View>): Promise<Asked<View>> {
  try {
    return { is: 'answered', view: await reach(gateway, query) };
  } catch (error) {
    if (error instanceof QueryRejectedError || error instanceof WorkflowNotFoundError) return { is: 'not-open' };
    if (error instanceof Problem && error.code === 'worker-unavailable') return { is: 'unanswered' };
    // What the SDK calls so is any failure of a query: the worker cannot read the workflow, and says why in its log.
    if (error instanceof QueryNotRegisteredError) return { is: 'unanswered' };
    throw error;
  }
}

export type Reading<View> =
  | { is: 'whole'; view: View }
  /** No worker answers, or it was stopped from outside: its memo has the last summary. */
  | { is: 'summary'; isStopped: boolean; description: WorkflowExecutionDescription };

/** Between being asked and being looked up a workflow may end, or be taken up again. */
const MAX_LOOKS = 3;

/**
 * Reads a workflow that ends with its record, however it stands; undefined where there is none. An open one is asked at once; only
 * what does not answer is looked up.
 */
export async function readRun<View, Record>(
  gateway: Gateway,
  run: {
    query: () => Promise<View>;
    find: () => Promise<KnownRun<Record> | undefined>;
    viewOf: (record: Record) => View;
  },
): Promise<Reading<View> | undefined> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const asked = await ask(gateway, run.query);
    if (asked.is === 'answered') return { is: 'whole', view: asked.view };
    const found = await reach(gateway, run.find);
    if (found === undefined) return undefined;
    const { state, description } = found;
    if (state === 'ended') return { is: 'whole', view: run.viewOf(found.record) };
    if (state === 'stopped' || asked.is === 'unanswered') {
      return { is: 'summary', isStopped: state === 'stopped', description };
    }
  }
  throw new Problem('worker-unavailable', 'It changes faster than it can be read; ask again.');
}
