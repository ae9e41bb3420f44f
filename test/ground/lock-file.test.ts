import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const packageSchema = z.object({
  version: z.string(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  link: z.boolean().optional(),
  hasInstallScript: z.boolean().default(false),
  /** What belongs to a package of the same archive. */
  inBundle: z.boolean().default(false),
});
const lockSchema = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), packageSchema),
});
const manifestSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

const lock = lockSchema.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
const manifest = manifestSchema.parse(JSON.parse(readFileSync('package.json', 'utf8')));
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

function pathsOf(isWrong: (one: z.infer<typeof packageSchema>) => boolean): string[] {
  return packages.filter(([, one]) => isWrong(one)).map(([path]) => path);
}

describe('the lock file', () => {
  it('says of every package what its archive must hold', () => {
    assert.ok(packages.length > 400);
    const isSure = /^sha512-[A-Za-z0-9+/]{86}==$/;
    assert.deepEqual(
      pathsOf(({ integrity, inBundle }) => !inBundle && !isSure.test(integrity ?? '')),
      [],
    );
  });

  it('names no place to get it from: the registry that npm is set to, and no other', () => {
    assert.deepEqual(
      pathsOf(({ resolved, link }) => resolved !== undefined || link === true),
      [],
    );
    assert.deepEqual(
      pathsOf(({ version }) => !/^\d+\.\d+\.\d+/.test(version)),
      [],
    );
  });

  it('is of one version of each package that we ask for', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name);
    }
    assert.equal(lock.packages['']?.version, manifest.version);
  });

  it('needs no program of a package to be run by npm, and runs none', () => {
    assert.match(readFileSync('.npmrc', 'utf8'), /^ignore-scripts=true$/m);
    // Those that would: one that is new here may need its program, so look at what it does before it is added.
    assert.deepEqual(
      [
        ...new Set(
          pathsOf(({ hasInstallScript }) => hasInstallScript).map((path) => path.replace(/^.*node_modules\//, '')),
        ),
      ].sort(),
      ['@scarf/scarf', '@swc/core', 'esbuild', 'protobufjs'],
    );
  });
});
