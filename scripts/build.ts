import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildService } from './build-service.js';

/*
 * npm run build: the service in dist/, as it runs in production.
 */

try {
  const bundleBytes = await buildService(join(fileURLToPath(new URL('..', import.meta.url)), 'dist'), {
    isChecked: true,
  });
  process.stdout.write(`dist/ is built; workflow-bundle.js has ${Math.round(bundleBytes / 1024)} kB\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
