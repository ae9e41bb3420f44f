import type { ArchivePlaceSettings } from './config.js';
import type { Archive } from './domain/archive/entry.js';
import type { Sealing } from './domain/sealing.js';
import { createArchive } from './integrations/archive/chain.js';
import { createFolderStore } from './integrations/archive/folder.js';
import { createS3Store } from './integrations/archive/s3.js';

/** The archive that the settings name; without `sealing` it is plain. */
export function openArchive(place: ArchivePlaceSettings, sealing: Sealing | undefined): Archive {
  return createArchive('folder' in place ? createFolderStore(place.folder) : createS3Store(place.s3), sealing);
}
