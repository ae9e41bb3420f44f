import assert from 'node:assert/strict';
import { findings } from '../../src/domain/audit.js';
import { sightingOf, type Execution } from '../../src/temporal/executions.js';

const stopped: Execution = {
  type: 'incident',
  workflowId: 'incident:acme:a1',
  runId: 'r1',
  isOpen: false,
  stopped: 'Terminated',
  startedAtMs: 0,
  closedAtMs: 1,
  hasFailingTask: false,
  memo: {},
  isForgotten: false,
};
const told = (execution: Execution) => {
  const seen = sightingOf(execution);
  return seen === undefined ? [] : findings(seen, '2026-11-29T00:00:00.000Z').map(({ problem }) => problem);
};

describe('what the auditor makes of what nobody can read', () => {
  it('is told to the SOC where a key is only missing', () => assert.deepEqual(told(stopped), ['stopped']));

  it('is nothing where the customer was forgotten: it was ended on purpose', () => {
    assert.deepEqual(told({ ...stopped, isForgotten: true }), []);
  });

  it('is told where it goes on all the same, and cannot', () => {
    const open = { isOpen: true, stopped: null, closedAtMs: null, hasFailingTask: true };
    assert.deepEqual(told({ ...stopped, ...open, isForgotten: true }), ['stuck']);
  });
});
