import { allHandlersFinished, condition, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { needsExclusionLook, phoneWant } from '../domain/incident/asks.js';
import { incidentFacts } from '../domain/exclusion/incident-facts.js';
import { waitsForAddresses } from '../domain/incident/bounces.js';
import { incidentDetails } from '../domain/incident/details.js';
import { judgeRelease, judgeReleaseInstruction } from '../domain/incident/judge.js';
import { orderFacts } from '../domain/incident/link-orders.js';
import { currentVerdict, type IncidentRecord } from '../domain/incident/record.js';
import { lingerUntil, nextWake, type Wake } from '../domain/incident/stage.js';
import { incidentView } from '../domain/incident/view.js';
import { incidentMemo, incidentSearch, memoDigest, type IncidentMemo } from '../domain/lists.js';
import { openingMeasures } from '../domain/measures.js';
import { sentPolicy } from '../domain/policy.js';
import { MINUTE_MS, plus, toInstant, toMs, type Instant } from '../domain/time.js';
import { Book } from './incident/book.js';
import { handleCommands, refusedByMail, type OrderTicket } from './incident/commands.js';
import { Devices } from './incident/devices.js';
import { Links } from './incident/links.js';
import { Mails } from './incident/mails.js';
import { handleSignals, takeSignalled, type SignalledCommand } from './incident/signals.js';
import { incidentFactsQuery, incidentQuery, incidentRecordQuery, type IncidentInput } from './messages.js';
import { measure } from './meter.js';
import { askPhone, quick } from './outside.js';
import { Alarm, goOnAsNew, now, Showcase } from './support.js';

const EXCLUSIONS_AGAIN_MS = 5 * MINUTE_MS;
/** Nobody tells of a change in the customers file: a mail that came back has it read so often. */
const ADDRESSES_AGAIN_MS = 10 * MINUTE_MS;

/**
 * One alert from detection to closure. A loop: wait until something has happened, record it, ask the rules what is owed,
 * do what has not been done, wait again.
 *
 * @returns the record, from which a later run goes on when the incident is reopened or the alert comes back.
 */
export async function incident({ record: initial, news }: IncidentInput): Promise<IncidentRecord> {
  const book = new Book(initial);
  const tickets: OrderTicket[] = [];
  const signalled: SignalledCommand[] = [];
  const devices = new Devices(book);
  const mails = new Mails(book);
  const links = new Links(book);
  const alarm = new Alarm();
  const startedFresh = workflowInfo().continuedFromExecutionRunId === undefined && news === undefined;
  let policyReadAtMs: number | undefined;
  /** When the exclusions are asked for again that nobody could tell. */
  let exclusionsAgainAt: Instant | undefined;
  const showcase = new Showcase<IncidentMemo>(
    incidentSearch,
    memoDigest,
    startedFresh ? incidentMemo(initial, now()) : undefined,
  );

  measure(() => openingMeasures(initial));
  handleCommands(book, tickets);
  handleSignals(book, signalled);
  setHandler(incidentQuery, (at?: Instant) => incidentView(book.record, at ?? now()), {
    description: 'The whole incident: duties, timeline, what it waits for.',
  });
  setHandler(incidentRecordQuery, () => book.record, { description: 'Its whole record, for the archive.' });
  setHandler(incidentFactsQuery, () => incidentFacts(book.record), {
    description: 'What an exclusion has to know of it.',
  });
  if (news !== undefined) {
    book.advance();
    book.apply({ type: 'alert-updated', ...news });
  }

  const steps = [exclude, () => devices.lookUp(), decide, () => devices.ask(), ringOrCancel];
  for (;;) {
    const seen = book.changes;
    for (const step of steps) {
      book.advance();
      const underWay = step();
      // Awaiting nothing would cost promises, and the SDK notes a stack trace for each.
      if (underWay !== undefined || book.record.ways === undefined) await underWay;
    }
    devices.lookAtDeadline();
    links.start();
    mails.start();
    if (book.record.ways === undefined) show();
    if (book.changes !== seen) continue;
    if (book.record.ways === 2) show();

    // From here to the return nothing is awaited: a signal that comes now starts another task, which sees it.
    if (isQuiet() && hasEnded()) {
      alarm.stop();
      return book.record;
    }
    if (isQuiet() && workflowInfo().continueAsNewSuggested) {
      alarm.stop();
      return goOnAsNew<typeof incident>({ record: book.record });
    }
    alarm.set(wake());
    // A command's handler may still have to end, which changes nothing: its end is then what is waited for.
    const isLeaving = book.record.ways === 2 && (hasEnded() || workflowInfo().continueAsNewSuggested);
    await condition(() => book.changes !== seen || alarm.fired || (isLeaving && isQuiet()));
  }

  /** Compares the alert with the customer's exclusions, where whoever brought it could not, or either has changed. */
  function exclude(): Promise<void> | undefined {
    const isAsked = book.hasOldExclusions;
    book.hasOldExclusions = false;
    const { record } = book;
    const looked = isAsked && record.exclusion != null ? { ...record, exclusion: null } : record;
    const isTooSoon = !isAsked && exclusionsAgainAt !== undefined && toMs(now()) < toMs(exclusionsAgainAt);
    return needsExclusionLook(looked) && !isTooSoon ? compareWithExclusions() : undefined;
  }

  async function compareWithExclusions(): Promise<void> {
    const { customerId, alert, fingerprint } = book.record;
    if (alert.matchable === undefined) return;
    const match = await quick.matchExclusion.executeWithOptions({ summary: 'does an exclusion match?' }, [
      { customerId, matchable: alert.matchable },
    ]);
    exclusionsAgainAt = match === 'unknown' ? plus(now(), EXCLUSIONS_AGAIN_MS) : undefined;
    if (match === 'unknown') return;
    const before = book.record.exclusion;
    if (before?.lookedFor === fingerprint && before.match?.exclusionId === match?.exclusionId) return;
    book.apply({ type: 'exclusions-looked', fingerprint, match });
  }

  /** What depends on the customer's file as it is at this moment: tuning periods, contacts, addresses. */
  function decide(): Promise<void> | undefined {
    const decides = devices.needsPolicy || tickets.length + signalled.length > 0 || book.hasOldPolicy;
    const isFresh = book.record.ways === 2 && policyReadAtMs !== undefined && Date.now() - policyReadAtMs < MINUTE_MS;
    const isDue = decides || needsAddresses() || (mails.nextToCustomer !== undefined && !isFresh);
    return book.record.policy !== null && !isDue ? undefined : readPolicyAndDecide();
  }

  /** Has a mail come back, and has nobody looked for a while whether the customer has other addresses by now? */
  function needsAddresses(): boolean {
    if (!waitsForAddresses(book.record)) return false;
    return policyReadAtMs === undefined || Date.now() - policyReadAtMs >= ADDRESSES_AGAIN_MS;
  }

  async function readPolicyAndDecide(): Promise<void> {
    book.hasOldPolicy = false;
    const policy = await quick.readPolicy.executeWithOptions(
      { summary: "the customer's tuning periods and contacts" },
      [{ customerId: book.record.customerId }],
    );
    policyReadAtMs = Date.now();
    // A customer who has left the file keeps the policy that was in force: its open incidents go on.
    const isNew = policy !== null && JSON.stringify(policy) !== JSON.stringify(book.record.policy);
    if (isNew) book.apply({ type: 'policy-read', policy });
    for (const command of signalled.splice(0)) await takeSignalled(book, command);
    for (const ticket of tickets.splice(0)) settleTicket(ticket);
    devices.judge();
  }

  function settleTicket(ticket: OrderTicket): void {
    const { body, actor } = ticket;
    const instructed = judgeReleaseInstruction(book.record, body.instruction);
    const rejection =
      judgeRelease(book.record, body, now()) ??
      ('code' in instructed ? instructed : refusedByMail(book.record, body, instructed.instruction));
    if (rejection !== undefined || 'code' in instructed) {
      ticket.rejection = rejection;
      ticket.state = 'rejected';
      return;
    }
    for (const fact of orderFacts(book.record, body, { actor, ...instructed })) {
      book.apply(fact);
      if (fact.type === 'release-ordered') {
        ticket.machineIds = fact.machineIds;
        continue;
      }
      const { incidentId, machineIds } = fact;
      const number = book.record.followers?.[incidentId]?.lastOrder ?? 0;
      ticket.passedOn.push({ incidentId, machineIds, number });
    }
    ticket.state = 'accepted';
  }

  function ringOrCancel(): Promise<void> | undefined {
    const want = phoneWant(book.record);
    if (want === undefined) return undefined;
    book.apply({ type: 'phone-asked', want });
    const { customerId, incidentId, seq, alert } = book.record;
    const asking = askPhone(book.record.ways, `${want} the customer's telephone`, {
      customerId,
      request: { incidentId, seq, want, title: alert.title, ...sentPolicy(book.record) },
    });
    if (book.record.ways !== 2) return asking;
    book.alongside(asking);
    return undefined;
  }

  function show(): void {
    const at = now();
    showcase.show(incidentMemo(book.record, at));
    setCurrentDetails(incidentDetails(book.record, at));
  }

  function isQuiet(): boolean {
    return (
      book.isIdle &&
      !book.hasOldPolicy &&
      mails.isIdle &&
      devices.isIdle &&
      tickets.length + signalled.length === 0 &&
      allHandlersFinished()
    );
  }

  /** A judged incident lingers for late news and reopening; one that the rules closed ends at once. */
  function hasEnded(): boolean {
    const { closed, changedAfterCloseAt } = book.record;
    if (closed === null) return false;
    if (currentVerdict(book.record) === undefined && changedAfterCloseAt === null) return true;
    const until = lingerUntil(book.record);
    return until !== undefined && toMs(now()) >= toMs(until);
  }

  /** Without a policy (a customer who was never in the file) it looks again now and then. */
  function wake(): Wake | undefined {
    const wakes: (Wake | undefined)[] = [wakeOfRecord()];
    if (exclusionsAgainAt !== undefined && needsExclusionLook(book.record)) {
      wakes.push({ at: exclusionsAgainAt, why: 'nobody could tell the exclusions' });
    }
    if (policyReadAtMs !== undefined && waitsForAddresses(book.record)) {
      wakes.push({
        at: toInstant(policyReadAtMs + ADDRESSES_AGAIN_MS),
        why: 'a mail came back: are there other addresses?',
      });
    }
    return wakes.filter((each) => each !== undefined).sort((a, b) => toMs(a.at) - toMs(b.at))[0];
  }

  function wakeOfRecord(): Wake | undefined {
    if (book.record.policy !== null) return nextWake(book.record, now());
    return { at: plus(now(), MINUTE_MS), why: 'the customer is not in the customers file' };
  }
}
