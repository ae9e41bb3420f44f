import { condition, patched, setHandler } from '@temporalio/workflow';
import type { z } from 'zod';
import {
  answerSchema,
  assignSchema,
  escalationSchema,
  noteSchema,
  reasonSchema,
  releaseSchema,
  triageSchema,
  type Command,
  type CommandOutcome,
  type ReleaseBody,
  type ReleaseOutcome,
  type TriageBody,
} from '../../domain/commands.js';
import type { Rejection } from '../../domain/errors.js';
import { holdOf } from '../../domain/incident/duties.js';
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
  releasable,
  triageKind,
  type Judged,
} from '../../domain/incident/judge.js';
import type { IncidentRecord } from '../../domain/incident/record.js';
import { hasUnwithdrawnRequest } from '../../domain/incident/verdicts.js';
import {
  answerUpdate,
  assignUpdate,
  closeUpdate,
  escalateUpdate,
  noteUpdate,
  releaseUpdate,
  reopenUpdate,
  triageUpdate,
} from '../messages.js';
import type { CommandUpdate } from '../messages.js';
import { checkEnvelope, failureOf, now, parseCommand } from '../support.js';
import type { Book } from './book.js';

/** A release order that waits for the customer's contacts to be read, then for the devices' answers. */
export interface OrderTicket {
  body: ReleaseBody;
  actor: string;
  state: 'queued' | 'accepted' | 'rejected';
  rejection?: Rejection;
  machineIds: string[];
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
    releaseUpdate,
    releaseSchema,
    "The customer's instruction to give devices back.",
    ({ body }) => judgeRelease(book.record, body, now()),
    async ({ body, actor }) => {
      const ticket: OrderTicket = { body, actor, state: 'queued', machineIds: [] };
      tickets.push(ticket);
      book.touch();
      await condition(() => ticket.state !== 'queued');
      if (ticket.rejection !== undefined) throw failureOf(ticket.rejection);
      await condition(() => ticket.machineIds.every((id) => releaseOutcome(book.record, id) !== undefined));
      return outcomeOf({ devices: ticket.machineIds.flatMap((id) => releaseOutcome(book.record, id) ?? []) });
    },
  );
}

/** What the device's workflow has made of a release; undefined until it has answered. */
function releaseOutcome(record: IncidentRecord, machineId: string): ReleaseOutcome | undefined {
  const device = record.devices.find((entry) => entry.machineId === machineId);
  const hold = device === undefined ? undefined : holdOf(device);
  if (device?.asked?.want !== 'release' || hold === undefined) return undefined;
  const heldBy = hold.state === 'held' ? (device.report?.heldBy ?? []) : [];
  switch (hold.state) {
    case 'held':
      return { machineId, outcome: 'held', heldBy };
    case 'wanted':
    case 'cancelled':
    case 'failed':
      return { machineId, outcome: 'cancelled', heldBy };
    case 'isolated':
    case 'releasing':
    case 'released':
    case 'release-failed':
      return { machineId, outcome: 'releasing', heldBy };
  }
}

/** The devices that an accepted order gives back. */
export function orderedDevices(record: IncidentRecord, body: ReleaseBody): string[] {
  return releasable(record, body).map(({ machineId }) => machineId);
}
