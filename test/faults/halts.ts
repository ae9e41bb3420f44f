import type { WorkflowClientInterceptor } from '@temporalio/client';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';

/*
 * Points at which a process of a test stands still for good, so that it can be killed there: before or after something is sent
 * to Temporal, or done by an activity, with nobody told of it.
 */

export const haltSchema = z.object({
  phase: z.enum(['before', 'after']),
  /** The name of a signal, of a workflow that is started, or of an activity. */
  of: z.string(),
  /** What its arguments must name. */
  about: z.string().optional(),
});
export type Halt = z.infer<typeof haltSchema>;

const LINE = 'stands still ';

function lineOf(halt: Halt): string {
  return `${LINE}${JSON.stringify(halt)}`;
}

/** In the process that is to be killed: each point is met once. */
export class Halts {
  private readonly planned: Halt[];

  constructor(halts: readonly Halt[]) {
    this.planned = [...halts];
  }

  private async meet(phase: Halt['phase'], of: string, args: readonly unknown[]): Promise<void> {
    const named = JSON.stringify(args);
    const index = this.planned.findIndex(
      (halt) => halt.phase === phase && halt.of === of && named.includes(halt.about ?? ''),
    );
    const [halt] = index < 0 ? [] : this.planned.splice(index, 1);
    if (halt === undefined) return;
    process.stdout.write(`${lineOf(halt)}\n`);
    await new Promise(() => undefined);
  }

  private async around<Result>(of: string, args: readonly unknown[], work: () => Promise<Result>): Promise<Result> {
    await this.meet('before', of, args);
    const result = await work();
    await this.meet('after', of, args);
    return result;
  }

  /** For the client by which it reaches Temporal. */
  readonly interceptor: WorkflowClientInterceptor = {
    startWithDetails: (input, next) => this.around(input.workflowType, input.options.args, () => next(input)),
    signal: (input, next) => this.around(input.signalName, input.args, () => next(input)),
    signalWithStart: (input, next) => this.around(input.signalName, input.signalArgs, () => next(input)),
  };

  /** An activity of that name, which halts. */
  activity<Args extends unknown[], Result>(
    name: string,
    run: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result> {
    return (...args) => this.around(name, args, () => run(...args));
  }
}

/** In the process of the test: which points another one has met, by what it says. */
export class HaltsSeen {
  private readonly lines = new Set<string>();

  /** A line of its output. */
  hear(line: string): void {
    if (line.startsWith(LINE)) this.lines.add(line);
  }

  /** Until it stands still at all of them. */
  async all(halts: readonly Halt[]): Promise<void> {
    const missing = () => halts.filter((halt) => !this.lines.has(lineOf(halt)));
    await until('it stands still', () => Promise.resolve(missing().length === 0 ? true : undefined), 30_000).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; not met: ${JSON.stringify(missing())}`);
      },
    );
  }
}
