import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/start/ports.js';
import { until } from '../../simulator/testing.js';

/*
 * A server that speaks S3, on loopback. Versity's gateway where it is installed (it proves signatures), else moto, which pip puts
 * into the project's cache where the machine's own Python has it not.
 */

const execFileAsync = promisify(execFile);

const MOTO = ['moto[s3]==5.2.1', 'flask==3.1.2', 'flask-cors==6.0.1'];
const INSTALL_TIMEOUT_MS = 300_000;
const START_TIMEOUT_MS = 30_000;
const BUCKET = 'archive';

export interface RunningS3 {
  /** The bucket. */
  url: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Does it refuse who signs with another key? */
  provesSignatures: boolean;
  stop(): Promise<void>;
}

interface Way {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  provesSignatures: boolean;
  /** How the bucket is made. */
  bucket: () => Promise<void>;
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, name);
    if (await isThere(path, constants.X_OK)) return path;
  }
  return undefined;
}

function isThere(path: string, mode = constants.R_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** Where Python finds moto; undefined where it has it by itself. */
async function motoFolder(): Promise<string | undefined> {
  const hasIt = await execFileAsync('python3', ['-c', 'import moto.server, flask, flask_cors']).then(
    () => true,
    () => false,
  );
  if (hasIt) return undefined;
  const cached = fileURLToPath(new URL('../../.cache/moto', import.meta.url));
  if (await isThere(cached)) return cached;
  const part = `${cached}.${randomUUID()}.part`;
  await mkdir(part, { recursive: true });
  try {
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', part, ...MOTO];
    await execFileAsync('python3', args, { timeout: INSTALL_TIMEOUT_MS });
    await rename(part, cached);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return cached;
}

async function wayTo(home: string, port: number, keys: { id: string; secret: string }): Promise<Way> {
  const gateway = await onPath('versitygw');
  if (gateway !== undefined) {
    return {
      command: gateway,
      args: ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', home],
      env: { ...process.env, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      provesSignatures: true,
      bucket: async () => {
        await mkdir(join(home, BUCKET), { recursive: true });
      },
    };
  }
  const folder = await motoFolder();
  return {
    command: 'python3',
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    env: { ...process.env, ...(folder === undefined ? {} : { PYTHONPATH: folder }) },
    provesSignatures: false,
    bucket: async () => {
      const made = await fetch(`http://127.0.0.1:${port}/${BUCKET}`, { method: 'PUT' });
      if (!made.ok) throw new Error(`no bucket: ${made.status}`);
    },
  };
}

export async function startS3(): Promise<RunningS3> {
  const home = await mkdtemp(join(tmpdir(), 'mimamori-s3-'));
  const port = await freePort();
  const keys = { id: 'access-key', secret: 'secret-of-the-bucket' };
  const way = await wayTo(home, port, keys);
  const server = spawn(way.command, way.args, { env: way.env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => undefined,
    );
  await until('the S3 server answers', answers, START_TIMEOUT_MS);
  await way.bucket();
  return {
    url: `http://127.0.0.1:${port}/${BUCKET}`,
    accessKeyId: keys.id,
    secretAccessKey: keys.secret,
    provesSignatures: way.provesSignatures,
    async stop() {
      server.kill();
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
