import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { VERSION } from '../../src/version.js';

describe('the version', () => {
  it("is package.json's", () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.equal(VERSION, version);
  });
});
