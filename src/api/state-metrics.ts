import { Gauge, type Registry } from 'prom-client';
import type { Logger } from 'pino';
import { sloStates } from '../domain/incident/slo.js';
import { stages, type Stage } from '../domain/incident/stage.js';
import { searchKeys } from '../domain/lists.js';
import { mailboxLagMs } from '../domain/mailbox/state.js';
import { SECOND_MS, toInstant } from '../domain/time.js';
import { readFeeds } from './feeds.js';
import { reach } from './gateway.js';
import { hasArchiver, hasAuditor, readiness } from './health.js';
import { equals } from './lists.js';
import { readMailbox } from './mailbox.js';
import type { ApiDeps } from './route.js';

/** However often it is asked for, Temporal is asked no more often than this. */
const LASTS_MS = 15 * SECOND_MS;

export const parts = ['temporal', 'worker', 'auditor', 'archiver', 'mailbox'] as const;
type Part = (typeof parts)[number];

/**
 * How the service stands, as Temporal shows it: also where no worker is up to say so. What cannot be read is left out, so
 * that nobody takes an old number for a present one.
 *
 * @returns brings the numbers up to date; never fails
 */
export function stateMetrics(registry: Registry, deps: ApiDeps, log: Logger): () => Promise<void> {
  const registers = [registry];
  const partUp = new Gauge({
    name: 'mimamori_part_up',
    help: 'Whether a part of the service is there: 1 or 0. Left out where nobody can tell.',
    labelNames: ['part'],
    registers,
  });
  const openIncidents = new Gauge({
    name: 'mimamori_open_incidents',
    help: 'Incidents that are not closed, by stage and by how their time target stands.',
    labelNames: ['stage', 'slo'],
    registers,
  });
  const feedUp = new Gauge({
    name: 'mimamori_feed_up',
    help: "Whether the workflow that reads a customer's alerts runs: 1 or 0.",
    labelNames: ['customer'],
    registers,
  });
  const feedLag = new Gauge({
    name: 'mimamori_feed_lag_seconds',
    help: "How far what is known of a customer's alerts lies behind.",
    labelNames: ['customer'],
    registers,
  });
  const mailboxLag = new Gauge({
    name: 'mimamori_mailbox_lag_seconds',
    help: 'Since when the inbox was not seen empty: for so long a mail may have waited.',
    registers,
  });

  function show(part: Part, isUp: boolean): void {
    partUp.set({ part }, Number(isUp));
  }

  async function readIncidents(): Promise<void> {
    openIncidents.reset();
    const counts: { stage: string; slo: string; count: number }[] = [];
    for (const stage of stages.filter((each) => each !== 'closed')) counts.push(...(await countOf(stage)));
    for (const { count, ...labels } of counts) openIncidents.set(labels, count);
  }

  function countOf(stage: Stage) {
    return Promise.all(
      sloStates.map(async (slo) => {
        const query = [
          `WorkflowType = 'incident' AND ExecutionStatus = 'Running'`,
          ...equals(searchKeys.stage, stage),
          ...equals(searchKeys.sloState, slo),
        ].join(' AND ');
        const { count } = await reach(deps, () => deps.client.workflow.count(query));
        return { stage, slo, count };
      }),
    );
  }

  async function readAllFeeds(): Promise<void> {
    feedUp.reset();
    feedLag.reset();
    for (const { customerId: customer, state, lagSeconds } of await readFeeds(deps, deps.policies.customerIds())) {
      feedUp.set({ customer }, Number(state === 'running'));
      if (lagSeconds !== null) feedLag.set({ customer }, lagSeconds);
    }
  }

  async function readTheMailbox(): Promise<void> {
    mailboxLag.remove();
    partUp.remove('mailbox');
    const { is, state } = await readMailbox(deps);
    // Without IMAP_URL nobody was ever to read one.
    if (is !== 'not-started') show('mailbox', is === 'running');
    if (state !== undefined) mailboxLag.set(mailboxLagMs(state, toInstant(Date.now())) / SECOND_MS);
  }

  function forget(): void {
    for (const gauge of [partUp, openIncidents, feedUp, feedLag]) gauge.reset();
    mailboxLag.remove();
  }

  async function read(): Promise<void> {
    const { temporal, worker } = await readiness(deps);
    if (!temporal) forget();
    show('temporal', temporal);
    if (!temporal) return;
    show('worker', worker);
    const looks = [
      hasAuditor(deps).then((isThere) => show('auditor', isThere)),
      hasArchiver(deps).then((isThere) => show('archiver', isThere)),
      readIncidents(),
      readAllFeeds(),
      readTheMailbox(),
    ];
    for (const look of await Promise.allSettled(looks)) {
      if (look.status === 'rejected') log.warn({ err: look.reason }, 'the metrics are not complete');
    }
  }

  forget();
  let latest: { readAtMs: number; reading: Promise<void> } | undefined;
  return () => {
    if (latest === undefined || Date.now() - latest.readAtMs >= LASTS_MS) {
      latest = { readAtMs: Date.now(), reading: read() };
    }
    return latest.reading;
  };
}
