import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, Context, log } from '@temporalio/activity';
import { QueryRejectedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { wasNeverOpen, wasOpen } from '../domain/archive/belongs.js';
import { ArchiveError, ChainBroken, type Archive, type Head } from '../domain/archive/entry.js';
import {
  afterLook,
  afterTold,
  afterTrouble,
  afterUnreadable,
  archiverNews,
  ARCHIVER_ID,
  archiverStateSchema,
  hasWaitedForKeys,
  isArchiverCheckpointDue,
  openArchiver,
  windows,
  type ArchiverState,
} from '../domain/archive/state.js';
import { parseIncidentId, type IncidentRecord } from '../domain/incident/record.js';
import {
  incidentSummarySchema,
  incidentView,
  summaryOf,
  type IncidentSummary,
  type IncidentView,
} from '../domain/incident/view.js';
import { inquiryView } from '../domain/inquiry/view.js';
import { inquiryToAsk, wholeMails } from '../domain/inquiry/whole-mails.js';
import { searchKeys } from '../domain/lists.js';
import type { Outside } from '../domain/ports.js';
import { KeyMissing, keyErrorIn } from '../domain/sealing.js';
import { archiverMail } from '../domain/templates/archive-soc.js';
import { messageIdOf } from '../domain/templates/thread.js';
import { oneLine } from '../domain/text.js';
import { MINUTE_MS, toInstant, toMs } from '../domain/time.js';
import { bodyOf } from '../integrations/mail/body.js';
import type { MailSender } from '../integrations/mail/sender.js';
import type { Policies } from '../policy.js';
import { customersIn } from '../temporal/archiver.js';
import { listAll, type Execution } from '../temporal/executions.js';
import { findInquiry } from '../temporal/inquiries.js';
import { memoryMs } from '../temporal/memory.js';
import { incidentRecordQuery, inquiryQuery, type IncidentWorkflow } from '../workflows/messages.js';
import { alive, isTemporals } from './support.js';

export interface ArchiveDeps {
  client: Client;
  policies: Policies;
  mail: MailSender;
  archive: Archive;
  /** Between two looks. Default: a minute. */
  archiveEveryMs?: number;
  /** For the keys of what nobody can read. Default: a week. */
  waitsForKeysMs?: number;
}

/** Whose chains are written to at the same time; each chain has one writer here. */
const CUSTOMERS_AT_ONCE = 8;
/** Of what was seen to be in the archive, so that nobody asks again at the next look. */
const MOST_SEEN = 50_000;
/** In place of what was seen of an incident. */
const UNREADABLE = 'unreadable';

const CLOSED = [`WorkflowType = 'incident'`, `${searchKeys.stage.name} = 'closed'`];

interface Looked {
  appended: number;
  failures: unknown[];
  /** Was anything met that has ended and nobody can read? */
  hasUnreadable: boolean;
}

/** What lists show, but for the time. */
function digestOf({ updatedAt: _, ...shown }: IncidentSummary): string {
  return JSON.stringify(shown);
}

/** What Temporal holds of it cannot be read: its key is missing, or it was changed. */
class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

async function read<T>(reading: Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    const keyError = keyErrorIn(error);
    throw keyError === undefined ? error : new Unreadable(keyError.message, { cause: keyError });
  });
}

/** Then nothing can be put there, of whichever customer. */
function isAway(error: unknown): boolean {
  return error instanceof ArchiveError && !(error instanceof ChainBroken);
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), 300);
}

/** Puts closed incidents into the archive. */
export function archiveActivities(deps: ArchiveDeps): Pick<Outside, 'archiveClosed'> {
  const { client, policies, mail, archive, archiveEveryMs = MINUTE_MS, waitsForKeysMs } = deps;
  const { service } = policies;
  const seen = new Map<string, string>();

  function remember(id: string, stamp: string): void {
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.set(id, stamp);
  }

  function leave({ workflowId, isOpen }: Execution, { message }: Unreadable): void {
    if (seen.get(workflowId) === UNREADABLE) return;
    remember(workflowId, UNREADABLE);
    const what = isOpen ? 'is not archived before somebody can read it' : 'is given up';
    log.error(`an incident that cannot be read ${what}`, { incidentId: workflowId, why: message });
  }

  function isGivenUp({ closedAtMs }: Execution, state: ArchiverState): boolean {
    return closedAtMs !== null && hasWaitedForKeys(state, closedAtMs, toInstant(Date.now()), waitsForKeysMs);
  }

  /** Undefined where the run has gone on, or away, since it was listed: the next look finds what became of it. */
  async function recordOf({ workflowId, runId, isOpen }: Execution): Promise<IncidentRecord | undefined> {
    const handle = client.workflow.getHandle<IncidentWorkflow>(workflowId, runId);
    try {
      return isOpen ? await handle.query(incidentRecordQuery) : await handle.result();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof QueryRejectedError) return undefined;
      throw error;
    }
  }

  /** With the whole of the customer's mails, of which the incident keeps the beginning: Temporal forgets the inquiry too. */
  async function viewOf(record: IncidentRecord): Promise<IncidentView> {
    const view = incidentView(record, toInstant(Date.now()));
    const inquiryId = inquiryToAsk(view.customerMails);
    const known = inquiryId === undefined ? undefined : await findInquiry(client, inquiryId);
    if (inquiryId === undefined || known === undefined || known.state === 'stopped') return view;
    const inquiry =
      known.state === 'ended'
        ? inquiryView(known.record)
        : await client.workflow.getHandle(inquiryId).query(inquiryQuery);
    return { ...view, customerMails: wholeMails(view.customerMails, inquiry) };
  }

  /** Is what is in the archive of it what the list shows? An entry that Temporal does not hold yet proves nothing. */
  async function isArchived(
    execution: Execution,
    summary: IncidentSummary | undefined,
    held: Head | undefined,
  ): Promise<number | 'as-it-is'> {
    const there = await archive.findPlace(execution.workflowId);
    if (there === undefined || there.entry.seq > (held?.seq ?? 0)) return 0;
    const { run, revision } = there.entry;
    if (run.id !== execution.runId) return revision;
    if (run.hasEnded) return 'as-it-is';
    const before = execution.isOpen ? await archive.summaryOf(there.entry) : undefined;
    const isSame = before !== undefined && summary !== undefined && digestOf(before) === digestOf(summary);
    return isSame ? 'as-it-is' : revision;
  }

  /** Archives it where it is to be and is not, or not as it is now; true where it was put there. */
  async function consider(execution: Execution, state: ArchiverState): Promise<boolean> {
    const { workflowId, runId, isOpen } = execution;
    const summary = incidentSummarySchema.safeParse(execution.memo['summary']).data;
    if (summary !== undefined && wasNeverOpen(summary)) return false;
    const stamp = `${runId} ${isOpen} ${summary === undefined ? '' : digestOf(summary)}`;
    if (seen.get(workflowId) === stamp) return false;
    const held = state.heads[parseIncidentId(workflowId)?.customerId ?? ''];
    const archived = await isArchived(execution, summary, held);
    const record = archived === 'as-it-is' ? undefined : await read(recordOf(execution));
    if (archived !== 'as-it-is') {
      if (record === undefined || record.closed === null) return false;
      if (wasOpen(record) && record.revision > archived) {
        const { customerId } = record;
        const now = toInstant(Date.now());
        const { entry, sha256 } = await archive.append(
          {
            ...{ customerId, record, archivedAt: now },
            view: await read(viewOf(record)),
            summary: summaryOf(record, now),
            run: { id: runId, hasEnded: !isOpen },
          },
          state.heads[customerId],
        );
        state.heads[customerId] = { seq: entry.seq, sha256 };
        remember(workflowId, stamp);
        return true;
      }
    }
    remember(workflowId, stamp);
    return false;
  }

  /** Each customer's incidents one after the other; what keeps one customer's chain keeps no other's. */
  async function considerAll(
    executions: readonly Execution[],
    state: ArchiverState,
    signal: AbortSignal,
  ): Promise<Looked> {
    const ofCustomers = new Map<string, Execution[]>();
    for (const execution of executions) {
      const customerId = parseIncidentId(execution.workflowId)?.customerId ?? '';
      ofCustomers.set(customerId, [...(ofCustomers.get(customerId) ?? []), execution]);
    }
    let appended = 0;
    let hasUnreadable = false;
    const failures: unknown[] = [];
    const waiting = [...ofCustomers];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [customerId, theirs] = next;
        for (const execution of theirs) {
          signal.throwIfAborted();
          try {
            if (!(await consider(execution, state))) continue;
            appended += 1;
            Context.current().heartbeat(state);
          } catch (error) {
            if (isTemporals(error)) throw error;
            // Whose keys are gone is to be forgotten, and cannot be read any more.
            if (keyErrorIn(error) instanceof KeyMissing && policies.find(customerId) === undefined) continue;
            const isUnreadable = error instanceof Unreadable;
            hasUnreadable ||= isUnreadable && !execution.isOpen;
            // One that lingers is tried again until it ends.
            if (isUnreadable && (execution.isOpen || isGivenUp(execution, state))) {
              leave(execution, error);
              continue;
            }
            failures.push(error);
            log.warn('an incident could not be archived', { incidentId: execution.workflowId, err: error });
            if (error instanceof ChainBroken) break;
            if (isAway(error)) {
              waiting.length = 0;
              return;
            }
          }
        }
      }
    };
    await Promise.all(Array.from({ length: CUSTOMERS_AT_ONCE }, lane));
    return { appended, failures, hasUnreadable };
  }

  /** An archive that was there before this archiver: from now on its ends, as they are, are held at Temporal. */
  async function takeDownEnds(customers: readonly string[], state: ArchiverState): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const customerId of customers) {
      try {
        const end = await archive.tail(customerId);
        if (end !== undefined) state.heads[customerId] ??= { seq: end.entry.seq, sha256: end.sha256 };
      } catch (error) {
        if (!(error instanceof ChainBroken)) throw error;
        failures.push(error);
      }
    }
    return failures;
  }

  /**
   * One look at everything that is closed. `state.heads` grows as it goes; so does `state.endedThrough`, up to what could not be
   * archived.
   */
  async function look(state: ArchiverState, signal: AbortSignal): Promise<Looked> {
    const customers = await customersIn(archive, state.heads);
    const unknownEnds = state.lookedAt === null ? await takeDownEnds(customers, state) : [];
    const lingering = [...CLOSED, `ExecutionStatus = 'Running'`].join(' AND ');
    const found = await considerAll(await listAll(client, lingering), state, signal);
    found.failures.unshift(...unknownEnds);
    let isWhole = true;
    for (const { from, until } of windows(state, await memoryMs(client), toInstant(Date.now()))) {
      if (found.failures.some(isAway)) break;
      const ended = [
        ...CLOSED,
        `ExecutionStatus = 'Completed'`,
        `CloseTime >= '${from}'`,
        `CloseTime < '${until}'`,
      ].join(' AND ');
      const executions = await listAll(client, ended);
      executions.sort((a, b) => (a.closedAtMs ?? 0) - (b.closedAtMs ?? 0));
      const more = await considerAll(executions, state, signal);
      found.appended += more.appended;
      found.failures.push(...more.failures);
      found.hasUnreadable ||= more.hasUnreadable;
      isWhole &&= more.failures.length === 0;
      if (isWhole) state.endedThrough = until;
    }
    return found;
  }

  async function tellSoc(state: ArchiverState, signal: AbortSignal): Promise<ArchiverState> {
    const news = archiverNews(state, toInstant(Date.now()));
    if (news === undefined) return state;
    const { kind, letters, ...envelope } = archiverMail({ service, ...news });
    await mail.send(
      {
        ...envelope,
        ...bodyOf(letters),
        messageId: messageIdOf(
          ARCHIVER_ID,
          `warn:${news.isOver ? 'over' : 'trouble'}:${news.since}`,
          service.mailDomain,
        ),
        references: [],
        headers: { 'X-Mimamori-Kind': kind },
      },
      signal,
    );
    return afterTold(state, news);
  }

  return {
    async archiveClosed({ state: carried }) {
      const info = activityInfo();
      const heartbeat: unknown = info.heartbeatDetails;
      const given = archiverStateSchema.nullable().parse(carried);
      const stood = archiverStateSchema.safeParse(heartbeat).data ?? given ?? openArchiver();
      // What grows in a look is its own.
      let state: ArchiverState = { ...stood, heads: { ...stood.heads } };
      return alive(
        async (signal) => {
          // One that has just put something there ended, and this is the next.
          const dueMs = state.lookedAt === null ? 0 : toMs(state.lookedAt) + archiveEveryMs;
          if (info.attempt === 1 && dueMs > Date.now()) await sleep(dueMs - Date.now(), undefined, { signal });
          let appended = 0;
          let failed: unknown;
          try {
            const looked = await look(state, signal);
            appended = looked.appended;
            [failed] = looked.failures;
            if (looked.hasUnreadable) state = afterUnreadable(state, toInstant(Date.now()));
          } catch (error) {
            if (isTemporals(error) || signal.aborted) throw error;
            log.warn('nobody could look for what is to be archived', { err: error });
            failed = error;
          }
          const now = toInstant(Date.now());
          state = failed === undefined ? afterLook(state, now) : afterTrouble(state, messageOf(failed), now);
          state = await tellSoc(state, signal).catch((error: unknown) => {
            if (isTemporals(error)) throw error;
            return state;
          });
          Context.current().heartbeat(state);
          const isFirst = stood.lookedAt === null && state.lookedAt !== null;
          if (appended > 0 || isFirst || isArchiverCheckpointDue(toInstant(info.scheduledTimestampMs), now))
            return state;
          // A failure that is none: the next try is the next look, and costs no history.
          throw ApplicationFailure.create({
            type: 'NothingNew',
            message: state.trouble?.message ?? 'nothing new is closed',
            nextRetryDelay: archiveEveryMs,
            category: 'BENIGN',
          });
        },
        () => state,
      );
    },
  };
}
