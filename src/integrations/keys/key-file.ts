import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { parseKeyRing, readKeyRing, type KeyRing } from './key-ring.js';

const OWNER_ONLY = 0o600;

/**
 * Runs with the file that the next ring is written into: whoever has it is alone at work. `place` puts it where the old one is;
 * otherwise it is removed.
 */
function withNewFile<Result>(
  file: string,
  work: (newFile: { descriptor: number; place: () => void }) => Result,
): Result {
  const newFile = `${file}.new`;
  let descriptor: number;
  try {
    descriptor = openSync(newFile, 'wx', OWNER_ONLY);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new Error(`${newFile} is there: somebody else changes the keys now. Remove it if nobody does.`, {
      cause: error,
    });
  }
  const state = { isPlaced: false };
  const place = (): void => {
    renameSync(newFile, file);
    state.isPlaced = true;
  };
  try {
    return work({ descriptor, place });
  } finally {
    closeSync(descriptor);
    // Of that name there may be somebody else's by now.
    if (!state.isPlaced) rmSync(newFile);
  }
}

/** Root may change the keys of a service that runs as somebody else. */
function keepOwner(descriptor: number, file: string): void {
  if (!existsSync(file)) return;
  const { uid, gid } = statSync(file);
  if (process.getuid?.() !== uid) fchownSync(descriptor, uid, gid);
}

function syncFolder(file: string): void {
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Changes the file of keys, or makes it: readable by its owner alone, on the disk before this returns, and whole at every
 * moment. Two at once do not lose each other's keys: the second is refused.
 *
 * @throws Error without a word of what the file holds
 */
export function changeKeyFile<Result>(
  file: string,
  change: (ring: KeyRing) => { ring: KeyRing } & Result,
): { ring: KeyRing } & Result {
  return withNewFile(file, ({ descriptor, place }) => {
    const before: KeyRing = existsSync(file) ? readKeyRing(file) : { keys: [], destroyed: [] };
    const changed = change(before);
    if (changed.ring === before) return changed;
    const text = `${JSON.stringify(changed.ring, null, 2)}\n`;
    // What could not be read again would be lost.
    parseKeyRing(text, file);
    writeFileSync(descriptor, text);
    keepOwner(descriptor, file);
    fsyncSync(descriptor);
    place();
    syncFolder(file);
    return changed;
  });
}
