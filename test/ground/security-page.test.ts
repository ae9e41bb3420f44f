import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { searchKeys } from '../../src/domain/lists.js';

describe('docs/security.md', () => {
  const page = readFileSync('docs/security.md', 'utf8');

  it('says of every search attribute what it holds, and of no other', () => {
    const said = [...page.matchAll(/^\| `([A-Z]\w+)` +\|/gm)].map(([, name]) => name ?? '');
    assert.deepEqual(
      said.sort(),
      Object.values(searchKeys)
        .map(({ name }) => name)
        .sort(),
    );
  });

  it('names files that there are', () => {
    const named = [...page.matchAll(/`((?:src|test)\/[\w/.-]+)`/g)].map(([, file]) => file ?? '');
    assert.ok(named.length > 0);
    for (const file of named) assert.ok(existsSync(file), file);
  });
});
