import { randomUUID } from 'node:crypto';
import { createPolicies } from '../src/policy.js';
import { roundedAll, type Figure } from './figures.js';
import { ApiLife, bareLife, bareStart, STUB_QUEUE, StubbedLife } from './lives.js';
import { rate, type Rate } from './measure.js';
import type { Place } from './place.js';

/*
 * How many a second, beside the bare workflow in the same round: what the machine can do changes from minute to minute, and
 * what a workflow costs at all is not ours.
 */

const ROUNDS = 3;
const AT_ONCE = 16;
/** A level-3 life waits for Defender most of its time: more of them at once keep the machine as busy. */
const LEVEL_3_AT_ONCE = 32;
const COUNTS = { bareLives: 300, bareStarts: 600, accepted: 400, level1: 200, level3: 96, stubbed: 96 };

interface Round {
  bareStarts: Rate;
  accepted: Rate;
  bareLives: Rate;
  level1: Rate;
  level3: Rate;
  stubbed: Rate;
}

function ids(count: number): string[] {
  return Array.from({ length: count }, () => `bare-${randomUUID()}`);
}

async function stubbedLives(place: Place, count: number): Promise<Rate> {
  const policies = createPolicies(place.customersOfFile(), place.service());
  const gateway = { client: place.serviceClient, taskQueue: STUB_QUEUE };
  return rate(place, LEVEL_3_AT_ONCE, await place.newCases(count), async (aCase) => {
    const policy = policies.find(aCase.customer.id);
    if (policy === undefined) throw new Error('no policy');
    await new StubbedLife(gateway, place, policy, aCase).level3();
  });
}

async function round(place: Place): Promise<Round> {
  const bareLives = await rate(place, AT_ONCE, ids(COUNTS.bareLives), (id) => bareLife(place, id));
  const level1 = await rate(place, AT_ONCE, await place.newCases(COUNTS.level1), (aCase) =>
    new ApiLife(place, aCase).level1(),
  );
  const level3 = await rate(place, LEVEL_3_AT_ONCE, await place.newCases(COUNTS.level3), (aCase) =>
    new ApiLife(place, aCase).level3(),
  );
  const bareStarts = await rate(place, AT_ONCE, ids(COUNTS.bareStarts), (id) => bareStart(place, id));
  const arrivals = await place.newCases(COUNTS.accepted);
  const accepted = await rate(place, AT_ONCE, arrivals, (aCase) => new ApiLife(place, aCase).accept());
  // What has only been accepted is to be worked off before anything else is measured.
  for (const aCase of arrivals) await new ApiLife(place, aCase).known();
  return { bareStarts, accepted, bareLives, level1, level3, stubbed: await stubbedLives(place, COUNTS.stubbed) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function ratio(
  id: string,
  what: string,
  least: number,
  rounds: readonly Round[],
  ours: keyof Round,
  bare: 'bareStarts' | 'bareLives',
): Figure {
  const perSecond = (of: keyof Round) => median(rounds.map((each) => each[of].perSecond));
  const cpuMs = (of: keyof Round) => median(rounds.map((each) => each[of].cpuMsEach));
  const spent: Record<string, number> = rounds.at(-1)?.[ours].cpuMsByProcess ?? {};
  // Of a server that was there before, nobody here knows how busy it is.
  const isWholeKnown = 'temporal' in spent;
  return {
    id,
    what,
    value: median(rounds.map((each) => each[ours].perSecond / each[bare].perSecond)),
    unit: '× bare',
    target: { least },
    detail: roundedAll({
      ...(isWholeKnown
        ? { ratioByCpu: median(rounds.map((each) => each[bare].cpuMsEach / each[ours].cpuMsEach)) }
        : {}),
      perSecond: perSecond(ours),
      barePerSecond: perSecond(bare),
      cpuMsEach: cpuMs(ours),
      bareCpuMsEach: cpuMs(bare),
      ...Object.fromEntries(
        Object.entries(spent)
          .filter(([, ms]) => ms >= 0.01)
          .map(([name, ms]) => [`cpuMs.${name}`, ms]),
      ),
    }),
  };
}

export async function rates(place: Place, print: (line: string) => void): Promise<Figure[]> {
  const bare = place.run('bare', ['--import', 'tsx', 'bench/bare/worker.ts']);
  await bare.prints('worker polls');
  const stub = place.run('stub', ['--import', 'tsx', 'bench/stub/worker.ts'], place.hear, {
    TEMPORAL_TASK_QUEUE: STUB_QUEUE,
  });
  await stub.prints('worker polls');
  // The first ones meet cold caches and code that is not compiled yet, on all sides.
  await rate(place, AT_ONCE, ids(100), (id) => bareLife(place, id));
  await stubbedLives(place, 48);
  await rate(place, AT_ONCE, await place.newCases(48), (aCase) => new ApiLife(place, aCase).level3());
  const rounds: Round[] = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    const measured = await round(place);
    rounds.push(measured);
    const shown = Object.entries(measured).map(
      ([name, { perSecond }]: [string, Rate]) => `${name} ${perSecond.toFixed(1)}`,
    );
    print(`  round ${number}: ${shown.join(', ')} /s`);
  }
  await place.end(bare);
  await place.end(stub);
  return [
    ratio('accepted', 'alerts accepted by the API per second', 0.6, rounds, 'accepted', 'bareStarts'),
    ratio('level-1', 'level-1 lives per second, through the API', 0.5, rounds, 'level1', 'bareLives'),
    ratio('level-3-stubbed', 'level-3 lives per second, activities stubbed', 0.13, rounds, 'stubbed', 'bareLives'),
    ratio('level-3', 'level-3 lives per second, through API and simulator', 0.1, rounds, 'level3', 'bareLives'),
  ];
}
