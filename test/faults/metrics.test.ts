import assert from 'node:assert/strict';
import { z } from 'zod';
import { startSimulator, type Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import { routes } from '../../src/api/app.js';
import { parts } from '../../src/api/state-metrics.js';
import { labelSets, measureNames, measures } from '../../src/domain/measures.js';
import { sloStates } from '../../src/domain/incident/slo.js';
import { stages } from '../../src/domain/incident/stage.js';
import { HOUR_MS, toInstant } from '../../src/domain/time.js';
import { Scrape } from '../support/scrape.js';
import { verdict } from '../support/house.js';
import { Caller } from './kill-caller.js';
import { castOf, customerOf, MACHINE_NAMES } from './kill-cast.js';
import { Life } from './kill-life.js';
import { freePort, Processes, TOKEN } from './kill-processes.js';

/*
 * What worker and API show to Prometheus while incidents go their way. Both are processes as `npm run build` makes them: the SDK has one
 * address for each process, and a worker that was killed replays in another.
 */

const logLineSchema = z.object({ workflowId: z.string(), incidentId: z.string().optional() });
const commandSchema = z.object({ audit: z.object({ requestId: z.string().min(1), path: z.string() }) });

describe('the metrics of a running service', function () {
  this.timeout(240_000);
  const cast = castOf(0);
  const second = { ...cast, alertId: 'alert-second' };
  const late = { ...cast, alertId: 'alert-late' };
  const path = (alertId: string, command: string) =>
    `/v1/incidents/${encodeURIComponent(`incident:${cast.customerId}:${alertId}`)}/${command}`;
  let simulator: Simulator;
  let processes: Processes;
  let caller: Caller;
  let ports: { api: number; worker: number };
  let hasFailed = false;

  before(async () => {
    ports = { api: await freePort(), worker: await freePort() };
    simulator = await startSimulator();
    processes = await Processes.start({
      simulator,
      customers: [customerOf(cast)],
      settings: {
        API_METRICS_PORT: String(ports.api),
        WORKER_METRICS_PORT: String(ports.worker),
        IMAP_URL: simulator.imapUrl,
      },
    });
    caller = new Caller(processes.url);
  });
  afterEach(function () {
    hasFailed ||= this.currentTest?.state === 'failed';
  });
  after(async () => {
    await processes.stop();
    await simulator.stop();
    if (!hasFailed) processes.forget();
  });

  /** Until the process shows all of that. */
  async function shows(which: keyof typeof ports, expected: [string, Record<string, string>, number | undefined][]) {
    let missing: unknown[] = [];
    const look = async () => {
      const scrape = await Scrape.of(ports[which]);
      missing = expected
        .map(([name, labels, value]) => ({ name, labels, value, is: scrape.sum(name, labels) }))
        .filter(({ value, is }) => value !== is);
      return missing.length === 0 ? scrape : undefined;
    };
    return until(`the metrics of the ${which}`, look, 40_000).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(missing)}`);
    });
  }

  /** Counters begin at zero, so that the first event is an increase. */
  function hasCountedNothing(scrape: Scrape): void {
    for (const name of measureNames) {
      const counted = measures[name].kind === 'counter' ? scrape.sum(name) : scrape.sum(`${name}_count`);
      assert.equal(counted, measures[name].kind === 'counter' ? 0 : undefined, name);
      for (const labels of labelSets(name)) assert.equal(scrape.sum(name, labels), counted, name);
    }
  }

  async function raise({ alertId }: { alertId: string }, more: Record<string, unknown> = {}): Promise<void> {
    const tenant = `${simulator.url}/sim/tenants/${cast.tenantId}`;
    const { text } = await send('POST', `${tenant}/alerts`, { json: { id: alertId, severity: 'High', ...more } });
    await caller.command(`/v1/customers/${cast.customerId}/alerts`, JSON.parse(text), [201]);
  }

  it('move with verdict, isolation, mail and call of an incident', async () => {
    hasCountedNothing(await Scrape.of(ports.worker));
    await new Life(cast, simulator, processes.url).run();
    const worker = await shows('worker', [
      ['mimamori_verdicts_total', {}, 1],
      ['mimamori_verdicts_total', { level: '4' }, 1],
      ['mimamori_time_to_verdict_seconds_count', {}, 1],
      ['mimamori_time_to_isolation_seconds_count', {}, 3],
      ['mimamori_calls_total', { outcome: 'no-answer' }, 1],
      ['mimamori_calls_total', { outcome: 'acknowledged' }, 1],
      ['mimamori_mails_total', {}, 4],
      ['mimamori_mails_total', { outcome: 'accepted' }, 4],
      ['mimamori_duties_failed_total', {}, 0],
    ]);
    // The buckets are ours, the target's own hours among them.
    const bounds = worker.samples.filter(({ name }) => name === 'mimamori_time_to_verdict_seconds_bucket');
    assert.ok(bounds.some(({ labels }) => labels['le'] === '10800'));
    const seconds = worker.sum('mimamori_time_to_verdict_seconds_sum') ?? -1;
    assert.ok(seconds >= 0 && seconds < 60, `${seconds} s to the verdict`);
    // The SDK's own stand beside them.
    for (const name of ['temporal_worker_task_slots_available', 'temporal_activity_schedule_to_start_latency_count']) {
      assert.ok((worker.sum(name) ?? 0) > 0, name);
    }
    assert.ok((worker.sum('temporal_workflow_task_schedule_to_start_latency_count') ?? 0) > 0);
  });

  it('move with what is open, fails, and comes too late', async () => {
    await raise(second);
    await raise(late, { alertCreationTime: toInstant(Date.now() - 4 * HOUR_MS), machineId: cast.machineIds[1] });
    await shows('api', [
      ['mimamori_open_incidents', { stage: 'awaiting-triage', slo: 'running' }, 1],
      ['mimamori_open_incidents', { stage: 'awaiting-triage', slo: 'breached' }, 1],
      ['mimamori_open_incidents', {}, 2],
      ['mimamori_part_up', { part: 'temporal' }, 1],
      ['mimamori_part_up', { part: 'worker' }, 1],
      ['mimamori_part_up', { part: 'auditor' }, 1],
      ['mimamori_part_up', { part: 'archiver' }, 1],
      ['mimamori_part_up', { part: 'mailbox' }, 1],
      ['mimamori_feed_up', { customer: cast.customerId }, 1],
    ]);
    const api = await Scrape.of(ports.api);
    const lags = [
      api.sum('mimamori_feed_lag_seconds', { customer: cast.customerId }),
      api.sum('mimamori_mailbox_lag_seconds'),
    ];
    for (const lag of lags) assert.ok(lag !== undefined && lag >= 0 && lag < 240, `a lag of ${lag} s`);
    const posted = api.sum('mimamori_api_requests_total', { route: '/v1/customers/:customerId/alerts', status: '201' });
    assert.equal(posted, 3);

    const fault = { target: 'smtp', path: cast.mailTo, times: 1, status: 550 };
    await send('POST', `${simulator.url}/sim/faults`, { json: fault });
    await caller.command(path(second.alertId, 'triage'), verdict(2), [200]);
    await shows('worker', [
      ['mimamori_breaches_total', {}, 1],
      ['mimamori_duties_failed_total', { kind: 'mail' }, 1],
      ['mimamori_mails_total', { outcome: 'refused' }, 1],
      ['mimamori_verdicts_total', { level: '2' }, 1],
      ['mimamori_time_to_verdict_seconds_count', {}, 2],
    ]);
  });

  it('have labels of which there are few, and name nobody', async () => {
    const [api, worker] = [await Scrape.of(ports.api), await Scrape.of(ports.worker)];
    const allowed: Record<string, readonly string[]> = {
      stage: stages,
      slo: sloStates,
      part: parts,
      customer: [cast.customerId],
      method: ['get', 'post', 'delete', 'other'],
      route: [
        ...routes.map((route) => route.path),
        '/healthz',
        '/readyz',
        '/webhooks/twilio/voice',
        '/webhooks/twilio/status',
        'none',
      ],
      status: ['200', '201', '204', '404', '503', 'gone'],
    };
    for (const { name, labels } of api.samples.filter((sample) => sample.name.startsWith('mimamori_'))) {
      for (const [label, value] of Object.entries(labels)) {
        if (label !== 'le') assert.ok(allowed[label]?.includes(value), `${name}: ${label}="${value}"`);
      }
    }
    const sdks: Record<string, readonly string[]> = {
      namespace: ['default'],
      taskQueue: ['mimamori'],
      workflowType: ['incident', 'phone'],
    };
    for (const { name, labels } of worker.samples.filter((sample) => sample.name.startsWith('mimamori_'))) {
      const own = Object.entries(measures).find(([measure]) => name.startsWith(measure))?.[1].labels ?? {};
      const values: Partial<Record<string, readonly string[]>> = { ...sdks, ...own };
      for (const [label, value] of Object.entries(labels)) {
        if (label !== 'le') assert.ok(values[label]?.includes(value), `${name}: ${label}="${value}"`);
      }
    }
    const personal = [
      ...[...cast.machineIds, ...cast.phones, cast.tenantId, cast.mailTo, cast.alertId, second.alertId],
      ...[...MACHINE_NAMES, 'Globex', 'Jones', 'jones', 'Smith', 'Suspicious', 'incident:', 'life.example', TOKEN],
      ...Object.values(simulator.credentials),
    ];
    for (const text of [api.text, worker.text]) {
      for (const word of personal) assert.ok(!text.includes(word), word);
    }
  });

  it('are on no other port and no other path', async () => {
    for (const url of [processes.url, `http://127.0.0.1:${ports.api}/v1`, `http://127.0.0.1:${ports.api}/healthz`]) {
      assert.equal((await fetch(`${url}/metrics`)).status, 404, url);
    }
  });

  it('are not counted again by a worker that replays what a killed one has done', async () => {
    // What is under way when it is killed is counted by the next one, and rightly so.
    const { workflow } = await processes.client();
    for (const { alertId } of [cast, second, late]) {
      await until(`all is done for ${alertId}`, async () => {
        const { raw } = await workflow.getHandle(`incident:${cast.customerId}:${alertId}`).describe();
        return (raw.pendingActivities ?? []).length === 0 && raw.pendingWorkflowTask == null ? true : undefined;
      });
    }
    await processes.kill('worker');
    await processes.restart('worker');
    await caller.command(path(second.alertId, 'notes'), { text: 'seen' }, [200]);
    hasCountedNothing(await Scrape.of(ports.worker));
  });

  it('leave out what nobody can tell', async () => {
    await processes.kill('temporal');
    const api = await shows('api', [
      ['mimamori_part_up', {}, 0],
      ['mimamori_part_up', { part: 'temporal' }, 0],
      ['mimamori_open_incidents', {}, undefined],
      ['mimamori_feed_lag_seconds', {}, undefined],
      ['mimamori_mailbox_lag_seconds', {}, undefined],
    ]);
    assert.ok((api.sum('mimamori_api_requests_total') ?? 0) > 0);
    await processes.restart('temporal');
    await shows('api', [['mimamori_open_incidents', { stage: 'awaiting-triage', slo: 'breached' }, 1]]);
  });

  it('are read beside a log that names incidents and requests', async () => {
    const fault = { target: 'smtp', path: cast.mailTo, times: 1, status: 451 };
    await send('POST', `${simulator.url}/sim/faults`, { json: fault });
    await caller.command(path(late.alertId, 'triage'), verdict(2), [200]);
    const ofIncidents = await until('a mail that is tried again is logged', () => {
      const found = entries('worker', logLineSchema).filter(({ workflowId }) => workflowId.startsWith('incident:'));
      return found.some(({ workflowId }) => workflowId.endsWith(late.alertId)) ? found : undefined;
    });
    for (const { workflowId, incidentId } of ofIncidents) assert.equal(incidentId, workflowId);
    const tries = (await Scrape.of(ports.worker)).sum('temporal_activity_execution_failed', {
      workflow_type: 'incident',
      activity_type: 'sendMail',
    });
    assert.ok(tries !== undefined && tries >= 1);
    const commands = entries('api', commandSchema);
    assert.ok(commands.some(({ audit }) => audit.path.includes(late.alertId)));
  });

  /** The lines of that form in a process' log. */
  function entries<Entry>(name: 'worker' | 'api', schema: z.ZodType<Entry>): Entry[] {
    return processes.log(name).flatMap((line) => {
      const parsed = line.startsWith('{') ? schema.safeParse(JSON.parse(line)) : undefined;
      return parsed?.data === undefined ? [] : [parsed.data];
    });
  }
});
