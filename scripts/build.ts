import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/*
 * npm run build: src/ as JavaScript in dist/, and the workflows as one bundle, so that a worker starts without webpack.
 */

const rootDir = fileURLToPath(new URL('..', import.meta.url));
const distDir = join(rootDir, 'dist');

rmSync(distDir, { recursive: true, force: true });
execFileSync(process.execPath, [join(rootDir, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: rootDir,
  stdio: 'inherit',
});

const bundleFile = join(distDir, 'workflow-bundle.js');
const { code } = await bundleWorkflowCode({
  workflowsPath: join(rootDir, 'src/workflows/index.ts'),
  payloadConverterPath: join(rootDir, 'src/temporal/payload-converter.ts'),
  logger: new DefaultLogger('WARN'),
});
writeFileSync(bundleFile, code);
process.stdout.write(`dist/ is built; workflow-bundle.js has ${Math.round(code.length / 1024)} kB\n`);
