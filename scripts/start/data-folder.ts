import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Takes the folder for this process, or answers whose it is: two services on one database would spoil it. Returns the
 * function that gives it back.
 */
export function takeDataFolder(folder: string, options: { fresh: boolean }): { release: () => void } | { pid: number } {
  const lockFile = join(folder, 'start.pid');
  const holder = livingHolder(lockFile);
  if (holder !== undefined) return { pid: holder };
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(lockFile, `${process.pid}\n`);
  return { release: () => rmSync(lockFile, { force: true }) };
}

function livingHolder(lockFile: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(lockFile, 'utf8'));
    process.kill(pid, 0);
  } catch {
    return undefined; // no such file, or no such process any more
  }
  try {
    // The number may have gone to another program since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start.ts') ? pid : undefined;
  } catch {
    return pid; // a system without /proc
  }
}
