import { setHandler } from '@temporalio/workflow';
import type { z } from 'zod';
import type { Command, CommandOutcome, Idempotency } from '../domain/commands.js';
import { reject } from '../domain/errors.js';
import { handledBefore, isHandled, judgeEnvelope, type Handled, type Judged } from '../domain/incident/judge.js';
import type { CommandUpdate } from './messages.js';
import { checkEnvelope, failureOf, now, parseCommand } from './support.js';

/** Where a workflow keeps what became of the commands that came with a key. */
export interface CommandBook {
  handled: () => Handled;
  keep: (handled: { key: string; bodyHash: string; outcome: CommandOutcome }) => void;
  /** Before a command is carried out: the record must say what time had brought about before it was decided. */
  catchUp?: () => void;
}

export type HandleCommand = <Body>(
  definition: CommandUpdate<Body>,
  schema: z.ZodType<Body>,
  description: string,
  judge: (command: Command<Body>) => Judged,
  act: (command: Command<Body>) => CommandOutcome | Promise<CommandOutcome>,
) => void;

/**
 * How a workflow takes people's commands: judged when it comes, and again when it is carried out; one that comes again
 * by its key meets the outcome of the first, also while that is not finished.
 */
export function commandsOf({ handled, keep, catchUp }: CommandBook): HandleCommand {
  const underWay = new Map<string, { bodyHash: string; outcome: Promise<CommandOutcome> }>();

  function judgeRepetition(command: Command<unknown>): { isRepeated: boolean; fault: Judged } {
    const pending = command.idempotency && underWay.get(command.idempotency.key);
    if (pending === undefined) {
      return { isRepeated: isHandled(handled(), command), fault: judgeEnvelope(handled(), command, now()) };
    }
    const isSame = pending.bodyHash === command.idempotency?.bodyHash;
    const fault = isSame
      ? undefined
      : reject('idempotency-mismatch', 'This Idempotency-Key is in use with another body.');
    return { isRepeated: true, fault };
  }

  function once(
    command: Command<unknown>,
    act: () => CommandOutcome | Promise<CommandOutcome>,
  ): CommandOutcome | Promise<CommandOutcome> {
    const { idempotency } = command;
    const known = handledBefore(handled(), command) ?? (idempotency && underWay.get(idempotency.key));
    if (known !== undefined) return known.outcome;
    const outcome = act();
    if (outcome instanceof Promise) return finish(outcome, idempotency);
    if (idempotency !== undefined) keep({ ...idempotency, outcome });
    return outcome;
  }

  async function finish(outcome: Promise<CommandOutcome>, idempotency?: Idempotency): Promise<CommandOutcome> {
    if (idempotency === undefined) return outcome;
    const { key, bodyHash } = idempotency;
    underWay.set(key, { bodyHash, outcome });
    try {
      const reached = await outcome;
      keep({ key, bodyHash, outcome: reached });
      return reached;
    } finally {
      underWay.delete(key);
    }
  }

  return (definition, schema, description, judge, act) => {
    const check = (sent: Parameters<typeof act>[0]): void => {
      checkEnvelope(sent);
      const { isRepeated, fault: envelope } = judgeRepetition(sent);
      const fault =
        envelope !== undefined || isRepeated ? envelope : judge({ ...sent, body: parseCommand(schema, sent.body) });
      if (fault !== undefined) throw failureOf(fault);
    };
    setHandler(
      definition,
      (sent) => {
        catchUp?.();
        // Another command may have come between the two.
        check(sent);
        return once(sent, () => act({ ...sent, body: parseCommand(schema, sent.body) }));
      },
      { description, validator: check },
    );
  };
}
