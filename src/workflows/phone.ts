import {
  ActivityFailure,
  condition,
  getExternalWorkflowHandle,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { ringList } from '../domain/customer.js';
import { inputErrors } from '../domain/input.js';
import { announcement } from '../domain/templates/phone.js';
import { phoneDetails } from '../domain/phone/details.js';
import {
  addCall,
  applyCallEvent,
  applyRequest,
  applyTrouble,
  callOf,
  changeCall,
  isEnded,
  isRepeatedKey,
  openPhone,
  reportFor,
  ringing,
  settleAsks,
} from '../domain/phone/evolve.js';
import { phoneMeasures } from '../domain/measures.js';
import { isDelayed } from '../domain/ports.js';
import { callEventSchema, phoneRequestSchema, type PhoneRecord } from '../domain/phone/record.js';
import type { Policy } from '../domain/policy.js';
import { MINUTE_MS, SECOND_MS, toMs } from '../domain/time.js';
import { callEventSignal, phoneQuery, phoneReportSignal, phoneRequestSignal, type PhoneInput } from './messages.js';
import { measure } from './meter.js';
import { patient, persistent, quick } from './outside.js';
import { goOnAsNew, now } from './support.js';

/** How long the workflow stays after its last call, so that a late keypress still meets its call. */
const LINGER_MS = 2 * MINUTE_MS;
/** Longer than any announcement with its time to press a key; then the call is ended. */
const LONGEST_TALK_MS = 90 * SECOND_MS;
/** Nothing was heard of a call for so long after it rang to its end: Twilio is asked how it stands, again and again. */
const LOOK_AFTER_MS = 5 * SECOND_MS;
const LOOK_AGAIN_MS = 15 * SECOND_MS;

type Contact = ReturnType<typeof ringList>[number];

/**
 * Rings one customer's contacts in order until a human presses a key, for every incident that asks meanwhile. One chain
 * at a time. A call that nobody answers by pressing a key was not received.
 */
export async function phone({ customerId, record: carried }: PhoneInput): Promise<void> {
  let record = carried ?? openPhone(customerId, now());
  const told = new Map<string, string>();
  let changes = 0;

  const update = (next: PhoneRecord): void => {
    const before = record;
    if (next === before) return;
    record = next;
    changes += 1;
    setCurrentDetails(phoneDetails(record));
    measure(() => phoneMeasures(before, next));
  };

  setHandler(
    phoneRequestSignal,
    (payload: unknown) => {
      const request = phoneRequestSchema.safeParse(payload);
      if (request.success) update(applyRequest(record, request.data, now()));
      else log.warn('a request was not understood and had no effect', { errors: inputErrors(request.error) });
    },
    { description: 'An incident asks to ring the customer, or no longer to.' },
  );
  setHandler(
    callEventSignal,
    (payload: unknown) => {
      const event = callEventSchema.safeParse(payload);
      if (!event.success) {
        log.warn('a call event was not understood and had no effect', { errors: inputErrors(event.error) });
        return;
      }
      // Whoever runs already has taken a repeated key for a new one.
      if (isRepeatedKey(record, event.data) && patched('key-once')) return;
      update(applyCallEvent(record, event.data, now()));
    },
    { description: 'Twilio tells how a call goes, or which key was pressed.' },
  );
  setHandler(phoneQuery, () => record, { description: 'For whom it rings, and every call.' });

  for (;;) {
    await report();
    if (ringing(record).length > 0) {
      await ringAll();
      continue;
    }
    if (workflowInfo().continueAsNewSuggested) return goOnAsNew<typeof phone>({ customerId, record });
    const seen = changes;
    const called = await condition(() => changes !== seen, LINGER_MS, { summary: 'lingers for late keypresses' });
    // Nothing is awaited between this look at the inbox and the return.
    if (!called && changes === seen) return;
  }

  /** One chain: the contacts in order, in rounds, until somebody presses the key or nobody asks any more. */
  async function ringAll(): Promise<void> {
    const read = await quick.readPolicy.executeWithOptions({ summary: "the customer's ring list" }, [{ customerId }]);
    // Of a customer who has left the file the incidents go on by the policy that was in force.
    const policy = read ?? record.policy;
    const contacts = policy === null ? [] : ringList(policy.customer);
    if (policy === null || contacts.length === 0) {
      update(settleAsks(record, 'exhausted', now(), { reason: 'no-contact-to-ring' }));
      return;
    }
    const { phoneRounds, phoneRoundPauseMs } = policy.service;
    for (let round = 1; round <= phoneRounds; round += 1) {
      for (const contact of contacts) {
        await ring(policy, contact, round);
        await report();
        if (ringing(record).length === 0) return;
      }
      if (round < phoneRounds && phoneRoundPauseMs > 0) await pause(phoneRoundPauseMs);
      if (ringing(record).length === 0) return;
    }
    update(settleAsks(record, 'exhausted', now(), { reason: 'phone-exhausted' }));
  }

  async function pause(ms: number): Promise<void> {
    await condition(() => ringing(record).length === 0, ms, { summary: 'before the next round' });
  }

  async function ring(policy: Policy, contact: Contact, round: number): Promise<void> {
    const attempt = record.nextAttempt;
    const startedAt = now();
    const { id: contactId, name: contactName, phone: to } = contact;
    update(
      addCall(record, {
        attempt,
        round,
        contactId,
        contactName,
        to,
        sid: null,
        startedAt,
        endedAt: null,
        status: 'placing',
      }),
    );
    const titles = ringing(record).map(({ title }) => title);
    const placed = await place(policy, attempt, contact, titles);
    if (placed.status === 'refused') {
      const notPlaced = changeCall(record, attempt, { status: 'not-placed', endedAt: now() });
      update(applyTrouble(notPlaced, `A call could not be placed: ${placed.reason}`));
      // A telephone that refuses every call at once must not use up the rounds within a second.
      await sleep(SECOND_MS, { summary: 'after a call that could not be placed' });
      return;
    }
    const { sid } = placed;
    update(applyTrouble(record, undefined));
    if (callOf(record, attempt)?.sid === null) update(changeCall(record, attempt, { sid }));
    const ringMs = policy.service.phoneRingSeconds * SECOND_MS;
    const latestMs = toMs(now()) + ringMs + LONGEST_TALK_MS;
    const over = () => callOf(record, attempt)?.endedAt != null || ringing(record).length === 0;
    for (let waitMs = ringMs + LOOK_AFTER_MS; ; waitMs = LOOK_AGAIN_MS) {
      if (await condition(over, waitMs, { summary: `call to ${contactName}, round ${round}` })) break;
      // A callback that met no API is not told again.
      if ((await look(attempt, sid)) === 'ended') return;
      if (toMs(now()) >= latestMs) {
        await hangUp(attempt, sid);
        return;
      }
    }
    if (callOf(record, attempt)?.endedAt != null) return;
    if ((await look(attempt, sid)) !== 'ended') await hangUp(attempt, sid);
  }

  async function place(policy: Policy, attempt: number, contact: Contact, titles: string[]) {
    try {
      return await persistent.placeCall.executeWithOptions({ summary: `ring ${contact.name}` }, [
        {
          customerId,
          attempt,
          to: contact.phone,
          text: announcement(policy, titles),
          language: policy.customer.language,
          ringSeconds: policy.service.phoneRingSeconds,
          notBefore: now(),
        },
      ]);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      return { status: 'refused' as const, reason: 'not-reached' };
    }
  }

  /** Asks Twilio how the call stands: the callback that it has ended may have met nobody. */
  async function look(attempt: number, sid: string): Promise<'ended' | 'goes-on'> {
    const read = await patient.readCall.executeWithOptions({ summary: 'how does the call stand?' }, [{ sid }]);
    if (isDelayed(read)) update(applyTrouble(record, read.delayed));
    if (!isDelayed(read) && isEnded(read.status)) endedAs(attempt, read.status);
    return callOf(record, attempt)?.endedAt == null ? 'goes-on' : 'ended';
  }

  /**
   * Somebody else has acknowledged, nobody asks any more, or the call takes longer than any can: it is ended. Where
   * Twilio does not do that for a while, it ends by itself, and the next contact need not wait for it.
   */
  async function hangUp(attempt: number, sid: string): Promise<void> {
    const ended = await patient.hangUp.executeWithOptions({ summary: 'hang up' }, [{ sid }]);
    if (isDelayed(ended)) update(applyTrouble(record, ended.delayed));
    endedAs(attempt, 'ended-by-us');
  }

  function endedAs(attempt: number, status: string): void {
    if (callOf(record, attempt)?.endedAt == null) update(changeCall(record, attempt, { status, endedAt: now() }));
  }

  async function report(): Promise<void> {
    const reports = Object.keys(record.asks).flatMap((incidentId) => {
      const snapshot = reportFor(record, incidentId);
      const digest = JSON.stringify(snapshot);
      if (snapshot === undefined || told.get(incidentId) === digest) return [];
      told.set(incidentId, digest);
      return [{ incidentId, snapshot }];
    });
    await Promise.all(
      reports.map(({ incidentId, snapshot }) =>
        getExternalWorkflowHandle(incidentId)
          .signal(phoneReportSignal, snapshot)
          .catch(() => undefined),
      ),
    );
  }
}
