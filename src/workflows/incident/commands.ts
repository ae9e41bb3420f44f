import { condition, patched } from '@temporalio/workflow';
import {
  answerSchema,
  assignSchema,
  escalationSchema,
  linkSchema,
  noteSchema,
  reasonSchema,
  releaseSchema,
  triageSchema,
  unlinkSchema,
  type CommandOutcome,
  type Instruction,
  type ReleaseBody,
  type TriageBody,
} from '../../domain/commands.js';
import type { Rejection } from '../../domain/errors.js';
import type { Fact } from '../../domain/incident/facts.js';
import {
  judgeAnswer,
  judgeAssign,
  judgeClose,
  judgeEscalation,
  judgePastMail,
  judgeRelease,
  judgeReopen,
  judgeTriage,
  judgeUsedMail,
  triageKind,
  type Judged,
} from '../../domain/incident/judge.js';
import { judgeLink, judgeUnlink, linkAnswer } from '../../domain/incident/link-follower.js';
import { mergedOutcomes, passedOutcomes, type PassedOn } from '../../domain/incident/link-orders.js';
import type { IncidentRecord } from '../../domain/incident/record.js';
import { releaseOutcome } from '../../domain/incident/releases.js';
import { hasUnwithdrawnRequest } from '../../domain/incident/verdicts.js';
import { commandsOf } from '../commands.js';
import {
  answerUpdate,
  assignUpdate,
  closeUpdate,
  escalateUpdate,
  linkUpdate,
  noteUpdate,
  releaseUpdate,
  reopenUpdate,
  triageUpdate,
  unlinkUpdate,
} from '../messages.js';
import { failureOf, now } from '../support.js';
import type { Book } from './book.js';

/** A release order that waits for the customer's contacts to be read, then for the answers of devices and linked incidents. */
export interface OrderTicket {
  body: ReleaseBody;
  actor: string;
  state: 'queued' | 'accepted' | 'rejected';
  rejection?: Rejection;
  machineIds: string[];
  passedOn: PassedOn[];
}

export function triageFacts(record: IncidentRecord, body: TriageBody, actor: string): Fact[] {
  const keepsRequests = hasUnwithdrawnRequest(record) && patched('keep-standing-requests');
  return triageKind(record, body, now()) === 'retry'
    ? [{ type: 'retry-asked', actor, devices: body.devices }]
    : [{ type: 'verdict', body, actor, ...(keepsRequests ? { keepsRequests } : {}) }];
}

/** Orders that an older worker took, past a mail that needed a call back or on one that was used before, stay taken. */
export function refusedByMail(record: IncidentRecord, body: ReleaseBody, instruction: Instruction): Judged {
  const past = judgePastMail(record, body.instruction);
  if (past !== undefined && patched('no-order-past-mail')) return past;
  const used = judgeUsedMail(record, body, instruction);
  return used !== undefined && patched('a-mail-orders-once') ? used : undefined;
}

/** People's commands: accepted or refused at once. Handlers only change the record; the loop acts. */
export function handleCommands(book: Book, tickets: OrderTicket[]): void {
  const command = commandsOf({
    handled: () => book.record.handled,
    keep: (handled) => book.apply({ type: 'command-handled', ...handled }),
    catchUp: () => book.advance(),
  });

  function outcomeOf(extra: Partial<CommandOutcome> = {}): CommandOutcome {
    return { revision: book.record.revision, at: now(), ...extra };
  }

  const at = (facts: Fact[]): Promise<CommandOutcome> => {
    for (const fact of facts) book.apply(fact);
    return Promise.resolve(outcomeOf());
  };

  command(
    triageUpdate,
    triageSchema,
    "The analyst's verdict: threat level 1 to 4 and whether the detection was right.",
    (sent) => judgeTriage(book.record, sent, now()),
    ({ body, actor }) => at(triageFacts(book.record, body, actor)),
  );
  command(
    escalateUpdate,
    escalationSchema,
    'A secondary escalation: more to say to the customer, in the same mail thread.',
    () => judgeEscalation(book.record),
    ({ body, actor }) => at([{ type: 'escalation', body, actor }]),
  );
  command(
    answerUpdate,
    answerSchema,
    "The customer's answer to what was asked.",
    ({ body }) => judgeAnswer(book.record, body, now()),
    ({ body, actor }) => at([{ type: 'answer', body, actor }]),
  );
  command(
    assignUpdate,
    assignSchema,
    'Who works on the incident.',
    () => judgeAssign(book.record),
    ({ body, actor }) => at([{ type: 'assigned', operatorId: body.operatorId, actor }]),
  );
  command(
    noteUpdate,
    noteSchema,
    'An internal note, never mailed.',
    () => undefined,
    ({ body, actor }) => at([{ type: 'note', text: body.text, actor }]),
  );
  command(
    closeUpdate,
    reasonSchema,
    'Closes the incident once nothing is owed and nothing isolated.',
    () => judgeClose(book.record),
    ({ body, actor }) => at([{ type: 'closed', reason: 'resolved', actor, words: body.reason }]),
  );
  command(
    reopenUpdate,
    reasonSchema,
    'Takes a closed incident up again, with its record.',
    () => judgeReopen(book.record),
    ({ body, actor }) => at([{ type: 'reopened', actor, words: body.reason, byRules: false }]),
  );
  command(
    linkUpdate,
    linkSchema,
    "Has the customer told of this incident in another one's conversation.",
    ({ body }) => judgeLink(book.record, body.leadIncidentId),
    async ({ body: { leadIncidentId: leadId }, actor }) => {
      const { seq } = book.record;
      book.apply({ type: 'link-asked', leadId, actor });
      await condition(() => linkAnswer(book.record, leadId, seq) !== 'pending');
      const answer = linkAnswer(book.record, leadId, seq);
      if (typeof answer !== 'string') throw failureOf(answer);
      return outcomeOf();
    },
  );
  command(
    unlinkUpdate,
    unlinkSchema,
    'Gives the incident a conversation of its own again.',
    () => judgeUnlink(book.record),
    ({ actor }) => at([{ type: 'unlinked', actor }]),
  );
  command(
    releaseUpdate,
    releaseSchema,
    "The customer's instruction to give devices back.",
    ({ body }) => judgeRelease(book.record, body, now()),
    async ({ body, actor }) => {
      const ticket: OrderTicket = { body, actor, state: 'queued', machineIds: [], passedOn: [] };
      tickets.push(ticket);
      book.touch();
      await condition(() => ticket.state !== 'queued');
      if (ticket.rejection !== undefined) throw failureOf(ticket.rejection);
      await condition(
        () =>
          ticket.machineIds.every((id) => releaseOutcome(book.record, id) !== undefined) &&
          ticket.passedOn.every((passed) => passedOutcomes(book.record, passed) !== undefined),
      );
      return outcomeOf({
        devices: mergedOutcomes([
          ...ticket.machineIds.flatMap((id) => releaseOutcome(book.record, id) ?? []),
          ...ticket.passedOn.flatMap((passed) => passedOutcomes(book.record, passed) ?? []),
        ]),
      });
    },
  );
}
