import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { CompleteAsyncError } from '@temporalio/activity';
import { Client, Connection, type WorkflowStartInput, type WorkflowStartOutput } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { z } from 'zod';
import { failureOf, feedActivities } from '../../src/activities/feed.js';
import { customersFileSchema } from '../../src/domain/customer.js';
import { rejectedSchema, rejectedWorkflowId } from '../../src/domain/feed/rejected.js';
import { feedStateSchema, openFeed, type FeedFailure, type FeedState } from '../../src/domain/feed/state.js';
import { incidentIdOf } from '../../src/domain/incident/record.js';
import { DAY_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import { USED_UP } from '../../src/integrations/defender/caller.js';
import { createDefenderClient, type DefenderClient } from '../../src/integrations/defender/client.js';
import { DefenderError, type DefenderErrorDetails } from '../../src/integrations/defender/errors.js';
import { SignInError } from '../../src/integrations/defender/sign-in.js';
import type { MailSender } from '../../src/integrations/mail/sender.js';
import { createPolicies } from '../../src/policy.js';
import { noArchive } from '../support/archive.js';
import { customersNamed, SERVICE } from '../support/house.js';
import { localServer } from '../support/temporal.js';
import { testConverter } from '../support/keys.js';

const refused = (details: Partial<DefenderErrorDetails>) =>
  new DefenderError('refused', { kind: 'rejected', mayHaveWorked: false, ...details });
const unforeseen = new TypeError('cannot read what is undefined');

/** What an activity says while it runs, outside of any Temporal server. */
function activityPlace(info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {}) {
  const logged: LogEntry[] = [];
  const logger = new DefaultLogger('INFO', (entry) => logged.push(entry));
  const place = new MockActivityEnvironment({ scheduledTimestampMs: Date.now(), ...info }, { logger });
  const beats: unknown[] = [];
  place.on('heartbeat', (details: unknown) => beats.push(details));
  return { place, logged, beats };
}

describe('what keeps a feed', () => {
  const cases: { what: string; error: unknown; failure: FeedFailure; isLogged?: boolean }[] = [
    {
      what: 'Entra refuses',
      error: new SignInError('expired', { kind: 'permanent', code: 'AADSTS7000222' }),
      failure: { code: 'AADSTS7000222', message: 'expired' },
    },
    {
      what: 'Defender refuses, and says why',
      error: refused({ kind: 'forbidden', code: 'Forbidden' }),
      failure: { code: 'Forbidden', message: 'refused', isTooLarge: false },
    },
    {
      what: 'Defender refuses, and does not say why',
      error: refused({ kind: 'unauthorized' }),
      failure: { code: 'unauthorized', message: 'refused', isTooLarge: false },
    },
    {
      what: 'Defender throttles',
      error: refused({ kind: 'throttled', code: 'TooManyRequests', retryAfterMs: 7_000 }),
      failure: { code: 'throttled', message: 'refused', retryAfterMs: 7_000, isTooLarge: false },
    },
    {
      what: 'an answer that is too large',
      error: refused({ kind: 'transient', code: 'ERR_BAD_RESPONSE' }),
      failure: { code: 'transient', message: 'refused', isTooLarge: true },
    },
    {
      what: 'a fault of the program',
      error: unforeseen,
      failure: { code: 'internal', message: unforeseen.message },
      isLogged: true,
    },
    {
      what: 'what is no error',
      error: 'thrown',
      failure: { code: 'internal', message: 'thrown' },
      isLogged: true,
    },
  ];
  for (const { what, error, failure, isLogged = false } of cases) {
    it(what, async () => {
      const { place, logged } = activityPlace();
      assert.deepEqual(await place.run(() => Promise.resolve(failureOf(error))), failure);
      assert.deepEqual(
        logged.map(({ level, meta }) => [level, meta?.['err']]),
        isLogged ? [['ERROR', error]] : [],
      );
    });
  }

  for (const signal of [new CancelledFailure('the worker stops'), new CompleteAsyncError()]) {
    it(`not what is Temporal’s own: ${signal.name}`, () => {
      assert.throws(() => failureOf(signal), signal);
    });
  }
});

describe('a poll', () => {
  const { customers } = customersFileSchema.parse({ customers: customersNamed('polled') });
  const [acme] = customers;
  assert.ok(acme);
  const customerId = acme.id;
  const beatSchema = z.tuple([feedStateSchema]).rest(feedStateSchema);

  const noMail: MailSender['send'] = () => Promise.reject(new Error('no mail goes out'));

  function activities(
    listAlerts: DefenderClient['listAlerts'],
    send = noMail,
    client = new Client({ connection: Connection.lazy() }),
  ) {
    const signIn = { token: () => Promise.resolve('token') };
    return feedActivities({
      client,
      taskQueue: 'polled',
      archive: noArchive,
      findExclusion: () => Promise.resolve(null),
      policies: createPolicies(customers, SERVICE),
      defender: { ...createDefenderClient({ signIn, timeoutMs: 1_000, maxInFlightPerTenant: 1 }), listAlerts },
      mail: { send, close: () => undefined },
      defaultApiBase: 'http://127.0.0.1',
      feedLookBackMs: DAY_MS,
    });
  }

  it('that meets a fault of the program is a trouble of its feed, and is polled again', async () => {
    const { place, logged, beats } = activityPlace();
    const { pollFeed } = activities(() => Promise.reject(unforeseen));
    await assert.rejects(
      place.run(() => pollFeed({ customerId, state: null })),
      (error) => error instanceof ApplicationFailure && error.type === 'PollAgain',
    );
    const { trouble } = beatSchema.parse(beats.reverse())[0];
    assert.deepEqual([trouble?.code, trouble?.message, trouble?.failures], ['internal', unforeseen.message, 1]);
    assert.equal(logged.length, 1);
  });

  it('that has to leave room for isolations is no trouble, and goes on when it may', async () => {
    const { place, beats } = activityPlace();
    const usedUp = refused({ kind: 'throttled', code: USED_UP, retryAfterMs: 7_000 });
    const { pollFeed } = activities(() => Promise.reject(usedUp));
    await assert.rejects(
      place.run(() => pollFeed({ customerId, state: null })),
      (error) => error instanceof ApplicationFailure && error.nextRetryDelay === 7_000,
    );
    assert.equal(beatSchema.parse(beats.reverse())[0].trouble, null);
  });

  it('tells of what was kept aside under one Message-ID, and another once its counts have begun anew', async () => {
    const sent: string[] = [];
    const { pollFeed } = activities(
      () => Promise.resolve({ rows: [], hasMore: false }),
      ({ messageId }) => {
        sent.push(messageId);
        return Promise.resolve({ acceptedAt: toInstant(Date.now()), response: '250 ok', rejected: [] });
      },
    );
    for (const startedAt of ['2026-11-24T00:00:00.000Z', '2026-11-24T00:00:00.000Z', '2026-11-25T00:00:00.000Z']) {
      const opened = openFeed(startedAt, DAY_MS);
      const state = { ...opened, counts: { ...opened.counts, seen: 1, rejected: 1 } };
      await assert.rejects(
        activityPlace().place.run(() => pollFeed({ customerId, state })),
        ApplicationFailure,
      );
    }
    const [first, again, anew] = sent;
    assert.equal(sent.length, 3);
    assert.equal(first, again);
    assert.notEqual(first, anew);
  });

  describe('of a page with one alert that cannot be taken', function () {
    this.timeout(60_000);
    const bad = `da${randomUUID()}_1`;
    const good = `da${randomUUID()}_1`;
    const at = toInstant(Date.now() - MINUTE_MS);
    const row = (id: string) => ({ id, alertCreationTime: at, lastUpdateTime: at, severity: 'High' });
    const rows = [row(bad), row(good)];
    const asWas = openFeed(toInstant(Date.now()), DAY_MS);
    let environment: TestWorkflowEnvironment;
    before(async () => {
      environment = await localServer();
    });

    /** A client of the real server that stumbles where it is to start the bad one. */
    function stumbling(error: Error): Client {
      const { connection, namespace } = environment;
      const stumble = <T>(workflowId: string | undefined, next: () => Promise<T>): Promise<T> =>
        workflowId?.endsWith(bad) === true ? Promise.reject(error) : next();
      const workflow = [
        {
          start: (input: WorkflowStartInput, next: (input: WorkflowStartInput) => Promise<string>) =>
            stumble(input.options.workflowId, () => next(input)),
          startWithDetails: (
            input: WorkflowStartInput,
            next: (input: WorkflowStartInput) => Promise<WorkflowStartOutput>,
          ) => stumble(input.options.workflowId, () => next(input)),
        },
      ];
      return new Client({
        connection,
        dataConverter: testConverter,
        ...(namespace === undefined ? {} : { namespace }),
        interceptors: { workflow },
      });
    }

    /** Where the feed stands after a poll, and how long it waits. */
    async function polled(client: Client, state: FeedState, listed = rows) {
      const { place, beats } = activityPlace();
      const { pollFeed } = activities(
        () => Promise.resolve({ rows: listed, hasMore: false }),
        () => Promise.resolve({ acceptedAt: at, response: '250 ok', rejected: [] }),
        client,
      );
      const error: unknown = await place
        .run(() => pollFeed({ customerId, state }))
        .then(
          () => undefined,
          (failure: unknown) => failure,
        );
      assert.ok(error instanceof ApplicationFailure);
      return { state: beatSchema.parse(beats.reverse())[0], delay: error.nextRetryDelay };
    }

    it('takes the others, tries that one again soon, and then keeps it aside and moves on', async () => {
      const client = stumbling(unforeseen);
      let state = asWas;
      for (const tries of [1, 2]) {
        const found = await polled(client, state);
        state = found.state;
        assert.deepEqual(state.failing[bad]?.tries, tries);
        assert.deepEqual(Object.keys(state.failing), [bad]);
        assert.deepEqual([state.watermark, state.lastSuccessAt, state.trouble], [asWas.watermark, null, null]);
        assert.equal(state.counts.opened, 1);
        assert.equal(found.delay, 5_000);
      }
      const handle = environment.client.workflow.getHandle(incidentIdOf(customerId, good));
      assert.equal((await handle.describe()).status.name, 'RUNNING');
      ({ state } = await polled(client, state));
      assert.deepEqual([state.failing, state.watermark, state.counts.rejected], [{}, at, 1]);
      const hash = createHash('sha256').update(JSON.stringify(rows[0])).digest('hex');
      const kept = environment.client.workflow.getHandle(rejectedWorkflowId(customerId, hash));
      const { reason, errors } = rejectedSchema.parse((await kept.describe()).memo?.['rejected']);
      assert.deepEqual([reason, errors], ['failing', [{ path: '', message: unforeseen.message }]]);
      await Promise.all([handle.terminate(), kept.terminate()]);
      // Once kept, it is known.
      assert.deepEqual((await polled(client, state)).state.counts, state.counts);
    });

    it('blames no alert while Temporal is away', async () => {
      const away = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'no connection', metadata: {} });
      const { state } = await polled(stumbling(away), asWas, [row(bad)]);
      assert.deepEqual([state.failing, state.watermark, state.trouble?.code], [{}, asWas.watermark, 'internal']);
      assert.equal(state.counts.rejected, 0);
    });
  });

  it('of an alert that cannot be read moves no further than that was changed', async () => {
    const { connection } = await localServer();
    const changedAt = toInstant(Date.now() - 5 * MINUTE_MS);
    for (const [lastUpdateTime, watermark] of [
      [changedAt, changedAt],
      ['yesterday', undefined],
      [7, undefined],
    ]) {
      const { place, beats } = activityPlace();
      const rows = [{ id: randomUUID(), lastUpdateTime }];
      const { pollFeed } = activities(
        () => Promise.resolve({ rows, hasMore: false }),
        () => Promise.resolve({ acceptedAt: changedAt, response: '250 ok', rejected: [] }),
        new Client({ connection, dataConverter: testConverter }),
      );
      const state = openFeed(toInstant(Date.now()), DAY_MS);
      await assert.rejects(
        place.run(() => pollFeed({ customerId, state })),
        ApplicationFailure,
      );
      const after = beatSchema.parse(beats.reverse())[0];
      assert.deepEqual([after.watermark, after.counts.rejected], [watermark ?? state.watermark, 1]);
    }
  });
});
