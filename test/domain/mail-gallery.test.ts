import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { GALLERY, galleryFiles, sampleMails } from '../../scripts/mails/gallery.js';
import { mailKinds } from '../../src/domain/templates/index.js';

describe('the gallery of mails', () => {
  it('shows every kind, a customer’s in both languages', () => {
    const mails = [...sampleMails()];
    assert.deepEqual(new Set(mails.map(([, { kind }]) => kind)), new Set(mailKinds));
    const named = (language: string) =>
      mails.flatMap(([name]) => (name.startsWith(`${language}-`) ? [name.slice(3)] : []));
    assert.deepEqual(
      named('ja').filter((name) => !name.startsWith('en-')),
      named('en'),
    );
  });

  it('is what the words and the look make now', async () => {
    const files = galleryFiles();
    const lying = (await readdir(GALLERY)).filter((name) => /\.(?:html|txt)$/.test(name));
    const differing: string[] = [];
    for (const name of new Set([...files.keys(), ...lying])) {
      const is = lying.includes(name) ? await readFile(new URL(name, GALLERY), 'utf8') : undefined;
      if (is !== files.get(name)) differing.push(name);
    }
    assert.deepEqual(differing, [], 'run `npm run mails`, look at docs/mails/index.html, and commit what it changes');
  });
});
