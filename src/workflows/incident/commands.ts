import { condition, patched, setHandler } from '@temporalio/workflow';
import type { z } from 'zod';
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
  type Command,
  type CommandOutcome,
  type ReleaseBody,
  type TriageBody,
} from '../../domain/commands.js';
import type { Rejection } from '../../domain/errors.js';
import type { Fact } from '../../domain/incident/facts.js';
import {
  handledBefore,
  isHandled,
  judgeAnswer,
  judgeAssign,
  judgeClose,
  judgeEnvelope,
  judgeEscalation,
  judgeRelease,
  judgeReopen,
  judgeTriage,
  triageKind,
  type Judged,
} from '../../domain/incident/judge.js';
import {
  judgeLink,
  judgeUnlink,
  linkAnswer,
  mergedOutcomes,
  passedOutcomes,
  type PassedOn,
} from '../../domain/incident/link.js';
import type { IncidentRecord } from '../../domain/incident/record.js';
import { releaseOutcome } from '../../domain/incident/releases.js';
import { hasUnwithdrawnRequest } from '../../domain/incident/verdicts.js';
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
import type { CommandUpdate } from '../messages.js';
import { checkEnvelope, failureOf, now, parseCommand } from '../support.js';
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

/** People's commands: accepted or refused at once. Handlers only change the record; the loop acts. */
export function handleCommands(book: Book, tickets: OrderTicket[]): void {
  /** Commands with a key that are not finished yet: the same key again waits for the same outcome. */
  const underWay = new Map<string, { bodyHash: string; outcome: Promise<CommandOutcome> }>();

  function envelope(command: Command<unknown>): Judged {
    const pending = command.idempotency && underWay.get(command.idempotency.key);
    if (pending !== undefined && pending.bodyHash !== command.idempotency?.bodyHash) {
      return { code: 'idempotency-mismatch', message: 'This Idempotency-Key is in use with another body.', errors: [] };
    }
    return pending === undefined ? judgeEnvelope(book.record.handled, command, now()) : undefined;
  }

  function isRepeated(command: Command<unknown>): boolean {
    const key = command.idempotency?.key;
    return isHandled(book.record.handled, command) || (key !== undefined && underWay.has(key));
  }

  function outcomeOf(extra: Partial<CommandOutcome> = {}): CommandOutcome {
    return { revision: book.record.revision, at: now(), ...extra };
  }

  async function once(command: Command<unknown>, act: () => Promise<CommandOutcome>): Promise<CommandOutcome> {
    const { idempotency } = command;
    if (idempotency === undefined) return act();
    const { key, bodyHash } = idempotency;
    const known = handledBefore(book.record.handled, command)?.outcome ?? underWay.get(key)?.outcome;
    if (known !== undefined) return known;
    const outcome = act();
    underWay.set(key, { bodyHash, outcome });
    try {
      const reached = await outcome;
      book.apply({ type: 'command-handled', key, bodyHash, outcome: reached });
      return reached;
    } finally {
      underWay.delete(key);
    }
  }

  function command<Body>(
    definition: CommandUpdate<Body>,
    schema: z.ZodType<Body>,
    description: string,
    judge: (command: Command<Body>) => Judged,
    act: (command: Command<Body>) => Promise<CommandOutcome>,
  ): void {
    /** Also when it is carried out: another command may have come between the two. */
    const judged = (sent: Command<Body>): Judged => {
      checkEnvelope(sent);
      const fault = envelope(sent);
      if (fault !== undefined || isRepeated(sent)) return fault;
      return judge({ ...sent, body: parseCommand(schema, sent.body) });
    };
    setHandler(
      definition,
      (sent) => {
        // The record must say what time had brought about before this was decided, such as a breach.
        book.advance();
        const fault = judged(sent);
        if (fault !== undefined) throw failureOf(fault);
        return once(sent, () => act({ ...sent, body: parseCommand(schema, sent.body) }));
      },
      {
        description,
        validator: (sent: Command<Body>) => {
          const fault = judged(sent);
          if (fault !== undefined) throw failureOf(fault);
        },
      },
    );
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
