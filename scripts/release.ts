import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../src/version.js';
import { notReady } from './release/readiness.js';
import { makeSbom } from './release/sbom.js';

/*
 * npm run release: is this version one to give away? Its date in the changelog, all tests, the build, and in release/ the list of
 * what it is made of. Publishing is left to whoever runs it.
 */

const root = fileURLToPath(new URL('..', import.meta.url));

function npm(...args: string[]): void {
  const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
}

async function main(): Promise<void> {
  const problem = notReady(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), VERSION);
  if (problem !== undefined) throw new Error(problem);
  npm('ci');
  npm('test');
  npm('run', 'build');
  const sbom = await makeSbom(root, 'mimamori');
  mkdirSync(join(root, 'release'), { recursive: true });
  const file = `release/mimamori-${VERSION}.cdx.json`;
  writeFileSync(join(root, file), `${JSON.stringify(sbom, null, 2)}\n`);
  process.stdout.write(`\n${VERSION} is ready: dist/, and ${file} with ${sbom.components.length} packages\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
