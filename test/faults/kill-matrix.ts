import { setTimeout as pause } from 'node:timers/promises';
import { startSimulator, type Simulator } from '../../simulator/index.js';
import { castOf, customerOf } from './kill-cast.js';
import { complaints, findings, outcomeOf, stuck, type Outcome } from './kill-findings.js';
import { Life } from './kill-life.js';
import { Processes, victims as everybody, type Victim } from './kill-processes.js';
import type { Step } from './kill-steps.js';

export interface Cell {
  step: string;
  victims: string;
  tookMs: number;
  findings: string[];
}

export const MAX_LIVES = 400;

/** The service in processes of its own, the world outside, and an undisturbed life to compare with. */
export class Ground {
  private readonly lives: Life[] = [];
  private undisturbed: Outcome | undefined;

  private constructor(
    readonly simulator: Simulator,
    readonly processes: Processes,
    private readonly watchers: Life[],
  ) {}

  static async open(): Promise<Ground> {
    const watchers: Life[] = [];
    const simulator = await startSimulator({
      watch: async (moment) => {
        for (const life of watchers) if ((await life.watch(moment)) === 'cut') return 'cut';
        return 'go-on';
      },
    });
    try {
      const customers = Array.from({ length: MAX_LIVES }, (_, index) => customerOf(castOf(index)));
      const processes = await Processes.start({ simulator, customers });
      return new Ground(simulator, processes, watchers);
    } catch (error) {
      await simulator.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.processes.stop();
    await this.simulator.stop();
  }

  life(step?: Step): Life {
    const life = new Life(castOf(this.lives.length), this.simulator, this.processes.url, step);
    this.lives.push(life);
    this.watchers.push(life);
    return life;
  }

  /** The outcome of a life that nothing happens to, lived before anything is killed. */
  async compareWith(): Promise<Outcome> {
    if (this.undisturbed === undefined) {
      const life = this.life();
      await life.run();
      this.undisturbed = await outcomeOf(life, this.simulator);
    }
    return this.undisturbed;
  }

  /** Everything that is wrong with a life that has run to its end. */
  async findingsOf(life: Life, victims: readonly Victim[]): Promise<string[]> {
    const outcome = await outcomeOf(life, this.simulator);
    const wrong = findings(outcome, await this.compareWith(), {
      mayRepeatMail: victims.some((victim) => victim !== 'api'),
      mayMissCallback: life.step === undefined || (victims.includes('api') && isOfTelephone(life.step)),
    });
    return [...wrong, ...(await stuck(await this.processes.client(), life))];
  }

  /** All at once. */
  async kill(victims: readonly Victim[]): Promise<void> {
    await Promise.all(victims.map((victim) => this.processes.kill(victim)));
  }

  /** Temporal first: neither of the others is there without it. */
  async restart(victims: readonly Victim[]): Promise<void> {
    if (victims.includes('temporal')) await this.processes.restart('temporal');
    const others = victims.filter((victim) => victim !== 'temporal');
    await Promise.all(others.map((victim) => this.processes.restart(victim)));
  }

  /** What the processes' logs and ends say, once for the ground. */
  complaints(): string[] {
    return [...this.processes.fallen, ...complaints(this.processes)];
  }
}

function isOfTelephone(step: Step | undefined): boolean {
  return step?.name === 'ringing' || step?.name === 'answered' || step?.name === 'key pressed';
}

/** Lives it to its end; answers what went wrong, if anything. */
async function failureOf(life: Life): Promise<string | undefined> {
  try {
    await life.run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * One life for each step, all side by side: when each stands at its own step, the victims are killed once. Every life
 * thus meets one kill, at one step, in the time that a single life takes.
 */
export async function killAtSteps(
  ground: Ground,
  victims: readonly Victim[],
  chosen: readonly Step[],
): Promise<Cell[]> {
  await ground.compareWith();
  const startedMs = performance.now();
  const lives = chosen.map((step) => ground.life(step));
  const ends = lives.map(failureOf);
  const untilAll = (what: (life: Life) => Promise<void>) =>
    Promise.all(lives.map((life, index) => Promise.race([what(life), ends[index]])));
  await untilAll((life) => life.ready);
  for (const life of lives) if (life.step?.reached.by !== 'command') life.openDoor();
  await untilAll((life) => (life.step?.reached.by === 'command' ? Promise.resolve() : life.reached));
  for (const life of lives) life.openDoor();
  await untilAll((life) => life.reached);
  await ground.kill(victims);
  for (const life of lives) {
    if (victims.includes('worker')) life.orphan();
    // What rings while nobody listens is the point of these.
    if (victims.includes('api') && isOfTelephone(life.step)) life.thaw();
  }
  await ground.restart(victims);
  for (const life of lives) life.thaw();
  return Promise.all(
    lives.map(async (life, index) => {
      const failure = await ends[index];
      const tookMs = performance.now() - startedMs;
      const wrong = failure === undefined ? await ground.findingsOf(life, victims) : [failure];
      return { step: life.step?.name ?? '', victims: victims.join(' + '), tookMs, findings: wrong };
    }),
  );
}

export interface RandomKills {
  lives: number;
  kills: number;
  /** From 0 to below 1. */
  random: () => number;
}

/** The longest pauses between lives that begin, between kills, and until what was killed comes back. */
const BEGIN_WITHIN_MS = 3_000;
const NEXT_KILL_WITHIN_MS = 4_000;
const DEAD_FOR_MS = 2_000;

/** Several lives at once; one or two processes are killed at moments that nobody has chosen. */
export async function killAtRandom(ground: Ground, { lives: count, kills, random }: RandomKills): Promise<Cell[]> {
  await ground.compareWith();
  const startedMs = performance.now();
  const lives = Array.from({ length: count }, () => ground.life());
  const ends = lives.map(async (life) => {
    await pause(random() * BEGIN_WITHIN_MS);
    return failureOf(life);
  });
  for (let kill = 0; kill < kills; kill += 1) {
    await pause(random() * NEXT_KILL_WITHIN_MS);
    const first = Math.floor(random() * everybody.length);
    const second = Math.floor(random() * everybody.length);
    const chosen = everybody.filter((_, index) => index === first || index === second);
    await ground.kill(chosen);
    await pause(random() * DEAD_FOR_MS);
    await ground.restart(chosen);
  }
  return Promise.all(
    lives.map(async (life, index) => {
      const failure = await ends[index];
      const tookMs = performance.now() - startedMs;
      const wrong = failure === undefined ? await ground.findingsOf(life, everybody) : [failure];
      return { step: `life ${index + 1} of ${count}`, victims: `${kills} kills`, tookMs, findings: wrong };
    }),
  );
}
