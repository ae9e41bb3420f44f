import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { COMPILED, compileSkeleton } from './mails/skeleton.js';

/*
 * npm run mails: what is made from something else of the mails: the skeleton by MJML, then the gallery in docs/mails/.
 */

await writeFile(COMPILED, await compileSkeleton());
// Only now: it loads the skeleton.
const { GALLERY, galleryFiles } = await import('./mails/gallery.js');
const files = galleryFiles();
await mkdir(GALLERY, { recursive: true });
for (const name of await readdir(GALLERY)) {
  if (/\.(?:html|txt)$/.test(name) && !files.has(name)) await rm(new URL(name, GALLERY));
}
for (const [name, content] of files) await writeFile(new URL(name, GALLERY), content);
process.stdout.write(`${files.size} files in docs/mails/\n`);
