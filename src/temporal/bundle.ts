import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  bundleWorkflowCode,
  type BundleOptions,
  type Logger,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { converterPaths } from './data-converter.js';

/**
 * A module, written here and read by webpack, that loads all rules once for all workflows of a worker: they hold no
 * state, and making zod's schemas anew for each incident would cost more than the rest of its life.
 *
 * The SDK freezes what workflows share as deep as it can reach, and zod's schemas fill in their methods on first use. It
 * goes no deeper than what is frozen already: so each module is frozen here, and the schemas in it are not.
 */
function sharedRules(folder: string, extension: 'ts' | 'js'): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(`.${extension}`),
  );
  const lines = files.sort().map((name, index) => {
    const file = JSON.stringify(join(folder, name));
    return `import * as rules${index} from ${file}; Object.freeze(rules${index});`;
  });
  return `data:text/javascript,${encodeURIComponent(lines.join('\n'))}`;
}

/** The SDK has the workflows rewritten for Node 8, where `{ ...record }` is the call of a helper function. */
const inPresentJavaScript: NonNullable<BundleOptions['webpackConfigHook']> = (config) => ({
  ...config,
  module: {
    ...config.module,
    rules: (config.module?.rules ?? []).map((rule) => {
      const swc = swcRuleSchema.safeParse(rule).data;
      if (swc === undefined) return rule;
      const { use } = swc;
      return { ...swc, use: { ...use, options: { ...use.options, jsc: { ...use.options.jsc, target: 'es2022' } } } };
    }),
  },
});

/** The one rule of the SDK's that compiles TypeScript. */
const swcRuleSchema = z.looseObject({
  use: z.looseObject({ options: z.looseObject({ jsc: z.looseObject({ target: z.string() }) }) }),
});

/** The workflows with the converters that they decode their messages and encode their failures with. */
export function bundleWorkflows(logger?: Logger): Promise<WorkflowBundleWithSourceMap> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const srcDir = fileURLToPath(new URL('..', import.meta.url));
  return bundleWorkflowCode({
    workflowsPath: join(srcDir, `workflows/index.${extension}`),
    workflowInterceptorModules: [join(srcDir, `workflows/interceptors.${extension}`)],
    ...converterPaths,
    webpackConfigHook: inPresentJavaScript,
    preloadModules: ['zod', sharedRules(join(srcDir, 'domain'), extension)],
    ...(logger === undefined ? {} : { logger }),
  });
}

/** Where a build leaves the bundle, so that a worker starts in a fraction of a second. */
export function prebuiltBundle(): string | undefined {
  const path = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  return existsSync(path) ? path : undefined;
}
