import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/*
 * Where a real IMAP server for tests comes from. One that is installed is taken first; otherwise Debian's packages are
 * unpacked into the project's cache, without root and without installing them.
 */

const execFileAsync = promisify(execFile);

const PROBE_TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

/** The settings of 2.4 are other ones. */
const VERSION = /^2\.3\./;

const PACKAGES = ['dovecot-core', 'dovecot-imapd'];
const PROGRAMS = ['anvil', 'auth', 'config', 'imap', 'imap-login', 'log', 'stats'];

export interface Dovecot {
  /** `dovecot` itself. */
  path: string;
  /** Where the packages were unpacked; undefined where it is installed. */
  root?: string;
  /** Says which one was taken, for people. */
  line: string;
}

let found: Promise<Dovecot> | undefined;

/** For this process, looked for once. */
export function dovecot(): Promise<Dovecot> {
  found ??= find(fileURLToPath(new URL('../.cache/dovecot', import.meta.url)));
  return found;
}

/** Folders with the libraries of unpacked packages. */
export async function librariesOf(root: string): Promise<string[]> {
  const own = join(root, 'usr/lib/dovecot');
  const parents = [join(root, 'usr/lib'), join(root, 'lib')];
  const shared = await Promise.all(
    parents.map(async (parent) => {
      const names = await readdir(parent).catch(() => []);
      return names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(parent, name));
    }),
  );
  return [own, join(own, 'modules/old-stats'), ...shared.flat()];
}

async function find(cached: string): Promise<Dovecot> {
  const failures: string[] = [];
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, 'dovecot');
    if (folder === '' || !(await isThere(path))) continue;
    const version = await versionOf(path);
    if (VERSION.test(version)) return { path, line: `dovecot: ${path} (installed)` };
    failures.push(`${path}: version ${version}, not 2.3`);
  }
  const path = join(cached, 'usr/sbin/dovecot');
  try {
    if (!(await isThere(path))) await download(cached);
    const version = await versionOf(path, cached);
    if (VERSION.test(version)) return { path, root: cached, line: `dovecot: ${path} (unpacked)` };
    failures.push(`${path}: version ${version}, not 2.3`);
  } catch (error) {
    failures.push(`packages of Debian: ${reasonOf(error)}`);
  }
  throw new Error(
    ['No usable dovecot was found. Tried:', ...failures.map((failure) => `  - ${failure}`)].join('\n') +
      '\nInstall Dovecot 2.3 (Debian and Ubuntu: apt-get install dovecot-imapd).',
  );
}

/** Into a folder of its own, which is moved into place once all is there, so that two starts at once do no harm. */
async function download(cached: string): Promise<void> {
  process.stderr.write('Downloading dovecot …\n');
  const folder = `${cached}.${randomUUID()}.part`;
  const root = join(folder, 'root');
  await mkdir(root, { recursive: true });
  try {
    await fetchPackages(PACKAGES, folder, root);
    const depends = await run('apt-cache', ['depends', ...PACKAGES]);
    const candidates = [...depends.matchAll(/Depends: (lib\S+)/g)].map(([, name = '']) => name);
    const wanted = await missingLibraries(root);
    // Debian names the package of `liblua5.4.so.0` liblua5.4-0.
    const packages = candidates.filter((name) => wanted.some((stem) => name.startsWith(stem)));
    if (packages.length > 0) await fetchPackages([...new Set(packages)], folder, root);
    await makeRelocatable(root);
    await rm(join(root, 'usr/share'), { recursive: true, force: true });
    await rename(root, cached).catch(async (error: unknown) => {
      // Another process was quicker.
      if (!(await isThere(join(cached, 'usr/sbin/dovecot')))) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchPackages(names: readonly string[], folder: string, root: string): Promise<void> {
  const get = () => run('apt-get', ['download', '--quiet', ...names], folder);
  // On a bare machine the lists of packages may be missing, or older than what the mirror still has.
  await get().catch(async () => {
    await run('apt-get', ['update', '--quiet']).catch(() => '');
    await get();
  });
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.deb')) continue;
    await run('dpkg-deb', ['-x', join(folder, file), root]);
    await rm(join(folder, file));
  }
}

/** The names up to `.so` of what the programs need and nobody has. */
async function missingLibraries(root: string): Promise<string[]> {
  const programs = ['sbin/dovecot', 'bin/doveconf', ...PROGRAMS.map((name) => `lib/dovecot/${name}`)];
  const env = { ...process.env, LD_LIBRARY_PATH: (await librariesOf(root)).join(delimiter) };
  const listed = await execFileAsync(
    'ldd',
    programs.map((program) => join(root, 'usr', program)),
    { env, timeout: PROBE_TIMEOUT_MS },
  );
  return [...listed.stdout.matchAll(/^\s*(\S+)\.so\S* => not found$/gm)].map(([, stem = '']) => stem);
}

/**
 * The module for TLS is loaded from a path that no setting changes, also where there is no TLS. In its place stands
 * one relative to the run directory, where a link to the modules has to be.
 */
async function makeRelocatable(root: string): Promise<void> {
  const folder = join(root, 'usr/lib/dovecot');
  const [name] = (await readdir(folder)).filter((file) => /^libdovecot\.so\.\d+\.\d+\.\d+$/.test(file));
  if (name === undefined) throw new Error('libdovecot.so is not where it was');
  const bytes = await readFile(join(folder, name));
  const fixed = Buffer.from('/usr/lib/dovecot/modules\0');
  const at = bytes.indexOf(fixed);
  if (at < 0) throw new Error('libdovecot.so loads its modules from elsewhere');
  bytes.fill(0, at, at + fixed.length).write('modules', at);
  await writeFile(join(folder, name), bytes);
}

async function versionOf(path: string, root?: string): Promise<string> {
  const env = root === undefined ? process.env : { LD_LIBRARY_PATH: (await librariesOf(root)).join(delimiter) };
  const { stdout } = await execFileAsync(path, ['--version'], { env, timeout: PROBE_TIMEOUT_MS });
  return stdout.trim();
}

async function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execFileAsync(program, args, { cwd, timeout: DOWNLOAD_TIMEOUT_MS });
  return stdout;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
