import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { notReady } from '../../scripts/release/readiness.js';
import { makeSbom } from '../../scripts/release/sbom.js';
import { VERSION } from '../../src/version.js';

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

describe('a release', () => {
  it('is of the version that the changelog begins with, and has a date', () => {
    const changelog = (heading: string) => `# Changelog\n\n## ${heading}\n\n- New.\n\n## 0.9.0 – 2026-01-01\n`;
    assert.equal(notReady(changelog('1.0.0 – 2026-11-29'), '1.0.0'), undefined);
    assert.match(notReady(changelog('1.0.0 – unreleased'), '1.0.0') ?? '', /no date for 1\.0\.0/);
    assert.match(notReady(changelog('1.0.0 – 2026-11-29'), '1.1.0') ?? '', /begins with 1\.0\.0/);
    assert.match(notReady('# Changelog\n', '1.0.0') ?? '', /no version/);
  });

  it('comes with a list of all that it is made of, and of what only builds it', async () => {
    const { metadata, components } = await makeSbom('.', 'mimamori');
    assert.deepEqual([metadata.component.name, metadata.component.version], ['mimamori', VERSION]);
    const { dependencies, devDependencies } = manifestSchema.parse(JSON.parse(readFileSync('package.json', 'utf8')));
    const forDevelopment = (name: string, version: string): boolean => {
      const listed = components.find((one) => one.name === name && one.version === version);
      assert.ok(listed?.hashes?.[0]?.alg === 'SHA-512', name);
      return listed.properties.some((one) => one.name === 'cdx:npm:package:development');
    };
    for (const [name, version] of Object.entries(dependencies)) assert.ok(!forDevelopment(name, version), name);
    const only = Object.entries(devDependencies).filter(([name, version]) => forDevelopment(name, version));
    assert.ok(only.some(([name]) => name === 'mocha'));
  });
});
