import { z } from 'zod';
import { roundedAll, type Figure } from './figures.js';
import { ApiLife, verdict } from './lives.js';
import { paced, quantile } from './measure.js';
import { until, type Place } from './place.js';

/* How long somebody waits while alerts and verdicts come in steadily. */

export const PER_SECOND = 5;
const COUNT = 60;
const LOOK_EVERY_MS = 15;

const listSchema = z.object({ items: z.array(z.object({ id: z.string() })) });

function latency(id: string, what: string, mostMs: number, tookMs: readonly number[]): Figure {
  return {
    id,
    what,
    value: Math.round(quantile(tookMs, 0.95)),
    unit: 'ms',
    target: { most: mostMs },
    detail: roundedAll({
      p50Ms: quantile(tookMs, 0.5),
      p95Ms: quantile(tookMs, 0.95),
      maxMs: quantile(tookMs, 1),
      count: tookMs.length,
    }),
  };
}

/** From the alert's arrival at the API to its place in the list that an analyst looks at. */
export async function alertToList(place: Place): Promise<Figure> {
  const tookMs = await paced(PER_SECOND, await place.newCases(COUNT), async (aCase) => {
    const startedMs = performance.now();
    await new ApiLife(place, aCase).accept();
    const path = `/v1/incidents?customer=${aCase.customer.id}&limit=5`;
    await until(
      async () => listSchema.parse((await place.ask('GET', path)).body).items.some(({ id }) => id === aCase.incidentId),
      30_000,
      LOOK_EVERY_MS,
    );
    return performance.now() - startedMs;
  });
  return latency('alert-to-list', `alert → in the list, p95, at ${PER_SECOND} a second`, 300, tookMs);
}

/** From the verdict's arrival at the API to the isolate request's arrival at Defender. */
export async function verdictToIsolate(place: Place): Promise<Figure> {
  const cases = await place.newCases(COUNT);
  for (const aCase of cases) {
    const life = new ApiLife(place, aCase);
    await life.accept();
    await life.known();
  }
  const tookMs = await paced(PER_SECOND, cases, async (aCase) => {
    const asked = place.whenTold(`isolate ${aCase.machineId}`);
    const startedMs = performance.now();
    const answered = new ApiLife(place, aCase).command('triage', verdict(3));
    const [took] = await Promise.all([asked.then(() => performance.now() - startedMs), answered]);
    return took;
  });
  return latency(
    'verdict-to-isolate',
    `level-3 verdict → isolate request at Defender, p95, at ${PER_SECOND} a second`,
    300,
    tookMs,
  );
}

/** Verdicts on incidents, as many a second, or all at the same moment. */
export async function verdicts(
  place: Place,
  id: string,
  what: string,
  mostMs: number,
  cases: Awaited<ReturnType<Place['newCases']>>,
  perSecond?: number,
): Promise<Figure> {
  const judge = async (aCase: (typeof cases)[number]) => {
    const startedMs = performance.now();
    await new ApiLife(place, aCase).command('triage', verdict(1));
    return performance.now() - startedMs;
  };
  const tookMs = perSecond === undefined ? await Promise.all(cases.map(judge)) : await paced(perSecond, cases, judge);
  return latency(id, what, mostMs, tookMs);
}
