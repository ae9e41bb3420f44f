import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { needsExclusionLook, phoneWant } from '../domain/incident/asks.js';
import { incidentDetails } from '../domain/incident/details.js';
import { judgeInstructor, judgeRelease } from '../domain/incident/judge.js';
import { orderFacts } from '../domain/incident/link.js';
import { currentVerdict, type IncidentRecord } from '../domain/incident/record.js';
import { lingerUntil, nextWake, type Wake } from '../domain/incident/stage.js';
import { incidentView } from '../domain/incident/view.js';
import { incidentMemo, incidentSearch, memoDigest, type IncidentMemo } from '../domain/lists.js';
import { MINUTE_MS, plus, toMs, type Instant } from '../domain/time.js';
import { Book } from './incident/book.js';
import { handleCommands, type OrderTicket } from './incident/commands.js';
import { Devices } from './incident/devices.js';
import { Links } from './incident/links.js';
import { Mails } from './incident/mails.js';
import { handleSignals, takeSignalled, type SignalledCommand } from './incident/signals.js';
import { incidentQuery, type IncidentInput } from './messages.js';
import { askPhone, quick } from './outside.js';
import { Alarm, now, Showcase } from './support.js';

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
  const showcase = new Showcase<IncidentMemo>(
    incidentSearch,
    memoDigest,
    startedFresh ? incidentMemo(initial, now()) : undefined,
  );

  handleCommands(book, tickets);
  handleSignals(book, signalled);
  setHandler(incidentQuery, (at?: Instant) => incidentView(book.record, at ?? now()), {
    description: 'The whole incident: duties, timeline, what it waits for.',
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
      return continueAsNew<typeof incident>({ record: book.record });
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
    return needsExclusionLook(looked) ? compareWithExclusions() : undefined;
  }

  async function compareWithExclusions(): Promise<void> {
    const { customerId, alert, fingerprint } = book.record;
    if (alert.matchable === undefined) return;
    const match = await quick.matchExclusion.executeWithOptions({ summary: 'does an exclusion match?' }, [
      { customerId, matchable: alert.matchable },
    ]);
    const before = book.record.exclusion;
    if (before?.lookedFor === fingerprint && before.match?.exclusionId === match?.exclusionId) return;
    book.apply({ type: 'exclusions-looked', fingerprint, match });
  }

  /** What depends on the customer's file as it is at this moment: tuning periods, contacts, addresses. */
  function decide(): Promise<void> | undefined {
    const decides = devices.needsPolicy || tickets.length + signalled.length > 0 || book.hasOldPolicy;
    const isFresh = book.record.ways === 2 && policyReadAtMs !== undefined && Date.now() - policyReadAtMs < MINUTE_MS;
    const isDue = decides || (mails.nextToCustomer !== undefined && !isFresh);
    return book.record.policy !== null && !isDue ? undefined : readPolicyAndDecide();
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
    const { instruction } = body;
    const instructor = judgeInstructor(book.record.policy?.customer.contacts ?? [], instruction);
    const rejection = judgeRelease(book.record, body, now()) ?? ('code' in instructor ? instructor : undefined);
    if (rejection !== undefined || 'code' in instructor) {
      ticket.rejection = rejection;
      ticket.state = 'rejected';
      return;
    }
    for (const fact of orderFacts(book.record, body, { actor, ...instructor })) {
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
      request: { incidentId, seq, want, title: alert.title },
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
    if (book.record.policy !== null) return nextWake(book.record, now());
    return { at: plus(now(), MINUTE_MS), why: 'the customer is not in the customers file' };
  }
}
