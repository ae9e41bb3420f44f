import assert from 'node:assert/strict';
import { Ground, killAtSteps, MAX_LIVES } from './kill-matrix.js';
import { outage } from './kill-outage.js';
import { victims, type Victim } from './kill-processes.js';
import { steps, type StepName } from './kill-steps.js';

/*
 * The short form of the kill matrix; `npm run chaos` kills every process at every step, and at random.
 */

const chosen: Record<Victim, StepName[]> = {
  worker: ['verdict sent', 'isolate taken', 'isolation pending', 'mail taken', 'call taken', 'unisolate taken'],
  api: ['alert sent', 'verdict sent', 'key pressed', 'release sent', 'close sent'],
  temporal: ['alert sent', 'isolate taken', 'mail taken', 'call taken', 'key pressed', 'release sent'],
};

describe('a process of the service is killed', function () {
  this.timeout(240_000);
  let ground: Ground;
  let failures = 0;
  before(async () => {
    ground = await Ground.open();
    await ground.compareWith();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') failures += 1;
  });
  after(async () => {
    await ground.close();
    if (failures === 0) ground.processes.forget();
  });

  for (const victim of victims) {
    it(`${victim}: every life goes on as if nothing had happened`, async () => {
      const cells = await killAtSteps(
        ground,
        [victim],
        steps.filter(({ name }) => chosen[victim].includes(name)),
      );
      assert.equal(cells.length, chosen[victim].length);
      assert.deepEqual(
        cells.filter(({ findings }) => findings.length > 0),
        [],
      );
    });
  }

  it('while Temporal is away every caller is told so, and no alert is lost or doubled afterwards', async () => {
    const { refusals } = await outage(ground, MAX_LIVES - 1, { lastsMs: 8_000, everyMs: 500 });
    assert.ok(refusals > 10);
  });

  it('nobody complained of anything but what was killed', () => {
    assert.deepEqual(ground.complaints(), []);
  });
});
