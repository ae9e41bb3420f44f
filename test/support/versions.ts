import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DefaultLogger } from '@temporalio/worker';
import { z } from 'zod';
import { createActivities } from '../../src/activities/index.js';
import { createApp } from '../../src/api/app.js';
import type { bundleWorkflows } from '../../src/temporal/bundle.js';
import { createFeedWorker, createWorker } from '../../src/worker.js';
import { workflowBundle } from './temporal.js';

/** The service's code as a house runs it. */
export interface Version {
  createApp: typeof createApp;
  createActivities: typeof createActivities;
  createWorker: typeof createWorker;
  createFeedWorker: typeof createFeedWorker;
  workflows: () => Promise<{ code: string }>;
}

export const PRESENT: Version = {
  createApp,
  createActivities,
  createWorker,
  createFeedWorker,
  workflows: workflowBundle,
};

/**
 * What makes the sources those of a version from before: whatever was added to the ways of a run is taken out of them again.
 * Each has to be found somewhere, so that this cannot come to mean nothing.
 */
const TAKEN_BACK: readonly { what: RegExp; by: string }[] = [
  { what: /\bpatched\('[a-z-]+'\)/g, by: 'false' },
  { what: /\bways: 2(?=,| })/g, by: 'ways: undefined' },
  { what: /\bwatches: true(?=,)/g, by: 'watches: undefined' },
  // That version does not know of them, and would go its own way also with a record that has them.
  { what: /\bways === 2\b/g, by: 'ways === 3' },
  { what: /\bways !== 2\b/g, by: 'ways !== 3' },
  { what: /\bways === undefined\b/g, by: 'ways !== 3' },
  { what: /\bNEWEST_WAYS = 2;/g, by: 'NEWEST_WAYS = 1;' },
];

const isFunction = (value: unknown) => typeof value === 'function';
const moduleSchemas = {
  app: z.object({ createApp: z.custom<typeof createApp>(isFunction) }),
  activities: z.object({ createActivities: z.custom<typeof createActivities>(isFunction) }),
  worker: z.object({
    createWorker: z.custom<typeof createWorker>(isFunction),
    createFeedWorker: z.custom<typeof createFeedWorker>(isFunction),
  }),
  bundle: z.object({ bundleWorkflows: z.custom<typeof bundleWorkflows>(isFunction) }),
};

/**
 * The version before every change that ever had to be kept from runs that were open: the present sources with the changes
 * taken back that `patched()` and `ways` guard. It needs no other checkout, and each further guarded change is one more
 * between the two.
 */
export async function versionBefore(): Promise<Version & { discard: () => void }> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  mkdirSync(join(root, '.cache'), { recursive: true });
  // Inside the project, where the packages are found.
  const folder = mkdtempSync(join(root, '.cache/version-before-'));
  cpSync(join(root, 'src'), folder, { recursive: true });
  takeBack(folder);
  const load = async <T>(file: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse({ ...(await import(pathToFileURL(join(folder, file)).href)) });
  const { bundleWorkflows: bundle } = await load('temporal/bundle.ts', moduleSchemas.bundle);
  const bundled = bundle(new DefaultLogger('ERROR'));
  return {
    ...(await load('api/app.ts', moduleSchemas.app)),
    ...(await load('activities/index.ts', moduleSchemas.activities)),
    ...(await load('worker.ts', moduleSchemas.worker)),
    workflows: () => bundled,
    discard: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function takeBack(folder: string): void {
  const found = TAKEN_BACK.map(() => 0);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const before = readFileSync(join(folder, name), 'utf8');
    const after = TAKEN_BACK.reduce(
      (text, { what, by }, index) =>
        text.replace(what, () => {
          found[index] = (found[index] ?? 0) + 1;
          return by;
        }),
      before,
    );
    if (after !== before) writeFileSync(join(folder, name), after);
  }
  for (const [index, { what }] of TAKEN_BACK.entries()) assert.ok((found[index] ?? 0) > 0, `nothing is ${what}`);
}
