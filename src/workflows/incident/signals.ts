import { patched, setDefaultSignalHandler, setHandler, type SignalDefinition } from '@temporalio/workflow';
import type { z } from 'zod';
import { alertNewsSchema, isOlder } from '../../domain/alert.js';
import { releaseSchema, triageSchema } from '../../domain/commands.js';
import { inquiryNewsSchema } from '../../domain/customer-mail/news.js';
import { mailFacts } from '../../domain/incident/customer-mail.js';
import { deviceReportSchema } from '../../domain/device/record.js';
import type { InputError } from '../../domain/errors.js';
import { judgeRelease, judgeReleaseInstruction, judgeTriage } from '../../domain/incident/judge.js';
import { bounceReportSchema } from '../../domain/customer-mail/news.js';
import { reportFacts } from '../../domain/incident/link-follower.js';
import { orderFacts } from '../../domain/incident/link-orders.js';
import { followRequestSchema, leadReportSchema } from '../../domain/incident/link-record.js';
import { parseIncidentId } from '../../domain/incident/record.js';
import { mayOrderRelease } from '../../domain/incident/release-offers.js';
import { inputErrors } from '../../domain/input.js';
import { phoneReportSchema } from '../../domain/phone/record.js';
import { clip } from '../../domain/text.js';
import {
  alertUpdatedSignal,
  deviceReportSignal,
  mailBouncedSignal,
  phoneReportSignal,
  policyChangedSignal,
  followRequestSignal,
  inquiryNewsSignal,
  leadReportSignal,
  releaseSignal,
  triageSignal,
} from '../messages.js';
import { quick } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';
import { refusedByMail, triageFacts } from './commands.js';

/** A command that came as a Signal: to be judged once its sender is known. */
export interface SignalledCommand {
  signal: 'triage' | 'release';
  payload: unknown;
  /** Which Signal of that name in this run it was. */
  ordinal: number;
}

const MAX_PAYLOAD = 800;

function show(payload: unknown): string {
  return clip(payload === undefined ? 'nothing' : JSON.stringify(payload), MAX_PAYLOAD);
}

/** Machines' news and signalled commands. One that cannot be understood is kept on the timeline, and harms nothing. */
export function handleSignals(book: Book, signalled: SignalledCommand[]): void {
  const rejected = (signal: string, payload: unknown, errors: InputError[], actor = 'temporal:unknown') => {
    book.apply({ type: 'signal-rejected', signal, actor, errors, payload: show(payload) });
  };

  function news<T>(
    definition: SignalDefinition<[T]>,
    schema: z.ZodType<T>,
    description: string,
    take: (value: T) => void,
  ): void {
    setHandler(
      definition,
      (payload: unknown) => {
        const parsed = schema.safeParse(payload);
        if (parsed.success) take(parsed.data);
        else rejected(definition.name, payload, inputErrors(parsed.error));
      },
      { description },
    );
  }

  const { alertId } = book.record.alert;
  const thisAlert = alertNewsSchema.refine(({ alert }) => alert.alertId === alertId, {
    path: ['alert', 'alertId'],
    message: 'is another alert',
  });
  news(alertUpdatedSignal, thisAlert, 'Defender has changed the alert.', ({ alert, fingerprint }) => {
    if (fingerprint === book.record.fingerprint || isOlder(alert, book.record.alert)) return;
    book.advance();
    book.apply({ type: 'alert-updated', alert, fingerprint });
  });
  setHandler(policyChangedSignal, () => book.policyChanged(), {
    description: "The customer's tuning periods or contacts have changed.",
  });
  news(deviceReportSignal, deviceReportSchema, "A device's workflow says how it stands.", (report) => {
    book.apply({ type: 'device-reported', report });
  });
  news(phoneReportSignal, phoneReportSchema, "The customer's phone workflow says how it stands.", (report) => {
    book.apply({ type: 'phone-reported', report });
  });
  news(mailBouncedSignal, bounceReportSchema, 'A delivery report has come on one of its mails.', (report) => {
    book.advance();
    book.apply({ type: 'mail-bounced', report });
  });

  news(inquiryNewsSignal, inquiryNewsSchema, 'The customer has written, or has been answered.', (told) => {
    book.advance();
    for (const fact of mailFacts(book.record, told)) {
      const isOffer = fact.type === 'customer-mail' && mayOrderRelease(book.record, fact.mail);
      book.apply(isOffer && patched('keep-release-offers') ? { ...fact, isOffer } : fact);
    }
  });

  const { incidentId: ownId, customerId } = book.record;
  const ofThisCustomer = followRequestSchema.refine(
    ({ incidentId }) => incidentId !== ownId && parseIncidentId(incidentId)?.customerId === customerId,
    { path: ['incidentId'], message: 'is no other incident of this customer' },
  );
  news(followRequestSignal, ofThisCustomer, 'An incident is linked to this one, and has something told.', (request) => {
    book.advance();
    book.apply({ type: 'follow-requested', request });
  });
  news(leadReportSignal, leadReportSchema, 'The lead says what has become of what it was asked.', (report) => {
    book.advance();
    for (const fact of reportFacts(book.record, report)) book.apply(fact);
  });

  const counts = { triage: 0, release: 0 };
  const later = (signal: 'triage' | 'release') => (payload: unknown) => {
    counts[signal] += 1;
    signalled.push({ signal, payload, ordinal: counts[signal] });
    book.touch();
  };
  setHandler(triageSignal, later('triage'), {
    description: 'A verdict, as the Update takes it. The actor is unverified and the SOC is told.',
  });
  setHandler(releaseSignal, later('release'), {
    description:
      "The customer's instruction to release, as the Update takes it. The actor is unverified and the SOC is told.",
  });
  setDefaultSignalHandler((name, ...args) => {
    rejected(name, args, [{ path: '', message: 'no signal of that name is known' }]);
  });
}

/** Carries out, or rejects on the record, one signalled command. The policy has been read just before. */
export async function takeSignalled(book: Book, { signal, payload, ordinal }: SignalledCommand): Promise<void> {
  const identity = await quick.readSignalSender.executeWithOptions({ summary: `who sent the signal ${signal}?` }, [
    { signal, ordinal },
  ]);
  const actor = `temporal:${identity ?? 'unknown'}`;
  const refuse = (errors: InputError[]) => {
    book.apply({ type: 'signal-rejected', signal, actor, errors, payload: show(payload) });
  };
  book.advance();
  if (signal === 'triage') {
    const parsed = triageSchema.safeParse(payload);
    if (!parsed.success) {
      refuse(inputErrors(parsed.error));
      return;
    }
    const fault = judgeTriage(book.record, { body: parsed.data }, now(), false);
    if (fault !== undefined) {
      refuse([{ path: fault.code, message: fault.message }]);
      return;
    }
    book.apply({ type: 'signal-unverified', signal, actor });
    for (const fact of triageFacts(book.record, parsed.data, actor)) book.apply(fact);
    return;
  }
  const parsed = releaseSchema.safeParse(payload);
  if (!parsed.success) {
    refuse(inputErrors(parsed.error));
    return;
  }
  const instructed = judgeReleaseInstruction(book.record, parsed.data.instruction);
  const fault =
    judgeRelease(book.record, parsed.data, now()) ??
    ('code' in instructed ? instructed : refusedByMail(book.record, parsed.data, instructed.instruction));
  if (fault !== undefined) {
    refuse([{ path: fault.code, message: fault.message }]);
    return;
  }
  if ('code' in instructed) return;
  book.apply({ type: 'signal-unverified', signal, actor });
  for (const fact of orderFacts(book.record, parsed.data, { actor, ...instructed })) book.apply(fact);
}
