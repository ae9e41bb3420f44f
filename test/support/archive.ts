import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchive } from '../../src/integrations/archive/chain.js';
import { createFolderStore } from '../../src/integrations/archive/folder.js';
import { testSealing } from './keys.js';

/** For those who have nothing to do with it: nothing is in it, and nobody writes to it. */
export const noArchive = createArchive(createFolderStore(join(tmpdir(), 'mimamori-no-archive')), testSealing);
