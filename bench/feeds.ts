import { z } from 'zod';
import { feedSchema, feedWorkflowId } from '../src/domain/feed/view.js';
import { roundedAll, type Figure } from './figures.js';
import { paced, quantile } from './measure.js';
import { Place, until, type Backend } from './place.js';

/*
 * What it costs to look into many tenants all the time, and how long an alert waits there until an analyst sees it.
 */

export const FEEDS_BACKEND: Backend = 'file';
const CUSTOMERS = 200;
/** The default, and the shortest. */
const POLLED_EVERY_SECONDS = [30, 5];
const QUIET_MS = 120_000;
const ALERTS = 100;
const LOOK_EVERY_MS = 100;
const MINUTE_MS = 60_000;

const feedsSchema = z.object({ items: z.array(feedSchema) });
const listSchema = z.object({ items: z.array(z.object({ id: z.string() })) });
const requestsSchema = z.object({ items: z.array(z.object({ path: z.string() })) });

export async function feeds(print: (line: string) => void): Promise<{ server: string; figures: Figure[] }> {
  const figures: Figure[] = [];
  let server = '';
  for (const pollIntervalSeconds of POLLED_EVERY_SECONDS) {
    const place = await Place.open(FEEDS_BACKEND, { customers: CUSTOMERS, pollIntervalSeconds });
    try {
      server = await place.serverVersion();
      await until(async () => (await lastSuccesses(place)).every((at) => at !== null), 120_000, 1_000);
      const taken = [...(await quiet(place, pollIntervalSeconds)), await alertToList(place, pollIntervalSeconds)];
      for (const { what, value, unit } of taken) print(`  ${what}: ${value} ${unit}`);
      figures.push(...taken);
    } finally {
      await place.close();
    }
  }
  return { server, figures };
}

async function lastSuccesses(place: Place): Promise<(string | null)[]> {
  const { items } = feedsSchema.parse((await place.ask('GET', '/v1/feeds')).body);
  return items.map(({ lastSuccessAt }) => lastSuccessAt);
}

async function historyEvents(place: Place): Promise<number> {
  const lengths = place.customers.map(async ({ id }) => {
    const { historyLength } = await place.serviceClient.workflow.getHandle(feedWorkflowId(id)).describe();
    return historyLength;
  });
  return (await Promise.all(lengths)).reduce((sum, length) => sum + length, 0);
}

async function polls(place: Place): Promise<number> {
  const { items } = requestsSchema.parse(await place.control('GET', 'requests?target=defender'));
  return items.filter(({ path }) => path === '/api/alerts').length;
}

/** While nothing comes in. */
async function quiet(place: Place, seconds: number): Promise<Figure[]> {
  const [eventsBefore, pollsBefore, cpuBefore] = [await historyEvents(place), await polls(place), place.cpuMs()];
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const minutes = (performance.now() - startedMs) / MINUTE_MS;
  const cpuAfter = place.cpuMs();
  const polled = (await polls(place)) - pollsBefore;
  const events = (await historyEvents(place)) - eventsBefore;
  const secondsOf = (name: string) => ((cpuAfter[name] ?? 0) - (cpuBefore[name] ?? 0)) / 1_000 / minutes;
  const every = `${CUSTOMERS} feeds, every ${seconds} s`;
  const figure = (id: string, what: string, value: number, rest: Pick<Figure, 'unit' | 'target' | 'detail'>) => ({
    ...{ id: `feeds-${seconds}-${id}`, what: `${every}: ${what}`, value: Number(value.toFixed(2)) },
    ...rest,
  });
  const unit = 's of CPU a minute';
  const each = (name: string) => roundedAll({ msEachPoll: (secondsOf(name) * 1_000 * minutes) / polled });
  return [
    figure('worker', 'the worker', secondsOf('worker'), { unit, detail: each('worker') }),
    figure('temporal', 'Temporal', secondsOf('temporal'), { unit, detail: each('temporal') }),
    figure('requests', 'requests at Defender', Math.round(polled / minutes), { unit: 'requests a minute', detail: {} }),
    figure('events', 'history events for a poll that brought nothing', events / polled, {
      ...{ unit: 'events', target: { most: 0 }, detail: { events, polls: polled } },
    }),
  ];
}

/** From an alert's appearance in Defender to its incident's in the list that an analyst looks at. */
async function alertToList(place: Place, seconds: number): Promise<Figure> {
  const seenAtMs = new Map<string, number>();
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      const { items } = listSchema.parse((await place.ask('GET', '/v1/incidents?limit=100')).body);
      const nowMs = performance.now();
      for (const { id } of items) if (!seenAtMs.has(id)) seenAtMs.set(id, nowMs);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  // So that they fall on all moments between two polls.
  const perSecond = ALERTS / (3.3 * Math.max(seconds, 10));
  const tookMs = await paced(perSecond, Array.from({ length: ALERTS }), async () => {
    const { customer, alert, incidentId } = await place.newCase();
    const startedMs = performance.now();
    await place.control('POST', `tenants/${customer.tenantId}/alerts`, alert);
    await until(() => Promise.resolve(seenAtMs.has(incidentId)), 120_000, LOOK_EVERY_MS);
    return (seenAtMs.get(incidentId) ?? Number.NaN) - startedMs;
  });
  over.abort();
  await looking;
  return {
    id: `feeds-${seconds}-alert-to-list`,
    what: `${CUSTOMERS} feeds, every ${seconds} s: alert raised in Defender → in the list, p95`,
    value: Math.round(quantile(tookMs, 0.95)),
    unit: 'ms',
    target: { most: (seconds + 1) * 1_000 },
    detail: roundedAll({
      p50Ms: quantile(tookMs, 0.5),
      p95Ms: quantile(tookMs, 0.95),
      maxMs: quantile(tookMs, 1),
      count: tookMs.length,
    }),
  };
}
