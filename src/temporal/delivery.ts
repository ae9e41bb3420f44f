import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isOlder, projectAlert, type AlertNews, type AlertRecord } from '../domain/alert.js';
import { ArchiveError, type Archive } from '../domain/archive/entry.js';
import type { DefenderAlert } from '../domain/defender.js';
import { advance } from '../domain/incident/advance.js';
import { scopeOf } from '../domain/incident/assessment.js';
import { evolve } from '../domain/incident/evolve.js';
import { openRecord } from '../domain/incident/opening.js';
import { currentVerdict, incidentIdOf, type IncidentRecord } from '../domain/incident/record.js';
import { stageOf, type Stage } from '../domain/incident/stage.js';
import type { Policy } from '../domain/policy.js';
import { keyErrorIn } from '../domain/sealing.js';
import { MINUTE_MS, toInstant, toMs } from '../domain/time.js';
import { alertUpdatedSignal } from '../workflows/messages.js';
import { findArchived, findArchivedPlace, recentHeads } from './archiver.js';
import { signalRunning } from './executions.js';
import type { FindExclusion } from './exclusions.js';
import { findIncident, memoSummary, startIncident, type Known, type Reach } from './incidents.js';
import { memoryMs } from './memory.js';

/** Between a look and a message the incident may end or begin; a few looks settle it. */
const MAX_LOOKS = 5;

/** What it takes to bring alerts to their incidents. */
export interface Delivery extends Reach {
  findExclusion: FindExclusion;
  archive: Pick<Archive, 'find' | 'findPlace' | 'at'>;
}

export type Delivered =
  | {
      is: 'opened' | 'updated' | 'unchanged';
      incidentId: string;
      stage: Stage;
      /** Where a feed has opened it, how many versions that had counted by then. */
      openedAfter?: number;
    }
  /** The incident's workflow was stopped from outside, and the content is new to it: it has nowhere to go. */
  | { is: 'stopped'; incidentId: string }
  /** It changes faster than it can be told; once more. */
  | { is: 'unsettled'; incidentId: string };

/** Does the alert belong to the customer's own tenant, as far as it says? */
export function isOfTenant(alert: DefenderAlert, { customer }: Policy): boolean {
  return alert.aadTenantId === undefined || alert.aadTenantId.toLowerCase() === customer.defender.tenantId;
}

/** Clocks differ by less. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/** A version that says to be from later than now would have every true one taken for older. */
function notFromTheFuture(alert: AlertRecord): AlertRecord {
  const nowMs = Date.now();
  const { lastUpdateAt } = alert;
  const isOfFuture = lastUpdateAt !== null && toMs(lastUpdateAt) > nowMs + CLOCK_SKEW_MS;
  return isOfFuture ? { ...alert, lastUpdateAt: toInstant(nowMs) } : alert;
}

/** The alert's version as an incident takes it; the same content has the same fingerprint. */
export function newsOf(alert: DefenderAlert): AlertNews {
  const projected = projectAlert(alert);
  // The hashes stand in the evidence too: an alert is not another one because they are kept apart now.
  const { fileHashes: _, ...content } = projected;
  return {
    alert: notFromTheFuture(projected),
    fingerprint: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
  };
}

async function openedRecord(
  { findExclusion }: Delivery,
  customerId: string,
  policy: Policy,
  news: AlertNews,
): Promise<IncidentRecord> {
  const { matchable } = news.alert;
  // Where nobody can be asked now, the incident's own workflow looks.
  const match = matchable === undefined ? undefined : await findExclusion(customerId, matchable).catch(() => undefined);
  const now = toInstant(Date.now());
  const exclusion = match === undefined ? null : { lookedFor: news.fingerprint, match };
  const opened = openRecord({ customerId, receivedAt: now, exclusion, ...news });
  return advance(evolve(opened, { type: 'policy-read', policy }, now), now);
}

/** Would this version leave an alert that the rules have closed closed for the very same findings? */
function changesNothing(record: IncidentRecord, next: IncidentRecord): boolean {
  if (record.closed === null || next.closed === null || currentVerdict(record) !== undefined) return false;
  // Whether an exclusion still holds, only another look tells.
  if (record.closed.reason === 'excluded') return false;
  return JSON.stringify(scopeOf(record)) === JSON.stringify(scopeOf(next));
}

/** Passes newer content on to an incident that has ended, with the record that it has ended with. */
async function passOnToEnded(
  reach: Reach,
  record: IncidentRecord,
  news: AlertNews,
): Promise<{ is: 'updated' | 'unchanged'; stage: Stage } | undefined> {
  if (record.fingerprint === news.fingerprint || isOlder(news.alert, record.alert)) {
    return { is: 'unchanged', stage: stageOf(record) };
  }
  const now = toInstant(Date.now());
  const next = advance(evolve(record, { type: 'alert-updated', ...news }, now), now);
  if (changesNothing(record, next)) return { is: 'unchanged', stage: stageOf(record) };
  const started = await startIncident(reach, record, { news, again: true });
  return started === 'exists' ? undefined : { is: 'updated', stage: stageOf(next) };
}

/** Passes newer content on to an incident that is there. */
async function passOn(reach: Reach, id: string, known: Known, news: AlertNews): Promise<Delivered | undefined> {
  const openedAfter = z.number().safeParse(known.description.memo?.['openedAfter']).data;
  const told = (is: 'updated' | 'unchanged', stage: Stage): Delivered => ({
    ...{ is, incidentId: id, stage },
    ...(openedAfter === undefined ? {} : { openedAfter }),
  });
  switch (known.state) {
    case 'running': {
      const { memo } = known.description;
      const stage = memoSummary(memo)?.stage ?? 'awaiting-triage';
      if (memo?.['fingerprint'] === news.fingerprint) return told('unchanged', stage);
      const isTold = await signalRunning(reach.client, id, alertUpdatedSignal, news);
      return isTold ? told('updated', stage) : undefined;
    }
    case 'ended': {
      const passed = await passOnToEnded(reach, known.record, news);
      return passed === undefined ? undefined : told(passed.is, passed.stage);
    }
    case 'stopped': {
      const { memo } = known.description;
      if (memo?.['fingerprint'] !== news.fingerprint) return { is: 'stopped', incidentId: id };
      return told('unchanged', memoSummary(memo)?.stage ?? 'awaiting-triage');
    }
  }
}

/** What the archive has of it, as Temporal may have forgotten it. Or nobody can tell now, and here is why. */
async function archivedOf<T>(
  { client }: Delivery,
  { alert }: AlertNews,
  search: Promise<T | undefined>,
): Promise<T | undefined | Error> {
  try {
    return await search;
  } catch (error) {
    const failure = error instanceof ArchiveError ? error : keyErrorIn(error);
    if (failure === undefined) throw error;
    // Of an alert that is so young Temporal itself remembers the incident.
    return Date.now() - toMs(alert.createdAt) < (await memoryMs(client)) ? undefined : failure;
  }
}

/**
 * Takes one version of an alert to its incident: a new one, the one that is there, or the one that is in the archive. Twice the
 * same version is `unchanged`. So is one that leaves an alert which the rules have closed closed for the same findings: it is not
 * written down, for no analyst ever had it.
 *
 * @throws ArchiveError, KeyMissing, SealBroken where the archive cannot tell, and Temporal alone may have forgotten the alert
 */
export async function deliver(
  reach: Delivery,
  customerId: string,
  policy: Policy,
  news: AlertNews,
  how: { opens: boolean; openedAfter?: number } = { opens: true },
): Promise<Delivered> {
  const id = incidentIdOf(customerId, news.alert.alertId);
  const searched = { archive: reach.archive, heads: () => recentHeads(reach.client) };
  async function open(): Promise<Delivered | undefined> {
    const record = await openedRecord(reach, customerId, policy, news);
    const { openedAfter } = how;
    const memo = openedAfter === undefined ? {} : { openedAfter };
    const started = await startIncident(reach, record, { again: false, memo });
    return started === 'started' ? { is: 'opened', incidentId: id, stage: stageOf(record) } : undefined;
  }

  const place = await archivedOf(reach, news, findArchivedPlace(searched, id));
  const opened = how.opens && place === undefined ? await open() : undefined;
  if (opened !== undefined) return opened;
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const known = await findIncident(reach.client, id);
    if (known !== undefined) {
      const delivered = await passOn(reach, id, known, news);
      if (delivered !== undefined) return delivered;
      continue;
    }
    if (place instanceof Error) throw place;
    // What Temporal knows comes first: only what it has forgotten has to be read.
    const archived = place && (await archivedOf(reach, news, findArchived(searched, id)));
    if (archived instanceof Error) throw archived;
    if (archived !== undefined) {
      const passed = await passOnToEnded(reach, archived.record, news);
      if (passed !== undefined) return { ...passed, incidentId: id };
    } else if (!how.opens) {
      break;
    } else if (place !== undefined) {
      const openedNow = await open();
      if (openedNow !== undefined) return openedNow;
    }
  }
  return { is: 'unsettled', incidentId: id };
}
