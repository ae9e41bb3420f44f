import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type ChildEnd, type ChildSpec } from './child.js';

export interface SupervisorOptions {
  logDir: string;
  print: (line: string) => void;
  /** Called once per child that ends without having been asked to. */
  onFallen: (name: string, end: ChildEnd) => void;
}

/** All of it is over within this, however long each may take by itself. */
const STOP_TIMEOUT_MS = 9_000;
/** Kept for each one that is asked after a slow one. */
const RESERVE_MS = 300;

/** Starts children, watches them, and ends them in a given order. */
export class Supervisor {
  private readonly children = new Map<string, Child>();
  private readonly expectedToEnd = new Set<Child>();
  private isClosed = false;

  constructor(private readonly options: SupervisorOptions) {
    mkdirSync(options.logDir, { recursive: true });
  }

  /** Starts it and waits until it is ready; answers how long that took. */
  async start(spec: ChildSpec): Promise<number> {
    if (this.isClosed) throw new Error(`${spec.name} is not started any more`);
    const startedMs = performance.now();
    const logFile = join(this.options.logDir, `${spec.name}.log`);
    rmSync(logFile, { force: true });
    const child = new Child(spec, logFile, this.options.print);
    this.children.set(spec.name, child);
    void child.ended.then((end) => {
      if (!this.expectedToEnd.has(child)) this.options.onFallen(spec.name, end);
    });
    await child.ready();
    return performance.now() - startedMs;
  }

  /**
   * Asks each in turn to end and waits for it, so that none misses one that it needs while it drains. Children that are
   * not named stay.
   */
  async stop(names: readonly string[]): Promise<void> {
    const children = names.flatMap((name) => this.children.get(name) ?? []);
    const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
    for (const child of children) this.expectedToEnd.add(child);
    for (const [index, child] of children.entries()) {
      if (child.hasEnded) continue;
      const leftMs = deadlineMs - performance.now() - RESERVE_MS * (children.length - 1 - index);
      if (await child.askToEnd(Math.min(child.spec.drainMs, leftMs))) continue;
      this.options.print(`${child.spec.name} did not end in time and was killed`);
      child.kill();
      await child.ended;
    }
  }

  /** Ends all and starts none any more. */
  async close(names: readonly string[]): Promise<void> {
    this.isClosed = true;
    await this.stop(names);
  }
}
