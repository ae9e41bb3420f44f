import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { FAULTS } from './broken-on-purpose.js';

describe('the table of deliberate faults', () => {
  for (const { what, file, find, replace, caughtIn } of FAULTS) {
    it(`still finds what to break in ${file}: ${what}`, async () => {
      const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.equal(text.split(find).length - 1, 1);
      assert.notEqual(find, replace);
      await readFile(new URL(`../../${caughtIn}`, import.meta.url));
    });
  }
});
