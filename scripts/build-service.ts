import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DefaultLogger } from '@temporalio/worker';
import { bundleWorkflows } from '../src/temporal/bundle.js';

const rootDir = fileURLToPath(new URL('..', import.meta.url));

/**
 * src/ as JavaScript in `outDir`, and the workflows as one bundle, so that a worker starts without webpack. `outDir` is
 * inside the project, where the packages are found. Answers the bundle's size in bytes.
 */
export async function buildService(outDir: string, options: { isChecked: boolean }): Promise<number> {
  rmSync(outDir, { recursive: true, force: true });
  const compiler = [join(rootDir, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', outDir];
  await promisify(execFile)(process.execPath, [...compiler, ...(options.isChecked ? [] : ['--noCheck'])], {
    cwd: rootDir,
  }).catch((error: unknown) => {
    throw new Error(outputOf(error));
  });
  const { code } = await bundleWorkflows(new DefaultLogger('WARN'));
  writeFileSync(join(outDir, 'workflow-bundle.js'), code);
  return code.length;
}

/** The compiler's findings are on its standard output. */
function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== '' ? error.stdout : error.message;
}
