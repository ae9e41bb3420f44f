import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

export interface PortUse {
  variable: string;
  port: number;
  host: string;
  /** What listens there, for people. */
  what: string;
}

/** One line for each port that something else holds, or that two of ours would share. */
export async function portProblems(uses: readonly PortUse[]): Promise<string[]> {
  const problems = await Promise.all(
    uses.map(async ({ variable, port, host, what }, index) => {
      const earlier = uses.slice(0, index).find((other) => other.port === port);
      if (earlier !== undefined) {
        return `port ${port} is meant for ${earlier.what} and for ${what}: change ${earlier.variable} or ${variable}`;
      }
      const reason = await listenProblem(port, host);
      if (reason === undefined) return undefined;
      return `port ${port} for ${what} ${reason}${holderOf(port)}: change it with ${variable}`;
    }),
  );
  return problems.filter((problem) => problem !== undefined);
}

/** That port, where nobody listens there, or else any. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await listenProblem(preferred, LOOPBACK)) === undefined) return preferred;
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: LOOPBACK }, () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      server.close(() => (port === undefined ? reject(new Error('no port is free')) : resolve(port)));
    });
  });
}

async function listenProblem(port: number, host: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve('code' in error && error.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${error.message})`);
    });
    server.listen({ port, host }, () => server.close(() => resolve(undefined)));
  });
}

/** ` by temporal (pid 123)` where the system tells us (Linux, own processes), else nothing. */
function holderOf(port: number): string {
  try {
    const inodes = listeningInodes(port);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (socketsOf(pid).some((inode) => inodes.has(inode))) {
        return ` by ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
      }
    }
  } catch {
    // No /proc here: the port and its variable have to do.
  }
  return '';
}

function listeningInodes(port: number): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter((columns) => columns[1]?.endsWith(`:${hexPort}`) === true && columns[3] === listening)
      .flatMap((columns) => columns[9] ?? []),
  );
}

function socketsOf(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  // What is another user's, or gone again since it was listed, is of no use here.
  const descriptors = orElse(() => readdirSync(folder), []);
  return descriptors.flatMap((descriptor) => {
    const target = orElse(() => readlinkSync(`${folder}/${descriptor}`), '');
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
}

function orElse<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
