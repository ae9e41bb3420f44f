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
import { searchKeys, searchWord } from '../domain/lists.js';
import { toInstant } from '../domain/time.js';
import { exclusionsQuery } from '../workflows/messages.js';
import { listAll } from './executions.js';
import { describe } from './known.js';

/**
 * How long a copy is used without asking whether it is still good. What is registered meanwhile reaches the incidents
 * that were opened by it: they are told of every change. What has ended meanwhile would be missed for good, so a match is
 * believed only once more has been asked.
 */
const GOOD_FOR_MS = 1_000;
const ASK_DEADLINE_MS = 1_500;

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

/** How many alerts the exclusion has kept from the analysts, as far back as Temporal remembers. */
export async function countExcluded(client: Client, exclusionId: string): Promise<number> {
  const query = `WorkflowType = 'incident' AND ${searchKeys.exclusionId.name} = '${searchWord(exclusionId)}'`;
  // Of one that Defender has changed since there are several runs.
  return new Set((await listAll(client, query)).map(({ workflowId }) => workflowId)).size;
}

/** How much of our own filter for the customer is taken. */
export async function readFilterBytes(client: Client, customerId: string): Promise<number> {
  const description = await describe(client, customerWorkflowId(customerId));
  return customerMemoSchema.parse(description?.memo ?? {}).exclusionsBytes;
}

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
    const find = async (isFresh: boolean) => {
      const { matcher } = await client.withDeadline(Date.now() + ASK_DEADLINE_MS, () => copyOf(customerId, isFresh));
      return matcher.find(matchable, toInstant(Date.now()));
    };
    const found = await find(fresh);
    const match = found === undefined || fresh ? found : await find(true);
    return match === undefined ? null : { exclusionId: match.exclusion.exclusionId, text: match.text };
  };
}
