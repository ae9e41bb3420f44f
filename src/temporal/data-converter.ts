import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Sealing } from '../domain/sealing.js';
import { createPayloadCodec, keylessCodec } from './payload-codec.js';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Where the converters are that the workflows' bundle and the processes around it share. */
export const converterPaths = {
  payloadConverterPath: fileURLToPath(new URL(`./payload-converter.${extension}`, import.meta.url)),
  failureConverterPath: fileURLToPath(new URL(`./failure-converter.${extension}`, import.meta.url)),
};

/** What client and worker turn values into before Temporal sees them; without `sealing` it is plain, and has to be. */
export function dataConverterOf(sealing: Sealing | undefined): DataConverter {
  const { failureConverterPath } = converterPaths;
  return { failureConverterPath, payloadCodecs: [sealing === undefined ? keylessCodec : createPayloadCodec(sealing)] };
}
