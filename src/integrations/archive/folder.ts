import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ArchiveError } from '../../domain/archive/entry.js';
import type { ArchiveStore } from './store.js';

/** For nobody but the service's own user. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

function failed(what: string, error: unknown): ArchiveError {
  return new ArchiveError(`${what}: ${codeOf(error) ?? String(error)}`, { cause: error });
}

/** What it resolves to, or `missing` where there is no such file or folder. */
async function orMissing<T, M>(what: string, missing: M, look: () => Promise<T>): Promise<T | M> {
  try {
    return await look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing;
    throw failed(what, error);
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An archive in a folder, which is made when something is put into it. The file system must know hard links. */
export function createFolderStore(root: string): ArchiveStore {
  /** What is being written. It counts for nothing before it has its name. */
  const writing = join(root, '.writing');

  async function put(name: string, bytes: Uint8Array): Promise<'put' | 'exists'> {
    const path = join(root, name);
    await mkdir(writing, { recursive: true, mode: FOLDER_MODE });
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    const draft = join(writing, randomUUID());
    try {
      const handle = await open(draft, 'wx', FILE_MODE);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      // A link is made whole or not at all, and never over what is there: so no crash leaves half a file under the name.
      await link(draft, path);
      await sync(dirname(path));
      return 'put';
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'exists';
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  return {
    async putNew(name, bytes) {
      try {
        return await put(name, bytes);
      } catch (error) {
        throw failed(`${root}: ${name} cannot be written`, error);
      }
    },
    get: (name) => orMissing(`${root}: ${name} cannot be read`, undefined, () => readFile(join(root, name))),
    async list(folder, after = '') {
      const path = join(root, folder);
      const found = await orMissing(`${root}: ${folder} cannot be read`, [], () =>
        readdir(path, { recursive: true, withFileTypes: true }),
      );
      const files = found.filter((each) => !each.isDirectory());
      const names = files.map(({ parentPath, name }) => relative(path, join(parentPath, name)));
      return names.filter((name) => name > after).sort();
    },
    async folders() {
      const found = await orMissing(`${root} cannot be read`, [], () => readdir(root, { withFileTypes: true }));
      return found.flatMap((each) => (each.isDirectory() && !each.name.startsWith('.') ? [each.name] : [])).sort();
    },
  };
}
