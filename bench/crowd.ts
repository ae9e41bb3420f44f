import type { Figure } from './figures.js';
import { ApiLife } from './lives.js';
import { atOnce } from './measure.js';
import { PER_SECOND, verdicts } from './latency.js';
import type { Place } from './place.js';

/* Many open incidents, and a worker that was killed. */

const OPEN = 5_000;
const QUIET_MS = 30_000;
const JUDGED = 100;
const AFTER_KILL = 50;
const QUEUED = 2_000;
const AT_ONCE = 16;
const MEGABYTE = 1_000_000;

async function accept(place: Place, count: number) {
  const cases = await place.newCases(count);
  await atOnce(AT_ONCE, cases, (aCase) => new ApiLife(place, aCase).accept());
  return cases;
}

/** What the worker holds of thousands of open incidents, and how fast an old one answers. */
export async function manyOpen(place: Place): Promise<Figure[]> {
  await place.restartWorker();
  const cases = await accept(place, OPEN);
  await place.atRest();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const memory: Figure = {
    id: 'memory',
    what: `${OPEN} open incidents after ${QUIET_MS / 1_000} s of quiet: the worker's memory`,
    value: Math.round(place.workerBytes / MEGABYTE),
    unit: 'MB',
    target: { most: 500 },
    detail: { open: OPEN },
  };
  const old = cases.slice(0, JUDGED);
  const judged = await verdicts(
    place,
    'old-verdicts',
    `then ${JUDGED} verdicts on old ones, p95`,
    500,
    old,
    PER_SECOND,
  );
  return [memory, judged];
}

/** Verdicts while a worker that was killed has just come back, without and with a backlog of alerts. */
export async function afterKill(place: Place): Promise<Figure[]> {
  const open = await accept(place, 3 * AFTER_KILL);
  for (const aCase of open) await new ApiLife(place, aCase).known();

  await place.stopWorker('SIGKILL');
  await place.startWorker();
  const straight = await verdicts(
    place,
    'after-kill-paced',
    `${AFTER_KILL} verdicts straight after kill -9 of the worker, ${PER_SECOND} a second, p95`,
    1_000,
    open.slice(0, AFTER_KILL),
    PER_SECOND,
  );

  await place.stopWorker('SIGKILL');
  await place.startWorker();
  const together = await verdicts(
    place,
    'after-kill',
    `${AFTER_KILL} verdicts straight after kill -9 of the worker, all at the same moment, p95`,
    1_000,
    open.slice(AFTER_KILL, 2 * AFTER_KILL),
  );

  await place.stopWorker('SIGKILL');
  const queued = await accept(place, QUEUED);
  await place.startWorker();
  const behind = await verdicts(
    place,
    'after-kill-queued',
    `${AFTER_KILL} verdicts straight after kill -9, all at the same moment, with ${QUEUED} alerts queued, p95`,
    5_000,
    open.slice(2 * AFTER_KILL),
  );
  await Promise.all(queued.slice(-AT_ONCE).map((aCase) => new ApiLife(place, aCase).known()));
  return [straight, together, behind];
}

/** From the start of a worker's process to the end of the first task that it has done. */
export async function workerStart(place: Place): Promise<Figure> {
  const tookMs: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    await place.stopWorker();
    const aCase = await place.newCase();
    await new ApiLife(place, aCase).accept();
    const handle = place.serviceClient.workflow.getHandle(aCase.incidentId);
    const startedMs = performance.now();
    const started = place.startWorker();
    await place.firstTaskOf(handle.workflowId);
    tookMs.push(performance.now() - startedMs);
    await started;
  }
  return {
    id: 'worker-start',
    what: 'worker: spawn → first task done (prebuilt bundle)',
    value: Math.round(Math.max(...tookMs)),
    unit: 'ms',
    target: { most: 2_000 },
    detail: Object.fromEntries(tookMs.map((ms, index) => [`start${index + 1}Ms`, Math.round(ms)])),
  };
}
