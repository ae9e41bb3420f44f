import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { customerMemoSchema, customerWorkflowId } from '../domain/customers/record.js';
import type { Matchable } from '../domain/exclusion/matchable.js';
import {
  compile,
  registeredExclusionSchema,
  type Matcher,
  type RegisteredExclusion,
} from '../domain/exclusion/match.js';
import type { ExclusionMatch } from '../domain/incident/record.js';
import { toInstant } from '../domain/time.js';
import { exclusionsQuery } from '../workflows/messages.js';
import { describe } from './incidents.js';

/**
 * How long a copy is used without asking whether it is still good. What is registered meanwhile reaches the incidents
 * that were opened by it: they are told of every change.
 */
const GOOD_FOR_MS = 1_000;
const ASK_DEADLINE_MS = 3_000;

interface Copy {
  revision: number;
  matcher: Matcher<RegisteredExclusion>;
  askedAtMs: number;
}

/**
 * The customers' exclusions as their own workflows have them, compiled once for each change.
 *
 * @returns the match, or null; fails where neither the server nor, after a change, a worker can be asked
 */
export type FindExclusion = (
  customerId: string,
  matchable: Matchable,
  how?: { fresh: boolean },
) => Promise<ExclusionMatch | null>;

/** One for each client, so that whoever brings alerts in shares the copies. */
const finders = new WeakMap<Client, FindExclusion>();

export function exclusionFinder(client: Client): FindExclusion {
  const made = finders.get(client) ?? createExclusionFinder(client);
  finders.set(client, made);
  return made;
}

function createExclusionFinder(client: Client): FindExclusion {
  const copies = new Map<string, Copy>();

  async function copyOf(customerId: string, fresh: boolean): Promise<Copy> {
    const known = copies.get(customerId);
    const askedAtMs = Date.now();
    if (!fresh && known !== undefined && askedAtMs - known.askedAtMs < GOOD_FOR_MS) return known;
    const workflowId = customerWorkflowId(customerId);
    const description = await describe(client, workflowId);
    const revision = customerMemoSchema.parse(description?.memo ?? {}).exclusionsRevision;
    if (known?.revision === revision) {
      known.askedAtMs = askedAtMs;
      return known;
    }
    const exclusions =
      revision === 0
        ? []
        : z.array(registeredExclusionSchema).parse(await client.workflow.getHandle(workflowId).query(exclusionsQuery));
    const copy = { revision, matcher: compile(exclusions), askedAtMs };
    copies.set(customerId, copy);
    return copy;
  }

  return async (customerId, matchable, { fresh } = { fresh: false }) => {
    // A worker that is about to stop must not wait for an answer that only it could give.
    const { matcher } = await client.withDeadline(Date.now() + ASK_DEADLINE_MS, () => copyOf(customerId, fresh));
    const match = matcher.find(matchable, toInstant(Date.now()));
    return match === undefined ? null : { exclusionId: match.exclusion.exclusionId, text: match.text };
  };
}
