import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { startSimulator, type Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import { Collector, type Span } from '../support/otlp.js';
import { verdict } from '../support/house.js';
import { Caller } from './kill-caller.js';
import { castOf, customerOf } from './kill-cast.js';
import { Processes, TOKEN } from './kill-processes.js';

/* What a collector of traces is told of one alert by worker and API, as processes of their own. */

const PLANTED = 'planted-text-of-an-alert';

describe('the traces of a running service', function () {
  this.timeout(240_000);
  const cast = castOf(0);
  const id = `incident:${cast.customerId}:alert-traced`;
  let simulator: Simulator;
  let collector: Collector;
  let processes: Processes;
  let caller: Caller;
  let hasFailed = false;

  before(async () => {
    collector = await Collector.start();
    simulator = await startSimulator();
    processes = await Processes.start({
      simulator,
      customers: [customerOf(cast)],
      settings: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
        OTEL_BSP_SCHEDULE_DELAY: '100',
        LOG_LEVEL: 'debug',
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
    await collector.stop();
    if (!hasFailed) processes.forget();
  });

  /** The names from the request down to the span, once it has come. */
  function chain(what: string, holds: (span: Span) => boolean): Promise<Span[]> {
    return until(
      what,
      () => {
        const chains = collector.spans.filter(holds).map((span) => collector.chainTo(span));
        return chains.find(([first]) => first?.service === 'mimamori-api' && first.parentSpanId === undefined);
      },
      30_000,
    );
  }

  const namesOf = (spans: readonly Span[]) => spans.map(({ name }) => name);

  it('lead from the request with an alert to the look-up in Defender', async () => {
    const machineId = cast.machineIds[0];
    const json = { id: 'alert-traced', severity: 'High', title: PLANTED, description: PLANTED, machineId };
    const { text } = await send('POST', `${simulator.url}/sim/tenants/${cast.tenantId}/alerts`, { json });
    await caller.command(`/v1/customers/${cast.customerId}/alerts?${PLANTED}=1`, JSON.parse(text), [200, 201]);
    const spans = await chain(
      'the look-up',
      ({ name, attributes }) => name === 'Defender GET' && attributes['url.template'] === '/api/machines/{id}',
    );
    assert.deepEqual(namesOf(spans), [
      'POST /v1/customers/:customerId/alerts',
      'StartWorkflow incident',
      'RunWorkflow incident',
      'RunActivity lookUpMachine',
      'Defender GET',
    ]);
    assert.deepEqual(
      spans.map(({ service }) => service),
      ['mimamori-api', 'mimamori-api', 'mimamori-worker', 'mimamori-worker', 'mimamori-worker'],
    );
    const [request, sent, run, activity, call] = spans;
    assert.equal(request?.attributes['mimamori.customer_id'], cast.customerId);
    assert.equal(String(request.attributes['http.response.status_code']), '201');
    assert.match(String(request.attributes['mimamori.request_id']), /^[0-9a-f-]{36}$/);
    for (const each of [sent, run, activity]) assert.equal(each?.attributes['mimamori.incident_id'], id);
    assert.equal(String(call?.attributes['http.response.status_code']), '200');
  });

  it('lead from a verdict to the mail, the isolation and the telephone', async () => {
    await caller.command(`/v1/incidents/${encodeURIComponent(id)}/triage`, verdict(4, { analysis: PLANTED }), [200]);
    const mail = await chain('the mail', ({ name }) => name === 'SMTP send');
    assert.deepEqual(namesOf(mail), [
      'POST /v1/incidents/:id/triage',
      'UpdateWorkflow triage',
      'HandleUpdate triage',
      'RunActivity sendMail',
      'SMTP send',
    ]);
    const isolation = await chain(
      'the isolation',
      ({ attributes }) => attributes['url.template'] === '/api/machines/{id}/isolate',
    );
    assert.deepEqual(namesOf(isolation).slice(3, 5), ['RunActivity askDevice', 'SignalWithStartWorkflow request']);
    assert.deepEqual(namesOf(isolation).slice(-2), ['RunActivity requestIsolation', 'Defender POST']);
    const ringing = await chain('the telephone', ({ name }) => name === 'Twilio POST');
    assert.deepEqual(namesOf(ringing).slice(-2), ['RunActivity placeCall', 'Twilio POST']);
    assert.match(String(ringing.at(-1)?.attributes['url.template']), /^\/2010-04-01\/Accounts\/\{id\}\/Calls\.json$/);
  });

  it('begin with a customer’s mail in the mailbox', async () => {
    const [address = ''] = customerOf(cast).mail.to;
    const json = { from: address, subject: PLANTED, text: PLANTED };
    await send('POST', `${simulator.url}/sim/mails`, { json });
    const [taken, fetched] = await until('the mail is fetched', () =>
      collector.spans
        .filter(({ name }) => name === 'IMAP fetch')
        .map((span) => collector.chainTo(span))
        .find(({ length }) => length === 2),
    );
    assert.equal(taken?.name, 'TakeMail');
    assert.equal(taken.parentSpanId, undefined);
    await until('it is handed on', () =>
      collector.spans.find(({ name, traceId }) => traceId === fetched?.traceId && name.startsWith('RunWorkflow')),
    );
  });

  it('hold nothing of what was said, and of whom', () => {
    const all = collector.bodies.join('\n');
    const { mail, contacts = [], name } = customerOf(cast);
    const secrets = [PLANTED, TOKEN, 'Bearer', name, ...mail.to, ...contacts.map(({ phone }) => phone ?? '')];
    for (const secret of secrets.filter((each) => each !== '')) assert.ok(!all.includes(secret), secret);
    for (const machineId of cast.machineIds) assert.ok(!all.includes(machineId), machineId);
    assert.ok(!all.includes('@'), 'a mail address');
    assert.ok(collector.paths.every((path) => path === '/v1/traces'));
  });

  it('are named by the lines of the log', () => {
    const lines = readdirSync(processes.dataDir, { recursive: true, encoding: 'utf8' })
      .filter((file) => /(?:api|worker)[^/]*\.log$/.test(file))
      .flatMap((file) => readFileSync(join(processes.dataDir, file), 'utf8').split('\n'))
      .filter((line) => line.startsWith('{'));
    const lineSchema = z.looseObject({ traceId: z.string().optional() });
    const traced = lines
      .map((line) => lineSchema.parse(JSON.parse(line)))
      .filter(({ traceId }) => traceId !== undefined);
    const known = new Set(collector.spans.map(({ traceId }) => traceId));
    assert.ok(traced.some(({ audit, traceId }) => audit !== undefined && known.has(traceId ?? '')));
    assert.ok(traced.some(({ incidentId, traceId }) => incidentId === id && known.has(traceId ?? '')));
  });
});
