import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { indicatorFor, type AllowedIndicator } from '../domain/exclusion/indicator.js';
import type { IndicatorInput, Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { SECOND_MS, toMs } from '../domain/time.js';
import { DefenderError } from '../integrations/defender/errors.js';
import { SignInError } from '../integrations/defender/sign-in.js';
import type { DefenderClient, ListedIndicator } from '../integrations/defender/client.js';
import { isOpen, type BusinessHours } from '../holidays.js';
import type { Policies } from '../policy.js';
import { countExcluded } from '../temporal/exclusions.js';
import { readIncidentFacts } from '../temporal/survey.js';
import { tenantFinder } from './defender.js';
import { alive, isTemporals, tryAgainOrTell, type TellDeps } from './support.js';

export interface ExclusionDeps extends TellDeps {
  client: Client;
  policies: Policies;
  defender: DefenderClient;
  defaultApiBase: string;
  businessHours: BusinessHours;
}

/** An incident's workflow that cannot be asked for so many tries will not be: the customer hears without its thread. */
const MAX_THREAD_TRIES = 10;

const OF_OTHERS = { outcome: 'failed', reason: 'indicator-of-others' } as const;

function isAsWanted({ action, expirationTime }: ListedIndicator, wanted: AllowedIndicator): boolean {
  return (
    action === wanted.action &&
    expirationTime !== undefined &&
    Math.abs(toMs(expirationTime) - toMs(wanted.expirationTime)) < SECOND_MS
  );
}

/** Why no later try would bring another answer; undefined where one may. */
function refusalOf(error: unknown): string | undefined {
  if (error instanceof SignInError) return error.kind === 'permanent' ? 'defender-sign-in' : undefined;
  if (!(error instanceof DefenderError)) return undefined;
  switch (error.kind) {
    case 'unauthorized':
    case 'forbidden':
      return 'defender-forbidden';
    case 'not-found':
    case 'rejected':
      // The same each time it is refused for the same: whoever was told of it is not told again.
      return oneLine(error.words, 300);
    case 'transient':
    case 'throttled':
      return undefined;
  }
}

/** What exclusions need of the outside. */
export function exclusionActivities({
  client,
  policies,
  defender,
  defaultApiBase,
  businessHours,
  ...tell
}: ExclusionDeps): Pick<
  Outside,
  'readBusinessHours' | 'setIndicator' | 'removeIndicator' | 'readThread' | 'countExcluded'
> {
  const tenantOf = tenantFinder(policies, defaultApiBase);

  /** The indicator, and those that the tenant has for the same value: this exclusion's own, and others'. */
  async function look(input: IndicatorInput, signal: AbortSignal) {
    const answer = indicatorFor(input);
    const [indicator] = answer.kind === 'none' ? [] : answer.indicators;
    if (indicator === undefined) return undefined;
    const tenant = tenantOf(input);
    const listed = await defender.listIndicators(tenant, indicator, signal);
    const isOwn = ({ title }: { title?: string }) => title === indicator.title;
    return { tenant, indicator, own: listed.filter(isOwn), others: listed.filter((each) => !isOwn(each)) };
  }

  /** Nobody may set one between another's look and what follows from it: each waits for whoever is at that tenant. */
  const turns = new Map<string, Promise<unknown>>();

  async function inTurn<T>(customerId: string, work: () => Promise<T>): Promise<T> {
    const turn = (turns.get(customerId) ?? Promise.resolve()).then(work, work);
    const ended = turn.catch(() => undefined);
    turns.set(customerId, ended);
    try {
      return await turn;
    } finally {
      if (turns.get(customerId) === ended) turns.delete(customerId);
    }
  }

  type Looked = NonNullable<Awaited<ReturnType<typeof look>>>;

  async function act<Done>(
    input: IndicatorInput & { isTold?: boolean },
    work: (looked: Looked, signal: AbortSignal) => Promise<Done | { outcome: 'failed'; reason: string }>,
  ) {
    return alive(async (signal) => {
      try {
        return await inTurn(input.customerId, async () => {
          signal.throwIfAborted();
          const looked = await look(input, signal);
          return looked === undefined
            ? { outcome: 'failed' as const, reason: 'indicator-not-possible' }
            : await work(looked, signal);
        });
      } catch (error) {
        if (isTemporals(error)) throw error;
        const reason = refusalOf(error);
        if (reason !== undefined) return { outcome: 'failed' as const, reason };
        return tryAgainOrTell(error, input, tell);
      }
    });
  }

  async function setOne(input: IndicatorInput, { tenant, indicator, own, others }: Looked, signal: AbortSignal) {
    if (others.length > 0) return OF_OTHERS;
    // An earlier try has set it, and its answer was lost.
    if (own.length > 0 && own.every((each) => isAsWanted(each, indicator))) {
      return { outcome: 'set' as const, ids: own.map(({ id }) => id) };
    }
    const isFirst = own.length === 0 && input.ids.length === 0;
    if (isFirst && !isOpen(businessHours)) return { outcome: 'closed' as const };
    const [result] = await defender.importIndicators(tenant, [indicator], signal);
    if (result?.id === undefined) return { outcome: 'failed' as const, reason: result?.failure ?? 'no-answer' };
    // Another worker may have set one for another exclusion at the same time.
    const after = await look(input, signal);
    return after?.others.length === 0 ? { outcome: 'set' as const, ids: [result.id] } : OF_OTHERS;
  }

  return {
    readBusinessHours: ({ at }) => Promise.resolve(businessHours(at)),

    setIndicator: (input) => act(input, (looked, signal) => setOne(input, looked, signal)),

    removeIndicator: (input) =>
      act(input, async ({ tenant, own, others }, signal) => {
        const ids = own.map(({ id }) => id);
        if (ids.length > 0) await defender.deleteIndicators(tenant, ids, signal);
        // One that somebody has made theirs since allows on, and is not ours to take away.
        return others.some(({ id }) => input.ids.includes(id)) ? OF_OTHERS : { outcome: 'removed' as const };
      }),

    async readThread({ incidentId }) {
      try {
        const facts = await readIncidentFacts(client, incidentId);
        const told = facts?.lead == null ? facts : await readIncidentFacts(client, facts.lead);
        return told?.thread ?? null;
      } catch (error) {
        if (isTemporals(error) || activityInfo().attempt < MAX_THREAD_TRIES) throw error;
        return null;
      }
    },

    countExcluded: ({ exclusionId }) => countExcluded(client, exclusionId),
  };
}
