import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

const MAX_BYTES = 64 * 1024 * 1024;

const componentSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  hashes: z.array(z.object({ alg: z.string(), content: z.string() })).optional(),
  /** `cdx:npm:package:development` for what only builds and tests it. */
  properties: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});

/** As far as it is looked at here. Source: cyclonedx.org, "CycloneDX 1.5 JSON reference". */
const sbomSchema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: componentSchema }),
  components: z.array(componentSchema),
});
export type Sbom = z.infer<typeof sbomSchema>;

/**
 * What the service is made of and built with, as CycloneDX; from the lock file, so that nothing has to be installed. With
 * `--omit=dev` npm would leave out what both need.
 */
export async function makeSbom(folder: string, name: string): Promise<Sbom> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: folder, maxBuffer: MAX_BYTES });
  const sbom = sbomSchema.parse(JSON.parse(stdout));
  // npm takes the folder's name for it.
  const { metadata } = sbom;
  return { ...sbom, metadata: { ...metadata, component: { ...metadata.component, name } } };
}
