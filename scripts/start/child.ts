import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';

export interface ChildSpec {
  name: string;
  /** Run by this Node: TypeScript, or guard.ts and the program behind it. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** What a line of its output is worth showing on the terminal; undefined leaves it to the log. */
  shown: (line: string, stream: 'stdout' | 'stderr') => string | undefined;
  isReady: () => Promise<boolean>;
  /** How long it may take to end when asked to. */
  drainMs: number;
}

export interface ChildEnd {
  /** For people: `exit code 1`, `SIGKILL`. */
  how: string;
  lastLines: readonly string[];
}

const READY_TIMEOUT_MS = 90_000;
const READY_POLL_MS = 100;
const LAST_LINES = 15;
/** How long output may take to come after the process has ended. */
const QUIET_MS = 500;

const leash = new URL('./leash.mjs', import.meta.url).href;

/** One process, its log and its end. */
export class Child {
  readonly ended: Promise<ChildEnd>;
  private readonly process: ChildProcess;
  private readonly lastLines: string[] = [];
  private linesRead = 0;
  private end: ChildEnd | undefined;

  constructor(
    readonly spec: ChildSpec,
    readonly logFile: string,
    print: (line: string) => void,
  ) {
    const log = createWriteStream(logFile, { flags: 'a' });
    // A process group of its own: Ctrl-C reaches the supervisor alone, which ends the children in their order.
    this.process = spawn(process.execPath, ['--import', 'tsx', '--import', leash, ...spec.args], {
      env: spec.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const follow = (stream: Readable | null, name: 'stdout' | 'stderr') => {
      if (stream === null) return;
      createInterface({ input: stream }).on('line', (line) => {
        this.linesRead += 1;
        log.write(`${line}\n`);
        this.lastLines.push(line);
        if (this.lastLines.length > LAST_LINES) this.lastLines.shift();
        const text = spec.shown(line, name);
        if (text !== undefined) print(`${spec.name}: ${text}`);
      });
    };
    follow(this.process.stdout, 'stdout');
    follow(this.process.stderr, 'stderr');
    this.ended = new Promise((resolve) => {
      const finish = (how: string) => {
        this.end ??= { how, lastLines: this.lastLines };
        resolve(this.end);
      };
      this.process.once('error', ({ message }) => finish(message));
      // 'close' comes after the last line of output, but waits for grandchildren that still hold the pipe: not for ever.
      this.process.once('close', (code, signal) => finish(describeEnd(code, signal)));
      this.process.once('exit', (code, signal) => {
        this.kill(); // whatever it has left behind
        this.onceQuiet(() => finish(describeEnd(code, signal)));
      });
    });
    void this.ended.then(() => log.end());
  }

  /** Once no line of output has come for a while. One that lies ready is read first: this process may have been slow. */
  private onceQuiet(then: () => void): void {
    const before = this.linesRead;
    const look = () => (this.linesRead === before ? then() : this.onceQuiet(then));
    setTimeout(() => setImmediate(look), QUIET_MS).unref();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get hasEnded(): boolean {
    return this.end !== undefined;
  }

  async ready(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      if (this.end !== undefined) throw new Error(`${this.spec.name} ended (${this.end.how}) before it was ready`);
      if (await this.spec.isReady().catch(() => false)) return;
      if (performance.now() > deadlineMs) {
        throw new Error(`${this.spec.name} is not ready after ${READY_TIMEOUT_MS / 1000} s; its log: ${this.logFile}`);
      }
      await Promise.race([sleep(READY_POLL_MS), this.ended]);
    }
  }

  /** Asks it to end and waits that long; answers whether it has. */
  async askToEnd(waitMs: number): Promise<boolean> {
    this.process.kill('SIGTERM');
    await Promise.race([this.ended, sleep(waitMs, undefined, { ref: false })]);
    return this.hasEnded;
  }

  /** Ends it and whatever it has started. */
  kill(): void {
    if (this.process.pid === undefined) return;
    try {
      process.kill(-this.process.pid, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  }
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit code ${String(code)}`;
}
