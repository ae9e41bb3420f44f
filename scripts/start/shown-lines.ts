import { z } from 'zod';
import type { ChildSpec } from './child.js';

/** Lines of pino (numbers) and of the Temporal server (words). */
const logLineSchema = z.object({
  level: z.union([z.number(), z.string()]),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
  error: z.string().optional(),
});

const ranks: Partial<Record<string, number>> = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** Not each line of a stack: those are shown when the process ends of it. */
const plainProblem = /^(?=\S).*(error|warning|fatal|panic)\b/i;

const MAX_LENGTH = 300;

/** Shows warnings or errors of a JSON log in one line each, and of what a process says on stderr in plain words. */
export function problemsOfJsonLog(from: 'warn' | 'error'): ChildSpec['shown'] {
  return (line, stream) => {
    const entry = parse(line);
    if (entry === undefined) return stream === 'stderr' && plainProblem.test(line) ? line : undefined;
    const rank = typeof entry.level === 'number' ? entry.level : (ranks[entry.level] ?? 0);
    if (rank < (ranks[from] ?? 0)) return undefined;
    const parts = [entry.msg, entry.err?.message ?? entry.error].filter((part) => part !== undefined && part !== '');
    return `${rank >= 50 ? 'error' : 'warning'}: ${parts.join(': ')}`.slice(0, MAX_LENGTH);
  };
}

function parse(line: string): z.infer<typeof logLineSchema> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return logLineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
