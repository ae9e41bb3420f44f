import assert from 'node:assert/strict';
import { flood } from './flood.js';

/*
 * The short form of the flood; `npm run chaos -- --only flood` has thousands of alerts.
 */

describe('hundreds of alerts at once, while worker and Temporal are killed', function () {
  this.timeout(480_000);

  it('open what is in scope, once, and leave everything else ended with its reason', async () => {
    let asked = 0;
    const { findings, throttled } = await flood({
      alerts: 400,
      inScope: 12,
      // What is changed meanwhile moves to the end, and what was not read yet forward; and no answer holds them all.
      listed: { alertOrder: 'oldest-updated', alertsPerAnswer: 250 },
      changesAfterPages: [1, 2],
      kills: [
        { victims: ['temporal'], afterPages: 1 },
        { victims: ['worker'], afterPages: 0 },
      ],
      isThrottled: () => (asked += 1) % 3 === 0,
      random: Math.random,
      settleMs: 300_000,
    });
    assert.deepEqual(findings, []);
    assert.ok(throttled > 0);
  });
});
