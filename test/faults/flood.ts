import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { AlertOrder } from '../../simulator/defender/odata-list.js';
import { startSimulator, type Moment, type Simulator } from '../../simulator/index.js';
import { listOf, send, until } from '../../simulator/testing.js';
import { feedSchema, type FeedView } from '../../src/domain/feed/view.js';
import { scopeOf } from '../../src/domain/incident/assessment.js';
import { incidentIdOf } from '../../src/domain/incident/record.js';
import type { IncidentWorkflow } from '../../src/workflows/messages.js';
import { Caller } from './kill-caller.js';
import { complaints } from './kill-findings.js';
import { Processes, type Victim } from './kill-processes.js';

/*
 * A tenant in a bad night: thousands of alerts, a few of them in scope, all of which change while the feed reads them, half of
 * its pages throttled, worker and Temporal killed. In the end it has to be as if nothing had been in the way.
 */

export interface FloodPlan {
  alerts: number;
  inScope: number;
  /** Every alert is changed once more as soon as so many pages have been answered. */
  changesAfterPages: readonly number[];
  /** Who dies, once how many more pages have been answered. */
  kills: readonly { victims: readonly Victim[]; afterPages: number }[];
  /** How Defender lists them. */
  listed: { alertOrder: AlertOrder; alertsPerAnswer: number };
  /** Is the feed's next page refused? */
  isThrottled: () => boolean;
  /** From 0 to below 1: the moments. */
  random: () => number;
  settleMs: number;
}

export interface Flood {
  findings: string[];
  counts: FeedView['alerts'];
  pages: number;
  throttled: number;
  lookUps: number;
  /** The most that an alert has cost which the alert alone keeps out of scope. */
  mostEvents: number;
  /** From the feed's start to everything in its place. */
  tookMs: number;
  kills: Processes['kills'];
}

const CUSTOMER = 'flooded';
const TENANT = '55555555-5555-4555-8555-555555555555';
const ALERTS_PATH = '/api/alerts';
/** The pauses before a kill, and until what was killed comes back. */
const KILL_WITHIN_MS = 1_500;
const DEAD_FOR_MS = 2_000;
const MOST_EVENTS = 8;
/** Scheduled, started, timed out. */
const EVENTS_OF_A_LOST_TASK = 3;
/** Look-ups of devices that go on at the same time: so many a kill of the worker may have done again. */
const LOOKED_UP_AT_ONCE = 8;
const RESULTS_AT_ONCE = 16;

const raisedSchema = z.object({
  alertIds: z.object({ inScope: z.array(z.string()), outOfScope: z.array(z.string()) }),
});
const alertsSchema = listOf(z.object({ id: z.string(), machineId: z.string(), lastUpdateTime: z.string() }));
const machinesSchema = listOf(z.object({ id: z.string(), osPlatform: z.string() }));
const requestsSchema = listOf(z.object({ method: z.string(), path: z.string() }));
const feedsSchema = listOf(feedSchema);

/** The pages that the feed is given, half of them refused. */
class Pages {
  answered = 0;
  throttled = 0;
  private isThrottled = false;
  private readonly waiting: { count: number; resolve: () => void }[] = [];

  constructor(private readonly isNextThrottled: () => boolean) {}

  /** The next one is refused. */
  async throttle(simulatorUrl: string): Promise<void> {
    this.isThrottled = true;
    const fault = { target: 'defender', path: ALERTS_PATH, status: 429, retryAfterSeconds: 1 };
    await send('POST', `${simulatorUrl}/sim/faults`, { json: fault });
  }

  async see(moment: Moment, simulatorUrl: string): Promise<void> {
    if (moment.kind !== 'request' || moment.path !== ALERTS_PATH || moment.phase !== 'done') return;
    if (this.isThrottled) this.throttled += 1;
    else this.answered += 1;
    this.isThrottled = false;
    if (this.isNextThrottled()) await this.throttle(simulatorUrl);
    for (const { count, resolve } of this.waiting) if (count <= this.answered) resolve();
  }

  until(count: number): Promise<void> {
    return count <= this.answered ? Promise.resolve() : new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}

export async function flood(plan: FloodPlan): Promise<Flood> {
  const pages = new Pages(plan.isThrottled);
  const simulator: Simulator = await startSimulator({
    watch: async (moment) => {
      await pages.see(moment, simulator.url);
      return 'go-on';
    },
  });
  try {
    const tenant = `${simulator.url}/sim/tenants/${TENANT}`;
    // By Defender's own limits the devices' look-ups alone would take an hour: the flood is to be the feed's.
    const callsPerMinute = 1_000_000;
    await send('PATCH', tenant, { json: { callsPerMinute, callsPerHour: 10 * callsPerMinute, ...plan.listed } });
    const { alerts: count, inScope } = plan;
    const raised = (await send('POST', `${tenant}/alerts/bulk`, { json: { count, inScope } })).json(raisedSchema);
    await pages.throttle(simulator.url);
    const processes = await Processes.start({ simulator, customers: [customer()], callsPerMinute });
    let isDone = false;
    try {
      const found = await outlive(plan, pages, simulator, processes, raised.alertIds);
      isDone = found.findings.length === 0;
      return found;
    } finally {
      await processes.stop();
      if (isDone) processes.forget();
    }
  } finally {
    await simulator.stop();
  }
}

function customer() {
  return {
    id: CUSTOMER,
    name: 'Flooded Ltd',
    language: 'en' as const,
    timeZone: 'Europe/London',
    defender: { tenantId: TENANT, pollIntervalSeconds: 5 },
    mail: { to: ['security@flooded.example'] },
    contacts: [{ id: 'jones', name: 'Alex Jones', phone: '+442079460101', mayInstruct: true, ringOrder: 1 }],
  };
}

function titleOf(version: number): string {
  return `Version ${version}`;
}

/** Changes and kills side by side while the feed reads, then what has become of it all. */
async function outlive(
  plan: FloodPlan,
  pages: Pages,
  simulator: Simulator,
  processes: Processes,
  alertIds: { inScope: string[]; outOfScope: string[] },
): Promise<Flood> {
  const startedMs = performance.now();
  const caller = new Caller(processes.url);
  const tenant = `${simulator.url}/sim/tenants/${TENANT}`;
  const change = async () => {
    for (const [index, count] of plan.changesAfterPages.entries()) {
      await pages.until(count);
      await pause(plan.random() * KILL_WITHIN_MS);
      await send('POST', `${tenant}/alerts/bulk-update`, { json: { changes: { title: titleOf(index + 1) } } });
    }
  };
  const kill = async () => {
    for (const { victims, afterPages } of plan.kills) {
      await pages.until(pages.answered + afterPages);
      await pause(plan.random() * KILL_WITHIN_MS);
      await Promise.all(victims.map((victim) => processes.kill(victim)));
      await pause(plan.random() * DEAD_FOR_MS);
      for (const victim of ['temporal', 'worker'] as const) {
        if (victims.includes(victim)) await processes.restart(victim);
      }
    }
  };
  await Promise.all([change(), kill()]);
  const { items: alerts } = (await send('GET', `${tenant}/alerts`)).json(alertsSchema);
  const changedAt = alerts.map(({ lastUpdateTime }) => Date.parse(lastUpdateTime)).reduce((a, b) => Math.max(a, b));
  const client = await processes.client();
  const feed = await until(
    'the feed has taken everything, and only what is in scope is open',
    async () => {
      const seen = feedsSchema.parse((await caller.send({ method: 'GET', path: '/v1/feeds' })).body).items[0];
      const isThrough = seen?.watermark != null && Date.parse(seen.watermark) >= changedAt && !seen.backlog;
      const open = await client.workflow.count("WorkflowType = 'incident' AND ExecutionStatus = 'Running'");
      if (isThrough && open.count === plan.inScope) return seen;
      await pause(200);
      return undefined;
    },
    plan.settleMs,
  );
  const tookMs = performance.now() - startedMs;
  const machines = (await send('GET', `${tenant}/machines`)).json(machinesSchema).items;
  const requests = (await send('GET', `${simulator.url}/sim/requests?target=defender`)).json(requestsSchema).items;
  const others = new Set(machines.filter(({ osPlatform }) => !osPlatform.startsWith('Windows')).map(({ id }) => id));
  const isIn = new Set(alertIds.inScope);
  const isLookedUp = ({ id, machineId }: (typeof alerts)[number]) => isIn.has(id) || others.has(machineId);
  const incidents = await incidentsOf(client);
  const alone = new Set(alerts.filter((alert) => !isLookedUp(alert)).map(({ id }) => incidentIdOf(CUSTOMER, id)));
  const looks = requests.flatMap(({ method, path }) =>
    method === 'GET' ? (/\/api\/machines\/([^/]+)$/.exec(path)?.[1] ?? []) : [],
  );
  const wanted = alerts.filter(isLookedUp);
  const mayBeLookedUp = new Set(wanted.map(({ machineId }) => machineId));
  const { kills } = processes;
  const mostLooks = wanted.length + LOOKED_UP_AT_ONCE * (kills.worker + kills.temporal);
  const mostEvents = await mostEventsOf(
    client,
    incidents.filter(({ id }) => alone.has(id)),
  );
  const opened = incidents.filter(({ isOpen }) => isOpen).map(({ id }) => id);
  const { seen, ...parts } = feed.alerts;
  const sum = Object.values(parts).reduce((sofar, part) => sofar + part, 0);
  const total = plan.alerts;
  const differs = (what: string, is: unknown, expected: unknown) =>
    JSON.stringify(is) === JSON.stringify(expected)
      ? []
      : [`${what}: ${JSON.stringify(is).slice(0, 300)} instead of ${JSON.stringify(expected).slice(0, 300)}`];
  // A list lags behind what it lists; what it comes to hold is compared below.
  const newest = { [titleOf(plan.changesAfterPages.length)]: plan.inScope };
  const isNewest = async () => (isDeepStrictEqual(await untriaged(caller), newest) ? true : undefined);
  await until('the list shows the newest', isNewest, 20_000).catch(() => undefined);
  const findings = [
    ...differs('incidents', incidents.length, total),
    ...differs('open', opened.sort(), alertIds.inScope.map((id) => incidentIdOf(CUSTOMER, id)).sort()),
    ...differs('waiting for triage with the newest content', await untriaged(caller), newest),
    ...(await withoutReason(client, incidents)),
    ...differs('the sum of what was seen', sum, seen),
    ...differs('opened, refused, rejected', [parts.opened, parts.refused, parts.rejected], [total, 0, 0]),
    ...(mostEvents > MOST_EVENTS ? [`an alert out of scope by itself has cost ${mostEvents} history events`] : []),
    ...looks.filter((id) => !mayBeLookedUp.has(id)).map((id) => `${id} was looked up for an alert out of scope`),
    ...(looks.length > mostLooks ? [`${looks.length} look-ups for ${wanted.length} alerts`] : []),
    ...processes.fallen,
    ...complaints(processes),
  ];
  return {
    ...{ findings, counts: feed.alerts, pages: pages.answered, throttled: pages.throttled, lookUps: looks.length },
    ...{ mostEvents, tookMs, kills },
  };
}

interface Found {
  id: string;
  runId: string;
  isOpen: boolean;
  events: number;
}

async function incidentsOf(client: Client): Promise<Found[]> {
  const found: Found[] = [];
  for await (const { workflowId, runId, status, historyLength } of client.workflow.list({
    query: "WorkflowType = 'incident'",
    pageSize: 1_000,
  })) {
    found.push({ id: workflowId, runId, isOpen: status.name === 'RUNNING', events: historyLength });
  }
  return found;
}

/** Of the one that has cost most, but for the tasks that a kill has taken from their worker and that were given out again. */
async function mostEventsOf(client: Client, incidents: readonly Found[]): Promise<number> {
  const counted = incidents.map(async ({ id, runId, events }) => {
    if (events <= MOST_EVENTS) return events;
    const { events: all } = await client.workflow.getHandle(id, runId).fetchHistory();
    const lost = (all ?? []).filter(
      ({ workflowTaskTimedOutEventAttributes: timedOut, workflowTaskFailedEventAttributes: failed }) =>
        timedOut != null || failed != null,
    );
    return events - EVENTS_OF_A_LOST_TASK * lost.length;
  });
  return (await Promise.all(counted)).reduce((most, events) => Math.max(most, events), 0);
}

/** How many incidents wait for an analyst, by their title. */
async function untriaged(caller: Caller): Promise<Record<string, number>> {
  const titles: Record<string, number> = {};
  let page = '';
  do {
    const path = `/v1/incidents?customer=${CUSTOMER}&stage=awaiting-triage&limit=200${page}`;
    const { body } = await caller.send({ method: 'GET', path });
    const items: { title: string }[] = body.items;
    for (const { title } of items) titles[title] = (titles[title] ?? 0) + 1;
    page = body.nextPageToken === undefined ? '' : `&pageToken=${body.nextPageToken}`;
  } while (page !== '');
  return titles;
}

/** Ended incidents whose record does not say why the alert is nothing for an analyst. */
async function withoutReason(client: Client, incidents: readonly Found[]): Promise<string[]> {
  const ended = incidents.filter(({ isOpen }) => !isOpen);
  const wrong: string[] = [];
  const lane = async () => {
    for (let one = ended.pop(); one !== undefined; one = ended.pop()) {
      const record = await client.workflow.getHandle<IncidentWorkflow>(one.id, one.runId).result();
      const { inScope, closeReason, explanation } = scopeOf(record);
      const hasReason = record.closed?.reason === closeReason && explanation.some(({ passed }) => !passed);
      if (inScope || !hasReason) wrong.push(`${one.id} was closed without a reason`);
    }
  };
  await Promise.all(Array.from({ length: RESULTS_AT_ONCE }, lane));
  return wrong;
}
