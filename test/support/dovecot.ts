import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dovecot, librariesOf, type Dovecot } from '../../scripts/dovecot.js';
import { freePort } from '../../scripts/start/ports.js';

/*
 * A real IMAP server on loopback, with one user and nothing outside of a temporary folder.
 */

const execFileAsync = promisify(execFile);

const USER = 'mailbox';
const PASSWORD = 'password';
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;

export interface RunningDovecot {
  port: number;
  user: string;
  password: string;
  imapUrl: string;
  /** A mail into the INBOX, or a folder, which is made where it is missing; idling clients hear of it. */
  deliver(raw: Buffer | string, folder?: string): Promise<void>;
  deliverMany(raws: readonly (Buffer | string)[]): Promise<void>;
  /** The mails in it, as they are on the disk, read as UTF-8. */
  folder(name: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** Whom the server runs as: never root, whose mail Dovecot does not serve. */
interface Owner {
  name: string;
  group: string;
  uid: number;
  gid: number;
}

async function ownerOfProcesses(): Promise<Owner> {
  const whom = process.getuid?.() === 0 ? ['nobody'] : [];
  const id = async (...options: string[]) => (await execFileAsync('id', [...options, ...whom])).stdout.trim();
  const [name, group, uid, gid] = await Promise.all([id('-un'), id('-gn'), id('-u'), id('-g')]);
  return { name, group, uid: Number(uid), gid: Number(gid) };
}

function configuration(home: string, port: number, { name, group }: Owner, root: string | undefined): string {
  const unpacked =
    root === undefined
      ? []
      : [
          `libexec_dir = ${root}/usr/lib/dovecot`,
          `mail_plugin_dir = ${root}/usr/lib/dovecot/modules`,
          'import_environment = TZ LD_LIBRARY_PATH',
        ];
  return [
    ...unpacked,
    `base_dir = ${home}/run`,
    `state_dir = ${home}/state`,
    `log_path = ${home}/log`,
    `default_internal_user = ${name}`,
    `default_internal_group = ${group}`,
    `default_login_user = ${name}`,
    'protocols = imap',
    'listen = 127.0.0.1',
    'ssl = no',
    'disable_plaintext_auth = no',
    'auth_mechanisms = plain login',
    // Tests sign in wrongly on purpose.
    'auth_failure_delay = 0',
    `mail_location = maildir:${home}/mail`,
    'mail_fsync = never',
    'mailbox_idle_check_interval = 1 secs',
    'first_valid_uid = 1',
    'namespace inbox {\n  inbox = yes\n  separator = /\n}',
    `service imap-login {\n  chroot =\n  inet_listener imap {\n    port = ${port}\n  }\n  inet_listener imaps {\n    port = 0\n  }\n}`,
    'service anvil {\n  chroot =\n}',
    'service stats {\n  chroot =\n}',
    ...['passdb', 'userdb'].map((db) => `${db} {\n  driver = passwd-file\n  args = ${home}/users\n}`),
    '',
  ].join('\n');
}

function launch({ path, root }: Dovecot, libraries: string[], file: string, { uid, gid }: Owner): ChildProcess {
  const asOther = process.getuid?.() === 0 ? { uid, gid } : {};
  const args = ['-F', '-c', file];
  if (root === undefined) return spawn(path, args, { ...asOther, stdio: ['ignore', 'ignore', 'pipe'] });
  // Dovecot would look for doveconf where it is installed; so doveconf is started first, and starts it.
  return spawn(join(root, 'usr/bin/doveconf'), ['-c', file, '-f', 'service=master', '-e', path, ...args], {
    ...asOther,
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function isGreeted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('data', (bytes) => answer(bytes.toString().startsWith('* OK')));
    socket.once('error', () => answer(false));
    socket.once('close', () => resolve(false));
  });
}

/** Root's files may lie where nobody else gets to: then the server has a copy of its own. */
async function within(home: string, program: Dovecot): Promise<Dovecot> {
  if (program.root === undefined || process.getuid?.() !== 0) return program;
  const root = join(home, 'program');
  await cp(program.root, root, { recursive: true, verbatimSymlinks: true });
  return { ...program, root, path: join(root, 'usr/sbin/dovecot') };
}

export async function startDovecot(): Promise<RunningDovecot> {
  const [available, owner, port] = await Promise.all([dovecot(), ownerOfProcesses(), freePort()]);
  const home = await mkdtemp(join(tmpdir(), 'mimamori-dovecot-'));
  const file = join(home, 'dovecot.conf');
  const make = async (folder: string) => {
    await mkdir(folder, { recursive: true });
    await chown(folder, owner.uid, owner.gid);
  };
  const makeMaildir = async (folder: string) => {
    for (const part of ['', 'cur', 'new', 'tmp']) await make(join(folder, part));
  };
  const program = await within(home, available);
  await chown(home, owner.uid, owner.gid);
  for (const folder of ['run', 'state']) await make(join(home, folder));
  await makeMaildir(join(home, 'mail'));
  if (program.root !== undefined)
    await symlink(join(program.root, 'usr/lib/dovecot/modules'), join(home, 'run/modules'));
  await writeFile(join(home, 'users'), `${USER}:{PLAIN}${PASSWORD}:${owner.uid}:${owner.gid}::${home}::\n`);
  await writeFile(file, configuration(home, port, owner, program.root));

  const child = launch(program, program.root === undefined ? [] : await librariesOf(program.root), file, owner);
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      complaints += error.message;
      resolve();
    });
  });
  const killIt = () => child.kill();
  process.once('exit', killIt);

  const stop = async () => {
    process.off('exit', killIt);
    child.kill();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    await rm(home, { recursive: true, force: true });
  };

  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await isGreeted(port))) {
    if (child.exitCode === null && Date.now() < deadlineMs) {
      await sleep(10);
      continue;
    }
    const log = await readFile(join(home, 'log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`${program.line} did not start: ${complaints}\n${log}`);
  }

  const pathOf = (name: string) =>
    name.toUpperCase() === 'INBOX' ? join(home, 'mail') : join(home, 'mail', `.${name.replaceAll('/', '.')}`);
  let delivered = 0;
  const deliver = async (raw: Buffer | string, folder = 'INBOX') => {
    const maildir = pathOf(folder);
    await makeMaildir(maildir);
    delivered += 1;
    const name = `${Math.floor(Date.now() / 1000)}.M${String(delivered).padStart(6, '0')}P${process.pid}.mimamori`;
    await writeFile(join(maildir, 'tmp', name), raw);
    await rename(join(maildir, 'tmp', name), join(maildir, 'new', name));
  };

  return {
    port,
    user: USER,
    password: PASSWORD,
    imapUrl: `imap://${USER}:${PASSWORD}@127.0.0.1:${port}`,
    deliver,
    deliverMany: async (raws) => {
      for (const raw of raws) await deliver(raw);
    },
    folder: async (name) => {
      const maildir = pathOf(name);
      const files = await Promise.all(
        ['cur', 'new'].map(async (part) =>
          (await readdir(join(maildir, part))).map((mail) => ({ mail, path: join(maildir, part, mail) })),
        ),
      );
      const inOrder = files.flat().sort((one, other) => (one.mail < other.mail ? -1 : 1));
      return Promise.all(inOrder.map(({ path }) => readFile(path, 'utf8')));
    },
    stop,
  };
}
