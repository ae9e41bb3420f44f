import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { z } from 'zod';

/** What a child tells its parent as it happens. */
const newsSchema = z.union([z.object({ mail: z.string(), incidentId: z.string() }), z.object({ isolate: z.string() })]);
export type News = z.infer<typeof newsSchema>;

export interface ProgramOptions {
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  logFile: string;
  onNews?: (news: News) => void;
}

/** Clock ticks of /proc a second; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** One process under measurement. */
export class Program {
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private output = '';
  private readonly waiting: { text: string; resolve: () => void }[] = [];
  private isGone = false;

  constructor(readonly options: ProgramOptions) {
    const { command, args, env, logFile, onNews } = options;
    const log = createWriteStream(logFile, { flags: 'a' });
    this.child = spawn(command, args, {
      ...(env === undefined ? {} : { env }),
      stdio: ['ignore', 'pipe', 'pipe', ...(onNews === undefined ? [] : ['ipc' as const])],
    });
    const take = (chunk: Buffer) => {
      log.write(chunk);
      this.output += chunk.toString('utf8');
      for (const { text, resolve } of this.waiting) if (this.output.includes(text)) resolve();
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
    if (onNews !== undefined) this.child.on('message', (message) => onNews(newsSchema.parse(message)));
    this.ended = new Promise((resolve) => {
      this.child.once('close', () => {
        this.isGone = true;
        log.end();
        resolve();
      });
    });
  }

  /** Waits until it has written that. */
  async prints(text: string, timeoutMs = 60_000): Promise<void> {
    if (this.output.includes(text)) return;
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        new Promise<void>((resolve) => this.waiting.push({ text, resolve })),
        this.ended.then(() => {
          throw new Error(`${this.options.name} ended: ${this.output.slice(-2_000)}`);
        }),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error(`${this.options.name} does not print ${text}`)), timeoutMs);
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Processor time so far, of all its threads. */
  cpuMs(): number {
    if (this.isGone) return 0;
    const fields =
      readFileSync(`/proc/${this.child.pid ?? 0}/stat`, 'utf8')
        .split(') ')
        .at(-1)
        ?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    const force = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(force);
  }
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error()),
      );
    });
  });
}
