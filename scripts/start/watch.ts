import { watch } from 'node:fs';
import { join } from 'node:path';

/** Editors write a file in several steps. */
const QUIET_MS = 300;

export interface Watched {
  folder: string;
  /** The children that read it. */
  children: readonly string[];
}

/** Calls back with the children whose sources have changed, once things are quiet. */
export function watchSources(rootDir: string, watched: readonly Watched[], onChange: (names: string[]) => void): void {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  for (const { folder, children } of watched) {
    watch(join(rootDir, folder), { recursive: true }, () => {
      for (const name of children) changed.add(name);
      clearTimeout(timer);
      timer = setTimeout(() => {
        onChange([...changed]);
        changed.clear();
      }, QUIET_MS);
    });
  }
}
